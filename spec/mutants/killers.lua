-- Which spec files are asked about a mutant, and in which order.
local shell = require "spec.mutants.shell"

local killers = {}

local BATCH = 2 -- usual seconds of the spec files that run in one process

-- The rooms that a simulated job passes.
local SIMULATED = {}
for room in ("api client http input job result util"):gmatch "%a+" do
  SIMULATED[room] = true
end
local SIMULATION = { file = "spec/simulation/run.lua", jobs = 300, seed = 1, patience = 20 }

---@class scope3.Killer
---@field name string  a spec file, or the program of the simulation
---@field seconds number
---@field command string?  in place of busted

--- A run of the simulation, if this tree has one that passes unchanged.
---@param stand scope3.Stand
---@return scope3.Killer?
function killers.simulation(stand)
  if not shell.read(SIMULATION.file) then
    return nil
  end
  local words = ('"$SCOPE3_LUA_BIN" %s count %d %d'):format(SIMULATION.file, SIMULATION.jobs, SIMULATION.seed)
  local command = "sh -c " .. shell.quote(words)
  local verdict, seconds = stand:run(command, SIMULATION.patience)
  return verdict == "passed" and { name = SIMULATION.file, seconds = seconds, command = command } or nil
end

-- The rooms of specs that C passes through most.
local OF_C = { "spec/core/", "spec/input/", "spec/identity/" }
local NEAREST_OF_C = { rows = "input", identity = "identity", members = "core", bytes = "core", files = "core" }

local function begins_with_one_of(text, list)
  for _, prefix in ipairs(list) do
    if text:sub(1, #prefix) == prefix then
      return true
    end
  end
end

-- The lines of C are not counted by spec.
local function covers(spec, lines, mutant)
  if mutant.specs or mutant.file:find "^csrc/" then
    return begins_with_one_of(spec, mutant.specs or OF_C)
  end
  local seen = lines.lines[mutant.file]
  for line in pairs(seen and mutant.lines or {}) do
    if seen[line] or lines.changed_files[mutant.file] then
      return true
    end
  end
end

-- A hook is not called for each line: not for one that is a `break` alone.
local function runs_file(_, lines, mutant)
  return lines.lines[mutant.file] ~= nil
end

local function specs_that(does, coverage, mutant)
  local list, changed = {}, 0
  for spec, lines in pairs(coverage) do
    if does(spec, lines, mutant) then
      list[#list + 1] = { name = spec, seconds = lines.seconds }
      changed = math.max(changed, lines.changed)
    end
  end
  return list, changed
end

--- Those that run a line of the mutant, or else of its file. Those that killed others of the file come first, by kills
--- per second. Then come those of the same room, and of these the quickest.
---@param mutant scope3.Mutant
---@param coverage table<string, scope3.SpecLines>
---@param simulation scope3.Killer?
---@param kills table<string, integer>?  of others of the file, by killer
---@return scope3.Killer[]
---@return number changed  when the last of them was
function killers.of(mutant, coverage, simulation, kills)
  local list, changed = specs_that(covers, coverage, mutant)
  if #list == 0 then
    list, changed = specs_that(runs_file, coverage, mutant)
  end
  if simulation and #list > 0 and SIMULATED[mutant.file:match "^lua/scope3/(%a+)"] then
    list[#list + 1] = simulation
  end
  local room = mutant.file:match "^lua/scope3/([^/.]+)" or NEAREST_OF_C[mutant.file:match "^csrc/core/([^/]+)"]
  local function rate(killer)
    return kills and (kills[killer.name] or 0) / killer.seconds or 0
  end
  local function is_near(killer)
    return killer.name:match "^spec/([^/]+)" == room
  end
  table.sort(list, function(a, b)
    if rate(a) ~= rate(b) then
      return rate(a) > rate(b)
    elseif is_near(a) ~= is_near(b) then
      return is_near(a)
    elseif a.seconds ~= b.seconds then
      return a.seconds < b.seconds
    end
    return a.name < b.name
  end)
  return list, changed
end

--- The next killers that run in one process.
---@param list scope3.Killer[]
---@param at integer  the first
---@return integer last
---@return number seconds  that they usually take
function killers.batch(list, at)
  local last, seconds = at, list[at].seconds
  while not list[at].command and list[last + 1] and not list[last + 1].command
    and seconds + list[last + 1].seconds <= BATCH do
    last = last + 1
    seconds = seconds + list[last].seconds
  end
  return last, seconds
end

return killers
