--- What a collector has in one worker: members in payloads and files, and the batches on their way to the service.
---
--- Batches are sent in the order of their members: those in files of earlier workers, those that wait, then the ones
--- that are gathered now.
local audience_label = require "scope3.api.audience_label"
local audience_payloads = require "scope3.nginx.audience_payloads"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local nginx_log = require "scope3.util.nginx_log"
local options = require "scope3.util.options"
local outbox = require "scope3.nginx.outbox"
local plural = require "scope3.util.plural"
local rejections = require "scope3.nginx.rejections"
local spool = require "scope3.nginx.spool"
local validate = require "scope3.api.validate"
local worker_stats = require "scope3.nginx.worker_stats"

local ngx = ngx

---@class scope3.WorkerState
---@field pid integer  of the worker
---@field builder table  turns members into bytes
---@field waits {id: string, name: string?, consent_basis: string?}|false  of a member that had no room yet
---@field waits_in {id: string, name: string?, consent_basis: string?}|false  the audience that came with that member
---@field payloads scope3.AudiencePayloads  that are being filled
---@field marks scope3.SpoolMark[]  where their members stand in files
---@field memory_only integer  of their members, those in no file
---@field since number?  when the first of their members came
---@field wanted boolean?  they are sent although it is not time yet
---@field held integer  members that wait: in payloads, in the outbox, and in files that were not read yet
---@field outbox scope3.Outbox
---@field spool scope3.Spool?
---@field stats scope3.WorkerStats
---@field rejections scope3.Rejections
---@field timer scope3.CollectorTimer
---@field unlogged number?  since when members were not taken that the log has not counted
---@field released boolean?  everything was given back
local WorkerState = {}
WorkerState.__index = WorkerState

local worker_state = {}

local EARLY = 0.02 -- seconds by which a timer may be early
local READ_AT_ONCE = 2000 -- members read from files before others run: half a millisecond

-- The label of an audience in a file. The collector's own audience has none.
local function label_of(self, audience)
  local own = self.audience
  local same = own and audience.id == own.id and audience.name == own.name
    and audience.consent_basis == own.consent_basis
  return same and "" or audience_label.write(audience)
end

-- Writes members that were rejected for good to a file of their own.
local function set_aside(self, parts)
  local ok, why = true, nil
  if self.spool then
    ok, why = self.spool:set_aside(parts, function(audience)
      return label_of(self, audience)
    end)
  end
  if not ok then
    nginx_log.say(ngx.ERR, "scope3: members that the service refused could not be written to a file of their own: "
      .. why)
  end
end

local function new_outbox(self, client)
  local config = self.config
  local job_options = { max_members = validate.MAX_MEMBERS, max_bytes = config.max_bytes,
    push_notification_config = config.push_notification_config }
  return outbox.new(client, job_options, config.exit_seconds, {
    next = function()
      return self:next_batch()
    end,
    done = function(batch)
      if self.spool then
        self.spool:done(batch.marks)
      end
      batch.payloads:give_back()
    end,
    refused = function(parts)
      set_aside(self, parts)
    end,
  })
end

--- Makes the state of a worker.
---@param collector scope3.CollectorWorker
---@return scope3.WorkerState
function worker_state.new(collector)
  local config, pool, pid = collector.config, collector.new_pool(), ngx.worker.pid()
  local self = setmetatable({
    config = config, audience = collector.audience, loop = collector.client.loop, pid = pid, pool = pool,
    -- Fields from the start, because to add one may find no memory.
    waits = false, waits_in = false,
    held = 0, marks = {}, memory_only = 0, timer = {}, payloads = audience_payloads.new(pool, collector.audience),
    builder = core.builder(options.merge(identity.reading(config), { max_member = collector.max_member })),
    stats = worker_stats.new(collector.dict, collector.name, pid, config.spool ~= nil),
  }, WorkerState)
  self.rejections = rejections.new(self.stats)
  self.outbox = new_outbox(self, collector.client)
  if config.spool then
    self.spool = spool.new { folder = config.spool, name = collector.name, grace = config.exit_seconds + 1 }
    self:adopt() -- before the first member comes: adopted members are older
  end
  return self
end

-- Members that are in no file, although they might be in payloads or batches.
local function count_in_memory_only(self)
  return self.memory_only + self.outbox.memory_only
