--- Appends what a collector holds to a queue in Redis, for `scope3 drain` to send: sealed spool files one by one, the
--- oldest first. It stands in the place of scope3.nginx.outbox.
---
--- Redis answers before its disk has everything. So a file is kept for a while after its answer, and then only freed
--- where Redis answers on the same connection: it has not begun anew since. Where the connection breaks, these files
--- are appended again, and the queue knows by their keys which of them it has.
local audience_label = require "scope3.api.audience_label"
local core = require "scope3.core"
local entry = require "scope3.fleet.entry"
local errors = require "scope3.error"
local interpreted = require "scope3.util.interpreted"
local nginx_log = require "scope3.util.nginx_log"
local plural = require "scope3.util.plural"
local spool_sink = require "scope3.nginx.spool_sink"
local stream_entries = require "scope3.nginx.stream_entries"

interpreted(true, true) -- nothing here runs for each member

local ngx = ngx

---@class scope3.StreamOutbox
---@field settle_at number|false  when the next file may be freed, by core.now()
local StreamOutbox = {}
StreamOutbox.__index = StreamOutbox

local stream_outbox = {}

local FIRST_PAUSE, LONGEST_PAUSE = 1, 15 -- seconds between two tries while Redis is away: one that fails costs little
local LOOK = 0.02 -- seconds between two looks whether other workers have older members
local SLACK = 1 -- seconds for which a file that may be freed waits for an append, whose answer frees it as well
local LOG_EVERY = 60 -- seconds between two lines of the log about one thing

---@class scope3.StreamHooks
---@field ready fun(goes_on: boolean): string?  prepares what is to be appended, after something was where that goes on;
---  why it has to wait: another worker has older members
---@field unfit fun(n: integer)  members are larger than an entry may be

--- Makes one.
---@param loop scope3.Loop
---@param stream scope3.StreamPlace
---@param place {spool: scope3.Spool, audience: table?, exit_seconds: number, max_bytes: integer}
---@param hooks scope3.StreamHooks
---@return scope3.StreamOutbox
function stream_outbox.new(loop, stream, place, hooks)
  local label = place.audience and audience_label.write(place.audience) or ""
  return setmetatable({
    loop = loop, stream = stream, spool = place.spool, exit_seconds = place.exit_seconds, hooks = hooks,
    entries = stream_entries.new(label, place.max_bytes),
    sink = spool_sink.new(place.spool, stream.linger_seconds),
    batches = {}, -- of members in memory only, which no file took
    settled = {}, -- keys of what is appended no more, which the queue need not know for long
    failures = 0, retry_at = 0,
    -- Fields from the start, because to add one may find no memory.
    connection = false, queue = false, settle_at = false, last_error = nil, warned = false,
    sending = false, -- a thread is at it
    turn = 0, -- of the thread that sends: one that was interrupted and goes on changes nothing
    waiting = 0, memory_only = 0, bytes = 0, -- members in it, of them those in no file, and bytes of these
    accepted = 0, failed = 0, rejected_by_service = 0, -- of the service, which it does not meet
    appended = 0, -- members since it was made
  }, StreamOutbox)
end

local function recount(self)
  self.memory_only, self.bytes = 0, 0
  for _, batch in ipairs(self.batches) do
    self.memory_only = self.memory_only + batch.memory_only
    self.bytes = self.bytes + batch.payloads.bytes
  end
  self.waiting = self.memory_only + self.sink.under_way
  local due = self.sink:due()
  self.settle_at = due and due + SLACK or false
end

--- Takes in members that are in memory only.
---@param payloads scope3.AudiencePayloads
---@param stamp number  of the first of them
function StreamOutbox:put(payloads, stamp)
  local once = ("memory-%d-%.0f-%x"):format(ngx.worker.pid(), stamp, math.floor(core.random() * 2 ^ 48))
  table.insert(self.batches, { payloads = payloads, stamp = stamp, memory_only = payloads.living, once = once })
  recount(self)
end

--- Removes all batches. They are the caller's then. Not to be called while a thread sends.
---@param of_files boolean?  only what was read from files, of which it has none
---@return table[]
function StreamOutbox:clear(of_files)
  if of_files then
    return {}
  end
  local gone = self.batches
  self.batches = {}
  if self.connection then
    self.connection:close()
    self.connection, self.queue = false, false
  end
  self.entries:close()
  recount(self)
  return gone
end

