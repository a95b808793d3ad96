--- What becomes of a job's requests after they were accepted: their tasks complete, fail for good, or fail for a reason that passes, and are then
--- sent again a few times.
local errors = require "scope3.error"
local redact = require "scope3.util.redact"
local result = require "scope3.result"
local tasks = require "scope3.job.tasks"
local problems = require "scope3.api.problems"
local visible = require "scope3.util.visible"

local completion = {}

local SENDINGS = 3 -- of a request whose task fails for reasons that pass

-- The members of a request that failed with its task, how many of them are removals, and the parts that they are in: those of the audiences that the
-- error names, where it names any of the request's; else all.
local function failed_share(work, err)
  local named, members, removes, parts = {}, 0, 0, {}
  for _, id in ipairs(err and err.audiences or {}) do
    named[id] = true
  end
  for _, share in ipairs(work.shares or {}) do
    if named[share.id] then
      members, removes = members + share.adds + share.removes, removes + share.removes
      parts[#parts + 1] = share.part
    end
  end
  if #parts == 0 or #parts == #work.shares then
    return work.entry.members, work.entry.removes, work.parts
  end
  return members, removes, work.parts and parts
end

local WARNED = 20 -- warnings of tasks that a result holds

--- Adds what the service warns of to a job's result.
---@param self scope3.Job
---@param task {task_id: string}
---@param warnings? scope3.Problem[]  as problems.redacted() gives them
function completion.warn(self, task, warnings)
  for _, problem in ipairs(warnings or {}) do
    self.task_warnings = (self.task_warnings or 0) + 1
    if self.task_warnings <= WARNED then
      local id = problem.audience_id and visible.text(redact.patterns(problem.audience_id)) -- a stranger's text, which may be anything
      local of = id and " of the audience " .. id or ""
      result.warn(self.result, "task_warning", "the service warns" .. of .. ": " .. problems.sentence(problem),
        { task_id = task.task_id, audience_id = id, reason = problem.code })
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
  completion.warn(self, task, warnings)
  if task.status == "completed" then
    work.entry.state = "completed"
  else
    local members, removes, parts = failed_share(work, err)
    work.entry.state = members < work.entry.members and "partly failed" or "failed"
    work.entry.error = err and err.message
    work.entry.failed, work.parts = members, parts
    work.transient = err and err.retryable
    if work.entry.delete_missing and res.deleted then
      res.deleted = nil
      result.warn(res, "deletion_failed", "delete_missing was accepted and then failed: the other audiences may still be there",
        { task_id = task.task_id })
    end
    work.retry_after = err and err.retry_after
    res.accepted, res.removed, res.failed = res.accepted - members, res.removed - removes, res.failed + members
    if work.entry.possibly_twice then
      res.possibly_twice = res.possibly_twice - members
    end
  end
  self:note("ended", { request = work.id, status = task.status, transient = work.transient })
  return err and errors.with(err, { rows = err.rows or work.entry.rows })
end

-- Tasks that failed for reasons that pass, and may be tried again. They stay where they are until they were sent:
-- whoever does that may be ended in the middle of it, and somebody else goes on.
local function passing_failures(self)
  local again, pause = {}, 0
  for _, task in ipairs(self.pending) do
    local work = self.work[task]
    if work and work.ended and work.transient and not work.entry.sent_again and work.sendings < SENDINGS
      and (work.parts or self.rebuild and not work.entry.delete_missing) then
      again[#again + 1] = work
      pause = math.max(pause, work.retry_after or 1)
    end
  end
  return again, pause
end

-- Forgets the tasks whose members went again.
local function forget_sent(self)
  for i = #self.pending, 1, -1 do
    local work = self.work[self.pending[i]]
    if work and work.entry.sent_again then
      table.remove(self.pending, i)
    end
  end
end

-- Sends members of failed tasks again. Gives how many requests there were; 0 when there is nothing to send.
local function send_again(self, limits, on_event, turn)
  local again, pause = passing_failures(self)
  if #again == 0 then
    return 0
  end
  on_event { event = "resend", requests = #again, seconds = pause }
  local ok, err = self.transport:pause(pause, limits)
  if not ok then
    return nil, err
  elseif turn and self.resending ~= turn then
    return #again -- it was taken for gone, and another one has sent them
  end
  self.limits = limits
  local built = {}
  for _, work in ipairs(again) do
    if work.parts then
      ok, err = self:send_again({ parts = work.parts, retained = true }, { work })
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
  forget_sent(self)
  return #again
end

local TURN = 0.2 -- seconds between two looks at whether another coroutine is still sending again
-- seconds without a sign of life after which it is taken to be gone: a host may end a coroutine anywhere
local STALE = 5

-- Waits until no other coroutine sends members of this job again.
local function take_turn(self, limits)
  local now = self.client.loop.now
  while self.resending and now() - self.resending.at < STALE do
    local ok, err = self.transport:pause(TURN, limits)
    if not ok then
      return nil, err
    end
  end
  self.resending = { at = now() }
  return self.resending
end

-- Several coroutines may wait for one job. One at a time sends again, and the others then look anew: so all are told
-- the same.
local function send_in_turn(self, limits, on_event, seen)
  local turn, err = take_turn(self, limits)
  if not turn then
    return nil, err
  end
  local count, why
  if self.resends ~= seen then
    count = 1 -- another one has done it meanwhile
  elseif #self.in_flight + #self.queue > 0 then
    count, why = self:await() and 1 or nil, self.failure -- the one before was ended in the middle of it
    forget_sent(self)
  else
    local own = {}
    for key, value in pairs(limits) do
      own[key] = value
    end
    function own.alive()
      turn.at = self.client.loop.now()
    end
    count, why = send_again(self, own, on_event, turn)
    self.resends = self.resends + (count ~= 0 and 1 or 0)
  end
  if self.resending == turn then
    self.resending = nil
  end
  return count, why
end

local function await(self, limits, opts, on_event)
  while true do
    local seen, list = self.resends, {}
    for i, task in ipairs(self.pending) do -- which changes while others send again
      list[i] = task
    end
    local ok, err = tasks.wait(self.client, list, limits, opts, on_event, function(task, why, warnings)
      return task_ended(self, task, why, warnings)
    end)
    if self.failure and self.failure.kind == "journal" then
      return nil, self.failure -- the end of a task could not be noted
    elseif self.failure or not ok and err.kind ~= "task_failed" then
      return ok, err
    end
    local again, why = send_in_turn(self, limits, on_event, seen)
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
function completion.send_leftovers(self)
  local again, err = send_again(self, self.limits, self.on_event)
  self.resends = self.resends + 1
  return again and true or nil, err
end

--- Waits until every task since the last turn has ended; what failed for a reason that passes is sent again, a few times.
---@param self scope3.Job
---@param limits table
---@param opts {interval: number?}
---@param on_event fun(event: table)
---@return boolean? ok
---@return scope3.Error? err
function completion.await(self, limits, opts, on_event)
  local ok, err = await(self, limits, opts, on_event)
  if self.ended then -- else this was the end of an epoch, and the job goes on
    self:leave()
    if ok and self.lost_before then
      return nil, self.lost_before
    end
  end
  return ok, err
end

return completion
