--- The sandbox's rate limit: a window of 60 seconds, reported in both forms of header fields.
local http = require "scope3.sandbox.http"

local WINDOW = 60 -- seconds

---@class scope3.sandbox.RateLimit
---@field recent number[]  times of the requests within the window
local RateLimit = {}
RateLimit.__index = RateLimit

local rate_limit = {}

---@return scope3.sandbox.RateLimit
function rate_limit.new()
  return setmetatable({ recent = {} }, RateLimit)
end

local function header_fields(form, limit, left, reset)
  if form == "single" then
    return { { "RateLimit", ("limit=%d, remaining=%d, reset=%d"):format(limit, left, reset) } }
  end
  return { { "RateLimit-Limit", ("%d"):format(limit) }, { "RateLimit-Remaining", left }, { "RateLimit-Reset", reset } }
end

--- Counts a request.
---@param config table  the sandbox's settings
---@param now number  seconds since 1970
---@return string[][] headers  to add to the reply
---@return boolean over  it is over the limit
---@return number? reset  seconds until there is room again
function RateLimit:count(config, now)
  local limit = config.rate_limit
  if not limit then
    return {}, false
  end
  local recent = {}
  for _, at in ipairs(self.recent) do
    if at > now - WINDOW then
      recent[#recent + 1] = at
    end
  end
  self.recent = recent
  local over = #recent >= limit
  if not over then
    recent[#recent + 1] = now
  end
  -- There is room again when this request leaves the window.
  local first = recent[math.max(1, #recent - limit + 1)]
  local reset = first and math.ceil(first + WINDOW - now) or WINDOW
  return header_fields(config.rate_form, limit, math.max(0, limit - #recent), reset), over, reset
end

--- The header Retry-After in the form that the settings ask for.
---@param config table  the sandbox's settings
---@param now number  seconds since 1970
---@param seconds number|string  a string is written as it is
---@return string[] header  name and value
function rate_limit.retry_after(config, now, seconds)
  if type(seconds) == "string" then
    return { "Retry-After", seconds }
  elseif config.retry_after_form == "date" then
    return { "Retry-After", http.date(math.ceil(now + config.date_skew + seconds)) }
  end
  return { "Retry-After", ("%d"):format(math.ceil(seconds)) }
end

return rate_limit
