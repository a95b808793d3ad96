-- Has calls on a file, or allocations, fail in a process of the command. LUA_INIT runs this file before the command,
-- and behind what it holds already: a hook that counts lines stays.
-- FAILING holds: the library of spec/support that does it and its name, what of, the number of the first call that
-- fails, how many do, how, and a file that takes how many calls there were and how many failed.
local library, name, of, k, count, how, told =
  os.getenv("FAILING"):match "^(%S+) (%S+) (%S+) (%d+) (%d+) (%S+) (%S+)$"
local module = assert(package.loadlib(library, "luaopen_" .. name))()
k, count = tonumber(k), tonumber(count)

local BEGIN = {
  failing_calls = function()
    module.of_files(of, k, count, how)
  end,
  no_memory = function()
    module.fail(of, k, count)
  end,
  failing = function()
    module.here(k, count)
  end,
}

local file, exit = assert(io.open(told, "w")), os.exit
function os.exit(...) -- luacheck: ignore 122
  local asked, failed = (module.stop or module.asked)()
  file:write(("%d %d\n"):format(asked, failed))
  file:close()
  exit(...)
end

BEGIN[name]()
