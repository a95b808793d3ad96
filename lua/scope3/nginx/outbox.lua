--- Batches of members on their way to the service: sent one after the other, and kept as long as the service does not take them.
local context = require "scope3.job.context"
local core = require "scope3.core"
local splitter = require "scope3.job.splitter"
local errors = require "scope3.error"
local job = require "scope3.job"
local log = require "scope3.nginx.log"
local planner = require "scope3.job.planner"

local ngx = ngx

---@class scope3.Outbox
local Outbox = {}
Outbox.__index = Outbox

local outbox = {}

local FIRST_PAUSE, LONGEST_PAUSE = 1, 60 -- seconds between two tries while the service is away
local GATE = 0.02 -- seconds between two looks whether others have sent what is older
local TELL = 60 -- seconds of that after which the log is told
local ABSENT = { audience_unknown = true, audience_deleted = true } -- codes of a look for audiences to remove from
local MOST_NAMES = 10000 -- of audiences that are remembered
local UNKNOWN = 60 -- seconds for which a new audience may not be listed yet

--- Makes one.
---@param client scope3.Client
---@param opts table  checked options of its jobs
---@param exit_seconds number  how long a worker that ends waits for others
---@param hooks {next: (fun(): scope3.OutboxBatch?, string?), done: fun(batch: scope3.OutboxBatch), refused: fun(parts: scope3.Part[])}
---  `next` gives what is to be sent now, or nothing and why that has to wait; `done`: a batch has left, taken or refused; `refused` for good
---@return scope3.Outbox
function outbox.new(client, opts, exit_seconds, hooks)
  return setmetatable({
    client = client, opts = opts, exit_seconds = exit_seconds, hooks = hooks, batches = {}, failures = 0, retry_at = 0,
    added = {}, -- ids of audiences that the service has, because it took members of them
    missed = {}, -- ids of audiences that it did not list -> since when
    names = 0, -- in both
    turn = 0, -- of whoever sends: one that was interrupted, and is there all the same, leaves things alone
    waiting = 0, -- members in it
    alone = 0, -- of them, those in no file
    bytes = 0, -- of its payloads
    accepted = 0, failed = 0, rejected_by_service = 0, -- members since it was made
  }, Outbox)
end

---@class scope3.OutboxBatch
---@field lanes scope3.Lanes  its members
---@field lists scope3.Part[][]  what the service has not taken of it, a request each
---@field marks scope3.SpoolMark[]  where it stands in files
---@field alone integer  members of it that are in no file
---@field begun? boolean  some of it has left
---@field refused? scope3.Error  why it refused some of it for good
---@field fault? scope3.Error  what a listener raised while all of it was taken
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
    self.bytes = self.bytes + batch.lanes.bytes
  end
end

local function requests(self, lanes)
  local audiences = {}
  for i, lane in ipairs(lanes) do
    local of = lane.audience
    audiences[i] = { id = of.id, name = of.name, consent_basis = of.consent_basis, payloads = { lane.payload } }
  end
  local lists = planner.plan(audiences, { max_members = self.opts.max_members, max_bytes = self.opts.max_bytes,
    push = self.opts.push_notification_config })
  if lists then
    return lists
  end
  lists = {} -- a member that fits no more, because its audience was given a longer name since
  for i, audience in ipairs(audiences) do
    local payload = audience.payloads[1]
    lists[i] = { splitter.range({ audience = audience, payload = payload }, 1, payload:count()) }
  end
  return lists
end

