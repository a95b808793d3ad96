--- What each fault does to a request: before it is read, in place of its reply, or with its reply.
---
--- An action returns CLOSE to close the connection, a reply to send, or nil to go on.
local cqueues = require "cqueues"
local http = require "scope3.sandbox.http"
local json = require "scope3.sandbox.json"
local rate_limit = require "scope3.sandbox.rate_limit"
local reply = require "scope3.sandbox.reply"

local CLOSE = "close"

local fault_actions = { CLOSE = CLOSE }

---@class scope3.sandbox.Call  a request on its way through the sandbox
---@field server table
---@field connection table  socket, number
---@field request table  as http.read_head gives it
---@field entry table  of the log
---@field kind string?  as service.route gives it
---@field id string?
---@field rule table?  the fault that applies
---@field body string?

---@alias scope3.sandbox.Action fun(call: scope3.sandbox.Call, rule: table): table|"close"|nil

local JSON = { "Content-Type", "application/json" }

local function json_reply(status, value)
  return { status = status, headers = { JSON }, body = json.encode(value) }
end

-- --- before the body is read ---

---@type table<string, scope3.sandbox.Action>
local before = {}

function before.cut_before()
  return CLOSE
end

function before.cut_inside(call)
  local half = math.floor((call.request.length or 0) / 2)
  local max = call.server.config.max_body
  call.entry.bytes = #(http.read_body(call.connection.socket, call.request, max, half) or "")
  return CLOSE
end

function before.delay(_, rule)
  cqueues.sleep(rule.seconds or 0.1)
end

-- Takes no byte of the body.
function before.stall(_, rule)
  cqueues.sleep(rule.seconds or 20)
  return CLOSE
end

-- --- in place of the reply ---

---@type table<string, scope3.sandbox.Action>
local instead = {}

function instead.hang(call)
  while call.connection.socket:read(1) do -- until the peer gives up
    cqueues.sleep(0)
  end
  return CLOSE
end

function instead.cut_after()
  return CLOSE
end

local function status_reply(rule)
  if rule.html then
    return { status = rule.status, headers = { { "Content-Type", "text/html" } },
      body = ("<!doctype html><html><head><title>%s</title></head><body>oops</body></html>"):format(
        rule.message or "Bad gateway") }
  elseif rule.empty then
    return { status = rule.status, headers = {}, body = "" }
  elseif rule.body then
    return { status = rule.status, headers = { { "Content-Type", rule.content_type or "application/json" } },
      body = rule.body }
  elseif rule.error_string then
    return json_reply(rule.status, { error = rule.message or "Something failed" })
  end
  return reply.refuse(rule.status, rule.message or "The sandbox was told to fail", { code = rule.code })
end

function instead.status(call, rule)
  local made = status_reply(rule)
  if rule.retry_after then
    local server = call.server
    table.insert(made.headers, rate_limit.retry_after(server.config, server.clock(), rule.retry_after))
  end
  return made
end

function instead.huge(call, rule)
  local socket, bytes = call.connection.socket, rule.bytes or 104857600
  local length = rule.chunked and { "Transfer-Encoding", "chunked" } or { "Content-Length", ("%d"):format(bytes) }
  socket:write(http.head(200, { JSON, length }))
  local chunk = ("x"):rep(65536)
  while bytes > 0 do
    local part = bytes < #chunk and chunk:sub(1, bytes) or chunk
    local ok
    if rule.chunked then
      ok = socket:write(("%x\r\n"):format(#part), part, "\r\n")
    else
      ok = socket:write(part)
    end
    if not ok then
      return CLOSE
    end
    bytes = bytes - #part
  end
  if rule.chunked then
    socket:write("0\r\n\r\n")
  end
  socket:flush()
  return CLOSE
end

function instead.redirect(_, rule)
  return { status = rule.status or 302, body = "",
    headers = { { "Location", rule.location or "https://example.com/elsewhere" } } }
end

function instead.garbage(call)
  call.connection.socket:write("\1\2\3 this is not HTTP\r\n\r\n")
  call.connection.socket:flush()
  return CLOSE
end

function instead.not_json(_, rule)
  return { status = rule.status or 200, headers = { JSON }, body = "not { json" }
end

function instead.wrong_envelope()
  return json_reply(200, { data = json.null, error = json.null })
end

function instead.wrong_types(_, rule)
  return json_reply(rule.status or 202, {
    success = "yes", accountId = { 25 }, taskId = 4711, operationId = { "x" },
    task = { status = 7, taskId = json.array() }, audiences = { total = "many" }, total = "-1",
  })
end

-- A rejection that quotes the values it received, as careless services do.
function instead.echo(call, rule)
  local body = call.body or ""
  local id = body:match('"externalId":"([^"]*)"') or "none"
  local hash = body:match('"hashedEmail":"([^"]*)"') or ("ab"):rep(32)
  local key = (call.request.headers.authorization or ""):match("^Bearer (%S+)$") or "none"
  local message = ("Member %s with %s for jane@example.com +12065551234 (key %s) is not valid"):format(json.encode(id),
    hash, key)
  local member = "audiences[0].add[0]"
  return reply.refuse(rule.status or 400, message, {
    code = "VALIDATION_ERROR", field = member .. ".externalId",
    details = { issues = json.array {
      { path = member .. ".externalId", message = ("value '%s' is not allowed"):format(id) },
      { path = member .. ".hashedEmail", message = "got " .. hash .. " from jane@example.com" },
    } },
  })
end

function instead.issues(_, rule)
  return reply.refuse(rule.status or 400, "The request is not valid",
    { code = "VALIDATION_ERROR", details = { issues = json.array(rule.issues) } })
end

-- --- with the reply ---

-- Sends half of a reply.
local function send_half(call, made)
  local socket = call.connection.socket
  socket:write(http.head(made.status, { JSON, { "Content-Length", #made.body } }))
  socket:write(made.body:sub(1, math.floor(#made.body / 2)))
  socket:flush()
end

--- Applies a fault before the body is read.
---@param call scope3.sandbox.Call
---@return "close"?
function fault_actions.before(call)
  local act = call.rule and before[call.rule.act]
  return act and act(call, call.rule)
end

--- Applies a fault in place of the service's reply.
---@param call scope3.sandbox.Call
---@return table|"close"|nil reply
function fault_actions.instead(call)
  local act = call.rule and instead[call.rule.act]
  return act and act(call, call.rule)
end

--- Applies a fault in place of sending a reply.
---@param call scope3.sandbox.Call
---@param made table  the reply
---@return "close"?
function fault_actions.sending(call, made)
  local act = call.rule and call.rule.act
  if act == "half_reply" then
    send_half(call, made)
    return CLOSE
  elseif act == "lost_reply" then
    return CLOSE
  end
end

return fault_actions
