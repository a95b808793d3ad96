--- How long the service asks to wait: in Retry-After, and until a RateLimit-Reset.
local core = require "scope3.core"
local headers = require "scope3.http.headers"
local time = require "scope3.util.time"

local retry_after = {}

--- The longest wait that is believed, in seconds. After it the service is asked again.
retry_after.LONGEST = 3600

-- From these on a number is a time since 1970: as a wait it would last 31 years.
local SECONDS, MILLISECONDS = 1e9, 1e12

--- Seconds to wait for what the service said. Some services give a time since 1970 where seconds are meant.
---@param said number  seconds, or a time since 1970 in seconds or milliseconds
---@param now number  seconds since 1970 by the service's clock
---@return number seconds  at most retry_after.LONGEST
---@return number? longer  what was asked for, where that is more
function retry_after.bound(said, now)
  if said >= MILLISECONDS then
    said = math.max(0, said / 1000 - now)
  elseif said >= SECONDS then
    said = math.max(0, said - now)
  end
  if said > retry_after.LONGEST then
    return retry_after.LONGEST, math.min(said, 2 ^ 53)
  end
  return said
end

--- The time by the service's own clock, from the Date field. The clock of this machine may be wrong.
---@param fields table<string, string|string[]>?  of the reply's headers
---@return number?  seconds since 1970
function retry_after.service_time(fields)
  return time.http_date(headers.first(fields, "date") or "")
end

-- The number that a text is, in decimal digits. tonumber() also reads "0x10", and depends on the locale.
local function decimal(text)
  local fraction = text:match("^[0-9]+%.?()") -- in two steps, so that two runs of digits cannot compete
  return fraction and text:find("^[0-9]*$", fraction) and core.number(text)
end

--- Seconds that a reply asks to wait (RFC 9110 section 10.2.3).
---@param result scope3.TransferResult
---@param now number  seconds since 1970
---@return number?  at most an hour; nil where the reply does not ask, or cannot be understood
---@return number? longer  what it asked for, where that is more
function retry_after.read(result, now)
  local value = headers.first(result.headers, "retry-after")
  if not value then
    return nil
  end
  now = retry_after.service_time(result.headers) or now
  local seconds = decimal(value)
  if not seconds then
    local at = time.http_date(value, now)
    seconds = at and math.max(0, at - now)
  end
  if seconds then
    return retry_after.bound(seconds, now)
  end
end

return retry_after
