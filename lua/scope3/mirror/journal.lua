--- The journal of one night of one process (scope3.Journal), kept in a state. Each batch is a chunk, which is on the
--- disk with the first request of it; each request is a try.
---
--- It gives nothing back to be resumed: what a process leaves behind stands in its chunks and their tries, and the next
--- night compares its rows with these.
local core = require "scope3.core"
local errors = require "scope3.error"

---@class scope3.NightJournal : scope3.Journal
---@field store scope3.MirrorStore
---@field run integer
---@field members_of fun(batch: integer): string
---@field reopen fun(): scope3.MirrorStore?, scope3.Error?
local Night = {}
Night.__index = Night
Night.forgets = true -- no batch is cut again

local journal = {}

--- The journal of a night.
---@param store scope3.MirrorStore  stays open until its caller has ended the night by store:end_run()
---@param run integer  the night
---@param members_of fun(batch: integer): string  the packed operations of a batch, asked for once: member number i of
---  its payload is operation number i
---@param reopen fun(): scope3.MirrorStore?, scope3.Error?  opens the state again, to note what a wait sees after that
---@return scope3.NightJournal
function journal.of(store, run, members_of, reopen)
  return setmetatable({ store = store, run = run, members_of = members_of, reopen = reopen, is_reopened = false,
    chunk_of = {} }, Night)
end

--- Another night compares what this one left, so it may begin whatever the job is.
---@return true
function Night.open()
  return true
end

---@return table[]
function Night.replay()
  return {}
end

-- Opens the state again, where no other night has begun since: that one may have decided what became of the tries.
local function open_again(self)
  local store, err = self.reopen()
  if not store then
    return nil, err
  end
  self.store, self.is_reopened = store, true
  local runs
  runs, err = store:runs()
  if runs and runs[#runs].n ~= self.run then
    runs, err = nil, errors.new("journal", ("the state %s was continued by another run of this job: follow that one")
      :format(store.path), { code = "another_run" })
  end
  if not runs then
    self:close()
    return nil, err
  end
  return store
end

-- The state, which another process may have had meanwhile.
local function taken(self)
  if self.store.closed then
    return open_again(self)
  end
  return self.store
end

-- Operations that a request does not have: the service refused them, or others have replaced them.
local function left_out(record)
  local list, seen = {}, {}
  for _, numbers in ipairs { record.without or {}, record.replaced or {} } do
    for _, number in ipairs(numbers) do
      if not seen[number] and number >= record.first and number <= record.last then
        list[#list + 1], seen[number] = number, true
      end
    end
  end
  table.sort(list)
  return list
end

function Night:begin(record)
  local store, err = taken(self)
  if not store then
    return nil, err
  end
  local chunk = self.chunk_of[record.batch]
  local n
  n, err = store:cut(self.run, record.batch, not chunk and self.members_of(record.batch) or nil,
    { request = record.request, chunk = chunk, first = record.first, last = record.last, without = left_out(record),
      begun = record.at or core.time() })
  if not n then
    return nil, err
  end
  self.chunk_of[record.batch] = n
  return true
end

function Night:accepted(record)
  local store, err = taken(self)
  if not store then
    return nil, err
  end
  return store:accepted(self.run, record.request, record.task_id)
end

-- What a try is whose request or task has ended so. A task that ends in any other way may have carried out a part.
local STATES = { completed = "completed", refused = "refused", split = "refused" }

function Night:ended(record)
  local state = STATES[record.status] or "failed"
  if state == "refused" and record.uncertain then
    return true -- it may have been carried out all the same, so its try stays as it is
  end
  local store, err = taken(self)
  if not store then
    return nil, err
  end
  return store:ended(self.run, record.request, state, core.time(), record.without)
end

--- Gives the state back, where the night has ended. What is noted later, by a wait, opens it again.
function Night:close()
  if self.is_reopened or self.store.over == self.run then
    self.store:close()
  end
end

return journal
