--- One connection of the sandbox: reads requests, has each answered, and does what was decided.
local cqueues = require "cqueues"
local control = require "scope3.sandbox.control"
local exchange = require "scope3.sandbox.exchange"
local http = require "scope3.sandbox.http"
local service = require "scope3.sandbox.service"

local connection = {}

local CONTROL_BODY = 64 * 1024 * 1024 -- bytes of a request to /sandbox
local CHUNK = 65536 -- bytes of a long reply that are written at once

-- Answers a request to the sandbox's own routes. Whether the connection stays open.
local function serve_control(server, peer, request, route)
  local body = http.read_body(peer.socket, request, CONTROL_BODY)
  return body ~= nil and http.reply(peer.socket, route(server, request, body))
end

-- --- decisions, carried out. Only a reply gives that the connection stays open ---

---@type table<string, fun(peer: table, decision: scope3.sandbox.Decision): boolean?>
local carry_out = {}

function carry_out.cut()
end

function carry_out.hang(peer)
  while peer.socket:read(1) do -- until the peer gives up
    cqueues.sleep(0)
  end
end

function carry_out.raw(peer, decision)
  peer.socket:write(decision.bytes)
  peer.socket:flush()
end

local function write_part(socket, part, chunked)
  if chunked then
    return socket:write(("%x\r\n"):format(#part), part, "\r\n")
  end
  return socket:write(part)
end

function carry_out.stream(peer, decision)
  local socket, left = peer.socket, decision.bytes
  local length = decision.chunked and { "Transfer-Encoding", "chunked" } or { "Content-Length", ("%d"):format(left) }
  socket:write(http.head(200, { { "Content-Type", "application/json" }, length }))
  local chunk = ("x"):rep(CHUNK)
  while left > 0 do
    local part = left < CHUNK and chunk:sub(1, left) or chunk
    if not write_part(socket, part, decision.chunked) then
      return
    end
    left = left - #part
  end
  if decision.chunked then
    socket:write("0\r\n\r\n")
  end
  socket:flush()
end

function carry_out.half(peer, decision)
  local made = decision.reply
  peer.socket:write(http.head(made.status, { { "Content-Type", "application/json" },
    { "Content-Length", #made.body } }))
  peer.socket:write(made.body:sub(1, math.floor(#made.body / 2)))
  peer.socket:flush()
end

function carry_out.reply(peer, decision)
  peer.doomed = decision.doomed
  local sent = http.reply(peer.socket, decision.reply)
  peer.request = nil
  return sent and not decision.close
end

-- --- requests ---

-- Does what was decided before the body. Whether it is to be read.
local function goes_on(server, peer, call, decision)
  if not decision then
    return true
  elseif decision.act == "delay" then
    cqueues.sleep(decision.seconds)
    return not decision.cut
  elseif decision.take then
    call.entry.bytes = #(http.read_body(peer.socket, call.request, server.config.max_body, decision.take) or "")
  end
  return false
end

-- Takes a request on a connection that a fault has doomed.
local function cut_doomed(server, peer, call)
  exchange.note_body(call, (http.read_body(peer.socket, call.request, server.config.max_body)))
  call.entry.fault = "die_on_reuse"
  return false
end

-- Serves a request of the service's API. Whether the connection stays open.
local function serve_call(server, peer, request)
  local call = exchange.begin(server, request, peer.number)
  if peer.doomed then
    return cut_doomed(server, peer, call)
  elseif not goes_on(server, peer, call, exchange.before_body(call)) then
    return false
  end
  local body, problem = http.read_body(peer.socket, request, server.config.max_body)
  exchange.note_body(call, body)
  if problem == "cut" then
    return false
  end
  local decision = exchange.answer(call, problem == "too large")
  return carry_out[decision.act](peer, decision)
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
