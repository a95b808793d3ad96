--- Who of several drainers may send, and until when. Pure decisions: the caller reads the clock and asks Redis.
---
--- Three rules make that no request of a drainer takes effect after a later one of another:
---   guard   no POST lasts beyond the lease, less a margin. The clock is read before Redis is asked for the lease: so
---           the lease of Redis ends later than the one that is reckoned with here.
---   quiet   who takes a lease that was not handed over waits before the first POST. What the one before has sent has
---           taken effect by then, also where the service takes its time: up to one lease after it was aborted. By the
---           guard that was a margin before the lease ended. A Redis that began anew may have lost how long that was:
---           whatever it held before ends a lease, less the margin, after it began.
---   fence   Redis takes an ack only of the lease under which it was read. A drainer that is refused forgets its batch.
local lease = {}

local MARGIN = 0.1 -- share of the lease

---@class scope3.Lease
---@field epoch? integer  of the lease that is held: the number of times that it was taken
---@field private seconds number
---@field private margin number
---@field private ends number  when it is over, at the earliest
---@field private begins number  before then nothing may be sent
---@field private asks number  when Redis is to be asked again
---@field private began number  when Redis began
local Lease = {}
Lease.__index = Lease

--- The share of a lease that is no time for sending.
lease.MARGIN = MARGIN

--- One that is not held.
---@param seconds number
---@return scope3.Lease
function lease.new(seconds)
  return setmetatable({ seconds = seconds, margin = seconds * MARGIN, ends = -math.huge, begins = -math.huge,
    asks = -math.huge, began = -math.huge }, Lease)
end

--- A connection was opened.
---@param began number  when Redis began, at the latest: it may have lost what it held before
function Lease:connected(began)
  self.began = began
end

---@class scope3.LeaseGrant  what Redis says to who asks for the lease
---@field held boolean
---@field epoch? integer  where it is held
---@field taken? boolean  it was free
---@field released? boolean  and was handed over by the one before
---@field left? number  seconds that another one holds it

--- Takes what Redis has said, and gives what it means.
---@param asked number  when Redis was asked, by a clock that never goes back
---@param grant scope3.LeaseGrant
---@param now number  when it had said so: a lease that was free had ended by then, not before Redis was asked
---@return "kept"|"taken"|"standby" what
---@return boolean lost  a batch that was read before is void
function Lease:answer(asked, grant, now)
  local before = self.epoch
  if not grant.held then
    self.epoch, self.ends = nil, -math.huge
    self.asks = asked + math.min(grant.left or self.seconds, self.seconds)
    return "standby", before ~= nil
  end
  self.epoch, self.ends, self.asks = grant.epoch, asked + self.seconds, asked + self.seconds / 3
  -- It was taken also where the answer to a call that took it was lost. Whether it had been handed over is not known.
  if grant.taken or before ~= grant.epoch then
    local aborted = math.max(now - self.margin, self.began + self.seconds - self.margin)
    self.begins = grant.taken and grant.released and asked or aborted + self.seconds
    return "taken", before ~= nil
  end
  return "kept", false
end

--- An ack was refused: another one has the lease.
---@param now number
function Lease:fenced(now)
  self.epoch, self.ends, self.asks = nil, -math.huge, now
end

--- The lease was handed over.
function Lease:released()
  self.epoch, self.ends = nil, -math.huge
end

--- A request may take effect later than its answer would have come. What contradicts it has to wait for that.
---@param now number
function Lease:doubt(now)
  self.begins = math.max(self.begins, now + self.seconds)
end

--- Until when a request may last.
---@return number
function Lease:sends_until()
  return self.ends - self.margin
end

--- Seconds until a new batch may be begun; 0 where it may now. nil where the lease is not held.
---@param now number
---@return number?
function Lease:wait(now)
  if not self.epoch or now >= self:sends_until() then
    return nil
  end
  return math.max(0, self.begins - now)
end

--- When Redis is to be asked again: to keep the lease, or to take it.
---@return number
function Lease:asks_at()
  return self.asks
end

--- Whether so much of the lease is gone that it should be kept before something is sent.
---@param now number
---@return boolean
function Lease:is_short(now)
  return now >= self.asks
end

return lease
