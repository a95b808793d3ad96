--- What a job has sent, kept where it outlives the process, so that the job can be taken up again.
---
--- A journal is any object with the methods of scope3.Journal; this one is a file of JSON lines, appended to and on the disk before a request goes.
--- It holds row numbers, counts, task ids and the SHA-256 of whole requests' members: nothing of people. To take a job up again, the same rows are
--- read and cut as before, and each cut is compared with what the journal says of it: that is all the journal has to know of the data.
local core = require "scope3.core"
local division = require "scope3.division"
local errors = require "scope3.error"
local json = require "scope3.json"

---@class scope3.Journal
---@field open fun(self, job: table): true?, scope3.Error?  takes it for this job alone; `job` says what must not change: account, audience, options
---@field replay fun(self): table[]  every record so far, in their order: { type = "begin"|"accepted"|"ended", request=, … }
---@field begin fun(self, record: table): true?, scope3.Error?  a request is about to go: request (a number, growing), batch (its number; 0 for the
---  one that deletes what is missing), epoch, first, last, members, rows, digest, uncertain, and where the service refused
---  members: without (their numbers in the batch) and excluded (their rows)
---@field accepted fun(self, record: table): true?, scope3.Error?  request, task_id, uncertain: it may have been carried out twice
---@field ended fun(self, record: table): true?, scope3.Error?  request, status: of its task, or "refused" or "split" where it made none; transient
---@field close fun(self)
local File = {}
File.__index = File

local journal = {}

local VERSION = 1
local DELETION = 0 -- the number of the batch that deletes what the job does not name; those of the input count from 1

journal.DELETION = DELETION

--- A journal in a file.
---@param path string
---@return scope3.Journal
function journal.file(path)
  return setmetatable({ path = path }, File)
end

function File:fail(message, code)
  return nil, errors.new("journal", ("the journal %s %s"):format(self.path, message), { code = code })
end

local function write(self, record)
  if not self.handle then
    local ok, err = self:lock()
    if not ok then
      return nil, err
    end
  end
  local ok, why = self.handle:append(json.encode(record) .. "\n")
  if not ok then
    return self:fail("cannot be written: " .. tostring(why))
  end
  return true
end

function File:lock()
  local handle, why, locked = core.append_file(self.path)
  if not handle then
    if locked then
      return self:fail("is in use by another process, which runs this job: wait for it, or stop it", "locked")
    end
    return self:fail("cannot be opened: " .. tostring(why))
  end
  self.handle = handle
  return true
end

local function is_header(record)
  return record.type == "job" and record.version == VERSION and type(record.job) == "table"
end

-- Whether a text may be the first line of a journal, cut short or with its end missing.
local function may_be_header(text)
  local whole = json.decode(text)
  return text:sub(1, 1) == "{" and (whole == nil or type(whole) == "table" and whole.type == "job")
end

