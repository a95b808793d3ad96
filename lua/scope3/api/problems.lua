--- Problems that a reply states: errors and warnings, read into one type and made fit to be shown.
local advice = require "scope3.http.advice"
local core = require "scope3.core"
local redact = require "scope3.util.redact"

local problems = {}

local LONGEST_WAIT = 3600 -- seconds that a problem may ask to wait (docs/contract.md section 3)
local SHOWN_MAX = 20 -- problems of a task that are shown one by one

---@class scope3.Problem
---@field code? string
---@field message? string
---@field field? string
---@field suggestion? string
---@field about? string  the code, where another sentence shows it already
---@field recovery? string
---@field retry_after? number  seconds
---@field audience_id? string

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- The first word of a text of the service, in lower case; nil for what is no text.
---@param value any
---@return string?
function problems.word(value)
  return type(value) == "string" and core.lower(value:match("^[ \t\r\n]*([^ \t\r\n]*)") or "") or nil
end

local function read_problem(value, audience_id)
  if type(value) ~= "table" then
    return { message = text(value), audience_id = audience_id }
  end
  local wait = value.retry_after
  return {
    code = text(value.code), message = text(value.message) or text(value.error) or text(value.detail),
    field = text(value.field), suggestion = text(value.suggestion), recovery = problems.word(value.recovery),
    retry_after = type(wait) == "number" and wait >= 0 and math.min(wait, LONGEST_WAIT) or nil,
    audience_id = audience_id,
  }
end

-- Whether a field states something: an empty one states nothing.
local function is_stated(value)
  return value ~= nil and value ~= false and value ~= "" and not (type(value) == "table" and next(value) == nil)
end

--- Reads a field that should be a list of problems, and may be one problem, or a text.
---@param value any  of a reply, in snake_case
---@param audience_id? string  of which it speaks
---@return scope3.Problem[]
function problems.list(value, audience_id)
  local list = {}
  if is_stated(value) then
    for _, one in ipairs(type(value) == "table" and value[1] ~= nil and value or { value }) do
      list[#list + 1] = read_problem(one, audience_id)
    end
  end
  return list
end

--- Problems without keys and personal data, the first ones.
---@param list scope3.Problem[]
---@param known? scope3.Known
---@return scope3.Problem[] shown
---@return integer more  that are not among them
function problems.redacted(list, known)
  if #list == 0 then
    return list, 0
  end
  local function code(value)
    return value and redact.code(value, known)
  end
  local function sentence(value)
    return value and redact.strict(value, known)
  end
  local shown = {}
  for i = 1, math.min(#list, SHOWN_MAX) do
    local one = list[i]
    shown[i] = {
      code = code(one.code), field = code(one.field),
      message = sentence(one.message), suggestion = sentence(one.suggestion),
      recovery = one.recovery, retry_after = one.retry_after, audience_id = one.audience_id,
    }
  end
  return shown, #list - #shown
end

--- A problem as a sentence for people.
---@param problem scope3.Problem  as problems.redacted() gives it
---@return string
function problems.sentence(problem)
  local said = problem.code and problem.message and problem.code .. ": " .. problem.message
  said = said or problem.code or problem.message or "it does not say why"
  local known = advice.of(problem.code or problem.about)
  if problem.suggestion then
    return said .. "; the service suggests: " .. problem.suggestion
  end
  return said .. (known and " (" .. known .. ")" or "")
end

return problems
