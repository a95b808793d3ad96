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
