--- Keeps requests under the limits of the service, before it has to answer 429 (docs/contract.md section 4).
---
--- Two buckets hold a request back. One is of the host: never more than `rate` requests in any minute, polls of tasks a
--- third of them at most. The other is of the host and key: what replies announce in their RateLimit fields. Where
--- others use that up too, its last fifth is spread over the time that is left. A 429 stops both until its
--- `Retry-After`. All of it lies in a store with the calls of nginx's `lua_shared_dict`; sharing that shares the
--- limits.
---
--- A request is counted when it goes, in the slot of its second. Who waits has no place, so nobody who gave up leaves
--- one behind. Slots that are no longer looked at are deleted: a store holds the same few keys whatever the rate.
local core = require "scope3.core"
local door = require "scope3.util.arguments"
local errors = require "scope3.error"
local retry_after = require "scope3.http.retry_after"

local limiter = {}

---@class scope3.Limiter
---@field private boolean  its store is this Lua state's alone: any clock that only goes forward will do
local Limiter = {}
Limiter.__index = Limiter
Limiter.__name = "scope3.limiter"

local SPAN = 61 -- a minute by the service's clock, and a second for requests that take longer on their way than others
local AHEAD = 5 -- seconds that the clock of another machine may be ahead
local WAIT = SPAN + 1 -- the longest that one look may ask to wait: then a slot is gone, whatever the clocks do
local LATER = 0.1 -- seconds behind a Retry-After: who comes back at that very moment may be told once more
local HAIR = 0.001 -- seconds behind the end of a slot, so that rounding does not wake somebody before it
local LOW = 0.2 -- the share of an announced limit from which on it is spread
local PROBE = 10 -- seconds between requests that find out what a limit is now, while no reply tells
local LOST = 0.05 -- seconds or so until the next look of two that took the last place at the same moment
local BUSY = 0.01 -- seconds or so until the next look at a store that another process has locked
local PATIENCE = 5 -- seconds for which a lock may be in the way
local KEPT = 64 -- notes for a store that is locked

---@class scope3.Store  what a lua_shared_dict answers to
---@field get fun(self, key: string): any
---@field set fun(self, key: string, value: any): boolean
---@field incr fun(self, key: string, by: number, init: number): number
---@field delete fun(self, key: string)
local Table = {}
Table.__index = Table

function Table:get(key)
  return self[key]
end

function Table:set(key, value)
  self[key] = value
  return true
end

function Table:incr(key, by, init)
  local value = (self[key] or init) + by
  self[key] = value
  return value
end

function Table:delete(key)
  self[key] = nil
end

--- Makes a limiter. All clients that are given it stay under one rate together.
---@param store? scope3.Store|string  what keeps its counts: a table or dictionary that has the calls, or the path of a
---  file through which the processes of a machine share them, made where there is none; a table of this Lua state unless given
---@return scope3.Limiter?
---@return scope3.Error? err  kind "limiter": the file cannot be used
function limiter.new(store)
  local file = type(store) == "string"
  if file and (store == "" or store:find("%z")) then
    error("scope3.limiter: the path of a file is neither empty nor holds a zero byte", 2)
  elseif file then
    local opened, why = core.count_file(store)
    if not opened then
      return nil, errors.new("limiter", ("the limiter's file %s cannot be used: %s"):format(store, why))
    end
    store = opened
  elseif store ~= nil and not door.has(store, "get", "set", "incr", "delete") then
    error("scope3.limiter: " .. door.problem("a store",
      "the path of a file, or what has get, set, incr and delete, as a lua_shared_dict has", store), 2)
  end
  return setmetatable({
    store = store or setmetatable({}, Table), private = store == nil, file = file,
    names = {}, -- bucket -> its keys
    late = {}, -- what could not be written yet
  }, Limiter)
end

---@private
---@param value any
---@return boolean
function limiter.is(value)
  return getmetatable(value) == Limiter
end

--- The one that all clients of this Lua state share.
limiter.shared = limiter.new()

-- --- slots -------------------------------------------------------------------------------------------------------

