--- Drains a queue: takes the lease, reads entries, sends them, and removes them when the service has them.
---
--- Everything happens one after the other, so that no batch overtakes the one before. Each wait ends in time to keep
--- the lease. What is read under one lease is forgotten with it.
local batch = require "scope3.fleet.batch"
local core = require "scope3.core"
local delivery = require "scope3.fleet.delivery"
local drained = require "scope3.fleet.drained"
local errors = require "scope3.error"
local final = require "scope3.fleet.final"
local lease = require "scope3.fleet.lease"
local link = require "scope3.fleet.link"
local queue = require "scope3.fleet.queue"
local tries = require "scope3.fleet.tries"

---@class scope3.Drainer
---@field private opts table  checked
---@field private counts scope3.Drained
---@field private held scope3.Lease
---@field private batch scope3.DrainBatch
---@field private delivery scope3.Delivery
---@field private tries scope3.Tries
---@field private queue? scope3.Queue  while there is a connection
---@field private connection? scope3.RedisConnection
---@field private unanswered boolean  the batch may have been removed: nobody said
local Drainer = {}
Drainer.__index = Drainer

local drainer = {}

local READ_BYTES, READ_MOST, LEAST_PAUSE = 2 ^ 21, 500, 0.01 -- read at once; entries; seconds

---@param context scope3.Context
---@param opts table  checked options of client:drain
---@return scope3.Drainer
function drainer.new(context, opts)
  local counts = drained.new(opts.place.queue)
  return setmetatable({
    context = context, opts = opts, counts = counts, now = context.loop.now, held = lease.new(opts.lease),
    owner = core.sha256(("%.17g %.17g %.17g"):format(core.random(), core.random(), core.time())):sub(1, 32),
    batch = batch.new { max_members = opts.max_members, max_bytes = opts.max_bytes,
      push = opts.push_notification_config },
    delivery = delivery.new(context, opts.job, counts), tries = tries.new(opts), next_at = -math.huge,
    unanswered = false,
  }, Drainer)
end

local function tell(self, event)
  if event then
    self.opts.on_event(event)
  end
end

local function is_to_stop(self)
  return self.opts.guard.fault ~= nil or self.opts.cancel ~= nil and self.opts.cancel() or self.opts.guard.fault ~= nil
end

-- Whether to give up at an error.
local function is_final(self, err)
  return final.is(err) or self.opts.guard.fault ~= nil
end

-- Counts and tells what has left the queue with the batch without reaching the service, or may have.
local function note_lost(self)
  self.unanswered = false
  if self.batch.entries > 0 then
    tell(self, drained.lost(self.counts, self.batch, self.delivery))
    self.delivery:drop() -- what it gave up is counted
  end
end

-- Nothing of the batch is sent any more: what was read is void.
local function drop(self)
  if self.unanswered then
    note_lost(self)
  end
  self.batch:clear()
  self.delivery:drop()
  self.has_batch, self.full, self.after = false, false, nil
end

-- --- the connection ----------------------------------------------------------------------------------------------

local function disconnect(self)
  if self.connection then
    self.connection:close()
    self.connection, self.queue = nil, nil
  end
end

local function connect(self)
  local connection, found, warning, up = link.open(self.context.loop, self.opts.place, function()
    return not self.leaving and self.opts.cancel ~= nil and self.opts.cancel() -- who leaves still hands the lease over
  end)
  if not connection then
    return nil, errors.with(found, { message = found.message:gsub(" ca_file", " redis_ca_file") }) -- its name here
  elseif warning and drained.warn(self.counts, warning) then
    tell(self, { event = "warning", code = warning.code, message = warning.message })
  end
  if self.run_id ~= found.run then -- it may lack what was read, and give ids before that
    drop(self)
    self.run_id, self.marked = found.run, self.sent
  end
  self.counts.reconnects = self.counts.reconnects + (self.connected and 1 or 0)
  self.connection, self.queue, self.connected = connection, found, true
  self.held:connected(self.now() - up)
  return true
end

-- --- the lease ---------------------------------------------------------------------------------------------------

-- Tells of a state of the lease, once.
local function tell_state(self, state, seconds)
  if self.state ~= state then
    self.state = state
    tell(self, { event = "lease", status = state, seconds = seconds })
  end
end

