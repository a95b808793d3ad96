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

---@class scope3.BatchOperations  those of one part of a batch
---@field members integer  how many
---@field operations string  packed

---@class scope3.BatchChunk
---@field n integer  its number in the state
---@field first integer  its first member in the batch
---@field last integer

---@class scope3.NightTry
---@field request integer  its number in the state
---@field chunk integer
---@field audience? string  id of that of the chunk, where the request has several
---@field before integer  members of the batch before those of the chunk
---@field last integer  its last operation that the request has

---@class scope3.NightJournal : scope3.Journal
---@field private store scope3.MirrorStore
---@field private run integer
---@field private members_of fun(batch: integer): string|scope3.BatchOperations[]|scope3.OlderOperations
---@field private reopen fun(): scope3.MirrorStore?, scope3.Error?
---@field private is_reopened boolean
---@field private chunks_of table<integer, scope3.BatchChunk[]>  by batch
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
---@param members_of fun(batch: integer): string|scope3.BatchOperations[]|scope3.OlderOperations  the packed operations
---  of a batch, asked for once: member number i of its payload is operation number i. Where it has several parts, those
---  of each. Or where these stand already
---@param reopen fun(): scope3.MirrorStore?, scope3.Error?  opens the state again, to note what a wait sees after that
---@return scope3.NightJournal
function journal.of(store, run, members_of, reopen)
  return setmetatable({ store = store, run = run, members_of = members_of, reopen = reopen, is_reopened = false,
    chunks_of = {}, older = {}, left = {}, sent = {}, requests = 0 }, Night)
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

-- The audience of a member of a request, where this has several.
local function audience_of(record, number)
  for _, part in ipairs(record.parts or {}) do
    if number <= part.last then
      return part.audience
    end
  end
end

-- The tries of a request that sends operations of older chunks, each of one audience, and how many members it has.
local function older_tries(record, out, older)
  local by_chunk, tries, audiences, members = {}, {}, {}, 0
  for i = record.first, record.last do
    if not out[i] then
      local chunk = older.chunks[i]
      if not by_chunk[chunk] then
        by_chunk[chunk], audiences[chunk] = {}, audience_of(record, i)
        tries[#tries + 1] = chunk
      end
      table.insert(by_chunk[chunk], older.entries[i])
      members = members + 1
    end
  end
  for i, chunk in ipairs(tries) do
    tries[i] = try_of(chunk, by_chunk[chunk])
    tries[i].audience, tries[i].before = audiences[chunk], 0
  end
  return tries, members
end

-- The tries of a request that sends operations of its own batch: one of each chunk that has members of it.
local function own_tries(record, list, chunks)
  local tries = {}
  for _, chunk in ipairs(chunks) do
    local first, last, without = math.max(record.first, chunk.first), math.min(record.last, chunk.last), {}
    for _, number in ipairs(list) do
      without[#without + 1] = number >= first and number <= last and number - chunk.first + 1 or nil
    end
    if last - first + 1 > #without then
      tries[#tries + 1] = { chunk = chunk.n, first = first - chunk.first + 1, last = last - chunk.first + 1,
        without = without, audience = audience_of(record, first), before = chunk.first - 1 }
    end
  end
  return tries
end

-- What a request is in the state.
local function tries_of(self, record)
  local older, list, set = self.older[record.batch], left_out(record)
  local tries, members
  if older then
    tries, members = older_tries(record, set, older)
  else
    tries = own_tries(record, list, self.chunks_of[record.batch])
  end
  for i, try in ipairs(tries) do
    try.request, try.begun = self.requests + i, record.at
  end
  return tries, members or 0
end

-- The chunks that a batch becomes, numbered from `n` on.
local function chunks_from(n, parts)
  local chunks, last = {}, 0
  for i, part in ipairs(parts) do
    chunks[i] = { n = n + i - 1, first = last + 1, last = last + part.members }
    last = chunks[i].last
  end
  return chunks
end

-- Writes the operations of a batch, and the tries of its first request.
local function cut(self, store, batch, parts, tries)
  local by_chunk, list = {}, {}
  for _, try in ipairs(tries) do
    by_chunk[try.chunk] = try
  end
  for i, chunk in ipairs(self.chunks_of[batch]) do
    list[i] = { members = parts[i].operations, try = by_chunk[chunk.n] }
  end
  return store:cut_several(self.run, batch, list)
end

-- Writes the tries of a request, with the operations of its batch where these are not written yet.
local function write(self, store, record, parts)
  if parts then
    self.chunks_of[record.batch] = chunks_from(store.chunks + 1, parts)
  end
  local tries, members = tries_of(self, record)
  local ok, err
  if parts then
    ok, err = cut(self, store, record.batch, parts, tries)
    self.chunks_of[record.batch] = ok and self.chunks_of[record.batch]
  else
    ok, err = store:begin(self.run, tries)
  end
  if not ok then
    return nil, err
  end
  self.requests = self.requests + #tries
  local sent = { batch = record.batch, members = members, tries = {} }
  for i, try in ipairs(tries) do
    sent.tries[i] = { request = try.request, chunk = try.chunk, audience = try.audience, before = try.before,
      last = try.last }
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
  local batch, parts = record.batch, nil
  if not self.chunks_of[batch] and not self.older[batch] then
    parts = self.members_of(batch)
    if type(parts) == "string" then
      parts = { { members = math.huge, operations = parts } }
    elseif parts.entries then
      self.older[batch], self.left[batch], parts = parts, #parts.entries, nil
    end
  end
  return write(self, store, record, parts)
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
  for _, number in ipairs(members) do
    if older and older.chunks[number] == try.chunk then
      list[#list + 1] = older.entries[number]
    elseif not older and number > try.before and number - try.before <= try.last then
      list[#list + 1] = number - try.before
    end
  end
  return list
end

-- What the try of an audience comes to, where a task failed for these alone.
local function state_of(try, state, failed)
  for _, id in ipairs(failed or {}) do
    if id == try.audience then
      return state
    end
  end
  return failed and "completed" or state
end

--- A request or its task has ended. Where the task failed for some audiences, the others' tries are completed.
---@param record {request: integer, status: string, without: integer[]?, uncertain: boolean?, audiences: string[]?}
---@return true?
---@return scope3.Error? err
function Night:ended(record)
  local state, at = STATES[record.status] or "failed", core.time()
  if state == "refused" and record.uncertain then
    return true -- it may have been carried out all the same, so its tries stay as they are
  end
  local batch = self.sent[record.request].batch
  local refused = record.without
  local ok, err = change(self, record, function(try)
    return { state = state_of(try, state, record.audiences), ended_at = at,
      refused = refused and refused_of(try, refused, self.older[batch]) }
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
