-- The rows that each night finds: people come, leave and return, their values and their format change, some of their
-- rows are rejected, and others are excluded.
local export = {}

local Export = {}
Export.__index = Export

local REJECTED, VERSIONS = 0, 4 -- the service may refuse the content of the last version

local function mask(dice, audiences)
  local wanted = {}
  for audience = 1, audiences do
    wanted[audience] = dice:happens(0.75)
  end
  return wanted
end

function export.new(dice, people, audiences)
  local self = setmetatable({ dice = dice, audiences = audiences, format = 1, people = {} }, Export)
  for id = 1, people do
    self.people[id] = { id = id, here = dice:happens(0.7), version = dice:whole(1, VERSIONS), format = 1,
      wanted = mask(dice, audiences) }
  end
  return self
end

local function set_version(person, version)
  person.version, person.before = version, person.version
end

local CHANGES = {
  function(person, dice)
    set_version(person, dice:whole(1, VERSIONS))
  end,
  function(person) -- a value comes back
    set_version(person, person.before or 1)
  end,
  function(person)
    set_version(person, REJECTED)
  end,
  function(person)
    person.here = not person.here
  end,
  function(person, dice, audiences)
    person.wanted = mask(dice, audiences)
  end,
  function(person, dice)
    person.format, person.excluded = dice:whole(1, 3), dice:happens(0.3)
  end,
}
local ORDER = { 1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 6 } -- how often each of the changes occurs

--- What happens between two nights. `share` of the people have a change.
function Export:change(share)
  local dice = self.dice
  for _, person in ipairs(self.people) do
    if dice:happens(share) then
      CHANGES[dice:one_of(ORDER)](person, dice, self.audiences)
    end
  end
  if dice:happens(0.03) then
    self.format = self.format + 1 -- every cell is reformatted
  end
end

--- The rows of tonight, in any order. Who is excluded is wanted nowhere.
function Export:rows()
  local list, dice = {}, self.dice
  for _, person in ipairs(self.people) do
    if person.here then
      local row = { id = person.id, cells = ("%d:%d:%d"):format(person.version, person.format, self.format),
        member = person.version ~= REJECTED and "v" .. person.version or nil,
        wanted = person.excluded and {} or person.wanted }
      table.insert(list, dice:whole(1, #list + 1), row)
    end
  end
  return list
end

return export
