--- Keys in the order of their ends: a binary heap that knows the place of each key. Every call takes a time that grows
--- with the logarithm of the keys.
---@class scope3.ExpiryQueue
---@field ends table<string, number>  when each key ends
---@field private keys string[]  no key ends before the one at half its place
---@field private places table<string, integer>
local Queue = {}
Queue.__index = Queue

local expiry_queue = {}

---@return scope3.ExpiryQueue
function expiry_queue.new()
  return setmetatable({ ends = {}, keys = {}, places = {} }, Queue)
end

local function put(self, place, key)
  self.keys[place], self.places[key] = key, place
end

-- Moves a key towards the front, as long as it ends before the one at half its place.
local function rise(self, place, key)
  local keys, ends = self.keys, self.ends
  while place > 1 do
    local half = math.floor(place / 2)
    if ends[keys[half]] <= ends[key] then
      break
    end
    put(self, place, keys[half])
    place = half
  end
  put(self, place, key)
end

-- Moves a key towards the back, as long as one at twice its place ends before it.
local function sink(self, place, key)
  local keys, ends = self.keys, self.ends
  while 2 * place <= #keys do
    local next_place = 2 * place
    if next_place < #keys and ends[keys[next_place + 1]] < ends[keys[next_place]] then
      next_place = next_place + 1
    end
    if ends[key] <= ends[keys[next_place]] then
      break
    end
    put(self, place, keys[next_place])
    place = next_place
  end
  put(self, place, key)
end

--- Adds a key that is not in it.
---@param key string
---@param ends number
function Queue:add(key, ends)
  self.ends[key] = ends
  rise(self, #self.keys + 1, key)
end

--- The key that ends first; nil where there is none.
---@return string?
function Queue:first()
  return self.keys[1]
end

--- Takes a key out.
---@param key string
---@return boolean  it was there
function Queue:remove(key)
  local place = self.places[key]
  if not place then
    return false
  end
  local last = table.remove(self.keys)
  self.places[key] = nil
  if last ~= key then
    sink(self, place, last)
    rise(self, self.places[last], last)
  end
  self.ends[key] = nil
  return true
end

return expiry_queue
