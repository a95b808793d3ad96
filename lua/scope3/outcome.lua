--- What becomes of a job's requests after they were accepted: their tasks complete, fail for good, or fail for a reason that passes, and are then
--- sent again a few times.
local tasks = require "scope3.tasks"

local outcome = {}

local SENDINGS = 3 -- of a request whose task fails for reasons that pass

-- A task has ended: its request is completed, or its members failed.
local function task_ended(self, task, err)
  local work, res = self.work[task], self.result
  if not work or work.ended then
    return
  end
  if not tasks.ended(task.status) then
    return -- it waits for a person, and may still complete
  end
  work.ended = true
  if task.status == "completed" then
    work.entry.state = "completed"
  else
    work.entry.state, work.entry.error = "failed", err and err.message
    work.transient = err and err.retryable
    work.retry_after = err and err.retry_after
    res.sent, res.failed = res.sent - work.entry.members, res.failed + work.entry.members
    res.removed = res.removed - work.entry.removes
    if work.entry.possibly_twice then
      res.possibly_twice = res.possibly_twice - work.entry.members
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

-- Sends members of failed tasks again. Gives how many requests there were; 0 when there is nothing to send.
local function send_again(self, limits, on_event)
  local again, pause = passing_failures(self)
  if #again == 0 then
    return 0
  end
  on_event { event = "resend", requests = #again, seconds = pause }
  local ok, err = self.transport:pause(pause, limits)
  if not ok then
    return nil, err
  end
  self.limits = limits
  local built = {}
  for _, work in ipairs(again) do
    if work.parts then
      ok, err = self:send_again({ parts = work.parts, kept = true }, { work })
    else
      built[#built + 1] = work
    end
    if not ok then
      return nil, err
    end
  end
  if #built > 0 then
    ok, err = self.rebuild(built)
    if not ok then
      return nil, err
    end
  end
  return #again
end

local function await(self, limits, opts, on_event)
  while true do
    local ok, err = tasks.wait(self.client, self.pending, limits, opts, on_event, function(task, why)
      task_ended(self, task, why)
    end)
    if self.failure and self.failure.kind == "journal" then
      return nil, self.failure -- the end of a task could not be noted
    elseif self.failure or not ok and err.kind ~= "task_failed" then
      return ok, err
    end
    local again, why = send_again(self, limits, on_event)
    if again == 0 then
      return ok, err
    elseif not again then
      return nil, why
    end
  end
end

--- Sends what an earlier run of the journal left: members whose tasks had failed for a passing reason, while others were sent after them.
---@param self scope3.Job
---@return true?
---@return scope3.Error? err
function outcome.send_leftovers(self)
  local again, err = send_again(self, self.limits, self.on_event)
  return again and true or nil, err
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
    if ok and self.lost_before then
      return nil, self.lost_before
    end
  end
  return ok, err
end

return outcome
