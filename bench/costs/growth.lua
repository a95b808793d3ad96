-- Counts the instructions of what grows, at n and at 4n, and fails where 4n take over 4.4 times as many.  make growth
--   lua5.4 bench/costs/growth.lua FOLDER [ROOM [WAY...]]
-- FOLDER has counted-5.4.so and fixed_seeds.so. A room is a file of bench/costs/growth/.
local callgrind = require "bench.costs.callgrind"
local child = require "scope3.sandbox.child"
local tree = require "bench.costs.tree"

local BOUND = 4.4 -- linear is 4; tables that double, and a sort, need a little more
local FOLDER, ROOM = arg[1], arg[2]
local ROOMS = ROOM and { ROOM } or { "memory", "service" }

-- Runs the ways of a room beside a sandbox. Its output is a line for each way: name, n, and what n are.
local function count(room, ways)
  local out = ("%s/growth-%s.out"):format(FOLDER, room)
  callgrind.forget(out)
  local sandbox = assert(child.start { interpreter = "lua5.4", task_seconds = 0, audience_seconds = 0 })
  local command = ("%sCOSTS_SANDBOX=%s %slua5.4 bench/costs/growth/counted.lua %s %s"):format(
    tree.environment("5.4", FOLDER, "5.4"), sandbox.url, callgrind.prefix(out, FOLDER .. "/fixed_seeds.so"), room, ways)
  local fine, said = pcall(tree.run, FOLDER, command)
  local ended, complaint = sandbox:close()
  assert(fine, said)
  assert(ended, complaint)
  return callgrind.results(out), said
end

local function ours(counted)
  return counted.own + counted.hashing
end

local function everything(counted)
  return ours(counted) + counted.others
end

-- Prints a way; gives whether it grows too fast. Copying is libc's, so that everything counts; a small part of ours
-- would not show in that.
local function judge(name, n, what, once, four_times)
  local own, all = ours(four_times) / ours(once), everything(four_times) / everything(once)
  local fails = own > BOUND or all > BOUND
  print(("%-16s %6d %14d %14d %7.3f %7.3f%s"):format(name, n, everything(once), everything(four_times), own, all,
    fails and "  MORE: " .. what or ""))
  return fails
end

print(("%-16s %6s %14s %14s %7s %7s"):format("", "n", "at n", "at 4n", "ours", "all"))
local ways, failed = 0, 0
for _, room in ipairs(ROOMS) do
  local counts, said = count(room, table.concat(arg, " ", 3))
  for name, n, what in said:gmatch "way\t([^\t\n]+)\t(%d+)\t([^\n]+)" do
    ways = ways + 1
    failed = failed + (judge(name, n, what, counts[name .. " 1"], counts[name .. " 4"]) and 1 or 0)
  end
end
if failed > 0 then
  print(("4n take over %.1f times as many: callgrind_annotate %s/growth-*.out.*"):format(BOUND, FOLDER))
end
print(("\n%d passed, %d failed"):format(ways - failed, failed))
os.exit(failed == 0 and ways > 0 and 0 or 1)
