--- Conditions of scripts: which rows are used, as a list in a fixed order, and warnings about what they met.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local map = require "scope3.input.map"
local options = require "scope3.util.options"
local plural = require "scope3.util.plural"
local result = require "scope3.result"

local filter = {}

local sorted, is_column = map.sorted, map.is_column

-- What a builder has room for (csrc/core/members/mapping.h).
local CONDITIONS_MAX, VALUES_MAX = 64, 512

local KNOWN_OPERATORS = "eq, ne, lt, le, gt, ge, present, yes; and decimal, ignore_case, blank"

-- How the texts of a column are read: what each option takes, and in words.
local NOTATIONS = {
  decimal = { { ["."] = true, [","] = true }, '"." or ","' },
  ignore_case = { { [true] = true, [false] = true }, "true or false" },
  blank = { { yes = true, no = true }, '"yes" or "no"' },
}
local USELESS = {
  decimal = "is for comparing with numbers, and there is none",
  ignore_case = "is for eq and ne with texts, and there is none",
  blank = "says what a blank value means to yes, which is not asked",
}
local FOLDED_MAX = 1024 -- bytes (csrc/core/rows/condition.h)

local function is_value(value)
  return type(value) == "string" or type(value) == "boolean" or (type(value) == "number" and value == value)
end

local function has(values, kind)
  for _, value in ipairs(values) do
    if type(value) == kind then
      return true
    end
  end
  return false
end

-- The values of a condition as a list, of which one must be met. Nil where there are none, or one is of another type.
local function values_of(value)
  if is_value(value) then
    return { value }
  end
  local n = arguments.count(value) -- nil where it has holes: values after one would never be compared
  if not n or n == 0 then
    return nil
  end
  for i = 1, n do
    if not is_value(value[i]) then
      return nil
    end
  end
  return value
end

-- The same in lowercase, nil where a text cannot be.
local function fold(values)
  local folded = {}
  for i, value in ipairs(values) do
    folded[i] = value
    if type(value) == "string" then
      folded[i] = #value <= FOLDED_MAX and core.lowercase(value)
      if not folded[i] then
        return nil
      end
    end
  end
  return folded
end

-- The following make a condition of an operator, without its notation; or nil and what is wrong.

local NEGATED = { present = "absent", yes = "no" }

local function presence(column, operator, value)
  if type(value) ~= "boolean" then
    return nil, ("where['%s'].%s must be true or false"):format(column, operator)
  end
  return { operator = value and operator or NEGATED[operator], column = column, values = {} }
end

-- Why a value cannot be put in order, or nil.
local function order_problem(value)
  if (type(value) ~= "number" and type(value) ~= "string") or value ~= value then
    return "must be a number or a string"
  elseif type(value) == "number" then
    return nil
  elseif core.number(value) then
    return "is a text, and texts are compared by their bytes: '1000' comes before '500'. "
      .. "Give the number, without quotes"
  elseif value:find("^%s*[0-9][0-9]?[./-][0-9][0-9]?[./-][0-9][0-9]") then
    return "is a date that begins with its day or month, and texts are compared by their bytes: they put only dates "
      .. "in order that begin with the year, such as 2024-01-31. Compare in a function(row)"
  end
end

local function order(column, operator, value)
  local problem = order_problem(value)
  if problem then
    return nil, ("where['%s'].%s %s"):format(column, operator, problem)
  end
  return { operator = operator, column = column, values = { value } }
end

local function has_blank(values)
  for _, value in ipairs(values) do
    if type(value) == "string" and not value:find("[^ \t-\r]") then
      return true
    end
  end
  return false
end

local function equality(column, operator, value)
  local values = values_of(value)
  if not values then
    return nil, ("where['%s'] must be a value, or a list of values, "
      .. "or a table of eq, ne, lt, le, gt, ge, present and yes"):format(column)
  elseif has_blank(values) then
    return nil, ("where['%s']: a blank text equals nothing; use present = true or present = false"):format(column)
  end
  return { operator = operator, column = column, values = values, booleans = has(values, "boolean") or nil }
end

local OPERATORS = {
  eq = equality, ne = equality, lt = order, le = order, gt = order, ge = order, present = presence, yes = presence,
}

-- The parts of a column's notation that concern a condition, as fields of it.
local function notation_of(condition, notation)
  local operator, fields = condition.operator, {}
  if has(condition.values, "number") then
    fields.decimal = notation.decimal
  end
  if (operator == "eq" or operator == "ne") and has(condition.values, "string") then
    fields.ignore_case = notation.ignore_case
  end
  if operator == "yes" or operator == "no" then
    fields.blank = notation.blank
  end
  return fields
