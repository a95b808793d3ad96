--- The one form of a JSON text that has many (RFC 8785, JCS): what two senders of the same payload agree on.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"

local canonical_json = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\t"] = "\\t", ["\n"] = "\\n", ["\f"] = "\\f",
  ["\r"] = "\\r" }

local function escape(c)
  return ESCAPES[c] or ("\\u%04x"):format(c:byte())
end

local function write_string(text)
  return '"' .. text:gsub('[%z\1-\31"\\]', escape) .. '"'
end

-- Every number is a double (section 3.2.2.3): an integer beyond 2^53 is rounded as JavaScript reads it. -0 is 0. Nil
-- for what is beyond all doubles, which has no canonical form.
local function write_number(value)
  value = value + 0.0
  if value - value ~= 0 then
    return nil
  end
  return core.json_scalar(value)
end

-- Names are sorted by their UTF-16 code units (section 3.2.3). Bytes of UTF-8 have the same order, with one exception:
-- U+E000 to U+FFFF come after all higher characters, which UTF-16 writes with surrogates from D800 on.
local UTF16_ORDER = { ["\238"] = "\248", ["\239"] = "\249" }

local function sorted_names(object)
  local names, keys = {}, {}
  for name in entries(object) do
    names[#names + 1] = name
    keys[name] = name:gsub("[\238\239]", UTF16_ORDER)
  end
  table.sort(names, function(a, b)
    return core.before(keys[a], keys[b])
  end)
  return names
end

local write

local function write_table(value)
  local parts, left, right = {}, "{", "}"
  if json.is_array(value) then
    left, right = "[", "]"
    for i = 1, #value do
      parts[i] = write(value[i])
      if not parts[i] then
        return nil
      end
    end
  else
    for i, name in ipairs(sorted_names(value)) do
      local item = write(value[name])
      if not item then
        return nil
      end
      parts[i] = write_string(name) .. ":" .. item
    end
  end
  return left .. table.concat(parts, ",") .. right
end

function write(value)
  if type(value) == "string" then
    return write_string(value)
  elseif type(value) == "number" then
    return write_number(value)
  elseif type(value) == "table" then
    return write_table(value)
  end
  return core.json_scalar(value)
end

--- The canonical form of a JSON object. Texts of the same data have the same.
---@param text string
---@return string?  nil where it has none: it is no object, not UTF-8, has a name twice or a number beyond all doubles
function canonical_json.of(text)
  local fine = core.check_json_object(text)
  return fine and write(json.decode(text)) or nil
end

return canonical_json
