-- Locales whose decimal mark is a comma, and whose i has no dot: made from the system's sources, so that a machine need
-- not have them.
local world = require "spec.support.world"

local locales = {}

local WANTED = { { "de_DE", "UTF-8" }, { "tr_TR", "UTF-8" }, { "de_DE", "ISO-8859-1" }, { "tr_TR", "ISO-8859-9" } }

local KEPT = "build/locales" -- between runs: making them takes seconds

local function are_in(folder)
  for _, wanted in ipairs(WANTED) do
    if not world.exists(("%s/%s.%s/LC_CTYPE"):format(folder, wanted[1], wanted[2])) then
      return false
    end
  end
  return true
end

--- Makes them: their folder (for LOCPATH) and their names; nil where the system has neither localedef nor the sources
--- (the package `locales`).
function locales.make()
  local names = {}
  for i, wanted in ipairs(WANTED) do
    names[i] = wanted[1] .. "." .. wanted[2]
  end
  if not are_in(KEPT) then
    local fresh = ("%s.%s"):format(KEPT, world.path():match("[^/]+$"))
    os.execute(("mkdir -p '%s'"):format(fresh))
    -- localedef warns about most locales, and ends with 1 then; what counts is what lies there
    for _, wanted in ipairs(WANTED) do
      os.execute(("localedef -i %s -f %s --no-archive '%s/%s.%s' >/dev/null 2>&1"):format(wanted[1], wanted[2], fresh,
        wanted[1], wanted[2]))
    end
    if are_in(fresh) then
      os.rename(fresh, KEPT) -- fails where another run was faster
    end
    os.execute(("rm -rf '%s'"):format(fresh))
  end
  return are_in(KEPT) and KEPT or nil, names
end

--- Whether this is a system on which .ci/deps installs what making them takes.
function locales.expected()
  return world.exists("/etc/debian_version")
end

return locales