end

-- A condition with its column's notation; or nil and what is wrong.
local function with_notation(condition, fields)
  local made = options.merge(condition, fields)
  if fields.ignore_case then
    made.values = fold(condition.values)
    if not made.values then
      return nil, ("where['%s']: what is compared in any case must be UTF-8, and at most %d bytes"):format(
        condition.column, FOLDED_MAX)
    end
  end
  return made
end

-- What a column must be, as operators with their values, and its notation; or nil and what is wrong.
local function split(column, wanted)
  if type(wanted) ~= "table" then
    return { eq = wanted }, {}
  end
  local operators, notation, list = {}, {}, {}
  for _, key in ipairs(sorted(wanted)) do
    local value = wanted[key]
    if NOTATIONS[key] then
      if not NOTATIONS[key][1][value] then
        return nil, ("where['%s'].%s must be %s"):format(column, key, NOTATIONS[key][2])
      end
      notation[key] = value
    elseif OPERATORS[key] and #wanted == 0 then
      operators[key] = value
    elseif type(key) == "string" and #wanted == 0 then
      return nil, ("where['%s'] has no '%s' (known: %s)"):format(column, key, KNOWN_OPERATORS)
    else
      list[key] = value
    end
  end
  if next(operators) == nil or next(list) ~= nil then
    operators.eq = list
  end
  return operators, notation
end

