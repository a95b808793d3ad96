--- What a server says of itself by INFO: which one it is, and whether it is one that is needed here.
local errors = require "scope3.error"

local server = {}

local NEEDED = 7

--- The fields of replies to INFO. Lines that are no fields hold none of what is asked for.
---@param texts string[]
---@return table<string, string>
function server.fields(texts)
  local found = {}
  for _, text in ipairs(texts) do
    for line in text:gmatch "[^\r\n]+" do
      local name, value = line:match "^([%w_]+):(.*)$"
      if name then
        found[name] = value
      end
    end
  end
  return found
end

--- What it is called. A Valkey gives the version of the Redis that it stands in for, too.
---@param found table<string, string>
---@return "Redis"|"Valkey"
function server.name(found)
  return (found.server_name == "valkey" or found.valkey_version) and "Valkey" or "Redis"
end

--- Seconds since it was started, at least. It counts the seconds of its clock that have begun since: one may be the
--- end of the first. They are below 0 where that clock was set back.
---@param found table<string, string>  of the section `server`
---@return number?  nil where it does not say
function server.age(found)
  local seconds = tonumber((found.uptime_in_seconds or ""):match "^%-?%d+")
  return seconds and math.max(0, seconds - 1)
end

--- Why it can neither hold a queue nor give places, whatever its settings.
---@param found table<string, string>  of the section `server` at least
---@return scope3.Error?
function server.problem(found)
  local version = tonumber((found.redis_version or ""):match "^%d+")
  if found.redis_mode == "sentinel" or found.server_mode == "sentinel" then
    return errors.new("redis", "this is a sentinel, which only watches others and holds nothing: name the primary, and "
      .. "its port, in the URL", { code = "SENTINEL" })
  elseif not version or version < NEEDED then
    return errors.new("redis", ("this Redis is %s, and 7.0 or newer is needed, or a Valkey: older ones refuse every "
      .. "script once their memory is full (no flag allow-oom)"):format(version and found.redis_version:match "^[%w.]+"
      or "of an unknown version"), { code = "OLD_REDIS" })
  end
end

return server
