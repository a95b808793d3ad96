--- Batches of members on their way to the service: sent one after the other, and kept until the service has them.
local audience_requests = require "scope3.job.audience_requests"
local context = require "scope3.job.context"
local core = require "scope3.core"
local errors = require "scope3.error"
local job = require "scope3.job"
local known_audiences = require "scope3.job.known_audiences"
local nginx_log = require "scope3.util.nginx_log"
local splitter = require "scope3.job.splitter"

local ngx = ngx

---@class scope3.Outbox
local Outbox = {}
Outbox.__index = Outbox

local outbox = {}

local FIRST_PAUSE, LONGEST_PAUSE = 1, 60 -- seconds between two tries while the service is away
local LOOK = 0.02 -- seconds between two looks whether other workers have sent older members
local LOG_EVERY = 60 -- seconds between two lines of the log about one thing

---@class scope3.OutboxHooks
---@field next fun(): scope3.OutboxBatch?, string?  what to send now; nil and why it has to wait
---@field done fun(batch: scope3.OutboxBatch)  a batch has left: accepted, or refused for good
---@field refused fun(parts: scope3.Part[])  for good

-- Whether the time for sending is over. Nothing else tells a thread that sends: its next timer is made afterwards.
local function is_over(self)
  local now = self.client.loop.now()
  if not self.ends and ngx.worker.exiting() then
    self.ends = now + self.exit_seconds
  end
  return self.ends ~= nil and now >= self.ends
end

--- Makes one.
---@param client scope3.Client
---@param opts table  checked options of its jobs
---@param exit_seconds number  how long a worker that ends goes on
---@param hooks scope3.OutboxHooks
---@return scope3.Outbox
function outbox.new(client, opts, exit_seconds, hooks)
  local self = setmetatable({
    client = client, opts = opts, exit_seconds = exit_seconds, hooks = hooks, batches = {}, failures = 0,
    retry_at = 0,
    known = known_audiences.new(),
    -- Fields from the start, because to add one may find no memory.
    sending = false, -- a thread is at it
    work = false, waiter = false, -- its job, and what waits for its requests
    turn = 0, -- of the thread that sends: one that was interrupted and goes on changes nothing
    waiting = 0, -- members in it
    memory_only = 0, -- of them, those in no file
    bytes = 0, -- of its payloads
    settle_at = false, -- when files that were appended to a stream may be freed: it has none
    accepted = 0, failed = 0, rejected_by_service = 0, appended = 0, -- members since it was made
  }, Outbox)
  self.cancel = function()
    return is_over(self)
  end
  return self
end

---@class scope3.OutboxBatch
---@field payloads scope3.AudiencePayloads  its members
---@field lists scope3.Part[][]  what the service has not taken of it, a request each
---@field marks scope3.SpoolMark[]?  where it stands in the files that it was read from
---@field memory_only integer  members of it that are in no file
---@field stamp number?  of the first of these
---@field begun? boolean  some of it has left
---@field refused? scope3.Error  why it refused some of it for good
---@field fault? scope3.Error  what a listener raised while all of it was taken

local function members(lists)
  local n = 0
  for _, parts in ipairs(lists) do
    for _, part in ipairs(parts) do
      n = n + part.adds + part.removes
    end
  end
  return n
end

-- Counts what waits. Members may have been removed from payloads meanwhile.
local function recount(self)
  self.waiting, self.memory_only, self.bytes = 0, 0, 0
  for _, batch in ipairs(self.batches) do
    self.waiting = self.waiting + members(batch.lists)
    self.memory_only = self.memory_only + batch.memory_only
    self.bytes = self.bytes + batch.payloads.bytes
  end
end

-- Adds a batch at a place of the queue.
local function insert(self, at, payloads, batch)
  batch.payloads, batch.lists = payloads, audience_requests.plan(payloads, self.known, self.opts)
  table.insert(self.batches, at, batch)
  recount(self)
end

