-- Runs under callgrind: each way of a room at n and at 4n.
--   counted.lua ROOM [WAY...]
local world = require "spec.support.world"

local counted = assert(package.loadlib(os.getenv "COSTS_MARKS", "luaopen_counted"))()

local WAYS, WANTED = require("bench.costs.growth." .. arg[1]).WAYS, {}
for i = 2, #arg do
  WANTED[arg[i]] = true
end

-- The garbage collector stands still meanwhile: how many of its rounds fall into a call depends on all before.
local function count(name, run)
  collectgarbage()
  collectgarbage "stop"
  counted.zero()
  run()
  counted.dump(name)
  collectgarbage "restart"
end

for _, way in ipairs(WAYS) do
  local name, n, prepare, what = way[1], way[2], way[3], way[4]
  if #arg == 1 or WANTED[name] then
    prepare(n)() -- first use has costs of its own
    count(name .. " 1", prepare(n))
    count(name .. " 4", prepare(4 * n))
    io.stderr:write("way\t", name, "\t", n, "\t", what, "\n")
  end
end
world.clean()
