-- Has calls on a file fail in a process of the command. LUA_INIT runs this file before the command, and behind what it
-- holds already: a hook that counts lines stays.
-- FAILING_CALLS holds: the library of spec/support/failing_calls.c, part of the file's path, the number of the first
-- call that fails, how many do, how, and a file that takes how many calls there were and how many failed.
local library, path, k, count, how, told = os.getenv("FAILING_CALLS"):match "^(%S+) (%S+) (%d+) (%d+) (%S+) (%S+)$"
local failing_calls = assert(package.loadlib(library, "luaopen_failing_calls"))()

local exit = os.exit
function os.exit(...) -- luacheck: ignore 122
  local asked, failed = failing_calls.stop()
  local file = assert(io.open(told, "w"))
  file:write(("%d %d\n"):format(asked, failed))
  file:close()
  exit(...)
end

failing_calls.of_files(path, tonumber(k), tonumber(count), how)
