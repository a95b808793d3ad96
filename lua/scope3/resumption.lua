--- The requests that a batch becomes: what an earlier run left of it, as the journal says, and what nobody has sent.
local division = require "scope3.division"
local quarantine = require "scope3.quarantine"

local resumption = {}

-- Parts of a batch that was cut from a payload; the request that deletes has no members, and is one whole.
local function range_of(batch, range)
  return batch.delete_missing and batch.parts or { division.range(batch.parts[1], range.first, range.last) }
end

-- Takes a request of an earlier run for what the journal says that it came to.
local function take_up(job, batch, past)
  local req = job:make(batch, range_of(batch, past))
  req.without = past.without
  req.uncertain = past.uncertain or past.state == "unknown" or nil
  if past.state == "unknown" then
    return req
  end
  local entry, res = job:add_entry(req, "accepted"), job.result
  req.entry, req.call, req.id = entry, { attempts = 0 }, past.id
  entry.resumed, entry.delete_missing = true, batch.delete_missing
  res.resumed = res.resumed + entry.members
  if past.state == "failed" then
    entry.state, entry.error = "failed", "its task ended as " .. tostring(past.status) .. " in an earlier run"
    res.failed = res.failed + entry.members
    job:close(batch)
    return nil
  end
  job:accepted(req, past.task_id)
  if past.state == "completed" then
    local task = job.pending[#job.pending]
    entry.state, task.status, job.work[task].ended = "completed", "completed", true
  end
  return nil
end

--- Those of an earlier run that were not answered, and the rest, cut by what the service takes. What an earlier run has brought to its end is put
--- into the result.
---@param job scope3.Job
---@param batch scope3.Batch  gets its `digest` where there is a journal, and its `outline` where it can be built again
---@return table[]? requests
---@return scope3.Error? err  the journal speaks of other members
function resumption.requests(job, batch)
  local lists, list = { batch.parts }, {}
  local past, err
  if job.rebuild and batch.number and not batch.delete_missing then
    batch.outline = batch.parts[1].payload:outline()
  end
  if job.journal and batch.number then
    batch.digest = batch.delete_missing and "delete_missing" or batch.parts[1].payload:digest()
    past, err = job.past:of(batch, job.result.epochs)
    if err then
      return nil, err
    end
  end
  if past then
    local part = batch.parts[1]
    for _, index in ipairs(past.without) do
      quarantine.set_aside({ { part = part, index = index, row = part.payload:row(index),
        issue = { path = "", message = "the service refused it in an earlier run" } } }, job.result, job.opts.on_reject)
    end
    for _, req in ipairs(past.taken) do
      list[#list + 1] = take_up(job, batch, req)
    end
    lists = {}
    for _, gap in ipairs(past.left) do
      lists[#lists + 1] = batch.delete_missing and batch.parts or division.living(range_of(batch, gap))
    end
  end
  for _, parts in ipairs(lists) do
    for _, fitting in ipairs(#parts > 0 and division.fit(parts, not batch.delete_missing and job.fits or nil,
      job.opts.push_notification_config) or {}) do
      local req = job:make(batch, fitting)
      req.without = past and past.without
      req.uncertain = past and past.uncertain
      list[#list + 1] = req
    end
  end
  return list
end

return resumption
