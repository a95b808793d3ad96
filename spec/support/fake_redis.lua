-- A Redis without a server, which runs scripts by a clock of the spec: it may be away, start anew with its data, or
-- without it, or with what it saved before, and take a script whose reply is lost.
local errors = require "scope3.error"

local FakeRedis = {}
FakeRedis.__index = FakeRedis

local function text_of(value)
  return type(value) == "number" and ("%.17g"):format(value) or value
end

local commands = {}

function commands.HSET(data, key, ...)
  local hash = data[key] or {}
  data[key] = hash
  local pairs_of = { ... }
  for i = 1, #pairs_of, 2 do
    hash[pairs_of[i]] = text_of(pairs_of[i + 1])
  end
end

function commands.HGET(data, key, field)
  return (data[key] or {})[field] or false
end

function commands.HMGET(data, key, ...)
  local values = {}
  for i, field in ipairs { ... } do
    values[i] = commands.HGET(data, key, field)
  end
  return values
end

function commands.HDEL(data, key, ...)
  for _, field in ipairs { ... } do
    (data[key] or {})[field] = nil
  end
end

function commands.HINCRBY(data, key, field, by)
  data[key][field] = text_of(tonumber(data[key][field]) + by)
end

function commands.ZADD(data, key, score, member)
  data[key] = data[key] or {}
  data[key][member] = score
end

function commands.ZREMRANGEBYSCORE(data, key, _, most)
  for member, score in pairs(data[key] or {}) do
    if score <= most then
      data[key][member] = nil
    end
  end
end

function commands.ZCARD(data, key)
  local n = 0
  for _ in pairs(data[key] or {}) do
    n = n + 1
  end
  return n
end

function commands.LPUSH(data, key, value)
  data[key] = data[key] or {}
  table.insert(data[key], 1, text_of(value))
end

function commands.LINDEX(data, key, i)
  return (data[key] or {})[i + 1] or false
end

function commands.LRANGE(data, key)
  return data[key] or {}
end

function commands.LTRIM(data, key, _, last)
  for i = #(data[key] or {}), last + 2, -1 do
    data[key][i] = nil
  end
end

function commands.PEXPIRE() end

local compiled = {}

local function compile(text)
  if not compiled[text] then
    local body = "local KEYS, ARGV, redis = ...\n" .. text:gsub("^#![^\n]*", "")
    compiled[text] = assert((loadstring or load)(body)) -- luacheck: ignore 113
  end
  return compiled[text]
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, one in pairs(value) do
    made[key] = copy(one)
  end
  return made
end

--- @param clock fun(): number  seconds since 1970 by Redis
--- @param steady? fun(): number  a clock that never goes back
local function new(clock, steady)
  return setmetatable({ clock = clock, data = {}, starts = 1, is_up = true, saved = {}, scripts = 0,
    steady = steady or clock, began = (steady or clock)() - 3600 }, FakeRedis)
end

local function network_error(message)
  return errors.new("network", message, { code = "REFUSED", retryable = true })
end

--- What opens a connection, as scope3.redis.link takes it. `before` and `after` a script may say that it is lost.
function FakeRedis:opener(before, after)
  return function()
    if not self.is_up then
      return nil, network_error "Redis is away"
    end
    local start, connection = self.starts, {}
    function connection.is_open()
      return self.is_up and self.starts == start
    end
    function connection.close() end
    function connection.script(_, text, keys, args)
      if not connection.is_open() or before and before() then
        return nil, network_error "the connection broke"
      end
      local texts = {}
      for i, value in ipairs(args) do
        texts[i] = text_of(value)
      end
      self.scripts = self.scripts + 1
      local reply = compile(text)(keys, texts, {
        call = function(name, ...)
          if name == "TIME" then
            local now = self.clock()
            return { ("%.0f"):format(math.floor(now)), ("%.0f"):format(math.floor(now % 1 * 1e6)) }
          end
          return commands[name](self.data, ...)
        end,
      })
      if after and after() then
        return nil, network_error "the connection broke"
      end
      return reply
    end
    return connection, "run" .. self.starts, self.steady() - self.began
  end
end

function FakeRedis:save()
  self.saved = copy(self.data)
end

--- Starts anew: with what it holds, with nothing, or with what was saved.
--- @param with "all"|"nothing"|"saved"
function FakeRedis:restart(with)
  self.starts, self.is_up, self.began = self.starts + 1, true, self.steady()
  if with == "nothing" then
    self.data = {}
  elseif with == "saved" then
    self.data = copy(self.saved)
  end
end

return new
