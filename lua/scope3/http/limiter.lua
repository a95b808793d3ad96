--- Keeps requests under the limits of the service, before it has to answer 429 (docs/contract.md section 4).
---
--- Two things hold a request back. One is a sliding window of the host: at most `rate` requests in any minute. Polls
--- have nine tenths of them, and a third while other requests wait for the rate. The other belongs to the host and the
--- key: what replies announce in their RateLimit fields. Where others also use that limit, its last fifth is spread
--- over the time that is left. A 429 stops both until its `Retry-After`.
---
--- What is counted lies in limits that several may share (scope3.SharedLimits). Each call of them is one step for all.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local headers = require "scope3.http.headers"
local limiter_counts = require "scope3.http.limiter_counts"
local retry_after = require "scope3.http.retry_after"

local limiter = {}

local LOW = 0.2 -- the share of an announced limit of which a far reset is told

---@class scope3.LimiterSubject  whom a limit counts for
---@field host string
---@field key string  stands for the key in the store
---@field private names? table<string, string>  of its values in the store

---@class scope3.Announcement  what a reply said of the limit
---@field limit integer
---@field remaining integer  may be below 0
---@field reset number  seconds until it is whole again

---@class scope3.SharedLimits  what several share; each call is one step, whoever else calls at the same moment
---@field any_clock boolean  `now` may be seconds of any clock that only goes forward; otherwise since 1970
---@field claim fun(self, who: scope3.LimiterSubject, rate: integer, poll?: boolean, now: number, loop?: scope3.Loop):
---  number?, scope3.Error?, string?, number?  takes a place for good: 0, or seconds until the next look; what happened;
---  seconds until a place is likely, where the next look comes before
---@field learn fun(self, who: scope3.LimiterSubject, what?: scope3.Announcement, now: number)  of a reply
---@field block fun(self, who: scope3.LimiterSubject, seconds: number, now: number)  holds everybody with the key back
---@field learn_size fun(self, who: scope3.LimiterSubject, bytes: integer, now: number)  the host takes no larger body
---@field size fun(self, who: scope3.LimiterSubject, now: number, loop?: scope3.Loop): number?  that no body exceeds

---@class scope3.Limiter
---@field private boolean  any clock that only goes forward will do
---@field limits scope3.SharedLimits
local Limiter = {}
Limiter.__index = Limiter
Limiter.__name = "scope3.limiter"

--- Makes a limiter over limits.
---@param limits scope3.SharedLimits
---@return scope3.Limiter
function limiter.over(limits)
  return setmetatable({ limits = limits, private = limits.any_clock }, Limiter)
end

--- Makes a limiter. All clients that are given it stay under one rate together:
---
---     local limiter = assert(scope3.limiter "/run/scope3.limits")
---     local client = assert(scope3.client { limiter = limiter })
---
---@param store? scope3.Store|string  what keeps its counts: a table or dictionary that has the calls, or the path of a
---  file through which the processes of a machine share them, made where there is none; a table of this Lua state
---  unless given
---@param level? integer  of who is blamed for a store that is none, as error() takes it
---@return scope3.Limiter?
---@return scope3.Error? err  kind "limiter": the file cannot be used
function limiter.new(store, level)
  if type(store) == "string" then
    if store == "" or store:find("%z") then
      error("scope3.limiter: the path of a file is neither empty nor holds a zero byte", level or 2)
    end
  elseif store ~= nil and not arguments.has(store, "get", "set", "incr", "delete") then
    error("scope3.limiter: " .. arguments.problem("a store",
      "the path of a file, or what has get, set, incr and delete, as a lua_shared_dict has", store), level or 2)
  end
  local limits, err = limiter_counts.new(store)
  if not limits then
    return nil, err
  end
  return limiter.over(limits)
end

---@private
---@param value any
---@return boolean
function limiter.is(value)
  return getmetatable(value) == Limiter
end

--- The limiter that all clients of this Lua state share.
limiter.shared = limiter.new()

---@private
--- Seconds until a request may go by the rate, of a limiter of one Lua state. It is not counted.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number
---@return number
function Limiter:room(who, rate, poll, now)
  return self.limits:room(who, rate, poll, now)
end

---@private
--- Counts a request that goes, whether or not it may, in a limiter of one Lua state.
---@param who scope3.LimiterSubject
---@param rate integer
---@param poll boolean?
---@param now number
function Limiter:count(who, rate, poll, now)
  self.limits:count(who, rate, poll, now)
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
    return self.limits:learn(who, nil, now)
  end
  local longer
  remaining = remaining - flying
  reset, longer = retry_after.bound(reset, time or retry_after.service_time(fields) or core.time())
  self.limits:learn(who, { limit = limit, remaining = remaining, reset = reset }, now)
  return remaining < LOW * limit and longer or nil
end

---@private
--- Holds every request back for some seconds, because a 429 asked for it.
---@param who scope3.LimiterSubject
---@param seconds number
---@param now number
function Limiter:block(who, seconds, now)
  self.limits:block(who, math.min(seconds, retry_after.LONGEST), now)
end

---@private
--- Remembers that a host takes no larger bodies.
---@param who scope3.LimiterSubject
---@param bytes integer
---@param now number
function Limiter:learn_size(who, bytes, now)
  self.limits:learn_size(who, bytes, now)
end

---@private
--- The size that no body is to exceed; nil where nothing is known.
---@param who scope3.LimiterSubject
---@param now number
---@param loop? scope3.Loop  by which it may wait
---@return number? bytes
function Limiter:size(who, now, loop)
  return self.limits:size(who, now, loop)
end

---@private
--- Lets a request to a host go and counts it, or says how long to wait before this is asked again.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param now number  seconds since 1970; with a private store seconds of any clock that only goes forward
---@param loop? scope3.Loop  by which it may wait
---@return number? seconds  0 when it may go
---@return scope3.Error? err  kind "limiter"
---@return string? news  what happened to the limits, as an event tells it
---@return number? likely  seconds until it may go, where it is asked again before
function Limiter:pass(who, rate, poll, now, loop)
  return self.limits:claim(who, rate, poll, now, loop)
end

return limiter
