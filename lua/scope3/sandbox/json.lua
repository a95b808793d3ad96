--- JSON with arrays that stay arrays when they are empty, and every documented key present.
local cjson = require("cjson.safe").new()

cjson.encode_sparse_array(true)

local json = { null = cjson.null, decode = cjson.decode }

local ARRAY = {}

--- Marks a table as an array.
function json.array(t)
  return setmetatable(t or {}, ARRAY)
end

function json.encode(value)
  if type(value) ~= "table" then
    return cjson.encode(value)
  end
  local parts = {}
  if getmetatable(value) == ARRAY or value[1] ~= nil then
    for i = 1, #value do
      parts[i] = json.encode(value[i])
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do
    parts[#parts + 1] = cjson.encode(tostring(key)) .. ":" .. json.encode(item)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

return json
