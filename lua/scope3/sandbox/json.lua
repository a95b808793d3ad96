--- JSON with arrays that stay arrays when they are empty, and every documented key present.
local json = require "scope3.util.json"

return {
  null = json.null,
  --- Arrays are marked, so that an empty array differs from an empty object.
  decode = json.decode,
  encode = json.encode,
  --- Whether what decode() or array() gave is an array.
  is_array = function(value)
    return type(value) == "table" and json.is_array(value)
  end,
  --- Marks a table as an array.
  array = function(t)
    return json.array(t or {})
  end,
}
