--- Keeps requests under the limits of the service, before it has to answer 429 (docs/contract.md section 4).
---
--- Two things hold a request back. One is a sliding window of the host: at most `rate` requests in any minute. Polls
--- have nine tenths of them, and a third while other requests wait for the rate. The other belongs to the host and the
--- key: what replies announce in their RateLimit fields. Where others also use that limit, its last fifth is spread
--- over the time that is left. A 429 stops both until its `Retry-After`. All counts lie in a store, and limiters that
--- share a store share the limits.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local errors = require "scope3.error"
local headers = require "scope3.http.headers"
local limiter_store = require "scope3.http.limiter_store"
local retry_after = require "scope3.http.retry_after"
local sliding_window = require "scope3.http.sliding_window"

local limiter = {}

local LOW = 0.2 -- the share of an announced limit from which on it is spread
local PROBE = 10 -- seconds between requests that find out what a limit is now, while no reply tells
local LOST_RACE = 0.05 -- seconds or so until the next look of two that took the last place at the same moment
local BUSY = 0.01 -- seconds or so until the next look at a store that another process has locked
local CROWD = 60 -- seconds for which others count as waiting after one had to
local SIZE_KEPT = 3600 -- seconds for which a size counts that was too large
local LOCK_PATIENCE = 5 -- seconds for which another process may keep the lock

---@class scope3.Limiter
---@field private boolean  only this Lua state uses its store: any clock that only goes forward will do
---@field store scope3.LimiterStore
---@field path string?  of its file
---@field windows table<string, scope3.SlidingWindow>  by bucket
---@field busy_since number?  when another process was first seen to have the lock
local Limiter = {}
Limiter.__index = Limiter
Limiter.__name = "scope3.limiter"

---@class scope3.LimiterSubject  whom a limit counts for
---@field host string
---@field key string  stands for the key in the store
---@field private names? table<string, string>  of its values in the store

local function file_error(path, why)
  return errors.new("limiter", ("the limiter's file %s cannot be used: %s"):format(path, why))
end

--- Makes a limiter. All clients that are given it stay under one rate together:
---
---     local limiter = assert(scope3.limiter "/run/scope3.limits")
---     local client = assert(scope3.client { limiter = limiter })
---
---@param store? scope3.Store|string  what keeps its counts: a table or dictionary that has the calls, or the path of a
---  file through which the processes of a machine share them, made where there is none; a table of this Lua state
---  unless given
---@return scope3.Limiter?
---@return scope3.Error? err  kind "limiter": the file cannot be used
function limiter.new(store)
  if type(store) == "string" then
    if store == "" or store:find("%z") then
      error("scope3.limiter: the path of a file is neither empty nor holds a zero byte", 2)
    end
  elseif store ~= nil and not arguments.has(store, "get", "set", "incr", "delete") then
    error("scope3.limiter: " .. arguments.problem("a store",
      "the path of a file, or what has get, set, incr and delete, as a lua_shared_dict has", store), 2)
  end
  local opened, why = limiter_store.new(store)
  if not opened then
    return nil, file_error(store, why)
  end
  return setmetatable({
    store = opened, path = type(store) == "string" and store or nil, private = opened.private, windows = {},
  }, Limiter)
end

---@private
---@param value any
---@return boolean
function limiter.is(value)
  return getmetatable(value) == Limiter
end

--- The limiter that all clients of this Lua state share.
limiter.shared = limiter.new()

-- --- the rate ----------------------------------------------------------------------------------------------------

local function window_of(self, bucket)
  local window = self.windows[bucket]
  if not window then
    local store = self.store
    window = sliding_window.new(store.counts, bucket, not (store.private or store.file), store.private)
    self.windows[bucket] = window
  end
  return window
end

-- Polls a minute. Who looks after tasks must not hold back those who send; where nobody waits, they have nearly all.
local function poll_rate(self, who, rate, now)
  local until_ = limiter_store.time(self.store.counts, who.host .. ":crowd", now)
  local is_crowded = until_ and now < until_
  return math.max(1, math.floor(is_crowded and rate / 3 or rate * 9 / 10))
end

-- The windows that a request counts in: of its host, and for a poll also that of polls, with its rate.
local function windows_of(self, who, rate, poll, now)
  local requests = window_of(self, who.host)
  if poll then
    return requests, window_of(self, who.host .. ":poll"), poll_rate(self, who, rate, now)
  end
  return requests
end

