-- Which Lua patterns may need more than time in proportion to the text:
-- two ways to take the same characters, and something behind that may fail.
local patterns = {}

-- The characters that a single-character class matches, as a set of bytes.
local function set_of(class)
  local set = {}
  for byte = 0, 255 do
    if byte ~= 0 and string.char(byte):find("^" .. class) then
      set[byte] = true
    end
  end
  return set
end

local function both(a, b)
  local set = {}
  for byte in pairs(a) do
    set[byte] = b[byte]
  end
  return set
end

local function meet(a, b)
  return next(both(a, b)) ~= nil
end

-- The items of a pattern: each a set with its quantifier, or what takes no character and may fail.
local function items_of(pattern)
  local items, at = {}, pattern:sub(1, 1) == "^" and 2 or 1
  while at <= #pattern do
    local c, two = pattern:sub(at, at), pattern:sub(at, at + 1)
    if c == "(" or c == ")" then
      at = at + 1
    elseif c == "$" and at == #pattern then
      items[#items + 1] = { fails = true, takes_none = true, set = {} }
      at = at + 1
    elseif two == "%f" then
      at = pattern:match("^%[%^?%]?[^%]]*%]()", at + 2)
      items[#items + 1] = { fails = true, set = {}, frontier = true }
    elseif two == "%b" then
      items[#items + 1] = { fails = true, set = set_of("."), many = true }
      at = at + 4
    else
      local class
      if c == "%" then
        class = pattern:sub(at, at + 1)
      elseif c == "[" then
        local stop = at + (pattern:sub(at + 1, at + 1) == "^" and 2 or 1)
        repeat
          stop = stop + (pattern:sub(stop, stop) == "%" and 2 or 1)
        until pattern:sub(stop, stop) == "]" or stop > #pattern
        class = pattern:sub(at, stop)
      else
        class = c
      end
      at = at + #class
      local mark = pattern:match("^[*+?-]", at)
      at = at + (mark and 1 or 0)
      items[#items + 1] = {
        set = set_of(class), many = mark == "*" or mark == "+" or mark == "-",
        fails = not mark or mark == "+", optional = mark and mark ~= "+", every = class == ".",
      }
    end
  end
  local last = items[#items - 1]
  if last and last.many and last.every and items[#items].takes_none then -- ".*$" always ends
    items[#items] = nil
  end
  return items
end

-- Whether something from the item `from` on may fail.
local function may_fail(items, from)
  for i = from, #items do
    if items[i].fails then
      return true
    end
  end
  return false
end

-- Whether what stands from one item to another can be left out, or taken from characters that both runs may hold:
-- one that the second cannot hold begins it at places whose runs do not overlap.
local function passes(items, from, to, set)
  for i = from, to do
    if items[i].frontier or not (items[i].optional or meet(items[i].set, set)) then
      return false
    end
  end
  return true
end

--- Why a pattern may need more than linear time, or nil.
---@param pattern string
---@return string?
function patterns.problem(pattern)
  local items = items_of(pattern)
  if pattern:sub(1, 1) ~= "^" then
    for i, item in ipairs(items) do
      if item.many and passes(items, 1, i - 1, item.set) and may_fail(items, i + 1) then
        return "a run that is tried again from each of its characters, and may fail behind them"
      end
    end
  end
  for i, first in ipairs(items) do
    for j = i + 1, first.many and #items or 0 do
      local second = items[j]
      if second.many and meet(first.set, second.set) and passes(items, i + 1, j - 1, both(first.set, second.set))
        and may_fail(items, j + 1) then
        return "two runs that can share the same characters in every way, and may fail behind them"
      end
    end
  end
end

local ESCAPES = { n = "\n", r = "\r", t = "\t", z = "" }

local function unquote(literal)
  if literal:sub(1, 2) == "[[" then
    return literal:sub(3, -3)
  end
  return (literal:sub(2, -2):gsub("\\(%d%d?%d?)", function(digits)
    return string.char(tonumber(digits))
  end):gsub("\\(%D)", function(c)
    return ESCAPES[c] or c
  end))
end

-- The text literal at a place of a line, and the place behind it.
local function literal_at(line, at)
  local quote = line:sub(at, at)
  if line:sub(at, at + 1) == "[[" then
    local stop = line:find("]]", at, true)
    return stop and line:sub(at, stop + 1), stop and stop + 2
  elseif quote ~= '"' and quote ~= "'" then
    return nil
  end
  local stop = at + 1
  while stop <= #line and line:sub(stop, stop) ~= quote do
    stop = stop + (line:sub(stop, stop) == "\\" and 2 or 1)
  end
  return line:sub(at, stop), stop + 1
end

-- The constants of a file that are texts.
local function constants_of(source)
  local constants = {}
  for line in source:gmatch("[^\n]+") do
    local name, at = line:match("^%s*local ([A-Z][A-Z0-9_]*) = ()")
    local literal, behind = literal_at(line, at or #line + 1)
    constants[name or 0] = literal and not line:find("^%s*%.%.", behind) and unquote(literal) or nil
  end
  return constants
end

-- The pattern that a call's argument is; nil where that cannot be told, false where there is none.
local function argument(line, at, constants)
  local literal, behind = literal_at(line, at)
  if literal and line:find("^, [^,]+, true%)", behind) then
    return false
  elseif literal and not line:find("^%s*%.%.", behind) then
    return unquote(literal)
  end
  local name, after = line:match("^([A-Z][A-Z0-9_]*)()", at)
  if name and not line:find("^%s*%.%.", after) then
    return constants[name]
  end
  if line:find(", [^,]+, true%)", at) then
    return false
  end
  return nil
end

local CALLS = { find = true, match = true, gmatch = true, gsub = true }

--- The calls of find, match, gmatch and gsub of a source whose pattern is suspect or cannot be
--- told, unless a comment on their line or the one before says why it is none: "-- pattern: reason".
---@param source string
---@return {line: integer, problem: string, text: string}[]
---@return integer count of all calls
function patterns.look(source)
  local found, count, number, before = {}, 0, 0, ""
  local constants = constants_of(source)
  for line in (source .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local from = line:find("^%s*%-%-") and #line + 1 or 1
    if line:find("string%.g?[fms][iau][ntb]%l*%(") then -- string.find and its like
      found[#found + 1] = { line = number, problem = "a call that is no method", text = line }
    end
    for name, at in line:gmatch(":(%l+)[ (]()") do
      -- find() of our own C types
      local ours = line:sub(1, at - 7):find("handle$") or line:sub(1, at - 7):find("payload$")
      if at > from and not ours and CALLS[name] then
        local pattern = argument(line, at, constants)
        count = count + 1
        local problem = pattern == nil and "a pattern that is put together" or pattern and patterns.problem(pattern)
        if problem and not (line .. before):find("%-%- pattern: %l") then
          found[#found + 1] = { line = number, problem = problem, text = line }
        end
      end
    end
    before = line
  end
  return found, count
end

return patterns