-- Requests for members of several audiences. Audiences that are only removed from, and that may not exist, have
-- requests of their own.
local function plan(self, lanes)
  local sure, unsure = {}, {}
  for _, lane in ipairs(lanes.list) do
    local adds = lane.payload:living()
    if lane.living > 0 then
      table.insert((adds > 0 or self.added[lane.audience.id]) and sure or unsure, lane)
    end
  end
  local lists = requests(self, sure)
  for _, parts in ipairs(requests(self, unsure)) do
    lists[#lists + 1] = parts
  end
  return lists
end

--- Takes members in.
---@param lanes scope3.Lanes
---@param marks scope3.SpoolMark[]
---@param alone integer  members of it that are in no file
---@param read boolean?  from files: it goes before all others
function Outbox:put(lanes, marks, alone, read)
  local batch = { lanes = lanes, lists = plan(self, lanes), marks = marks, alone = alone, read = read }
  table.insert(self.batches, read and 1 or #self.batches + 1, batch)
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

-- Whether it has to be found out first whether the audiences are there: the service takes removals from any name.
local function needs_look(self, parts)
  local unsure = false
  for _, part in ipairs(parts) do
    if part.adds > 0 then
      return false
    end
    unsure = unsure or not self.added[part.audience.id]
  end
  return unsure
end

-- What one job sends: all requests that may go as they are, else one whose audiences it looks for first.
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

-- Whether an audience has been missing for so long that it is none that was made a moment ago.
local function is_missing(self, parts)
  local id, now = parts[1].audience.id, self.client.loop.now()
  if not self.missed[id] then
    self.missed[id], self.names = now, self.names + 1
  end
  return now - self.missed[id] >= UNKNOWN
end

-- The service has these audiences.
local function note_added(self, lists)
  for _, audience in ipairs(audiences_of(lists)) do
    if self.names >= MOST_NAMES then
      self.added, self.missed, self.names = {}, {}, 0
    end
    self.names = self.added[audience.id] and self.names or self.names + 1
    self.added[audience.id], self.missed[audience.id] = true, nil
  end
end

-- What becomes of parts that the service did not take: they are given up, go in halves where several audiences share
-- a request, so that one does not take
-- the others along, or wait. True when they do not wait.
local function sort_out(self, batch, waiting, left, err)
  local parts, absent = left.parts, err and ABSENT[err.code]
  if #parts > 1 and (left.rejected or absent) then
    for _, half in ipairs { splitter.halve(parts) } do
      table.insert(batch.lists, half)
    end
    return true
  elseif left.rejected or absent and is_missing(self, parts) then
    self.failed, batch.refused = self.failed + members { parts }, err
    self.hooks.refused(parts)
    return true
  end
  waiting[parts] = true
  table.insert(batch.lists, parts)
  return false
end

-- Runs one job. Until it has ended the batch has all of its members.
local function run(self, lists, looks)
  local left = self.ends and math.max(0, self.ends - self.client.loop.now()) or nil
  local work = job.new(context.of(self.client), audiences_of(lists), setmetatable({ deadline = left }, { __index = self.opts }))
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
    return work, err -- it was interrupted, and counted then
  end
  self.work = nil
  self.accepted, self.rejected_by_service = self.accepted + res.accepted, self.rejected_by_service + res.rejected_by_service
  return work, err
end

-- Sends what is left of a batch. A request that the service finds wrong will not become right by waiting: its members are given up, and no others.
-- True when nothing is left; else the error.
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
    local before, moved = members(batch.lists), false
    local turn = self.turn
    local work, err = run(self, lists, looks)
    if self.turn ~= turn then
      return nil, err
    end
    local gone = {}
    for _, parts in ipairs(lists) do
      gone[parts] = true
    end
    local rest = batch.lists
    batch.lists = {}
    for _, parts in ipairs(rest) do
      batch.lists[#batch.lists + 1] = not gone[parts] and parts or nil
    end
    local unsent = work:unsent()
    for _, left in ipairs(unsent) do
      moved = sort_out(self, batch, waiting, left, err) or moved
    end
    batch.begun = batch.begun or members(batch.lists) < before
    recount(self)
    if #unsent == 0 then
      batch.fault = err or batch.fault
    end
    if not err then
      note_added(self, lists)
    elseif #unsent > 0 and not moved and not ABSENT[err.code] then
      return nil, err
    end
    why = err or why
  end
end

-- A batch has left although a listener raised an error. The log is told now and then: it may do so at each request.
local function tell_fault(self, err)
  local now = self.client.loop.now()
  if err and now >= (self.tell_fault_at or now) then
    self.tell_fault_at = now + TELL
    log.say(ngx.ERR, tostring(err) .. "; what it was told of was sent all the same")
  end
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
---@return scope3.Error? err  what is in the way; beside true, the last rejection for good
function Outbox:send(now, limits)
  if limits and limits.deadline then -- for whoever is at it, too
    self.ends = self.client.loop.now() + limits.deadline
  end
  if self.sending or not now and self.client.loop.now() < self.retry_at then
    return true
  end
  self.sending, self.turn = true, self.turn + 1
  local turn = self.turn
  local ok, err, refused, gated = true, nil, nil, nil
  while ok do
    local batch, wait = self.hooks.next()
    if batch then
      ok, err = send(self, batch)
      if self.turn ~= turn then
        return false, err
      end
      if ok then
        table.remove(self.batches, 1)
        recount(self)
        refused = batch.refused or refused
        tell_fault(self, batch.fault)
        self.last_error, self.failures, self.retry_at = batch.refused or batch.fault, 0, 0
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
      if self.turn ~= turn then
        return false, errors.new("timeout", wait)
      end
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
    self.rejected_by_service = self.rejected_by_service + self.work.result.rejected_by_service
    self.work = nil
  end
  recount(self)
  self.sending, self.waiter, self.turn = false, nil, self.turn + 1
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
