-- A service that answers what a spec wants: a Lua function gives each reply.
-- Runs as a child process; nothing of it checks anything.
local core = require "scope3.core"
local scope3 = require "scope3"
local ports = require "spec.support.ports"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local answering = {}

local PROGRAM = [[
package.path, package.cpath = %q, %q
local cqueues, socket = require "cqueues", require "cqueues.socket"
local http, json = require "scope3.sandbox.http", require "scope3.sandbox.json"
local listener = socket.listen { host = "127.0.0.1", port = 0 }
listener:listen()
local _, _, port = listener:localname()
local queue, running = cqueues.new(), true
local script, log = %q, %q
local loaded, handler
local function answer(request)
  local file = io.open(script, "rb")
  local text = file:read "*a"
  file:close()
  if text ~= loaded then
    loaded = text
    handler = assert((loadstring or load)(text))(json)
  end
  return handler(request)
end
local function serve(connection)
  connection:onerror(function(_, _, code) return code end)
  connection:setmode("b", "bf")
  while true do
    local request = http.read_head(connection)
    if not request then break end
    request.body = http.read_body(connection, request, 64 * 1024 * 1024) or ""
    local file = io.open(log, "ab")
    file:write(request.method, " ", request.target, "\n")
    file:close()
    local ok, status, body, headers = pcall(answer, request)
    if not ok then
      status, body = 500, { error = { code = "SPEC", message = tostring(status) } }
      io.stderr:write(tostring(body.error.message), "\n")
    elseif not status then
      repeat until not connection:read "*l"
      break
    end
    if type(body) ~= "string" then
      body = json.encode(body)
    end
    http.reply(connection, { status = status, body = body, headers = headers or { { "Content-Type", "application/json" } } })
  end
  connection:close()
end
queue:wrap(function() while running do queue:wrap(serve, (listener:accept())) end end)
queue:wrap(function() local input = socket.fdopen(0) repeat until not input:read("*l") running = false end)
local file = io.open(%q .. ".new", "w")
file:write(port, "\n")
file:close()
os.rename(%q .. ".new", %q)
while running do queue:step() end
]]

local Server = {}
Server.__index = Server

--- Answers from now on as the function says that this text returns:
--- `local json = …; return function(request) return status, body[, headers] end`.
--- The request has method, path, query, headers and body;
--- a body that is a table is written as JSON. Where it returns nothing, the request is never answered. What the text
--- keeps in locals lasts until the next.
function Server:answer(text)
  local file = assert(io.open(self.script .. ".new", "wb"))
  file:write(text)
  file:close()
  assert(os.rename(self.script .. ".new", self.script))
  os.remove(self.log)
end

local PLAY = [[
local json = ...
local replies, counts = json.decode(%q), { sync = 0, task = 0, audiences = 0 }
local function kind_of(path)
  return path:find("/sync$") and "sync" or path:find("/tasks/") and "task" or path:find("/audiences$") and "audiences" or "other"
end
return function(request)
  local kind = kind_of(request.path)
  local list = replies[kind]
  if not list then return 404, "" end
  counts[kind] = counts[kind] + 1
  local reply = list[math.min(counts[kind], #list)]
  local status, body = 200, reply
  if kind == "sync" then status = 202 end
  if type(reply) == "table" then status, body = reply[1], reply[2] end
  body = body:gsub("$ID", request.path:match("/tasks/(.+)$") or ""):gsub("$N", tostring(counts[kind]))
  return status, body
end
]]

local DEFAULTS = {
  sync = { '{"success":true,"accountId":"25","operationId":"t$N","taskId":"t$N"}' },
  task = {
    '{"task":{"taskId":"$ID","status":"completed","createdAt":"2026-11-01T00:00:00Z",'
      .. '"updatedAt":"2026-11-01T00:00:09Z"}}',
  },
  audiences = {
    '{"audiences":[{"audienceId":"a","status":"READY","uploadedCount":2,"matchedCount":1,'
      .. '"updatedAt":"2026-11-01T00:00:10Z"}],"total":1}',
  },
}

--- Plays lists of replies from now on, one for each kind of call: a body, or { status, body }; the last is given again
--- and again. `$ID` in a body is the task that was asked for, `$N` the number of the call. What is not given goes well.
---@param replies {sync: table?, task: table?, audiences: table?}
function Server:play(replies)
  local all = {}
  for kind, list in pairs(DEFAULTS) do
    all[kind] = replies[kind] or list
  end
  self:answer(PLAY:format(world.json.encode(all)))
end

--- A client of it, whose time runs as fast as it may.
function Server:client(opts)
  local all = {
    api_key = "scope3_test_key", account_id = "25", base_url = self.url, rate = 100000, loop = virtual.loop(),
  }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return assert(scope3.client(all))
end

--- What was asked for since the last Server:answer(): lines such as "GET /api/v2/buyer/tasks/t1".
function Server:requests(pattern)
  local found = {}
  local file = io.open(self.log, "rb")
  for line in file and file:lines() or function() end do
    if not pattern or line:find(pattern) then
      found[#found + 1] = line
    end
  end
  if file then
    file:close()
  end
  return found
end

function Server:close()
  self.pipe:close()
end

local function begin()
  local self = setmetatable({}, Server)
  self.script, self.log = world.path(".lua"), world.path(".log")
  self:answer "return function() return 404, '' end"
  local port_file = world.path(".port")
  local program = world.file(PROGRAM:format(package.path, package.cpath, self.script, self.log, port_file,
    port_file, port_file))
  self.pipe = assert(io.popen(("%s %s"):format(os.getenv("SCOPE3_LUA_BIN"), program), "w"))
  local deadline = core.now() + 30
  local file
  repeat
    core.sleep(0.02)
    file = io.open(port_file)
  until file or core.now() > deadline
  assert(file, "the answering server did not start")
  self.url = ("http://127.0.0.1:%d"):format(file:read("*n"))
  file:close()
  return self
end

--- Starts one; whoever does must close it.
function answering.start()
  return ports.server(begin)
end

--- One for all specs of a describe: answering.around(setup, teardown). What world.file() made is removed at the end.
function answering.around(setup, teardown)
  local self = setmetatable({}, Server)
  setup(function()
    for key, value in pairs(answering.start()) do
      self[key] = value
    end
  end)
  teardown(function()
    self:close()
    world.clean()
  end)
  return self
end

return answering
