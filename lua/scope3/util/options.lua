--- Checks tables of options: an unknown key or a wrong type is misuse, and raises.
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"

local options = {}

local function is_finite(n)
  return n == n and n ~= math.huge and n ~= -math.huge
end

local MOST = 2 ^ 53 -- up to here every Lua counts exactly

---@class scope3.OptionKind  what an option takes
---@field expected string  in words
---@field is fun(value: any): boolean, integer?  of a list of ids also the first entry that is none

-- Kinds that have a name.
---@type table<string, scope3.OptionKind>
local KINDS = {
  count = { expected = "a whole number, 1 or more", is = function(v)
    return type(v) == "number" and is_finite(v) and v >= 1 and v % 1 == 0 and v <= MOST
  end },
  seconds = { expected = "a number of seconds, 0 or more", is = function(v)
    return type(v) == "number" and v == v and v >= 0
  end },
  key = { expected = "a string or a function", is = function(v)
    return type(v) == "string" or type(v) == "function"
  end },
}

--- Whether a value is a number that can be counted with.
---@param v any
---@return boolean
function options.is_number(v)
  return type(v) == "number" and is_finite(v)
end

KINDS.number = { expected = "a number", is = options.is_number }

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
  local n, hole = arguments.count(v)
  for i = 1, n or 0 do
    if not options.is_id(v[i]) then
      return false, i
    end
  end
  return n ~= nil, hole
end

KINDS.id = { expected = "a string or a whole number below 2^53", is = options.is_id }
KINDS.ids = { expected = "a list of ids, which are strings or whole numbers below 2^53", is = options.is_id_list }
KINDS.all_or_ids = { expected = '"all" or a list of ids', is = function(v)
  if v == "all" then
    return true
  end
  local fine, entry = options.is_id_list(v)
  return fine and arguments.count(v) > 0, entry
end }

local function sorted(t)
  local keys = {}
  for key in entries(t) do
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
  local n = arguments.count(value)
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

-- What is wrong with a value of a kind, or nil. Of a list of ids the entry is named.
local function kind_problem(key, value, kind)
  local fine, entry = kind.is(value)
  if fine then
    return nil
  elseif entry then
    return arguments.problem(("%s[%d]"):format(key, entry), KINDS.id.expected, value[entry])
  end
  return arguments.problem(key, kind.expected, value)
end

local function choice_problem(key, value, names)
  return not options.contains(names, value)
    and ("%s must be one of %s%s"):format(key, table.concat(names, ", "), arguments.remark(value, names)) or nil
end

local function choices_problem(key, value, names)
  if options.some(value, names) then
    return nil
  end
  local wrong = value
  for i = 1, arguments.count(value) or 0 do
    if not options.contains(names, value[i]) then
      wrong = value[i]
      break
    end
  end
  return ('%s must be "all" or a list of %s%s'):format(key, table.concat(names, ", "), arguments.remark(wrong, names))
end

local function type_problem(key, value, name)
  return name ~= "any" and type(value) ~= name and arguments.problem(key, "a " .. name, value) or nil
end

-- What is wrong with the value of a known option, or nil.
local function value_problem(key, value, want)
  if KINDS[want] then
    return kind_problem(key, value, KINDS[want])
  elseif type(want) == "string" then
    return type_problem(key, value, want)
  elseif want.is then
    return kind_problem(key, value, want)
  elseif want.some_of then
    return choices_problem(key, value, want.some_of)
  end
  return choice_problem(key, value, want)
end

-- The message about an option that is not known.
local function unknown(key, spec)
  local known = sorted(spec)
  local meant = arguments.meant(key, known)
  return ("unknown option %s (%sknown: %s)"):format(arguments.name(key),
    meant and ("did you mean '%s'? "):format(meant) or "", #known > 0 and table.concat(known, ", ") or "none")
end

-- The options with those that a metatable's __index gives.
local function inherited(opts, spec)
  local meta = getmetatable(opts)
  if type(meta) == "table" and rawget(meta, "__index") ~= nil then
    local all = options.merge(opts)
    for key in entries(spec) do
      all[key] = opts[key]
    end
    return all
  end
  return opts
end

---@alias scope3.OptionSpec table<string, string|string[]|scope3.OptionKind|{some_of: string[]}>

--- The message about the first misuse in a table of options, or nil.
---@param opts any
---@param spec scope3.OptionSpec  what each key takes: "string", "number", "boolean", "table", "function", "count",
---  "seconds", "id", "key", "ids", "all_or_ids" or "any"; a list of allowed strings; { some_of = names } for several of
---  them (see options.some); or { is =, expected = }
---@return string?
function options.problem(opts, spec)
  if arguments.kind(opts) ~= "a table" then -- an object of this library, too: its fields are no options
    return arguments.problem("options", "a table", opts)
  end
  for key, value in entries(inherited(opts, spec)) do
    local want = spec[key]
    local problem = want == nil and unknown(key, spec) or want ~= nil and value_problem(key, value, want)
    if problem then
      return problem
    end
  end
end

local to_integer = math.tointeger -- Lua 5.3 and later

--- Options whose counts are integers, where Lua has integers. `240 / 4` and JSON give 60.0, which
--- would be written "60.0", and be another part of a key than 60. The caller's table stays as it is.
---@param opts table  without a problem
---@param spec scope3.OptionSpec
---@return table opts
function options.whole(opts, spec)
  local made = opts
  for key, value in entries(to_integer and opts or {}) do
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
---@param spec scope3.OptionSpec
---@param level? integer  the function to blame, as error() counts (default: the caller of the caller)
---@return table opts  whose counts are integers
function options.check(what, opts, spec, level)
  if opts == nil then
    return {}
  end
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
  for i = 1, arguments.count(list) or 0 do -- not ipairs(), which a metatable of the list may keep going
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
    for key, value in entries((select(i, ...))) do
      all[key] = value
    end
  end
  return all
end

return options
