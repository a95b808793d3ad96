--- Keys that expire, in this Lua state.
---
--- It has the calls of nginx's lua_shared_dict that the caches of callbacks use.
local core = require "scope3.core"
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"

---@class scope3.ExpiringStore  what a lua_shared_dict answers to
---@field get fun(self, key: string): any
--- false and "exists", or false and "no memory":
---@field safe_add fun(self, key: string, value: any, seconds: number): boolean?, string?
---@field incr fun(self, key: string, by: number, init: number, seconds: number): number?
---@field delete fun(self, key: string)
local Store = {}
Store.__index = Store

local expiring_store = {}

local SLOT = 60 -- seconds; keys are forgotten in groups

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
    max = max, now = now or core.now, values = {}, ends = {}, slots = {}, count = 0, swept = -math.huge,
  }, Store)
end

local function slot_of(ends)
  return math.floor(ends / SLOT)
end

local function forget(self, key)
  local ends = self.ends[key]
  if ends then
    local number = slot_of(ends)
    local slot = self.slots[number]
    slot.keys[key], slot.count = nil, slot.count - 1
    if slot.count == 0 then
      self.slots[number] = nil
    end
    self.values[key], self.ends[key] = nil, nil
    self.count = self.count - 1
  end
end

-- Removes expired keys: once per slot of time, and once a second where there is no room.
local function sweep(self, now)
  local current = math.floor(now / SLOT)
  if now - self.swept < 1 or (math.floor(self.swept / SLOT) == current and self.count < self.max) then
    return
  end
  self.swept = now
  for number, slot in entries(self.slots) do
    if number <= current then
      for key in entries(slot.keys) do
        if self.ends[key] <= now then
          forget(self, key)
        end
      end
    end
  end
end

local function put(self, key, value, seconds)
  local now = self.now()
  sweep(self, now)
  if self.ends[key] and self.ends[key] <= now then
    forget(self, key)
  end
  if self.ends[key] then
    return false, "exists"
  elseif self.count >= self.max then
    return false, "no memory"
  end
  local number = slot_of(now + seconds)
  local slot = self.slots[number] or { keys = {}, count = 0 }
  self.slots[number] = slot
  slot.keys[key], slot.count = true, slot.count + 1
  self.values[key], self.ends[key] = value, now + seconds
  self.count = self.count + 1
  return true
end

function Store:safe_add(key, value, seconds)
  return put(self, key, value, seconds)
end

function Store:get(key)
  if self.ends[key] and self.ends[key] > self.now() then
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
