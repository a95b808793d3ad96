--- What a collector has in one worker: members in payloads and files, and the batches on their way to the service.
---
--- Without a spool members wait in memory. With one they wait in files, and a batch is read from them when it is sent.
--- There only those that no file takes, as on a full disk, are in memory: while they are there, they are the newest, or
--- on their way. Batches are sent in the order of their members.
local audience_label = require "scope3.api.audience_label"
local audience_payloads = require "scope3.nginx.audience_payloads"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local file_batches = require "scope3.nginx.file_batches"
local identity = require "scope3.identity"
local interpreted = require "scope3.util.interpreted"
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
---@field payloads scope3.AudiencePayloads  that are being filled; with a spool they are empty again once a file has the
---  member
---@field rescue_at number  when to try next to write to a file what is in memory only
---@field memory_since number|false  the stamp of the first member that is in memory only
---@field reading scope3.AudiencePayloads|false  that are being read from files
---@field since number?  when the first of their members came
---@field wanted boolean?  they are sent although it is not time yet
---@field held integer  members that wait: in payloads, in the outbox, and in files that were not read yet
---@field gathered integer  members since the last batch was sealed, those replaced since included
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
local RESCUE = 1 -- seconds until it is tried again to write to a file what is in memory only

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
    nginx_log.say(ngx.ERR, "scope3: members that the service refused could not be written to a file: " .. why)
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
      if batch.marks then
        self.spool:release(batch.marks)
      end
      batch.payloads:give_back()
    end,
    refused = function(parts)
      set_aside(self, parts)
    end,
  })
end

-- What appends to a queue in place of sending. Nothing of it is loaded where no collector does.
local function new_stream_outbox(self, collector)
  local config = self.config
  return require("scope3.nginx.stream_outbox").new(self.loop, collector.stream, { spool = self.spool,
    audience = self.audience, exit_seconds = config.exit_seconds, max_bytes = config.max_bytes }, {
    ready = function(goes_on)
      return self:prepare(goes_on)
    end,
    unfit = function(n)
      file_batches.give_up(self, n)
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
    held = 0, gathered = 0, rescue_at = 0, memory_since = false, reading = false, timer = {},
    payloads = audience_payloads.new(pool, collector.audience),
    builder = core.builder(options.merge(identity.reading(config), { max_member = collector.max_member })),
    stats = worker_stats.new(collector.dict, collector.name, pid, config.spool ~= nil),
  }, WorkerState)
  self.rejections = rejections.new(self.stats)
  if config.spool then
    self.spool = spool.new { folder = config.spool, name = collector.name, grace = config.exit_seconds + 1,
      most_bytes = config.max_waiting_bytes }
  end
  self.outbox = collector.stream and new_stream_outbox(self, collector) or new_outbox(self, collector.client)
  if self.spool then
    self:adopt() -- before the first member comes: adopted members are older
  end
  return self
end

--- Members that are in memory only.
---@return integer
function WorkerState:in_memory()
  return self.payloads.living + self.outbox.memory_only
end

--- Counts the members that wait.
function WorkerState:count()
  local payloads, in_memory = self.payloads, nil
  local held, gathered = payloads.living + self.outbox.waiting, payloads.count
  if self.spool then
    local unsealed = self.spool:unsealed()
    held, gathered = held + self.spool:unread() + unsealed, gathered + unsealed
    in_memory = math.min(held, self:in_memory())
  end
  self.gathered = gathered
  self.held = held
  self.stats:holds(held, in_memory or held)
end

--- Notes when the first member came to the payloads that are being filled.
function WorkerState:note_member()
  self.since = self.since or self.loop.now()
end

--- Notes that a member was not taken, which the log does not know yet.
function WorkerState:note_unlogged()
  self.unlogged = self.unlogged or self.loop.now()
end

-- Notes that a member could not be written to a file. The log gets the first reason.
local function note_unkept(self, why)
  self.memory_since = self.memory_since or self.spool:next_stamp()
  self.stats:add("unkept", 1)
  if not self.complained then
    self.complained = true
    nginx_log.say(ngx.ERR, "scope3: members cannot be kept in the spool: " .. tostring(why))
  end
end

-- Writes what an audience's payload holds to a file. Then it is not in memory any more.
local function move_to_file(self, entry, label)
  local ok, why = self.spool:keep(entry.payload, 1, entry.payload:count(), label)
  if ok then
    entry.payload:reset()
  end
  return ok, why
end

-- Writes what is in memory only to a file, so that it is there before what comes next.
local function rescue(self)
  local now = self.loop.now()
  if now < self.rescue_at then
    return nil, "an earlier one could not be written"
  end
  self.rescue_at = now + RESCUE
  for _, entry in ipairs(self.payloads.list) do
    if entry.payload:count() > 0 then
      local ok, why = move_to_file(self, entry, label_of(self, entry.audience))
      self.payloads:measure(entry)
      if not ok then
        return nil, why
      end
    end
  end
  self.memory_since = false
  return true
