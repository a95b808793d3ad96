--- Header fields of a reply.
local headers = {}

--- The value of a field; of several fields of one name the first.
---@param fields table<string, string|string[]>?  names in lowercase
---@param name string  in lowercase
---@return string?
function headers.first(fields, name)
  local value = fields and fields[name]
  return type(value) == "table" and value[1] or value
end

return headers
