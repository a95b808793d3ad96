--- The connection of a drainer to the Redis that has its queue, looked at before anything is asked of it.
local checks = require "scope3.fleet.checks"
local queue = require "scope3.fleet.queue"
local redis = require "scope3.redis"

local link = {}

local SECONDS = 10 -- for a call, and until the connection is open; less where the lease is short

link.WARNINGS = {
  appendonly_off = "this Redis keeps no log, so what it holds is lost when it ends: set appendonly to yes",
}

--- Opens one.
---@param loop scope3.Loop
---@param opts table  checked options of client:drain
---@param cancel fun(): boolean?
---@return scope3.RedisConnection?
---@return scope3.Queue|scope3.Error queue  or why there is none
---@return string? warning  code
---@return integer? up  seconds since Redis began
function link.open(loop, opts, cancel)
  local seconds = math.min(SECONDS, opts.lease / 3)
  local connection, err = redis.open { url = opts.redis, loop = loop, ca_file = opts.redis_ca_file,
    name = "scope3-drain", call_seconds = seconds, connect_seconds = seconds, cancel = cancel }
  if not connection then
    return nil, err
  end
  local host
  host, err = checks.look(connection)
  if not host then
    connection:close()
    return nil, err
  end
  return connection, queue.new(connection, opts.queue, host.run), host.warning, host.up
end

return link
