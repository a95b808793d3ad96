-- Draws the house: its rooms, the floors that they are on, and the arrows between them, from the includes of C and the
-- requires of Lua. Ends with 1 where an arrow goes up or to a room that is not allowed, where files need each other in
-- a circle, where a Lua file is over 400 lines, and where twelve lines stand twice.
--
--   lua .ci/house.lua [ROOT]
local root = arg[1] or "."

local LINES_MAX = 400 -- of a Lua file
local TWICE = 12 -- lines that may not stand twice

-- From the ground up. A room may use the rooms that are named, and those of their own floor not at all.
local C = {
  { "core/bytes" },
  { "core/identity", "core/bytes" },
  { "core/rows", "core/bytes", "core/identity" },
  { "core/members", "core/bytes", "core/identity", "core/rows" },
  { "core/files", "core/bytes", "core/members" },
  { "core/mirror", "core/bytes", "core/members" },
  { "http", "core/bytes", "core/files" },
  { "lua", "core/bytes", "core/identity", "core/rows", "core/members", "core/files", "core/mirror" },
  { "engine", "core/bytes", "http", "lua" },
  { "gzip", "lua" },
  { "crypto", "lua" },
  { "state", "core/bytes", "core/files", "lua" },
  { "embed", "lua" },
}
local LUA = {
  { "core" }, -- the modules in C
  { "base" }, -- error and version
  { "util", "core", "base" },
  { "result", "util" },
  { "identity", "core", "base", "util" },
  { "loop", "core", "base", "util" },
  { "http", "core", "base", "util", "loop" },
  { "redis", "core", "base", "util", "loop", "http" },
  { "api", "core", "base", "util", "result", "http" },
  { "input", "core", "base", "util", "result", "identity" },
  { "mirror", "core", "base", "util" },
  { "job", "core", "base", "util", "result", "identity", "http", "api", "input", "mirror" },
  { "fleet", "core", "base", "util", "redis", "api", "job" },
  { "client", "core", "base", "util", "result", "identity", "loop", "http", "redis", "api", "input", "job",
    "mirror", "fleet" },
  { "webhook", "core", "base", "util", "api" },
  { "metrics", "core", "util" },
  { "nginx", "core", "base", "util", "identity", "http", "api", "input", "job", "client", "webhook", "redis", "fleet" },
  { "sandbox", "core", "base", "util" },
  { "cli", "core", "base", "util", "result", "identity", "api", "input", "job", "client", "metrics", "mirror",
    "sandbox" },
  { "scope3", "core", "base", "util", "identity", "input", "client", "webhook", "metrics" },
}
-- Files that are rooms, or parts of one, by themselves.
local FILES = {
  error = "base", version = "base", result = "result", client = "client", audience = "client", init = "scope3",
  nginx = "nginx", webhook = "webhook", cli = "cli",
}
local MODULES = { core = true, engine = true, gzip = true, crypto = true, state = true }

local faults = {}
local function fault(...)
  faults[#faults + 1] = string.format(...)
end

local function files_of(folder, ending)
  local list = {}
  local pipe = assert(io.popen(("cd '%s' && find '%s' -type f -name '*.%s' | sort"):format(root, folder, ending)))
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  return list
end

local function read(path)
  local file = assert(io.open(root .. "/" .. path))
  local text = file:read "*a"
  file:close()
  return text
end

-- a/b/../c -> a/c
local function joined(folder, name)
  local parts = {}
  for part in (folder .. "/" .. name):gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    else
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

-- The files that each file of C includes.
local function read_c()
  local needs = {}
  for _, ending in ipairs { "c", "h" } do
    for _, path in ipairs(files_of("csrc", ending)) do
      needs[path] = {}
      for name in read(path):gmatch '#include "([^"]+)"' do
        table.insert(needs[path], joined(path:match "^(.*)/", name))
      end
    end
  end
  return needs, function(path)
    return path:match "^csrc/(.*)/[^/]+$"
  end
end

-- The files that each file of Lua requires, also from inside a function, and the modules in C.
local function read_lua()
  local needs, path_of = {}, {}
  local list = files_of("lua/scope3", "lua")
  for _, path in ipairs(list) do
    path_of[(path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))] = path
  end
  for _, path in ipairs(list) do
    needs[path] = {}
    for name in read(path):gmatch '"(scope3[%w_.]*)"' do
      local module = MODULES[name:match "^scope3%.(%w+)$" or ""] and name or path_of[name]
      -- A name of a module that stands alone in quotes may also be that of a type.
      local is_required = read(path):find('require[ (,]*"' .. name:gsub("%.", "%%.") .. '"') ~= nil
        or path == "lua/scope3/init.lua" -- it requires what its table names
      if module and module ~= path and is_required then
        table.insert(needs[path], module)
      end
    end
  end
  return needs, function(path)
    if MODULES[path:match "^scope3%.(%w+)$" or ""] then
      return "core"
    end
    local inside = path:match "^lua/scope3/(.*)%.lua$"
    return FILES[inside] or inside:match "^(%w+)/" or "?" .. inside
  end
