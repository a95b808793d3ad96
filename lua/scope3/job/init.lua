--- Sends the requests of one job: several at once where that is asked for, smaller ones where they are too large, without the members that the
--- service refuses, and once more where a task failed by no fault of theirs. What each came to stands in the result.
local contention = require "scope3.job.contention"
local core = require "scope3.core"
local splitter = require "scope3.job.splitter"
local doubts = require "scope3.job.in_doubt"
local errors = require "scope3.error"
local guard_of = require "scope3.util.guard"
local completion = require "scope3.job.completion"
local past = require "scope3.job.history"
local target_check = require "scope3.job.target_check"
local problems = require "scope3.api.problems"
local quarantine = require "scope3.job.quarantine"
local redact = require "scope3.util.redact"
local rejection = require "scope3.job.rejection"
local reply = require "scope3.http.reply"
local request = require "scope3.api.request"
local response = require "scope3.api.response"
local result = require "scope3.result"
local resume = require "scope3.job.resume"
local retry = require "scope3.http.retry"
local tasks = require "scope3.job.tasks"
local verdict = require "scope3.api.verdict"

---@class scope3.Job
local job = {}
job.__index = job

---@class scope3.Batch  what is cut at once: a full payload, or small audiences together
---@field parts scope3.Part[]
---@field number? integer  which cut of a source it is, from 1; 0 for the request that deletes what is missing
---@field delete_missing? boolean
---@field in_epochs? boolean  no other batch of its epoch has one of its ids
---@field retained? boolean  its payloads stay as they are after it was sent
---@field digest? string  of its members, where there is a journal
---@field outline? number  of its members, where they can be built again
---@field release? fun()  called when no request reads it any longer
---@field began? number  second of the job at which building it began

local GRACE = 5 -- seconds that requests under way are given when the job is stopped
local REPAIRS = 64 -- requests that one may become on the way to those that pass

--- Starts a job.
---@param client table
---@param audiences table[]  metadata of its audiences
---@param opts table  checked options
---@return scope3.Job
function job.new(client, audiences, opts)
  local transport = not opts.dry_run and client:transport() or nil
  local now = client.loop.now()
  local pace = transport and opts.rate and transport.pace_of(opts.rate) or nil -- its own; else that of the client
  local guard = opts.guard or guard_of.new()
  local self = setmetatable({
    client = client,
    transport = transport,
    waiter = transport and transport:waiter(),
    opts = opts,
    started = now,
    pace = pace,
    guard = guard, -- of its callbacks
    limits = { grace = GRACE, pace = pace, guard = guard, patience = opts.patience,
      deadline = opts.deadline and now + opts.deadline or nil },
    result = result.new(client, audiences),
    concurrency = opts.concurrency or 1,
    batches = 0, -- that are not released
    queue = {}, -- requests whose turn has not come
    in_flight = {}, -- requests under way, in the order of their start
    budget = retry.budget(),
    journaled = 0, -- requests in the journal
    left = {}, -- lists of parts that the service did not take, for whoever keeps their payloads; `refused` those that it found wrong
    pending = {}, -- tasks of this epoch
    resends = 0, -- times that members of failed tasks went again
    work = {}, -- task -> what it does
    doubts = doubts.new(opts.in_doubt_timeout),
    warned = {}, -- events that stand in the result
    deleting = {}, -- ids of audiences that are to be deleted
    on_event = opts.on_event or guard:wrap("on_event", client.on_event),
  }, job)
  self.limits.cancel = opts.cancel and function()
    self.stopping = self.stopping or opts.cancel() and true or false
    return self.stopping
  end
  if opts.dry_run then
    self.result.would_send, self.result.would_remove = 0, 0
  end
  for _, audience in ipairs(audiences) do
    self.deleting[audience.id] = audience.deleted or nil
  end
  result.join(self.result, self)
  contention.enter(self, audiences)
  return self
end

--- Seconds since the job began.
---@return number
function job:seconds()
  return self.client.loop.now() - self.started
end

local function path_of(client)
  return "/advertisers/" .. client.account_id .. "/audiences/sync"
