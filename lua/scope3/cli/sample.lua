--- What --sample prints: the first members as they would go, masked.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local mask = require "scope3.input.look.mask"
local output = require "scope3.cli.output"
local text = require "scope3.cli.text"

local sample = {}

---@class scope3.cli.Sample
---@field most integer
---@field members {id: string, operation: string, identifiers: {type: string, value: string}[]}[]
local Sample = {}
Sample.__index = Sample

--- Begins one.
---@param most integer  members
---@return scope3.cli.Sample
function sample.new(most)
  return setmetatable({ most = most, members = {} }, Sample)
end

local function masked(value)
  return core.hashed(value) and mask.hash(value) or mask.id(value)
end

-- The identifiers of a member, in a fixed order.
local function identifiers_of(member)
  local list = {}
  for key, value in entries(member) do
    if type(value) == "string" and key ~= "externalId" then
      list[#list + 1] = { type = key, value = masked(value) }
    end
  end
  for _, uid in ipairs(type(member.uids) == "table" and member.uids or {}) do
    list[#list + 1] = { type = tostring(uid.type), value = masked(tostring(uid.value)) }
  end
  table.sort(list, function(a, b)
    return core.before(a.type .. a.value, b.type .. b.value)
  end)
  return list
end

-- Notes one member of a part. False where there is none of that number.
local function note(self, part, operation, nth)
  local at = part.payload:find(part.first, part.last, operation, nth)
  if not at then
    return false
  end
  local bytes = part.payload:text(operation, at, at)
  local member = json.decode(bytes:match("^,?(.*[^,]),?$") or "", true)
  if type(member) == "table" then
    self.members[#self.members + 1] = { id = mask.id(tostring(member.externalId)), operation = operation,
      identifiers = identifiers_of(member) }
  end
  return true
end

--- Takes what a dry run would send, until there are enough.
---@param parts scope3.Part[]
function Sample:take(parts)
  for _, part in ipairs(parts) do
    for _, operation in ipairs { "add", "remove" } do
      local nth = 0
      while #self.members < self.most and note(self, part, operation, nth) do
        nth = nth + 1
      end
    end
  end
end

local function line_of(member)
  local parts = {}
  for i, one in ipairs(member.identifiers) do
    parts[i] = one.type .. " " .. one.value
  end
  return { member.operation, member.id, #parts > 0 and table.concat(parts, "  ") or "-" }
end

--- Prints them.
---@param failed boolean  the job ended early, so that what comes to none does not say that none would go
function Sample:say(failed)
  local rows = {}
  for i, member in ipairs(self.members) do
    rows[i] = line_of(member)
  end
  if #rows == 0 and failed then
    output.say "No member can be shown, because the job failed before; nothing is sent, as --sample is a dry run.\n\n"
    return
  elseif #rows == 0 then
    output.say "No member would go; nothing is sent, as --sample is a dry run.\n\n"
    return
  end
  local title = "The first %s as they would go, masked; nothing is sent, as --sample is a dry run:\n\n"
  output.say(title:format(text.plural(#rows, "member")) .. text.columns(rows, nil, "  ") .. "\n")
end

return sample