end

local function check_arrows(language, floors, needs, room_of)
  local floor_of, allowed, count, arrows = {}, {}, {}, {}
  for i, floor in ipairs(floors) do
    floor_of[floor[1]], allowed[floor[1]], arrows[floor[1]], count[floor[1]] = i, {}, {}, 0
    for j = 2, #floor do
      allowed[floor[1]][floor[j]] = true
    end
  end
  local paths = {}
  for path in pairs(needs) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local room = room_of(path)
    if not floor_of[room] then
      fault("%s is in no room", path)
    else
      count[room] = count[room] + 1
      for _, other in ipairs(needs[path]) do
        local to = room_of(other)
        if to ~= room then
          arrows[room][to] = (arrows[room][to] or 0) + 1
          if not floor_of[to] then
            fault("%s needs %s, which is in no room", path, other)
          elseif floor_of[to] > floor_of[room] then
            fault("%s needs %s: the arrow from %s to %s runs back", path, other, room, to)
          elseif not allowed[room][to] then
            fault("%s needs %s: no arrow leads from %s to %s", path, other, room, to)
          end
        end
      end
    end
  end
  -- A room stands on the floor above the highest of those that it needs.
  local level = {}
  for _, floor in ipairs(floors) do
    level[floor[1]] = 0
    for other in pairs(arrows[floor[1]]) do
      level[floor[1]] = math.max(level[floor[1]], (level[other] or 0) + 1)
    end
  end
  print(language)
  for i = #floors, 1, -1 do
    local room, to = floors[i][1], {}
    for j = #floors, 1, -1 do
      local n = arrows[room][floors[j][1]]
      if n then
        to[#to + 1] = ("%s %d"):format(floors[j][1], n)
      end
    end
    local arrow = #to > 0 and "  -> " .. table.concat(to, ", ") or ""
    print(("  floor %d  %-14s %3d files%s"):format(level[room], room, count[room], arrow))
    for j = 2, #floors[i] do
      if not arrows[room][floors[i][j]] then
        fault("no file of %s needs %s any more: take the arrow out of .ci/house.lua", room, floors[i][j])
      end
    end
  end
end

-- Circles: each is said once, from its first file.
local function check_circles(needs)
  local state, way = {}, {}
  local function visit(path)
    state[path] = "open"
    way[#way + 1] = path
    for _, other in ipairs(needs[path] or {}) do
      if state[other] == "open" then
        local at = #way
        while way[at] ~= other do
          at = at - 1
        end
        fault("a circle: %s -> %s", table.concat(way, " -> ", at), other)
      elseif not state[other] then
        visit(other)
      end
    end
    way[#way] = nil
    state[path] = "done"
  end
  local paths = {}
  for path in pairs(needs) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    if not state[path] then
      visit(path)
    end
  end
end

local function check_lengths(paths)
  for _, path in ipairs(paths) do
    local _, lines = read(path):gsub("\n", "\n")
    if lines > LINES_MAX then
      fault("%s has %d lines, and may have %d", path, lines, LINES_MAX)
    end
  end
end

-- Lines that stand twice, without their indentation. Lines that say nothing by themselves do not count.
local function check_twice(paths)
  local first, said = {}, {}
  for _, path in ipairs(paths) do
    local lines, numbers, number = {}, {}, 0
    for indented in read(path):gmatch "([^\n]*)\n" do
      local line = indented:match "^%s*(.-)%s*$"
      number = number + 1
      if #line > 3 and not line:find "^#include" and not line:find "^local [%w_]+ = require" then
        lines[#lines + 1], numbers[#numbers + 1] = line, number
      end
    end
    local i = 1
    while i + TWICE - 1 <= #lines do
      local window = table.concat(lines, "\n", i, i + TWICE - 1)
      local at = ("%s:%d"):format(path, numbers[i])
      if first[window] and not said[path] then
        fault("%d lines of %s stand at %s too", TWICE, at, first[window])
        i = i + TWICE
      else
        first[window] = first[window] or at
        i = i + 1
      end
    end
  end
end

local needs, room_of = read_c()
check_arrows("C", C, needs, room_of)
check_circles(needs)
local sources = {}
for path in pairs(needs) do
  if not path:find "_table%.h$" then
    sources[#sources + 1] = path
  end
end

needs, room_of = read_lua()
check_arrows("Lua", LUA, needs, room_of)
check_circles(needs)
local lua_files = files_of("lua/scope3", "lua")
check_lengths(lua_files)
table.sort(sources)
check_twice(sources)
check_twice(lua_files)

if #faults == 0 then
  print "no arrow back, no circle"
else
  io.stderr:write(table.concat(faults, "\n"), "\n")
  os.exit(1)
end