-- Has everything appended again that Redis may have lost: the connection has ended.
local function lose(self)
  local connection = self.connection
  self.connection, self.queue = false, false
  if connection then
    connection:close()
  end
  local lingering = self.sink:due() ~= nil
  local n = self.sink:recall()
  recount(self)
  if lingering then
    nginx_log.say(ngx.WARN, ("scope3: the connection to Redis has ended: %s appended once more, of which the queue "
      .. "keeps what it has not"):format(plural.of(n, "member is", "members are")))
  end
end

-- Why nothing is done in this phase.
local function barred(self)
  local why = self.loop.bar and self.loop.bar()
  return why and errors.new("cannot_wait", why)
end

-- Whether the time for appending is over. Nothing else tells a thread at it: its next timer is made afterwards.
local function is_over(self)
  local now = self.loop.now()
  if not self.ends and ngx.worker.exiting() then
    self.ends = now + self.exit_seconds
  end
  return self.ends ~= nil and now >= self.ends
end

-- A connection that is open.
local function connect(self)
  if self.connection and self.connection:is_open() then
    return true
  end
  lose(self)
  local turn, found, err, warning = self.turn, self.stream.open(self.loop, function()
    return is_over(self)
  end)
  if not found then
    return nil, err
  elseif self.turn ~= turn then
    found.connection:close()
    return nil, errors.new("cancelled", "another thread has its turn")
  end
  self.connection, self.queue = found.connection, found.queue
  if warning and not self.warned then
    self.warned = true
    nginx_log.say(ngx.WARN, "scope3: " .. warning)
  end
  return true
end

-- Frees files that had been kept for long enough when Redis was asked what it has answered now, on the connection that
-- took them.
local function free(self, asked)
  self.sink:settle(asked, function(file)
    for _, key in ipairs(file.keys) do
      table.insert(self.settled, key)
    end
  end)
  recount(self)
end

-- Asks Redis for an answer where files have waited in vain for that of an append.
local function settle(self, turn)
  local now, due = core.now(), self.sink:due()
  self.settle_at = due and self.settle_at or false -- what lingered may have been left to other workers
  if not due or now < due + (self.ends and 0 or SLACK) then
    return
  end
  local answer, err
  if self.connection and self.connection:is_open() then
    answer, err = self.connection:call "PING"
    if self.turn ~= turn then
      return
    end
  end
  if answer or err and err.kind == "redis" and self.connection:is_open() then -- a refusal is an answer, too
    free(self, now)
  else
    lose(self)
  end
end

-- What an append that failed leaves.
local function not_appended(self, turn, file)
  if self.turn ~= turn then
    return
  elseif not self.connection:is_open() then
    lose(self)
  elseif file then
    self.sink:put_back(file)
    recount(self)
  end
end

-- Counts the members that were appended, each once. Of an adopted file the worker that had it before has counted what
-- is in already, unless this one appended it and had no answer.
local function count(self, file, list, ids)
  file.counted = file.counted or {}
  for i, batch in ipairs(list) do
    local counted = file.counted[batch.once]
    if not ids then
      file.counted[batch.once] = counted or "unanswered"
    elseif counted ~= true and (ids[i] or counted or not file.adopted) then
      file.counted[batch.once], self.appended = true, self.appended + batch.n
    end
  end
end

