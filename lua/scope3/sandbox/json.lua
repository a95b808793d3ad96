--- JSON with arrays that stay arrays when they are empty, and every documented key present.
local json = require "scope3.json"

return {
  null = json.null,
  decode = json.decode,
  encode = json.encode,
  --- Marks a table as an array.
  array = function(t)
    return json.array(t or {})
  end,
}
