--- A local stand-in for the service: keeps its contract strictly, runs tasks over time, and misbehaves when told to.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local core = require "scope3.core"
local callback = require "scope3.sandbox.callback"
local control = require "scope3.sandbox.control"
local door = require "scope3.util.arguments"
local faults = require "scope3.sandbox.faults"
local http = require "scope3.sandbox.http"
local json = require "scope3.sandbox.json"
local options = require "scope3.util.options"
local service = require "scope3.sandbox.service"
local settings = require "scope3.sandbox.settings"
local state = require "scope3.sandbox.state"

local sandbox = {}

local Sandbox = {}
Sandbox.__index = Sandbox

local CONTROL_BODY = 64 * 1024 * 1024 -- bytes of a request that sets something

---@class scope3.SandboxOptions  every setting of docs/sandbox.md, and:
---@field port? integer  0 takes a free one (0)
---@field host? string  of this machine alone (127.0.0.1)
---@field until_eof? boolean  serves until standard input ends
---@field until_unread? boolean  serves until nobody reads standard output any more
---@field tell_port? boolean  prints the port as a line
---@field error_bytes? integer  of errors of its own that it prints at most; it goes on without a word (no limit)
---@field tls? {cert: string, key: string}  paths of PEM files
---@field on_listen? fun(url: string)
---@field [string] any
local OWN_OPTIONS = {
  port = "any", host = "string", until_eof = "boolean", until_unread = "boolean", tell_port = "boolean", tls = "table",
  error_bytes = "number",
  on_listen = "function",
}

-- cqueues' monotonic clock and the wall clock's start: fractions of a second, and never backwards.
local epoch = os.time() - cqueues.monotime()

-- The time at which everything here happens. A clock that is set to "manual" moves only when it is told to.
function Sandbox:now()
  if self.config.clock == "manual" then
    self.stands_at = self.stands_at or epoch + cqueues.monotime()
    return self.stands_at
  end
  return epoch + cqueues.monotime()
end

function Sandbox:advance(seconds)
  self.stands_at = self:now() + seconds
end

function Sandbox:reset()
  settings.reset(self.config)
  settings.change(self.config, self.initial)
  self.stands_at = nil
  self.random = faults.random(self.config.seed)
  self.state = state.new(self.config, self.clock)
  self.state.random = function()
    return self.random()
  end
  self.state.on_ended = function(task)
    if task.push then
      self:call_back(task)
    end
  end
  self.syndications, self.log, self.callbacks, self.recent = {}, json.array(), json.array(), {}
end

