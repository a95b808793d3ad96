--- What the end of a task means. A task may be completed although its work failed (docs/contract.md section 3).
local entries = require "scope3.util.entries"
local problems = require "scope3.api.problems"

local verdict = {}

local FAILED = { fail = true, failed = true, failure = true, error = true, errored = true, rejected = true }
local DONE = { created = true, updated = true, unchanged = true, deleted = true }
local REFUSED = { failed = true, rejected = true, canceled = true } -- statuses of a task
local DEEPEST = 6 -- envelopes round a response, one in another

---@class scope3.Verdict  what a task's work came to
---@field failures scope3.Problem[]  empty where the work was done; without `audience_id` of the whole request
---@field warnings scope3.Problem[]
---@field actions table<string, string>  by audience id, as far as the reply says

-- A verdict while a reply is read. `done` says that the work of an audience was done, and `denied` that the reply
-- denies success. `error` and `errors` are problems of the whole request; `errors` mean failure only where nothing is
-- done.
local function new_reading()
  return { failures = {}, warnings = {}, actions = {}, error = {}, errors = {} }
end

-- Of most answers to an accepted request. Nobody writes to it.
local NOTHING_SAID = { failures = {}, warnings = {}, actions = {} }

local function verdict_of(reading)
  return { failures = reading.failures, warnings = reading.warnings, actions = reading.actions }
end

local function append(list, more)
  for _, one in ipairs(more) do
    list[#list + 1] = one
  end
end

local SUCCESS = { "success", "succeeded", "ok" }

-- Whether a field of a reply says that it had no success.
local function is_denied(layer)
  for _, name in ipairs(SUCCESS) do
    local value = layer[name]
    if value == false or value == 0 or problems.word(value) == "false" then
      return true
    end
  end
  return false
end

local function errors_of(record, audience_id)
  local list = problems.list(record.errors, audience_id)
  append(list, problems.list(record.error, audience_id))
  return list
end

-- Whether the record of an audience says that its work failed. Where it has an action, the status "error" is the status
-- of the audience's row, which a wait checks.
local function has_failed(record, action, has_errors)
  local status = problems.word(record.status)
  return FAILED[action] or FAILED[status] and (action == nil or status ~= "error") or is_denied(record)
    or has_errors and not DONE[action]
end

local function judge_audience(reading, record)
  local id = type(record.audience_id) == "string" and record.audience_id or nil
  local action = problems.word(record.action)
  local errors = errors_of(record, id)
  if has_failed(record, action, #errors > 0) then
    append(reading.failures, #errors > 0 and errors or { { audience_id = id } })
  else
    append(reading.warnings, errors)
    if action and not DONE[action] then
      append(reading.warnings,
        { { message = "the action is a word that is not known: " .. action, audience_id = id } })
    end
    reading.done = true
    if id then
      reading.actions[id] = action
    end
  end
  append(reading.warnings, problems.list(record.warnings, id))
end

-- A record may be of one member. Its errors are warnings, because the other members were accepted.
local function judge(reading, record)
  if record.external_id ~= nil and record.audience_id == nil then
    append(reading.warnings, errors_of(record))
  else
    judge_audience(reading, record)
  end
end

local ENVELOPES = { data = true, payload = true, output = true, body = true, content = true }

-- Whether a field of a response may be an envelope, or a list of what was done.
local function is_envelope(name)
  return type(name) == "string"
    and (ENVELOPES[name] or name:find("results?$") or name:find("response$")) ~= nil
end

local function is_record(value)
  return type(value) == "table" and (value.action ~= nil or value.audience_id ~= nil)
end

-- Adds the records in `value`: one record, a list of them, or an object with a field for each.
local function add_records(records, value)
  if type(value) ~= "table" then
    return
  elseif is_record(value) then
    records[#records + 1] = value
    return
  end
  for _, record in entries(value) do
    if type(record) == "table" then
      records[#records + 1] = record
    end
  end
end

-- The records of audiences in a response, or in an envelope.
local function records_of(layer)
  local records = {}
  if layer[1] ~= nil or layer.action ~= nil then
    add_records(records, layer)
    return records
  end
  add_records(records, layer.audiences)
  add_records(records, layer.audience)
  for name, value in entries(layer) do -- an object with a field for each audience
    local is_read = name == "audiences" or name == "audience" or is_envelope(name)
    if not is_read and type(value) == "table" and value.action ~= nil then
      add_records(records, value)
    end
  end
  return records
end

local function judge_records(reading, layer)
  for _, record in ipairs(records_of(layer)) do
    judge(reading, record)
  end
end

-- Reads a response, and the envelopes inside it.
local function read_layer(reading, layer, depth)
  if type(layer) ~= "table" or depth > DEEPEST then
    return
  end
  judge_records(reading, layer)
  if layer.action == nil then -- else it is the record of an audience, and judged
    append(reading.error, problems.list(layer.error))
    append(reading.errors, problems.list(layer.errors))
    append(reading.warnings, problems.list(layer.warnings))
    reading.denied = reading.denied or is_denied(layer) or FAILED[problems.word(layer.status)]
  end
  for name, inner in entries(layer) do
    if is_envelope(name) then
      read_layer(reading, inner, depth + 1)
    end
  end
end

local function read_envelopes(reading, layer)
  for name, inner in entries(layer) do
    if is_envelope(name) then
      read_layer(reading, inner, 1)
    end
  end
end

-- Audiences failed. What is said of the whole request may say why; the rest of it is a warning.
local function conclude_failed_audiences(reading)
  local about_all = reading.errors
  append(about_all, reading.error)
  local first = reading.failures[1]
  if not first.message and not first.code and about_all[1] then
    about_all[1].audience_id = first.audience_id
    reading.failures[1] = table.remove(about_all, 1)
  end
  append(reading.warnings, about_all)
end

local function conclude(reading)
  if #reading.failures > 0 then
    conclude_failed_audiences(reading)
  elseif #reading.error > 0 or reading.denied or #reading.errors > 0 and not reading.done then
    append(reading.error, reading.errors)
    reading.failures = #reading.error > 0 and reading.error or { {} }
  else
    append(reading.warnings, reading.errors)
  end
end

--- What a completed task came to, and what it warns of.
---@param task scope3.Task  before sanitize.task()
---@param envelope? table  of scope3.TaskReply
---@return scope3.Verdict
function verdict.of(task, envelope)
  local reading = new_reading()
  reading.denied = is_denied(task)
  append(reading.error, problems.list(task.error))
  append(reading.errors, problems.list(task.errors))
  append(reading.warnings, problems.list(task.warnings))
  if envelope then
    append(reading.errors, problems.list(envelope.errors))
    append(reading.warnings, problems.list(envelope.warnings))
  end
  read_envelopes(reading, task)
  conclude(reading)
  return verdict_of(reading)
end

--- What the answer to an accepted request says already, before its task has ended. `failures` are those of audiences,
--- or one without fields where the answer says that the task has failed.
---@param accepted scope3.AcceptedTask
---@return scope3.Verdict
function verdict.of_accepted(accepted)
  local body = accepted.body
  local is_fine = not is_denied(body) and not REFUSED[accepted.status]
  if is_fine and not (body.errors or body.warnings or body.audiences or body.audience) then
    return NOTHING_SAID
  end
  local reading = new_reading()
  append(reading.warnings, problems.list(body.errors))
  append(reading.warnings, problems.list(body.warnings))
  judge_records(reading, { audiences = body.audiences, audience = body.audience })
  if #reading.failures == 0 and not is_fine then
    reading.failures = { {} }
  end
  return verdict_of(reading)
end

return verdict