end

--- Writes a member that came into a payload to a file. Where that cannot be, as on a full disk, it is in memory only:
--- it is sent, but does not outlive this worker.
---@param entry scope3.AudiencePayload
---@param label string  of its audience, as it was given; for the collector's own ""
function WorkerState:keep(entry, label)
  local ok, why
  if self.payloads.living > 0 then
    ok, why = rescue(self)
  else
    ok, why = move_to_file(self, entry, label)
  end
  if not ok and entry.payload:count() > 0 then
    self.payloads:measure(entry)
    note_unkept(self, why)
  end
end

--- Closes what is being filled: a file, payloads. Others are begun.
function WorkerState:seal()
  if self.spool then
    self.spool:seal(self.outbox.failures == 0)
    self.payloads:measure_all() -- one may hold a member whose add() raised an error
  end
  if self.payloads.living > 0 then
    local payloads = audience_payloads.new(self.pool, self.audience)
    local stamp = self.spool and (self.memory_since or self.spool:next_stamp())
    self.outbox:put(self.payloads, stamp)
    self.payloads, self.memory_since = payloads, false
  elseif self.spool then
    self.payloads:give_back()
  end
  self.since, self.wanted = nil, nil
end

--- Bytes of the members that wait.
---@return integer
function WorkerState:bytes()
  local bytes = self.outbox.bytes + self.payloads.bytes
  return self.spool and math.max(bytes, self.spool.bytes) or bytes
end

--- Leaves the files to other workers. False where members would be lost.
---@return boolean
function WorkerState:hand_over()
  self:seal()
  if self:in_memory() > 0 then
    return false
  end
  file_batches.put_back(self)
  self.stats:add("lost", self.spool:close())
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
      self.spool:seal() -- its members are in one order with those that were adopted
      file_batches.put_back(self)
      self:count()
    end
  end
  return wait
end

-- Whether what is being filled is to be sent.
local function is_time(self)
  self:count()
  if self.gathered > 0 then
    self:note_member() -- one whose add() raised an error before it did
  end
  return self.since and (self.wanted or self.gathered >= self.config.flush_members
    or self.loop.now() - self.since >= self.config.flush_seconds - EARLY)
end

-- Whether there is something to send, or it is time for it.
local function has_work(self)
  local files = self.spool
  return self.outbox.batches[1] or files and (files:unread() > 0 or files.unopened) or is_time(self)
end

--- Adopts what is older, and seals what it is time for.
---@param goes_on boolean?  something was sent just now: where nothing else is to be, there is nothing to look for
---@return string? wait  why nothing may be sent now: another worker has older members
function WorkerState:prepare(goes_on)
  if goes_on and not has_work(self) then
    return nil
  end
  local wait = self.spool and self:adopt(self.loop.rest)
  if wait and self.held > 0 then
    return wait
  elseif not self.outbox.batches[1] and is_time(self) then
    self:seal()
  end
end

--- The batch to send now: the oldest.
---@return scope3.OutboxBatch? batch  nil where it is not time yet
---@return string? wait  why it has to wait: another worker has older members
function WorkerState:next_batch()
  local batches = self.outbox.batches
  if batches[1] and batches[1].begun then
    return batches[1]
  end
  local wait = self:prepare()
  if wait then
    return nil, wait
  elseif self.spool then
    file_batches.read_oldest(self)
  end
  return self.outbox.batches[1]
end

--- Cleans up after a thread that was stopped while it sent.
function WorkerState:interrupted()
  self.outbox:interrupted()
  file_batches.drop(self)
end

local function counts_of(sender)
  return {
    accepted = sender.accepted, failed = sender.failed, rejected_by_service = sender.rejected_by_service,
    appended = sender.appended,
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
  local memory_only = math.min(self.held, self:in_memory())
  local lost = self.spool and memory_only or self.held
  self.rejections:log()
  self.stats:leave(self.held, memory_only)
  self.released = true
  local gone = self.spool and self.spool:close() or 0
  self.stats:add("lost", gone)
  self.payloads:close()
  for _, batch in ipairs(self.outbox:clear()) do
    batch.payloads:close()
  end
  self.pool:close()
  self.builder:close()
  if forget then
    self.stats:forget()
  end
  lost = lost + gone
  return self.held - lost, lost
end

for _, of_a_flush in ipairs { is_time, WorkerState.adopt, WorkerState.prepare, WorkerState.seal, WorkerState.flush } do
  interpreted(of_a_flush)
end

return worker_state
