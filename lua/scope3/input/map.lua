--- Maps of scripts: which column goes where, as a list in a fixed order.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local options = require "scope3.util.options"

local map = {}

local ROLES = {
  external_id = true, email = true, phone = true, region = true, hashed_email = true, hashed_phone = true,
}

--- What a map may name, as a message has it.
map.FIELDS = { "external_id", "email", "phone", "region", "hashed_email", "hashed_phone", "uid:TYPE" }

-- The roles of which each column may make a member of its own.
local EACH = { email = true, phone = true, hashed_email = true, hashed_phone = true }

-- What a builder has room for (csrc/core/members/mapping.h).
local COLUMNS_MAX, FALLBACKS_MAX, EACH_MAX = 54, 16, 16

--- The keys of a table in byte order, which no locale changes. The bytes of a member follow it.
---@param t table
---@return any[]
function map.sorted(t)
  local keys = {}
  for key in entries(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return core.before(tostring(a), tostring(b))
  end)
  return keys
end

---@param value any
---@return boolean
function map.is_column(value)
  return type(value) == "string" or (type(value) == "number" and value >= 1 and value % 1 == 0)
end

local sorted, is_column = map.sorted, map.is_column

-- What is wrong with an entry of a role's list of columns, or nil.
local function entry_problem(role, key, column)
  if key == "default" and role ~= "region" then
    return ("map.%s cannot have a default; only region can"):format(role)
  elseif key == "default" then
    return type(column) ~= "string" and "map.region.default must be a country's code or name, not a " .. type(column)
      or nil
  elseif type(key) ~= "number" or not is_column(column) then
    return ("map.%s must be a list of columns%s"):format(role,
      role == "region" and ", with a default if you like" or "")
  end
end

-- What is wrong with a role's columns that make a member each, or nil.
local function each_problem(role, value)
  local list = value.each
  if not EACH[role] then
    return ("map.%s cannot have each; only email, phone, hashed_email and hashed_phone can"):format(role)
  elseif type(list) ~= "table" then
    return ("map.%s.each must be a list of columns, not a %s"):format(role, type(list))
  end
  for key in entries(value) do
    if key ~= "each" then
      return ("map.%s has each, and so nothing beside it"):format(role)
    end
  end
  for key, column in entries(list) do
    if type(key) ~= "number" or not is_column(column) then
      return ("map.%s.each must be a list of columns"):format(role)
    end
  end
  local n, hole = arguments.count(list)
  if hole then
    return ("map.%s.each is a list with holes: column %d is missing"):format(role, hole)
  elseif n < 2 or n > EACH_MAX then
    return ("map.%s.each must have 2 to %d columns, and has %d"):format(role, EACH_MAX, n)
  end
end

-- What is wrong with what a role is mapped to, or nil.
local function column_problem(role, value)
  if is_column(value) then
    return nil
  elseif type(value) ~= "table" then
    return ("map.%s must be a column's name or number, or a list of them, not a %s"):format(role, type(value))
  elseif value.each ~= nil then
    return each_problem(role, value)
  end
  for key, column in entries(value) do
    local problem = entry_problem(role, key, column)
    if problem then
      return problem
    end
  end
  local list = options.merge(value)
  list.default = nil
  local n, hole = arguments.count(list)
  if hole then
    return ("map.%s is a list with holes: column %d is missing"):format(role, hole)
  elseif n == 0 and value.default == nil then
    return ("map.%s names no column"):format(role)
  end
end

-- What is wrong with a role and its columns, or nil.
local function role_problem(role, value)
  if type(role) ~= "string" or not (ROLES[role] or role:find("^uid:.")) then
    local meant = arguments.meant(role, map.FIELDS)
    return ("map has no '%s' (%sknown: %s)"):format(tostring(role),
      meant and ("did you mean '%s'? "):format(meant) or "", table.concat(map.FIELDS, ", "))
  end
  local uid_type, _, why = role:match("^uid:(.+)$"), nil, nil
  if uid_type then
    _, _, why = core.uid_type(uid_type)
  end
  return why and ("map.%s: %s"):format(role, (why:gsub("^uid: ", ""))) or column_problem(role, value)
end

-- Which limit of a builder a map exceeds, or nil.
local function size_problem(roles)
  local all, fallbacks = 0, 0
  for role, columns in entries(roles) do
    local list = type(columns) == "table" and (columns.each or columns) or nil
    local n = list and #list or 1
    all = all + n
    n = list and columns.each and 1 or n -- none of them is a fallback
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
---@param roles table  of a script: role -> columns
---@param mode? string  of the job
---@return string?
function map.problem(roles, mode)
  local identifiers = 0
  for _, role in ipairs(sorted(roles)) do
    local problem = role_problem(role, roles[role])
    if problem then
      return problem
    end
    if role ~= "external_id" and role ~= "region" then
      identifiers = identifiers + 1
    end
  end
  if roles.external_id == nil then
    return "map needs external_id: the column that tells customers apart"
  elseif identifiers == 0 and mode ~= "remove" then
    return "map needs at least one of email, phone, hashed_email, hashed_phone, uid:TYPE"
  end
  return size_problem(roles)
end

---@class scope3.MapTarget
---@field path string     the role as the map has it
---@field role string     as core.builder names it
---@field uid_type? string
---@field column string|integer
---@field member? integer  of a row that gives several: its number, from 2

-- Adds what further members take from columns of their own, member by member.
local function add_further(targets, roles, paths)
  for member = 2, EACH_MAX do
    for _, path in ipairs(paths) do
      local column = type(roles[path]) == "table" and roles[path].each and roles[path].each[member]
      if column then
        targets[#targets + 1] = { path = path, role = path, column = column, member = member }
      end
    end
  end
end

--- A map as a list: one entry per column. The columns of a role are in the order in which they are tried; those of
--- further members come last.
---@param roles table  of a script
---@return scope3.MapTarget[]
function map.targets(roles)
  local targets, paths = {}, sorted(roles)
  for _, path in ipairs(paths) do
    local uid_type = path:match("^uid:(.+)$")
    local columns = roles[path]
    local list = type(columns) ~= "table" and { columns } or columns.each and { columns.each[1] } or columns
    for _, column in ipairs(list) do
      targets[#targets + 1] = { path = path, role = uid_type and "uids" or path, uid_type = uid_type, column = column }
    end
  end
  add_further(targets, roles, paths)
  return targets
end

--- How many members a row may give.
---@param targets scope3.MapTarget[]
---@return integer
function map.members(targets)
  local last = targets[#targets]
  return last and last.member or 1
end

--- A map's region of phones whose row names none.
---@param roles? table  of a script
---@return string?
function map.default_region(roles)
  return roles and type(roles.region) == "table" and roles.region.default or nil
end

return map
