--- The state of one job: its requests, its tasks and their counts. Only this file and task_list write to them.
---
--- Every step that a request or a task takes is a method here, so that the counts of the result always add up.
local errors = require "scope3.error"
local quarantine = require "scope3.job.quarantine"
local records = require "scope3.job.records"
local request_queue = require "scope3.job.request_queue"
local result = require "scope3.result"
local task_list = require "scope3.job.task_list"

---@class scope3.JobState
---@field result scope3.Result
---@field queue scope3.RequestQueue  those whose turn has not come
---@field in_flight scope3.JobRequest[]  those under way, in the order of their start
---@field batches integer  that are not released
---@field journaled integer  requests in the journal
---@field unsent scope3.UnsentParts[]  what the service did not take
---@field tasks scope3.TaskList
---@field ending scope3.JobEnding  why and when it ends
---@field targets_checked boolean  it is known whether the audiences exist, or is not to be asked
local State = {}
State.__index = State

local state = {}

local LISTED = 1000 -- rejected members that a result lists; all are counted

--- Makes the state of a job that begins.
---@param res scope3.Result
---@param opts table  checked options of the job
---@param ending scope3.JobEnding
---@return scope3.JobState
function state.new(res, opts, ending)
  if opts.dry_run then
    res.would_send, res.would_remove = 0, 0
  end
  return setmetatable({
    result = res, opts = opts, ending = ending, tasks = task_list.new(),
    queue = request_queue.new(), in_flight = {}, batches = 0, journaled = 0, unsent = {}, targets_checked = false,
  }, State)
end

--- Takes a batch in. It stays open until close() is called, even when all of its requests have ended.
---@param given scope3.Batch
---@param digest? string  by which the journal recognises it
---@param outline? number  by which it is recognised when it is built again
---@param now? number  second of the job
---@return scope3.Batch batch  the job's own copy
function State:open(given, digest, outline, now)
  self.batches = self.batches + 1
  return {
    parts = given.parts, number = given.number, delete_missing = given.delete_missing, in_epochs = given.in_epochs,
    retained = given.retained, release = given.release, began = given.began,
    digest = digest, outline = outline, ended = given.began and now, open = 1,
  }
end

--- A request of the batch has ended, or all of its requests are known.
---@param batch scope3.Batch
function State:close(batch)
  batch.open = batch.open - 1
  if batch.open == 0 then
    self.batches = self.batches - 1
    if batch.release then
      batch.release()
    end
  end
end

--- Makes a request for some parts of a batch.
---@param batch scope3.Batch
---@param parts scope3.Part[]
---@param from? table  fields that it takes over: those of the request that it replaces
---@return scope3.JobRequest
function State:request(batch, parts, from)
  local req = records.request(batch, parts, self.opts.push_notification_config, from)
  batch.open = batch.open + 1
  return req
end

--- Puts the requests that take the place of another in front of those that wait.
---@param req scope3.JobRequest  of an open batch
---@param lists scope3.Part[][]
---@param rounds? integer  of the new ones
function State:replace_request(req, lists, rounds)
  for i = #lists, 1, -1 do
    local made = self:request(req.batch, lists[i], req)
    made.rounds = rounds or 0
    self.queue:put_first(made)
  end
  self:close(req.batch)
end

--- Puts a request after those that wait.
---@param req scope3.JobRequest
function State:enqueue(req)
  self.queue:add(req)
end

--- Takes the first of the requests that wait.
---@return scope3.JobRequest
function State:dequeue()
  return self.queue:take()
end

--- Whether no request waits and none is under way.
---@return boolean
function State:is_idle()
  return #self.in_flight == 0 and self.queue:count() == 0
end

