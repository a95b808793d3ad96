--- What each fault makes of a request: before it is read, in place of its reply, or with its reply.
---
--- Nothing is done here: an action returns a decision, which whoever carries the bytes acts on, or nil to go on.
local json = require "scope3.sandbox.json"
local rate_limit = require "scope3.sandbox.rate_limit"
local reply = require "scope3.sandbox.reply"

local fault_actions = {}

---@class scope3.sandbox.Decision  what is to be done with a request, or instead of a reply
---@field act "reply"|"cut"|"delay"|"hang"|"raw"|"stream"|"half"  reply: answer, and close the connection where
---  `close`; cut: close it, once `take` bytes of the body were read; delay: wait `seconds`, and cut where `cut`; hang:
---  until the peer gives up; raw: send `bytes`; stream: send `bytes` bytes, chunked or not; half: the first half of
---  `reply`. The last three close the connection
---@field reply? table
---@field close? boolean
---@field doomed? boolean  the next request on this connection is cut
---@field seconds? number
---@field cut? boolean
---@field take? integer
---@field bytes? string|integer
---@field chunked? boolean

---@alias scope3.sandbox.Action fun(call: scope3.sandbox.Call, rule: table): scope3.sandbox.Decision?

local JSON = { "Content-Type", "application/json" }

local function json_reply(status, value)
  return { status = status, headers = { JSON }, body = json.encode(value) }
end

-- --- before the body is read ---

---@type table<string, scope3.sandbox.Action>
local before = {}

function before.cut_before()
  return { act = "cut" }
end

function before.cut_inside(call)
  return { act = "cut", take = math.floor((call.request.length or 0) / 2) }
end

function before.delay(_, rule)
  return { act = "delay", seconds = rule.seconds or 0.1 }
end

-- Takes no byte of the body.
function before.stall(_, rule)
  return { act = "delay", seconds = rule.seconds or 20, cut = true }
end

-- --- in place of the reply ---

---@type table<string, scope3.sandbox.Action>
local instead = {}

function instead.hang()
  return { act = "hang" }
end

function instead.cut_after()
  return { act = "cut" }
end

-- Whole replies: each is sent as the service's own would be.
---@type table<string, fun(call: scope3.sandbox.Call, rule: table): table>
local replies = {}

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

function replies.status(call, rule)
  local made = status_reply(rule)
  if rule.retry_after then
    local server = call.server
    table.insert(made.headers, rate_limit.retry_after(server.config, server.clock(), rule.retry_after))
  end
  return made
end

function instead.huge(_, rule)
  return { act = "stream", bytes = rule.bytes or 104857600, chunked = rule.chunked }
end

function instead.garbage()
  return { act = "raw", bytes = "\1\2\3 this is not HTTP\r\n\r\n" }
end

function replies.redirect(_, rule)
  return { status = rule.status or 302, body = "",
    headers = { { "Location", rule.location or "https://example.com/elsewhere" } } }
end

function replies.not_json(_, rule)
  return { status = rule.status or 200, headers = { JSON }, body = "not { json" }
end

function replies.wrong_envelope()
  return json_reply(200, { data = json.null, error = json.null })
end

function replies.wrong_types(_, rule)
  return json_reply(rule.status or 202, {
    success = "yes", accountId = { 25 }, taskId = 4711, operationId = { "x" },
    task = { status = 7, taskId = json.array() }, audiences = { total = "many" }, total = "-1",
  })
end

-- A rejection that quotes the values it received, as careless services do.
function replies.echo(call, rule)
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

function replies.issues(_, rule)
  return reply.refuse(rule.status or 400, "The request is not valid",
    { code = "VALIDATION_ERROR", details = { issues = json.array(rule.issues) } })
end

-- --- with the reply ---

local sending = {}

function sending.half_reply(_, made)
  return { act = "half", reply = made }
end

function sending.lost_reply()
  return { act = "cut" }
end

-- --- all of them ---

local function act_of(call)
  return call.rule and call.rule.act
end

--- What a fault does before the body is read.
---@param call scope3.sandbox.Call
---@return scope3.sandbox.Decision?
function fault_actions.before(call)
  local act = before[act_of(call) or ""]
  return act and act(call, call.rule)
end

--- What a fault does in place of the service's reply.
---@param call scope3.sandbox.Call
---@return scope3.sandbox.Decision?
function fault_actions.instead(call)
  local act = act_of(call) or ""
  if replies[act] then
    return { act = "reply", reply = replies[act](call, call.rule) }
  end
  return instead[act] and instead[act](call, call.rule)
end

--- What a fault does in place of sending a reply.
---@param call scope3.sandbox.Call
---@param made table  the reply
---@return scope3.sandbox.Decision?
function fault_actions.sending(call, made)
  local act = sending[act_of(call) or ""]
  return act and act(call, made)
end

--- Whether a fault closes the connection after the reply.
---@param call scope3.sandbox.Call
---@return boolean
function fault_actions.closes(call)
  return act_of(call) == "close"
end

--- Whether a fault cuts the next request on the connection.
---@param call scope3.sandbox.Call
---@return boolean
function fault_actions.dooms(call)
  return act_of(call) == "die_on_reuse"
end

return fault_actions
