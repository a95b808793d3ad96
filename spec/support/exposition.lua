-- Prometheus' text format: reads it as strictly as Prometheus, and has promtool look at it where that is installed.
local world = require "spec.support.world"

local exposition = {}

--- Whether a program is installed.
function exposition.has(program)
  local found = os.execute(("command -v %s >/dev/null 2>&1"):format(program))
  return found == true or found == 0
end

--- The samples of a page, by name and labels. Fails unless each family is told once, before its samples.
function exposition.read(page)
  local found, family, seen = {}, nil, {}
  assert(page == "" or page:sub(-1) == "\n", "the last line does not end")
  for line in page:gmatch "([^\n]*)\n" do
    local help, kind = line:match "^# HELP (%S+) ", line:match "^# TYPE (%S+) "
    if help then
      assert(not seen[help], help .. " is told twice")
      seen[help], family = true, help
    elseif kind then
      assert(kind == family, line)
    else
      local name, labels, value = line:match "^([%a_][%w_]*)(%b{}) (%S+)$"
      if not name then
        name, value = line:match "^([%a_][%w_]*) (%S+)$"
      end
      assert(name and name:find("^" .. family), line)
      local key = name .. (labels or "")
      assert(found[key] == nil, key .. " stands twice")
      found[key] = assert(tonumber(value), line)
    end
  end
  return found
end

--- What promtool says. Fails where it fails.
function exposition.promtool(words, folder)
  local out = world.path ".out"
  local ok = os.execute(("cd '%s' && promtool %s >'%s' 2>&1"):format(folder or ".", words, out))
  assert(ok == true or ok == 0, world.read(out))
  return world.read(out)
end

--- Has promtool look at a page. Without it nothing is checked here; spec/metrics/observability_spec.lua says so.
function exposition.check(page)
  if exposition.has "promtool" then
    exposition.promtool(("check metrics <'%s'"):format(world.file(page, ".prom")))
  end
end

return exposition
