-- Counts what a function takes, in a process that runs under callgrind.
local counted = assert(package.loadlib(os.getenv "COSTS_MARKS", "luaopen_counted"))()

-- Runs until memory and tables have their size, and to the last run, which is counted.
local WARM_UP = 3

--- Calls a function several times, and counts the last call. The garbage collector stands still meanwhile: how many of
--- its rounds fall into a call depends on everything that was allocated before.
---@param name string  for the result
---@param run function
---@param ... any  its arguments
return function(name, run, ...)
  for _ = 1, WARM_UP do
    run(...)
  end
  collectgarbage()
  collectgarbage()
  collectgarbage "stop"
  counted.zero()
  run(...)
  counted.dump(name)
  collectgarbage "restart"
end
