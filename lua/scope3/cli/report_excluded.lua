--- What a report says of rows that were left out: by a condition or the script, because they belong to other rows, or
--- because their person is excluded; and what the lists of --exclude hold.
local text = require "scope3.cli.text"

local report_excluded = {}

--- Rows that a condition or the script left out.
---@param res scope3.Result
---@return integer
function report_excluded.by_script(res)
  return res.skipped - res.child_rows - res.excluded_rows
end

--- Rows that were left out, in words.
---@param res scope3.Result
---@param by string  what of the script or the command left them out
---@return string? label  nil where there are none
---@return string? words
function report_excluded.skipped(res, by)
  if res.skipped == 0 then
    return nil
  end
  local own, parts = report_excluded.by_script(res), {}
  if own > 0 or res.excluded_rows == 0 then
    parts[1] = text.count(own) .. " " .. by
  end
  parts[#parts + 1] = res.child_rows > 0 and text.count(res.child_rows) .. " that belong to other rows" or nil
  parts[#parts + 1] = res.excluded_rows > 0 and text.count(res.excluded_rows) .. " excluded" or nil
  return "skipped", table.concat(parts, " · ")
end

local KINDS = {
  { "ids", "id" }, { "emails", "email" }, { "phones", "phone" }, { "hashes", "hash", "hashes" },
}

--- What the lists hold, in words.
---@param res scope3.Result
---@return string? label  nil where there are none
---@return string? words
function report_excluded.lists(res)
  if not res.exclusions then
    return nil
  end
  local parts = {}
  for _, kind in ipairs(KINDS) do
    local n = res.exclusions[kind[1]]
    parts[#parts + 1] = n > 0 and text.plural(n, kind[2], kind[3]) or nil
  end
  return "to exclude", table.concat(parts, " · ")
end

return report_excluded
