-- Audiences and rows of people that nobody is.
local scope3 = require "scope3"

local people = {}

people.MAP = { external_id = "id", email = "mail" }

function people.audience(id, members)
  local made = assert(scope3.audience { id = id })
  for i = 1, members or 0 do
    assert(made:add { external_id = ("%s-%d"):format(id, i), email = ("%s%d@example.com"):format(id, i) })
  end
  return made
end

function people.rows(n, from)
  local i = from or 0
  return function()
    i = i + 1
    if i <= n + (from or 0) then
      return { id = "r" .. i, mail = ("r%d@example.com"):format(i) }
    end
  end
end

return people
