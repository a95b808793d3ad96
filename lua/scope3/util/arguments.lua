--- Checks the arguments of public functions. Misuse raises an error at the caller's line, which names the function, the
--- argument, what is expected and what was given: its type, never its value.
local entries = require "scope3.util.entries"

local arguments = {}

local EXACT = 2 ^ 53 -- up to here every Lua counts exactly

local function number(value)
  if value ~= value then
    return "a number that is none (NaN)"
  elseif value == math.huge or value == -math.huge then
    return "an infinite number"
  elseif value % 1 ~= 0 then
    return "a number with a fraction"
  elseif value < 0 then
    return "a negative number"
  end
  return value >= EXACT and "a number of 2^53 or more" or value == 0 and "0" or "a number"
end

--- What a value is, in words: its type, and of which class it is.
---@param value any
---@return string
function arguments.kind(value)
  local kind = type(value)
  if kind == "number" then
    return number(value)
  elseif kind == "table" then
    local meta = getmetatable(value)
    local name = type(meta) == "table" and rawget(meta, "__name")
    return type(name) == "string" and name:find("^scope3%.[a-z_.]+$") and "a " .. name or "a table"
  elseif kind == "nil" then
    return "a nil"
  elseif kind == "thread" then
    return "a coroutine"
  end
  return "a " .. kind
end

--- The name of an option as it may be shown. A text that has not the form of a name may be a value.
---@param key any
---@return string
function arguments.name(key)
  if type(key) == "string" then
    return #key <= 64 and key:find("^[A-Za-z_][A-Za-z0-9_:.-]*$") and "'" .. key .. "'" or "a text that is no name"
  elseif type(key) == "number" and key % 1 == 0 and math.abs(key) < 1e6 then
    return ("[%d]"):format(key)
  end
  return arguments.kind(key)
end

-- The letters that differ where nothing is swapped, or a swap of two.
local function edits_at(a, b, i, j, before, row, two)
  local edits = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a:byte(i) == b:byte(j) and 0 or 1))
  if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
    edits = math.min(edits, two[j - 2] + 1)
  end
  return edits
end

--- Letters to insert, remove, replace or swap until two words are the same (Damerau and Levenshtein).
---@param a string
---@param b string
---@param most? integer  more than these are not counted: nil
---@return integer?
function arguments.distance(a, b, most)
  most = most or math.huge
  if math.abs(#a - #b) > most then
    return nil
  end
  local before, row, least_before = {}, {}, 0
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local two, least = before, i
    before, row = row, { [0] = i }
    for j = 1, #b do
      row[j] = edits_at(a, b, i, j, before, row, two)
      least = math.min(least, row[j])
    end
    if least > most and least_before >= most then -- a swap adds one to what stood two letters ago
      return nil
    end
    least_before = least
  end
  return row[#b] <= most and row[#b] or nil
end

local distance = arguments.distance

local function plain(word)
  return (word:gsub("[_.-]", ""):gsub("[A-Z]", function(c)
    return string.char(c:byte() + 32) -- not lower(), which asks the locale
  end))
end

--- The known name that was probably meant, nil where none is like it: `onEvent` and `on_evnt` mean `on_event`.
---@param key any
---@param known string[]
---@return string?
function arguments.meant(key, known)
  if type(key) ~= "string" or #key > 64 then
    return nil
  end
  local best, least = nil, math.huge
  for _, name in ipairs(known) do
    local n = distance(plain(key), plain(name))
    if #key > 2 and name:sub(-#key - 1) == "_" .. key then
      n = 0 -- api_key by the name of key
    end
    if n < least then
      best, least = name, n
    end
  end
  return best and least <= math.max(1, math.floor(#best / 3)) and least < #best and best or nil
end

--- The name that was probably meant, as a remark behind a message: " (did you mean 'upsert'?)", or nothing.
---@param key any
---@param known string[]
---@return string
function arguments.remark(key, known)
  local meant = arguments.meant(key, known)
  return meant and (" (did you mean '%s'?)"):format(meant) or ""
end

--- What is wrong with an argument that must be of one of some types, or nil.
---@param name string  of the argument
---@param expected string  in words
---@param value any
---@return string
function arguments.problem(name, expected, value)
  return ("%s must be %s, not %s"):format(name, expected, arguments.kind(value))
end

--- Raises unless a method is called on its own kind of object. For the first line of a public method.
---@param fine any  whether it is
---@param what string  the method, such as "client:sync"
---@param class string  such as "scope3.client"
---@param value any  what it was called on
function arguments.self(fine, what, class, value)
  if not fine then
    error(("%s: the object before the colon must be a %s, not %s: call it as %s(…)"):format(what, class,
      arguments.kind(value), what), 3)
  end
end

--- Raises where an argument is not of the type that is expected. For the body of a public function itself.
---@param fine any  whether it is
---@param what string  the function
---@param name string  the argument
---@param expected string
---@param value any
---@param level? integer  the function to blame, as error() counts there (2, the caller of the public function)
function arguments.argument(fine, what, name, expected, value, level)
  if not fine then
    error(what .. ": " .. arguments.problem(name, expected, value), (level or 2) + 1)
  end
end

--- Whether an object has methods of these names: a table, or what another library made.
---@param value any
---@param ... string
---@return boolean
function arguments.has(value, ...)
  if type(value) ~= "table" and type(value) ~= "userdata" then
    return false
  end
  for i = 1, select("#", ...) do
    local name = (select(i, ...))
    local there, method = pcall(function()
      return value[name]
    end)
    if not there or type(method) ~= "function" then
      return false
    end
  end
  return true
end

--- How many entries a list has; nil where it is none, and then the number of the first entry that is missing, where one
--- is.
---@param value any
---@return integer?
---@return integer? missing
function arguments.count(value)
  if type(value) ~= "table" then
    return nil
  end
  local n, last = 0, 0
  for key in entries(value) do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then
      return nil
    end
    n, last = n + 1, math.max(last, key)
  end
  if n < last then
    for i = 1, last do
      if value[i] == nil then
        return nil, i
      end
    end
  end
  return n
end

return arguments
