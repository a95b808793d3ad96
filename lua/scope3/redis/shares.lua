--- What one process may send while Redis, which counts for all of a fleet, does not answer. Pure decisions: each call
--- is given the time, of a clock that only goes forward.
---
--- Each has its share of the rate: the rate, by the number of processes. It begins only when all places that Redis gave
--- before are over a minute old. Redis, in turn, gives no more than shares for as long after it was away: what it does
--- not know of was sent by shares. So at any time either Redis holds all together, or its share each.
local shares = {}

---@class scope3.ShareTimes  in seconds
---@field span number  for which a place counts
---@field notice number  within which each that sends has noticed that Redis is there again, or gone
---@field unseen number  between two failures, at most, in which Redis was not there for others either

---@class scope3.Shares
---@field private times scope3.ShareTimes
---@field private since number?  when Redis was first seen to be away, of all looks until now
---@field private failed_at number?  the last look that failed
---@field private logs table<string, scope3.ShareLog>  by host
local Shares = {}
Shares.__index = Shares

---@class scope3.ShareLog  requests of this process to a host, those within the span
---@field at number[]  from `first` to `last`, in order
---@field poll boolean[]
---@field first integer
---@field last integer
---@field polls integer

--- Makes the shares of one process.
---@param times scope3.ShareTimes
---@return scope3.Shares
function shares.new(times)
  return setmetatable({ times = times, logs = {} }, Shares)
end

-- The log of a host, without what is over.
local function log_of(self, host, now)
  local log = self.logs[host]
  if not log then
    log = { at = {}, poll = {}, first = 1, last = 0, polls = 0 }
    self.logs[host] = log
  end
  local first = log.first
  while first <= log.last and log.at[first] <= now - self.times.span do
    log.polls = log.polls - (log.poll[first] and 1 or 0)
    log.at[first], log.poll[first] = nil, nil
    first = first + 1
  end
  log.first = first
  return log
end

--- Notes that a request goes, whoever gave the place.
---@param host string
---@param poll boolean?
---@param now number
function Shares:took(host, poll, now)
  local log = log_of(self, host, now)
  local last = log.last + 1
  log.last, log.at[last], log.poll[last] = last, now, poll or false
  log.polls = log.polls + (poll and 1 or 0)
end

--- Requests of this process within the span.
---@param host string
---@param now number
---@return integer
function Shares:count(host, now)
  local log = log_of(self, host, now)
  return log.last - log.first + 1
end

--- Redis did not answer.
---@param now number
---@return boolean first  it did so before
function Shares:failed(now)
  local first = self.since == nil
  if first or now - self.failed_at > self.times.unseen then
    self.since = now -- Redis may have given places since the last look
  end
  self.failed_at = now
  return first
end

--- Redis answered.
---@return boolean back  it had not before
function Shares:answered()
  local back = self.since ~= nil
  self.since, self.failed_at = nil, nil
  return back
end

--- Seconds for which Redis has not answered; nil where it did.
---@param now number
---@return number?
function Shares:away(now)
  return self.since and now - self.since
end

-- Seconds until a request of the log is over; 0 where there is none.
local function until_over(self, at, now)
  return at and math.max(0, at + self.times.span - now) or 0
end

-- When the poll went that has to be over before one more is within `most`.
local function hindering_poll(log, most)
  local others = log.polls - most -- polls before it
  for i = log.first, others >= 0 and log.last or 0 do
    others = others - (log.poll[i] and 1 or 0)
    if others < 0 then
      return log.at[i]
    end
  end
end

--- Seconds until one more request is within a share. Polls have nine tenths of it.
---@param host string
---@param share integer  requests within the span; 0: never
---@param poll boolean?
---@param now number
---@return number  0 when it is
function Shares:room(host, share, poll, now)
  if share < 1 then
    return self.times.span
  end
  local log = log_of(self, host, now)
  local wait = log.last - log.first + 1 >= share and until_over(self, log.at[log.last - share + 1], now) or 0
  if poll then
    return math.max(wait, until_over(self, hindering_poll(log, math.max(1, math.floor(share * 9 / 10))), now))
  end
  return wait
end

--- Seconds until one more request may go while Redis is away. It is not counted.
---@param host string
---@param share integer
---@param poll boolean?
---@param now number
---@return number  0 when it may
function Shares:wait(host, share, poll, now)
  return math.max(self.since + self.times.span + self.times.notice - now, self:room(host, share, poll, now), 0)
end

--- The share of one process of a fleet.
---@param rate integer  requests a minute of all together
---@param fleet integer?  how many processes; nil where that is not known
---@return integer
function shares.of(rate, fleet)
  return fleet and math.floor(rate / math.max(1, fleet)) or 0
end

return shares
