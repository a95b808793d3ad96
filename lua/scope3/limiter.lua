--- Keeps requests under the limits of the service, before it has to answer 429 (docs/contract.md section 4).
---
--- Two buckets hold a request back. One is of the host: never more than `rate` requests in any minute, polls of tasks a third of them at most. The
--- other is of the host and key: what replies announce in their RateLimit fields, the last fifth of it spread over the time that is left. A 429
--- stops both until its `Retry-After`. All of it lies in a store with the calls of nginx's `lua_shared_dict`; sharing that shares the limits.
local limiter = {}

---@class scope3.Limiter
local Limiter = {}
Limiter.__index = Limiter

local WINDOW = 61 -- a minute by the service's clock, and a second for requests that take longer on their way than others
local LATER = 0.1 -- seconds behind a Retry-After: who comes back at that very moment may be told once more
local RING = 4096 -- requests that are remembered; who may send more a minute is not held back
local LOW = 0.2 -- the share of an announced limit from which on it is spread
local PROBE = 10 -- seconds between requests that find out what a limit is now, while no reply tells

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

--- Makes a limiter.
---@param store? scope3.Store  a table of this Lua state unless given
---@return scope3.Limiter
function limiter.new(store)
  return setmetatable({ store = store or setmetatable({}, Table) }, Limiter)
end

--- The one that all clients of this Lua state share.
limiter.shared = limiter.new()

-- The time at which the next request of a bucket may go: a minute behind the one that was `rate` requests earlier. Takes its place.
local function place(store, bucket, rate, now)
  if rate >= RING then
    return now
  end
  local n = store:incr(bucket .. ":n", 1, 0)
  local before = store:get(bucket .. ":" .. (n - rate) % RING)
  local due = n > rate and before and math.max(now, before + WINDOW) or now
  store:set(bucket .. ":" .. n % RING, due)
  return due
end

--- Takes a place among the requests to a host.
---@param who {host: string, key: string}
---@param rate integer  requests a minute
---@param poll boolean?  a poll of a task
---@param now number
---@return number due  when the request may go; ask hold() then
function Limiter:claim(who, rate, poll, now)
  local due = now
  if poll then
    due = place(self.store, who.host .. ":poll", math.max(1, math.floor(rate / 3)), now)
  end
  return math.max(due, place(self.store, who.host, rate, due))
end

--- Seconds for which what the service said holds a request back; 0 when it may go, and then it counts.
---@param who {host: string, key: string}
---@param now number
---@return number
function Limiter:hold(who, now)
  local store, key = self.store, who.host .. ":" .. who.key
  local blocked = store:get(key .. ":blocked")
  if blocked and now < blocked then
    return blocked - now
  end
  local reset = store:get(key .. ":reset")
  if not reset then
    return 0
  end
  if now >= reset then
    -- How much is free now, the reply will tell.
    reset = now + PROBE
    store:set(key .. ":remaining", 1)
    store:set(key .. ":reset", reset)
    store:delete(key .. ":next")
  end
  local remaining = store:get(key .. ":remaining") or 1
  if remaining <= 0 then
    return reset - now
  end
  if remaining < LOW * (store:get(key .. ":limit") or 0) then
    local next_at = store:get(key .. ":next")
    if next_at and now < next_at then
      return next_at - now
    end
    store:set(key .. ":next", now + (reset - now) / (remaining + 1))
  end
  store:incr(key .. ":remaining", -1, 1)
  return 0
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
      return tonumber(((", " .. one):match("[,; \t]" .. name .. "[ \t]*=[ \t]*(%d+)")))
    end
    limit, remaining, reset = part "limit", part "remaining", part "reset"
  end
  if remaining and reset then
    return limit or remaining, remaining, reset
  end
end

--- Takes in what a reply announces.
---@param who {host: string, key: string}
---@param headers table<string, string|string[]>  names in lowercase
---@param flying integer  requests under way that the service may not have counted
---@param now number
function Limiter:learn(who, headers, flying, now)
  local store, key = self.store, who.host .. ":" .. who.key
  local limit, remaining, reset = announced(headers)
  if not limit then
    for _, name in ipairs { ":limit", ":remaining", ":reset", ":next" } do
      store:delete(key .. name)
    end
    return
  end
  store:set(key .. ":limit", limit)
  store:set(key .. ":remaining", remaining - flying)
  store:set(key .. ":reset", now + reset)
end

--- Holds every request back for so many seconds: a 429 asked for it.
---@param who {host: string, key: string}
---@param seconds number
---@param now number
function Limiter:block(who, seconds, now)
  local key = who.host .. ":" .. who.key .. ":blocked"
  self.store:set(key, math.max(self.store:get(key) or 0, now + seconds + LATER))
end

return limiter
