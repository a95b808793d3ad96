--- What a task says of the work behind it: a task may be completed, and what it was to do may have failed
--- (docs/contract.md section 3).
local core = require "scope3.core"
local redact = require "scope3.redact"
local wire = require "scope3.wire"

local jit = rawget(_G, "jit") -- a host may let no global be read that is not there

local verdict = {}

local FAILED = { failed = true, failure = true, error = true, rejected = true }
local DONE = { created = true, updated = true, unchanged = true, deleted = true }
local LONGEST_WAIT = 3600 -- seconds that a problem may ask to wait (docs/contract.md section 3)
local LISTED = 20 -- problems of a task that are told one by one

---@class scope3.Problem
---@field code? string
---@field message? string
---@field field? string
---@field suggestion? string
---@field recovery? string
---@field retry_after? number
---@field audience_id? string

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function low(value)
  return type(value) == "string" and core.lower(value) or nil
end

-- A problem of a reply, whatever form it has.
local function read_problem(value, audience_id)
  if type(value) ~= "table" then
    return { message = text(value), audience_id = audience_id }
  end
  local wait = value.retry_after
  return {
    code = text(value.code), message = text(value.message) or text(value.error) or text(value.detail),
    field = text(value.field), suggestion = text(value.suggestion), recovery = low(value.recovery), audience_id = audience_id,
    retry_after = type(wait) == "number" and wait >= 0 and math.min(wait, LONGEST_WAIT) or nil,
  }
end

-- Whether a reply states something: what is empty states nothing.
local function stated(value)
  return value ~= nil and value ~= false and value ~= "" and not (type(value) == "table" and next(value) == nil)
end