-- The keys of a bucket. Those of slots are kept, because each look is at all of them.
local function names_of(self, bucket)
  local names = self.names[bucket]
  if not names then
    names = { bucket = bucket, last = bucket .. ":last", rate = bucket .. ":rate", rated = bucket .. ":rated" }
    names.slots, names.made = {}, 0
    self.names[bucket] = names
  end
  return names
end

local function slot_name(names, slot)
  local name = names.slots[slot]
  if not name then
    if names.made >= 4 * WAIT then
      names.slots, names.made = {}, 0
    end
    name = ("%s:%.0f"):format(names.bucket, slot)
    names.slots[slot], names.made = name, names.made + 1
  end
  return name
end

local function add(store, key, by)
  local n, why = store:incr(key, by, 0)
  return n or error("the limiter's store cannot count: " .. tostring(why), 0)
end

-- The first slot of which anybody may want to know while `slot` is the last.
local function horizon(slot)
  return slot - SPAN - AHEAD - 1
end

-- Where requests were counted in the future, this clock has gone back or that of another machine is wrong. They were
-- sent before now, though: so they count as sent now, and hold others back for a minute and not until that time has
-- come.
local function bring_back(store, names, slot)
  local last = store:get(names.last)
  if not last or last <= slot + AHEAD then
    return
  end
  local sent = 0
  for later = math.max(horizon(last), slot + AHEAD + 1), last do
    local key = slot_name(names, later)
    sent = sent + (later >= last - SPAN and store:get(key) or 0)
    store:delete(key)
  end
  if sent > 0 then
    add(store, slot_name(names, slot), sent)
  end
  store:set(names.last, slot)
end

-- Requests of the last minute.
local function load_of(store, names, now)
  local sum = 0
  for slot = math.floor(now - SPAN), math.floor(now) + AHEAD do
    sum = sum + (store:get(slot_name(names, slot)) or 0)
  end
  return sum
end

-- The rate of a bucket: the highest that anybody who used it within the last minute has. Whoever has a lower one is
-- held to it by its own pace: it would never have its turn if it waited for the others to be as slow.
local function highest(store, names, rate, slot)
  local known, at = store:get(names.rate), store:get(names.rated)
  if known and at and known > rate and at >= slot - SPAN and at <= slot + AHEAD then
    return known
  end
  return rate
end

-- Seconds until a bucket has room for one more; 0 when it has.
local function room(store, names, rate, now)
  bring_back(store, names, math.floor(now))
  local most = highest(store, names, rate, math.floor(now))
  local left = load_of(store, names, now)
  if left < most then
    return 0
  end
  for slot = math.floor(now - SPAN), math.floor(now) do
    left = left - (store:get(slot_name(names, slot)) or 0)
    if left < most then
      return math.max(HAIR, math.min(WAIT, slot + 1 + SPAN + HAIR - now))
    end
  end
  return WAIT
end

-- Counts one more. False where others who did so at the same moment leave no room for it.
local function take(self, names, rate, now)
  local store, slot = self.store, math.floor(now)
  local most, last = highest(store, names, rate, slot), store:get(names.last)
  add(store, slot_name(names, slot), 1)
  if not last or slot > last then
    store:set(names.last, slot)
    for old = horizon(last or slot), math.min(last or 0, horizon(slot) - 1) do
      store:delete(slot_name(names, old))
    end
  end
  if rate >= most and (store:get(names.rate) ~= rate or store:get(names.rated) ~= slot) then
    store:set(names.rate, rate)
    store:set(names.rated, slot)
  end
  if not (self.private or self.file) and load_of(store, names, now) > most then
    add(store, slot_name(names, slot), -1)
    return false
  end
  return true
end

-- --- times -------------------------------------------------------------------------------------------------------

-- Keeps a time that lies ahead, and beside it when that was: how far it lay ahead then.
local function set_ahead(store, key, seconds, now)
  store:set(key, now + seconds)
  store:set(key .. "@", now)
end

-- A time that was kept. Where it was kept in the future, by a clock that went back since, it lies as far ahead of now
-- as it did then.
local function ahead(store, key, now)
  local at, kept = store:get(key), store:get(key .. "@")
  if at and (not kept or kept > now + AHEAD) then
    local seconds = math.max(0, math.min(retry_after.LONGEST + LATER, at - (kept or now)))
    set_ahead(store, key, seconds, now)
    return now + seconds
  end
  return at
