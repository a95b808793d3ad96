--- Makes members of the rows that were looked at, as a job with the proposed map would, and counts what became of them.
local core = require "scope3.core"
local filter = require "scope3.input.filter"
local identity = require "scope3.identity"
local map = require "scope3.input.map"
local options = require "scope3.util.options"

local trial = {}

local MEMBERS, BYTES = 10000, 4 * 1024 * 1024 -- of a payload, which nobody sends

---@class scope3.LookTrial  what a job would make of the rows that were looked at
---@field members integer  that it would send
---@field skipped integer  rows that the condition leaves out
---@field rejected_rows integer
---@field rejected table<string, integer>  by reason

-- The proposal with columns by number: their places in the list of facts.
local function script_of(made, facts)
  local places, roles = {}, {}
  for i, one in ipairs(facts) do
    places[one] = i
  end
  for _, field in ipairs(made.fields) do
    local list = {}
    for i, one in ipairs(field.columns) do
      list[i] = places[one]
    end
    roles[field.field] = list
  end
  local where = made.sure_of_consent and { [places[made.consent]] = { yes = true } } or {}
  return map.targets(roles), filter.list(where)
end

local function builder_of(made, facts, region)
  local targets, conditions = script_of(made, facts)
  local given = { targets = {}, conditions = {}, keys = {} }
  for i, target in ipairs(targets) do
    given.targets[i] = { target.role, target.column, target.uid_type, target.column }
  end
  for i, condition in ipairs(conditions) do
    given.conditions[i] = { condition.operator, condition.column, condition.values, decimal = condition.decimal,
      ignore_case = condition.ignore_case, blank = condition.blank }
  end
  for i in ipairs(facts) do
    given.keys[i] = i
  end
  return core.builder(options.merge(identity.reading { ids = made.ids, region = region }, {
    max_member = BYTES, map = given.targets, conditions = given.conditions, columns = given.keys,
  }))
end

-- A row as it was read: a value of JSON that is no text and no whole number stays what it is.
local function row_of(found, number)
  local row = {}
  for i, column in ipairs(found.columns) do
    local odd = column.odd and column.odd[number]
    if odd ~= nil then
      row[i] = odd
    else
      row[i] = column.cells[number]
    end
  end
  return row
end

local function new_payload()
  return core.payload { max_members = MEMBERS, max_bytes = BYTES }
end

local function take_all(builder, found)
  local payload = new_payload()
  for number = 1, found.rows do
    local state = builder:take(payload, row_of(found, number))
    while state == "full" do
      payload:close()
      payload = new_payload()
      state = not builder:flush(payload) and "full" or nil
    end
  end
  payload:close()
end

--- Tries a proposal.
---@param made scope3.LookProposal  one with an id
---@param found scope3.LookCells
---@param facts scope3.LookFacts[]  of its columns, in their order
---@param region? string  in place of the proposal's
---@return scope3.LookTrial
function trial.of(made, found, facts, region)
  local builder = builder_of(made, facts, region or made.region)
  take_all(builder, found)
  local counts = builder:counts()
  builder:close()
  return { members = counts.members - counts.replaced, skipped = counts.skipped, rejected_rows = counts.rejected_rows,
    rejected = counts.rejected }
end

return trial
