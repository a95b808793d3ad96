--- Checks tables of options: an unknown key or a wrong type is misuse, and raises.
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
  id = { "a string", function(v)
    return type(v) == "string" or (type(v) == "number" and v % 1 == 0 and v >= 0 and v < 2 ^ 53)
  end },
}

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
  elseif type(value) ~= "table" then
    return nil
  end
  local n = 0
  for _ in pairs(value) do
    n = n + 1
  end
  for i = 1, n do
    if not options.contains(names, value[i]) then
      return nil
    end
  end
  return value
end

--- The message about the first misuse in `opts`, or nil. `spec` maps a key to "string", "number", "boolean", "table", "function", "count",
--- "seconds", "id", "key", "any", to a list of allowed strings, or to { some_of = names } (see options.some).
---@param opts any
---@param spec table<string, string|table>
---@return string?
function options.problem(opts, spec)
  if type(opts) ~= "table" then
    return "options must be a table, not a " .. type(opts)
  end
  for key, value in pairs(opts) do
    local want = spec[key]
    if want == nil then
      return ("unknown option '%s' (known: %s)"):format(tostring(key), table.concat(sorted(spec), ", "))
    elseif type(want) == "table" and want.some_of then
      if not options.some(value, want.some_of) then
        return ('%s must be "all" or a list of %s'):format(key, table.concat(want.some_of, ", "))
      end
    elseif type(want) == "table" then
      if not options.contains(want, value) then
        return ("%s must be one of %s"):format(key, table.concat(want, ", "))
      end
    elseif KINDS[want] then
      if not KINDS[want][2](value) then
        return ("%s must be %s, not %s"):format(key, KINDS[want][1],
          type(value) == "number" and tostring(value) or "a " .. type(value))
      end
    elseif want ~= "any" and type(value) ~= want then
      return ("%s must be a %s, not a %s"):format(key, want, type(value))
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
        local meta = getmetatable(opts)
        made = options.merge(opts)
        made = type(meta) == "table" and setmetatable(made, meta) or made
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
  return options.whole(opts, spec)
end

--- An id as a string: numbers only when exact.
---@param value string|number
---@return string
function options.id(value)
  return type(value) == "number" and ("%.0f"):format(value) or value
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
