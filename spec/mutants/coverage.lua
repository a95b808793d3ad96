-- Which lines of lua/scope3 each spec file runs, and how long it takes: measured once, and kept in build/mutants/lines
-- as tables of "file<TAB>line". A table holds while its spec is not changed. Of a file that was changed since, its spec
-- counts as running every line: that asks too many specs, and never too few.
local notes = require "spec.mutants.notes"
local shell = require "spec.mutants.shell"
local specs = require "spec.mutants.specs"

local coverage = {}

local PATIENCE = 100 -- seconds that a spec file may usually take

---@class scope3.SpecLines
---@field seconds number  that it usually takes
---@field changed number  when its file was
---@field lines table<string, table<integer, true>>  by file
---@field changed_files table<string, true>  whose lines are not known any more

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

local function changed_since(lines, made, times)
  local list = {}
  for file in pairs(lines) do
    list[file] = (times[file] or 0) > made or nil
  end
  return list
end

--- Builds the C hook that notes lines.
---@param folder string  where it goes; absolute
---@param lua string  the version
---@return string path
function coverage.hook(folder, lua)
  local path, includes = ("%s/lines-%s.so"):format(folder, lua), {}
  for flag in shell.lines("make --no-print-directory -s LUA=" .. lua .. " print-cflags")[1]:gmatch "%-I%S+" do
    includes[#includes + 1] = flag
  end
  -- A hook that was unloaded before the last line of Lua would be called all the same.
  shell.run(("${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -Wl,-z,nodelete %s -o %s spec/mutants/lines.c")
    :format(table.concat(includes, " "), shell.quote(path)))
  return path
end

--- What has a program in a stand note its lines.
---@param stand scope3.Stand
---@param hook string
---@param noted string  the file of notes, as notes.make() makes it; absolute
---@return table<string, string> environment
function coverage.environment(stand, hook, noted)
  return {
    LUA_INIT = ('assert(package.loadlib("%s", "luaopen_lines"))()'):format(hook),
    SCOPE3_LINES = noted, SCOPE3_LINES_OF = "@" .. stand.root .. "/",
  }
end

local CHILD = "lua/scope3/sandbox/child.lua"

-- A sandbox takes LUA_INIT from its process, whose lines would not be noted.
local function let_sandboxes_note(stand)
  local text, found = shell.read(CHILD):gsub('= "LUA_INIT [^"]*"', '= "SCOPE3_LINES_NOWHERE"')
  assert(found == 1, CHILD .. " names LUA_INIT in another way")
  stand:change(CHILD, text)
end

local function measure(stand, spec, hook, path)
  let_sandboxes_note(stand)
  local noted = path .. ".notes"
  notes.make(noted)
  local verdict, seconds = stand:run(("sh -c %s"):format(shell.quote(specs.command { spec })), PATIENCE,
    coverage.environment(stand, hook, noted))
  stand:restore()
  local rows = { ("seconds\t%.2f"):format(seconds), verdict ~= "passed" and "failed\t" .. verdict or nil }
  for _, ran in ipairs(notes.read(noted)) do
    rows[#rows + 1] = ("%s\t%d"):format(ran[1], ran[2])
  end
  shell.write(path .. ".new", table.concat(rows, "\n") .. "\n")
  shell.run(("mv %s.new %s && rm %s"):format(shell.quote(path), shell.quote(path), shell.quote(noted)))
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
    local made_at = times[path]
    if not made_at or made_at < times[spec] then
      hook = hook or coverage.hook(here .. "/" .. folder, stand().lua)
      measure(stand(), spec, hook, here .. "/" .. path)
      local made = read_table(path)
      made_at = os.time()
      tell(("%6.1f s  %s%s"):format(made.seconds, spec, made.passed and "" or "  FAILS unchanged: it is left out"))
    end
    local lines = read_table(path)
    lines.changed, lines.changed_files = times[spec], changed_since(lines.lines, made_at, times)
    by_spec[spec] = lines.passed and lines or nil
  end
  return by_spec
end

return coverage
