--- The journal of one night of one process (scope3.Journal), kept in a state. Each batch is a chunk, which is on the
--- disk with the first request of it; each request is a try.
---
--- It gives nothing back to be resumed: what a process leaves behind stands in its chunks and their tries, and the next
--- night compares its rows with these.
local core = require "scope3.core"
local errors = require "scope3.error"
local protocol = require "scope3.mirror.protocol"

---@class scope3.OlderOperations  where the members of a payload stand that sends again what an earlier night left
---@field chunks integer[]  number of the chunk of each, which is not folded
---@field entries integer[]  number of its operation in that chunk

---@class scope3.NightTry
---@field request integer  its number in the state
---@field chunk integer

---@class scope3.NightJournal : scope3.Journal
---@field private store scope3.MirrorStore
---@field private run integer
---@field private members_of fun(batch: integer): string|scope3.OlderOperations
---@field private reopen fun(): scope3.MirrorStore?, scope3.Error?
---@field private is_reopened boolean
---@field private chunk_of table<integer, integer>  number of the chunk of a batch
---@field private older table<integer, scope3.OlderOperations>  by batch, until all of it was answered
---@field private left table<integer, integer>  members of such a batch that were not
---@field private sent table<integer, scope3.NightRequest>  by request of the job: its last sending
---@field private requests integer  the last number in the state
local Night = {}
Night.__index = Night
Night.forgets = true -- no batch is cut again

---@class scope3.NightRequest
---@field tries scope3.NightTry[]  one for each chunk that has operations of it
---@field batch integer
---@field members integer

local journal = {}

Night.each_sending = true
Night.send_within = protocol.SEND_WITHIN

--- The journal of a night.
---@param store scope3.MirrorStore  stays open until its caller has ended the night by store:end_run()
---@param run integer  the night
---@param members_of fun(batch: integer): string|scope3.OlderOperations  the packed operations of a batch, asked for
---  once: member number i of its payload is operation number i. Or where these stand already
---@param reopen fun(): scope3.MirrorStore?, scope3.Error?  opens the state again, to note what a wait sees after that
---@return scope3.NightJournal
function journal.of(store, run, members_of, reopen)
  return setmetatable({ store = store, run = run, members_of = members_of, reopen = reopen, is_reopened = false,
    chunk_of = {}, older = {}, left = {}, sent = {}, requests = 0 }, Night)
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

