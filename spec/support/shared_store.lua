-- A store that limiters share, and others may use at the same moment, such as a dictionary of nginx: a function that
-- makes one. `values` has what is in it.

---@class spec.SharedStore: scope3.Store
---@field values table<string, number>
local SharedStore = {}
SharedStore.__index = SharedStore

function SharedStore:get(key)
  return self.values[key]
end

function SharedStore:set(key, value)
  self.values[key] = value
  return true
end

function SharedStore:incr(key, by, init)
  self.values[key] = (self.values[key] or init) + by
  return self.values[key]
end

function SharedStore:delete(key)
  self.values[key] = nil
end

--- How many values are in it.
---@return integer
function SharedStore:size()
  local n = 0
  for _ in pairs(self.values) do
    n = n + 1
  end
  return n
end

---@return spec.SharedStore
return function()
  return setmetatable({ values = {} }, SharedStore)
end
