--- Sends the requests of a job: several at once where that is asked for, smaller ones where they are too large, and
--- without the members that the service rejects.
local acceptance = require "scope3.job.acceptance"
local body_sizes = require "scope3.job.body_sizes"
local core = require "scope3.core"
local errors = require "scope3.error"
local quarantine = require "scope3.job.quarantine"
local rare = require "scope3.util.rare"
local records = require "scope3.job.records"
local rejection = require "scope3.job.rejection"
local reply = require "scope3.http.reply"
local request = require "scope3.api.request"
local retry = require "scope3.http.retry"
local sending = require "scope3.job.sending"
local splitter = require "scope3.job.splitter"
local tasks = require "scope3.job.tasks"

---@class scope3.Sender
---@field state scope3.JobState
---@field ending scope3.JobEnding
---@field sizes scope3.BodySizes
---@field journal? scope3.Journal
local Sender = {}
Sender.__index = Sender

local sender = {}

---@class scope3.SenderParts  what a sender works with
---@field context scope3.Context
---@field opts table  checked options of the job
---@field state scope3.JobState
---@field ending scope3.JobEnding
---@field transport scope3.Transport
---@field waiter scope3.Waiter  of its calls
---@field pace? scope3.Pace  of the job's own; else that of the client
---@field started number  when the job began, by the loop's clock
---@field on_event fun(event: scope3.Event)
---@field warnings scope3.JobWarnings
---@field in_doubt scope3.Doubts
---@field presence scope3.Presence

---@param self scope3.SenderParts  becomes the sender
---@return scope3.Sender
function sender.new(self)
  self.concurrency, self.budget = self.opts.concurrency or 1, retry.budget()
  self.sizes = body_sizes.new(self.transport, self.waiter)
  return setmetatable(self, Sender)
end

--- Writes to the journal from now on.
---@param journal scope3.Journal
---@param size? integer  bytes: larger requests of an earlier run were too large
function Sender:keep(journal, size)
  self.journal = journal
  self.sizes:keep_to(size)
end

local function seconds(self)
  return self.context.loop.now() - self.started
end

--- Writes a record to the journal, where there is one. A journal that cannot be written stops the job: what it does
--- not say must not happen.
---@param what "begin"|"accepted"|"ended"
---@param record table
---@return boolean ok
function Sender:note(what, record)
  local journal = self.journal
  if not journal or not record.request then
    return true
  end
  local ok, err = journal[what](journal, record)
  if not ok then
    self.state:fail(err)
  end
  return ok and true or false
end

local function call_of(self, req)
  local opts = self.opts
  return {
    method = "POST",
    path = "/advertisers/" .. self.context.account_id .. "/audiences/sync",
    body = request.body(req.parts, opts.push_notification_config, req.batch.delete_missing),
    timeout = opts.timeout or 60 + req.bytes / 100000,
    pace = self.pace,
    patience = opts.patience,
    repeatable = true, -- an upsert, and in place: nothing that depends on it has gone
    large = rejection.divisible(req),
    budget = self.budget,
    ending = self.ending,
    on_event = function(event)
      self.warnings:of_event(event)
      self.on_event(event)
    end,
    before_attempt = req.sending and function(call)
      return req.sending:attempt(call)
    end,
  }
end

local function start(self, req)
  local state = self.state
  self.presence:note(req.parts)
  state:begin(req)
  if self.journal then
    local record = records.beginning(req, core.time())
    if not self:note("begin", record) then
      return state:withhold(req)
    end
    req.sending = sending.of(self.journal, req, record.at)
  end
  local started = seconds(self)
  state:launched(req, self.transport:start(call_of(self, req), self.waiter), started)
  local entry = req.entry
  self.on_event { event = "request", request = entry.request, members = entry.members, bytes = entry.bytes }
end

--- Notes that a copy of a request may still take effect, where that is so: also of one whose own task failed.
---@param req scope3.JobRequest
function Sender:doubt(req)
  if req.entry.possibly_twice then
    local since = req.in_doubt_since and math.max(0, core.time() - req.in_doubt_since) or 0
    self.in_doubt:add(req.parts, self.state.result.epochs, self.context.loop.now() - since)
  end
