--- One exchange with the service: a request goes in as a table, and a decision comes out. Whoever carries the bytes
--- does what it says: connection.lua on a socket, a simulation in virtual time.
local core = require "scope3.core"
local fault_actions = require "scope3.sandbox.fault_actions"
local faults = require "scope3.sandbox.faults"
local http = require "scope3.sandbox.http"
local rate_limit = require "scope3.sandbox.rate_limit"
local request_log = require "scope3.sandbox.request_log"
local service = require "scope3.sandbox.service"

local exchange = {}

---@class scope3.sandbox.Call  a request on its way through the sandbox
---@field server scope3.sandbox.Instance
---@field request table  as http.read_head gives it
---@field entry table  of the log
---@field kind string?  as service.route gives it
---@field id string?
---@field rule table?  the fault that applies
---@field body string?

--- Begins an exchange: the head of a request is there.
---@param server scope3.sandbox.Instance
---@param request table  method, path, target, query, headers (lowercase), length
---@param connection integer  its number
---@return scope3.sandbox.Call
function exchange.begin(server, request, connection)
  local kind, id = service.route(request)
  local entry = request_log.entry {
    n = #server.log + 1, at = server.clock(), request = request, connection = connection,
    kind = kind, account = kind ~= "task" and id or nil,
  }
  server.log[entry.n], request.number = entry, entry.n
  return { server = server, request = request, kind = kind, id = id, entry = entry }
end

--- Chooses the fault that applies, and says what it does before the body is read.
---@param call scope3.sandbox.Call
---@return scope3.sandbox.Decision?
function exchange.before_body(call)
  local server, entry = call.server, call.entry
  call.rule = faults.take(server.config.faults, call.kind or "other", server.random)
  entry.fault = call.rule and call.rule.act or entry.fault
  return fault_actions.before(call)
end

--- Notes what came of the body.
---@param call scope3.sandbox.Call
---@param body string?
function exchange.note_body(call, body)
  local entry = call.entry
  call.body = body
  entry.bytes, entry.body_complete = #(body or ""), body ~= nil
  if call.server.config.log_bodies then
    entry.body = body
  end
end

-- The service's own reply, and the body of a sync that it accepted. `over`: seconds until the rate has room, or nil.
local function service_reply(call, too_large, over)
  local server, request = call.server, call.request
  local refused
  if too_large then
    refused = service.refuse(413, "The body is too large")
  else
    refused = service.turn_away(server.config, request, call.kind, call.id)
  end
  if refused then
    return refused
  elseif over then
    refused = service.refuse(429, "Too many requests")
    table.insert(refused.headers, rate_limit.retry_after(server.config, server.clock(), over))
    return refused
  end
  return service.handle(server, call.kind, call.id, request, call.body)
end

-- Whether the client asked for the connection to be closed.
local function closes(call)
  return core.lower(call.request.headers.connection or "") == "close"
end

-- Completes a reply: the limits, the date, and the log's note of it.
local function complete(call, reply, limits)
  local server = call.server
  for _, header in ipairs(limits) do
    table.insert(reply.headers, header)
  end
  table.insert(reply.headers, { "Date", http.date(math.floor(server.clock() + server.config.date_skew)) })
  call.entry.status = reply.status
end

-- Whether the sandbox was reset while the request was under way. What it asks for belongs to what was forgotten.
local function is_forgotten(call)
  return call.server.log[call.entry.n] ~= call.entry
end

--- Answers a request whose body was read.
---@param call scope3.sandbox.Call
---@param too_large? boolean  the body was not read, because it is over the limit
---@return scope3.sandbox.Decision
function exchange.answer(call, too_large)
  local server = call.server
  if is_forgotten(call) then
    return { act = "cut" }
  end
  server.state:settle()
  local limits, over, reset = server.rate_limit:count(server.config, server.clock())
  local instead = fault_actions.instead(call)
  if instead and instead.act ~= "reply" then
    return instead
  end
  local reply, decoded = instead and instead.reply, nil
  if not reply then
    reply, decoded = service_reply(call, too_large, over and reset or nil)
  end
  if decoded then
    call.entry.audiences, call.entry.delete_missing = request_log.audiences(decoded), decoded.deleteMissing
  end
  complete(call, reply, limits)
  return fault_actions.sending(call, reply)
    or { act = "reply", reply = reply, close = too_large or closes(call) or fault_actions.closes(call),
      doomed = fault_actions.dooms(call) }
end

return exchange
