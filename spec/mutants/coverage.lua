-- Which lines of lua/scope3 each spec file runs, and how long it takes: measured once, and kept in build/mutants/lines
-- as tables of "file<TAB>line". A table holds while its spec and the files in it are not changed.
local shell = require "spec.mutants.shell"
local specs = require "spec.mutants.specs"

local coverage = {}

local PATIENCE = 600 -- seconds for a spec file

---@class scope3.SpecLines
---@field seconds number  that it usually takes
---@field changed number  when its file was
---@field lines table<string, table<integer, true>>  by file

local function table_of(folder, spec)
  return ("%s/%s.tsv"):format(folder, spec:gsub("/", "+"))
end

local function read_table(path)
  local lines, seconds, passed = {}, 0, true
  for _, row in ipairs(shell.rows(path)) do
    if row[1] == "seconds" then
      seconds = tonumber(row[2])
    elseif row[1] == "failed" then
      passed = false
    else
      lines[row[1]] = lines[row[1]] or {}
      lines[row[1]][tonumber(row[2])] = true
    end
  end
  return { seconds = seconds, lines = lines, passed = passed }
end

local function holds(path, spec, times)
  local made = times[path]
  if not made or made < times[spec] then
    return false
  end
  for file in pairs(read_table(path).lines) do
    if not times[file] or times[file] > made then
      return false
    end
  end
  return true
end

-- The C hook that notes lines, for the Lua of the stand.
local function build_hook(folder, lua)
  local path, includes = ("%s/lines-%s.so"):format(folder, lua), {}
  for flag in shell.lines("make --no-print-directory -s LUA=" .. lua .. " print-cflags")[1]:gmatch "%-I%S+" do
    includes[#includes + 1] = flag
  end
  -- A hook that was unloaded before the last line of Lua would be called all the same.
  shell.run(("${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -Wl,-z,nodelete %s -o %s spec/mutants/lines.c")
    :format(table.concat(includes, " "), shell.quote(path)))
  return path
end

local function measure(stand, spec, hook, path)
  local pieces = path .. ".pieces"
  shell.run(("rm -rf %s && mkdir -p %s"):format(shell.quote(pieces), shell.quote(pieces)))
  local verdict, seconds = stand:run(("sh -c %s"):format(shell.quote(specs.command { spec })), PATIENCE, {
    LUA_INIT = ('assert(package.loadlib("%s", "luaopen_lines"))()'):format(hook),
    SCOPE3_LINES = pieces, SCOPE3_LINES_OF = "@" .. stand.root .. "/",
  })
  shell.run(("{ printf 'seconds\\t%.2f\\n%s'; cat %s/*.tsv 2>/dev/null | grep '^lua/scope3/' | sort -u; } >%s.new"
    .. " && mv %s.new %s && rm -rf %s"):format(seconds, verdict == "passed" and "" or "failed\\t" .. verdict .. "\\n",
    pieces, path, path, path, pieces))
end

--- Reads the tables of all spec files, and makes those that are missing or old.
---@param stand fun(): scope3.Stand  where specs run
---@param folder string
---@param tell fun(text: string)
---@return table<string, scope3.SpecLines> by_spec  of those that pass
function coverage.of(stand, folder, tell)
  local here = shell.lines("pwd -P")[1]
  local by_spec, hook = {}, nil
  shell.run("mkdir -p " .. shell.quote(folder))
  local times = shell.times("lua spec " .. shell.quote(folder))
  for _, spec in ipairs(specs.files()) do
    local path = table_of(folder, spec)
    if not holds(path, spec, times) then
      hook = hook or build_hook(here .. "/" .. folder, stand().lua)
      measure(stand(), spec, hook, here .. "/" .. path)
      local made = read_table(path)
      tell(("%6.1f s  %s%s"):format(made.seconds, spec, made.passed and "" or "  FAILS unchanged: it is left out"))
    end
    local lines = read_table(path)
    lines.changed = times[spec]
    by_spec[spec] = lines.passed and lines or nil
  end
  return by_spec
end

return coverage
