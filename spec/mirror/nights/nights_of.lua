-- Seasons of a seed, one after the other, up to so many nights.
local season = require "spec.mirror.nights.season"

local nights_of = {}

local SEASONS = 100000 -- of a seed, at most

--- Gives the nights that were wrong, and the first season that had one. A season ends with its first wrong night.
--- `totals` are added to. `enough` ends it at the first that is wrong.
function nights_of.seed(seed, nights, rules, totals, enough)
  local found, done, number = { wrong = 0 }, 0, 0
  while done < nights and not (enough and found.first) do
    local world = season.run(seed * SEASONS + number, rules)
    done, number = done + world.nights, number + 1
    for name, count in pairs(totals and world.totals or {}) do
      totals[name] = (totals[name] or 0) + count
    end
    if world.problem then
      found.wrong = found.wrong + 1
      found.first = found.first or { season = seed * SEASONS + number - 1, problem = world.problem }
    end
  end
  return found
end

return nights_of