end

--- The service took a request, now or in an earlier run.
---@param req scope3.JobRequest
---@param task_id string
---@return scope3.TaskEntry
function Sender:accepted(req, task_id)
  local state, entry = self.state, req.entry
  local task = state:accept(req, task_id)
  self.sizes:took(req.bytes)
  if not entry.resumed then
    tasks.remember(task, self.context.loop.now(), req.batch.retained and req.parts)
  end
  self:doubt(req)
  if self.journal and not entry.resumed then
    self:note("accepted", { request = req.id, task_id = task_id, uncertain = entry.possibly_twice,
      at = math.floor(core.time()) })
  end
  self.on_event { event = "accepted", request = entry.request, members = entry.members, task_id = task_id }
  state:close(req.batch)
  return task
end

-- Requests go in the place of another. Its end may have failed the job, where the journal could not be written: then
-- they are given up.
local function replace(self, req, lists, rounds)
  local state, failure = self.state, self.ending.failure
  state:replace_request(req, lists, rounds)
  if failure then
    state:fail(failure)
  end
end

-- The lists of parts of a request, each of a size that may pass.
local function fitting(self, req)
  return splitter.fit(req.parts, self.sizes:most(), self.opts.push_notification_config)
end

-- Smaller ones go in the place of a request that is too large.
local function split(self, req, decision)
  self.sizes:refused(req.bytes, decision.max_bytes)
  local most = self.sizes:most()
  self.state:split(req)
  self:note("ended", { request = req.id, status = "split", uncertain = sending.in_doubt(req), size = most })
  self.on_event { event = "split", request = req.entry.request, bytes = most }
  replace(self, req, fitting(self, req))
end

