-- run.lua SEED MEMBERS SECONDS [full]: the big trial of the fleet. Acts come at random while the members do.
-- Needs the paths of `make env`; `make trial` has them. Where something is wrong it ends with 1.
package.path = "./?.lua;" .. package.path
local acts = require "spec.fleet.trial.acts"
local entries = require "scope3.util.entries"
local nginx = require "spec.support.nginx"
local trial_of = require "spec.fleet.trial.trial"
local world = require "spec.support.world"

io.stdout:setvbuf "line"

local LEASE = 5

-- How often each act comes, of so many.
local WEIGHTS = {
  { 2, "kill_drainer" }, { 3, "kill_drainer_at_work" }, { 1, "stop_drainer" }, { 3, "stop_the_next_drainer" },
  { 4, "kill_worker" }, { 3, "kill_node" }, { 2, "kill_redis" }, { 4, "cut_redis" }, { 2, "kill_worker_without_redis" },
  { 2, "cut_redis_at_work" },
}

local function pick(trial, list)
  local sum = 0
  for _, one in ipairs(list) do
    sum = sum + one[1]
  end
  local left = trial.roll(sum)
  for _, one in ipairs(list) do
    left = left - one[1]
    if left <= 0 then
      return one[2]
    end
  end
end

local function act_on(trial, full)
  local list = {}
  for i, one in ipairs(WEIGHTS) do
    list[i] = one
  end
  if full then
    list[#list + 1] = { 25, "kill_drainer_of_full_redis" }
  end
  while not trial:is_made() do
    acts[pick(trial, list)](trial)
    trial:pass(trial.roll(100) / 50)
  end
end

local function told(list)
  local lines = {}
  for what, n in entries(list) do
    lines[#lines + 1] = ("  %s: %s"):format(what, n)
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local seed, full = tonumber(arg[1]) or 1, arg[4] == "full"
local members, seconds = tonumber(arg[2]) or 1000000, tonumber(arg[3]) or 300
print(("trial of seed %d: %d members in %d seconds%s"):format(seed, members, seconds,
  full and ", in a Redis that gets full" or ""))
local trial = trial_of.new { seed = seed, members = members, seconds = seconds, lease = LEASE, every = 2, pad = 0,
  max_bytes = 8000000, window = math.ceil(members / 6 / seconds * 10), batch = 200, busy_disk = true,
  maxmemory = full and "16mb" or nil, say = os.getenv "SAY" and print or nil }
local fine, found = xpcall(function()
  act_on(trial, full)
  return trial:finish()
end, debug.traceback)
if fine then
  print(told(trial.counts))
  print(told(found.counts))
  table.sort(trial.takeovers)
  local n = #trial.takeovers
  print(n == 0 and "  takeovers: none"
    or ("  takeovers: %d, from %.2f to %.2f seconds, where two leases are %d"):format(n, trial.takeovers[1],
      trial.takeovers[n], 2 * LEASE))
  print(found.wrong[1] and ("WRONG, seed %d:\n  %s%s"):format(seed, table.concat(found.wrong, "\n  "),
    found.more > 0 and ("\n  and %d more"):format(found.more) or "") or "  nothing is wrong")
else
  print(("FAILED, seed %d: %s\n  its files: %s"):format(seed, tostring(found), trial.folder))
end
pcall(nginx.close_all)
trial:close(not fine)
world.clean()
os.exit(fine and not found.wrong[1] and 0 or 1)
