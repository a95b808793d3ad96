--- The connections by which a limiter asks Redis: one for each loop, opened when it is needed. A connection that broke
--- while nobody used it is opened anew at once.
local core = require "scope3.core"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local redis = require "scope3.redis"
local server = require "scope3.redis.server"

local link = {}

local LEEWAY = 1 -- seconds past its time after which a call counts as lost: a host may drop a coroutine

---@class scope3.RedisLink
---@field private open fun(loop?: scope3.Loop): table?, string|scope3.Error, number?  a connection, the run of Redis and
---  the seconds since it was started
---@field private clock fun(): number
---@field private longest number  seconds of a call, at most
---@field private lines table<any, scope3.RedisLine>  by loop
local Link = {}
Link.__index = Link

---@class scope3.RedisLine
---@field connection scope3.RedisConnection?
---@field run string?  of Redis, as long as it does not start anew
---@field started number?  when Redis did, at the latest
---@field turn {ends: number}?  of who calls
---@field id string  of who asks over this connection: workers that were forked from one process differ

--- How a real Redis is reached. Its `run` differs after each start, so no connection outlives one.
---@param options {url: string, ca_file: string?, connect_seconds: number, call_seconds: number}
---@return fun(loop?: scope3.Loop): table?, string|scope3.Error
function link.opener(options)
  return function(loop)
    local connection, err = redis.open {
      url = options.url, ca_file = options.ca_file, loop = loop, name = "scope3-limiter",
      connect_seconds = options.connect_seconds, call_seconds = options.call_seconds,
    }
    if not connection then
      return nil, err
    end
    local info
    info, err = connection:call("INFO", "server")
    local found = server.fields { type(info) == "string" and info or "" }
    local run, age = (found.run_id or ""):match "^%w+", server.age(found)
    err = err or server.problem(found) or not (run and age)
      and errors.new("redis", "INFO of Redis names no run_id or no uptime", { code = "BAD_REPLY" }) or nil
    if err then
      connection:close()
      return nil, err
    end
    return connection, run, age
  end
end

--- Makes one.
---@param open fun(loop?: scope3.Loop): table?, string|scope3.Error
---@param clock fun(): number
---@param longest number  seconds of a call, at most
---@return scope3.RedisLink
function link.new(open, clock, longest)
  return setmetatable({ open = open, clock = clock, longest = longest, lines = setmetatable({}, { __mode = "k" }) },
    Link)
end

local function close(line)
  local connection = line.connection
  line.connection = nil
  if connection then
    connection:close()
  end
end

-- A connection, and whether it was used before.
local function connect(self, line, loop)
  if line.connection and line.connection:is_open() then
    return line.connection, true
  end
  close(line)
  local connection, run, age = self.open(loop)
  if not connection then
    return nil, run
  end
  line.connection, line.run = connection, run
  line.id = core.sha256(("%.17g %.17g"):format(core.random(), core.random())):sub(1, 12)
  line.started = self.clock() - age
  return connection, false
end

local function exchange(self, line, loop, ask)
  local connection, used = connect(self, line, loop)
  if not connection then
    return nil, used
  end
  local reply, err = ask(connection, line)
  if reply ~= nil or not used or err.kind ~= "network" then
    return reply, err
  end
  connection, used = connect(self, line, loop)
  if not connection then
    return nil, used
  end
  return ask(connection, line)
end

--- Asks Redis something. Not while another coroutine does.
---@param loop scope3.Loop?
---@param ask fun(connection: scope3.RedisConnection, line: scope3.RedisLine): any, scope3.Error?
---@return any reply  nil alone: another coroutine asks
---@return scope3.Error? err
function Link:call(loop, ask)
  local key, now = loop or self, self.clock()
  local line = self.lines[key] or {}
  self.lines[key] = line
  if line.turn and now < line.turn.ends then
    return nil
  elseif line.turn then
    close(line) -- who called will never take its reply
  end
  local turn = { ends = now + self.longest + LEEWAY }
  line.turn = turn
  local fine, reply, err = guard.call(exchange, self, line, loop, ask)
  if line.turn == turn then
    line.turn = nil
    if not fine then
      close(line)
    end
  end
  if loop and loop.hold then
    loop.hold() -- others may have run meanwhile
  end
  if not fine then
    error(reply, 0)
  end
  return reply, err
end

return link