-- Adds a column's conditions to the list. What is wrong with them, or nil.
local function add_column(list, column, wanted)
  if not is_column(column) then
    return "where has a column that is no name and no number"
  end
  local operators, notation = split(column, wanted)
  if not operators then
    return notation
  end
  local used = {}
  for _, operator in ipairs(sorted(operators)) do
    local condition, problem = OPERATORS[operator](column, operator, operators[operator])
    if problem then
      return problem
    end
    local fields = notation_of(condition, notation)
    for key in entries(fields) do
      used[key] = true
    end
    list[#list + 1], problem = with_notation(condition, fields)
    if problem then
      return problem
    end
  end
  for _, key in ipairs(sorted(notation)) do
    if not used[key] then
      return ("where['%s'].%s %s"):format(column, key, USELESS[key])
    end
  end
end

---@class scope3.Condition
---@field operator string  eq, ne, lt, le, gt, ge, present, absent, yes or no
---@field column string|integer
---@field values table  in lowercase with `ignore_case`
---@field booleans? boolean  true or false is among the values
---@field decimal? string
---@field ignore_case? boolean
---@field blank? string
---@field audience? integer  number of the only audience that it is for,
---@field audience_id? string  and its id

--- Why a list is too long for a builder, or nil.
---@param list scope3.Condition[]
---@param whose string  begins the sentence
---@return string?
function filter.size_problem(list, whose)
  local values = 0
  for _, condition in ipairs(list) do
    values = values + #condition.values
  end
  if #list > CONDITIONS_MAX then
    return ("%s %d conditions; %d are the most: use a function(row)"):format(whose, #list, CONDITIONS_MAX)
  elseif values > VALUES_MAX then
    return ("%s %d values; %d are the most: use a function(row), and a table of the values as keys"):format(
      whose, values, VALUES_MAX)
  end
end

--- Conditions as a list. All must be met.
---@param where table  column -> a value, a list of values of which one must be met, or { eq=, ne=, lt=, le=, gt=, ge=,
---  present=, yes= }, and how texts are read: decimal=, ignore_case=, blank=
---@return scope3.Condition[]?
---@return string? problem
function filter.list(where)
  local list = {}
  for _, column in ipairs(sorted(where)) do
    local problem = add_column(list, column, where[column])
    if problem then
      return nil, problem
    end
  end
  local problem = filter.size_problem(list, "where has")
  return not problem and list or nil, problem
end

-- --- reports --------------------------------------------------------------------------------------------------------

-- What the values of a column may look like (csrc/core/rows/condition.h), in words.
local CONTENTS = {
  { "absent", "blank or missing" },
  { "other_case", "equal but for upper and lower case" },
  { "comma", "numbers with a comma" },
  { "point", "numbers such as 1.234", "numbers with a point" }, -- the second where the decimal mark is told
  { "signs", "numbers with a currency, a per cent sign or parted thousands" },
  { "number", "plain numbers" },
  { "words", "other texts" },
  { "other_type", "true, false or nested" },
}

-- "plain numbers (3), other texts (1)"
local function describe(condition, content, without)
  local parts = {}
  for _, kind in ipairs(CONTENTS) do
    local n = content[kind[1]]
    if n > 0 and kind[1] ~= without then
      parts[#parts + 1] = ("%s (%.0f)"):format(condition.decimal and kind[3] or kind[2], n)
    end
  end
  return table.concat(parts, ", ")
end

--- A condition as messages name it: its column and its operator.
---@param condition {column: string|integer, operator: string, audience: integer?}
---@return string
function filter.name(condition)
  return ("%s['%s'].%s"):format(filter.where(condition), condition.column, condition.operator)
end

--- Where a condition stands in its script.
---@param condition {audience: integer?}
---@return string
function filter.where(condition)
  return condition.audience and ("audiences[%d].where"):format(condition.audience) or "where"
end

local function is_numeric(condition)
  return #condition.values > 0 and has(condition.values, "number")
end

local function advise(condition, tally)
  local advice = ""
  if tally.unread.comma + tally.unread.signs + tally.unread.point > 0 and not condition.decimal
    and is_numeric(condition) then
    advice = '. Say how numbers are written: decimal = "," or decimal = "."'
  elseif tally.other_case > 0 then
    advice = ". ignore_case = true compares in any case"
  elseif tally.not_yes_or_no > 0 and condition.booleans then
    advice = ". yes = true reads the usual words"
  end
  return advice
end

local function warn(res, code, condition, tally, message)
  result.warn(res, code, filter.name(condition) .. " " .. message .. advise(condition, tally), {
    column = condition.column, operator = condition.operator, rows = tally.seen,
    audience_id = condition.audience_id,
  })
end

-- An example of a date that is written as the one in a condition.
local function date_like(text)
  local mark, day = text:match("^%s*[0-9]+(.)[0-9]+(.?[0-9]?[0-9]?)")
  return "2024" .. mark .. "01" .. (#day == 3 and day:sub(1, 1) == mark and mark .. "31" or "")
end

-- "1 of 7 values is", "2 of 7 values are"
local function share(n, all, one, many)
  return ("%.0f of %s %s"):format(n, plural.of(all, "value"), plural.words(n, one, many))
end

local function their_rows(n)
  return plural.words(n, "its row was", "their rows were")
end

-- Warns of what a condition met that its author may not expect.
local function judge(res, condition, tally)
  if tally.seen > 0 and tally.skipped == tally.seen then
    return warn(res, "condition_never_met", condition, tally,
      ("was met by none of %s that came to it: %s"):format(plural.of(tally.seen, "row"),
      describe(condition, tally.content)))
  end
  if tally.not_a_number > 0 then
    warn(res, "not_a_number", condition, tally, ("compares with a number, and %s none: %s"):format(
      share(tally.not_a_number, tally.seen, "is", "are"),
      describe(condition, tally.unread, not condition.decimal and "point")))
  end
  if tally.unread.point > 0 and not condition.decimal then
    warn(res, "number_notation", condition, tally,
      ("was not met by numbers such as 1.234, with three digits behind the point (%.0f), which were read as "
      .. "decimals"):format(tally.unread.point))
  end
  if tally.not_a_date > 0 then
    local words = "compares with a date such as %s, and %s not begin with one; %s skipped"
    warn(res, "not_a_date", condition, tally, words:format(date_like(condition.values[1]),
      share(tally.not_a_date, tally.seen, "does", "do"), their_rows(tally.not_a_date)))
  end
  if tally.not_yes_or_no > 0 then
    warn(res, "not_yes_or_no", condition, tally,
      ("found that %s neither %s; %s skipped"):format(share(tally.not_yes_or_no, tally.seen, "is", "are"),
      condition.booleans and "true nor false" or "yes nor no", their_rows(tally.not_yes_or_no)))
  end
  if tally.other_case > 0 then
    warn(res, "other_case", condition, tally,
      ("found that %s in upper and lower case alone; %s %s"):format(
      share(tally.other_case, tally.seen, "differs", "differ"), their_rows(tally.other_case),
      condition.operator == "ne" and "taken" or "skipped"))
  end
end

--- Adds the counts of conditions to a result, with warnings about what looks wrong.
---@param res scope3.Result
---@param list scope3.Condition[]
---@param tallies table[]  of a builder's counts, in the same order
function filter.report(res, list, tallies)
  for i, condition in ipairs(list) do
    local tally = tallies[i]
    res.conditions[#res.conditions + 1] = {
      audience_id = condition.audience_id, column = condition.column, operator = condition.operator,
      seen = tally.seen, skipped = tally.skipped,
      absent = tally.absent, not_a_number = tally.not_a_number, not_a_date = tally.not_a_date,
      not_yes_or_no = tally.not_yes_or_no, other_case = tally.other_case,
    }
    judge(res, condition, tally)
  end
end

return filter
