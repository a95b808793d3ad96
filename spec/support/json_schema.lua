-- A validator of JSON Schema (draft 2020-12): the keywords that spec/support/contract.lua uses, and no others: an
-- unknown one raises, so that no rule is passed over. `pattern` holds Lua patterns; `nullable` is OpenAPI's, for a type
-- that null is one of. Values are those of scope3.sandbox.json: its null, and arrays that are marked.
local json = require "scope3.sandbox.json"

local json_schema = {}

local function length(text)
  local _, continuation = text:gsub("[\128-\191]", "")
  return #text - continuation
end

local TYPES = {
  array = json.is_array,
  object = function(value)
    return type(value) == "table" and not json.is_array(value)
  end,
  integer = function(value)
    return type(value) == "number" and value % 1 == 0
  end,
}

for _, name in ipairs { "string", "number", "boolean" } do
  TYPES[name] = function(value)
    return type(value) == name
  end
end

local check
local keywords = {}

-- Each gets the keyword's value, the value to judge, its path, a function that notes a problem, and the whole schema.
function keywords.type(name, value, _, note)
  if not TYPES[name](value) then
    note("must be of type " .. name)
  end
end

function keywords.enum(allowed, value, _, note)
  for _, item in ipairs(allowed) do
    if item == value then
      return
    end
  end
  note "is none of the enum"
end

function keywords.minLength(n, value, _, note)
  if type(value) == "string" and length(value) < n then
    note "is too short"
  end
end

function keywords.maxLength(n, value, _, note)
  if type(value) == "string" and length(value) > n then
    note "is too long"
  end
end

function keywords.pattern(pattern, value, _, note)
  if type(value) == "string" and not value:find(pattern) then
    note "does not match"
  end
end

function keywords.minimum(n, value, _, note)
  if type(value) == "number" and value < n then
    note "is too small"
  end
end

function keywords.maximum(n, value, _, note)
  if type(value) == "number" and value > n then
    note "is too large"
  end
end

function keywords.minItems(n, value, _, note)
  if json.is_array(value) and #value < n then
    note "has too few items"
  end
end

function keywords.maxItems(n, value, _, note)
  if json.is_array(value) and #value > n then
    note "has too many items"
  end
end

function keywords.items(rule, value, path, _, problems)
  for i, item in ipairs(json.is_array(value) and value or {}) do
    check(rule, item, ("%s[%d]"):format(path, i - 1), problems)
  end
end

function keywords.required(names, value, _, note)
  for _, name in ipairs(TYPES.object(value) and names or {}) do
    if value[name] == nil then
      note("lacks " .. name)
    end
  end
end

function keywords.properties(rules, value, path, _, problems)
  for name, rule in pairs(TYPES.object(value) and rules or {}) do
    if value[name] ~= nil then
      check(rule, value[name], path == "" and name or path .. "." .. name, problems)
    end
  end
end

function keywords.additionalProperties(allowed, value, _, note, _, rule)
  for name in pairs(TYPES.object(value) and not allowed and value or {}) do
    if not rule.properties[name] then
      note("has " .. tostring(name) .. ", which is not known")
    end
  end
end

function keywords.anyOf(rules, value, path, note)
  for _, rule in ipairs(rules) do
    local tried = {}
    check(rule, value, path, tried)
    if #tried == 0 then
      return
    end
  end
  note "fits none of anyOf"
end

function check(rule, value, path, problems)
  if value == json.null and rule.nullable then
    return
  end
  local function note(message)
    problems[#problems + 1] = { path = path, message = message }
  end
  for keyword, argument in pairs(rule) do
    if keyword ~= "nullable" then
      local judge = assert(keywords[keyword], "an unknown keyword: " .. keyword)
      judge(argument, value, path, note, problems, rule)
    end
  end
end

--- The problems of a value, each with a path and a message; an empty list when there are none.
function json_schema.problems(rule, value)
  local problems = {}
  check(rule, value, "", problems)
  return problems
end

--- The same as one text each, in order.
function json_schema.told(rule, value)
  local told = {}
  for i, problem in ipairs(json_schema.problems(rule, value)) do
    told[i] = problem.path .. " " .. problem.message
  end
  table.sort(told)
  return told
end

return json_schema
