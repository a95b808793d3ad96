-- Conditions of scripts through input/filter, and rows through what it made of them.
-- A `where` is taken or refused with a sentence that names it; each row is used or skipped, and counted once.
--
-- An input is a line with a `where` in JSON, and CSV.
local core = require "scope3.core"
local filter = require "scope3.input.filter"
local json = require "scope3.util.json"

local WITHOUT_VALUES = { present = true, absent = true, yes = true, no = true }
local MAP = { { "external_id", "id" } }

-- As core.builder takes it.
local function compiled(condition)
  return { condition.operator, condition.column, condition.values, decimal = condition.decimal,
    ignore_case = condition.ignore_case, blank = condition.blank }
end

local function check_condition(condition)
  assert(type(condition.operator) == "string", "no operator")
  assert(type(condition.column) == "string" or condition.column % 1 == 0, "no column")
  assert(#condition.values > 0 or WITHOUT_VALUES[condition.operator], "no values")
  local name = filter.name(condition)
  assert(name:find("where", 1, true) == 1, "no name")
end

-- What the counts of rows come to, and of each condition.
local function check_counts(counts, list)
  assert(counts.rows == counts.skipped + counts.rejected_rows + counts.used_rows, "rows")
  local seen = nil
  for i in ipairs(list) do
    local tally = counts.conditions[i]
    assert(tally.skipped <= tally.seen, "it skipped more than it saw")
    assert(seen == nil or tally.seen <= seen, "it saw what one before it skipped")
    for _, name in ipairs { "absent", "not_a_number", "not_a_date", "not_yes_or_no" } do
      assert(tally[name] <= tally.seen, name)
    end
    seen = tally.seen - tally.skipped
  end
end

local function run(list, text, columns)
  local source = core.source { format = "csv", delimiter = ",", header = true }
  source:feed(text)
  source:finish()
  local conditions, targets = {}, {}
  for i, condition in ipairs(list) do
    conditions[i] = compiled(condition)
    conditions[i][2] = columns[condition.column] or 1
  end
  for i, target in ipairs(MAP) do
    targets[i] = { target[1], columns[target[2]] or 1 }
  end
  local builder = core.builder { max_member = 10000, map = targets, conditions = conditions, remove = true,
    ids = "as_is" }
  local members = core.payload { max_members = 1000, max_bytes = 100000 }
  local state = builder:fill(members, source, 1e9, 600)
  assert(state == "end" or state == "fatal", state)
  return builder:counts()
end

-- The names of the first line, for a file without quotes there.
local function columns_of(text)
  local columns, number = {}, 0
  for name in (text:match "^[^\r\n]*" .. ","):gmatch "([^,]*)," do
    number = number + 1
    columns[name] = number
  end
  return columns, number
end

return function(input)
  local line, text = input:match "^([^\n]*)\n(.*)$"
  local where = line and json.decode(line)
  if type(where) ~= "table" or where == json.null then
    return
  end
  local list, problem = filter.list(where)
  if not list then
    assert(type(problem) == "string" and problem:find "where", "it is refused without a reason")
    return
  end
  for _, condition in ipairs(list) do
    check_condition(condition)
  end
  local counts = run(list, text, (columns_of(text)))
  check_counts(counts, list)
  local res = { conditions = {}, warnings = {} }
  filter.report(res, list, counts.conditions)
  assert(#res.conditions == #list, "a condition without a count")
  for _, warning in ipairs(res.warnings) do
    assert(type(warning.code) == "string" and warning.message:find "^where", "a warning of nothing")
  end
end
