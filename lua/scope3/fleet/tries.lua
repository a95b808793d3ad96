--- When a drainer tries again, and when one that is to end with the queue gives up. It does where nothing went well for
--- as long as its patience, or where another drainer has the queue and removes nothing.
local core = require "scope3.core"
local errors = require "scope3.error"
local known_audiences = require "scope3.job.known_audiences"

local tries = {}

local FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30 -- seconds between two tries
-- Seconds for which a turn under the rate is waited for. That is a minute, where others take none in between. A Redis
-- that holds the rate gives none for two more after it was away.
local TURN = 180
local LEASES = 3 -- another one may need one before its first request, and one for the request itself

---@class scope3.Tries
---@field failures integer  since something went well
---@field private once? boolean
---@field private patience number  seconds
---@field private lease number  seconds
---@field private since? number  the first of these failures
---@field private asked_until number  what the service asked to be spared until
---@field private first? string  the entry that another one has not removed
---@field private still? number  since when
local Tries = {}
Tries.__index = Tries

---@param opts {once: boolean?, patience: number?, lease: number}
---@return scope3.Tries
function tries.new(opts)
  return setmetatable({ failures = 0, asked_until = -math.huge, once = opts.once, patience = opts.patience or 0,
    lease = opts.lease }, Tries)
end

--- A try has failed: the next one is later.
---@param err scope3.Error
---@param now number
---@param waits boolean?  no request has had its turn under the rate yet: nothing is wrong
---@return number? seconds  nil where there is none
---@return number out  seconds since the first of these failures
function Tries:failed(err, now, waits)
  local patience = waits and math.max(self.patience, TURN) or self.patience
  self.failures = self.failures + 1
  self.since = self.since or now
  -- An audience that is not listed yet is waited for: that has an end of its own, after which its members are given up.
  if self.once and now - self.since >= patience and not known_audiences.is_absent(err) then
    return nil, now - self.since
  end
  local seconds, asked = math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ self.failures), err.retry_after or 0
  self.asked_until = now + asked
  return math.max(seconds * (0.5 + core.random() / 2), asked), now - self.since
end

--- A lease begins. Nothing that failed before puts the next try off, but for what the service asked for.
---@return number at  of the next try
function Tries:begins()
  self.failures = 0
  return self.asked_until
end

function Tries:went_well()
  self.failures, self.since = 0, nil
end

--- This drainer has the lease.
function Tries:leads()
  self.still = nil
end

--- Another drainer has the lease. Without `once` that is waited for as long as it lasts.
---@param figures scope3.QueueFigures?  nil where Redis did not tell
---@param now number
---@return "done"|nil
---@return scope3.Error? err
function Tries:stands_by(figures, now)
  self:went_well()
  if not self.once or not figures then
    return nil
  elseif figures.entries == 0 then
    return "done"
  elseif not self.still or figures.first ~= self.first then
    self.first, self.still = figures.first, now
  elseif now - self.still >= math.max(self.patience, LEASES * self.lease) then
    return nil, errors.new("timeout", ("another drainer has the queue, and has removed nothing for %.0f s")
      :format(now - self.still))
  end
end

return tries