-- Asks for the lease. With `sent` it also notes up to where entries may have left from now on.
local function ask(self, sent)
  local asked = self.now()
  local grant, err = self.queue:lease(self.owner, self.opts.lease, sent)
  self.counts.released = grant ~= nil or not err.uncertain -- else it may be held without an answer
  if not grant then
    return nil, err
  end
  local what, lost = self.held:answer(asked, grant, self.now())
  if lost then
    drop(self)
    self.counts.lost = self.counts.lost + 1
  end
  if what == "taken" then
    self.counts.leases, self.marked = self.counts.leases + 1, grant.sent
    self.next_at = self.tries:begins() -- what failed under another lease says nothing of this one
  elseif what == "standby" then
    tell_state(self, "standby", grant.left)
  end
  return not lost and what ~= "standby"
end

-- --- entries -----------------------------------------------------------------------------------------------------

-- Reads entries until the batch is full, or nothing is left.
local function fill(self)
  local opts, more, after = self.opts, self.batch:advance(), self.after
  self.full = not more
  while more do
    local list, left, later = self.queue:read(after, math.min(READ_MOST, opts.max_members),
      math.min(READ_BYTES, opts.max_bytes))
    if not list or later and not list[1] and not self.batch.reads then
      return nil, later or left
    end
    for _, found in ipairs(list) do
      if self.marked and queue.is_up_to(found.id, self.marked) then
        self.counts.repeated = self.counts.repeated + found.n
      else
        self.marked = nil
      end
      more, after = self.batch:take(found), found.id
      if not more then
        self.full = true
        break
      end
    end
    more = more and left
  end
  self.after = self.batch.reads or self.after
  self.delivery:take(self.batch)
  return true
end

-- Removes what has left: what is whole. The next one begins at the head, as a stream may come from elsewhere.
local function ack(self)
  local last = self.batch.last
  if last then
    local ok, err = self.queue:ack(self.owner, self.held.epoch, last, self.batch.first)
    if ok == nil then
      self.unanswered = self.unanswered or err.uncertain ~= nil
      if err.code == "CHANGED" then
        drop(self)
      end
      return nil, err
    elseif not ok then
      self.held:fenced(self.now())
      self.counts.lost = self.counts.lost + 1
      drop(self)
      return true
    end
  end
  tell(self, drained.note(self.counts, self.batch))
  note_lost(self)
  if not self.full then
    self.next_at = self.now() + self.opts.every
  end
  self.has_batch, self.after = false, self.batch.reads ~= last and self.after or nil
  return true
end

-- --- steps -------------------------------------------------------------------------------------------------------

-- A try has failed: the next one is later.
local function put_off(self, err, waits)
  local seconds, out = self.tries:failed(err, self.now(), waits)
  if not seconds then
    return nil, err
  end
  self.next_at = self.now() + seconds
  tell(self, { event = "put_off", seconds = seconds, out = out, message = err.message, code = err.code,
    status = err.status })
  return 0
end

-- Redis failed: its connection is gone.
local function redis_failed(self, err)
  disconnect(self)
  if is_final(self, err) or not self.connected and not final.answers(err) then
    return nil, err
  end
  return put_off(self, err)
end

-- Looks whether anything waits. Gives how long to wait, or "done".
local function look(self)
  local ok, err = fill(self)
  if not ok then
    drop(self)
    return redis_failed(self, err)
  end
  self.has_batch = self.batch.reads ~= nil
  if self.has_batch then
    return 0
  end
  self.tries:went_well()
  self.next_at = self.now() + self.opts.every
  return self.opts.once and "done" or 0
end

-- Sends what there is, and removes it.
local function send(self)
  if not self.delivery:is_done() then
    self.sent = self.batch.reads
    local going, err = ask(self, self.sent) -- so that it has a whole lease
    if going == nil then
      return redis_failed(self, err)
    elseif not going or self.held:wait(self.now()) == nil then
      return 0
    end
    local moved, failure, in_doubt = self.delivery:send(self.held:sends_until() - self.now())
    if in_doubt then
      self.held:doubt(self.now())
    end
    if failure and is_final(self, failure) then
      return nil, failure
    elseif not self.delivery:is_done() then
      if moved then
        return 0
      end
      return put_off(self, failure or errors.new("timeout", "the lease was over before a request"), self.delivery.waits)
    end
  end
  local ok, err = ack(self)
  if not ok then
    return redis_failed(self, err)
  end
  self.tries:went_well()
  return 0
