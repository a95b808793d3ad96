-- Notes what the checks have to know of each request of a job: its body, its members, its error, and whether it is
-- open. It changes nothing: it looks over the shoulder of some methods of the job's state.
local current = require "spec.simulation.current"
local errors = require "scope3.error"
local result = require "scope3.result"
local state = require "scope3.job.state"

local blank = state.new(result.new({}, {}), {}, { failure = errors.new("cancelled", "none") })
local State = getmetatable(blank)

-- What the program that runs now has begun, and what came of which its journal may not say yet.
local function open_requests()
  local program = current.world:process()
  program.open = program.open or {}
  return program.open
end

-- The JSON of the members that a request adds, as they are at this moment.
local function added(req)
  local texts = {}
  for _, part in ipairs(req.parts) do
    texts[#texts + 1] = part.payload and part.payload:text("add", part.first, part.last) or nil
  end
  return table.concat(texts)
end

local add_entry, launched, answered = State.add_entry, State.launched, State.answered

function State:add_entry(req, status)
  local entry = add_entry(self, req, status)
  current.world.launches[entry] = { added = added(req) }
  return entry
end

function State:launched(req, call, started)
  current.world.launches[req.entry].body = call.request.body
  current.world.rates:begun(call.request.body)
  open_requests()[req.entry] = true
  return launched(self, req, call, started)
end

function State:answered(req, now)
  current.world.launches[req.entry].err = req.call.err
  return answered(self, req, now)
end

for _, name in ipairs { "accept", "reject", "split", "exclude" } do
  local method = State[name]
  State[name] = function(self, req, ...)
    open_requests()[req.entry] = nil
    return method(self, req, ...)
  end
end

return true
