--- One connection of the sandbox: reads requests, has each answered, and keeps the log of them.
local core = require "scope3.core"
local cqueues = require "cqueues"
local control = require "scope3.sandbox.control"
local fault_actions = require "scope3.sandbox.fault_actions"
local faults = require "scope3.sandbox.faults"
local http = require "scope3.sandbox.http"
local rate_limit = require "scope3.sandbox.rate_limit"
local request_log = require "scope3.sandbox.request_log"
local service = require "scope3.sandbox.service"

local connection = {}

local CLOSE = fault_actions.CLOSE
local CONTROL_BODY = 64 * 1024 * 1024 -- bytes of a request to /sandbox

-- Answers a request to the sandbox's own routes. Whether the connection stays open.
local function serve_control(server, peer, request, route)
  local body = http.read_body(peer.socket, request, CONTROL_BODY)
  return body ~= nil and http.reply(peer.socket, route(server, request, body)) and true or false
end

---@return scope3.sandbox.Call
local function begin_call(server, peer, request)
  local kind, id = service.route(request)
  local entry = request_log.entry {
    n = #server.log + 1, at = server.clock(), request = request, connection = peer.number,
    kind = kind, account = kind ~= "task" and id or nil,
  }
  server.log[entry.n] = entry
  return { server = server, connection = peer, request = request, kind = kind, id = id, entry = entry }
end

-- Reads the body and notes it in the log: the body, or nil and why there is none.
local function read_body(call)
  local config, entry = call.server.config, call.entry
  local body, problem = http.read_body(call.connection.socket, call.request, config.max_body)
  entry.bytes, entry.body_complete = #(body or ""), body ~= nil
  if config.log_bodies then
    entry.body = body
  end
  return body, problem
end

-- The service's own reply, and the body of a sync that it accepted. `over`: seconds until the rate has room, or nil.
local function service_reply(call, problem, over)
  local server, request = call.server, call.request
  local refused
  if problem == "too large" then
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

-- The whole reply to a request whose body was read, or CLOSE.
local function reply_to(call, problem)
  local server = call.server
  server.state:settle()
  local limits, over, reset = server.rate_limit:count(server.config, server.clock())
  local reply, decoded = fault_actions.instead(call), nil
  if reply == CLOSE then
    return CLOSE
  elseif not reply then
    reply, decoded = service_reply(call, problem, over and reset or nil)
  end
  if decoded then
    call.entry.audiences, call.entry.delete_missing = request_log.audiences(decoded), decoded.deleteMissing
  end
  for _, header in ipairs(limits) do
    table.insert(reply.headers, header)
  end
  table.insert(reply.headers, { "Date", http.date(math.floor(server.clock() + server.config.date_skew)) })
  call.entry.status = reply.status
  return reply
end

-- Sends a reply. Whether the connection stays open.
local function send_reply(call, reply, problem)
  if fault_actions.sending(call, reply) == CLOSE then
    return false
  end
  local act = call.rule and call.rule.act
  call.connection.doomed = act == "die_on_reuse"
  local sent = http.reply(call.connection.socket, reply)
  call.connection.request = nil
  return sent and act ~= "close" and problem == nil and core.lower(call.request.headers.connection or "") ~= "close"
end

-- Serves a request of the service's API. Whether the connection stays open.
local function serve_call(server, peer, request)
  local call = begin_call(server, peer, request)
  local entry = call.entry
  if peer.doomed then
    local body = http.read_body(peer.socket, request, server.config.max_body)
    entry.bytes, entry.body_complete, entry.fault = #(body or ""), body ~= nil, "die_on_reuse"
    return false
  end
  request.number = entry.n
  call.rule = faults.take(server.config.faults, call.kind or "other", server.random)
  entry.fault = call.rule and call.rule.act or entry.fault
  if fault_actions.before(call) == CLOSE then
    return false
  end
  local problem
  call.body, problem = read_body(call)
  if problem == "cut" then
    return false
  end
  local reply = reply_to(call, problem)
  return reply ~= CLOSE and send_reply(call, reply, problem)
end

-- Reads and answers one request. Whether the connection stays open.
local function serve_request(server, peer)
  local request = http.read_head(peer.socket)
  if not request then
    return false
  end
  peer.request = request
  server.state:settle()
  local route = control.route(request)
  if route then
    return serve_control(server, peer, request, route)
  end
  return serve_call(server, peer, request)
end

--- Serves a connection until it is closed.
---@param server table
---@param peer {socket: userdata, number: integer, request: table?, doomed: boolean?}  `request`: the one that is served
---@param tls userdata?  the context of TLS
function connection.serve(server, peer, tls)
  local socket = peer.socket
  -- An error of a socket ends its connection only.
  socket:onerror(function(_, _, code)
    return code
  end)
  socket:setmode("b", "bf")
  socket:setbufsiz(65536, 65536)
  socket:setmaxline(16384)
  if tls and not socket:starttls(tls) then
    socket:close()
    return
  end
  while serve_request(server, peer) do
    peer.request = nil
    cqueues.sleep(0) -- lets other connections run
  end
  socket:shutdown("w")
  socket:close()
end

--- Answers 500 to the request whose handler has failed, and closes its connection.
---@param server table
---@param peer table
function connection.fail(server, peer)
  local request = peer.request
  if request and not request.body_read then -- or closing the connection would lose the answer
    http.read_body(peer.socket, request, server.config.max_body)
  end
  if request then
    http.reply(peer.socket, service.refuse(500, "The sandbox itself has failed: its standard error says where"))
  end
  peer.socket:shutdown("w")
  peer.socket:close()
end

return connection
