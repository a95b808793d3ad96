--- How long the service may make us wait: in a Retry-After, and until a RateLimit-Reset.
local waits = {}

--- The longest wait that is believed, in seconds. What says more is a time, or is asked again after this.
waits.LONGEST = 3600

local SECONDS, MILLISECONDS = 1e9, 1e12 -- from here on a number is a time since 1970: as a wait it would last 31 years

--- Seconds to wait for what the service said. Some services give a time since 1970 where seconds from now are meant.
---@param said number  seconds, or a time since 1970 in seconds or milliseconds
---@param now number  seconds since 1970 by the service's clock
---@return number seconds  at most waits.LONGEST
---@return number? longer  what was asked for, where that is more
function waits.bound(said, now)
  if said >= MILLISECONDS then
    said = math.max(0, said / 1000 - now)
  elseif said >= SECONDS then
    said = math.max(0, said - now)
  end
  if said > waits.LONGEST then
    return waits.LONGEST, math.min(said, 2 ^ 53)
  end
  return said
end

return waits
