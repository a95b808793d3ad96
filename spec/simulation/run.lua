-- Simulations of fresh seeds, for so long, or one seed with its trace:
--
--     lua5.4 spec/simulation/run.lua SECONDS [SEED]
--     lua5.4 spec/simulation/run.lua count HOW_MANY SEED [broken]
--     lua5.4 spec/simulation/run.lua trace SEED
--
-- `broken` makes the service lose a member now and then, so that every check has something to find.
local collector = require "spec.support.collector"
local simulate = require "spec.simulation.simulate"

collector(400)

local run = {}

local function temporary_folder()
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute("mkdir " .. name))
  return name
end

local function count_into(totals, counts)
  for name, n in pairs(counts) do
    totals[name] = (totals[name] or 0) + n
  end
end

local function print_counts(title, counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = ("%s %d"):format(name, counts[name])
  end
  print(("%s: %s"):format(title, #names > 0 and table.concat(names, ", ") or "none"))
end

local function print_trace(world)
  for _, line in ipairs(world.trace) do
    print((line:gsub("[\r\n]+", " ")))
  end
  for _, job in ipairs(world.plan.jobs) do
    local result = job.result and job.result:json()
    print(("job %d, %s: %s\n%s"):format(job.number, job.kind, tostring(job.err), tostring(result)))
  end
end

local function end_of(job)
  return job.err and (job.err.code or job.err.kind) or "whole"
end

local function add_up(totals, world)
  totals.worlds, totals.requests = totals.worlds + 1, totals.requests + world.requests
  totals.hours = totals.hours + world.ended_at / 3600
  count_into(totals.faults, world.faults)
  count_into(totals.switches, world.switches.thrown)
  for _, job in ipairs(world.plan.jobs) do
    totals.jobs, totals.deaths = totals.jobs + 1, totals.deaths + job.deaths
    totals.ends[end_of(job)] = (totals.ends[end_of(job)] or 0) + 1
  end
end

local function command_of(word, seed)
  local lua, lowest = "lua", 0
  while arg[lowest - 1] do
    lowest = lowest - 1
    lua = arg[lowest]
  end
  return ("%s spec/simulation/run.lua %s %d"):format(lua, word, seed)
end

local function report_failure(seed, problems)
  for _, problem in ipairs(problems) do
    print(("seed %d: %s"):format(seed, problem))
  end
  print("to see it again:  " .. command_of("trace", seed))
end

-- One seed. Gives its world, or what was raised.
local function attempt(seed, folder, trace)
  local ok, world = xpcall(function()
    return simulate.run(seed, folder, trace)
  end, debug.traceback)
  if not ok then
    return { failures = { world } }
  end
  return world
end

-- Says what was done.
local function print_totals(totals, spent)
  print(("%d jobs in %d simulations, %d requests, %d kills, %.0f virtual hours, %.1f s, %.0f jobs a minute"):format(
    totals.jobs, totals.worlds, totals.requests, totals.deaths, totals.hours, spent, totals.jobs / spent * 60))
  print_counts("faults", totals.faults)
  print_counts("switches", totals.switches)
  print_counts("ends", totals.ends)
end

-- Runs seeds from the first on, until one fails or `is_over` says so.
local function run_seeds(seed, folder, is_over)
  local totals = { worlds = 0, jobs = 0, deaths = 0, requests = 0, hours = 0, faults = {}, switches = {}, ends = {} }
  local started = os.clock()
  print(("first seed %d"):format(seed))
  local failures
  repeat
    local world = attempt(seed, folder)
    failures = world.failures
    if failures[1] then
      report_failure(seed, failures)
    else
      add_up(totals, world)
    end
    seed = seed + 1
  until failures[1] or is_over(totals)
  print_totals(totals, os.clock() - started)
  print(("\n%d passed, %d failed"):format(totals.worlds, failures[1] and 1 or 0))
  return failures[1] == nil
end

local function run_for(seconds, seed, folder)
  local wall = os.time()
  return run_seeds(seed, folder, function()
    return os.time() - wall >= seconds
  end)
end

local function run_count(count, seed, folder)
  return run_seeds(seed, folder, function(totals)
    return totals.worlds >= count
  end)
end

local function run_traced(seed, folder)
  local world = attempt(seed, folder, true)
  if world.trace then
    print_trace(world)
  end
  if world.failures[1] then
    report_failure(seed, world.failures)
  end
  return not world.failures[1]
end

function run.main(word, number, seed, how)
  local folder = temporary_folder()
  local fine
  simulate.is_broken = how == "broken"
  if word == "trace" then
    fine = run_traced(assert(tonumber(number)), folder)
  elseif word == "count" then
    fine = run_count(assert(tonumber(number)), assert(tonumber(seed)), folder)
  else
    fine = run_for(assert(tonumber(word), "how many seconds?"), tonumber(number) or os.time() * 1000, folder)
  end
  os.execute("rm -r " .. folder)
  os.exit(fine and 0 or 1)
end

run.main(arg[1], arg[2], arg[3], arg[4])
