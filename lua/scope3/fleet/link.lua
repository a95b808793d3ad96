--- A connection to the Redis that has a queue, looked at before anything is asked of it.
local checks = require "scope3.fleet.checks"
local queue = require "scope3.fleet.queue"
local redis = require "scope3.redis"

local link = {}

link.SECONDS = 10 -- for a call, and until the connection is open

---@class scope3.QueuePlace
---@field url string
---@field ca_file? string
---@field queue string  its name
---@field client string  the name of the connection
---@field seconds? number  for a call, and until the connection is open; link.SECONDS unless given

--- Opens one.
---@param loop scope3.Loop
---@param place scope3.QueuePlace
---@param cancel fun(): boolean?
---@return scope3.RedisConnection?
---@return scope3.Queue|scope3.Error queue  or why there is none
---@return scope3.Warning? warning
---@return integer? up  seconds since Redis began
function link.open(loop, place, cancel)
  local seconds = place.seconds or link.SECONDS
  local connection, err = redis.open { url = place.url, loop = loop, ca_file = place.ca_file, name = place.client,
    call_seconds = seconds, connect_seconds = seconds, cancel = cancel }
  if not connection then
    return nil, err
  end
  local host
  host, err = checks.look(connection)
  if not host then
    connection:close()
    return nil, err
  end
  return connection, queue.new(connection, place.queue, host.run), host.warning, host.up
end

return link
