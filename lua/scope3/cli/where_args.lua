--- The words of --where as the conditions of a script: Consent=yes, Spent>=500, Country!=US, Email!=, Phone=.
local core = require "scope3.core"
local filter = require "scope3.input.filter"
local redact = require "scope3.util.redact"

local where_args = {}

local OPERATORS = {
  ["="] = "eq", ["=="] = "eq", ["!="] = "ne", ["<"] = "lt", ["<="] = "le", [">"] = "gt", [">="] = "ge",
}
local KNOWN = "=, !=, <, <=, >, >="

-- Words that are read as answers: the column may say them in other words.
local ANSWERS = { yes = true, ["true"] = true, no = false, ["false"] = false }

-- A text without blanks at its ends.
local function trimmed(text)
  text = text:match("^[ \t]*(.*)$")
  return text:match("^(.*[^ \t])[ \t]*$") or ""
end

local IN_ORDER = { lt = true, le = true, gt = true, ge = true }
local DATE = "^[0-9][0-9][0-9][0-9]%-[01][0-9]%-[0-3][0-9]%f[^0-9]"

-- Whether what stands right behind an operator belongs to a sign that was meant: "=!x", "!==x", "<>x", "=>500". A text
-- such as "<none>" does not, behind "=" and "!=". Behind a blank all is the value.
local function is_of_sign(operator, rest)
  if not rest:find("^[<>=!]") then
    return false
  elseif IN_ORDER[operator] or not rest:find("^[<>]") then
    return true
  end
  local compared = trimmed(rest:sub(rest:sub(2, 2) == "=" and 3 or 2))
  return compared == "" or core.number(compared) ~= nil or compared:find(DATE) ~= nil
end

-- The column, the operator and the value of a word. Nil where it has no operator, or one that is none.
local function split(word)
  local at = word:find("[<>=!]")
  if not at then
    return nil
  end
  local sign = word:sub(at, at + 1)
  sign = OPERATORS[sign] and sign or word:sub(at, at)
  local column, operator, rest = trimmed(word:sub(1, at - 1)), OPERATORS[sign], word:sub(at + #sign)
  if column == "" or not operator or is_of_sign(operator, rest) then
    return nil
  end
  return column, operator, trimmed(rest)
end

-- The key and the value of a condition in a script.
local function condition(operator, value)
  local is_equality = operator == "eq" or operator == "ne"
  if is_equality and value == "" then
    return "present", operator == "ne"
  elseif is_equality and ANSWERS[core.lower(value)] ~= nil then
    return "yes", ANSWERS[core.lower(value)] == (operator == "eq")
  elseif is_equality then
    return operator, value
  end
  return operator, core.number(value) or value
end

-- Why a value cannot be put in order, or nil. As a text it would be compared by its bytes, and take rows that nobody
-- meant: 1,000 and an empty variable of a shell come before nearly all. A script that compares texts says so by itself.
local function order_problem(name, operator, value)
  if not IN_ORDER[operator] or type(value) == "number" or value:find(DATE) then
    return nil
  end
  return ("--where: '%s' is compared with %s: <, <=, > and >= take a number such as 1000.50, with no currency, quotes "
    .. "or parted thousands, or a date such as 2024-01-31. A script compares texts, too"):format(redact.people(name),
    value == "" and "an empty value" or "what is neither a number nor a date that begins with its year")
end

-- A column as a script has it: a number where there is no header.
local function column_of(name, no_header)
  if not no_header then
    return name
  end
  return tonumber(name:match("^#?([0-9]+)$"))
end

-- A problem of the conditions in the words of --where.
local function in_words(problem)
  local said = problem:gsub("^where%['(.*)'%]%.?[a-z]*", function(column)
    return ("--where: '%s'"):format(redact.people(column))
  end, 1)
  return (said:gsub("^where has", "--where has"))
end

-- Adds the condition of a word. What is wrong with it, or nil.
local function add(where, word, no_header)
  local name, operator, value = split(word)
  if not name then
    return ("--where takes a column, one of %s, and a value, such as 'Spent>=500', not '%s'. A value that begins with "
      .. "such a sign stands behind a blank, as in 'Note= >500'"):format(KNOWN, redact.people(word))
  end
  local column = column_of(name, no_header)
  if not column then
    return ("--no-header: --where takes the number of a column, such as '#4=yes', not '%s'"):format(
      redact.people(name))
  end
  local key, wanted = condition(operator, value)
  where[column] = where[column] or {}
  if where[column][key] ~= nil then
    return ("--where asks '%s' for two values at once: a script takes a list of them (docs/scripts.md)"):format(
      redact.people(name))
  end
  where[column][key] = wanted
  return order_problem(name, operator, wanted)
end

--- The conditions of the words. All must hold. Nil and a message when one is wrong.
---@param words string[]
---@param no_header? boolean  columns are given by number
---@return table? where  as a script has it; nil also without any
---@return string? problem
function where_args.read(words, no_header)
  local where = {}
  for _, word in ipairs(words) do
    local problem = add(where, word, no_header)
    if problem then
      return nil, problem
    end
  end
  if next(where) == nil then
    return nil
  end
  local _, problem = filter.list(where)
  return not problem and where or nil, problem and in_words(problem)
end

-- What a warning advises, and what serves a user of --where.
local ADVICE = {
  { '. Say how numbers are written: decimal = "," or decimal = "."',
    '. A script says how numbers are written, by decimal = "," or "." (scope3 init begins one)' },
  { ". ignore_case = true compares in any case",
    ". A script compares in any case, by ignore_case = true (scope3 init begins one)" },
}

local SIGNS = { eq = "=", ne = "!=", lt = "<", le = "<=", gt = ">", ge = ">=", present = "!=", absent = "=",
  yes = "=yes", no = "=no" }

--- Puts warnings of conditions in the words of --where.
---@param warnings scope3.Warning[]
function where_args.reword(warnings)
  for _, warning in ipairs(warnings) do
    local name = warning.operator and filter.name(warning)
    if name and warning.message:sub(1, #name) == name then
      local message = ("--where '%s%s'"):format(warning.column, SIGNS[warning.operator])
        .. warning.message:sub(#name + 1)
      for _, pair in ipairs(ADVICE) do
        if message:sub(-#pair[1]) == pair[1] then
          message = message:sub(1, -#pair[1] - 1) .. pair[2]
        end
      end
      warning.message = message
    end
  end
end

return where_args
