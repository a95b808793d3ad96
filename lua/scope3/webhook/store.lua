--- Keys that are forgotten after a while, in this Lua state: the calls of nginx's lua_shared_dict that the caches of callbacks use.
local core = require "scope3.core"

---@class scope3.ExpiringStore  what a lua_shared_dict answers to
---@field get fun(self, key: string): any
---@field safe_add fun(self, key: string, value: any, seconds: number): boolean?, string?  false and "exists", or false and "no memory"
---@field incr fun(self, key: string, by: number, init: number, seconds: number): number?
---@field delete fun(self, key: string)
local Store = {}
Store.__index = Store

local store = {}

local SLOT = 60 -- seconds; keys are forgotten in groups

---@param max integer  keys at once
---@param now? fun(): number  seconds of any clock that only goes forward
---@return scope3.ExpiringStore
function store.new(max, now)
  return setmetatable({ max = max, now = now or core.now, values = {}, ends = {}, slots = {}, count = 0, swept = -math.huge }, Store)
end

local function forget(self, key)
  if self.ends[key] then
    self.values[key], self.ends[key] = nil, nil
    self.count = self.count - 1
  end
end

-- Forgets what has ended: once a slot of time, and where there is no room once a second.
local function sweep(self, now)
  local current = math.floor(now / SLOT)
  if now - self.swept < 1 or (math.floor(self.swept / SLOT) == current and self.count < self.max) then
    return
  end
  self.swept = now
  for slot, keys in pairs(self.slots) do
    if slot <= current then
      local living = {}
      for _, key in ipairs(keys) do
        local ends = self.ends[key]
        if ends and ends <= now then
          forget(self, key)
        elseif ends and math.floor(ends / SLOT) == slot then -- else it was added again, and stands in another slot
          living[#living + 1] = key
        end
      end
      self.slots[slot] = living[1] and living or nil
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
  local slot = math.floor((now + seconds) / SLOT)
  self.values[key], self.ends[key] = value, now + seconds
  self.count = self.count + 1
  self.slots[slot] = self.slots[slot] or {}
  table.insert(self.slots[slot], key)
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

return store