-- The problems of a field that should be a list of them, and may be one, or a text.
local function problems(value, audience_id)
  local list = {}
  if stated(value) then
    for _, one in ipairs(type(value) == "table" and value[1] ~= nil and value or { value }) do
      list[#list + 1] = read_problem(one, audience_id)
    end
  end
  return list
end

local function append(list, more)
  for _, one in ipairs(more) do
    list[#list + 1] = one
  end
end

-- What a response says of one audience.
local function judge(record, found)
  local status = low(record.status)
  local id = type(record.audience_id) == "string" and record.audience_id or nil
  local action = low(record.action)
  local errors = problems(record.errors, id)
  append(errors, problems(record.error, id))
  if FAILED[action] or action == nil and FAILED[status] or record.success == false
    or #errors > 0 and not DONE[action] then
    append(found.failures, #errors > 0 and errors or { { audience_id = id } })
  else
    append(found.warnings, errors)
    if action and not DONE[action] then
      append(found.warnings, { { message = "the action is a word that is not known: " .. action, audience_id = id } })
    end
    found.done = found.done + 1
    if id then
      found.actions[id] = action
    end
  end
  append(found.warnings, problems(record.warnings, id))
end

-- The records of the audiences in a response, or in what an envelope holds.
local function records_of(layer)
  local list = layer.audiences
  if type(list) ~= "table" then
    list = type(layer.audience) == "table" and layer.audience or nil
  end
  if not list and (layer[1] ~= nil or layer.action ~= nil) then
    list = layer
  end
  if not list then
    return {}
  elseif list[1] == nil and (list.action ~= nil or list.audience_id ~= nil) then
    return { list }
  end
  local records = {}
  for _, record in pairs(list) do -- a list, or an object with a key for each
    if type(record) == "table" then
      records[#records + 1] = record
    end
  end
  return records
end

if jit then
  jit.off(records_of, true) -- as in scope3.wire
end

--- What a completed task came to, and what it warns of.
---@param task table  as wire.task() reads it
---@return {failures: scope3.Problem[], warnings: scope3.Problem[], actions: table<string, string>}  `failures`: empty
---  when the work was done; one without `audience_id` speaks of the whole request. `actions`: of the audiences that are told of
function verdict.of(task)
  local found = { failures = {}, warnings = {}, actions = {}, done = 0 }
  local whole, beside, denied = problems(task.error), {}, false
  local layer = task.response
  for _ = 1, 3 do -- a response may be in an envelope of its own
    if type(layer) ~= "table" then
      break
    end
    for _, record in ipairs(records_of(layer)) do
      judge(record, found)
    end
    append(whole, problems(layer.error))
    if layer.action == nil then -- else it is the record of an audience, which was judged
      append(beside, problems(layer.errors))
      append(found.warnings, problems(layer.warnings))
      denied = denied or layer.success == false or FAILED[low(layer.status)] or false
    end
    layer = type(layer.data) == "table" and layer.data or layer.result
  end
  if #found.failures > 0 then
    -- Which audience failed can be told; what is said of the whole may say why.
    append(beside, whole)
    local first = found.failures[1]
    if not first.message and not first.code and beside[1] then
      beside[1].audience_id = first.audience_id
      found.failures[1] = table.remove(beside, 1)
    end
    append(found.warnings, beside)
    return found
  end
  if #whole > 0 or denied or #beside > 0 and found.done == 0 then
    append(whole, beside)
    found.failures = #whole > 0 and whole or { {} }
  else
    append(found.warnings, beside)
  end
  return found
end

--- What an accepted request is told beside its task.
---@param data table  as reply.read() gives it
---@return scope3.Problem[]
function verdict.beside(data)
  local list = {}
  for _, field in ipairs { "errors", "warnings" } do
    local said = wire.read(data[field])
    append(list, problems(said))
  end
  return list
end

local CODE = "^[A-Za-z][A-Za-z0-9_.-]*$"

-- A code is a word of the service, and no value.
local function shown_code(code, known)
  if code then
    local is_word = #code <= 64 and code:find(CODE) and not code:find("[a-z_.%-][0-9][0-9]")
      and not code:find("%-[0-9]") and not code:find("[0-9][0-9][0-9][0-9]")
    return (is_word or redact.is_path(code)) and code or redact.strict(code, known)
  end
end

--- Problems as they may be told.
---@param list scope3.Problem[]
---@param known? scope3.Known
---@return scope3.Problem[]
---@return integer more  that are not among them
function verdict.tell(list, known)
  local told = {}
  for i = 1, math.min(#list, LISTED) do
    local one = list[i]
    told[i] = {
      code = shown_code(one.code, known), field = shown_code(one.field, known),
      message = one.message and redact.strict(one.message, known),
      suggestion = one.suggestion and redact.strict(one.suggestion, known),
      recovery = one.recovery, retry_after = one.retry_after, audience_id = one.audience_id,
    }
  end
  return told, #list - #told
end

--- A problem as a sentence.
---@param problem scope3.Problem  as verdict.tell() gives it
---@return string
function verdict.sentence(problem)
  local said = problem.code and problem.message and problem.code .. ": " .. problem.message
  said = said or problem.code or problem.message or "it does not say why"
  return said .. (problem.suggestion and "; the service suggests: " .. problem.suggestion or "")
end

-- --- what a task holds beside its own fields ----------------------------------------------------------------------

-- Keys whose values are words of the service.
local WORDS = { action = true, status = true, code = true, recovery = true, resource_type = true, task_type = true,
  type = true }
local IDS = { audience_id = true, task_id = true, operation_id = true, account_id = true, resource_id = true,
  adcp_agent_id = true }
local TEXTS = { message = true, suggestion = true, detail = true, details = true, error = true, errors = true,
  warnings = true, field = true, path = true, title = true, description = true, reason = true }
local BUDGET = 1000 -- texts of one task

local function is_moment(value)
  return value:find("^%d%d%d%d%-%d%d%-%d%d[T ][%d:.]+[Z+%-:%d]*$") ~= nil and #value < 40
end

-- A text or number under a key, as it may be told.
local function clean_value(value, key, state)
  if type(value) == "boolean" then
    return value
  elseif type(value) == "number" then
    local counts = key:find("count$") or key:find("rate$") or key:find("size$") or key:find("seconds$")
      or key:find("total") or key == "retry_after"
    return counts and value or "[redacted]"
  elseif type(value) ~= "string" then
    return nil
  end
  state.left = state.left - 1
  if state.left < 0 then
    return "[redacted]"
  elseif WORDS[key] then
    return shown_code(value, state.known)
  elseif IDS[key] then
    return wire.is_task_id(value) and not value:find(("%x"):rep(64)) and value or redact.patterns(value)
  elseif is_moment(value) then
    return value
  elseif TEXTS[key] then
    return redact.is_path(value) and value or redact.strict(value, state.known)
  end
  return "[redacted]"
end

-- What a service put into a task: words of its own stay, and whatever may be a value of somebody does not.
local function clean(value, key, state)
  if type(value) ~= "table" then
    return clean_value(value, key, state)
  end
  local out = {}
  if value[1] ~= nil then
    for i, item in ipairs(value) do
      out[i] = clean(item, key, state)
    end
    return out
  end
  for name, item in pairs(value) do
    local shown = type(name) == "string" and #name <= 40 and name:find("^[a-z][a-z_]*$") and name or "[redacted]"
    out[shown] = clean(item, shown, state)
  end
  return out
end

if jit then
  jit.off(clean, true)
end

--- Takes personal data and keys out of a task's error, response and metadata.
---@param task table
---@param known? scope3.Known
function verdict.clean(task, known)
  local state = { left = BUDGET, known = known }
  for _, field in ipairs { "error", "response", "metadata" } do
    if type(task[field]) == "string" then
      task[field] = redact.strict(task[field], known)
    else
      task[field] = clean(task[field], field, state)
    end
  end
end

return verdict
