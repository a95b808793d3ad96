--- JSON of replies, through a private instance: the settings of the host's cjson are never touched.
local cjson = require("cjson.safe").new()
local visible = require "scope3.visible"

cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(64)
cjson.encode_sparse_array(true)
cjson.encode_number_precision(14)

local json = {
  null = cjson.null,
  decode = cjson.decode,
  encode = cjson.encode,
}

--- Marks a table that must be written as an array even when it is empty.
local ARRAY = {}

---@param t table
---@return table t
function json.array(t)
  return setmetatable(t, ARRAY)
end

local function is_array(t)
  return getmetatable(t) == ARRAY or t[1] ~= nil
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

local function encode(value)
  local encoded = cjson.encode(value) or "null" -- what has no place in JSON, such as an infinity
  return type(value) == "string" and visible.json(encoded) or encoded
end

--- Readable JSON for people and machines: two spaces, keys in order, empty arrays as `[]`. Nothing in it moves a
--- terminal's cursor.
---@param value any tables, strings, numbers, booleans, null
---@param indent? string what stands before a nested line
---@return string
function json.pretty(value, indent)
  if type(value) ~= "table" then
    return encode(value)
  end
  indent = indent or ""
  local inner = indent .. "  "
  local parts = {}
  if is_array(value) then
    for i = 1, #value do
      parts[i] = inner .. json.pretty(value[i], inner)
    end
    return #parts == 0 and "[]" or "[\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "]"
  end
  for i, key in ipairs(sorted_keys(value)) do
    parts[i] = inner .. encode(key) .. ": " .. json.pretty(value[key], inner)
  end
  return #parts == 0 and "{}" or "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

return json