-- Members of the payload that a request does not have: the service refused them, or others have replaced them. Gives
-- their numbers in order, and as a set.
local function left_out(record)
  local list, set = {}, {}
  for _, numbers in ipairs { record.without or {}, record.replaced or {} } do
    for _, number in ipairs(numbers) do
      if not set[number] and number >= record.first and number <= record.last then
        list[#list + 1], set[number] = number, true
      end
    end
  end
  table.sort(list)
  return list, set
end

-- The try of some operations of a chunk: those between them are not in it.
local function try_of(chunk, numbers)
  table.sort(numbers)
  local without = {}
  for i = 2, #numbers do
    for missing = numbers[i - 1] + 1, numbers[i] - 1 do
      without[#without + 1] = missing
    end
  end
  return { chunk = chunk, first = numbers[1], last = numbers[#numbers], without = without }
end

-- The tries of a request that sends operations of older chunks, and how many members it has.
local function older_tries(record, out, older)
  local by_chunk, tries, members = {}, {}, 0
  for i = record.first, record.last do
    if not out[i] then
      local chunk = older.chunks[i]
      if not by_chunk[chunk] then
        by_chunk[chunk] = {}
        tries[#tries + 1] = chunk
      end
      table.insert(by_chunk[chunk], older.entries[i])
      members = members + 1
    end
  end
  for i, chunk in ipairs(tries) do
    tries[i] = try_of(chunk, by_chunk[chunk])
  end
  return tries, members
end

-- What a request is in the state.
local function tries_of(self, record)
  local older, list, set = self.older[record.batch], left_out(record)
  local tries, members
  if older then
    tries, members = older_tries(record, set, older)
  else
    tries = { { chunk = self.chunk_of[record.batch], first = record.first, last = record.last, without = list } }
  end
  for i, try in ipairs(tries) do
    try.request, try.begun = self.requests + i, record.at
  end
  return tries, members or 0
end

-- Writes the tries of a request, with the operations of its batch where these are not written yet.
local function write(self, store, record, operations)
  local tries, members = tries_of(self, record)
  local ok, err
  if operations then
    ok, err = store:cut(self.run, record.batch, operations, tries[1])
    self.chunk_of[record.batch] = ok
  else
    ok, err = store:begin(self.run, tries)
  end
  if not ok then
    return nil, err
  end
  self.requests = self.requests + #tries
  local sent = { batch = record.batch, members = members, tries = {} }
  for i, try in ipairs(tries) do
    sent.tries[i] = { request = try.request, chunk = try.chunk }
  end
  self.sent[record.request] = sent
  return true
end

--- A request is about to go; or once more, where its number was there before: then what is noted of it later is of its
--- last sending, and the ones before stay open.
---@param record table
---@return true?
---@return scope3.Error? err
function Night:begin(record)
  local store, err = taken(self)
  if not store then
    return nil, err
  end
  local batch, operations = record.batch, nil
  if not self.chunk_of[batch] and not self.older[batch] then
    operations = self.members_of(batch)
    if type(operations) ~= "string" then
      self.older[batch], self.left[batch], operations = operations, #operations.entries, nil
    end
  end
  return write(self, store, record, operations)
end

-- Members of an older batch were answered for good. It is forgotten when none is left.
local function answered(self, batch, members)
  if self.older[batch] then
    self.left[batch] = self.left[batch] - members
    if self.left[batch] <= 0 then
      self.older[batch], self.left[batch] = nil, nil
    end
  end
end

-- Changes all tries of a request's last sending. `change(try)` gives what is to be changed.
local function change(self, record, change_of)
  local store, err = taken(self)
  if not store then
    return nil, err
  end
  local changes = {}
  for i, try in ipairs(self.sent[record.request].tries) do
    changes[i] = change_of(try)
    changes[i].request = try.request
  end
  return store:change(self.run, changes)
end

--- The last sending of a request was not sent yet, or came to nothing. It goes now, and counts as begun now.
---@param record {request: integer, at: number}
---@return true?
---@return scope3.Error? err
function Night:begin_anew(record)
  return change(self, record, function()
    return { begun = record.at }
  end)
end

function Night:accepted(record)
  local ok, err = change(self, record, function()
    return { state = "accepted", task_id = record.task_id }
  end)
  if ok then
    local sent = self.sent[record.request]
    answered(self, sent.batch, sent.members)
  end
  return ok, err
end

-- What a try is whose request or task has ended so. A task that ends in any other way may have carried out a part.
local STATES = { completed = "completed", refused = "refused", split = "refused" }

-- The operations of a try that the service refused, of the members that it names.
local function refused_of(try, members, older)
  local list = {}
  for i, number in ipairs(members) do
    if not older then
      list[i] = number
    elseif older.chunks[number] == try.chunk then
      list[#list + 1] = older.entries[number]
    end
  end
  return list
end

function Night:ended(record)
  local state, at = STATES[record.status] or "failed", core.time()
  if state == "refused" and record.uncertain then
    return true -- it may have been carried out all the same, so its tries stay as they are
  end
  local batch = self.sent[record.request].batch
  local refused = record.without
  local ok, err = change(self, record, function(try)
    return { state = state, ended_at = at, refused = refused and refused_of(try, refused, self.older[batch]) }
  end)
  if ok and refused then
    answered(self, batch, #refused)
  end
  return ok, err
end

--- Gives the state back, where the night has ended. What is noted later, by a wait, opens it again.
function Night:close()
  if self.is_reopened or self.store.over == self.run then
    self.store:close()
  end
end

return journal
