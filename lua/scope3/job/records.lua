--- The records that a job makes of a request at each step: the request, its entry in the result, its task's work.
local splitter = require "scope3.job.splitter"

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
---@field ended? number  second of the job at which it was built
---@field open? integer  requests of it that have not ended

---@class scope3.JobRequest  members on their way to the service
---@field batch scope3.Batch  of which its members are
---@field parts scope3.Part[]
---@field adds integer
---@field removes integer
---@field members integer  both
---@field bytes integer  of its body
---@field sendings integer  1, and one more for each time that its members were sent again after their task
---@field rounds integer  times that it went again without members that the service rejected
---@field repairs {left: integer}  requests that it may still become; shared by all that come of one request
---@field uncertain? boolean  an attempt may have been carried out without an answer
---@field in_doubt_since? number  second since 1970 of such an attempt in an earlier run
---@field without? integer[]  numbers of members that the service rejected
---@field excluded? integer[]  their rows
---@field replaced? integer[]  numbers of members that later requests replaced
---@field epoch? integer  of its members, where these go again; else that of the job
---@field id? integer  in the journal
---@field sending? scope3.Sending  its last one, for a journal that has each
---@field entry? scope3.RequestEntry  in the result
---@field call? table  of the transport

---@class scope3.TaskWork  what a task of the service does
---@field entry scope3.RequestEntry
---@field id? integer  of its request in the journal
---@field batch? integer  number of its batch
---@field first? integer  its first member in the batch
---@field last? integer  its last one
---@field parts? scope3.Part[]|false  its members, where their payloads stay as they are
---@field audiences string[]  ids of its audiences
---@field shares? scope3.AudienceShare[]  of its audiences, where there are several
---@field without? integer[]
---@field replaced? integer[]
---@field uncertain? boolean  its members may also have been carried out by another task, which nobody knows
---@field sendings integer
---@field digest? string
---@field outline? number
---@field ended? boolean
---@field transient? boolean  it failed for a reason that passes
---@field retry_after? number  seconds that the service asks to wait

---@class scope3.UnsentParts  members that the service did not take
---@field parts scope3.Part[]
---@field rejected boolean  it found their content wrong

---@class scope3.AudienceShare
---@field id string
---@field adds integer
---@field removes integer
---@field part scope3.Part

local records = {}

local NOTHING = {}
local REPAIRS = 64 -- requests that one may become on the way to those that pass

--- Measures a request: after it was made, and after members were taken out of it.
---@param req scope3.JobRequest
---@param push table?  where the service is to report what became of its tasks
function records.measure(req, push)
  req.adds, req.removes, req.bytes = splitter.measure(req.parts, push)
  req.members = req.adds + req.removes
end

--- Makes a request for some parts of a batch.
---@param batch scope3.Batch
---@param parts scope3.Part[]
---@param push table?  where the service is to report what became of its tasks
---@param from table?  fields that it takes over, such as those of the request that it replaces
---@return scope3.JobRequest
function records.request(batch, parts, push, from)
  from = from or NOTHING
  local req = {
    batch = batch, parts = parts, rounds = 0, sendings = from.sendings or 1,
    repairs = from.repairs or { left = REPAIRS }, uncertain = from.uncertain,
    without = from.without, excluded = from.excluded, replaced = from.replaced, epoch = from.epoch,
  }
  records.measure(req, push)
  return req
end

--- What a request is that will not go. The one that it takes the place of may have been carried out without an answer:
--- then nobody knows of its members.
---@param req scope3.JobRequest
---@return "unknown"|"not sent" state
---@return "unknown"|"failed" count  of its members
function records.unsent(req)
  if req.uncertain then
    return "unknown", "unknown"
  end
  return "not sent", "failed"
end

--- The entry of a request in the result.
---@param req scope3.JobRequest
---@param status string
---@param epoch integer
---@return scope3.RequestEntry
function records.entry(req, status, epoch)
  local batch = req.batch
  return {
    state = status, members = req.members, adds = req.adds, removes = req.removes, bytes = req.bytes,
    epoch = epoch, rows = splitter.rows(req.parts), build_start = batch.began, build_end = batch.ended,
  }
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

local function audiences_of(parts)
  local ids = {}
  for i, part in ipairs(parts) do
    ids[i] = part.audience.id
  end
  return ids
end

--- What the task of a request does.
---@param req scope3.JobRequest  with its entry
---@return scope3.TaskWork
function records.work(req)
  local batch, part = req.batch, req.parts[1]
  return {
    entry = req.entry, id = req.id, batch = batch.number, first = part.first, last = part.last,
    parts = batch.retained and req.parts, audiences = audiences_of(req.parts), shares = shares_of(req.parts),
    without = req.without, replaced = req.replaced, uncertain = req.uncertain or req.call.uncertain,
    sendings = req.sendings, digest = batch.digest, outline = batch.outline,
  }
end

--- The task of a request that failed in an earlier run, and what it did.
---@param req scope3.JobRequest  with its entry
---@param past scope3.PastRequest
---@return scope3.TaskEntry task  without an id where the service made none
---@return scope3.TaskWork
function records.failed_before(req, past)
  local message = past.task_id and ("its task ended as %s in an earlier run"):format(past.ended)
    or "the service refused it in an earlier run"
  local work = records.work(req)
  work.ended, work.transient = true, past.state == "transient"
  return { task_id = past.task_id, status = past.ended, error = message }, work
end

--- The number of a member in its batch, whose parts are counted through.
---@param part scope3.Part
---@param index integer  in its payload
---@return integer
function records.number(part, index)
  return (part.offset or 0) + index
end

-- Which members of a request are of which audience, where there are several.
local function ranges_of(parts)
  if #parts < 2 or not parts[1].payload then
    return nil
  end
  local ranges = {}
  for i, part in ipairs(parts) do
    ranges[i] = { audience = part.audience.id, first = records.number(part, part.first),
      last = records.number(part, part.last) }
  end
  return ranges
end

--- What the journal says of a request that is about to go. Members are numbered in their batch.
---@param req scope3.JobRequest  with its entry
---@param now number  seconds since 1970
---@return table
function records.beginning(req, now)
  local batch, part, last = req.batch, req.parts[1], req.parts[#req.parts]
  return {
    request = req.id, batch = batch.number, epoch = req.entry.epoch, first = records.number(part, part.first or 1),
    last = records.number(last, last.last or 1), parts = ranges_of(req.parts), members = req.members,
    rows = req.entry.rows, digest = batch.digest, without = req.without,
    excluded = req.excluded, replaced = req.replaced, uncertain = req.uncertain, at = math.floor(now),
  }
end

--- What the journal says of a request of which the service rejected some members. It has to say which: newer rows of
--- the same ids may go next, so these must not go in a later run.
---@param req scope3.JobRequest
---@param members scope3.RejectedMember[]
---@param uncertain? boolean  it may have been carried out all the same
---@return table
function records.refusal(req, members, uncertain)
  local without = {}
  for i, member in ipairs(members) do
    without[i] = records.number(member.part, member.index)
  end
  return { request = req.id, status = "refused", without = without, uncertain = uncertain }
end

return records
