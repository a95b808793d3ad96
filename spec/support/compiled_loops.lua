-- Reads and writes nested values until LuaJIT has compiled the loops that do so, with many copies of the modules: each
-- copy lies elsewhere in memory, and so is compiled otherwise. Ends with the first reading that differs from that of
-- the interpreter.
--
--   luajit spec/support/compiled_loops.lua COPIES READINGS
local COPIES, READINGS = tonumber(arg[1]), tonumber(arg[2])
local MODULES = { "scope3.util.json", "scope3.api.field_types", "scope3.api.response" }

-- Of different depths and widths, so that the compiled loops are left in many places.
local VALUES = {
  { aId = 1, b = { 1, 2, { x = "y", z = { 1, 2 } } }, c = { d = { e = { f = "g", h = {} } } } },
  { { id = "1", nNow = 2 }, { id = "2", n = { 1, 2, 3 } }, { id = "3" } },
  { a = { 1 }, b = "x", c = true, d = 1.5, e = { q = { z = 1 } }, f = { g = 1 }, h = { { { {} } } } },
  { a = { x = { y = 1, z = 2 }, q = { r = { s = 1 } } }, b = { c = { d = 1 } } },
}

-- Reads a value as from a reply, and writes it as JSON.
local function fresh_reading()
  for _, name in ipairs(MODULES) do
    package.loaded[name] = nil
  end
  local json, response = require "scope3.util.json", require "scope3.api.response"
  return function(value)
    return json.pretty(response.read(value))
  end
end

local function first_that_differs(reading)
  local interpreted = {}
  jit.off()
  for i, value in ipairs(VALUES) do
    interpreted[i] = reading(value)
  end
  jit.on()
  for n = 1, READINGS do
    local i = n % #VALUES + 1
    local fine, text = pcall(reading, VALUES[i])
    if not fine or text ~= interpreted[i] then
      return n, text, interpreted[i]
    end
  end
end

for copy = 1, COPIES do
  local n, text, interpreted = first_that_differs(fresh_reading())
  if n then
    print(("reading %d of copy %d:\n%s\ninstead of\n%s"):format(n, copy, text, interpreted))
    os.exit(1)
  end
end
print "all alike"
