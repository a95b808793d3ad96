--- Modules that are loaded when they are first used: a program that syncs one audience need not read the files that
--- read files. What loads one asks late.problem() first, where a call begins and nothing has been sent yet.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"

local late = {}

local names = {} -- by stand-in; those that are not loaded yet

-- Lua calls a file "not found" also where the process has no descriptor to open it.
local function why_not(name, message)
  if message:find("not found:", 1, true) then
    return ("the module %s was not found: it is not installed, or the process has no descriptors left"):format(name)
  end
  return (message:gsub("\n.*", ""))
end

-- Lua 5.1 and LuaJIT keep a mark in place of a module that failed while it ran, such as for lack of memory, and of
-- those that asked for it: they could not be loaded again. The mark of LuaJIT is a pointer that looks like a number.
local MARKS = { userdata = true, number = true }

local function forget_failures()
  for name, module in entries(package.loaded) do
    if MARKS[type(module)] and name:find("^scope3%.") then
      package.loaded[name] = nil
    end
  end
end

--- Loads a module.
---@param name string  as for require
---@return table?
---@return string? why  where it cannot be; it is tried again at the next time
function late.load(name)
  local loaded, module = pcall(require, name)
  if not loaded then
    forget_failures()
    return nil, why_not(name, tostring(module))
  end
  return module
end

--- Stands for a module, a table of functions, and loads it when one of them is asked for.
---@param name string  as for require
---@return table
function late.require(name)
  local stand_in = {}
  names[stand_in] = name
  return setmetatable(stand_in, {
    __index = function(_, key)
      local err = late.problem(stand_in)
      if err then
        error(err, 0)
      end
      return stand_in[key]
    end,
  })
end

--- Loads the module of a stand-in.
---@param stand_in table
---@return scope3.Error? err  where it cannot be loaded
function late.problem(stand_in)
  local name = names[stand_in]
  if name then
    local module, why = late.load(name)
    if not module then
      return errors.new("network", "nothing was sent: " .. why, { code = "NOT_STARTED", retryable = true })
    end
    names[stand_in] = nil
    setmetatable(stand_in, { __index = module })
  end
end

--- Loads all of them now, also those that these name in turn.
function late.load_all()
  local stand_in = next(names)
  while stand_in do
    local err = late.problem(stand_in)
    if err then
      error(err, 0)
    end
    stand_in = next(names)
  end
end

return late
