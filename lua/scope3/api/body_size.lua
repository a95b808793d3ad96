--- How large the bodies of requests may be. The service does not publish what it takes (docs/contract.md section 5), so
--- the first request is of a size that most take, and each that follows a large one may be twice as large.
---
--- Sizes follow from what is sent alone, and not from answers. So a job that is resumed, and an input that is read
--- again, are cut as before. What the service refuses is divided when it goes (job/body_sizes).
local rare = require "scope3.util.rare"

local body_size = {}

local FIRST = 8388608 -- a whole number, which is written into keys
local LESS = 64 -- part of a size by which the next one is less than twice as large: two requests hold it, with frames

--- The size that the first request may have.
---@param most? integer  bytes: `max_bytes`
---@return integer bytes
function body_size.first(most)
  local first = rare.number("first_request", FIRST)
  return math.min(first, most or first)
end

--- The size that a request may have after another.
---@param size integer  bytes that the other one might have had
---@param used integer  bytes that it has
---@param most integer  bytes: `max_bytes`
---@return integer bytes
function body_size.after(size, used, most)
  return used > size / 2 and math.min(2 * size - math.floor(size / LESS), most) or size
end

return body_size