-- The records of the file. A line that a crash cut short is the last one, and is taken off; never from a file that is somebody else's.
local function load(self)
  local file, why = io.open(self.path, "rb")
  if not file then
    return self:fail("cannot be read: " .. tostring(why))
  end
  local text = file:read("*a")
  file:close()
  local records, at = {}, 1
  while true do
    local stop = text:find("\n", at, true)
    if not stop then
      break
    end
    local record = json.decode(text:sub(at, stop - 1))
    if type(record) ~= "table" or type(record.type) ~= "string" then
      return self:fail(("is damaged at byte %d, or no journal"):format(at), "damaged")
    elseif at == 1 and not is_header(record) then
      return self:fail("is no journal of this version", "damaged")
    end
    records[#records + 1] = record
    at = stop + 1
  end
  if at == 1 and text ~= "" and not may_be_header(text) then
    return self:fail("is no journal", "damaged")
  elseif at <= #text then
    local ok, message = self.handle:truncate(at - 1)
    if not ok then
      return self:fail("cannot be mended: " .. tostring(message))
    end
  end
  return records
end

-- What differs between two tables of plain values, as a text; nil when nothing does.
local function difference(was, is)
  local names = {}
  for _, t in ipairs { was, is } do
    for name in pairs(t) do
      names[name] = true
    end
  end
  local sorted = {}
  for name in pairs(names) do
    sorted[#sorted + 1] = name
  end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    if was[name] ~= is[name] then
      return ("%s was %s and is now %s"):format(name, tostring(was[name]), tostring(is[name]))
    end
  end
end

function File:open(job)
  local ok, err = self:lock()
  if not ok then
    return nil, err
  end
  self.records, err = load(self)
  if not self.records then
    self:close()
    return nil, err
  end
  local header = table.remove(self.records, 1)
  if not header then
    return write(self, { type = "job", version = VERSION, job = job })
  end
  local changed = difference(header.job, job)
  if changed then
    self:close()
    return self:fail(("belongs to another job: %s. Give the same again, or name another journal"):format(changed), "another_job")
  end
  return true
end

function File:replay()
  return self.records
end

for _, kind in ipairs { "begin", "accepted", "ended" } do
  File[kind] = function(self, record)
    local line = { type = kind }
    for key, value in pairs(record) do
      line[key] = value
    end
    return write(self, line)
  end
end

function File:close()
  if self.handle then
    self.handle:close()
    self.handle = nil
  end
end

-- --- taking a job up again ----------------------------------------------------------------------------------------------------

---@class scope3.Past  what a journal says of a job's batches
local Past = {}
Past.__index = Past

--- Reads what an earlier run did.
---@param records table[]
---@return scope3.Past
function journal.past(records)
  local self = setmetatable({ batches = {}, last = 0 }, Past)
  local requests = {}
  for _, record in ipairs(records) do
    if record.type == "begin" then
      local req = { id = record.request, batch = record.batch, state = "unknown", first = record.first, last = record.last,
        members = record.members, rows = record.rows, without = type(record.without) == "table" and record.without or {},
        uncertain = record.uncertain == true }
      local batch = self.batches[record.batch] or { requests = {}, digest = record.digest, epoch = record.epoch, rows = record.rows }
      self.batches[record.batch] = batch
      -- One that was sent again, whole or in pieces, is what became of the one before.
      for _, before in ipairs(batch.requests) do
        if before.state == "unknown" and before.first <= req.last and req.first <= before.last then
          before.state, batch.uncertain = "replaced", true
        end
      end
      batch.requests[#batch.requests + 1] = req
      requests[req.id] = req
      self.last = math.max(self.last, req.id)
    elseif requests[record.request] then
      local req = requests[record.request]
      if record.type == "accepted" then
        req.state, req.task_id = "accepted", record.task_id
        req.uncertain = req.uncertain or record.uncertain == true
      elseif record.status == "completed" then
        req.state = "completed"
      elseif record.status == "refused" or record.status == "split" or record.transient == true or req.batch == DELETION then
        req.state = "open"
      else
        req.state, req.status = "failed", record.status
      end
    end
  end
  return self
end

--- What is left to do of a batch that was cut again, and what was done of it.
---@param batch scope3.Batch
---@param epoch integer
---@return nil|{taken: table[], left: scope3.Part[][], without: integer[]}  nil where the journal does not know the batch
---@return scope3.Error? err  the batch is not what it was
function Past:of(batch, epoch)
  local known = self.batches[batch.number]
  if not known then
    return nil
  end
  local part = batch.parts[1]
  if known.digest ~= batch.digest or known.epoch ~= epoch then
    local rows = known.rows or division.rows(batch.parts) or { first = 0, last = 0 }
    return nil, errors.new("journal", ("rows %.0f to %.0f do not give the members that they gave when the journal was written: the input, the script "
      .. "or its options have changed. Start with another journal, or bring back what was"):format(rows.first, rows.last),
      { code = "changed_input", rows = rows })
  end
  local taken, without, seen = {}, {}, {}
  for _, req in ipairs(known.requests) do
    for _, index in ipairs(req.without) do
      if not seen[index] then
        seen[index] = true
        without[#without + 1] = index
      end
    end
    if req.state == "unknown" or req.state == "accepted" or req.state == "completed" or req.state == "failed" then
      taken[#taken + 1] = req
    end
  end
  local left = {}
  for _, gap in ipairs(division.gaps(taken, batch.delete_missing and 1 or part.payload:count())) do
    left[#left + 1] = gap
  end
  return { taken = taken, left = left, without = without, uncertain = known.uncertain }
end

--- Whether the request that deletes what the job does not name was accepted, and has not failed.
---@return boolean
function Past:deleted()
  local known = self.batches[DELETION]
  local last = known and known.requests[#known.requests]
  return last ~= nil and (last.state == "accepted" or last.state == "completed")
end

--- Looks for what was sent of batches that the input no longer gives.
---@param cuts integer  batches that it gave
---@return true?
---@return scope3.Error? err
function Past:beyond(cuts)
  local lowest
  for number in pairs(self.batches) do
    lowest = number > cuts and math.min(lowest or number, number) or lowest
  end
  if lowest then
    local rows = self.batches[lowest].rows or { first = 0, last = 0 }
    return nil, errors.new("journal", ("the input no longer has what were rows %.0f to %.0f when the journal was written. Start with another "
      .. "journal, or bring back what was"):format(rows.first, rows.last), { code = "changed_input", rows = rows })
  end
  return true
end

return journal
