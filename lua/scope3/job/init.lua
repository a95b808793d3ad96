--- A job: members on their way into audiences, from the first batch to the last task.
---
---     job (this file)   what client, pipeline, stream and outbox call
---      ├─ state         owns the queue, the requests and the counts; only state.lua writes to them
---      ├─ ending        owns the failure, the limits of time, and whether to stop
---      ├─ admission     makes the requests of a batch, as these decide:
---      │     target_check (do the audiences exist), resume (what a journal leaves), in_doubt (must it wait)
---      ├─ sender        starts requests, and does with the answers what these decide:
---      │     acceptance (what a reply says), rejection (split, or go without some members)
---      └─ resend        waits for tasks, and sends members again, as these decide:
---            completion (what a task's end means), rebuild (failed batches once more)
--- A helper returns its decision, and writes to nothing of the job.
local admission = require "scope3.job.admission"
local counters = require "scope3.http.counters"
local contention = require "scope3.job.contention"
local ending = require "scope3.job.ending"
local guard = require "scope3.util.guard"
local history = require("scope3.util.late").require "scope3.job.history" -- what gives it a journal has loaded it
local in_doubt = require "scope3.job.in_doubt"
local resend = require "scope3.job.resend"
local result = require "scope3.result"
local sender = require "scope3.job.sender"
local state = require "scope3.job.state"
local warnings = require "scope3.job.warnings"

---@class scope3.Job: scope3.BatchSink
---@field context scope3.Context
---@field opts table  checked options
---@field guard scope3.Guard  of its callbacks
---@field result scope3.Result
---@field on_event fun(event: scope3.Event)
---@field seconds fun(): number  since the job began
---@field deleting table<string, boolean>  ids of audiences that are to be deleted
---@field waiter? scope3.Waiter  of its calls; none in a dry run
---@field pace? scope3.Pace  its own rate; else that of the client
---@field private state scope3.JobState
---@field private ending scope3.JobEnding
---@field private sender? scope3.Sender  none in a dry run
---@field private resender? scope3.Resender
local Job = {}
Job.__index = Job

local job = {}

local GRACE = 5 -- seconds that requests under way are given when the job is stopped
local LONGEST_TURN = 48 * 3600 -- seconds that the tasks of an epoch may take (docs/contract.md section 3)

-- What sends; a dry run has none of it.
local function add_sender(self, transport, started, doubts, audiences)
  local opts, context = self.opts, self.context
  self.waiter = transport:waiter()
  self.ending:watch(self.waiter)
  self.presence = contention.enter(context, audiences, function(id)
    self.warnings:of_contention(id)
  end)
  self.sender = sender.new {
    context = context, opts = opts, state = self.state, ending = self.ending, transport = transport,
    waiter = self.waiter, pace = self.pace, started = started, on_event = self.on_event,
    warnings = self.warnings, in_doubt = doubts, presence = self.presence,
  }
  self.resender = resend.new {
    context = context, state = self.state, ending = self.ending, sender = self.sender, transport = transport,
    warnings = self.warnings,
  }
end

--- Starts a job.
---@param context scope3.Context
---@param audiences table[]  metadata of its audiences
---@param opts table  checked options; `pace` in place of `rate` is that of several jobs together
---@return scope3.Job
function job.new(context, audiences, opts)
  local transport = not opts.dry_run and context:transport() or nil
  local pace = transport and (opts.pace or opts.rate and transport.pace_of(opts.rate)) or nil
  local now = context.loop.now()
  local own_guard, res = opts.guard or guard.new(), result.new(context, audiences)
  local own_ending = ending.new({
    grace = GRACE, pace = pace, guard = own_guard, patience = opts.patience,
    deadline = opts.deadline and now + opts.deadline or nil, strict = opts.strict_deadline,
  }, own_guard, opts.cancel)
  local self = setmetatable({
    context = context, opts = opts, guard = own_guard, result = res, ending = own_ending, pace = pace,
    state = state.new(res, opts, own_ending), warnings = warnings.new(res), deleting = {},
    on_event = opts.on_event or own_guard:wrap("on_event", context.emit),
    seconds = function()
      return context.loop.now() - now
    end,
  }, Job)
  for _, audience in ipairs(audiences) do
    self.deleting[audience.id] = audience.deleted or nil
  end
  local doubts = in_doubt.new(opts.in_doubt_timeout)
  if transport then
    add_sender(self, transport, now, doubts, audiences)
  end
  self.admission = admission.new {
    context = context, opts = opts, state = self.state, ending = own_ending, in_doubt = doubts,
    on_event = self.on_event, sender = self.sender, resender = self.resender, transport = transport,
  }
  result.join(res, self)
  return self
end

-- --- asking ----------------------------------------------------------------------------------------------------------

--- Why the job has failed; nil while it has not.
---@return scope3.Error?
function Job:failed()
  return self.ending.failure
end

--- Whether `cancel` says so, or a callback raised.
---@return boolean
function Job:is_to_stop()
  return self.ending:is_to_stop()
end

--- Whether the time for sending is over.
---@return boolean
function Job:is_late()
  local deadline = self.ending.limits.deadline
  return deadline ~= nil and self.context.loop.now() >= deadline
end

--- What the service did not take, for a caller that keeps the payloads.
---@return scope3.UnsentParts[]
function Job:unsent()
  return self.state.unsent
end

--- Members that are lost although the job goes on: those of an earlier run, or of requests that it went on past.
---@return scope3.Error?
function Job:lost()
  return self.ending.lost_before or self.ending.passed_over
end

--- When sending is to stop.
---@return table limits  as for transport:drive()
function Job:limits()
  return self.ending.limits
end

--- Limits that end after so many seconds, or with the job's own.
---@param seconds number
---@param over string  what to call that
---@return table
function Job:limits_within(seconds, over)
  return self.ending:within(self.context.loop.now(), seconds, over)
end

-- --- before the first batch ------------------------------------------------------------------------------------------

--- Sets a field of the result that is no count.
---@param field "repeats"|"would_delete"|"deleted"|"mirror"|"exclusions"
---@param value any
function Job:report(field, value)
  self.state:report(field, value)
end

--- Keeps a journal from now on, and goes on from what it says.
---@param journal scope3.Journal
---@param header table  what must not change between two runs
---@return true?
---@return scope3.Error? err
function Job:keep(journal, header)
  local ok, err = journal:open(header)
  if not ok then
    return nil, err
  end
  self.history, err = history.read(journal:replay())
  if not self.history then
    journal:close()
    return nil, err
  end
  self.journal = journal
  self.state:number_from(self.history.last)
  self.sender:keep(journal, self.history.size)
  self.admission:continue(self.history, journal.forgets ~= true)
  if journal.cut_short then
    result.warn(self.result, "journal_cut_short", "the journal's last line was written in part, as in a crash, and was "
      .. "removed; its request is found out about, or sent again")
  end
  return true
end

--- Lets batches be built again whose tasks fail for a passing reason.
---@param source scope3.BatchSource
function Job:rebuild_from(source)
  self.resender:rebuild_from(source)
end

--- Does not check whether audiences exist from which the job only removes.
function Job:skip_target_check()
  self.state:targets_known()
end

--- Checks once that the audiences exist from which the job only removes.
---@param ids string[]
---@return scope3.Error?  kind "not_found" names the audience
function Job:check_targets(ids)
  return self.admission:check_targets(ids)
end

-- --- batches ---------------------------------------------------------------------------------------------------------

--- Sends a batch: waits until there is room for one, starts what it becomes, and returns while that is under way.
---@param given scope3.Batch
---@return true?
---@return scope3.Error? err  the job's failure: this batch was then not sent
function Job:send(given)
  local digest, outline = self.admission:marks(given)
  local batch = self.state:open(given, digest, outline, self.seconds())
  local list, failure = self.admission:admit(batch)
  for _, req in ipairs(list) do
    if failure then
      self.state:give_up(req)
    elseif self.opts.dry_run then
      self.state:skip(req, self.context.sample)
    else
      self.state:enqueue(req)
    end
  end
  self.state:close(batch)
  if failure then
    return nil, failure
  elseif self.sender then
    self.sender:advance()
  end
  return true
end

--- Notes members that were built and are not even cut into a request: they count as failed.
---@param part scope3.Part
function Job:abandon(part)
  local batch = self.state:open { parts = { part } }
  self.state:give_up(self.state:request(batch, batch.parts))
  self.state:close(batch)
end

-- --- waiting ---------------------------------------------------------------------------------------------------------

--- Moves requests under way on without waiting.
function Job:pump()
  if self.sender then
    self.sender:pump()
  end
end

--- Waits until every request has been answered.
---@return boolean ok
---@return scope3.Error? err
function Job:await()
  if self.sender then
    return self.sender:await()
  end
  return not self.ending.failure, self.ending.failure
end

-- Closes the journal, so that another process may have it. What is noted later, by a wait, opens it again.
local function close_journal(self)
  if self.journal then
    self.journal:close()
  end
end

--- Waits until every task of this epoch has ended; what failed for a reason that passes is sent again, a few times.
---@param limits table  as for transport:drive()
---@param opts {interval: number?, notified: function?}
---@param on_event fun(event: scope3.Event)
---@return boolean? ok
---@return scope3.Error? err
function Job:await_tasks(limits, opts, on_event)
  counters.expect(self.ending.ended and self.result) -- else this is the end of an epoch, and the job goes on
  local ok, err = self.resender:await(limits, opts, on_event)
  if self.ending.ended then
    close_journal(self)
    self.context.counters:job_went_on(self.result)
    if ok and self.ending.lost_before then
      return nil, self.ending.lost_before
    end
  end
  return ok, err
end

-- Waits until the tasks of an epoch have ended, in its own limits. After any error but "task_failed" some may go on.
local function await_epoch(self, limits)
  self.on_event { event = "barrier", tasks = #self.state.tasks.pending }
  local before = self.ending.limits
  local ok, err = self:await_tasks(limits, {}, self.on_event)
  if not self.ending.stopping then
    self.ending:limit(before)
  end
  return ok or err.kind == "task_failed" and self.sender:passes_over(err), err
end

--- Ends an epoch: waits until every task of its requests has ended well.
---@param limits? table  those of a job's epoch unless given
---@return true?
---@return scope3.Error? err
function Job:turn(limits)
  local ok, err = self:await()
  if ok and self.sender then
    ok, err = await_epoch(self, limits or self:limits_within(LONGEST_TURN, "the tasks of an epoch took over 48 hours"))
  end
  if not ok then
    self.state:fail(err)
    return nil, self.ending.failure
  end
  self.state:end_epoch()
  return true
end

--- Checks that the input still has all that an earlier run sent.
---@param cuts integer  batches that it gave
---@return true?
---@return scope3.Error? err
function Job:check_history(cuts)
  if self.history then
    return self.history:beyond(cuts)
  end
  return true
end

--- Sends what an earlier run left: members whose tasks had failed for a passing reason.
---@return true?
---@return scope3.Error? err
function Job:send_leftovers()
  if self.state.tasks:take_leftover() then
    return self.resender:send_leftovers(self.on_event)
  end
  return true
end

-- --- deleting what is missing ----------------------------------------------------------------------------------------

--- Whether an earlier run of the same journal has deleted: what others made since is not to go.
---@return boolean
function Job:has_pruned()
  return self.history ~= nil and self.history:deleted()
end

--- Adds to what an error says, and to the job's failure where that is the same.
---@param err scope3.Error
---@param more string
---@return scope3.Error
function Job:amend(err, more)
  return self.ending:amend(err, more)
end

--- Sets when sending is to stop.
---@param limits table  as for transport:drive()
function Job:limit(limits)
  self.ending:limit(limits)
end

-- --- the end ---------------------------------------------------------------------------------------------------------

--- Stops without sending more. Requests under way are given a few seconds to be answered.
---@param err scope3.Error
function Job:stop(err)
  self.ending:stop { deadline = self.context.loop.now() + GRACE, stopping = true }
  self.state:fail(err)
  self:await()
  self.ending:stopped(err)
end

local function leave(self)
  if self.presence then
    self.presence:leave()
  end
  close_journal(self)
end

--- The error of a job that was given up before anything was sent.
---@param err scope3.Error
---@return scope3.Error
function Job:refuse(err)
  leave(self)
  return self.guard.fault or err
end

--- Ends the job: waits for the last request, and gives the result, or the failure with the result in it.
---@return scope3.Result?
---@return scope3.Error? err
function Job:finish()
  self:await()
  self.state:report("seconds", self.seconds())
  leave(self)
  self.context.counters:job_ended(self.result)
  local err = self.ending:finish(self.result)
  return not err and self.result or nil, err
end

return job
