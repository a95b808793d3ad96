--- A connection to Redis 7.0 and newer, or Valkey. Commands go out together, and their replies come in order.
---
--- What breaks in the middle ends the connection: which reply is whose would not be known. The caller opens another.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local interpreted = require "scope3.util.interpreted"
local refusal = require "scope3.redis.refusal"
local resp = require "scope3.redis.resp"
local script = require "scope3.redis.script"

interpreted(true, true) -- nothing here runs for each member

local TAKEN_OVER = 5 -- seconds past its time after which a call counts as lost: a host may drop a coroutine

---@class scope3.RedisConnection
---@field private wire scope3.Connection
---@field private decoder scope3.RespDecoder
---@field private seconds number  for a call
---@field private cancel? fun(): boolean?
---@field private closed scope3.Error?  why it is
---@field private busy_until number?  somebody calls, at most until then
---@field private commands table[]  of that call
---@field private replies any[]  to them, so far
---@field named boolean  Redis shows its name in CLIENT LIST; false where the user may not give one
local Connection = {}
Connection.__index = Connection
Connection.__name = "scope3.redis"

local connection = {}

--- Makes one of an open wire.
---@param wire scope3.Connection
---@param options {call_seconds: number, cancel?: fun(): boolean?}
---@return scope3.RedisConnection
function connection.new(wire, options)
  local self = setmetatable({ wire = wire, seconds = options.call_seconds, cancel = options.cancel, replies = {},
    named = false }, Connection)
  self.decoder = resp.decoder {
    refuse = function(line)
      return refusal.error(line, self.commands[#self.replies + 1] or {})
    end,
  }
  return self
end

-- Closes it for a reason, which the next call gives.
local function give_up(self, err)
  self.closed = self.closed or err
  self.wire:close()
  return nil, err
end

-- Whether the call that is under way is one that a host has dropped.
local function is_lost(self)
  return core.now() > self.busy_until + TAKEN_OVER
end

-- Why no call can begin.
local function barred(self)
  local loop = self.wire.loop
  local why = loop.bar and loop.bar()
  if why then
    return errors.new("cannot_wait", why)
  elseif self.closed then
    return errors.new("network", "this connection to Redis has ended before: " .. self.closed.message,
      { code = "CLOSED", retryable = true })
  elseif self.busy_until and not is_lost(self) and not self.wire:is_closed() then
    return errors.new("network", "another call is under way on this connection to Redis",
      { code = "BUSY_CONNECTION", retryable = true })
  elseif self.busy_until then
    local _, err = give_up(self, errors.new("cancelled", "the coroutine that waited for Redis has ended"))
    return err
  end
end

-- How a port of TLS may end what is not TLS.
local NO_TLS = { CLOSED = true, RECV_ERROR = true, SEND_ERROR = true }

-- The error of a connection that broke in the middle.
local function broken(self, err)
  if NO_TLS[err.code] and not self.answered and not self.secure then
    err = errors.with(err, { message = err.message .. "; if this port speaks TLS, the URL must begin with rediss://" })
  end
  return errors.with(err, { message = "Redis: " .. err.message, uncertain = true })
end

-- Reads until each command has its reply. Gives an error where the connection breaks before.
local function read_replies(self, limits)
  local replies, decoder = self.replies, self.decoder
  while #replies < #self.commands do
    local there, value = decoder:next()
    if there then
      replies[#replies + 1] = value
      self.answered = true
    elseif there == nil then
      return errors.new("redis", ("this is no reply of Redis: %s; check host and port in the URL"):format(value),
        { code = "BAD_REPLY", uncertain = true })
    else
      local bytes, err = self.wire:read(limits)
      if not bytes then
        return broken(self, err)
      end
      decoder:feed(bytes)
    end
  end
  if decoder:held() > 0 then -- the replies stand, but nothing that follows could be trusted
    give_up(self, errors.new("redis", "Redis sent more than it was asked for", { code = "BAD_REPLY" }))
  end
end

-- Sends commands and reads their replies.
local function exchange(self, commands)
  local loop, callbacks = self.wire.loop, guard.new()
  local deadline = loop.now() + self.seconds
  self.busy_until = core.now() + self.seconds
  self.commands, self.replies = commands, {}
  self.wire:write(resp.encode(commands))
  local err = read_replies(self, {
    deadline = deadline, cancel = callbacks:wrap("cancel", self.cancel), guard = callbacks,
    over = ("no answer came within %g seconds"):format(self.seconds),
  })
  local replies = self.replies
  self.busy_until, self.commands, self.replies = nil, {}, {}
  if err then
    give_up(self, err)
    return nil, errors.is(replies[1]) and #replies < #commands and replies[1] or err -- it may say why it closed
  end
  return replies
end

-- Whether it can be an argument of a command.
local function is_sent(value)
  local kind = type(value)
  return kind == "string" or kind == "userdata" or kind == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53
end

local function check_command(what, command, level)
  local n = arguments.count(command)
  arguments.argument(n and n > 0, what, "a command", "a list of texts and whole numbers", command, level + 1)
  for i = 1, n do
    local value = command[i]
    if not is_sent(value) then
      arguments.argument(false, what, ("argument %d of a command"):format(i), "a text or a whole number", value,
        level + 1)
    end
  end
end

local function check_self(self, what)
  arguments.self(getmetatable(self) == Connection, what, "scope3.redis", self)
end

--- Sends several commands at once.
---@param commands scope3.RespArgument[][]
---@return any[]? replies  one each: a text, a number, a list, false for a null, or an error where Redis refused it
---@return scope3.Error? err  where the connection broke: with `uncertain`, some may have been carried out
function Connection:pipeline(commands)
  check_self(self, "connection:pipeline")
  local n = arguments.count(commands)
  arguments.argument(n and n > 0, "connection:pipeline", "commands", "a list of commands", commands)
  for i = 1, n do
    check_command("connection:pipeline", commands[i], 2)
  end
  local err = barred(self)
  if err then
    return nil, err
  end
  return exchange(self, commands)
end

-- One command that was checked.
local function call(self, command)
  local err = barred(self)
  if err then
    return nil, err
  end
  local replies
  replies, err = exchange(self, { command })
  if replies and errors.is(replies[1]) then
    return nil, replies[1]
  elseif not replies then
    return nil, err
  end
  return replies[1]
end

--- Sends one command.
---@param ... scope3.RespArgument
---@return any reply  a text, a number, a list, or false for a null
---@return scope3.Error? err
function Connection:call(...)
  check_self(self, "connection:call")
  local command = { ... }
  check_command("connection:call", command, 2)
  return call(self, command)
end

--- Runs a script. Redis keeps it, so that later only its hash goes over the wire.
---@param text string  Lua for Redis
---@param keys string[]
---@param args? scope3.RespArgument[]
---@return any reply
---@return scope3.Error? err
function Connection:script(text, keys, args)
  check_self(self, "connection:script")
  arguments.argument(type(text) == "string", "connection:script", "script", "a string", text)
  local tail = { #keys }
  for _, list in ipairs { keys, args or {} } do
    for _, value in ipairs(list) do
      tail[#tail + 1] = value
    end
  end
  check_command("connection:script", tail, 2)
  return script.run(self, call, text, tail)
end

--- Whether a call can begin: the other side has not ended the connection.
---@return boolean
function Connection:is_open()
  check_self(self, "connection:is_open")
  if self.closed or self.wire:is_closed() then
    return false
  elseif not self.busy_until and not self.wire:is_idle() then
    give_up(self, errors.new("network", "the other side ended it while it was idle", { code = "CLOSED" }))
    return false
  end
  return true
end

--- Closes the connection. Idempotent.
function Connection:close()
  check_self(self, "connection:close")
  give_up(self, errors.new("closed", "it was closed"))
end

Connection.__close = Connection.close

return connection
