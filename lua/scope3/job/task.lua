--- Reads one task of the service, and says why it did not end well.
local codec = require "scope3.api.codec"
local errors = require "scope3.error"
local plural = require "scope3.util.plural"
local problems = require "scope3.api.problems"
local response = require "scope3.api.response"
local sanitize = require "scope3.api.sanitize"
local verdict = require "scope3.api.verdict"

local task = {}

local ENDED = { completed = true, failed = true, canceled = true, rejected = true }
local NEEDS_ACTION = { ["input-required"] = true, ["auth-required"] = true }
local GOES_ON = { submitted = true, working = true, unknown = true }

--- Whether a status is a task's last.
---@param status string
---@return boolean
function task.ended(status)
  return ENDED[status] == true
end

--- Whether a task with this status waits for a person.
---@param status string
---@return boolean
function task.needs_action(status)
  return NEEDS_ACTION[status] == true
end

--- Whether a status is one of a task.
---@param status string
---@return boolean
function task.is_status(status)
  return ENDED[status] or NEEDS_ACTION[status] or GOES_ON[status] or false
end

--- Asks for a task.
---@param context scope3.Context
---@param id string
---@param limits? table  as for transport:drive()
---@param body? table  the pieces of its request, which no text may repeat
---@return scope3.Task? task  of its error, response and metadata what may be told
---@return scope3.Error? err
---@return scope3.Verdict? found
function task.fetch(context, id, limits, body)
  local data, err = context:transport():request(
    { method = "GET", path = "/tasks/" .. codec.escape(id), timeout = 60, poll = true }, limits)
  if not data then
    return nil, err
  end
  local answer
  answer, err = response.task(data, id)
  if not answer then
    return nil, err
  end
  local known = { key = context.secret(), body = body }
  local found = verdict.of(answer.task, answer.envelope)
  local more
  found.failures = problems.redacted(found.failures, known)
  found.warnings, more = problems.redacted(found.warnings, known)
  if more > 0 then
    found.warnings[#found.warnings + 1] = { message = ("%s of this task %s not shown"):format(
      plural.of(more, "more warning"), plural.words(more, "is", "are")) }
  end
  local seen = sanitize.task(answer.task, known)
  if #found.warnings > 0 then
    seen.warnings = found.warnings
  end
  return seen, nil, found
end

-- The audiences that failed, where that can be told of each.
local function failed_audiences(failures)
  local ids, seen = {}, {}
  for _, problem in ipairs(failures) do
    local id = problem.audience_id
    if not id or id:find("@", 1, true) then -- an address is no audience, and must not be repeated
      return nil
    elseif not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  return ids
end

-- How a task ended that did not end well; nil where it did.
local function ending_of(status, failures)
  if NEEDS_ACTION[status] then
    return ("the task waits for a person (%s)"):format(status)
  elseif status ~= "completed" then
    return ("the task ended as %s"):format(status)
  elseif #failures > 0 then
    return "the task is completed, but what it was to do failed"
  end
end

-- The first problem in words. That of a task that is completed also names its field.
local function reason_of(said, completed)
  if completed then
    return ": " .. problems.sentence(said)
  elseif said.message or said.suggestion then
    return ": " .. problems.sentence { message = said.message, suggestion = said.suggestion, about = said.code }
  end
  return ""
end

--- Why a task did not end well; nil where it did.
---@param seen table  the task
---@param found scope3.Verdict
---@return scope3.Error?
function task.failure(seen, found)
  local failures, completed = found.failures, seen.status == "completed"
  local message = ending_of(seen.status, failures)
  if not message then
    return nil
  end
  local said = failures[1] or {}
  message = message .. reason_of(said, completed)
  if #failures > 1 then
    message = message .. (" (and %s)"):format(plural.of(#failures - 1, "more problem"))
  end
  return errors.new(NEEDS_ACTION[seen.status] and "needs_action" or "task_failed", message, {
    task_id = seen.task_id,
    code = said.code,
    field = said.field,
    audiences = completed and failed_audiences(failures) or nil,
    retryable = said.recovery == "transient" or nil,
    retry_after = said.retry_after,
  })
end

return task
