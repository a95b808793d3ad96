--- JSON of replies and reports. The core reads and writes its strings and numbers. So the locale of the process and the
--- settings of a host's JSON library do not matter.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local visible = require "scope3.util.visible"

local json = {
  --- JSON's null, a light userdata of NULL: what lua-cjson writes for it, too.
  null = core.null,
}

-- Marks a table that must be written as an array even when it is empty.
local ARRAY = {}

--- The value of a JSON text; nil and a message where it is none. Objects and arrays become tables, null json.null; of a
--- name that stands twice the last counts. Whole numbers are integers where Lua has them. Arrays stay arrays when they
--- are written again.
---@param text string
---@param ids? boolean  whole numbers of 2^53 and more stay the texts that they are: they may be ids, and not every Lua
---  holds them
---@return any
---@return string? message
function json.decode(text, ids)
  return core.json_decode(text, ids == true, ARRAY)
end

local DEEPEST = 64

--- Marks a table that must be written as an array even when it is empty.
---@param t table
---@return table t
function json.array(t)
  return setmetatable(t, ARRAY)
end

--- Whether a table is written as an array.
---@param t table
---@return boolean
function json.is_array(t)
  return getmetatable(t) == ARRAY or t[1] ~= nil
end

local function sorted_keys(t)
  local keys, values = {}, {}
  for key, value in entries(t) do
    local name = type(key) == "string" and key or core.json_scalar(key)
    keys[#keys + 1], values[name] = name, value
  end
  table.sort(keys, core.before)
  return keys, values
end

-- `line` stands before a nested line, and is nil where all is to be one line.
local function write(value, line, depth)
  if type(value) ~= "table" then
    return core.json_scalar(value)
  elseif depth == DEEPEST then
    error("a table is too deep for JSON, or lies within itself", 0)
  end
  local inner = line and line .. "  "
  local parts, left, right, colon = {}, "{", "}", line and ": " or ":"
  if json.is_array(value) then
    left, right = "[", "]"
    for i = 1, #value do
      parts[i] = write(value[i], inner, depth + 1)
    end
  else
    local keys, values = sorted_keys(value)
    for i, key in ipairs(keys) do
      parts[i] = core.json_scalar(key) .. colon .. write(values[key], inner, depth + 1)
    end
  end
  if not line or #parts == 0 then
    return left .. table.concat(parts, ",") .. right
  end
  return left .. "\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. line .. right
end

--- JSON in one line, keys in order. An empty table is `{}` unless it is an array.
---@param value any tables, strings, numbers, booleans, null
---@return string
function json.encode(value)
  return write(value, nil, 0)
end

--- Readable JSON for people and machines: two spaces, keys in order, empty arrays as `[]`. Nothing in it moves a
--- terminal's cursor.
---@param value any tables, strings, numbers, booleans, null
---@param indent? string what stands before a nested line
---@return string
function json.pretty(value, indent)
  return visible.json(write(value, indent or "", 0))
end

return json
