--- The requests of a job that wait. Those that take the place of a divided one go in front of all others.

---@class scope3.RequestQueue
---@field private first integer  place of the next one
---@field private last integer  place of the last one; before the first where none waits
---@field private places table<integer, scope3.JobRequest>
local Queue = {}
Queue.__index = Queue

local request_queue = {}

---@return scope3.RequestQueue
function request_queue.new()
  return setmetatable({ first = 1, last = 0, places = {} }, Queue)
end

---@return integer
function Queue:count()
  return self.last - self.first + 1
end

--- The one whose turn is next.
---@return scope3.JobRequest?
function Queue:peek()
  return self.places[self.first]
end

---@param req scope3.JobRequest
function Queue:add(req)
  self.last = self.last + 1
  self.places[self.last] = req
end

--- Puts one before all that wait.
---@param req scope3.JobRequest
function Queue:put_first(req)
  self.first = self.first - 1
  self.places[self.first] = req
end

--- Takes the next one out.
---@return scope3.JobRequest?
function Queue:take()
  local req = self:peek()
  if req then
    self.places[self.first] = nil
    self.first = self.first + 1
  end
  return req
end

return request_queue