---@private
--- Seconds until a request may go by the rate. It is not counted; that it waits, and is no poll, is noted.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number
---@return number
function Limiter:room(who, rate, poll, now)
  local requests, polls, share = windows_of(self, who, rate, poll, now)
  local wait = requests:wait(rate, now)
  if polls then
    return math.max(wait, polls:wait(share, now))
  elseif wait > 0 then
    limiter_store.set_time(self.store.counts, who.host .. ":crowd", CROWD, now)
  end
  return wait
end

---@private
--- Counts a request that goes, whether or not it may.
---@param who scope3.LimiterSubject
---@param rate integer
---@param poll boolean?
---@param now number
function Limiter:count(who, rate, poll, now)
  local requests, polls, share = windows_of(self, who, rate, poll, now)
  requests:take(rate, now)
  if polls then
    polls:take(share, now)
  end
end

-- --- what the service said ---------------------------------------------------------------------------------------

local ANNOUNCED = { ":limit", ":remaining", ":reset", ":reset@", ":next" }

local function subject_key(who)
  return who.host .. ":" .. who.key
end

-- The names in a store of what is said to a subject. They are made once, because each request asks for all of them.
local function names_of(who)
  local names = who.names
  if not names or names.of_host ~= who.host or names.of_key ~= who.key then
    names = { of_host = who.host, of_key = who.key, [":blocked"] = subject_key(who) .. ":blocked" }
    for _, name in ipairs(ANNOUNCED) do
      names[name] = subject_key(who) .. name
    end
    who.names = names
  end
  return names
end

-- Seconds until all that blocks requests altogether is over: a 429, or a damaged file. Not above 0 when it is.
local function blocked_for(self, who, now)
  local store = self.store
  local of_file = store.file and limiter_store.time(store.counts, limiter_store.BLOCKED, now)
  return math.max((limiter_store.time(store.counts, names_of(who)[":blocked"], now) or now) - now,
    (of_file or now) - now)
end

-- Seconds until the next request may go while a limit is spread over the time that is left; 0 when it may go now.
local function spread(counts, names, remaining, reset, now)
  local next_at = counts:get(names[":next"])
  if next_at and now < next_at then
    return math.min(next_at, reset) - now
  end
  counts:set(names[":next"], now + (reset - now) / (remaining + 1))
  return 0
end

-- After the reset one request goes, and its reply will tell what the limit is now.
local function probe(counts, names, now)
  counts:set(names[":remaining"], 0)
  limiter_store.set_time(counts, names[":reset"], PROBE, now)
  counts:delete(names[":next"])
end

-- Seconds for which what the service said holds a request back. At 0 the request is counted.
local function hold(self, who, now)
  local wait = blocked_for(self, who, now)
  if wait > 0 then
    return wait
  end
  local counts, names = self.store.counts, names_of(who)
  local reset, remaining = limiter_store.time(counts, names[":reset"], now), counts:get(names[":remaining"])
  if not reset or not remaining then
    return 0
  elseif now >= reset then
    probe(counts, names, now)
    return 0
  elseif remaining <= 0 then
    return reset - now
  end
  local limit = counts:get(names[":limit"]) or remaining
  local others_use_it = remaining < LOW * limit and window_of(self, who.host):load(now) < limit - remaining
  if others_use_it then
    wait = spread(counts, names, remaining, reset, now)
  end
  if wait == 0 then
    counts:incr(names[":remaining"], -1, remaining)
  end
  return wait
end

local function parse_number(value)
  return value and tonumber((tostring(value):match("^[ \t]*(%d+)")))
end

-- A number of the field RateLimit.
local function parse_part(field, name)
  -- pattern: begins only at a name, and runs over blanks and digits once
  return tonumber(((", " .. field):match("[,; \t]" .. name .. "[ \t]*=[ \t]*(%d+)")))
end

-- The limit, what remains and the seconds until the reset, in either form of the fields; nil where there are none.
local function announced(fields)
  local limit = parse_number(headers.first(fields, "ratelimit-limit"))
  local remaining = parse_number(headers.first(fields, "ratelimit-remaining"))
  local reset = parse_number(headers.first(fields, "ratelimit-reset"))
  local one = headers.first(fields, "ratelimit")
  if not remaining and one then
    limit, remaining, reset = parse_part(one, "limit"), parse_part(one, "remaining"), parse_part(one, "reset")
  end
  if remaining and reset then
    return limit or remaining, remaining, reset
  end
end

