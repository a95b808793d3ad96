--- Whether a Redis can hold a queue. Asked at each connection: behind an address there may be another one by now.
local errors = require "scope3.error"
local server = require "scope3.redis.server"

local checks = {}

-- What is wrong with its settings.
local function problem(found)
  local policy = found.maxmemory_policy or "unknown"
  if policy ~= "noeviction" and found.maxmemory ~= "0" then
    return errors.new("redis", ("this %s removes keys when its memory is full (maxmemory-policy is %s), and a queue "
      .. "would lose members without a word: set maxmemory-policy to noeviction"):format(server.name(found),
      policy:match "^[%w-]+"), { code = "EVICTS" })
  end
end

-- What may be meant so.
local function warning(found)
  if found.aof_enabled ~= "1" then
    return { code = "appendonly_off", message = ("this %s keeps no log, so what it holds is lost when it ends: "
      .. "set appendonly to yes"):format(server.name(found)) }
  end
end

---@class scope3.QueueHost
---@field run string  unique for the time since it started
---@field up integer  seconds since then, at least; 0 where it was a replica of another one before
---@field warning? scope3.Warning  code "appendonly_off"

--- Looks at the Redis behind a connection.
---@param connection scope3.RedisConnection
---@return scope3.QueueHost?
---@return scope3.Error? err
function checks.look(connection)
  local replies, err = connection:pipeline { { "INFO", "server" }, { "INFO", "memory" }, { "INFO", "persistence" },
    { "INFO", "replication" } }
  local texts = {}
  for i, reply in ipairs(replies or {}) do
    err = err or errors.is(reply) and reply or nil
    texts[i] = type(reply) == "string" and reply or ""
  end
  local found = server.fields(texts)
  err = err or server.problem(found) or problem(found)
  if err then
    return nil, err
  end
  local up = found.second_repl_offset == "-1" and server.age(found) or 0
  return { run = (found.run_id or ""):match "^%x*", up = up, warning = warning(found) }
end

return checks
