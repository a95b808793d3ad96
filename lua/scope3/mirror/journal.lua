--- The journal of a night (scope3.Journal), kept in a state: a job notes its requests there as in a file. Each batch is
--- a chunk, which is on the disk with the first request of it.
local core = require "scope3.core"
local difference = require "scope3.util.difference"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local rows = require "scope3.mirror.rows"
local schema = require "scope3.mirror.schema"

local tables = schema.tables

---@class scope3.NightJournal : scope3.Journal
---@field store scope3.MirrorStore
---@field run integer
---@field members_of fun(batch: integer): string
local Night = {}
Night.__index = Night

local journal = {}

--- The journal of a run of a store.
---@param store scope3.MirrorStore  open for as long as the job may note something
---@param run integer
---@param members_of fun(batch: integer): string  the packed operations of a batch, asked for once
---@return scope3.NightJournal
function journal.of(store, run, members_of)
  return setmetatable({ store = store, run = run, members_of = members_of }, Night)
end

-- The records of this run, in their order.
local function load(self)
  local store = self.store
  local all, why = rows.all(store.db, tables.event)
  if not all then
    return store:fail(why)
  end
  local records = {}
  for _, event in ipairs(all) do
    if event.run == self.run then
      local record = json.decode(event.record)
      if event.n ~= #records + 1 or type(record) ~= "table" then
        return store:fail { message = "it is damaged", code = "damaged" }
      end
      records[event.n] = record
    end
  end
  return records
end

-- Notes the job of a run that has none, or compares it.
local function check_job(self, job)
  local store = self.store
  local run, why = rows.get(store.db, tables.run, self.run)
  if not run then
    return store:fail(why or { message = "it lacks the run", code = "damaged" })
  elseif not run.job then
    run.job = json.encode(job)
    return store:write(function()
      return rows.put(store.db, tables.run, run)
    end)
  end
  local changed = difference(json.decode(run.job), job)
  if changed then
    return nil, errors.new("journal", ("the state %s was left by another job that has not ended: %s. "
      .. "Give the same again"):format(store.path, changed), { code = "another_job" })
  end
  return true
end

function Night:open(job)
  local ok, err = check_job(self, job)
  local records, chunks
  if ok then
    records, err = load(self)
  end
  if records then
    chunks, err = self.store:open_chunks()
  end
  if not chunks then
    return nil, err
  end
  self.records, self.noted, self.chunk_of = records, #records, {}
  for _, chunk in ipairs(chunks) do
    if chunk.run == self.run then
      self.chunk_of[chunk.batch] = chunk.n
    end
  end
  return true
end

function Night:replay()
  return self.records
end

-- The record as the row that comes next.
local function event(self, kind, record)
  local line = { type = kind }
  for key, value in entries(record) do
    line[key] = value
  end
  return { run = self.run, n = self.noted + 1, record = json.encode(line) }
end

local function noted(self, ok, err)
  if not ok then
    return nil, err
  end
  self.noted = self.noted + 1
  return true
end

function Night:begin(record)
  local chunk = self.chunk_of[record.batch]
  local n, err = self.store:cut(self.run, record.batch, not chunk and self.members_of(record.batch) or nil,
    { request = record.request, chunk = chunk, first = record.first, last = record.last, without = record.without,
      begun = record.at or core.time() }, event(self, "begin", record))
  if n then
    self.chunk_of[record.batch] = n
  end
  return noted(self, n, err)
end

function Night:accepted(record)
  return noted(self, self.store:accepted(self.run, record.request, record.task_id, event(self, "accepted", record)))
end

function Night:ended(record)
  return noted(self, self.store:ended(self.run, record.request, record.status, core.time(), record.without,
    event(self, "ended", record)))
end

--- The state stays open: a night goes on when its job has ended.
function Night.close()
end

return journal
