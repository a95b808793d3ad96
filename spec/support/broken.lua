-- A server over cqueues that breaks a request at a chosen point:
-- plain HTTP/1.1, or over TLS HTTP/2 or HTTP/1.1, whichever the client chooses. It runs in the loop of who starts it.
-- HTTP/2 (RFC 9113) is written here by hand, because the faults are single frames that no library would send.
local core = require "scope3.core"
local cqueues = require "cqueues"
local ports = require "spec.support.ports"

local broken = {}

if os.getenv "ASAN_OPTIONS" then
  require "spec.support.compile".pin "_cqueues" -- what it makes for TLS it keeps in a static variable
end

local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
broken.ERRORS = { NO_ERROR = 0, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8, ENHANCE_YOUR_CALM = 11 }

local function number(n, bytes)
  local text = ""
  for _ = 1, bytes do
    text = string.char(n % 256) .. text
    n = math.floor(n / 256)
  end
  return text
end

local function value(text)
  local n = 0
  for i = 1, #text do
    n = n * 256 + text:byte(i)
  end
  return n
end

local function frame(kind, flags, stream, payload)
  payload = payload or ""
  return number(#payload, 3) .. string.char(kind, flags) .. number(stream, 4) .. payload
end

-- A field whose name is written out, not indexed (RFC 7541 section 6.2.2).
local function field(name, text)
  assert(#name < 127 and #text < 127)
  return "\0" .. string.char(#name) .. name .. string.char(#text) .. text
end

local function status_field(status)
  return "\8\3" .. status -- the name of index 8 in the static table is :status
end

local function count_members(text)
  local _, n = text:gsub('"externalId":', "")
  return n
end

local Server = {}
Server.__index = Server

--- What the server should do with a request: a table, or nil to answer as the service does.
--- `at` is "head", "end" or a number of bytes of the body; then come `status` (with `headers`, `body`), `rst`
--- (a code of HTTP/2), `goaway` (the last stream that was served), and `close`. `apart` leaves a moment between
-- the answer and the reset, `hang` is silent for so many seconds,
-- `starve` leaves the connection without room for what it did not read.
function Server:plan(request)
  self.requests[#self.requests + 1] = request
  return self.on(request, #self.requests) or { at = "end" }
end

-- Notes a request that was read whole.
local function note_whole(request, body)
  request.whole, request.bytes, request.members = true, #body, count_members(body)
end

function Server:reply(plan)
  if plan.status then
    return plan.status, plan.body or "", plan.headers or {}
  end
  local id = "t" .. #self.requests
  return 202, ('{"success":true,"accountId":"25","operationId":"%s","taskId":"%s"}'):format(id, id),
    { ["content-type"] = "application/json" }
end

local function serve_1(self, peer, connection)
  while true do
    local length, line = 0
    repeat
      line = peer:read "*L"
      length = line and tonumber(line:lower():match "^content%-length:%s*(%d+)") or length
    until not line or line == "\r\n"
    if not line then
      return
    end
    local request = { connection = connection, version = "1.1", length = length, nth = #self.requests + 1 }
    local plan = self:plan(request)
    local part = plan.at == "head" and 0 or plan.at == "end" and length or math.min(plan.at, length)
    local body = part > 0 and peer:read(part) or ""
    if not body or #body < part then
      return
    end
    if part == length then
      note_whole(request, body)
    end
    if plan.at == "end" or plan.status then
      local status, text, headers = self:reply(plan)
      local head = { ("HTTP/1.1 %d X\r\nContent-Length: %d\r\n"):format(status, #text) }
      for name, one in pairs(headers) do
        head[#head + 1] = name .. ": " .. one .. "\r\n"
      end
      if not plan.close or plan.status then
        peer:write(table.concat(head), "\r\n", text)
        peer:flush()
      end
    end
    if plan.hang then
      cqueues.sleep(plan.hang)
      return
    elseif plan.close then
      return
    elseif part < length then -- a close with bytes that nobody has read would take the answer along
      peer:settimeout(2)
      while peer:read(-65536) do end
      return
    end
  end
end

local function serve_2(self, peer, connection)
  local streams = {}
  local function write(...)
    peer:write(...)
    peer:flush()
  end
  -- Does what the plan says. False ends the connection.
  local function act(id, stream)
    local plan = stream.plan
    stream.acted = true
    local out = {}
    if plan.goaway then
      out[#out + 1] = frame(GOAWAY, 0, 0, number(plan.goaway, 4) .. number(0, 4))
    end
    if plan.at == "end" and not plan.rst and not plan.close or plan.status then
      local status, text, headers = self:reply(plan)
      local block = { status_field(status), field("content-length", tostring(#text)) }
      for name, one in pairs(headers) do
        block[#block + 1] = field(name, one)
      end
      out[#out + 1] = frame(HEADERS, #text == 0 and 5 or 4, id, table.concat(block))
      if #text > 0 then
        out[#out + 1] = frame(DATA, plan.open and 0 or 1, id, text)
      end
    end
    if plan.rst then
      if plan.apart then
        write(table.concat(out))
        cqueues.sleep(plan.apart)
        out = {}
      end
      out[#out + 1] = frame(RST_STREAM, 0, id, number(broken.ERRORS[plan.rst], 4))
    end
    write(table.concat(out))
    if plan.hang then
      cqueues.sleep(plan.hang)
    end
    return not plan.close and not plan.hang
  end
  if peer:read(#PREFACE) ~= PREFACE then
    return
  end
  write(frame(SETTINGS, 0, 0))
  while true do
    local head = peer:read(9)
    if not head or #head < 9 then
      return
    end
    local n, kind, flags, id = value(head:sub(1, 3)), head:byte(4), head:byte(5), value(head:sub(6)) % 2 ^ 31
    local payload = n > 0 and peer:read(n) or ""
    if not payload or #payload < n then
      return
    end
    local stream = streams[id]
    if kind == SETTINGS and flags % 2 == 0 then
      write(frame(SETTINGS, 1, 0))
    elseif kind == PING and flags % 2 == 0 then
      write(frame(PING, 1, 0, payload))
    elseif kind == HEADERS then
      local request = { connection = connection, version = "2", stream = id, nth = #self.requests + 1 }
      stream = { request = request, got = 0, pieces = {} }
      streams[id] = stream
      stream.plan = self:plan(request)
      if stream.plan.at == "head" and not act(id, stream) then
        return
      end
    elseif kind == DATA and stream then
      stream.got = stream.got + n
      stream.pieces[#stream.pieces + 1] = payload
      if type(stream.plan.at) == "number" and not stream.acted and stream.got >= stream.plan.at
        and not act(id, stream) then
        return
      end
      -- what is not read any more need not widen the window of the connection
      if n > 0 and not (stream.acted and stream.plan.starve) then
        write(frame(WINDOW_UPDATE, 0, 0, number(n, 4)))
      end
      if n > 0 and not stream.acted then
        write(frame(WINDOW_UPDATE, 0, id, number(n, 4)))
      end
    end
    if (kind == DATA or kind == HEADERS) and flags % 2 == 1 then
      if not (stream.acted and stream.plan.status) then -- what was refused before may be ended anywhere
        note_whole(stream.request, table.concat(stream.pieces))
      end
      if not stream.acted and not act(id, stream) then
        return
      end
    end
  end
end

--- Starts a server in the queue. `on(request, nth)` gives what to do with each request.
---@param queue table  a controller of cqueues
---@param options {on: function, tls: table?, only_1: boolean?}  `tls` from spec.support.tls
function broken.start(queue, options)
  local self = setmetatable({ on = options.on, requests = {}, connections = 0, peers = {}, running = true }, Server)
  local listener, port = ports.listen()
  self.listener, self.port = listener, port
  self.url = ("%s://127.0.0.1:%d"):format(options.tls and "https" or "http", port)
  local context
  if options.tls then
    local x509, pkey = require "openssl.x509", require "openssl.pkey"
    local function read(path)
      local file = assert(io.open(path, "rb"))
      local text = file:read "*a"
      file:close()
      return text
    end
    context = require "openssl.ssl.context".new("TLS", true)
    context:setCertificate(x509.new(read(options.tls.cert)))
    context:setPrivateKey(pkey.new(read(options.tls.key)))
    context:setAlpnSelect(function(_, offered)
      for _, name in ipairs(offered) do
        if name == "h2" and not options.only_1 then
          return "h2"
        end
      end
      return "http/1.1"
    end)
  end
  queue:wrap(function()
    while self.running do
      local peer = listener:accept(0.5)
      if peer and self.running then
        self.connections = self.connections + 1
        local connection = self.connections
        self.peers[connection] = peer
        queue:wrap(function()
          peer:setmode("b", "bf")
          peer:onerror(function(_, _, code)
            return code
          end)
          local version
          if not context or peer:starttls(context) then
            if context then
              version = peer:checktls():getAlpnSelected()
            end
            (version == "h2" and serve_2 or serve_1)(self, peer, connection)
          end
          self.peers[connection] = nil
          peer:close()
        end)
      end
    end
    listener:close()
  end)
  return self
end

--- Closes the kept connections, as a service does that is started anew.
function Server:drop()
  for connection, peer in pairs(self.peers) do
    self.peers[connection] = nil
    peer:shutdown "rw"
  end
end

--- Members of the requests that arrived whole and were not refused.
function Server:received()
  local n = 0
  for _, request in ipairs(self.requests) do
    n = n + (request.whole and request.members or 0)
  end
  return n
end

function Server:close()
  self.running = false
  self:drop()
end

--- Runs `work` in a queue of its own, beside the servers that it starts there.
--- Without a pcall, over which Lua 5.1 cannot yield.
function broken.run(work)
  local queue = cqueues.new()
  local done = false
  queue:wrap(function()
    work(queue)
    done = true
  end)
  local deadline = core.now() + 120
  while not done do
    assert(core.now() < deadline, "not done within two minutes")
    assert(queue:step(0.2))
  end
end

return broken
