-- The sandbox that the jobs of spec/torture talk to, from a process that did not start it.
local world = require "spec.support.world"

local json = world.json

local service = {}

--- Asks its control plane.
---@param place torture.Place
---@param method string
---@param path string
---@param value? table
---@return table
function service.control(place, method, path, value)
  local result = world.http(method, place.url .. "/sandbox/" .. path, value and json.encode(value))
  assert(result.status == 200, result.body or result.message)
  return json.decode(result.body)
end

--- Empties it.
---@param place torture.Place
function service.reset(place)
  service.control(place, "POST", "reset", {})
  service.control(place, "PUT", "config", { task_seconds = 0, audience_seconds = 0 })
end

--- Who is in an audience.
---@param place torture.Place
---@param audience string
---@return string[]
function service.ids(place, audience)
  return service.control(place, "GET", ("members?account=25&audience=%s&ids=1"):format(audience)).ids
end

return service
