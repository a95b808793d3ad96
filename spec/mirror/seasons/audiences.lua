-- The audiences of a season: one, by the options of the command; or several, which a script fills by conditions of
-- their own. What is known of people is kept by *places*: the id of an audience and that of a person as one text.
local world = require "spec.support.world"

local audiences = {}

--- Of several: which rows each takes, as the script says it and as the model sees it.
audiences.SEVERAL = {
  { id = "crm", where = 'function(row) return row.city == "here" end',
    takes = function(row) return row.city == "here" end },
  { id = "gold", where = '{ tier = { "gold" } }', takes = function(row) return row.tier == "gold" end },
  { id = "best", where = '{ tier = { "gold", "silver" } }',
    takes = function(row) return row.tier ~= "tin" end },
}

--- The only one of a season with one.
audiences.ONE = { { id = "crm", takes = function() return true end } }

--- What stands for a person in an audience.
---@param audience string
---@param id string
---@return string
function audiences.place(audience, id)
  return audience .. "/" .. id
end

--- Writes a script that fills these.
---@param list table[]
---@param path string
function audiences.write(list, path)
  local parts = {}
  for i, audience in ipairs(list) do
    parts[i] = ("    { id = %q, where = %s },"):format(audience.id, audience.where)
  end
  world.write(path, ([[
return {
  map = { external_id = "id", email = "mail" },
  where = { consent = { "yes" } },
  audiences = {
%s
  },
}
]]):format(table.concat(parts, "\n")))
end

return audiences