-- Appends a file. True, or nil and why.
local function append_file(self, turn, file)
  local unfit, keys = 0, {}
  for list, passed in self.entries:of(file) do
    local asked, ids, err = core.now(), {}, nil
    if #list > 0 then
      ids, err = self.queue:append_all(list, self.settled)
    end
    if not file.appended and (ids or err.uncertain) then
      count(self, file, list, ids)
    end
    if not ids or self.turn ~= turn then
      not_appended(self, turn, file)
      return nil, err
    end
    free(self, asked)
    for _, batch in ipairs(list) do
      keys[#keys + 1] = batch.once
    end
    unfit = unfit + passed
  end
  self.entries:rest()
  file.keys = keys
  self.sink:accept(file)
  if not file.appended then
    file.appended, file.counted = true, nil
    if unfit > 0 then
      self.hooks.unfit(unfit)
    end
  end
  recount(self)
  return true
end

-- Appends members that are in memory only. An audience whose members are in is not appended again.
local function append_batch(self, turn, batch)
  for i, one in ipairs(batch.payloads.list) do
    local lines, n = entry.write { one }
    local id, err = false, nil
    if n > 0 then
      id, err = self.queue:append(("%s.%d"):format(batch.once, i), n, lines, self.settled)
    end
    if id == nil or self.turn ~= turn then
      not_appended(self, turn)
      return nil, err
    end
  end
  table.remove(self.batches, 1)
  for i = 1, #batch.payloads.list do
    table.insert(self.settled, ("%s.%d"):format(batch.once, i))
  end
  self.appended = self.appended + batch.memory_only
  recount(self)
  batch.payloads:give_back()
  return true
end

-- Appends what is the oldest. Nil where there is nothing; else whether it was, and why not.
local function append_next(self, turn)
  if not self.batches[1] and self.spool:unread() == 0 then
    return nil
  elseif is_over(self) then
    return false, errors.new("timeout", "the time was over")
  end
  local ok, err = connect(self)
  if not ok or self.turn ~= turn then
    return false, err
  end
  local batch = self.batches[1]
  if batch and not self.spool:has_before(batch.stamp) then
    ok, err = append_batch(self, turn, batch)
    return ok or false, err
  end
  local file = self.sink:take()
  if not file then
    return nil
  end
  recount(self)
  ok, err = append_file(self, turn, file)
  return ok or false, err
end

-- Sleeps a moment. Whether there is time for that.
local function rest(self)
  if is_over(self) then
    return false
  end
  self.loop.sleep(LOOK)
  return true
end

-- Waits a moment for other workers, which have older members.
local function wait_for_others(self, gate, why)
  local now = self.loop.now()
  gate.since = gate.since or now
  if now >= (gate.log_at or now + LOG_EVERY) then
    nginx_log.say(ngx.WARN, ("scope3: members have waited for %.0f seconds: %s"):format(now - gate.since, why))
    gate.log_at = nil
  end
  gate.log_at = gate.log_at or now + LOG_EVERY
  return rest(self)
end

-- Appends until nothing is left. True, or nil and why. A worker that ends also waits for what lingers: so nothing is
-- left that the next one would append again.
local function send_all(self, turn)
  self.sending, self.turn = true, turn -- not before: this function may not begin, where memory is short
  local gate, err, done = {}, barred(self), nil
  while not err and self.turn == turn do
    settle(self, turn)
    local wait = self.turn == turn and self.hooks.ready(done == true)
    if self.turn ~= turn then
      break
    elseif wait then
      done = nil
      err = not wait_for_others(self, gate, wait) and errors.new("timeout", wait) or nil
    else
      done, err = append_next(self, turn)
      gate = {}
      self.failures = done and 0 or self.failures -- a full Redis takes something now and then
      if done == nil and self.turn == turn and not (self.ends and self.sink:due() and rest(self)) then
        self.failures, self.retry_at, self.last_error = 0, 0, nil
        return true
      end
    end
  end
  return nil, err
end

--- Puts off the next try, and longer after each failure.
---@param err scope3.Error
function StreamOutbox:put_off(err)
  local pause = math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ self.failures) * (0.5 + core.random() / 2)
  self.failures = self.failures + 1
  self.retry_at = self.loop.now() + pause
  self.last_error = err
end

--- Appends what there is, until nothing is left or something is in the way. Only one light thread does so at a time.
---@param now boolean?  although the last failure was a moment ago
---@param limits? {deadline: number?}  seconds after which nothing more is appended: the worker is ending
---@return boolean ok  nothing is left, or another thread is at it
---@return scope3.Error? err  what is in the way
function StreamOutbox:send(now, limits)
  if limits and limits.deadline then -- it also limits a thread that sends already
    self.ends = self.loop.now() + limits.deadline
  end
  if self.sending or not now and self.loop.now() < self.retry_at then
    return true
  end
  local turn = self.turn + 1
  local fine, ok, err = pcall(send_all, self, turn)
  if not fine then
    if self.turn == turn then -- without a call, which may find no memory: while `sending` is set, everybody waits
      self.sending, self.turn = false, turn + 1
    end
    error(ok, 0)
  elseif self.turn ~= turn then
    return false, err -- another thread may send now
  end
  self.sending = false
  if not ok and err then
    self:put_off(err)
  end
  return ok or false, err
end

--- Takes the turn from a thread that was stopped while it sent.
function StreamOutbox:interrupted()
  -- First, because what follows may find no memory: while `sending` is set, everybody waits.
  self.sending, self.turn = false, self.turn + 1
  lose(self)
end

--- Seconds until it is worth trying again; 0 when it is now.
---@return number
function StreamOutbox:pause()
  return math.max(0, self.retry_at - self.loop.now())
end

return stream_outbox
