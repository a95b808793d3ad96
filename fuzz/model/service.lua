-- A service in the place of libcurl: the methods of curl.engine, answers at once, and a clock that nobody waits for.
-- It knows the rows whose members it took.
local core = require "scope3.core"
local curl = require "scope3.engine"
local json = require "scope3.util.json"

local service = {}

local Service = {}
Service.__index = Service

--- Makes one, which every client in this Lua state then talks to. `plan` says what becomes of each sync request, in
--- order: a status, "refuse" (its first member), or how its task ends. After the last, tasks complete.
function service.new()
  local self = setmetatable({ clock = core.now(), results = {}, next_id = 0 }, Service)
  self:begin {}
  curl.engine = function()
    return self
  end
  self.loop = {
    name = "model",
    now = function()
      return self.clock
    end,
    sleep = function(seconds)
      self.clock = self.clock + seconds
    end,
    wait = function(_, seconds)
      self.clock = self.clock + (#self.results == 0 and math.min(seconds, 60) or 0)
    end,
  }
  return self
end

--- Starts afresh: nothing was taken. `earlier` are tasks that it knows from before, by their ids.
function Service:begin(plan, earlier)
  self.plan, self.syncs, self.tasks, self.taken = plan, 0, {}, {}
  for id, ending in pairs(earlier or {}) do
    self.tasks[id] = ending
  end
end

-- --- the engine --------------------------------------------------------------------------------------------------

function Service:submit(request)
  self.next_id = self.next_id + 1
  local status, body = self:answer(request)
  self.results[#self.results + 1] = {
    id = self.next_id, status = status, headers = {}, body = json.encode(body), begun = true, body_sent = true,
    uploaded = 0, seconds = 0.01, connections = 1, secure = false, http_version = "1.1",
  }
  return self.next_id
end

function Service:step()
  return #self.results > 0, #self.results > 0
end

function Service:result()
  return table.remove(self.results, 1)
end

function Service:count()
  return #self.results
end

function Service:wait() -- luacheck: ignore self
end

function Service:pollfd() -- luacheck: ignore self
end

function Service:cancel(id)
  for i, result in ipairs(self.results) do
    if result.id == id then
      return table.remove(self.results, i)
    end
  end
end

-- --- the service -------------------------------------------------------------------------------------------------

-- The rows of the members in a body.
local function rows_of(body)
  local rows = {}
  for _, piece in ipairs(body) do
    if type(piece) == "table" then
      for i = piece[3], piece[4] do
        rows[#rows + 1] = piece[1]:row(i)
      end
    end
  end
  return rows
end

local function refusal(status, message, path)
  return status, { error = { code = "VALIDATION_ERROR", message = message,
    details = { issues = json.array { { path = path, message = message } } } } }
end

function Service:sync(request)
  self.syncs = self.syncs + 1
  local planned = self.plan[self.syncs]
  if planned == "refuse" then
    return refusal(400, "not a member", "audiences[0].add[0].externalId")
  elseif type(planned) == "number" then
    return planned, { error = { code = "ODD", message = "as planned" } }
  end
  local id = "task-" .. self.next_id
  self.tasks[id] = planned or "completed"
  if self.tasks[id] == "completed" then
    for _, row in ipairs(rows_of(request.body)) do
      self.taken[row] = true
    end
  end
  return 202, { success = true, taskId = id }
end

function Service:answer(request)
  local id = request.url:match "/tasks/([^/?]+)$"
  if request.method == "POST" then
    return self:sync(request)
  elseif id then
    local failed = self.tasks[id] == "failed"
    return 200, { task = { taskId = id, status = failed and "failed" or "completed",
      error = failed and { code = "NO", message = "as planned", recovery = "terminal" } or nil } }
  end
  return 200, { audiences = json.array { { audienceId = "a", status = "READY", deleted = false } }, total = 1 }
end

return service
