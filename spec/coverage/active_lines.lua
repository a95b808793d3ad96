-- The lines of Lua that have code. A line is counted where both Lua 5.4 and LuaJIT give it some: a bracket or an `end`
-- that only one of them does is the end of a statement that is counted where it begins.
local files = require "spec.coverage.files"

local active_lines = {}

-- One function of luac's listing: its instructions in their order, as { line, name, target of a jump }.
local function add_reachable(code, lines)
  local targets = {}
  for _, instruction in ipairs(code) do
    targets[instruction.target or 0] = true
  end
  local runs = true
  for i, instruction in ipairs(code) do
    runs = runs or targets[i]
    -- The last one returns from the end of a function. It is there also where nothing reaches it.
    if runs and i < #code and instruction.name ~= "VARARGPREP" then
      lines[instruction.line] = true
    end
    -- What follows a return is what luac writes after every `return f()`, and jumps over an `else`.
    runs = runs and not instruction.name:find "^RETURN" and instruction.name ~= "TAILCALL"
  end
end

local function of_lua54(path)
  local lines, code = {}, {}
  for _, text in ipairs(files.lines_of("luac5.4 -l -p " .. path)) do
    local line, name, rest = text:match "^%s+%d+%s+%[(%d+)%]%s+(%S+)%s*(.*)$"
    if line then
      code[#code + 1] = { line = tonumber(line), name = name, target = tonumber(rest:match "; to (%d+)") }
    elseif #code > 0 then
      add_reachable(code, lines)
      code = {}
    end
  end
  add_reachable(code, lines)
  return lines
end

-- Runs in LuaJIT.
local OF_LUAJIT = [=[
local util = require "jit.util"
local function each(f, visit)
  for at = 0, util.funcinfo(f).bytecodes - 1 do
    visit(util.funcinfo(f, at).currentline)
  end
  local at = -1
  local constant = util.funck(f, at)
  while constant ~= nil do
    if type(constant) == "proto" then
      each(constant, visit)
    end
    at = at - 1
    constant = util.funck(f, at)
  end
end
for path in io.lines() do
  each(assert(loadfile(path)), function(line)
    print(path .. "\t" .. (line or 0))
  end)
end
]=]

local function of_luajit(paths)
  local found = {}
  files.write("build/coverage/of_luajit.lua", OF_LUAJIT)
  files.write("build/coverage/paths", table.concat(paths, "\n") .. "\n")
  for _, text in ipairs(files.lines_of "luajit build/coverage/of_luajit.lua <build/coverage/paths") do
    local path, line = text:match "^(.+)\t(%d+)$"
    found[path] = found[path] or {}
    found[path][tonumber(line)] = true
  end
  return found
end

--- By path, the set of its lines.
---@param paths string[]
---@return table<string, table<integer, true>>
function active_lines.of(paths)
  local by_path, luajit = {}, of_luajit(paths)
  for _, path in ipairs(paths) do
    by_path[path] = {}
    for line in pairs(of_lua54(path)) do
      by_path[path][line] = luajit[path][line]
    end
  end
  return by_path
end

return active_lines
