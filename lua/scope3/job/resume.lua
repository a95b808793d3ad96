--- The requests that a batch becomes: what an earlier run left of it, as the journal says, and what nobody has sent.
local splitter = require "scope3.job.splitter"
local errors = require "scope3.error"
local quarantine = require "scope3.job.quarantine"

local resume = {}

-- Parts of a batch that was cut from a payload; the request that deletes has no members, and is one whole.
local function range_of(batch, range)
  return batch.delete_missing and batch.parts or { splitter.range(batch.parts[1], range.first, range.last) }
end

-- A request whose task failed in an earlier run. One that failed for a passing reason is sent again at the end of the
-- job: what was sent since may have replaced some of its members.
local function resume_failed(job, req, entry, known)
  local res, passing = job.result, known.state == "transient"
  entry.state, entry.error = "failed", ("its task ended as %s in an earlier run"):format(known.ended)
  res.failed = res.failed + entry.members
  local task = { task_id = known.task_id, status = known.ended, error = entry.error }
  if known.task_id then
    res.tasks[#res.tasks + 1] = task
  else
    entry.error = "the service refused it in an earlier run"
  end
  job.work[task] = { entry = entry, id = req.id, batch = req.batch.number, first = known.first, last = known.last, without = req.without,
    replaced = req.replaced, sendings = 1, digest = req.batch.digest, outline = req.batch.outline, ended = true, transient = passing }
  if passing then
    job.pending[#job.pending + 1] = task
    job.leftover = true
  else
    job.lost_before = job.lost_before or errors.new("task_failed", entry.error, { task_id = known.task_id, rows = entry.rows })
  end
  job:close(req.batch)
end

-- Takes a request of an earlier run for what the journal says that it came to. Gives the request where it has to go
-- again.
local function resume_request(job, batch, known)
  local req = job:make(batch, range_of(batch, known))
  req.without, req.replaced = known.without, known.replaced
  req.uncertain = known.uncertain or known.state == "unknown" or nil
  if known.state == "unknown" then
    return req
  end
  local entry, res = job:add_entry(req, "accepted"), job.result
  req.entry, req.call, req.id, req.in_doubt_since = entry, { attempts = 0 }, known.id, known.at
  entry.resumed, entry.delete_missing = true, batch.delete_missing
  res.resumed = res.resumed + entry.members
  if known.state == "failed" or known.state == "transient" then
    return resume_failed(job, req, entry, known)
  end
  job:accepted(req, known.task_id)
  if known.state == "completed" then
    local task = job.pending[#job.pending]
    entry.state, task.status, job.work[task].ended = "completed", "completed", true
  end
end

-- Takes the members out of a batch that an earlier run set aside, or that later requests replaced.
local function take_out(job, batch, known)
  local part = batch.parts[1]
  for _, index in ipairs(known.without) do
    quarantine.set_aside({ { part = part, index = index, row = part.payload:row(index),
      issue = { path = "", message = "the service refused it in an earlier run" } } }, job.result, job.opts.on_reject)
  end
  for _, index in ipairs(known.replaced) do
    if quarantine.take_out(part.payload, index, job.result) then
      job.result.replaced = job.result.replaced + 1
    end
  end
end

--- Those of an earlier run that were not answered, and the rest, cut by what the service takes. What an earlier run
--- has brought to its end is put into the result.
---@param job scope3.Job
---@param batch scope3.Batch  gets its `digest` where there is a journal, and its `outline` where it can be built again
---@return table[]? requests
---@return scope3.Error? err  the journal speaks of other members
function resume.requests(job, batch)
  local lists, list = { batch.parts }, {}
  local known, err
  if job.rebuild and batch.number and not batch.delete_missing then
    batch.outline = batch.parts[1].payload:outline()
  end
  if job.journal and batch.number then
    batch.digest = batch.delete_missing and "delete_missing" or batch.parts[1].payload:digest()
    known, err = job.past:of(batch, job.result.epochs)
    if err then
      return nil, err
    end
  end
  if known then
    take_out(job, batch, known)
    for _, req in ipairs(known.taken) do
      list[#list + 1] = resume_request(job, batch, req)
    end
    lists = {}
    for _, gap in ipairs(known.left) do
      lists[#lists + 1] = batch.delete_missing and batch.parts or splitter.living(range_of(batch, gap))
    end
  end
  for _, parts in ipairs(lists) do
    for _, fitting in ipairs(#parts > 0 and splitter.fit(parts, not batch.delete_missing and job.max_accepted_bytes or nil,
      job.opts.push_notification_config) or {}) do
      local req = job:make(batch, fitting)
      req.without, req.replaced = known and known.without, known and known.replaced
      req.uncertain = known and known.uncertain
      list[#list + 1] = req
    end
  end
  return list
end

return resume