end

-- What the figures say, for metrics: asked for now and then.
local function note_figures(self)
  local figures, err = self.queue:figures()
  if figures then
    local counts = self.counts
    counts.waiting, counts.oldest, counts.looked = figures.entries, figures.oldest, core.time()
    counts.active = self.held.epoch ~= nil
    tell(self, { event = "queue", entries = figures.entries, seconds = figures.oldest, result = counts })
  end
  return figures, err
end

-- Looks at what waits, and who has it. Gives "done", or nil and an error, where this is to end: Redis may never tell.
local function look_around(self)
  local figures, err = note_figures(self)
  if err and is_final(self, err) then
    return nil, err
  elseif not self.held.epoch then
    return self.tries:stands_by(figures, self.now())
  end
  self.tries:leads()
end

-- Seconds until something is to be read or tried again. With `once` nothing is rested for.
local function rest(self)
  return not self.has_batch and self.tries.failures == 0 and self.opts.once and 0 or self.next_at - self.now()
end

-- Connects, and asks for the lease where that is due. Gives true where the step goes on, else what it comes to.
local function keep(self)
  if not self.queue then
    if rest(self) > 0 then
      return false, rest(self)
    end
    local ok, err = connect(self)
    if not ok then
      return false, redis_failed(self, err)
    end
  end
  if self.now() >= self.held:asks_at() then
    local ok, err = ask(self)
    if ok == nil then
      return false, redis_failed(self, err)
    end
    local ended, why = look_around(self)
    return not ended and not why, ended, why
  end
  return true
end

-- One step. Gives how long to wait, "done", or nil and an error.
local function step(self)
  local goes_on, seconds, err = keep(self)
  if not goes_on then
    return seconds, err
  end
  local wait = self.held:wait(self.now())
  if not wait then
    return math.max(LEAST_PAUSE, self.held:asks_at() - self.now())
  elseif wait == 0 then
    tell_state(self, "active")
    if rest(self) > 0 then
      return rest(self)
    end
    return (self.has_batch and send or look)(self)
  end
  tell_state(self, "quiet", wait)
  if self.has_batch or rest(self) > 0 then
    return wait
  end
  seconds, err = look(self) -- nothing is removed meanwhile: acks of who had the lease before are refused
  return seconds == "done" and wait or seconds, err
end

-- Waits, and keeps the lease meanwhile.
local function pause(self, seconds)
  local asks = self.queue and math.max(self.held:asks_at(), self.now() + LEAST_PAUSE) or math.huge
  return self.context:transport():pause(math.max(0, math.min(seconds, asks - self.now())),
    { cancel = self.opts.cancel, guard = self.opts.guard })
end

-- Hands the lease over, unless something may still take effect: then it runs out, and the next one is quiet. A call
-- that was cut off has closed the connection: the lease goes over another one.
local function leave(self)
  self.leaving = true
  drop(self)
  if self.held.epoch then
    self.counts.released = self.held:wait(self.now()) == 0 and (self.queue ~= nil or connect(self) == true)
      and self.queue:release(self.owner, self.held.epoch) or false
    tell_state(self, self.counts.released and "released" or "left")
  end
  disconnect(self)
  self.batch:close()
end

local function run(self)
  while not is_to_stop(self) do
    local seconds, err = step(self)
    if seconds == "done" then
      note_figures(self)
      return true
    elseif not seconds then
      return nil, err
    elseif seconds > 0 then
      local ok, why = pause(self, seconds)
      if not ok and not is_to_stop(self) then
        return nil, why
      end
    end
  end
  return nil, self.opts.guard.fault or errors.new("cancelled", "stopped")
end

--- Drains until it is stopped, or with `once` until the queue is empty.
---@return scope3.Drained?
---@return scope3.Error? err  with `result`
function Drainer:run()
  local began = self.now()
  local _, err = run(self)
  leave(self)
  self.counts.seconds = self.now() - began
  err = err or self.opts.guard.fault -- a handler may raise at the last events, too
  if err then
    return nil, errors.with(err, { result = self.counts })
  end
  return self.counts
end

return drainer
