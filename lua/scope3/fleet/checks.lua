--- Whether a Redis can hold a queue. Asked at each connection: behind an address there may be another one by now.
local errors = require "scope3.error"

local checks = {}

local NEEDED = 7

-- The fields of a reply to INFO. Lines of more than some bytes hold none of what is asked for.
local function fields_of(text, found)
  for line in text:gmatch "[^\r\n]+" do
    local name, value = line:match "^([%w_]+):(.*)$"
    if name then
      found[name] = value
    end
  end
end

-- What is wrong with it, as a code and a message.
local function problem(found)
  local version, policy = tonumber((found.redis_version or ""):match "^%d+"), found.maxmemory_policy or "unknown"
  if not version or version < NEEDED then
    return "OLD_REDIS", ("this Redis is %s, and a queue needs 7.0 or newer, or Valkey: older ones refuse every script "
      .. "once their memory is full (no flag allow-oom), so a drainer that died could never be replaced")
      :format(version and found.redis_version:match "^[%w.]+" or "of an unknown version")
  elseif policy ~= "noeviction" and found.maxmemory ~= "0" then
    return "EVICTS", ("this Redis removes keys when its memory is full (maxmemory-policy is %s), and a queue would "
      .. "lose members without a word: set maxmemory-policy to noeviction"):format(policy:match "^[%w-]+")
  end
end

---@class scope3.QueueHost
---@field run string  unique for the time since it started
---@field up integer  seconds since then, at least; 0 where it was a replica of another one before
---@field warning? "appendonly_off"

--- Looks at the Redis behind a connection.
---@param connection scope3.RedisConnection
---@return scope3.QueueHost?
---@return scope3.Error? err
function checks.look(connection)
  local replies, err = connection:pipeline { { "INFO", "server" }, { "INFO", "memory" }, { "INFO", "persistence" },
    { "INFO", "replication" } }
  local found = {}
  for _, reply in ipairs(replies or {}) do
    err = err or errors.is(reply) and reply or nil
    fields_of(type(reply) == "string" and reply or "", found)
  end
  if err then
    return nil, err
  end
  local code, message = problem(found)
  if code then
    return nil, errors.new("redis", message, { code = code })
  end
  local up = found.second_repl_offset == "-1" and tonumber(found.uptime_in_seconds) or 0
  return { run = (found.run_id or ""):match "^%x*", up = up,
    warning = found.aof_enabled ~= "1" and "appendonly_off" or nil }
end

return checks
