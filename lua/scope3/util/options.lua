--- Checks tables of options: an unknown key or a wrong type is misuse, and raises.
local door = require "scope3.util.arguments"

local options = {}

local function is_finite(n)
  return n == n and n ~= math.huge and n ~= -math.huge
end

local MOST = 2 ^ 53 -- up to here every Lua counts exactly

local KINDS = {
  count = { "a whole number, 1 or more", function(v)
    return type(v) == "number" and is_finite(v) and v >= 1 and v % 1 == 0 and v <= MOST
  end },
  seconds = { "a number of seconds, 0 or more", function(v)
    return type(v) == "number" and v == v and v >= 0
  end },
  key = { "a string or a function", function(v)
    return type(v) == "string" or type(v) == "function"
  end },
}

--- Whether a value is a number that can be counted with.
---@param v any
---@return boolean
function options.is_number(v)
  return type(v) == "number" and is_finite(v)
end

KINDS.number = { "a number", options.is_number }

--- Whether a value is an id: a text, or a whole number that is exact on every Lua. What is 25 to one Lua is 25.0 to
--- another, so both are.
---@param v any
---@return boolean
function options.is_id(v)
  return type(v) == "string" or type(v) == "number" and v % 1 == 0 and v >= 0 and v < MOST
end

--- Whether a value is a list of ids without holes.
---@param v any
---@return boolean
---@return integer? entry  the first that is none
function options.is_id_list(v)
  local n, hole = door.count(v)
  for i = 1, n or 0 do
    if not options.is_id(v[i]) then
      return false, i
    end
  end
  return n ~= nil, hole
end

KINDS.id = { "a string or a whole number below 2^53", options.is_id }
KINDS.ids = { "a list of ids, which are strings or whole numbers below 2^53", options.is_id_list }
KINDS.all_or_ids = { '"all" or a list of ids', function(v)
  if v == "all" then
    return true
  end
  local fine, entry = options.is_id_list(v)
  return fine and door.count(v) > 0, entry
end }

local function sorted(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- Whether a list holds a value.
---@param list any[]
---@param value any
---@return boolean
function options.contains(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

--- A choice of several names as a list: "all", or a list of some of them. nil when it is something else.
---@param value any
---@param names string[]
---@return string[]?
function options.some(value, names)
  if value == "all" then
    return names
  end
  local n = door.count(value)
  if not n then
    return nil
  end
  for i = 1, n do
    if not options.contains(names, value[i]) then
      return nil
    end
  end
  return value
end

-- What is wrong with the value of a known option, or nil.
local function value_problem(key, value, want)
  if type(want) == "table" and want.is then
    return not want.is(value) and door.problem(key, want.expected, value) or nil
  elseif type(want) == "table" and want.some_of then
    return not options.some(value, want.some_of)
      and ('%s must be "all" or a list of %s'):format(key, table.concat(want.some_of, ", ")) or nil
  elseif type(want) == "table" then
    return not options.contains(want, value) and ("%s must be one of %s"):format(key, table.concat(want, ", ")) or nil
  elseif KINDS[want] then
    local fine, entry = KINDS[want][2](value)
    return not fine and door.problem(entry and ("%s[%d]"):format(key, entry) or key, KINDS[entry and "id" or want][1],
      entry and value[entry] or not entry and value or nil) or nil
  end
  return want ~= "any" and type(value) ~= want and door.problem(key, "a " .. want, value) or nil
end

-- The message about an option that is not known.
local function unknown(key, spec)
  local known = sorted(spec)
  local meant = door.meant(key, known)
  return ("unknown option %s (%sknown: %s)"):format(door.name(key),
    meant and ("did you mean '%s'? "):format(meant) or "", #known > 0 and table.concat(known, ", ") or "none")
end

-- Options that come from a table behind this one count as well.
local function inherited(opts, spec)
  local meta = getmetatable(opts)
  if type(meta) == "table" and rawget(meta, "__index") ~= nil then
    local all = options.merge(opts)
    for key in pairs(spec) do
      all[key] = opts[key]
    end
    return all
  end
  return opts
end

--- The message about the first misuse in `opts`, or nil. `spec` maps a key to "string", "number", "boolean", "table", "function", "count",
--- "seconds", "id", "key", "ids", "all_or_ids", "any", to a list of allowed strings, to { some_of = names } (see
--- options.some), or to
--- { is = what looks at a value, expected = what it must be }.
---@param opts any
---@param spec table<string, string|table>
---@return string?
function options.problem(opts, spec)
  if type(opts) ~= "table" or door.kind(opts) ~= "a table" then -- objects of ours hold what is no option
    return door.problem("options", "a table", opts)
  end
  for key, value in pairs(inherited(opts, spec)) do
    local want = spec[key]
    local problem
    if want == nil then
      problem = unknown(key, spec)
    else
      problem = value_problem(key, value, want)
    end
    if problem then
      return problem
    end
  end
end

local to_integer = math.tointeger -- Lua 5.3 and later

--- Options whose counts are integers, where Lua tells these from other numbers: 60.0, as `240 / 4` and JSON give it, would be written "60.0", and
--- be another part of a key than 60. The caller's table stays as it is.
---@param opts table  without a problem
---@param spec table<string, string|table>
---@return table opts
function options.whole(opts, spec)
  local made = opts
  for key, value in pairs(to_integer and opts or {}) do
    if spec[key] == "count" and math.type(value) == "float" then
      if made == opts then
        made = options.merge(opts)
      end
      made[key] = to_integer(value)
    end
  end
  return made
end

--- Raises when `opts` misuses `spec`; nil stands for no options.
---@param what string  the function that was called
---@param opts table?
---@param spec table<string, string|table>
---@param level? integer  whom to blame, as error() counts (default: the caller of the caller)
---@return table opts  whose counts are integers
function options.check(what, opts, spec, level)
  opts = opts == nil and {} or opts
  local problem = options.problem(opts, spec)
  if problem then
    error(what .. ": " .. problem, (level or 2) + 1)
  end
  opts = options.whole(inherited(opts, spec), spec)
  return opts
end

--- An id as a string: numbers only when exact.
---@param value string|number
---@return string
function options.id(value)
  return type(value) == "number" and ("%.0f"):format(value) or value
end

--- A list of ids as strings, or what else there is as it is.
---@param list (string|number)[]|"all"|nil
---@return string[]|"all"|nil
function options.ids(list)
  if type(list) ~= "table" then
    return list
  end
  local ids = {}
  for i = 1, door.count(list) or 0 do -- not ipairs(), which a table behind the list may keep going
    ids[i] = options.id(rawget(list, i))
  end
  return ids
end

--- The entries of several specs as one.
---@param ... table
---@return table
function options.merge(...)
  local all = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...))) do
      all[key] = value
    end
  end
  return all
end

return options