end

--- Counts the members that wait.
function WorkerState:count()
  self.held = self.payloads.living + self.outbox.waiting + (self.spool and self.spool:unread() or 0)
  self.stats:holds(self.held, math.min(self.held, count_in_memory_only(self)))
end

--- Notes when the first member came to the payloads that are being filled.
function WorkerState:note_member()
  self.since = self.since or self.loop.now()
end

--- Notes that a member was not taken, which the log does not know yet.
function WorkerState:note_unlogged()
  self.unlogged = self.unlogged or self.loop.now()
end

--- Notes that the last member could not be written to a file. The log gets the first reason.
---@param why any
function WorkerState:note_unkept(why)
  self.memory_only = self.memory_only + 1
  self.stats:add("unkept", 1)
  if not self.complained then
    self.complained = true
    nginx_log.say(ngx.ERR, "scope3: members cannot be kept in the spool: " .. tostring(why))
  end
end

--- Closes the payloads that are being filled, and begins new ones.
function WorkerState:seal()
  if self.payloads.living > 0 then
    -- Made first: a batch that is put, and is still filled, would be sent twice.
    local payloads, marks = audience_payloads.new(self.pool, self.audience), {}
    self.outbox:put(self.payloads, self.marks, self.memory_only)
    self.payloads, self.marks, self.memory_only = payloads, marks, 0
    if self.spool and #self.outbox.batches == 1 then -- it is sent now: its file can be freed with it
      self.spool:turn()
    end
  end
  self.since, self.wanted = nil, nil
end

--- Bytes of the members that wait.
---@return integer
function WorkerState:bytes()
  local bytes = self.outbox.bytes + self.payloads.bytes
  return self.spool and math.max(bytes, self.spool.bytes) or bytes
end

-- Removes all members that wait from memory: the batches that had them. Members in no file would be lost.
local function clear(self)
  self:seal()
  for _, batch in ipairs(self.outbox:clear()) do
    batch.payloads:give_back()
  end
end

-- Has everything that waits read from files, so that it is in one order with adopted members.
local function read_from_files(self)
  if count_in_memory_only(self) == 0 then -- else the adopted members go first
    self:seal()
    self.spool:take_back(self.outbox.batches) -- first: what is in neither place would wait for another worker
    clear(self)
  end
end

--- Leaves the files to other workers. False where members would be lost.
---@return boolean
function WorkerState:hand_over()
  if count_in_memory_only(self) > 0 then
    return false
  end
  clear(self)
  self.spool:close()
  self:count()
  return true
end

--- Adopts the files of workers that are no more.
---@param rest? fun()  lets others run between two files
---@return string? wait  why nothing may be sent now
function WorkerState:adopt(rest)
  local found, wait, replaced = self.spool:look(rest)
  if replaced then
    self:hand_over()
  elseif found then
    self.stats:add("adopted", found.members)
    self.stats:add("lost", found.lost)
    if found.members > 0 then
      read_from_files(self)
      self:count()
    end
  end
  return wait
end

-- Fills payloads with the oldest members in files. The number of members that no request can carry.
local function fill_from_files(self, payloads, marks)
  local max_bytes, more, unfit = self.config.max_bytes, true, 0
  -- Takes members whose label is not readable.
  local unreadable = core.payload { max_members = validate.MAX_MEMBERS, max_bytes = max_bytes }
  local function payload_for(label)
    local entry = payloads:labelled(label)
    return entry and entry.payload or unreadable
  end
  while more and payloads.bytes < max_bytes and payloads.count < validate.MAX_MEMBERS do
    local passed
    passed, more = self.spool:read(payload_for, marks, READ_AT_ONCE)
    unfit = unfit + passed
    for _, entry in ipairs(payloads.list) do
      payloads:measure(entry)
    end
    if more then
      self.loop.rest()
    end
  end
  unfit = unfit + unreadable:count()
  unreadable:close()
  return unfit
end

-- Gives back what was read and did not become a batch: its thread was stopped. It is read again.
local function drop_reading(self)
  if self.reading then
    self.spool:rewind()
    self.reading:give_back()
    self.reading = nil
  end
end

