--- Redis and Valkey, for what several processes share. Nothing here is loaded unless it is asked for.
local arguments = require "scope3.util.arguments"
local connection = require "scope3.redis.connection"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local loops = require "scope3.loop"
local options = require "scope3.util.options"
local url = require "scope3.redis.url"
local wires = require "scope3.http.connection"

local redis = {}

---@class scope3.RedisOptions
---@field url string  redis://user:password@host:port/db, or rediss:// for TLS
---@field loop? string|scope3.Loop
---@field ca_file? string
---@field connect_seconds? number  until the connection is open; 10 unless given
---@field call_seconds? number  for a call, and for the greeting; 10 unless given
---@field name? string  how Redis shows the connection in CLIENT LIST; "scope3" unless given
---@field cancel? fun(): boolean?  asked at least four times a second while a call waits: true ends it
local KNOWN = { url = "string", loop = "any", ca_file = "string", connect_seconds = "seconds", call_seconds = "seconds",
  name = "string", cancel = "function" }

-- What a connection begins with: the commands, and which may be refused.
local function greeting(target, name)
  local user, password = target.credentials()
  local commands, optional = {}, {}
  if password then
    commands[1] = user and { "AUTH", user, password } or { "AUTH", password }
  end
  commands[#commands + 1] = { "CLIENT", "SETNAME", name }
  optional[#commands] = true
  if target.db ~= 0 then
    commands[#commands + 1] = { "SELECT", target.db }
  end
  return commands, optional
end

local MAY_LACK = { NOPERM = true, UNKNOWN_COMMAND = true }

local function greet(self, target, name)
  local commands, optional = greeting(target, name)
  local replies, err = self:pipeline(commands)
  if not replies then
    return nil, err
  end
  for i, reply in ipairs(replies) do
    if errors.is(reply) and not (optional[i] and MAY_LACK[reply.code]) then
      return nil, reply
    elseif optional[i] then
      self.named = not errors.is(reply)
    end
  end
  return self
end

local function open_wire(target, opts, loop)
  local callbacks = guard.new()
  local wire, err = wires.open({ url = target.address, loop = loop, ca_file = opts.ca_file,
    seconds = opts.connect_seconds or 10 },
    { cancel = callbacks:wrap("cancel", opts.cancel), guard = callbacks })
  if wire then
    return wire
  end
  -- A port without TLS waits for more of what it takes for a command.
  local remark = target.secure and err.kind == "timeout" and "; if the port speaks no TLS, the URL begins with redis://"
  return nil, errors.with(err, { message = "Redis: " .. err.message .. (remark or "") })
end

--- Opens a connection, logs in, and chooses the database.
---@param opts scope3.RedisOptions
---@return scope3.RedisConnection?
---@return scope3.Error? err
function redis.open(opts)
  opts = options.check("redis.open", opts, KNOWN)
  arguments.argument(type(opts.url) == "string", "redis.open", "url", "a string", opts.url)
  local name = opts.name or "scope3"
  arguments.argument(name:find("^[!-~]+$"), "redis.open", "name", "a text of visible characters without spaces", name)
  local loop = loops.find(opts.loop)
  local target, err = url.parse(opts.url)
  if not target then
    return nil, err
  end
  local why = loop.bar and loop.bar()
  if why then
    return nil, errors.new("cannot_wait", why)
  end
  local wire
  wire, err = open_wire(target, opts, loop)
  if not wire then
    return nil, err
  end
  local self = connection.new(wire, { call_seconds = opts.call_seconds or 10, cancel = opts.cancel })
  self.secure = target.secure
  local greeted
  greeted, err = greet(self, target, name)
  if not greeted then
    wire:close()
    return nil, errors.with(err, { uncertain = errors.NOTHING })
  end
  return self
end

return redis