end

local function hold(self, who, now)
  local store, key = self.store, who.host .. ":" .. who.key
  for _, blocked in ipairs { key .. ":blocked", self.file and "blocked" or nil } do
    local at = ahead(store, blocked, now)
    if at and now < at then
      return at - now
    end
  end
  local reset = ahead(store, key .. ":reset", now)
  if not reset then
    return 0
  end
  if now >= reset then
    -- How much is free now, the reply will tell.
    reset = now + PROBE
    store:set(key .. ":remaining", 1)
    set_ahead(store, key .. ":reset", PROBE, now)
    store:delete(key .. ":next")
  end
  local remaining = store:get(key .. ":remaining") or 1
  if remaining <= 0 then
    return reset - now
  end
  local limit = store:get(key .. ":limit") or 0
  -- Where others use it, too:
  if remaining < LOW * limit and load_of(store, names_of(self, who.host), now) < limit - remaining then
    local next_at = store:get(key .. ":next")
    if next_at and now < next_at then
      return math.min(next_at, reset) - now
    end
    store:set(key .. ":next", now + (reset - now) / (remaining + 1))
  end
  store:incr(key .. ":remaining", -1, 1)
  return 0
end

-- The buckets that a request counts in, with the rate of each; the second for polls alone.
local function buckets(self, who, rate, poll)
  local polls = poll and names_of(self, who.host .. ":poll") or nil
  return names_of(self, who.host), polls, math.max(1, math.floor(rate / 3))
end

---@private
--- Seconds until a request may go, as far as the counts tell: nothing is counted.
---@param who {host: string}
---@param rate integer
---@param poll boolean?
---@param now number
---@return number
function Limiter:room(who, rate, poll, now)
  local host, polls, third = buckets(self, who, rate, poll)
  return math.max(room(self.store, host, rate, now), polls and room(self.store, polls, third, now) or 0)
end

---@private
--- Counts a request that goes, without a look at whether it may.
---@param who {host: string}
---@param rate integer
---@param poll boolean?
---@param now number
function Limiter:count(who, rate, poll, now)
  local host, polls, third = buckets(self, who, rate, poll)
  take(self, host, rate, now)
  if polls then
    take(self, polls, third, now)
  end
end

local function pass(self, who, rate, poll, now)
  local store, host, polls, third = self.store, buckets(self, who, rate, poll)
  local wait = self:room(who, rate, poll, now)
  if wait == 0 then
    wait = hold(self, who, now)
  end
  if wait > 0 then
    return wait
  end
  if not take(self, host, rate, now) then
    return LOST * (0.1 + core.random())
  elseif polls and not take(self, polls, third, now) then
    add(store, slot_name(host, math.floor(now)), -1)
    return LOST * (0.1 + core.random())
  end
  return 0
end

-- --- a store that is locked --------------------------------------------------------------------------------------

-- Does what has to be done first in a store that is locked now, and then something.
local function catch_up(self, news, now, act, ...)
  if news then -- what was counted in the last minute is forgotten: so nobody goes before it is over
    set_ahead(self.store, "blocked", WAIT, now)
  end
  local late = self.late
  self.late = {}
  for _, note in ipairs(late) do
    note.act(self, note.who, note.value, note.now)
  end
  return act(self, ...)
end

-- Does something while the store is this process's alone. nil where another process has it; nil and why where it cannot
-- be used.
local function alone(self, act, now, ...)
  if not self.file then
    return act(self, ...)
  end
  local got, news = self.store:lock()
  if not got then
    return nil, news
  end
  local fine, result, why = pcall(catch_up, self, news, now, act, ...)
  local done, problem = self.store:unlock()
  self.news = news or self.news -- behind the lock, because memory may run out here
  if not fine then
    return nil, tostring(result)
  elseif not done then
    return nil, problem
  end
  return result, why
end

