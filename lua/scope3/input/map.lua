--- Maps of scripts: which column goes where, as a plain list in a fixed order. Conditions are in scope3.conditions.
local core = require "scope3.core"
local door = require "scope3.util.arguments"
local options = require "scope3.util.options"

local mapping = {}

local ROLES = { external_id = true, email = true, phone = true, region = true, hashed_email = true, hashed_phone = true }
local KNOWN = "external_id, email, phone, region, hashed_email, hashed_phone, uid:TYPE"

-- What a builder has room for (csrc/core/members/mapping.h).
local COLUMNS_MAX, FALLBACKS_MAX = 54, 16

--- The keys of a table in an order of their own, which no locale changes: members get their bytes in it.
---@param t table
---@return any[]
function mapping.sorted(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return core.before(tostring(a), tostring(b))
  end)
  return keys
end

---@param value any
---@return boolean
function mapping.is_column(value)
  return type(value) == "string" or (type(value) == "number" and value >= 1 and value % 1 == 0)
end

local sorted, is_column = mapping.sorted, mapping.is_column

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
  local list = options.merge(value)
  list.default = nil
  local n, hole = door.count(list)
  if hole then
    return ("map.%s is a list with holes: column %d is missing"):format(role, hole)
  elseif n == 0 and value.default == nil then
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

---@class scope3.MapTarget
---@field path string     the role as the map has it
---@field role string     as core.builder names it
---@field uid_type? string
---@field column string|integer

--- A map as a list: an entry a column, those of one role in the order in which they are tried.
---@param map table
---@return scope3.MapTarget[]
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

return mapping
