--- What an earlier run of a job did, as its journal says: which requests of each batch were sent, and what became of
--- them.
---
--- A journal is a text that others may have written to. Every field is checked here, once, and what does not hold stops
--- the job: a row that the journal wrongly takes for sent would be lost.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local splitter = require "scope3.job.splitter"

---@class scope3.PastRequest  a request of an earlier run
---@field id integer
---@field batch integer
---@field state "unknown"|"accepted"|"completed"|"failed"|"transient"|"open"|"again"
---@field first integer  its first member in the batch
---@field last integer
---@field members integer
---@field rows? scope3.RowRange
---@field without integer[]  numbers of members that the service rejected before it
---@field refused? integer[]  numbers of members that the service rejected in answer to it
---@field replaced integer[]  numbers of members that later requests replaced
---@field uncertain boolean  it may have been carried out twice
---@field at? number  seconds since 1970 at which it was sent, or accepted
---@field task_id? string
---@field ended? string  as its task ended

---@class scope3.Past
---@field size? integer  bytes: larger requests were too large
local Past = {}
Past.__index = Past

local history = {}

history.DELETION = 0 -- the number of the batch that deletes what the job does not name; those of the input count from 1

local function is_count(value, least)
  return type(value) == "number" and value % 1 == 0 and value >= least and value < 2 ^ 53
end

local function is_flag(value)
  return value == nil or type(value) == "boolean"
end

-- A list of whole numbers, each between two bounds; absent is an empty one.
local function is_list(value, least, most)
  if value == nil then
    return true
  elseif type(value) ~= "table" then
    return false
  end
  local n = 0
  for _ in entries(value) do
    n = n + 1
  end
  for i = 1, n do
    if not is_count(value[i], least) or value[i] > most then
      return false
    end
  end
  return true
end

local function is_range(value)
  return type(value) == "table" and is_count(value.first, 1) and is_count(value.last, value.first)
end

-- The rows of the first and the last member. Each file counts its own, so the last may be the lower number.
local function is_rows(value)
  return type(value) == "table" and is_count(value.first, 1) and is_count(value.last, 1)
end

local function is_begin(record, last)
  return is_count(record.request, last + 1) and is_count(record.batch, 0) and is_count(record.epoch, 1)
    and is_range(record) and is_count(record.members, 0) and (record.rows == nil or is_rows(record.rows))
    and type(record.digest) == "string"
    and is_flag(record.uncertain) and (record.at == nil or type(record.at) == "number")
    and is_list(record.without, 1, 2 ^ 32) and is_list(record.replaced, 1, 2 ^ 32)
end

local function is_accepted(record, req)
  return req ~= nil and req.state == "unknown" and type(record.task_id) == "string" and is_flag(record.uncertain)
    and (record.at == nil or type(record.at) == "number")
end

-- A task may be seen to end after it was seen to end, by a wait that was repeated.
local function is_ended(record, req)
  return req ~= nil and type(record.status) == "string" and is_flag(record.transient) and is_flag(record.uncertain)
    and (record.size == nil or is_count(record.size, 1))
    and is_list(record.without, req.first, req.last)
    and (req.state == "accepted" or req.ended == record.status
      or req.state == "unknown" and (record.status == "refused" or record.status == "split"
        or record.status == "failed" and record.transient == true)) -- one that its job went on past
end

-- What a request came to whose end the journal has.
local function ended_as(record, req)
  if record.status == "completed" then
    return "completed"
  elseif record.status == "refused" or record.status == "split" or req.batch == history.DELETION then
    return "open"
  end
  return record.transient == true and "transient" or "failed"
end

