--- The limits of those who share counts: a table, a dictionary that others share, or a file that processes lock.
---
--- What the counts cannot do in one step is done while no other process has the file. A dictionary cannot be locked: so
--- of two that take its last place at the same moment each counts, looks, and takes its count back.
local core = require "scope3.core"
local errors = require "scope3.error"
local limiter_store = require "scope3.http.limiter_store"
local sliding_window = require "scope3.http.sliding_window"

local limiter_counts = {}

local LOW = 0.2 -- the share of an announced limit from which on it is spread
local PROBE = 10 -- seconds between requests that find out what a limit is now, while no reply tells
local LOST_RACE = 0.05 -- seconds or so until the next look of two that took the last place at the same moment
local BUSY = 0.01 -- seconds or so until the next look at a store that another process has locked
local CROWD = 60 -- seconds for which others count as waiting after one had to
local SIZE_KEPT = 3600 -- seconds for which a size counts that was too large
local LOCK_PATIENCE = 5 -- seconds for which another process may keep the lock

---@class scope3.CountLimits: scope3.SharedLimits
---@field store scope3.LimiterStore
---@field path string?  of its file
---@field windows table<string, scope3.SlidingWindow>  by bucket
---@field busy_since number?  when another process was first seen to have the lock
local CountLimits = {}
CountLimits.__index = CountLimits

local function file_error(path, why)
  return errors.new("limiter", ("the limiter's file %s cannot be used: %s"):format(path, why))
end

--- Makes them.
---@param given? scope3.Store|string  a store, the path of a file, or nothing for a table
---@return scope3.CountLimits?
---@return scope3.Error? err  kind "limiter": the file cannot be used
function limiter_counts.new(given)
  local opened, why = limiter_store.new(given)
  if not opened then
    return nil, file_error(given, why)
  end
  return setmetatable({
    store = opened, path = type(given) == "string" and given or nil, any_clock = opened.private, windows = {},
  }, CountLimits)
end

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

--- Seconds until a request may go by the rate. It is not counted; that it waits, and is no poll, is noted.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number
---@return number
function CountLimits:room(who, rate, poll, now)
  local requests, polls, share = windows_of(self, who, rate, poll, now)
  local wait = requests:wait(rate, now)
  if polls then
    return math.max(wait, polls:wait(share, now))
  elseif wait > 0 then
    limiter_store.set_time(self.store.counts, who.host .. ":crowd", CROWD, now)
  end
  return wait
end

--- Counts a request that goes, whether or not it may.
---@param who scope3.LimiterSubject
---@param rate integer
---@param poll boolean?
---@param now number
function CountLimits:count(who, rate, poll, now)
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

--- Remembers what a reply announces; nothing where it announces no limit.
---@param who scope3.LimiterSubject
---@param what scope3.Announcement?
---@param now number
function CountLimits:learn(who, what, now)
  self.store:write(write_announcement, self, who, what, now)
end

local function write_block(self, who, seconds, now)
  local counts, key = self.store.counts, names_of(who)[":blocked"]
  local left = (limiter_store.time(counts, key, now) or now) - now
  limiter_store.set_time(counts, key, math.max(seconds, left), now)
end

--- Holds every request back for some seconds.
---@param who scope3.LimiterSubject
---@param seconds number
---@param now number
function CountLimits:block(who, seconds, now)
  self.store:write(write_block, self, who, seconds + limiter_store.MARGIN, now)
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

--- Remembers that a host takes no larger bodies.
---@param who scope3.LimiterSubject
---@param bytes integer
---@param now number
function CountLimits:learn_size(who, bytes, now)
  self.store:write(write_size, self, who, bytes, now)
end

--- The size that no body is to exceed; nil where nothing is known.
---@param who scope3.LimiterSubject
---@param now number
---@return number? bytes
function CountLimits:size(who, now)
  return (self.store:exclusively(now, read_size, self, who, now))
end

-- --- both --------------------------------------------------------------------------------------------------------

-- Seconds around a mean, so that two who wait do not meet again.
local function about(seconds)
  return seconds * (0.1 + core.random())
end

local function claim(self, who, rate, poll, now)
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

--- Takes a place for a request, in one step, or says how long to wait before this is asked again.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number
---@return number? seconds  0 when it may go
---@return scope3.Error? err  kind "limiter"
---@return "damaged"|"removed"|nil news  what happened to the file: requests then wait for a minute
function CountLimits:claim(who, rate, poll, now)
  local wait, why = self.store:exclusively(now, claim, self, who, rate, poll, now)
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

return limiter_counts
