--- What becomes of a job's requests after they were accepted: their tasks complete, fail for good, or fail for a reason that passes, and are then
--- sent again a few times.
local reply = require "scope3.reply"
local result = require "scope3.result"
local tasks = require "scope3.tasks"
local verdict = require "scope3.verdict"
local visible = require "scope3.visible"

local outcome = {}

local SENDINGS = 3 -- of a request whose task fails for reasons that pass

-- The members of a request that failed with its task, and the parts that they are in: those of the audiences that the
-- error names, where it names any of the request's; else all.
local function failed_share(work, err)
  local named, members, parts = {}, 0, {}
  for _, id in ipairs(err and err.audiences or {}) do
    named[id] = true
  end
  for _, share in ipairs(work.shares or {}) do
    if named[share.id] then
      members = members + share.adds + share.removes
      parts[#parts + 1] = share.part
    end
  end
  if #parts == 0 or #parts == #work.shares then
    return work.entry.members, work.parts
  end
  return members, work.parts and parts
end

local WARNED = 20 -- warnings of tasks that a result holds

--- Adds what the service warns of to a job's result.
---@param self scope3.Job
---@param task {task_id: string}
---@param warnings? scope3.Problem[]  as verdict.tell() gives them
function outcome.warn(self, task, warnings)
  for _, problem in ipairs(warnings or {}) do
    self.task_warnings = (self.task_warnings or 0) + 1
    if self.task_warnings <= WARNED then
      local of = problem.audience_id and " of the audience " .. visible.text(problem.audience_id) or ""
      result.warn(self.result, "task_warning", "the service warns" .. of .. ": " .. verdict.sentence(problem),
        { task_id = task.task_id, audience_id = problem.audience_id, reason = problem.code })
    elseif self.task_warnings == WARNED + 1 then
      result.warn(self.result, "task_warnings", "more warnings of tasks are not shown: ask for a task to see its own")
    end
  end
end

-- A task has ended: its request is completed, or its members failed.
local function task_ended(self, task, err, warnings)
  local work, res = self.work[task], self.result
  if not work or work.ended then
    return
  end
  if not tasks.ended(task.status) then
    return -- it waits for a person, and may still complete
  end
  work.ended = true
  outcome.warn(self, task, warnings)
  local created, updated = reply.iso_time(task.created_at), reply.iso_time(task.updated_at)
  self.longest_task = math.max(self.longest_task, created and updated and updated - created or 0)
  if task.status == "completed" then
    work.entry.state = "completed"
  else
    local members, parts = failed_share(work, err)
    work.entry.state = members < work.entry.members and "partly failed" or "failed"
    work.entry.error = err and err.message
    work.entry.failed, work.parts = members, parts
    work.transient = err and err.retryable
    work.retry_after = err and err.retry_after
    res.sent, res.failed = res.sent - members, res.failed + members
    if work.entry.possibly_twice then
      res.possibly_twice = res.possibly_twice - members
    end
  end
  if err then
    err.rows = err.rows or work.entry.rows
  end
  self:note("ended", { request = work.id, status = task.status, transient = work.transient })
end

-- Tasks that failed for reasons that pass, and may be tried again.
local function passing_failures(self)
  local again, pause = {}, 0
  for i = #self.pending, 1, -1 do
    local work = self.work[self.pending[i]]
    if work and work.ended and work.transient and not work.entry.sent_again and work.sendings < SENDINGS
      and (work.parts or self.rebuild and not work.entry.delete_missing) then
      table.insert(again, 1, work)
      pause = math.max(pause, work.retry_after or 1)
      table.remove(self.pending, i)
    end
  end
  return again, pause
end

local function await(self, limits, opts, on_event)
  while true do
    local ok, err = tasks.wait(self.client, self.pending, limits, opts, on_event, function(task, why, warnings)
      task_ended(self, task, why, warnings)
    end)
    local again, pause = {}, nil
    if not self.failure and (ok or err.kind == "task_failed") then
      again, pause = passing_failures(self)
    end
    if #again == 0 then
      return ok, err
    end
    on_event { event = "resend", requests = #again, seconds = pause }
    ok, err = self.transport:pause(pause, limits)
    if not ok then
      return nil, err
    end
    self.limits = limits
    local kept = {}
    for _, work in ipairs(again) do
      if work.parts then
        ok, err = self:send_again({ parts = work.parts, kept = true }, { work })
      else
        kept[#kept + 1] = work
      end
      if not ok then
        return nil, err
      end
    end
    if #kept > 0 then
      ok, err = self.rebuild(kept)
      if not ok then
        return nil, err
      end
    end
  end
end

--- Waits until every task since the last turn has ended; what failed for a reason that passes is sent again, a few times.
---@param self scope3.Job
---@param limits table
---@param opts {interval: number?}
---@param on_event fun(event: table)
---@return boolean? ok
---@return scope3.Error? err
function outcome.await(self, limits, opts, on_event)
  local ok, err = await(self, limits, opts, on_event)
  if self.ended then -- else this was the end of an epoch, and the job goes on
    self:leave()
  end
  return ok, err
end

return outcome
