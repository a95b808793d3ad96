-- Nights of a mirror by seed: a season after the other.
--
--     lua5.4 spec/mirror/nights/run.lua SEEDS NIGHTS [FIRST] [MUTANT]
--     lua5.4 spec/mirror/nights/run.lua mutants SEEDS NIGHTS [FIRST]
--     lua5.4 spec/mirror/nights/run.lua trace SEASON [MUTANT]
package.path = "lua/?.lua;lua/?/init.lua;./?.lua;" .. package.path
local rules = require "spec.mirror.nights.rules"
local season = require "spec.mirror.nights.season"

local nights_of = require "spec.mirror.nights.nights_of"

local run = {}

local function print_first(first, mutant)
  if first then
    print(("  season %.0f: %s"):format(first.season, first.problem))
    print(("  to see it again:  lua5.4 spec/mirror/nights/run.lua trace %.0f%s"):format(first.season,
      mutant and (" '%s'"):format(mutant) or ""))
  end
end

local function print_totals(totals)
  local names = {}
  for name in pairs(totals) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = ("%s %d"):format(name, totals[name])
  end
  print(table.concat(names, ", "))
end

local function run_seeds(seeds, nights, from, mutant)
  local wrong, totals = 0, {}
  for seed = from, from + seeds - 1 do
    local found = nights_of.seed(seed, nights, mutant and rules.broken(mutant) or rules.right(), totals)
    print(("seed %d: %d nights, %d wrong"):format(seed, nights, found.wrong))
    print_first(found.first, mutant)
    wrong = wrong + found.wrong
  end
  print_totals(totals)
  print(("%d x %d nights, %d wrong, %.0f s"):format(seeds, nights, wrong, os.clock()))
  return wrong == 0
end

-- Wrong nights of each mutant. Each has to have one.
local function run_mutants(seeds, nights, from)
  local all = true
  for _, name in ipairs(rules.ORDER) do
    local wrong, first = 0, nil
    for seed = from, from + seeds - 1 do
      local found = nights_of.seed(seed, nights, rules.broken(name))
      wrong, first = wrong + found.wrong, first or found.first
    end
    print(("%-44s %6d wrong of %d"):format(name, wrong, seeds * nights))
    print_first(first, name)
    all = all and wrong > 0
  end
  return all
end

function run.main(word, number, third, fourth)
  local fine
  if word == "trace" then
    local world = season.run(tonumber(number), third and rules.broken(third) or rules.right(), true)
    print(world.problem or "nothing is wrong")
    fine = not world.problem
  elseif word == "mutants" then
    fine = run_mutants(tonumber(number), tonumber(third), tonumber(fourth) or 1)
  else
    fine = run_seeds(assert(tonumber(word), "how many seeds?"), assert(tonumber(number), "how many nights?"),
      tonumber(third) or 1, fourth)
  end
  os.exit(fine and 0 or 1)
end

run.main(arg[1], arg[2], arg[3], arg[4])
