--- Counts the requests of the last minute, in a slot for each second.
---
--- A request is counted when it goes. One that waits holds no place, so one that is given up leaves none. Slots that
--- are no longer read are deleted: a store holds the same few keys whatever the rate.
local entries = require "scope3.util.entries"

local sliding_window = {}

local SPAN = 61 -- a minute by the service's clock, and a second for requests that take longer on their way than others
local CLOCK_ERROR = 5 -- seconds that the clock of another machine may be ahead
local KEYS = 128 -- that are kept: of more slots than one look is at
local HAIR = 0.001 -- seconds after the end of a slot, so that rounding does not wake anybody before it

--- The longest wait that one look asks for, in seconds. After it a slot is gone, whatever the clocks do.
sliding_window.LONGEST_WAIT = SPAN + 1
--- Seconds that a time in the store may lie ahead, because the clock of another machine is ahead.
sliding_window.CLOCK_ERROR = CLOCK_ERROR

---@class scope3.SlidingWindow
---@field private store scope3.Store
---@field private contended boolean  others may count in the store at the same moment
---@field private bucket string
---@field private last_key string  of the last slot in which a request was counted
---@field private rate_key string  of the highest rate with which the bucket is used
---@field private rated_key string  of the second in which that rate was used
---@field private own? table<integer, integer>  the slots, where nobody else has the store: they need no keys there
---@field private total integer  of all slots of `own`, also of those that are no longer looked at
---@field private keys table<integer, string>  by slot: made once, because each look is at many
---@field private kept table<integer, integer>  slots that have a key, by their place among the KEYS
local Window = {}
Window.__index = Window

--- A window over the requests of one bucket.
---@param store scope3.Store
---@param bucket string  such as the host
---@param contended boolean  others may count in the store at the same moment
---@param private? boolean  nobody else has the store
---@return scope3.SlidingWindow
function sliding_window.new(store, bucket, contended, private)
  return setmetatable({
    store = store, contended = contended, bucket = bucket, own = private and {} or nil, total = 0,
    last_key = bucket .. ":last", rate_key = bucket .. ":rate", rated_key = bucket .. ":rated",
    keys = {}, kept = {},
  }, Window)
end

---@private
function Window:slot_key(slot)
  local key = self.keys[slot]
  if not key then
    local place = slot % KEYS
    self.keys[self.kept[place] or slot] = nil
    key = ("%s:%.0f"):format(self.bucket, slot)
    self.kept[place], self.keys[slot] = slot, key
  end
  return key
end

---@private
function Window:count(slot)
  if self.own then
    return self.own[slot] or 0
  end
  return self.store:get(self.keys[slot] or self:slot_key(slot)) or 0
end

---@private
function Window:add(slot, by)
  if self.own then
    self.own[slot], self.total = (self.own[slot] or 0) + by, self.total + by
    return
  end
  local n, why = self.store:incr(self:slot_key(slot), by, 0)
  return n or error("the limiter's store cannot count: " .. tostring(why), 0)
end

-- Forgets the slots from `first` to `last`.
---@private
function Window:forget(first, last)
  local own = self.own
  for slot = first, last do
    if not own then
      self.store:delete(self:slot_key(slot))
    elseif own[slot] then
      own[slot], self.total = nil, self.total - own[slot]
    end
  end
end

-- The first slot that may still be looked at while `slot` is the last, by a machine whose clock is behind.
local function horizon(slot)
  return slot - SPAN - CLOCK_ERROR
end

-- Moves requests that were counted in the future to now. They are there when this clock has gone back, or that of
-- another machine is wrong. So they hold others back for a minute, and not until that time has come.
---@private
function Window:bring_back(slot)
  local store, last = self.store, self.store:get(self.last_key)
  if not last or last <= slot + CLOCK_ERROR then
    return
  end
  local sent = 0
  for later = math.max(horizon(last), slot + CLOCK_ERROR + 1), last do
    sent = sent + (later >= last - SPAN and self:count(later) or 0)
    self:forget(later, later)
  end
  self:add(slot, sent)
  store:set(self.last_key, slot)
end

-- The highest rate with which the bucket was used within the last minute. A limiter of their own holds callers with a
-- lower rate to it. Here they would never have their turn before the others were as slow.
---@private
function Window:highest_rate(rate, slot)
  local known, at = self.store:get(self.rate_key), self.store:get(self.rated_key)
  local is_recent = known and at and at >= slot - SPAN and at <= slot + CLOCK_ERROR
  return is_recent and math.max(known, rate) or rate
end

-- What was counted in some slots of a store that nobody else has. Few of them have any.
local function sum_of(own, first, last)
  local sum = 0
  for slot, n in entries(own) do
    sum = sum + (slot >= first and slot <= last and n or 0)
  end
  return sum
end

--- Requests of the last minute.
---@param now number
---@return integer
function Window:load(now)
  local slot, sum = math.floor(now), 0
  if self.own then
    return sum_of(self.own, slot - SPAN, slot + CLOCK_ERROR)
  end
  for old = slot - SPAN, slot + CLOCK_ERROR do
    sum = sum + self:count(old)
  end
  return sum
end

--- Seconds until there is room for one more request.
---@param rate integer  requests a minute
---@param now number
---@return number seconds  0 when there is room
function Window:wait(rate, now)
  local slot = math.floor(now)
  self:bring_back(slot)
  local most = self:highest_rate(rate, slot)
  if self.own and self.total < most then
    return 0
  end
  local left = self:load(now)
  if left < most then
    return 0
  end
  for old = slot - SPAN, slot do
    left = left - self:count(old)
    if left < most then
      return math.min(sliding_window.LONGEST_WAIT, old + 1 + SPAN + HAIR - now)
    end
  end
  return sliding_window.LONGEST_WAIT
end

--- Counts one more request.
---@param rate integer  requests a minute
---@param now number
---@return boolean taken  false where others took the last place at the same moment
function Window:take(rate, now)
  local store, slot = self.store, math.floor(now)
  local most, last = self:highest_rate(rate, slot), store:get(self.last_key)
  self:add(slot, 1)
  if not last or slot > last then
    store:set(self.last_key, slot)
    last = last or slot
    self:forget(horizon(last), math.min(last, horizon(slot) - 1))
  end
  if rate == most then
    store:set(self.rate_key, rate)
    store:set(self.rated_key, slot)
  end
  if self.contended and self:load(now) > most then
    self:give_back(now)
    return false
  end
  return true
end

--- Takes a request back that was counted just now, and does not go.
---@param now number  as it was counted
function Window:give_back(now)
  self:add(math.floor(now), -1)
end

return sliding_window
