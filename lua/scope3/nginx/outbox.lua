--- Batches of members on their way to the service: sent one after the other, and kept as long as the service does not take them.
local core = require "scope3.core"
local job = require "scope3.job"

---@class scope3.Outbox
local Outbox = {}
Outbox.__index = Outbox

local outbox = {}

local FIRST_PAUSE, LONGEST_PAUSE = 1, 60 -- seconds between two tries while the service is away

--- Makes one.
---@param client scope3.Client
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of its jobs
---@param on_done fun(batch: scope3.OutboxBatch, refused: boolean)  a batch has left: the service took it, or refused it for good
---@return scope3.Outbox
function outbox.new(client, audience, opts, on_done)
  return setmetatable({
    client = client, audience = audience, opts = opts, on_done = on_done, batches = {}, failures = 0, retry_at = 0,
    waiting = 0, -- members in it
    accepted = 0, failed = 0, quarantined = 0, -- members since it was made
  }, Outbox)
end

---@class scope3.OutboxBatch
---@field payload table
---@field lists scope3.Part[][]  what the service has not taken of it
---@field refused? scope3.Error  why it refused some of it for good
---@field spool? table  the file that holds it too
---@field group? table

--- Takes a payload in.
---@param payload table
---@param spool? table
---@param group? table  what batches of one file have in common
function Outbox:put(payload, spool, group)
  local adds, removes = payload:living()
  local part = { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes }
  self.batches[#self.batches + 1] = { payload = payload, lists = { { part } }, spool = spool, group = group }
  self.waiting = self.waiting + adds + removes
end

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
  self.waiting = 0
  for _, batch in ipairs(self.batches) do
    self.waiting = self.waiting + members(batch.lists)
  end
end

-- Sends what is left of a batch. A request that the service finds wrong will not become right by waiting: its members are given up, and no others.
-- True when nothing is left; else the error.
local function send(self, batch)
  while batch.lists[1] do
    local left = self.ends and math.max(0, self.ends - self.client.loop.now()) or nil
    local opts, failed = setmetatable({ deadline = left }, { __index = self.opts }), self.failed
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
      else
        batch.lists[#batch.lists + 1] = parts
      end
    end
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
  local ok, err, refused = true, nil, nil
  while ok and self.batches[1] do
    local batch = self.batches[1]
    ok, err = send(self, batch)
    if ok then
      table.remove(self.batches, 1)
      refused = batch.refused or refused
      self.last_error, self.failures, self.retry_at = batch.refused, 0, 0
      self.on_done(batch, batch.refused ~= nil)
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
