--- What a builder is given of a script: its targets and conditions, with the columns of a source that they want.
local errors = require "scope3.error"
local filter = require "scope3.input.filter"
local map = require "scope3.input.map"
local prepared = require "scope3.input.prepared"
local script_audiences = require "scope3.input.script_audiences"

---@class scope3.Plan  what a script looks at
---@field script scope3.Script
---@field targets? table[]  of its map
---@field conditions table[]
---@field wanted table[]  the columns that both want, targets first
---@field members integer  that a row may give, or that the ids of several rows may number

local shape = {}

local function targets_of(script)
  if script.prepared then
    return prepared.targets(), prepared.MEMBERS
  end
  local targets = script.map and map.targets(script.map) or nil
  return targets, targets and map.members(targets) or 1
end

--- What a script looks at.
---@param script scope3.Script
---@return scope3.Plan
function shape.plan(script)
  local targets, members = targets_of(script)
  local conditions = script_audiences.conditions(script) or {}
  local wanted = {}
  for _, target in ipairs(targets or {}) do
    wanted[#wanted + 1] = target
  end
  for _, condition in ipairs(conditions) do
    wanted[#wanted + 1] = { path = filter.where(condition), column = condition.column, is_condition = true }
  end
  return { script = script, targets = targets, conditions = conditions, wanted = wanted, members = members }
end

-- What the builder is given, with the columns that were found for what is wanted, and the names of all where they are
-- known.
local function with_columns(plan, columns, names)
  local script, targets, conditions = plan.script, plan.targets, plan.conditions
  local made = {
    where = type(script.where) == "function" and script.where or nil, wheres = script_audiences.functions(script),
    member = script.member, prepared = script.prepared, conditions = {}, columns = names or {}, plan = conditions,
  }
  if targets then
    made.targets = {}
    for i, target in ipairs(targets) do
      made.targets[i] = {
        target.role, columns[i], target.uid_type, names and names[columns[i]] or target.column, target.member,
      }
    end
  end
  for i, condition in ipairs(conditions) do
    made.conditions[i] = {
      condition.operator, columns[(targets and #targets or 0) + i], condition.values,
      decimal = condition.decimal, ignore_case = condition.ignore_case, blank = condition.blank,
      audience = condition.audience,
    }
  end
  return made
end

--- The shape for rows that are tables: the keys that are wanted, each once.
---@param plan scope3.Plan
---@return table
function shape.for_tables(plan)
  local keys, numbers, columns = {}, {}, {}
  for i, want in ipairs(plan.wanted) do
    if not numbers[want.column] then
      keys[#keys + 1] = want.column
      numbers[want.column] = #keys
    end
    columns[i] = numbers[want.column]
  end
  local made = with_columns(plan, columns)
  made.columns, made.keys = keys, keys
  return made
end

-- CSV holds texts only, and true equals none of them.
local function check_booleans(plan, source)
  local issues = {}
  for _, condition in ipairs(plan.conditions) do
    if condition.booleans and source.format == "csv" then
      issues[#issues + 1] = { path = filter.name(condition),
        message = "compares with true or false, and CSV has texts alone: "
        .. "{ yes = true } reads the usual words (yes, true, 1, ja, oui, …), or give the text that stands in the file" }
    end
  end
  return #issues > 0 and errors.invalid("the script", issues) or nil
end

--- The shape for a source. Its header is read for that.
---@param plan scope3.Plan
---@param source scope3.Source
---@param opts {cancel: function?}
---@return table?
---@return scope3.Error? err
function shape.for_source(plan, source, opts)
  local err = check_booleans(plan, source)
  if err then
    return nil, err
  end
  local columns, names
  columns, err = source:resolve(plan.wanted, opts.cancel)
  if not columns then
    return nil, err
  end
  names, err = source:columns(opts.cancel)
  if not names then
    return nil, err
  end
  return with_columns(plan, columns, names)
end

return shape
