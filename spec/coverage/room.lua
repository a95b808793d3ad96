-- What ran in one room of the specs: lua5.4 spec/coverage/room.lua begin|end ROOM
-- `begin` forgets what ran before; `end` writes build/coverage/ROOM.ran, a line of fields with tabs between for
--   source <file> <checksum>               each file that is counted
--   lua    <file> <line>                   a line that ran
--   line   <file> <line> <times>           a line of C that has code
--   branch <file> <line> <index> <times>   a way that a decision of that line can go
local cjson = require "cjson"
local files = require "spec.coverage.files"

local NAME_SIZE, RECORD_SIZE = 64, 512 -- as in spec/coverage/lines.c
local NOTES, SOURCES = "build/coverage/lines", "build/coverage/sources"
local BUILDS = {
  "build/5.4-coverage", "build/5.4-coverage-poll", "build/5.1-coverage", "build/jit-coverage", "build/fuzz/coverage",
}

local function begin()
  local records = {}
  for i, path in ipairs(files.lua()) do
    local name = path:gsub("^lua/scope3/", "")
    assert(#name < NAME_SIZE, path)
    records[i] = name .. ("\0"):rep(RECORD_SIZE - #name)
  end
  files.write(NOTES, table.concat(records))
  local sources = {} -- now: what is edited while the room runs is another version
  for path, checksum in pairs(files.checksums()) do
    sources[#sources + 1] = ("source\t%s\t%s\n"):format(path, checksum)
  end
  table.sort(sources)
  files.write(SOURCES, table.concat(sources))
  for _, build in ipairs(BUILDS) do
    os.execute(("find %s -name '*.gcda' -delete 2>/dev/null"):format(build))
  end
end

local function lines_of_lua(out)
  local notes = files.read(NOTES)
  for at = 1, #notes, RECORD_SIZE do
    local name = notes:match("^%Z+", at)
    for line = 1, RECORD_SIZE - NAME_SIZE - 1 do
      if notes:byte(at + NAME_SIZE + line) ~= 0 then
        out[#out + 1] = ("lua\tlua/scope3/%s\t%d"):format(name, line)
      end
    end
  end
end

-- gcov prints a document for each object file.
local function documents(build)
  local paths = files.lines_of(("find %s -name '*.gcda' 2>/dev/null | sort"):format(build))
  if #paths == 0 then
    return {}
  end
  local list = files.lines_of("gcov --branch-probabilities --json-format --stdout " .. table.concat(paths, " "))
  for i, text in ipairs(list) do
    list[i] = cjson.decode(text)
  end
  return list
end

-- Some objects are compiled in their own folder, and name their sources in full.
local ROOT = files.lines_of("pwd")[1] .. "/"
local function from_root(path)
  return path:sub(1, #ROOT) == ROOT and path:sub(#ROOT + 1) or path
end

local function add(sums, key, times)
  sums[key] = (sums[key] or 0) + times
end

local function lines_of_c(out)
  local sums = {}
  for _, build in ipairs(BUILDS) do
    for _, document in ipairs(documents(build)) do
      for _, file in ipairs(document.files) do
        local path = from_root(file.file)
        for _, line in ipairs(path:find "^csrc/" and file.lines or {}) do
          add(sums, ("line\t%s\t%d"):format(path, line.line_number), line.count)
          for i, branch in ipairs(line.branches) do
            add(sums, ("branch\t%s\t%d\t%d"):format(path, line.line_number, i), branch.count)
          end
        end
      end
    end
  end
  for key, times in pairs(sums) do
    out[#out + 1] = ("%s\t%.0f"):format(key, times)
  end
end

local function finish(room)
  local out = {}
  lines_of_lua(out)
  lines_of_c(out)
  table.sort(out)
  files.write(("build/coverage/%s.ran"):format(room), files.read(SOURCES) .. table.concat(out, "\n") .. "\n")
end

if arg[1] == "begin" then
  begin()
else
  finish(assert(arg[2], "which room?"))
end
