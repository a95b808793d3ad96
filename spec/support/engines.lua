-- Engines of HTTP, and transfers over them.
local world = require "spec.support.world"

local curl = require "scope3.engine" -- behind the core, which `world` has loaded

local engines = {}

engines.KEY = "Authorization: Bearer scope3_engine_spec"

function engines.new(options)
  return assert(curl.engine(options or {}))
end

function engines.sync_url(sandbox)
  return sandbox.url .. "/api/v2/buyer/advertisers/25/audiences/sync"
end

-- One transfer to its end.
function engines.transfer(engine, request)
  assert(engine:submit(request))
  return world.next_result(engine)
end

return engines
