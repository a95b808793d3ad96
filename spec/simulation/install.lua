-- Puts virtual time, seeded numbers, the engine double and a disk in memory in place of the real ones. To be required
-- before `scope3`: its modules keep some of these functions.
assert(not package.loaded.scope3, "the simulation has to be installed before scope3 is loaded")

local core = require "scope3.core"
local curl = require "scope3.engine"
local current = require "spec.simulation.current"
local rare = require "scope3.util.rare"

local EPOCH = 1790000000 -- seconds since 1970 at which every simulation begins

local function now()
  return current.world and current.world:look() or 0
end

core.now = now

function core.time()
  return EPOCH + now()
end

function core.sleep()
  error "a simulation never sleeps"
end

function core.random()
  return current.world.client_dice:unit()
end

function curl.engine()
  return require("spec.simulation.engine").new()
end

function core.append_file(path, is_known)
  return current.world.disk:open(path, is_known)
end

function rare.number(name, usual)
  return current.world.switches:number(name, usual)
end

function rare.happens(name)
  return current.world.switches:happens(name)
end

return core