local function begin(self, record)
  local req = {
    id = record.request, batch = record.batch, state = "unknown", first = record.first, last = record.last,
    members = record.members, rows = record.rows, without = record.without or {}, replaced = record.replaced or {},
    uncertain = record.uncertain == true, at = record.at,
  }
  local batch = self.batches[record.batch]
  self.epoch = math.max(self.epoch, record.epoch)
  if not batch then
    batch = { requests = {}, digest = record.digest, epoch = record.epoch, rows = record.rows }
    self.batches[record.batch] = batch
  elseif batch.digest ~= record.digest or batch.epoch ~= record.epoch then
    return nil
  end
  for _, before in ipairs(batch.requests) do
    if before.first <= req.last and req.first <= before.last then
      if before.state == "unknown" then
        -- One that was sent again, whole or in pieces, is what became of the one before.
        before.state, batch.uncertain = "again", true
      elseif before.state == "transient" then
        before.state = "again"
      elseif before.state ~= "open" and before.state ~= "again" then
        return nil -- the members were accepted, and would be counted twice
      end
    end
  end
  batch.requests[#batch.requests + 1] = req
  self.requests[req.id] = req
  self.last = req.id
  return true
end

-- What came of a request. Where it may have been carried out, so may what of it goes again.
local function finish(self, req, record)
  req.state, req.ended, req.refused = ended_as(record, req), record.status, record.without
  self.size = record.size and math.min(self.size or record.size, record.size) or self.size
  if (req.state == "open" or req.state == "transient") and (req.uncertain or record.uncertain) then
    self.batches[req.batch].uncertain = true
  end
end

--- Reads the records of a journal.
---@param records table[]
---@return scope3.Past?
---@return scope3.Error? err  kind "journal": a record that cannot be
function history.read(records)
  local self = setmetatable({ batches = {}, requests = {}, last = 0, epoch = 0 }, Past)
  for i, record in ipairs(records) do
    local req = type(record) == "table" and self.requests[record.request] or nil
    local fine
    if type(record) ~= "table" then
      fine = false
    elseif record.type == "begin" then
      fine = is_begin(record, self.last) and begin(self, record)
    elseif record.type == "accepted" then
      fine = is_accepted(record, req)
      if fine then
        req.state, req.task_id = "accepted", record.task_id
        req.uncertain, req.at = req.uncertain or record.uncertain == true, record.at or req.at
      end
    elseif record.type == "ended" then
      fine = is_ended(record, req)
      if fine and not req.ended then
        finish(self, req, record)
      end
    end
    if not fine then
      return nil, errors.new("journal", ("record %d of the journal does not follow from those before it. "
        .. "Name another journal, and every row is sent again"):format(i), { code = "damaged" })
    end
  end
  return self
end

-- The numbers that requests of a batch list under some names, each once.
local function union(requests, ...)
  local list, seen = {}, {}
  for _, req in ipairs(requests) do
    for _, name in ipairs { ... } do
      for _, index in ipairs(req[name] or {}) do
        list[#list + 1] = not seen[index] and index or nil
        seen[index] = true
      end
    end
  end
  return list
end

---@class scope3.BatchPast
---@field taken scope3.PastRequest[]  requests that stay as they are. Also those that failed for a passing reason, where
---  newer rows of their ids may have been sent: outside epochs, or in a later epoch
---@field left {first: integer, last: integer}[]  members that were not sent
---@field without integer[]  members that the service rejected
---@field replaced integer[]  members that later requests replaced
---@field uncertain? boolean  a request of it may have been carried out without an answer

local TAKEN = { unknown = true, accepted = true, completed = true, failed = true }

--- What is left to do of a batch that was cut again, and what was done of it.
---@param batch scope3.Batch
---@param epoch integer
---@return scope3.BatchPast?  nil where the journal does not know the batch
---@return scope3.Error? err  the batch is not what it was
function Past:of(batch, epoch)
  local known = self.batches[batch.number]
  if not known then
    return nil
  end
  local count = batch.delete_missing and 1 or batch.parts[1].payload:count()
  local changed = known.digest ~= batch.digest or known.epoch ~= epoch
  local taken, is_behind = {}, not batch.in_epochs or known.epoch < self.epoch
  for _, req in ipairs(known.requests) do
    changed = changed or req.last > count
    if TAKEN[req.state] or req.state == "transient" and is_behind then
      taken[#taken + 1] = req
    end
  end
  if changed then
    local rows = known.rows or splitter.rows(batch.parts) or { first = 0, last = 0 }
    return nil, errors.new("journal",
      ("rows %.0f to %.0f do not give the members that they gave when the journal was written: "
      .. "the input, the script or its options have changed. Start with another journal, or bring back what was")
      :format(rows.first, rows.last), { code = "changed_input", rows = rows })
  end
  return { taken = taken, left = splitter.gaps(taken, count), uncertain = known.uncertain,
    without = union(known.requests, "without", "refused"), replaced = union(known.requests, "replaced") }
end

--- Whether the request that deletes what the job does not name was accepted, and has not failed.
---@return boolean
function Past:deleted()
  local known = self.batches[history.DELETION]
  local last = known and known.requests[#known.requests]
  return last ~= nil and (last.state == "accepted" or last.state == "completed")
end

--- Whether such a request was begun. What came of it may be unknown.
---@return boolean
function Past:began_deletion()
  return self.batches[history.DELETION] ~= nil
end

--- Looks for what was sent of batches that the input no longer gives.
---@param cuts integer  batches that it gave
---@return true?
---@return scope3.Error? err
function Past:beyond(cuts)
  local lowest
  for number in entries(self.batches) do
    lowest = number > cuts and math.min(lowest or number, number) or lowest
  end
  if lowest then
    local rows = self.batches[lowest].rows or { first = 0, last = 0 }
    return nil, errors.new("journal",
      ("the input no longer has what were rows %.0f to %.0f when the journal was written. "
      .. "Start with another journal, or bring back what was"):format(rows.first, rows.last),
      { code = "changed_input", rows = rows })
  end
  return true
end

return history