-- A request goes again without the members that the service rejected.
local function send_without(self, req, decision)
  local state, members, on_reject = self.state, decision.members, self.opts.on_reject
  self:note("ended", records.refusal(req, members, sending.in_doubt(req)))
  state:exclude(req, members)
  if on_reject then
    quarantine.report(members, on_reject)
  end
  self.on_event { event = "quarantined", request = req.entry.request, members = #members }
  replace(self, req, rejection.remaining(req))
end

-- Statuses of a request that is rejected for what is in it. Any other one is as likely for the next request: it is of
-- the key, the account or the host.
local OF_CONTENT = { [400] = true, [409] = true, [413] = true, [422] = true }

--- Whether the job goes on without what failed for good. The first of these errors is the job's in the end.
---@param err scope3.Error
---@return boolean
function Sender:passes_over(err)
  local own = err.kind == "task_failed" or OF_CONTENT[err.status] and not err.uncertain
  if not self.opts.keep_going or not own or self.ending.failure then
    return false
  end
  self.ending:pass_over(err)
  return true
end

-- Notes the end of a request that failed. A later run sends one last that the job went on past, without what others
-- have replaced by then: they are going now. A journal of sendings is not gone on from.
local function note_failed(self, req, passed)
  local again = passed and not req.sending
  self:note("ended", { request = req.id, status = again and "failed" or "refused", transient = again or nil })
end

-- Nothing is to be tried again: what came of the request is unknown. Its last sending may be known to have come to
-- nothing all the same.
local function leave_unknown(self, req, err)
  self.state:reject(req, "unknown", err, false)
  if req.sending and not sending.in_doubt(req) then
    note_failed(self, req)
  end
  return false
end

-- Nothing is to be tried again: the request failed. Gives whether the job goes on past that.
local function reject(self, req, err)
  local of_content = err.kind == "invalid" or reply.speaks_of_size(err) and not rejection.divisible(req)
  self.state:reject(req, "failed", err, of_content)
  local passed = not req.batch.delete_missing and self:passes_over(err)
  note_failed(self, req, passed)
  return passed
end

local function give_up(self, req, err)
  local told = errors.with(err,
    { rows = err.rows or req.entry.rows, issues = quarantine.with_rows(req.parts, err.issues) })
  local act = (err.uncertain or req.uncertain) and leave_unknown or reject
  local passed = act(self, req, told)
  self.state:close(req.batch)
  if not passed then
    self.state:fail(told)
  end
end

-- A request has been answered, or will not be.
local function settle(self, req)
  local call, err = req.call, req.call.err
  self.state:answered(req, seconds(self))
  if call.data then
    local answer = acceptance.read(call.data, { key = self.context.secret(), body = call.request.body })
    self.warnings:of_service(answer.named, answer.warnings)
    if answer.task_id then
      return self:accepted(req, answer.task_id)
    end
    err = answer.err
  end
  local decision = not self.ending.failure and rejection.decide(req, err)
  if not decision then
    return give_up(self, req, err)
  elseif decision.kind == "split" then
    return split(self, req, decision)
  end
  return send_without(self, req, decision)
end

-- Starts a request whose turn has come, or puts smaller ones in its place: what passes was found out since it was made.
local function start_next(self)
  local state = self.state
  local req, most = state:dequeue(), self.sizes:most()
  if most and req.bytes > most and rejection.divisible(req) then
    state:replace_request(req, fitting(self, req))
  elseif rare.happens "halve" and rejection.divisible(req) then
    state:replace_request(req, rejection.halves(req))
  else
    start(self, req)
  end
end

-- Whether the first of the requests that wait may go. One that is larger than all that were taken goes alone among its
-- like, so that a size which is too large is refused once.
local function may_start(self)
  local state, sizes = self.state, self.sizes
  if #state.in_flight >= self.concurrency then
    return false
  elseif #state.in_flight == 0 or not sizes:is_trial(state.queue:peek().bytes) then
    return true
  end
  for _, req in ipairs(state.in_flight) do
    if sizes:is_trial(req.bytes) then
      return false
    end
  end
  return true
end

--- Moves everything on that need not wait.
function Sender:advance()
  local state, ending = self.state, self.ending
  for _, req in ipairs(state:take_answered()) do
    settle(self, req)
  end
  while state.queue:count() > 0 and not ending.failure and not ending.stopping and not ending:fault()
    and may_start(self) do
    start_next(self)
  end
  if ending:fault() and not ending.failure then
    state:fail(ending:fault())
  end
end

--- Moves requests under way on without waiting.
function Sender:pump()
  self.transport:pump(self.waiter)
  self:advance()
end

-- Ends the calls of requests under way.
local function ground(self, why)
  for _, req in ipairs(self.state.in_flight) do
    self.transport:give_up(req.call, why, self.ending.limits)
  end
end

-- Moves everything on that need not wait. Gives whether nothing is to be waited for any more.
local function moves_to(self, done)
  local state, ending = self.state, self.ending
  self:advance()
  return done(self) or #state.in_flight == 0 and (ending.failure or ending.stopping)
end

--- Moves requests on until `done`. When the job is stopped or its time is over, nothing new is started.
---@param done fun(self: scope3.Sender): boolean
---@return boolean ok
---@return scope3.Error? err
function Sender:drive(done)
  local state, ending = self.state, self.ending
  if done(self) then
    return not ending.failure, ending.failure
  end
  local ok, why = self.transport:drive(moves_to, ending.limits, self.waiter, self, done)
  if not ok then
    ground(self, why)
  end
  if not ok or ending.stopping and not done(self) then
    self:advance()
    state:fail(why == "timeout" and errors.new("timeout", "the deadline passed before everything was sent")
      or errors.new("cancelled", "stopped before everything was sent"))
  end
  return not ending.failure, ending.failure
end

local function is_idle(self)
  return self.state:is_idle()
end

--- Waits until every request has been answered.
---@return boolean ok
---@return scope3.Error? err
function Sender:await()
  return self:drive(is_idle)
end

local function has_room(self)
  return self.state.batches <= self.concurrency
end

--- Waits until the batches that are not released leave room for another one.
---@return boolean ok
---@return scope3.Error? err
function Sender:await_room()
  return self:drive(has_room)
end

return sender
