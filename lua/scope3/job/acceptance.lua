--- Reads the service's answer to a request: the task that it made of it, or why there is none.
local errors = require "scope3.error"
local problems = require "scope3.api.problems"
local redact = require "scope3.util.redact"
local response = require "scope3.api.response"
local verdict = require "scope3.api.verdict"

local acceptance = {}

---@class scope3.Acceptance
---@field task_id? string  nil where the request was not accepted
---@field named? string  a task that was named, also by an answer that says that it failed
---@field warnings? scope3.Problem[]  what the service warns of; about `named`
---@field err? scope3.Error  why it was not accepted

-- The request may have been carried out, and cannot be followed.
local function unnamed()
  return errors.new("http",
    "the service accepted the request but named no task, or what it named has not the form of a task's id",
    { code = "BAD_REPLY", uncertain = true })
end

local function denied_by(problem, task_id)
  return errors.new("http", "the service accepted the request and named a task, but says that it failed: "
    .. problems.sentence(problem), { code = "REFUSED", uncertain = true, task_id = task_id })
end

--- Reads the decoded body of a reply that was a success.
---@param data any
---@param known {key: string?, body: any}  what no text of the service may repeat
---@return scope3.Acceptance
function acceptance.read(data, known)
  local answer = response.accepted(data)
  local task_id = answer.task_id
  if not task_id or redact.holds_key(task_id, known.key) then -- a journal and a report would keep it
    return { err = unnamed() }
  end
  local found = verdict.of_accepted(answer)
  local warnings = problems.redacted(found.warnings, known)
  if #found.failures > 0 then
    local failures = problems.redacted(found.failures, known)
    return { named = task_id, warnings = warnings, err = denied_by(failures[1], task_id) }
  end
  return { task_id = task_id, named = task_id, warnings = warnings }
end

return acceptance