local function write_announcement(self, who, what, now)
  local counts, names = self.store.counts, names_of(who)
  if what then
    counts:set(names[":limit"], what.limit)
    counts:set(names[":remaining"], what.remaining)
    limiter_store.set_time(counts, names[":reset"], what.reset, now)
  else
    for _, name in ipairs(ANNOUNCED) do
      counts:delete(names[name])
    end
  end
end

---@private
--- Remembers what a reply announces.
---@param who scope3.LimiterSubject
---@param fields table<string, string|string[]>  of its headers, names in lowercase
---@param flying integer  requests under way that the service may not have counted
---@param now number
---@param time? number  seconds since 1970 by the service's clock; by its Date unless given
---@return number? longer  the seconds until a reset, where they are more than will be waited
function Limiter:learn(who, fields, flying, now, time)
  local limit, remaining, reset = announced(fields)
  if not limit then
    return self.store:write(write_announcement, self, who, nil, now)
  end
  local longer
  remaining = remaining - flying
  reset, longer = retry_after.bound(reset, time or retry_after.service_time(fields) or core.time())
  self.store:write(write_announcement, self, who, { limit = limit, remaining = remaining, reset = reset }, now)
  return remaining < LOW * limit and longer or nil
end

local function write_block(self, who, seconds, now)
  local counts, key = self.store.counts, names_of(who)[":blocked"]
  local left = (limiter_store.time(counts, key, now) or now) - now
  limiter_store.set_time(counts, key, math.max(seconds, left), now)
end

---@private
--- Holds every request back for some seconds, because a 429 asked for it.
---@param who scope3.LimiterSubject
---@param seconds number
---@param now number
function Limiter:block(who, seconds, now)
  self.store:write(write_block, self, who, math.min(seconds, retry_after.LONGEST) + limiter_store.MARGIN, now)
end

-- --- sizes of bodies ---------------------------------------------------------------------------------------------

-- What is kept of a host's size; nil where that is too long ago.
local function read_size(self, who, now)
  local counts, key = self.store.counts, who.host .. ":size"
  local until_ = limiter_store.time(counts, key .. "@until", now)
  local bytes = until_ and now < until_ and counts:get(key)
  return type(bytes) == "number" and bytes >= 1 and bytes or nil
end

local function write_size(self, who, bytes, now)
  local counts, key = self.store.counts, who.host .. ":size"
  counts:set(key, math.min(bytes, read_size(self, who, now) or bytes))
  limiter_store.set_time(counts, key .. "@until", SIZE_KEPT, now)
end

---@private
--- Remembers that a host takes no larger bodies.
---@param who scope3.LimiterSubject
---@param bytes integer
---@param now number
function Limiter:learn_size(who, bytes, now)
  self.store:write(write_size, self, who, bytes, now)
end

---@private
--- The size that no body is to exceed; nil where nothing is known.
---@param who scope3.LimiterSubject
---@param now number
---@return number? bytes
function Limiter:size(who, now)
  return (self.store:exclusively(now, read_size, self, who, now))
end

-- --- both --------------------------------------------------------------------------------------------------------

-- Seconds around a mean, so that two who wait do not meet again.
local function about(seconds)
  return seconds * (0.1 + core.random())
end

local function pass(self, who, rate, poll, now)
  local wait = self:room(who, rate, poll, now)
  if wait == 0 then
    wait = hold(self, who, now)
  end
  if wait ~= 0 then
    return wait
  end
  local requests, polls, share = windows_of(self, who, rate, poll, now)
  if not requests:take(rate, now) then
    return about(LOST_RACE)
  elseif polls and not polls:take(share, now) then
    requests:give_back(now)
    return about(LOST_RACE)
  end
  return 0
end

---@private
--- Lets a request to a host go and counts it, or says how long to wait before this is asked again.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number  seconds since 1970; with a private store seconds of any clock that only goes forward
---@return number? seconds  0 when it may go
---@return scope3.Error? err  kind "limiter"
---@return "damaged"|"removed"|nil news  what happened to the file: requests then wait for a minute
function Limiter:pass(who, rate, poll, now)
  local wait, why = self.store:exclusively(now, pass, self, who, rate, poll, now)
  local news = self.store:take_news()
  if wait then
    self.busy_since = nil
    return wait, nil, news
  elseif why then
    return nil, file_error(self.path, why)
  end
  self.busy_since = self.busy_since or core.now()
  if core.now() - self.busy_since > LOCK_PATIENCE then
    self.busy_since = nil
    return nil, file_error(self.path, ("another process has kept it locked for over %d s"):format(LOCK_PATIENCE))
  end
  return about(BUSY)
end

return limiter