-- Writes something into the store, and where it is locked at the next occasion: what a reply said is not said again.
local function write(self, act, who, value, now)
  if alone(self, act, now, who, value, now) == nil and #self.late < KEPT then
    self.late[#self.late + 1] = { act = act, who = who, value = value, now = now }
  end
end

local function failed(why)
  return errors.new("limiter", "the limiter's file cannot be used: " .. why)
end

---@private
--- Lets a request to a host go, and counts it, or says how long to wait before this is asked again.
---@param who {host: string, key: string}
---@param rate integer  requests a minute
---@param poll boolean?  a poll of a task
---@param now number  seconds since 1970; with a private store seconds of any clock that only goes forward
---@return number? seconds  0 when it may go
---@return scope3.Error? err  kind "limiter"
---@return "damaged"|"removed"|nil news  what had happened to the file: requests wait for a minute then
function Limiter:pass(who, rate, poll, now)
  local wait, why = alone(self, pass, now, who, rate, poll, now)
  local news = self.news
  self.news = nil
  if wait then
    self.busy = nil
    return wait, nil, news
  elseif why then
    return nil, failed(why)
  end
  self.busy = self.busy or core.now()
  if core.now() - self.busy > PATIENCE then
    self.busy = nil
    return nil, failed(("another process has kept it locked for over %d s"):format(PATIENCE))
  end
  return BUSY * (0.1 + core.random())
end

---@private
--- Seconds for which what the service said holds a request back; 0 when it may go, and then it counts.
---@param who {host: string, key: string}
---@param now number
---@return number? seconds
---@return string? why
function Limiter:hold(who, now)
  return alone(self, hold, now, who, now)
end

-- The three numbers of the RateLimit fields, in either form; nil where there are none.
local function announced(headers)
  local function number(name)
    local value = headers[name]
    value = type(value) == "table" and value[1] or value
    return tonumber((tostring(value or ""):match("^[ \t]*(%d+)")))
  end
  local limit, remaining, reset = number "ratelimit-limit", number "ratelimit-remaining", number "ratelimit-reset"
  local one = headers.ratelimit
  one = type(one) == "table" and one[1] or one
  if not remaining and one then
    local function part(name)
      -- pattern: begins at a name alone, and runs over blanks and digits once
      return tonumber(((", " .. one):match("[,; \t]" .. name .. "[ \t]*=[ \t]*(%d+)")))
    end
    limit, remaining, reset = part "limit", part "remaining", part "reset"
  end
  if remaining and reset then
    return limit or remaining, remaining, reset
  end
end

local function learn(self, who, what, now)
  local store, key = self.store, who.host .. ":" .. who.key
  if not what then
    for _, name in ipairs { ":limit", ":remaining", ":reset", ":reset@", ":next" } do
      store:delete(key .. name)
    end
  else
    store:set(key .. ":limit", what.limit)
    store:set(key .. ":remaining", what.remaining)
    set_ahead(store, key .. ":reset", what.reset, now)
  end
  return true
end

---@private
--- Takes in what a reply announces.
---@param who {host: string, key: string}
---@param headers table<string, string|string[]>  names in lowercase
---@param flying integer  requests under way that the service may not have counted
---@param now number
---@param time? number  seconds since 1970 by the service's clock
---@return number? longer  the seconds until a reset for which it will not be waited that long
function Limiter:learn(who, headers, flying, now, time)
  local limit, remaining, reset = announced(headers)
  if not limit then
    return write(self, learn, who, nil, now)
  end
  local longer
  remaining = remaining - flying
  reset, longer = retry_after.bound(reset, time or core.time())
  write(self, learn, who, { limit = limit, remaining = remaining, reset = reset }, now)
  return remaining < LOW * limit and longer or nil
end

local function block(self, who, seconds, now)
  local key = who.host .. ":" .. who.key .. ":blocked"
  if now + seconds > (ahead(self.store, key, now) or 0) then
    set_ahead(self.store, key, seconds, now)
  end
  return true
end

---@private
--- Holds every request back for so many seconds: a 429 asked for it.
---@param who {host: string, key: string}
---@param seconds number
---@param now number
function Limiter:block(who, seconds, now)
  write(self, block, who, math.min(seconds, retry_after.LONGEST) + LATER, now)
end

return limiter
