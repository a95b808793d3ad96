-- The trial of one mutant: its specs run until one fails, or until they cost too much.
local killers = require "spec.mutants.killers"
local shell = require "spec.mutants.shell"
local specs = require "spec.mutants.specs"

local trial = {}

local function run(stand, list, first, last, seconds)
  if list[first].command then
    return stand:run(list[first].command, seconds), list[first].name
  end
  local files = {}
  for i = first, last do
    files[#files + 1] = list[i].name
  end
  return specs.run(stand, files, seconds)
end

--- The mutant stands in the tree already.
---@param stand scope3.Stand
---@param list scope3.Killer[]
---@param cap number  usual seconds that its specs may cost together
---@return scope3.MutantResult
function trial.of(stand, list, cap)
  local began, cost, at, result = shell.now(), 0, 1, nil
  while list[at] and not result do
    local last, seconds = killers.batch(list, at)
    if cost > 0 and cost + seconds > cap then
      result = { status = "capped", killer = "" }
    else
      local verdict, killer = run(stand, list, at, last, seconds)
      if verdict ~= "passed" then
        result = { status = "killed", killer = killer, how = verdict }
      end
    end
    cost, at = cost + seconds, last + 1
  end
  result = result or { status = "survived", killer = "" }
  result.seconds, result.cap = shell.now() - began, cap
  return result
end

return trial
