-- The sandbox's service without sockets: a request goes in as a table, and its decision comes out at once. Time stands
-- until it is moved.
local control = require "scope3.sandbox.control"
local exchange = require "scope3.sandbox.exchange"
local http = require "scope3.sandbox.http"
local instance = require "scope3.sandbox.instance"
local json = require "scope3.util.json"

local sandbox_service = {}

local Service = {}
Service.__index = Service

---@param settings? table  of the sandbox
function sandbox_service.new(settings)
  local self, drawn = setmetatable({ now = 1000000000 }, Service), 0
  self.sandbox = instance.new(settings or {}, function()
    return self.now
  end, function()
    drawn = drawn + 1
    return math.floor(drawn / 3) % 16
  end)
  return self
end

--- The decision on a request with these headers.
function Service:decide(method, target, body, headers)
  local path, query = http.read_target(target)
  local request = { method = method, target = target, path = path, query = query,
    headers = headers or { authorization = "Bearer scope3_x" }, length = body and #body }
  local own = control.route(request)
  if own then
    return { act = "reply", reply = own(self.sandbox, request, body or "") }
  end
  local call = exchange.begin(self.sandbox, request, 1)
  local before = exchange.before_body(call)
  if before then
    return before
  end
  exchange.note_body(call, body)
  return exchange.answer(call, #(body or "") > self.sandbox.config.max_body)
end

--- The status of the reply, its body as a value, and its headers by name. A table is sent as JSON.
function Service:ask(method, target, body, headers)
  local text = type(body) == "table" and json.encode(body) or body
  local reply = self:decide(method, target, text, headers).reply
  local named = {}
  for _, pair in ipairs(reply.headers) do
    named[pair[1]] = pair[2]
  end
  return reply.status, json.decode(reply.body), named
end

--- Sends a sync; the task's id.
function Service:sync(audiences, more)
  local body = { audiences = audiences }
  for key, value in pairs(more or {}) do
    body[key] = value
  end
  local status, got = self:ask("POST", "/api/v2/buyer/advertisers/25/audiences/sync", body)
  assert(status == 202, json.encode(got))
  return got.taskId
end

--- A task as the service shows it, after so many seconds.
function Service:task(id, seconds)
  self.now = self.now + (seconds or 0)
  local _, got = self:ask("GET", "/api/v2/buyer/tasks/" .. id)
  return got.task
end

--- An audience of account 25 as the service shows it, after so many seconds; nil where there is none.
function Service:audience(id, seconds)
  self.now = self.now + (seconds or 0)
  local _, got = self:ask("GET", "/api/v2/buyer/advertisers/25/audiences?take=250")
  for _, audience in ipairs(got.audiences) do
    if audience.audienceId == id then
      return audience
    end
  end
end

return sandbox_service
