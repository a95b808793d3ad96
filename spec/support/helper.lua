-- Runs before the specs: refuses to test anything but the tree's own build, and makes busted close the Lua state,
-- so that leak checkers see what is really left.
local core = assert(package.searchpath or function(name, path)
  for template in path:gmatch("[^;]+") do
    local file = template:gsub("%?", (name:gsub("%.", "/")))
    local handle = io.open(file)
    if handle then
      handle:close()
      return file
    end
  end
end)("scope3.core", package.cpath)
require "spec.support.traces".watch_errors()
assert(core and core:find("/build/", 1, true), "scope3.core would be loaded from outside the tree's build: "
  .. tostring(core))

-- RUN_UNDER=gc: a collection follows the other without a pause, so that what nothing refers to is gone at once.
local collector = os.getenv "SCOPE3_GC"
if collector == "generational" then
  collectgarbage "generational"
elseif collector then
  require "spec.support.collector"(0, tonumber(collector))
end
