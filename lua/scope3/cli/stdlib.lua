--- A copy of Lua's standard library, kept while a script runs.
---
--- A script may replace any of it, and the report of that fault needs it.
local debug_sethook = debug.sethook
local getmetatable, rawget, rawset, type = getmetatable, rawget, rawset, type
local raw_entries = next -- by another name, for the reason in scope3.util.entries
local globals = _G

local stdlib = {}

local TABLES = { "string", "table", "io", "os", "math", "coroutine", "debug", "package" }

local function copy(of)
  local kept = {}
  for key, value in raw_entries, of do
    kept[key] = value
  end
  return kept
end

-- Puts back what is missing or is something else; the name of one of them, or nil.
local function put_back(of, kept, prefix, changed)
  for key, value in raw_entries, kept do
    if rawget(of, key) ~= value then
      rawset(of, key, value)
      changed = type(key) == "string" and prefix .. key or changed
    end
  end
  return changed
end

--- Keeps the library as it is now.
---@return fun(): string? restore  puts it back; gives the name of something that was not as it had been
function stdlib.keep()
  local tables, own, names = {}, {}, {}
  for key, value in raw_entries, globals do
    if type(key) == "string" and type(value) == "function" then
      own[key] = value
    end
  end
  for i = 1, #TABLES do
    local name = TABLES[i]
    local value = rawget(globals, name)
    if type(value) == "table" then
      own[name], tables[value], names[value] = value, copy(value), name .. "."
    end
  end
  local of_strings = getmetatable ""
  local kept_strings = copy(of_strings)
  debug_sethook() -- Lua 5.1 takes memory for the first of these, of which there may be none below
  return function()
    debug_sethook() -- one that raises would do so here, too
    local changed = put_back(of_strings, kept_strings, "string's ", nil)
    for of, kept in raw_entries, tables do
      changed = put_back(of, kept, names[of], changed)
    end
    return put_back(globals, own, "", changed)
  end
end

return stdlib