-- Makes a batch of the oldest members in files.
local function read_batch(self)
  drop_reading(self)
  local payloads, marks = audience_payloads.new(self.pool, self.audience), {}
  self.reading = payloads
  local unfit = fill_from_files(self, payloads, marks)
  if unfit > 0 then
    self.stats:add("rejected", unfit)
    nginx_log.say(ngx.ERR, ("scope3: %s larger than a request may be (max_bytes), or of no audience, and %s given up")
      :format(plural.of(unfit, "member of the spool is", "members of the spool are"),
      plural.words(unfit, "was", "were")))
  end
  if payloads.count > 0 then
    self.outbox:put(payloads, marks, 0, true)
  else
    self.spool:done(marks)
    payloads:give_back()
  end
  self.reading = nil -- now it is a batch, or was nothing
  self:count()
end

-- Reads members from files until a batch of them waits first.
local function read_oldest(self)
  while self.spool:unread() > 0 and not (self.outbox.batches[1] and self.outbox.batches[1].read) do
    local before = self.spool:unread()
    read_batch(self)
    if self.spool:unread() >= before then -- another process wrote to a file: what can be read is counted anew
      self.spool:rewind()
      break
    end
  end
end

-- Whether the payloads that are being filled are to be sent.
local function is_time(self)
  if self.payloads.living > 0 then
    self:note_member() -- one whose add() raised an error before it did
  end
  return self.since and (self.wanted or self.payloads.count >= self.config.flush_members
    or self.loop.now() - self.since >= self.config.flush_seconds - EARLY)
end

--- The batch to send now: the oldest.
---@return scope3.OutboxBatch? batch  nil where it is not time yet
---@return string? wait  why it has to wait: another worker has older members
function WorkerState:next_batch()
  local first = self.outbox.batches[1]
  if first and first.begun then
    return first
  end
  if self.spool then
    local wait = self:adopt(self.loop.rest)
    read_oldest(self)
    if wait and self.held > 0 then
      return nil, wait
    end
  end
  if not self.outbox.batches[1] and is_time(self) then
    self:seal()
  end
  return self.outbox.batches[1]
end

--- Cleans up after a thread that was stopped while it sent.
function WorkerState:interrupted()
  self.outbox:interrupted()
  drop_reading(self)
end

local function counts_of(sender)
  return {
    accepted = sender.accepted, failed = sender.failed, rejected_by_service = sender.rejected_by_service,
  }
end

--- Sends what waits.
---@param now boolean?  also what it is not time for, and although the service was away a moment ago
---@param deadline number?  seconds
---@return boolean? ok
---@return scope3.Error? err
function WorkerState:flush(now, deadline)
  self.wanted = self.wanted or now
  self.unlogged = nil
  self.rejections:log()
  local before = counts_of(self.outbox)
  local fine, ok, err = pcall(self.outbox.send, self.outbox, now, { deadline = deadline })
  if self.released then
    return false, err -- it was closed meanwhile, and everything was counted then
  end
  if not fine then
    if not self.outbox.sending then -- else another thread sends by now
      self:interrupted() -- before an error is made: memory may be what it lacked
    end
    ok, err = false, errors.new("script", "a listener failed: " .. tostring(ok))
    self.outbox:put_off(err)
  end
  for key, value in entries(counts_of(self.outbox)) do
    self.stats:add(key, value - before[key])
  end
  self:count()
  if not ok then
    nginx_log.say(ngx.WARN, ("%s; %s"):format(tostring(err), plural.of(self.held, "member waits", "members wait")))
  elseif err then
    nginx_log.say(ngx.ERR, tostring(err) .. "; the service refused these members for good")
  end
  return ok, err
end

--- Gives everything back. Members that wait stay in their files, or are lost.
---@param forget boolean  also its keys in the dict, where no other collector of that name is left
---@return integer kept
---@return integer lost
function WorkerState:release(forget)
  local memory_only = math.min(self.held, count_in_memory_only(self))
  local lost = self.spool and memory_only or self.held
  self.rejections:log()
  self.stats:leave(self.held, memory_only)
  self.released = true
  if self.spool then
    self.spool:close()
  end
  self.payloads:close()
  for _, batch in ipairs(self.outbox:clear()) do
    batch.payloads:close()
  end
  self.pool:close()
  self.builder:close()
  if forget then
    self.stats:forget()
  end
  return self.held - lost, lost
end

return worker_state
