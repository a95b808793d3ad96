-- Runs spec/torture/sweep.lua for a spec, and fails with what it complained of.
local assert = require "luassert"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local sweeps = {}

--- How many points of each sweep are tried, at most: all where somebody asked for that.
sweeps.MOST = world.in_full and 1e9 or world.thorough and 4 or 2

-- Seconds after which a sweep counts as one that hangs: many times what it takes.
local DEADLINE = world.in_full and 7200 or 600

--- Runs one. `preload` has the library loaded before all others.
---@param what string
---@param job string
---@param mode string
---@param settings {url: string, folder: string, gzip: string?, library: string, most: integer?}
---@param preload? boolean
---@return integer failed  tries in which the job failed
function sweeps.run(what, job, mode, settings, preload)
  assert.is_string(settings.library)
  local all = { seed = seed, most = sweeps.MOST }
  for key, value in pairs(settings) do
    all[key] = value
  end
  local command = ("timeout %d env %s %s spec/torture/sweep.lua %s %s %s '%s'"):format(DEADLINE,
    preload and "LD_PRELOAD=" .. settings.library or "", os.getenv "SCOPE3_LUA_BIN", what, job, mode,
    world.json.encode(all))
  local pipe = assert(io.popen(("(%s; echo status $?) 2>&1"):format(command)))
  local said = pipe:read "*a"
  pipe:close()
  local failed = said:match "swept %d+ calls: [1-9]%d* tries, (%d+) failed, 0 problems\nstatus 0\n$"
  assert.truthy(failed, ("%s of %s, seed %d: %s"):format(what, job, seed, said:sub(1, 4000)))
  return tonumber(failed)
end

--- A folder with the rows of the jobs, plain and packed. The caller removes it.
---@return string
function sweeps.folder()
  local folder = world.path ""
  os.execute("mkdir " .. folder)
  world.write(folder .. "/packed.csv", require("spec.torture.jobs").ROWS)
  os.execute("gzip " .. folder .. "/packed.csv")
  return folder
end

return sweeps