--- Puts a request into the result.
---@param req scope3.JobRequest
---@param status string
---@return scope3.RequestEntry
function State:add_entry(req, status)
  local res = self.result
  local entry = records.entry(req, status, req.epoch or res.epochs)
  res.requests[#res.requests + 1] = entry
  entry.request = #res.requests
  return entry
end

--- A request is about to go.
---@param req scope3.JobRequest
function State:begin(req)
  req.entry = self:add_entry(req, "sending")
  req.entry.delete_missing = req.batch.delete_missing
  if req.batch.digest then
    self.journaled = self.journaled + 1
    req.id = self.journaled
  end
end

--- A request that was about to go could not be written to the journal.
---@param req scope3.JobRequest
function State:withhold(req)
  local status, count = records.unsent(req)
  req.entry.state, self.result[count] = status, self.result[count] + req.members
  self:close(req.batch)
end

--- A request is under way.
---@param req scope3.JobRequest
---@param call table  of the transport
---@param started number  second of the job
function State:launched(req, call, started)
  req.call, req.entry.send_start = call, started
  self.in_flight[#self.in_flight + 1] = req
end

--- Takes out the requests whose calls are done.
---@return scope3.JobRequest[]
function State:take_answered()
  local answered, list = {}, self.in_flight
  for i = #list, 1, -1 do
    if list[i].call.done then
      table.insert(answered, 1, table.remove(list, i))
    end
  end
  return answered
end

--- A request was answered, or will not be.
---@param req scope3.JobRequest
---@param now number  second of the job
function State:answered(req, now)
  local call, entry, res = req.call, req.entry, self.result
  entry.attempts = call.attempts
  entry.send_end = now
  entry.seconds = entry.send_end - entry.send_start
  res.retries = res.retries + math.max(0, call.attempts - 1)
  res.bytes_sent = res.bytes_sent + call.bytes_sent
  req.uncertain = req.uncertain or call.uncertain
end

-- --- what becomes of requests --------------------------------------------------------------------------------------

--- The service took a request, and named its task.
---@param req scope3.JobRequest
---@param task_id string
---@return scope3.TaskEntry
function State:accept(req, task_id)
  local entry, res = req.entry, self.result
  entry.state, entry.task_id = "accepted", task_id
  res.accepted, res.removed = res.accepted + entry.members, res.removed + entry.removes
  local task = { task_id = task_id, status = "submitted" }
  res.tasks[#res.tasks + 1] = task
  self.tasks:add(task, records.work(req))
  if req.uncertain or req.call.uncertain then
    entry.possibly_twice = true
    res.possibly_twice = res.possibly_twice + entry.members
  end
  return task
end

--- The service answered a request with an error, and nothing is to be tried again.
---@param req scope3.JobRequest
---@param status "unknown"|"failed"
---@param err scope3.Error
---@param rejected boolean  the service found its content wrong
function State:reject(req, status, err, rejected)
  req.entry.state, req.entry.error = status, err.message
  self.result[status] = self.result[status] + req.entry.members
  self.unsent[#self.unsent + 1] = { parts = req.parts, rejected = rejected }
end

--- Gives up a request that will not be sent.
---@param req scope3.JobRequest
function State:give_up(req)
  local status, count = records.unsent(req)
  self:add_entry(req, status)
  self.unsent[#self.unsent + 1] = { parts = req.parts, rejected = false }
  self.result[count] = self.result[count] + req.members
  self:close(req.batch)
end

--- Counts a request that a dry run does not send.
---@param req scope3.JobRequest
---@param sample? fun(parts: scope3.Part[])  is shown its members
function State:skip(req, sample)
  local res = self.result
  if sample then
    sample(req.parts)
  end
  self:add_entry(req, "not sent")
  res.would_send, res.would_remove = res.would_send + req.members, res.would_remove + req.removes
  self:close(req.batch)
end

--- The service found a request too large: smaller ones go instead.
---@param req scope3.JobRequest
function State:split(req) -- luacheck: ignore self
  req.entry.state = "split"
end

-- Takes a member out of its payload. Its identifiers do not go then. Gives whether it was still there.
local function take_out(self, payload, index)
  local was_there, emails, phones, uids, prehashed = payload:drop(index)
  result.take_off(self.result, emails, phones, uids, prehashed)
  return was_there
end

--- Sets aside members that the service rejected.
---@param members scope3.RejectedMember[]
function State:set_aside(members)
  local res = self.result
  for _, member in ipairs(members) do
    take_out(self, member.part.payload, member.index)
    res.rejected_by_service = res.rejected_by_service + 1
    if #res.quarantine < LISTED then
      res.quarantine[#res.quarantine + 1] = quarantine.entry(member)
    end
  end
end

--- Takes out members that later requests replaced in an earlier run.
---@param payload table
---@param indexes integer[]
function State:take_out_replaced(payload, indexes)
  for _, index in ipairs(indexes) do
    if take_out(self, payload, index) then
      self.result.replaced = self.result.replaced + 1
    end
  end
end

--- A request goes again without members that were set aside.
---@param req scope3.JobRequest
---@param members scope3.RejectedMember[]
function State:exclude(req, members)
  req.entry.state = "refused"
  req.without, req.excluded = req.without or {}, req.excluded or {}
  for _, member in ipairs(members) do
    table.insert(req.without, records.number(member.part, member.index))
    table.insert(req.excluded, member.row)
  end
  req.repairs.left = req.repairs.left - 1
  req.rounds = req.rounds + 1
  self:set_aside(members)
  records.measure(req, self.opts.push_notification_config)
end

-- --- tasks -----------------------------------------------------------------------------------------------------------

--- A task has ended.
---@param work scope3.TaskWork
---@param outcome scope3.TaskOutcome
function State:task_ended(work, outcome)
  local res, entry, members = self.result, work.entry, outcome.members
  self.tasks:finish(work, outcome)
  if not members then
    return
  end
  res.accepted, res.removed = res.accepted - members, res.removed - outcome.removes
  res.failed = res.failed + members
  if entry.possibly_twice then
    res.possibly_twice = res.possibly_twice - members
  end
  if entry.delete_missing and res.deleted then
    res.deleted = nil
    result.warn(res, "deletion_failed",
      "delete_missing was accepted and then failed: the other audiences may still be there",
      { task_id = entry.task_id })
  end
end

--- The members of a failed task go again, less those that later requests replaced.
---@param work scope3.TaskWork
---@param batch scope3.Batch
---@param parts scope3.Part[]
---@param replaced integer[]  numbers of members that were replaced
---@return scope3.JobRequest
function State:request_again(work, batch, parts, replaced)
  local res, lost = self.result, work.entry.failed or work.entry.members
  local req = self:request(batch, parts,
    { sendings = work.sendings + 1, without = work.without, replaced = work.replaced, epoch = work.entry.epoch,
      uncertain = work.uncertain })
  local gone = lost - req.members
  if gone > 0 then
    req.replaced = replaced
  end
  work.entry.sent_again = true
  res.failed, res.replaced = res.failed - lost, res.replaced + gone
  if work.entry.resumed then
    res.resumed = res.resumed - lost
  end
  return req
end

--- An epoch has ended.
function State:end_epoch()
  self.tasks:end_epoch()
  self.result.epochs = self.result.epochs + 1
end

-- --- an earlier run --------------------------------------------------------------------------------------------------

--- Requests are numbered on from those that the journal has.
---@param last integer
function State:number_from(last)
  self.journaled = last
end

--- A request of an earlier run is in the result, and does not go.
---@param req scope3.JobRequest
---@param past scope3.PastRequest
function State:resume(req, past)
  local entry = self:add_entry(req, "accepted")
  entry.resumed, entry.delete_missing = true, req.batch.delete_missing
  req.entry, req.call, req.id, req.in_doubt_since = entry, { attempts = 0 }, past.id, past.at
  self.result.resumed = self.result.resumed + req.members
end

--- The task of a request of an earlier run failed. One that failed for a passing reason is sent again at the end of
--- the job: what was sent since may have replaced some of its members.
---@param req scope3.JobRequest
---@param past scope3.PastRequest
function State:resume_failed(req, past)
  local res, entry = self.result, req.entry
  local task, work = records.failed_before(req, past)
  entry.state, entry.error, entry.possibly_twice = "failed", task.error, req.uncertain
  res.failed = res.failed + entry.members
  if past.task_id then
    res.tasks[#res.tasks + 1] = task
  end
  if work.transient then
    self.tasks:add_leftover(task, work)
  else
    self.tasks:add_ended(task, work)
    self.ending:lose(errors.new("task_failed", entry.error, { task_id = past.task_id, rows = entry.rows }))
  end
  self:close(req.batch)
end

--- The job fails, and the requests that wait are given up.
---@param err scope3.Error
function State:fail(err)
  self.ending:fail(err)
  for req in self.queue.take, self.queue do
    self:give_up(req)
  end
end

--- Sets a field of the result that is no count.
---@param field string
---@param value any
function State:report(field, value)
  self.result[field] = value
end

--- Notes that it is known whether the audiences exist, or is not to be asked.
function State:targets_known()
  self.targets_checked = true
end

return state