end

--- Measures a request, at first and when members were set aside.
---@private
function job:count(req)
  req.adds, req.removes, req.bytes = splitter.measure(req.parts, self.opts.push_notification_config)
  req.members = req.adds + req.removes
end

--- A request for some parts of a batch. What it inherits from another that it is made of: `uncertain`, `repairs`, `sendings`.
---@private
function job:make(batch, parts, from)
  local req = { batch = batch, parts = parts, rounds = 0, uncertain = from and from.uncertain, sendings = from and from.sendings or 1,
    repairs = from and from.repairs or { left = REPAIRS } }
  self:count(req)
  batch.open = (batch.open or 0) + 1
  return req
end

--- A request of the batch has ended.
---@private
function job:close(batch)
  batch.open = batch.open - 1
  if batch.open == 0 then
    self.batches = self.batches - 1
    if batch.release then
      batch.release()
    end
  end
end

--- Puts a request into the result.
---@private
---@return table entry
function job:add_entry(req, state)
  local res = self.result
  local entry = {
    state = state, members = req.members, adds = req.adds, removes = req.removes, bytes = req.bytes, epoch = res.epochs,
    rows = splitter.rows(req.parts), build_start = req.batch.began, build_end = req.batch.ended,
  }
  res.requests[#res.requests + 1] = entry
  entry.request = #res.requests
  return entry
end

-- Members that will not be sent count as failed.
local function give_up(self, req)
  self:add_entry(req, "not sent")
  self.left[#self.left + 1] = req.parts
  self.result.failed = self.result.failed + req.members
  self:close(req.batch)
end

-- What foreign code raised: a callback, a loop, or a limiter's store.
local function fault_of(self)
  return self.guard.fault or self.waiter and self.waiter.fault or nil
end

-- A callback that raised is why a job ends, whatever came of that.
local function fail(self, err)
  self.failure = self.failure or fault_of(self) or err
  local queue = self.queue
  self.queue = {}
  for _, req in ipairs(queue) do
    give_up(self, req)
  end
end

--- Tells the journal, where there is one. A journal that cannot be written stops the job: what it does not say must not happen.
---@private
function job:note(what, record)
  local keeper = self.journal
  if keeper and record.request then
    local ok, err = keeper[what](keeper, record)
    if not ok then
      fail(self, err)
    end
    return ok
  end
  return true
end

--- Puts requests in front of those that wait.
---@private
function job:queue_first(list)
  for i = #list, 1, -1 do
    table.insert(self.queue, 1, list[i])
  end
end

local LOST = "the limiter's file was %s, and its counts were lost: requests wait for a minute"
local CUT_SHORT = "the service asked for a wait of %.0f s (%s); after %.0f s it was asked again"

-- What held the job's requests back, and is not as it should be. Once of each kind.
local function warn(self, event)
  if self.warned[event.event] then
    return
  elseif event.event == "limiter" then
    result.warn(self.result, "limiter_lost", LOST:format(event.problem), { problem = event.problem })
  elseif event.event == "cut_short" then
    result.warn(self.result, "wait_cut_short", CUT_SHORT:format(event.said, event.field, event.seconds),
      { field = event.field, said = event.said, seconds = event.seconds })
  else
    return
  end
  self.warned[event.event] = true
end

local function start(self, req)
  contention.note(self, req)
  local entry = self:add_entry(req, "sending")
  req.entry = entry
  entry.delete_missing = req.batch.delete_missing
  local batch, part = req.batch, req.parts[1]
  if batch.digest then
    self.journaled = self.journaled + 1
    req.id = self.journaled
  end
  if not self:note("begin", { request = req.id, batch = batch.number, epoch = self.result.epochs, first = part.first or 1, last = part.last or 1,
    members = req.members, rows = entry.rows, digest = batch.digest, without = req.without, excluded = req.excluded,
    replaced = req.replaced, uncertain = req.uncertain, at = math.floor(core.time()) }) then
    entry.state = "not sent"
    self.result.failed = self.result.failed + req.members
    return self:close(batch)
  end
  entry.send_start = self:seconds()
  req.call = self.transport:start({
    method = "POST",
    path = path_of(self.client),
    body = request.body(req.parts, self.opts.push_notification_config, req.batch.delete_missing),
    timeout = self.opts.timeout or 60 + req.bytes / 100000,
    pace = self.pace,
    patience = self.opts.patience,
    repeatable = true, -- an upsert, and in place: nothing that depends on it has gone
    large = rejection.divisible(req),
    budget = self.budget,
    ends = function()
      return self.limits.deadline
    end,
    on_event = function(event)
      warn(self, event)
      self.on_event(event)
    end,
  }, self.waiter)
  self.in_flight[#self.in_flight + 1] = req
  self.on_event { event = "request", request = entry.request, members = entry.members, bytes = entry.bytes }
end

-- The members of a request's audiences, where there are several: one may fail without the others.
local function shares_of(parts)
  if #parts < 2 then
    return nil
  end
  local shares = {}
  for i, part in ipairs(parts) do
    shares[i] = { id = part.audience.id, adds = part.adds, removes = part.removes, part = part }
  end
  return shares
end

--- The service has taken a request.
---@private
---@param task_id string
function job:accepted(req, task_id)
  local entry, res = req.entry, self.result
  entry.state, entry.task_id = "accepted", task_id
  res.accepted, res.removed = res.accepted + entry.members, res.removed + entry.removes
  local task = { task_id = entry.task_id, status = "submitted" }
  res.tasks[#res.tasks + 1] = task
  self.pending[#self.pending + 1] = task
  if not entry.resumed then
    tasks.remember(task, self.client.loop.now(), req.batch.retained and req.parts)
  end
  local part = req.parts[1]
  self.work[task] = { entry = entry, id = req.id, batch = req.batch.number, first = part.first, last = part.last, without = req.without,
    replaced = req.replaced, parts = req.batch.retained and req.parts, shares = shares_of(req.parts),
    sendings = req.sendings, digest = req.batch.digest, outline = req.batch.outline }
  if req.uncertain or req.call.uncertain then
    entry.possibly_twice = true
    res.possibly_twice = res.possibly_twice + entry.members
    self.doubts:add(req.parts, res.epochs, self.client.loop.now() - (req.in_doubt_since and math.max(0, core.time() - req.in_doubt_since) or 0))
  end
  if not entry.resumed then
    self:note("accepted", { request = req.id, task_id = entry.task_id, uncertain = entry.possibly_twice, at = math.floor(core.time()) })
  end
  self.on_event { event = "accepted", request = entry.request, members = entry.members, task_id = entry.task_id }
  self:close(req.batch)
end

-- Statuses of a request that is refused for what is in it. Of the others one is as likely for the next request: the
-- key, the account or the host.
local OF_CONTENT = { [400] = true, [409] = true, [413] = true, [422] = true }

--- Whether the job goes on without what failed for good. The first of these errors is the job's in the end.
---@private
---@param err scope3.Error
---@return boolean
function job:passes_over(err)
  local own = err.kind == "task_failed" or OF_CONTENT[err.status] and not err.uncertain
  if not self.opts.keep_going or not own or self.failure then
    return false
  end
  self.passed_over = self.passed_over or err
  self.passed = (self.passed or 0) + 1
  return true
end

-- A request has been answered, or will not be.
local function settle(self, req)
  local call, entry, res = req.call, req.entry, self.result
  entry.attempts = call.attempts
  entry.send_end = self:seconds()
  entry.seconds = entry.send_end - entry.send_start
  res.retries = res.retries + math.max(0, call.attempts - 1)
  res.bytes_sent = res.bytes_sent + call.bytes_sent
  local data, err = call.data, call.err
  local answer = data and response.accepted(data)
  local task_id = answer and answer.task_id
  if task_id and redact.holds_key(task_id, self.client.secret()) then
    task_id = nil -- what a journal and a report would keep
  end
  if task_id then
    local known = { key = self.client.secret(), body = req.call.request.body }
    local found = verdict.of_accepted(answer)
    completion.warn(self, { task_id = task_id }, problems.redacted(found.warnings, known))
    if #found.failures == 0 then
      return self:accepted(req, task_id)
    end
    err = errors.new("http", "the service accepted the request and named a task, but says that it failed: "
      .. problems.sentence(problems.redacted(found.failures, known)[1]), { code = "REFUSED", uncertain = true, task_id = task_id })
  elseif data then
    -- It may have been carried out, and nobody can follow it.
    err = errors.new("http",
      "the service accepted the request but named no task, or what it named has not the form of a task's id",
      { code = "BAD_REPLY", uncertain = true })
  end
  req.uncertain = req.uncertain or call.uncertain
  if not self.failure and reply.speaks_of_size(err) and rejection.divisible(req) then
    return rejection.split(self, req)
  elseif not self.failure and rejection.quarantine(self, req, err) then
    return
  end
  quarantine.find(req.parts, err.issues) -- gives each issue its row
  entry.state = (err.uncertain or req.uncertain) and "unknown" or "failed"
  res[entry.state] = res[entry.state] + entry.members
  req.parts.refused = entry.state == "failed" and (err.kind == "invalid" or reply.speaks_of_size(err) and not rejection.divisible(req))
  self.left[#self.left + 1] = req.parts
  entry.error = err.message
  err = errors.with(err, { rows = err.rows or entry.rows })
  local passed = entry.state == "failed" and not req.batch.delete_missing and self:passes_over(err)
  if entry.state == "failed" then
    -- A later run sends it last, without what others have replaced by then: they are going now.
    local behind = passed and not req.batch.in_epochs or nil
    self:note("ended", { request = req.id, status = behind and "failed" or "refused", transient = behind })
  end
  self:close(req.batch)
  if not passed then
    fail(self, err)
  end
end

-- Moves everything on that need not wait.
local function advance(self)
  local in_flight = self.in_flight
  self.in_flight = {}
  for _, req in ipairs(in_flight) do
    if req.call.done then
      settle(self, req)
    else
      self.in_flight[#self.in_flight + 1] = req
    end
  end
  while #self.queue > 0 and #self.in_flight < self.concurrency and not self.failure and not self.stopping
    and not fault_of(self) do
    local req = table.remove(self.queue, 1)
    if self.max_accepted_bytes and req.bytes > self.max_accepted_bytes and rejection.divisible(req) then
      rejection.halve(self, req) -- what passes was found out since it was made
    else
      start(self, req)
    end
  end
  if fault_of(self) and not self.failure then
    fail(self, fault_of(self))
  end
end

--- Keeps a journal from now on, and goes on from what it says.
---@param keeper scope3.Journal
---@return true?
---@return scope3.Error? err
function job:keep(keeper, header)
  local ok, err = keeper:open(header)
  if not ok then
    return nil, err
  end
  self.past, err = past.read(keeper:replay())
  if not self.past then
    keeper:close()
    return nil, err
  end
  self.journal, self.journaled = keeper, self.past.last
  if keeper.cut_short then
    result.warn(self.result, "journal_cut_short", "the journal's last line was written in part, as in a crash, and was removed; "
      .. "its request is found out about, or sent again")
  end
  return true
end

--- Moves requests under way on without waiting.
function job:pump()
  if self.transport then
    self.transport:pump(self.waiter)
    advance(self)
  end
end

-- Moves requests on until `done`; when the job is stopped or its time is over, nothing new is started.
local function drive(self, done)
  local ok, why = true, nil
  if self.transport and not done() then
    ok, why = self.transport:drive(function()
      advance(self)
      return done() or #self.in_flight == 0 and (self.failure or self.stopping)
    end, self.limits, self.waiter)
  end
  if not ok then
    for _, req in ipairs(self.in_flight) do
      self.transport:give_up(req.call, why, self.limits)
    end
  end
  if not ok or self.stopping and not done() then
    advance(self)
    fail(self, why == "timeout" and errors.new("timeout", "the deadline passed before everything was sent")
      or errors.new("cancelled", "stopped before everything was sent"))
  end
  return not self.failure, self.failure
end

--- Waits until every request has been answered.
---@return boolean? ok
---@return scope3.Error? err
function job:await()
  return drive(self, function()
    return #self.in_flight == 0 and #self.queue == 0
  end)
end

--- Whether `cancel` says so, or a callback raised.
---@return boolean
function job:is_to_stop()
  return self.guard.fault ~= nil or self.limits.cancel ~= nil and self.limits.cancel() or self.guard.fault ~= nil
end

--- Sends a batch: waits until there is room for one, starts what it becomes, and returns while that is under way.
---@param batch scope3.Batch
---@return true?
---@return scope3.Error? err  the job's failure: this batch was then not sent
function job:send(batch)
  batch.ended = batch.began and self:seconds()
  self.batches = self.batches + 1
  if self.batches > self.concurrency and self.transport then
    self.on_event { event = "blocked" }
    drive(self, function()
      return self.batches <= self.concurrency
    end)
  end
  if not self.failure and self:is_to_stop() then
    fail(self, errors.new("cancelled", "stopped before everything was sent"))
  end
  if not self.failure then
    local there, why = target_check.before(self, batch)
    if not there then
      fail(self, why)
    end
  end
  batch.open = 1 -- so that it is not released before all of its requests are known
  local list, err
  if not self.failure then
    list, err = resume.requests(self, batch)
    if not err and self.transport then
      err = self:settle_doubts(list)
    end
    if err then
      fail(self, err)
    end
  end
  if self.failure then
    for _, req in ipairs(list or { self:make(batch, batch.parts) }) do
      give_up(self, req)
    end
    self:close(batch)
    return nil, self.failure
  end
  for _, req in ipairs(list) do
    if self.opts.dry_run then
      self:add_entry(req, "not sent")
      local res = self.result
      res.would_send, res.would_remove = res.would_send + req.members, res.would_remove + req.removes
      self:close(batch)
    else
      self.queue[#self.queue + 1] = req
    end
  end
  self:close(batch)
  if self.transport then
    advance(self)
  end
  return true
end

--- Waits until requests that are about to go contradict nothing that may still take effect.
---@private
---@param list table[]  requests
---@return scope3.Error? err
function job:settle_doubts(list)
  if not self.doubts:meet(list, self.result.epochs) then
    return nil
  end
  local ok, err = self:await() -- what is under way would not move while this pauses
  local left = self.doubts:left(self.client.loop.now())
  if ok and left > 0 then
    local deadline = self.limits.deadline
    if not self.doubts.waits or deadline and self.client.loop.now() + left > deadline then
      return doubts.too_long(left)
    end
    self.on_event { event = "in_doubt", seconds = left }
    ok, err = self.transport:pause(left, self.limits)
  end
  if not ok then
    return err
  end
  self.doubts:clear()
end

--- Whether a batch that was built again has the members that were sent.
---@param batch scope3.Batch
---@param outline number?  of those
---@return true?
---@return scope3.Error? err
function job.same_members(_, batch, outline)
  if outline and batch.parts[1].payload:outline() ~= outline then
    return nil, errors.new("source", "the input has changed since it was sent, or the script does not give the same members each time, so members of "
      .. "failed tasks could not be sent again", { code = "changed_input" })
  end
  return true
end

--- Sends members of failed tasks once more, from a batch that was built again or kept. Members that later requests replaced are taken out before.
---@param batch scope3.Batch
---@param works table[]  values of `work`, all of this batch
---@param replaced? integer[]  numbers of its members
---@return true?
---@return scope3.Error? err
function job:send_again(batch, works, replaced)
  local part, res = batch.parts[1], self.result
  self.batches = self.batches + 1
  batch.open = 1
  batch.digest = works[1].digest
  for _, work in ipairs(works) do
    for _, index in ipairs(work.without or {}) do
      part.payload:drop(index)
    end
    for _, index in ipairs(work.replaced or {}) do
      part.payload:drop(index)
    end
    local req = self:make(batch, work.parts or { splitter.range(part, work.first, work.last) })
    local lost = work.entry.failed or work.entry.members
    local gone = lost - req.members
    req.without, req.replaced, req.sendings = work.without, work.replaced, work.sendings + 1
    if gone > 0 then
      req.replaced = {}
      for _, list in ipairs { work.replaced or {}, replaced or {} } do
        for _, index in ipairs(list) do
          req.replaced[#req.replaced + 1] = index >= work.first and index <= work.last and index or nil
        end
      end
    end
    work.entry.sent_again = true
    res.failed, res.replaced = res.failed - lost, res.replaced + gone
    if work.entry.resumed then
      res.resumed = res.resumed - lost
    end
    if req.members > 0 then
      self.queue[#self.queue + 1] = req
    else
      self:close(batch)
    end
  end
  self:close(batch)
  return drive(self, function()
    return #self.in_flight == 0 and #self.queue == 0
  end)
end

--- Waits until every task since the last turn has ended; what failed for a reason that passes is sent again, a few times.
---@param limits table
---@param opts {interval: number?}
---@param on_event fun(event: table)
---@return boolean? ok
---@return scope3.Error? err
function job:await_tasks(limits, opts, on_event)
  return completion.await(self, limits, opts, on_event)
end

local LONGEST_TURN = 48 * 3600 -- seconds that the tasks of an epoch may take (docs/contract.md section 3)

--- Limits that end after so many seconds, or with the job's own.
---@param seconds number
---@param over string  what to call that
---@return table
function job:limits_within(seconds, over)
  local limits = {}
  for key, value in pairs(self.limits) do
    limits[key] = value
  end
  local ends = self.client.loop.now() + seconds
  if ends < (limits.deadline or math.huge) then
    limits.deadline, limits.over = ends, over
  end
  return limits
end

--- Ends an epoch: waits until every task of its requests has ended well.
---@param limits? table  those of a job's epoch unless given
---@return true?
---@return scope3.Error? err
function job:turn(limits)
  local ok, err = self:await()
  if ok and self.transport then
    limits = limits or self:limits_within(LONGEST_TURN, "the tasks of an epoch took over 48 hours")
    self.on_event { event = "barrier", tasks = #self.pending }
    local before = self.limits
    ok, err = self:await_tasks(limits, {}, self.on_event)
    self.limits = self.stopping and self.limits or before
    ok = ok or self:passes_over(err)
  end
  if not ok then
    fail(self, err)
    return nil, self.failure
  end
  self.pending = {}
  self.result.epochs = self.result.epochs + 1
  return true
end

--- Stops without sending more. Requests under way are given a few seconds to be answered.
---@param err scope3.Error
function job:stop(err)
  self.stopping = true
  fail(self, err)
  self.limits = { deadline = self.client.loop.now() + GRACE }
  self:await()
  self.failure = self.guard.fault or err
end

--- Lets go of the journal, so that another may have it. What is noted later, by a wait, opens it again.
function job:leave()
  if self.journal then
    self.journal:close()
  end
end

--- Notes members that were built and are not even cut into a request: they count as failed.
---@param part scope3.Part
function job:abandon(part)
  local batch = { parts = { part } }
  self.batches = self.batches + 1
  give_up(self, self:make(batch, batch.parts))
end

--- The error of a job that was given up before anything was sent.
---@param err scope3.Error
---@return scope3.Error
function job:refuse(err)
  contention.leave(self)
  self:leave()
  return self.guard.fault or err
end

-- What a job says that went on past failures.
local function passed_over(self)
  local err = self.passed_over
  if err and self.passed > 1 then
    local more = self.passed - 1
    err = errors.with(err, {
      message = err.message .. (" (and %d more failures; what does not depend on them went on)"):format(more),
    })
  end
  return err
end

--- Ends the job: waits for the last request, and gives the result or the failure with the result in it.
---@return scope3.Result?
---@return scope3.Error? err
function job:finish()
  self:await()
  local res = self.result
  res.seconds = self:seconds()
  self.ended = true
  contention.leave(self)
  self:leave()
  self.failure = self.failure or fault_of(self) or passed_over(self)
  if self.failure then
    self.failure = errors.with(self.failure, { result = res })
    return nil, self.failure
  end
  return res
end

return job