--- Takes in members that are in memory only.
---@param payloads scope3.AudiencePayloads
---@param stamp number?  of the first of them, where there are files, too
function Outbox:put(payloads, stamp)
  insert(self, #self.batches + 1, payloads, { memory_only = payloads.living, stamp = stamp })
end

--- Takes in members that were read from files. They go before all others.
---@param payloads scope3.AudiencePayloads
---@param marks scope3.SpoolMark[]
function Outbox:put_first(payloads, marks)
  insert(self, 1, payloads, { memory_only = 0, marks = marks })
end

--- Removes all batches, or those of which no member is in memory only. They are the caller's then. Not to be called
--- while a thread sends.
---@param of_files boolean?
---@return scope3.OutboxBatch[]
function Outbox:clear(of_files)
  local left, gone = {}, {}
  for _, batch in ipairs(self.batches) do
    table.insert(of_files and not batch.marks and left or gone, batch)
  end
  self.batches = left
  recount(self)
  return gone
end

-- Whether the job must look first whether the audiences exist: the service takes removals from any name.
local function needs_look(self, parts)
  local unsure = false
  for _, part in ipairs(parts) do
    if part.adds > 0 then
      return false
    end
    unsure = unsure or not self.known:has(part.audience.id)
  end
  return unsure
end

-- What one job sends: all requests that need no look, else one that does.
local function next_lists(self, batch, waiting)
  local lists, unsure = {}, nil
  for _, parts in ipairs(batch.lists) do
    if not needs_look(self, parts) then
      lists[#lists + 1] = parts
    elseif not waiting[parts] then
      unsure = unsure or parts
    end
  end
  if lists[1] or not unsure then
    return lists, false
  end
  return { unsure }, true
end

local function audiences_of(lists)
  local list, seen = {}, {}
  for _, parts in ipairs(lists) do
    for _, part in ipairs(parts) do
      local id = part.audience.id
      list[#list + 1] = not seen[id] and part.audience or nil
      seen[id] = true
    end
  end
  return list
end

-- Decides about parts that the service did not take. A request of several audiences goes in halves, so that one does
-- not fail the others. Else they are given up, or wait. `lists` gets what is left. True when they do not wait.
local function sort_out(self, batch, lists, waiting, unsent, err)
  local parts, absent = unsent.parts, known_audiences.is_absent(err)
  if #parts > 1 and (unsent.rejected or absent) then
    for _, half in ipairs { splitter.halve(parts) } do
      table.insert(lists, half)
    end
    return true
  elseif unsent.rejected or absent and self.known:note_missing(parts[1].audience.id, self.client.loop.now()) then
    self.failed, batch.refused = self.failed + members { parts }, err
    self.hooks.refused(parts)
    return true
  end
  waiting[parts] = true
  table.insert(lists, parts)
  return false
end

-- Runs one job. Until it has ended the batch keeps all of its members.
local function run(self, lists, looks)
  is_over(self) -- sets when
  local left = self.ends and math.max(0, self.ends - self.client.loop.now()) or nil
  local opts = setmetatable({ deadline = left, cancel = not left and self.cancel or nil }, { __index = self.opts })
  local work = job.new(context.of(self.client), audiences_of(lists), opts)
  if not looks then
    work:skip_target_check()
  end
  self.work, self.waiter = work, work.waiter
  for _, parts in ipairs(lists) do
    work:send { parts = parts, retained = true } -- once the job has failed, it leaves them
  end
  local res, err = work:finish()
  res = res or err.result
  if self.work ~= work then
    return work, err -- it was interrupted, and counted there
  end
  self.work = false
  self.accepted = self.accepted + res.accepted
  self.rejected_by_service = self.rejected_by_service + res.rejected_by_service
  return work, err
end

-- The lists that are not among some others.
local function without(lists, others)
  local gone, rest = {}, {}
  for _, parts in ipairs(others) do
    gone[parts] = true
  end
  for _, parts in ipairs(lists) do
    rest[#rest + 1] = not gone[parts] and parts or nil
  end
  return rest
end

-- Sends some requests of a batch in one job. Whether to go on with the batch, and the job's error.
local function send_some(self, batch, waiting, lists, looks)
  local before, turn = members(batch.lists), self.turn
  local work, err = run(self, lists, looks)
  if self.turn ~= turn then
    return false, err
  end
  local left, moved, unsent = without(batch.lists, lists), false, work:unsent()
  for _, one in ipairs(unsent) do
    moved = sort_out(self, batch, left, waiting, one, err) or moved
  end
  batch.lists = left -- last: where memory ran out before, all of them are sent again
  batch.begun = batch.begun or members(batch.lists) < before
  recount(self)
  if #unsent == 0 then
    batch.fault = err or batch.fault
  end
  for _, audience in ipairs(err and {} or audiences_of(lists)) do
    self.known:note_added(audience.id)
  end
  local stuck = err and #unsent > 0 and not moved and not known_audiences.is_absent(err)
  return not stuck, err
end

-- Sends what is left of a batch. A request that the service finds wrong would not become right by waiting: only its
-- members are given up. True when nothing is left, else nil and the error.
local function send(self, batch)
  local waiting, why = {}, nil
  while true do
    local lists, looks = next_lists(self, batch, waiting)
    if not lists[1] then
      if batch.lists[1] then
        return nil, why
      end
      return true
    end
    local goes_on, err = send_some(self, batch, waiting, lists, looks)
    if not goes_on then
      return nil, err
    end
    why = err or why
  end
end

-- Logs that a batch has left although a listener raised an error. It may do so at each request, so not each is logged.
local function log_fault(self, err)
  local now = self.client.loop.now()
  if err and now >= (self.log_fault_at or now) then
    self.log_fault_at = now + LOG_EVERY
    nginx_log.say(ngx.ERR, tostring(err) .. "; what it was told of was sent all the same")
  end
end

--- Puts off the next try, and longer after each failure.
---@param err scope3.Error
function Outbox:put_off(err)
  local pause = math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ self.failures) * (0.5 + core.random() / 2)
  self.failures = self.failures + 1
  self.retry_at = self.client.loop.now() + math.max(pause, err.retry_after or 0)
  self.last_error = err
end

-- A batch has left: it is counted no more.
local function batch_done(self, batch)
  table.remove(self.batches, 1)
  recount(self)
  log_fault(self, batch.fault)
  self.last_error, self.failures, self.retry_at = batch.refused or batch.fault, 0, 0
  self.hooks.done(batch)
end

-- Waits a moment for other workers to send older members. Why not to go on, or nil.
local function wait_for_others(self, turn, gate, why)
  local now = self.client.loop.now()
  if is_over(self) then
    return "timeout"
  elseif now >= gate.log_at then
    gate.log_at = now + LOG_EVERY
    nginx_log.say(ngx.WARN, ("scope3: members have waited for %.0f seconds: %s"):format(now - gate.since, why))
  end
  self.client.loop.sleep(LOOK)
  return self.turn ~= turn and "interrupted" or nil
end

-- Sends batches until nothing is left. True and the last refusal for good; nil, an error, and whether the thread
-- "failed", was "interrupted" or had to give up waiting ("timeout").
local function send_all(self, turn)
  self.sending, self.turn = true, turn -- not before: this function may not begin, where memory is short
  local refused, gate
  while true do
    local batch, wait = self.hooks.next()
    if batch then
      local ok, err = send(self, batch)
      if self.turn ~= turn then
        return nil, err, "interrupted"
      elseif not ok then
        return nil, err, "failed"
      end
      batch_done(self, batch)
      refused, gate = batch.refused or refused, nil
    elseif not wait then
      return true, refused
    else
      local now = self.client.loop.now()
      gate = gate or { since = now, log_at = now + LOG_EVERY }
      local stop = wait_for_others(self, turn, gate, wait)
      if stop then
        return nil, errors.new("timeout", wait), stop
      end
    end
  end
end

--- Sends what there is, until nothing is left or something is in the way.
---
--- Only one light thread sends at a time. It must be one that runs to its end: nginx drops the thread of a request when
--- its client leaves.
---@param now boolean?  although the last failure was a moment ago
---@param limits? {deadline: number?}  seconds after which nothing more is sent: the worker is ending
---@return boolean ok  nothing is left, or another thread sends
---@return scope3.Error? err  what is in the way; with true, the last refusal for good
function Outbox:send(now, limits)
  if limits and limits.deadline then -- it also limits a thread that sends already
    self.ends = self.client.loop.now() + limits.deadline
  end
  if self.sending or not now and self.client.loop.now() < self.retry_at then
    return true
  end
  self:clean_up()
  local turn = self.turn + 1
  local fine, ok, err, reason = pcall(send_all, self, turn)
  if not fine then
    if self.turn == turn then -- without a call, which may find no memory: while `sending` is set, everybody waits
      self.sending, self.turn = false, turn + 1
    end
    error(ok, 0)
  end
  if reason == "interrupted" then
    return false, err -- another thread may send now
  end
  self.sending, self.waiter = false, false
  if reason == "failed" then
    self:put_off(err)
  end
  return ok or false, err
end

--- Cleans up after a thread that does not send any more: its request is dropped, and counts as not sent. Where memory
--- runs out meanwhile, it is called again.
function Outbox:clean_up()
  local work, waiter = self.work, self.waiter
  if work then -- members that were set aside are not in their payload any more
    self.rejected_by_service = self.rejected_by_service + work.result.rejected_by_service
    self.work = false
    recount(self)
  end
  if waiter then
    waiter:abandon()
    self.waiter = false
  end
end

--- Takes the turn from a thread that was stopped while it sent.
function Outbox:interrupted()
  -- First, because what follows may find no memory: while `sending` is set, everybody waits.
  self.sending, self.turn = false, self.turn + 1
  self:clean_up()
  recount(self)
end

--- Seconds until it is worth trying again; 0 when it is now.
---@return number
function Outbox:pause()
  return math.max(0, self.retry_at - self.client.loop.now())
end

return outbox
