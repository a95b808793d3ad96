--- Keeps a client under a number of requests a minute: never more than `rate` in any 60 seconds.
local pacing = {}
pacing.__index = pacing

local WINDOW = 60
local LONGEST = 100000 -- beyond this many a minute nothing is worth remembering

---@param rate number  requests a minute
---@return table
function pacing.new(rate)
  return setmetatable({ rate = rate, sent = {}, next = 1 }, pacing)
end

--- Seconds until the next request may go; 0 when it may go now.
---@param now number
---@return number
function pacing:delay(now)
  local oldest = self.sent[self.next]
  if not oldest then
    return 0
  end
  return math.max(0, oldest + WINDOW - now)
end

--- Counts a request that goes now.
---@param now number
function pacing:take(now)
  if self.rate > LONGEST then
    return
  end
  self.sent[self.next] = now
  self.next = self.next % self.rate + 1
end

return pacing
