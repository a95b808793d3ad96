--- Batches of members on their way to the service: sent one after the other, and kept as long as the service does not take them.
local core = require "scope3.core"
local errors = require "scope3.error"
local job = require "scope3.job"
local log = require "scope3.nginx.log"

local ngx = ngx

---@class scope3.Outbox
local Outbox = {}
Outbox.__index = Outbox

local outbox = {}

local FIRST_PAUSE, LONGEST_PAUSE = 1, 60 -- seconds between two tries while the service is away
local GATE = 0.02 -- seconds between two looks whether others have sent what is older
local TELL = 60 -- seconds of that after which the log is told

--- Makes one.
---@param client scope3.Client
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of its jobs
---@param exit_seconds number  how long a worker that ends waits for others
---@param hooks {next: (fun(): scope3.OutboxBatch?, string?), done: fun(batch: scope3.OutboxBatch), refused: fun(parts: scope3.Part[])}
---  `next` gives what is to be sent now, or nothing and why that has to wait; `done`: a batch has left, taken or refused; `refused` for good
---@return scope3.Outbox
function outbox.new(client, audience, opts, exit_seconds, hooks)
  return setmetatable({
    client = client, audience = audience, opts = opts, exit_seconds = exit_seconds, hooks = hooks, batches = {}, failures = 0, retry_at = 0,
    waiting = 0, -- members in it
    alone = 0, -- of them, those in no file
    bytes = 0, -- of its payloads
    accepted = 0, failed = 0, quarantined = 0, -- members since it was made
  }, Outbox)
end

---@class scope3.OutboxBatch
---@field payload table
---@field lists scope3.Part[][]  what the service has not taken of it
---@field marks scope3.SpoolMark[]  where it stands in files
---@field alone integer  members of it that are in no file
---@field begun? boolean  some of it has left
---@field refused? scope3.Error  why it refused some of it for good
---@field read? boolean  its members were read from files

local function members(lists)
  local n = 0
  for _, parts in ipairs(lists) do
    for _, part in ipairs(parts) do
      n = n + part.adds + part.removes
    end
  end
  return n
end

-- What was taken out of payloads meanwhile does not wait any more.
local function recount(self)
  self.waiting, self.alone, self.bytes = 0, 0, 0
  for _, batch in ipairs(self.batches) do
    self.waiting = self.waiting + members(batch.lists)
    self.alone = self.alone + batch.alone
    self.bytes = self.bytes + batch.payload:bytes()
  end
end

--- Takes a payload in.
---@param payload table
---@param marks scope3.SpoolMark[]
---@param alone integer  members of it that are in no file
---@param read boolean?  from files: it goes before all others
function Outbox:put(payload, marks, alone, read)
  local adds, removes = payload:living()
  local part = { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes }
  table.insert(self.batches, read and 1 or #self.batches + 1, { payload = payload, lists = { { part } }, marks = marks, alone = alone, read = read })
  recount(self)
end

--- Gives back all that it has, which is nobody's then. Not while somebody sends.
---@return scope3.OutboxBatch[]
function Outbox:clear()
  local batches = self.batches
  self.batches = {}
  recount(self)
  return batches
end

-- Sends what is left of a batch. A request that the service finds wrong will not become right by waiting: its members are given up, and no others.
-- True when nothing is left; else the error.
local function send(self, batch)
  while batch.lists[1] do
    local left = self.ends and math.max(0, self.ends - self.client.loop.now()) or nil
    local opts, failed, before = setmetatable({ deadline = left }, { __index = self.opts }), self.failed, members(batch.lists)
    local work = job.new(self.client, { self.audience }, opts)
    self.work, self.waiter = work, work.waiter
    for _, parts in ipairs(batch.lists) do
      work:send { parts = parts, kept = true } -- once the job has failed, it leaves them
    end
    local res, err = work:finish()
    res = res or err.result
    self.work = nil
    self.accepted, self.quarantined = self.accepted + res.sent, self.quarantined + res.quarantined
    batch.lists = {}
    for _, parts in ipairs(work.left) do
      if parts.refused then
        self.failed, batch.refused = self.failed + members { parts }, err
        self.hooks.refused(parts)
      else
        batch.lists[#batch.lists + 1] = parts
      end
    end
    batch.begun = batch.begun or members(batch.lists) < before
    recount(self)
    if batch.lists[1] and self.failed == failed then
      return nil, err
    end
  end
  return true
end

-- Lets some time go by before the next try, and more after each failure.
local function put_off(self, err)
  local pause = math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ self.failures) * (0.5 + core.random() / 2)
  self.failures = self.failures + 1
  self.retry_at = self.client.loop.now() + math.max(pause, err.retry_after or 0)
  self.last_error = err
end

--- Sends what there is, until nothing is left or something is in the way. Only one light thread at a time does, and it must be one that runs to its
--- end: not one of a request, which nginx drops when its client leaves.
---@param now boolean?  although the last failure was a moment ago
---@param limits? {deadline: number?}  seconds after which nothing more is sent: the worker is ending
---@return boolean ok  nothing is left, or another one is at it
---@return scope3.Error? err  what is in the way; beside true, the last refusal for good
function Outbox:send(now, limits)
  if limits and limits.deadline then -- for whoever is at it, too
    self.ends = self.client.loop.now() + limits.deadline
  end
  if self.sending or not now and self.client.loop.now() < self.retry_at then
    return true
  end
  self.sending = true
  local ok, err, refused, gated = true, nil, nil, nil
  while ok do
    local batch, wait = self.hooks.next()
    if batch then
      ok, err = send(self, batch)
      if ok then
        table.remove(self.batches, 1)
        recount(self)
        refused = batch.refused or refused
        self.last_error, self.failures, self.retry_at = batch.refused, 0, 0
        self.hooks.done(batch)
      end
      gated = nil
    elseif not wait then
      break
    else
      local clock = self.client.loop.now()
      gated = gated or { since = clock, tell_at = clock + TELL }
      if not self.ends and ngx.worker.exiting() then
        self.ends = clock + self.exit_seconds
      end
      if self.ends and clock >= self.ends then
        self.sending, self.waiter = false, nil
        return false, errors.new("timeout", wait)
      elseif clock >= gated.tell_at then
        gated.tell_at = clock + TELL
        log.say(ngx.WARN, ("scope3: members have waited for %.0f seconds: %s"):format(clock - gated.since, wait))
      end
      self.client.loop.sleep(GATE)
    end
  end
  if not ok then
    put_off(self, err)
  end
  self.sending, self.waiter = false, nil
  return ok, err or refused
end

--- Whoever was sending was stopped in the middle: what it had under way is dropped, and counts as not sent.
---@param err scope3.Error?  what stopped it, where trying again at once would come to the same
function Outbox:interrupted(err)
  if self.waiter then
    self.waiter:abandon()
  end
  if self.work then -- what was set aside is out of its payload
    self.quarantined = self.quarantined + self.work.result.quarantined
    self.work = nil
  end
  recount(self)
  self.sending, self.waiter = false, nil
  if err then
    put_off(self, err)
  end
end

--- Seconds until it is worth trying again; 0 when it is now.
---@return number
function Outbox:pause()
  return math.max(0, self.retry_at - self.client.loop.now())
end

return outbox
