--- Keys that expire, in this Lua state.
---
--- It has the calls of nginx's lua_shared_dict that the caches of callbacks use.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local expiry_queue = require "scope3.webhook.expiry_queue"

---@class scope3.ExpiringStore  what a lua_shared_dict answers to
---@field get fun(self, key: string): any
--- false and "exists", or false and "no memory":
---@field safe_add fun(self, key: string, value: any, seconds: number): boolean?, string?
---@field incr fun(self, key: string, by: number, init: number, seconds: number): number?
---@field delete fun(self, key: string)
local Store = {}
Store.__index = Store

local expiring_store = {}

local STEP = 8 -- expired keys that are forgotten for each that comes: a store never stops to clean up

--- Whether something has those calls.
---@private
---@param value any
---@return boolean
function expiring_store.is(value)
  return arguments.has(value, "get", "safe_add", "incr", "delete")
end

expiring_store.EXPECTED = "what has get, safe_add, incr and delete, as a lua_shared_dict has"

---@param max integer  keys at once
---@param now? fun(): number  seconds of any clock that only goes forward
---@return scope3.ExpiringStore
function expiring_store.new(max, now)
  return setmetatable({
    max = max, now = now or core.now, values = {}, queue = expiry_queue.new(), count = 0,
  }, Store)
end

local function forget(self, key)
  if self.queue:remove(key) then
    self.values[key] = nil
    self.count = self.count - 1
  end
end

local function has_ended(self, key, now)
  return key ~= nil and self.queue.ends[key] <= now
end

-- Forgets a few of the keys that have ended.
local function sweep(self, now)
  local queue = self.queue
  for _ = 1, STEP do
    local key = queue:first()
    if not has_ended(self, key, now) then
      break
    end
    forget(self, key)
  end
end

local function put(self, key, value, seconds)
  local now, queue = self.now(), self.queue
  sweep(self, now)
  if queue.ends[key] and has_ended(self, key, now) then
    forget(self, key)
  end
  if queue.ends[key] then
    return false, "exists"
  elseif self.count >= self.max then
    return false, "no memory"
  end
  queue:add(key, now + seconds)
  self.values[key] = value
  self.count = self.count + 1
  return true
end

function Store:safe_add(key, value, seconds)
  return put(self, key, value, seconds)
end

function Store:get(key)
  local ends = self.queue.ends[key]
  if ends and ends > self.now() then
    return self.values[key]
  end
end

function Store:incr(key, by, init, seconds)
  if self:get(key) == nil then
    local ok, why = put(self, key, init, seconds)
    if not ok then
      return nil, why
    end
  end
  self.values[key] = self.values[key] + by
  return self.values[key]
end

function Store:delete(key)
  forget(self, key)
end

return expiring_store
