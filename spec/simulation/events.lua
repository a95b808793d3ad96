-- What will happen, by its time: a heap. Of two at the same time the seed decides.
local events = {}

local Events = {}
Events.__index = Events

function events.new(dice)
  return setmetatable({ dice = dice, count = 0 }, Events)
end

local function is_before(a, b)
  return a.at < b.at or a.at == b.at and a.tie < b.tie
end

local function rise(heap, i)
  while i > 1 do
    local up = math.floor(i / 2)
    if not is_before(heap[i], heap[up]) then
      return
    end
    heap[i], heap[up] = heap[up], heap[i]
    i = up
  end
end

local function sink(heap, i)
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if child <= heap.count and is_before(heap[child], heap[least]) then
        least = child
      end
    end
    if least == i then
      return
    end
    heap[i], heap[least] = heap[least], heap[i]
    i = least
  end
end

--- Calls a function at a time.
function Events:at(time, act)
  self.count = self.count + 1
  self[self.count] = { at = time, tie = self.dice:unit(), act = act }
  rise(self, self.count)
end

--- When the next one is; never where there is none.
function Events:next_at()
  return self.count > 0 and self[1].at or math.huge
end

--- Takes the next one out.
function Events:take()
  local first = self[1]
  self[1], self[self.count] = self[self.count], nil
  self.count = self.count - 1
  if self.count > 0 then
    sink(self, 1)
  end
  return first
end

return events
