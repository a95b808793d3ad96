--- What a task says of the work behind it: a task may be completed, and what it was to do may have failed
--- (docs/contract.md section 3).
local advice = require "scope3.http.advice"
local core = require "scope3.core"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local wire = require "scope3.api.codec"

local jit = rawget(_G, "jit") -- a host may let no global be read that is not there

local verdict = {}

local FAILED = { fail = true, failed = true, failure = true, error = true, errored = true, rejected = true }
local DONE = { created = true, updated = true, unchanged = true, deleted = true }
local DEEPEST = 6 -- envelopes round a response, one in another
local LONGEST_WAIT = 3600 -- seconds that a problem may ask to wait (docs/contract.md section 3)
local LISTED = 20 -- problems of a task that are told one by one

---@class scope3.Problem
---@field code? string
---@field message? string
---@field field? string
---@field suggestion? string
---@field about? string  the code, where it is told elsewhere
---@field recovery? string
---@field retry_after? number
---@field audience_id? string

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- A word of a reply, whatever its case and the blanks round it.
local function low(value)
  return type(value) == "string" and core.lower(value:match("^[ \t\r\n]*([^ \t\r\n]*)") or "") or nil
end

-- Whether a reply says in a field that it had no success.
local function denied_by(layer)
  for _, name in ipairs { "success", "succeeded", "ok" } do
    local value = layer[name]
    if value == false or value == 0 or low(value) == "false" then
      return true
    end
  end
  return false
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
  if record.external_id ~= nil and record.audience_id == nil then -- of one member, beside those that were taken
    append(found.warnings, problems(record.errors))
    append(found.warnings, problems(record.error))
    return
  end
  local status = low(record.status)
  local id = type(record.audience_id) == "string" and record.audience_id or nil
  local action = low(record.action)
  local errors = problems(record.errors, id)
  append(errors, problems(record.error, id))
  -- Beside an action, the status "error" is that of the audience's row, which a wait looks at.
  if FAILED[action] or FAILED[status] and (action == nil or status ~= "error") or denied_by(record)
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

-- Whether what stands under a name of a response may be an envelope, or a list of what was done.
local function is_envelope(name)
  return name == "data" or name == "payload" or name == "output" or name == "body" or name == "content"
    or name:find("results?$") ~= nil or name:find("response$") ~= nil
end

local function is_record(value)
  return type(value) == "table" and (value.action ~= nil or value.audience_id ~= nil)
end

-- The records of the audiences in a list, in an object with a key for each, or alone.
local function add_records(records, list)
  if type(list) ~= "table" then
    return
  elseif is_record(list) then
    records[#records + 1] = list
    return
  end
  for _, record in pairs(list) do
    if type(record) == "table" then
      records[#records + 1] = record
    end
  end
end

-- The records of the audiences in a response, or in what an envelope holds.
local function records_of(layer)
  local records = {}
  if layer[1] ~= nil or layer.action ~= nil then
    add_records(records, layer)
  else
    add_records(records, layer.audiences)
    add_records(records, layer.audience)
    for name, value in pairs(layer) do -- an object with a key for each
      local own = name == "audiences" or name == "audience" or type(name) == "string" and is_envelope(name)
      if not own and type(value) == "table" and value.action ~= nil then
        add_records(records, value)
      end
    end
  end
  return records
end

if jit then
  jit.off(add_records, true) -- as in scope3.wire
  jit.off(records_of, true)
end

-- Reads a response, and what stands in envelopes inside it. `whole`: problems that mean failure; `beside`: those that
-- do where nothing is said to be done.
local function read_layer(layer, found, whole, beside, depth)
  if type(layer) ~= "table" or depth > DEEPEST then
    return
  end
  for _, record in ipairs(records_of(layer)) do
    judge(record, found)
  end
  if layer.action == nil then -- else it is the record of an audience, which was judged
    append(whole, problems(layer.error))
    append(beside, problems(layer.errors))
    append(found.warnings, problems(layer.warnings))
    found.denied = found.denied or denied_by(layer) or FAILED[low(layer.status)] or false
  end
  for name, inner in pairs(layer) do
    if type(name) == "string" and is_envelope(name) then
      read_layer(inner, found, whole, beside, depth + 1)
    end
  end
end

if jit then
  jit.off(read_layer, true)
end

--- What a completed task came to, and what it warns of.
---@param task table  as wire.task() reads it
---@param round? table  what the reply holds beside the task, with names as in Lua
---@return {failures: scope3.Problem[], warnings: scope3.Problem[], actions: table<string, string>}  `failures`: empty
---  when the work was done; one without `audience_id` speaks of the whole request. `actions`: of the audiences that are told of
function verdict.of(task, round)
  local found = { failures = {}, warnings = {}, actions = {}, done = 0, denied = denied_by(task) }
  local whole, beside = problems(task.error), problems(task.errors)
  append(found.warnings, problems(task.warnings))
  if round then
    append(beside, problems(round.errors))
    append(found.warnings, problems(round.warnings))
  end
  for name, inner in pairs(task) do
    if type(name) == "string" and is_envelope(name) then
      read_layer(inner, found, whole, beside, 1)
    end
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
  if #whole > 0 or found.denied or #beside > 0 and found.done == 0 then
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
---@return scope3.Problem[]? failures  where it says of an audience, or of the task, that it failed already
function verdict.beside(data)
  local list = {}
  for _, field in ipairs { "errors", "warnings" } do
    append(list, problems(wire.read(data[field])))
  end
  local said = wire.read(data)
  local found = { failures = {}, warnings = {}, actions = {}, done = 0 }
  read_layer({ audiences = said.audiences, audience = said.audience }, found, {}, {}, 1)
  append(list, found.warnings)
  local status = wire.task { status = data.status }
  if #found.failures == 0 and (denied_by(said) or status and (status.status == "failed" or status.status == "rejected"
    or status.status == "canceled")) then
    found.failures = { {} }
  end
  return list, #found.failures > 0 and found.failures or nil
