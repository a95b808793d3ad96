--- Maps and conditions of scripts: which column goes where, and which rows are taken. Both come out as plain lists, in a fixed order.
local core = require "scope3.core"

local mapping = {}

local ROLES = { external_id = true, email = true, phone = true, region = true, hashed_email = true, hashed_phone = true }
local KNOWN = "external_id, email, phone, region, hashed_email, hashed_phone, uid:TYPE"

-- What a builder has room for (csrc/core/builder.h).
local COLUMNS_MAX, FALLBACKS_MAX = 54, 16
local CONDITIONS_MAX, VALUES_MAX = 64, 512

local function sorted(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function is_column(value)
  return type(value) == "string" or (type(value) == "number" and value >= 1 and value % 1 == 0)
end

-- What is wrong with what a role is mapped to, or nil.
local function column_problem(role, value)
  if is_column(value) then
    return nil
  elseif type(value) ~= "table" then
    return ("map.%s must be a column's name or number, or a list of them, not a %s"):format(role, type(value))
  end
  for key, column in pairs(value) do
    if key == "default" then
      if role ~= "region" then
        return ("map.%s cannot have a default; only region can"):format(role)
      elseif type(column) ~= "string" then
        return "map.region.default must be a country's code or name, not a " .. type(column)
      end
    elseif type(key) ~= "number" or not is_column(column) then
      return ("map.%s must be a list of columns%s"):format(role, role == "region" and ", with a default if you like" or "")
    end
  end
  if #value == 0 and value.default == nil then
    return ("map.%s names no column"):format(role)
  end
end

-- What a map has too much of, or nil.
local function size_problem(map)
  local all, fallbacks = 0, 0
  for role, columns in pairs(map) do
    local n = type(columns) == "table" and #columns or 1
    all = all + n
    if not role:find("^uid:") and role ~= "region" then
      fallbacks = fallbacks + math.max(n - 1, 0)
    end
  end
  if all > COLUMNS_MAX then
    return ("map has %d columns; %d are the most"):format(all, COLUMNS_MAX)
  elseif fallbacks > FALLBACKS_MAX then
    return ("map has %d fallbacks for ids, emails and phones; %d are the most"):format(fallbacks, FALLBACKS_MAX)
  end
end

--- What is wrong with a map, or nil.
---@param map table
---@param mode? string  of the job
---@return string?
function mapping.problem(map, mode)
  local identifiers = 0
  for _, role in ipairs(sorted(map)) do
    if type(role) ~= "string" or not (ROLES[role] or role:find("^uid:.")) then
      return ("map has no '%s' (known: %s)"):format(tostring(role), KNOWN)
    end
    local uid_type, _, why = role:match("^uid:(.+)$"), nil, nil
    if uid_type then
      _, _, why = core.uid_type(uid_type)
    end
    local problem = why and ("map.%s: %s"):format(role, (why:gsub("^uid: ", ""))) or column_problem(role, map[role])
    if problem then
      return problem
    end
    if role ~= "external_id" and role ~= "region" then
      identifiers = identifiers + 1
    end
  end
  if map.external_id == nil then
    return "map needs external_id: the column that tells customers apart"
  elseif identifiers == 0 and mode ~= "remove" then
    return "map needs at least one of email, phone, hashed_email, hashed_phone, uid:TYPE"
  end
  return size_problem(map)
end

---@class scope3.Target
---@field path string     the role as the map has it
---@field role string     as core.builder names it
---@field uid_type? string
---@field column string|integer

--- A map as a list: an entry a column, those of one role in the order in which they are tried.
---@param map table
---@return scope3.Target[]
function mapping.targets(map)
  local targets = {}
  for _, path in ipairs(sorted(map)) do
    local uid_type = path:match("^uid:(.+)$")
    local columns = map[path]
    for _, column in ipairs(type(columns) == "table" and columns or { columns }) do
      targets[#targets + 1] = { path = path, role = uid_type and "uids" or path, uid_type = uid_type, column = column }
    end
  end
  return targets
end

--- The region of phones whose row names none, as a map has it.
---@param map? table
---@return string?
function mapping.default_region(map)
  return map and type(map.region) == "table" and map.region.default or nil
end

-- --- conditions ---------------------------------------------------------------------------------------------------------

local OPERATORS = { eq = true, ne = true, lt = true, le = true, gt = true, ge = true, present = true }
local ORDERS = { lt = true, le = true, gt = true, ge = true }

local function is_value(value)
  return type(value) == "string" or type(value) == "boolean" or (type(value) == "number" and value == value)
end

-- The values of a condition as a list: one, or several of which any counts. nil when there are none, or others among them.
local function values_of(value)
  if is_value(value) then
    return { value }
  elseif type(value) ~= "table" or #value == 0 then
    return nil
  end
  for key, item in pairs(value) do
    if type(key) ~= "number" or not is_value(item) then
      return nil
    end
  end
  return value
end

-- Adds a condition to the list; what is wrong with it, or nil.
local function add(list, column, operator, value)
  local values
  if operator == "present" then
    if type(value) ~= "boolean" then
      return ("where['%s'].present must be true or false"):format(column)
    end
    operator, values = value and "present" or "absent", {}
  elseif ORDERS[operator] then
    if type(value) ~= "number" and type(value) ~= "string" then
      return ("where['%s'].%s must be a number or a string"):format(column, operator)
    end
    values = { value }
  else
    values = values_of(value)
    if not values then
      return ("where['%s'] must be a value, or a list of values, or a table of eq, ne, lt, le, gt, ge and present"):format(column)
    end
  end
  list[#list + 1] = { operator = operator, column = column, values = values }
end

--- Conditions as a list. All must be met.
---@param where table  column -> a value, a list of values of which one must be met, or { eq=, ne=, lt=, le=, gt=, ge=, present= }
---@return {operator: string, column: string|integer, values: table}[]?
---@return string? problem
function mapping.conditions(where)
  local list = {}
  for _, column in ipairs(sorted(where)) do
    local wanted = where[column]
    local problem
    if not is_column(column) then
      return nil, "where has a column that is no name and no number"
    elseif type(wanted) == "table" and #wanted == 0 and next(wanted) ~= nil then
      for _, operator in ipairs(sorted(wanted)) do
        if not OPERATORS[operator] then
          return nil, ("where['%s'] has no '%s' (known: eq, ne, lt, le, gt, ge, present)"):format(column, tostring(operator))
        end
        problem = problem or add(list, column, operator, wanted[operator])
      end
    else
      problem = add(list, column, "eq", wanted)
    end
    if problem then
      return nil, problem
    end
  end
  local values = 0
  for _, condition in ipairs(list) do
    values = values + #condition.values
  end
  if #list > CONDITIONS_MAX then
    return nil, ("where has %d conditions; %d are the most: use a function(row)"):format(#list, CONDITIONS_MAX)
  elseif values > VALUES_MAX then
    return nil, ("where has %d values; %d are the most: use a function(row), and a table of the values as keys"):format(values, VALUES_MAX)
  end
  return list
end

return mapping
