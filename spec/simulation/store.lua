-- A store that the limiters of several processes share, as a lua_shared_dict is.
local store = {}

local Store = {}
Store.__index = Store

function store.new()
  return setmetatable({ values = {} }, Store)
end

function Store:get(key)
  return self.values[key]
end

function Store:set(key, value)
  self.values[key] = value
  return true
end

function Store:incr(key, by, init)
  local value = (self.values[key] or init) + by
  self.values[key] = value
  return value
end

function Store:delete(key)
  self.values[key] = nil
end

return store