end

-- A code is a word of the service, and no value.
local function shown_code(code, known)
  return code and redact.code(code, known)
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
  local known = advice.of(problem.code or problem.about)
  if problem.suggestion then
    return said .. "; the service suggests: " .. problem.suggestion
  end
  return said .. (known and " (" .. known .. ")" or "")
end

-- --- what a task holds beside its own fields ----------------------------------------------------------------------

-- Keys whose values are words of the service.
local WORDS = { id_type = true, action = true, status = true, code = true, recovery = true, resource_type = true,
  task_type = true,
  type = true }
local IDS = { audience_id = true, task_id = true, operation_id = true, account_id = true, resource_id = true,
  adcp_agent_id = true }
local TEXTS = { message = true, suggestion = true, detail = true, details = true, error = true, errors = true,
  warnings = true, field = true, path = true, title = true, description = true, reason = true }
local BUDGET = 1000 -- texts of one task

local function is_moment(value)
  -- pattern: of less than 40 bytes
  return #value < 40 and value:find("^%d%d%d%d%-%d%d%-%d%d[T ][%d:.]+[Z+%-:%d]*$") ~= nil
end

-- A text or number under a key, as it may be told.
local function clean_value(value, key, state)
  if type(value) == "boolean" then
    return value
  elseif type(value) == "number" then
    local counts = key:find("count$") or key:find("rate$") or key:find("size$") or key:find("seconds$")
      or key:find("total") or key:find("matched$") or key:find("submitted$") or key == "retry_after"
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
    -- pattern: no quantifier
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
  if json.is_array(value) then
    json.array(out)
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

-- A status or a type that is no word of a service may be a value.
local function clean_words(row, known)
  for _, field in ipairs { "status", "task_type", "resource_type" } do
    local word = row[field]
    if type(word) == "string" and redact.code(word:gsub(" ", "_"), known) ~= word:gsub(" ", "_") then
      row[field] = field == "status" and "unknown" or nil
    end
  end
end

-- Takes the fields out of a row that its type does not have, and gives their names.
local function undeclared(row, fields)
  local others = {}
  for name in pairs(row) do
    if not fields[name] then
      others[#others + 1] = name
    end
  end
  return others
end

--- Takes personal data and keys out of what a task holds beside its own fields, its error, response and metadata.
---@param task table
---@param known? scope3.Known
function verdict.clean(task, known)
  local state = { left = BUDGET, known = known }
  local names = undeclared(task, wire.TASK)
  for _, name in ipairs { "error", "response", "metadata" } do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    local value = task[name]
    task[name] = nil
    local shown = type(name) == "string" and clean({ [name] = value }, "", state) or {}
    for key, told in pairs(shown) do
      task[key] = told
    end
  end
  clean_words(task, known)
end

local MANY_DIGITS = 1e6 -- a number from here on may be a phone, or an id

-- A value of a field that nobody declared, without what may be somebody's.
local function plain(value, known, depth)
  if type(value) == "string" then
    return is_moment(value) and value or redact.strict(value, known)
  elseif type(value) == "number" then
    return value < MANY_DIGITS and value > -MANY_DIGITS and value or "[redacted]"
  elseif type(value) ~= "table" then
    return value
  elseif depth > DEEPEST then
    return nil
  end
  local out = json.is_array(value) and json.array {} or {}
  for name, item in pairs(value) do
    out[type(name) == "string" and redact.code(name, known) or name] = plain(item, known, depth + 1)
  end
  return out
end

if jit then
  jit.off(plain, true)
  jit.off(undeclared, true)
end

--- Takes personal data and keys out of an audience's row: its id and its name alone stay as they are.
---@param row table
---@param known? scope3.Known
---@return table row
function verdict.clean_row(row, known)
  for _, name in ipairs(undeclared(row, wire.AUDIENCE)) do
    local value = row[name]
    row[name] = nil
    for key, told in pairs(type(name) == "string" and plain({ [name] = value }, known, 0) or {}) do
      row[key] = told
    end
  end
  clean_words(row, known)
  return row
end

return verdict
