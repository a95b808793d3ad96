--- Pages of a list.
local json = require "scope3.sandbox.json"

local paging = {}

--- The rows of a page. With `page_repeats` so many rows seem to have been added before the list since the first page:
--- all others have moved back, so a page begins with the last rows of the one before.
---@param list table[]
---@param skip integer
---@param take integer
---@param config table
---@return table[] rows  an array
---@return integer total
function paging.of(list, skip, take, config)
  local moved = skip > 0 and config.page_repeats or 0
  local rows = json.array()
  for i = math.max(1, skip - moved + 1), math.min(#list, skip - moved + take) do
    rows[#rows + 1] = list[i]
  end
  return rows, #list + moved
end

return paging