function Sandbox:call_back(task)
  local built = callback.build(task, state, self.clock(), self.config.callback_key)
  local entry = { task_id = task.id, sent = built ~= nil }
  self.callbacks[#self.callbacks + 1] = entry
  if built then
    self.queue:wrap(function()
      entry.status = callback.send(built)
    end)
  end
end

-- --- rate limit --------------------------------------------------------------------------------------------------

-- Counts a request: headers to add, and whether it is over the limit.
local function limit_rate(self)
  local limit = self.config.rate_limit
  if not limit then
    return {}
  end
  local now, recent = self.clock(), {}
  for _, at in ipairs(self.recent) do
    if at > now - 60 then
      recent[#recent + 1] = at
    end
  end
  self.recent = recent
  local over = #recent >= limit
  if not over then
    recent[#recent + 1] = now
  end
  local first = recent[math.max(1, #recent - limit + 1)] -- when this one is a minute ago, there is room again
  local reset = first and math.ceil(first + 60 - now) or 60
  local left = math.max(0, limit - #recent)
  local headers
  if self.config.rate_form == "single" then
    headers = { { "RateLimit", ("limit=%d, remaining=%d, reset=%d"):format(limit, left, reset) } }
  else
    headers = { { "RateLimit-Limit", ("%d"):format(limit) }, { "RateLimit-Remaining", left },
      { "RateLimit-Reset", reset } }
  end
  return headers, over, reset
end

local function retry_after_header(self, seconds)
  if type(seconds) == "string" then
    return { "Retry-After", seconds }
  elseif self.config.retry_after_form == "date" then
    return { "Retry-After", http.date(math.ceil(self.clock() + self.config.date_skew + seconds)) }
  end
  return { "Retry-After", ("%d"):format(math.ceil(seconds)) }
end

-- --- one request -------------------------------------------------------------------------------------------------

local function log_request(self, connection, request, kind, account)
  local headers = {}
  for name, value in pairs(request.headers) do
    if name ~= "authorization" and name ~= "x-scope3-api-key" then
      headers[name] = value
    end
  end
  local entry = {
    n = #self.log + 1, at = self.clock(), method = request.method, path = request.path, target = request.target,
    kind = kind or json.null, account = account or json.null,
    connection = connection.number, expect = request.headers.expect or json.null, http_headers = headers,
    bytes = 0, body_complete = false, fault = json.null, status = json.null,
  }
  self.log[entry.n] = entry
  return entry
end

local function summarize(entry, decoded)
  entry.audiences = json.array()
  for i, audience in ipairs(decoded.audiences) do
    entry.audiences[i] = {
      audienceId = audience.audienceId, name = audience.name, consentBasis = audience.consentBasis, delete = audience.delete,
      add = type(audience.add) == "table" and #audience.add or 0,
      remove = type(audience.remove) == "table" and #audience.remove or 0,
    }
  end
  entry.delete_missing = decoded.deleteMissing
end

-- The reply of a "status" fault.
local function status_reply(self, rule)
  local reply
  if rule.html then
    reply = { status = rule.status, headers = { { "Content-Type", "text/html" } },
      body = "<!doctype html><html><head><title>" .. (rule.message or "Bad gateway") .. "</title></head><body>oops</body></html>" }
  elseif rule.empty then
    reply = { status = rule.status, headers = {}, body = "" }
  elseif rule.body then
    reply = { status = rule.status, headers = { { "Content-Type", rule.content_type or "application/json" } }, body = rule.body }
  elseif rule.error_string then
    reply = { status = rule.status, headers = { { "Content-Type", "application/json" } },
      body = json.encode { error = rule.message or "Something failed" } }
  else
    reply = service.refuse(rule.status, rule.message or "The sandbox was told to fail", { code = rule.code })
  end
  if rule.retry_after then
    table.insert(reply.headers, retry_after_header(self, rule.retry_after))
  end
  return reply
end

-- A rejection that quotes what it was sent, as careless services do.
local function echo_reply(request, body, status)
  local id = body:match('"externalId":"([^"]*)"') or "none"
  local hash = body:match('"hashedEmail":"([^"]*)"') or ("ab"):rep(32)
  local key = (request.headers.authorization or ""):match("^Bearer (%S+)$") or "none"
  return service.refuse(status or 400, ("Member %s with %s for jane@example.com +12065551234 (key %s) is not valid"):format(
    json.encode(id), hash, key), { code = "VALIDATION_ERROR", field = "audiences[0].add[0].externalId", details = { issues = json.array {
      { path = "audiences[0].add[0].externalId", message = ("value '%s' is not allowed"):format(id) },
      { path = "audiences[0].add[0].hashedEmail", message = "got " .. hash .. " from jane@example.com" },
    } } })
end

local function send_huge(connection, rule)
  local bytes = rule.bytes or 104857600
  local headers = { { "Content-Type", "application/json" } }
  headers[2] = rule.chunked and { "Transfer-Encoding", "chunked" } or { "Content-Length", ("%d"):format(bytes) }
  connection.socket:write(http.head(200, headers))
  local chunk = ("x"):rep(65536)
  while bytes > 0 do
    local part = bytes < #chunk and chunk:sub(1, bytes) or chunk
    local ok = rule.chunked and connection.socket:write(("%x\r\n"):format(#part), part, "\r\n") or
      not rule.chunked and connection.socket:write(part)
    if not ok then
      return
    end
    bytes = bytes - #part
  end
  if rule.chunked then
    connection.socket:write("0\r\n\r\n")
  end
  connection.socket:flush()
end

-- Faults that come before a request is carried out. Gives "close", a reply, or nil to go on.
local function before(self, connection, rule, request, entry)
  local act = rule.act
  if act == "cut_before" then
    return "close"
  elseif act == "cut_inside" then
    local half = math.floor((request.length or 0) / 2)
    entry.bytes = #(http.read_body(connection.socket, request, self.config.max_body, half) or "")
    return "close"
  elseif act == "delay" then
    cqueues.sleep(rule.seconds or 0.1)
  elseif act == "stall" then -- takes no byte of the body
    cqueues.sleep(rule.seconds or 20)
    return "close"
  end
end

-- Faults in place of a request's own reply.
local function instead(self, connection, rule, request, body)
  local act = rule.act
  if act == "hang" then
    while connection.socket:read(1) do -- until the peer gives up
      cqueues.sleep(0)
    end
    return "close"
  elseif act == "cut_after" then
    return "close"
  elseif act == "status" then
    return status_reply(self, rule)
  elseif act == "huge" then
    send_huge(connection, rule)
    return "close"
  elseif act == "redirect" then
    return { status = rule.status or 302, headers = { { "Location", rule.location or "https://example.com/elsewhere" } }, body = "" }
  elseif act == "garbage" then
    connection.socket:write("\1\2\3 this is not HTTP\r\n\r\n")
    connection.socket:flush()
    return "close"
  elseif act == "not_json" then
    return { status = rule.status or 200, headers = { { "Content-Type", "application/json" } }, body = "not { json" }
  elseif act == "wrong_envelope" then
    return { status = 200, headers = { { "Content-Type", "application/json" } },
      body = json.encode { data = json.null, error = json.null } }
  elseif act == "wrong_types" then
    return { status = rule.status or 202, headers = { { "Content-Type", "application/json" } },
      body = json.encode { success = "yes", accountId = { 25 }, taskId = 4711, operationId = { "x" }, task = { status = 7, taskId = json.array() },
        audiences = { total = "many" }, total = "-1" } }
  elseif act == "echo" then
    return echo_reply(request, body, rule.status)
  elseif act == "issues" then
    return service.refuse(rule.status or 400, "The request is not valid",
      { code = "VALIDATION_ERROR", details = { issues = json.array(rule.issues) } })
  end
end

-- Reads, carries out and answers one request. False when the connection is to be closed.
local function serve_request(self, connection)
  local request = http.read_head(connection.socket)
  if not request then
    return false
  end
  connection.request = request
  self.state:settle()
  local own = control.route(request)
  if own then
    local body = http.read_body(connection.socket, request, CONTROL_BODY)
    return body ~= nil and http.reply(connection.socket, own(self, request, body)) and true or false
  end

  local kind, id = service.route(request)
  local entry = log_request(self, connection, request, kind, kind ~= "task" and id or nil)
  if connection.doomed then
    local body = http.read_body(connection.socket, request, self.config.max_body)
    entry.bytes, entry.body_complete, entry.fault = #(body or ""), body ~= nil, "die_on_reuse"
    return false
  end
  request.number = entry.n
  local rule = faults.take(self.config.faults, kind or "other", self.random)
  if rule then
    entry.fault = rule.act
    if before(self, connection, rule, request, entry) == "close" then
      return false
    end
  end

  local body, problem = http.read_body(connection.socket, request, self.config.max_body)
  entry.bytes, entry.body_complete = #(body or ""), body ~= nil
  if self.config.log_bodies then
    entry.body = body
  end
  if problem == "cut" then
    return false
  end
  self.state:settle()
  local extra, over, reset = limit_rate(self)
  local reply, decoded
  if rule then
    reply = instead(self, connection, rule, request, body or "")
    if reply == "close" then
      return false
    end
  end
  if not reply then
    if problem == "too large" then
      reply = service.refuse(413, "The body is too large")
    else
      reply = service.turn_away(self.config, request, kind, id)
    end
  end
  if not reply and over then
    reply = service.refuse(429, "Too many requests")
    table.insert(reply.headers, retry_after_header(self, reset))
  end
  if not reply then
    reply, decoded = service.handle(self, kind, id, request, body)
  end
  if decoded then
    summarize(entry, decoded)
  end
  for _, pair in ipairs(extra) do
    table.insert(reply.headers, pair)
  end
  table.insert(reply.headers, { "Date", http.date(math.floor(self.clock() + self.config.date_skew)) })
  entry.status = reply.status

  local act = rule and rule.act
  if act == "lost_reply" then
    return false
  elseif act == "half_reply" then
    connection.socket:write(http.head(reply.status, { { "Content-Type", "application/json" }, { "Content-Length", #reply.body } }))
    connection.socket:write(reply.body:sub(1, math.floor(#reply.body / 2)))
    connection.socket:flush()
    return false
  end
  connection.doomed = act == "die_on_reuse"
  local sent = http.reply(connection.socket, reply)
  connection.request = nil
  return sent and act ~= "close" and problem == nil and core.lower(request.headers.connection or "") ~= "close"
end

local function serve_connection(self, accepted)
  self.connections = self.connections + 1
  local connection = { socket = accepted, number = self.connections }
  self.at_hand[coroutine.running()] = connection
  -- Peers come and go; an error of a socket ends its connection and nothing else.
  accepted:onerror(function(_, _, code)
    return code
  end)
  accepted:setmode("b", "bf")
  accepted:setbufsiz(65536, 65536)
  accepted:setmaxline(16384)
  if self.tls and not accepted:starttls(self.tls) then
    accepted:close()
    return
  end
  while serve_request(self, connection) do
    connection.request = nil
    cqueues.sleep(0) -- others have their turn
  end
  self.at_hand[coroutine.running()] = nil
  accepted:shutdown("w")
  accepted:close()
end

-- --- errors ------------------------------------------------------------------------------------------------------

-- Answers the request whose handler has failed.
local function answer_failed(self, connection)
  local request = connection.request
  if request and not request.body_read then -- or the answer is lost when the connection is closed
    http.read_body(connection.socket, request, self.config.max_body)
  end
  if request then
    http.reply(connection.socket, service.refuse(500, "The sandbox itself has failed: its standard error says where"))
  end
  connection.socket:shutdown("w")
  connection.socket:close()
end

local tick

local LAST = "sandbox: further errors are not printed\n"

-- Prints an error, as far as there is room for errors.
function Sandbox:tell(text)
  if self.error_bytes then
    local room = self.error_bytes - #LAST
    if room < 1 then
      return
    end
    self.error_bytes = self.error_bytes - #text
    if #text > room then
      local start = text:sub(1, room - 1)
      text, self.error_bytes = (start:match "^.*\n" or start .. "\n") .. LAST, 0
    end
  end
  io.stderr:write(text)
  io.stderr:flush()
end

-- An error that nobody caught is the sandbox's own fault, and no stand-in may hide it: it is printed, the request at
-- hand gets 500, and the process ends with a failure.
function Sandbox:failed(message, thread)
  self.errors = self.errors + 1
  self:tell(("sandbox: an error of its own: %s\n"):format(
    thread and debug.traceback(thread, tostring(message)) or tostring(message)))
  local connection = thread and self.at_hand[thread]
  if connection then
    self.at_hand[thread] = nil
    self.queue:wrap(answer_failed, self, connection)
  elseif thread and thread == self.ticker then
    self.queue:wrap(tick, self, 1)
  end
end

-- So that tasks end and callbacks go out although nobody asks.
function tick(self, pause)
  self.ticker = coroutine.running()
  cqueues.sleep(pause)
  while self.running do
    self.state:settle()
    cqueues.sleep(0.05)
  end
end

-- --- starting ----------------------------------------------------------------------------------------------------

local function tls_context(tls)
  local context = require("openssl.ssl.context").new("TLS", true)
  local function read(path)
    local file = assert(io.open(path, "r"))
    local text = file:read("*a")
    file:close()
    return text
  end
  context:setCertificate(require("openssl.x509").new(read(tls.cert)))
  context:setPrivateKey(require("openssl.pkey").new(read(tls.key)))
  return context
end

--- Serves until standard input ends (`until_eof`), nobody reads standard output any more (`until_unread`), or the
--- process is stopped.
---@param opts? scope3.SandboxOptions
---@return boolean? fine  nil when an error of the sandbox's own was printed meanwhile
---@return string? message
function sandbox.serve(opts)
  door.argument(opts == nil or type(opts) == "table", "sandbox", "opts", "a table", opts)
  local initial, own = {}, {}
  for key, value in pairs(opts or {}) do
    local to = OWN_OPTIONS[key] and own or initial
    to[key] = value
  end
  opts = options.check("sandbox", own, OWN_OPTIONS, 2)
  local host = opts.host or "127.0.0.1"
  if not (host == "::1" or host:find("^127%.")) then
    error("sandbox: it listens on this machine alone, so host must be 127.0.0.1 or ::1", 2)
  end
  local problem = settings.change({}, initial)
  if problem then
    error("sandbox: " .. problem, 2)
  end
  math.randomseed(os.time() + math.floor(cqueues.monotime() * 1e6) % 1000000)

  local self = setmetatable({ config = {}, initial = initial, connections = 0, queue = cqueues.new(), errors = 0,
    at_hand = setmetatable({}, { __mode = "k" }) }, Sandbox)
  self.clock = function()
    return self:now()
  end
  self.error_bytes = opts.error_bytes
  self.tls = opts.tls and tls_context(opts.tls)
  self:reset()

  local port_given = opts.port or 0
  if type(port_given) ~= "number" or port_given % 1 ~= 0 or port_given < 0 or port_given > 65535 then
    error("sandbox: port must be a whole number from 0, for a free one, to 65535", 2)
  end
  local listener = socket.listen { host = host, port = port_given, reuseaddr = true }
  listener:onerror(function(_, _, code)
    return code
  end)
  local ok, why = listener:listen()
  if not ok then
    error(("sandbox: port %s cannot be listened on (%s)"):format(port_given,
      type(why) == "number" and errno.strerror(why) or tostring(why)), 0)
  end
  local _, _, port = listener:localname()
  if opts.tell_port then
    io.stdout:write(("%d\n"):format(port))
    io.stdout:flush()
  end
  if opts.on_listen then
    opts.on_listen(("%s://%s:%d"):format(self.tls and "https" or "http", host, port))
  end

  self.running = true
  self.queue:wrap(function()
    while self.running do
      local accepted = listener:accept()
      if accepted then
        self.queue:wrap(serve_connection, self, accepted)
      end
    end
  end)
  self.queue:wrap(tick, self, 0.05)
  if opts.until_eof then
    self.queue:wrap(function()
      local input = socket.fdopen(0)
      input:onerror(function(_, _, code)
        return code
      end)
      repeat
        local line = input:read("*l")
      until not line
      self.running = false
    end)
  end
  if opts.until_unread then
    self.queue:wrap(function()
      cqueues.poll { pollfd = 1, events = "r" } -- of a pipe's writing end, the only event is that its readers are gone
      self.running = false
    end)
  end
  while self.running do
    local stepped, message, _, thread = self.queue:step()
    if not stepped then
      self:failed(message, thread)
    end
  end
  if self.errors > 0 then
    return nil, ("the sandbox had errors of its own: %d"):format(self.errors)
  end
  return true
end

return sandbox
