--- What the handle of a collector stands for: it takes members, and has them sent.
---
--- Users have a handle of it (scope3.nginx.collector). Without a handle it still delivers what it took, and then gives
--- everything back. A collector that holds nothing and has no spool has no timer.
local audience_label = require "scope3.api.audience_label"
local collector_timer = require "scope3.nginx.collector_timer"
local core = require "scope3.core"
local errors = require "scope3.error"
local plural = require "scope3.util.plural"
local shutdown = require "scope3.nginx.shutdown"
local worker_state = require "scope3.nginx.worker_state"

local ngx = ngx

---@class scope3.CollectorWorker: scope3.Scheduled
---@field config table  the options
---@field audience {id: string, name: string?, consent_basis: string?}?  of members that come without one
---@field client scope3.Client
---@field stream scope3.StreamPlace?  a queue that members are appended to
---@field dict table?  a lua_shared_dict
---@field new_pool fun(): scope3.PayloadPool
---@field max_member integer  bytes of a member
---@field name string  the same for collectors of one account and audience
---@field state scope3.WorkerState?  what it has in this worker
---@field closing scope3.Closing?  since close() was called
---@field dropped boolean?  it has no handle any more
local CollectorWorker = {}
CollectorWorker.__index = CollectorWorker

local collector_worker = {}

local MAX_BATCHES = 16 -- that wait; later members are gathered in larger ones
local LOOK = 0.01 -- seconds between two looks whether a timer has flushed

---@param fields table  config, audience, client, dict, new_pool, max_member, name
---@return scope3.CollectorWorker
function collector_worker.new(fields)
  return setmetatable(fields, CollectorWorker)
end

-- Makes the state of this worker at its first use. Nothing of the master's is carried over.
local function begin(self)
  if ngx.get_phase() == "init" then
    error("scope3.nginx: a collector is made in init_by_lua, and used in the workers: what the master had would be "
      .. "lost", 5)
  end
  self.state = worker_state.new(self)
  shutdown.register(self)
  return self.state
end

--- What it has in this worker. It is made where there is nothing yet.
---@return scope3.WorkerState
function CollectorWorker:here()
  local state = self.state
  if not state or state.pid ~= ngx.worker.pid() then
    state = begin(self)
  end
  return state
end

local function now(self)
  return self.client.loop.now()
end

--- Takes its turn, as shared_timer asks for it.
---@return boolean begun
function CollectorWorker:turn()
  return not self.state or collector_timer.run_now(self, now(self))
end

--- Takes its last turn: the worker is ending.
function CollectorWorker:last_turn()
  collector_timer.last_turn(self)
end

-- Why nothing more is taken, or nil.
local function is_full(self, state, audience)
  local config = self.config
  local counted = state.spool and state:in_memory() or state.held -- what waits in files is bounded by its bytes
  if counted >= config.max_members then
    return plural.of(counted, "member waits", "members wait") .. " already (max_members): is the service away?"
  end
  local bytes = state:bytes()
  if bytes >= config.max_waiting_bytes then
    return ("%s %.0f bytes (max_waiting_bytes): is the service away?"):format(
      plural.of(state.held, "member waits already and takes", "members wait already and take"), bytes)
  elseif state.pool.audiences >= config.max_audiences and not state.pool:has(audience.id) then
    return ("members of %s wait already (max_audiences)"):format(plural.of(state.pool.audiences, "audience"))
  end
end

-- A member that was not taken. The log reports it later, in one line with others.
local function not_taken(self, state, err)
  state:note_unlogged()
  collector_timer.arm(self)
  return nil, err
end

local function reject(self, state, err)
  state.stats:reject(err.code)
  return not_taken(self, state, err)
end

local function reject_audience(self, state, issues)
  local message = errors.invalid("scope3.nginx.collector", issues).message
  return reject(self, state, errors.new("invalid", message, { code = "audience", issues = issues }))
end

local function reject_member(self, state, reason)
  local message = "the member was rejected: " .. (core.reasons[reason] or tostring(reason))
  return reject(self, state, errors.new("invalid", message, { code = reason }))
end

local function seal_and_send(self, state)
  state:seal()
  collector_timer.run_now(self, now(self))
end

-- Sends where there are enough. While the service is away members gather in one batch. With a spool whoever sends seals
-- the file, when it is its turn: so files stay few.
local function send_enough(self, state)
  local outbox = state.outbox
  if outbox.failures > 0 then
    return
  elseif state.spool and not outbox.sending then
    collector_timer.run_now(self, now(self))
  elseif not state.spool and #outbox.batches < MAX_BATCHES then
    seal_and_send(self, state)
  end
end

-- After a member has come into a payload: has it written to a file, counts it, and sends where there are enough.
local function member_added(self, state, entry, given)
  if state.spool then
    state:keep(entry, given and audience_label.write(given) or "")
  else
    state.payloads:measure(entry)
  end
  state:note_member()
  state:count()
  collector_timer.arm(self)
  if state.gathered >= self.config.flush_members then
    send_enough(self, state)
  end
end

-- Moves the member that had no room into a payload of the next batch. Where memory runs out the next call does it.
local function make_room(self, state)
  seal_and_send(self, state)
  local entry = state.payloads:of(state.waits)
  state.builder:flush(entry.payload)
  state.waits = false
  member_added(self, state, entry, state.waits_in)
end

--- Takes a member. Misuse is blamed on the caller of the function that calls this.
---@param member table
---@param given {id: string, name: string?, consent_basis: string?}?  the audience that came with it
---@param remove boolean?
---@return true?
---@return scope3.Error? err
function CollectorWorker:put(member, given, remove)
  local state = self:here()
  local audience = given or self.audience
  local issues = given and state.pool:problems(given) or {}
  if #issues > 0 then
    return reject_audience(self, state, issues)
  end
  local full = is_full(self, state, audience)
  if full then
    state.stats:add("refused", 1)
    return not_taken(self, state, errors.new("full", full, { retryable = true }))
  end
  if state.waits then -- since an error of memory
    make_room(self, state)
  end
  local entry = state.payloads:of(audience)
  local added, reason = state.builder:add(entry.payload, member, remove, 3)
  if added == nil then
    state.payloads:measure(entry)
    return reject_member(self, state, reason)
  elseif added then
    member_added(self, state, entry, given)
  else
    state.waits, state.waits_in = audience, given or false
    make_room(self, state)
  end
  return true
end

--- Begins in this worker.
function CollectorWorker:start()
  self:here()
  if not collector_timer.run_now(self, now(self)) then
    collector_timer.arm(self)
  end
end

--- Sends what waits, and waits for that.
---@return true?
---@return scope3.Error? err
function CollectorWorker:flush()
  local state = self:here()
  local timer = state.timer
  local request = timer.request or collector_timer.request()
  timer.request = request
  while not request.done do
    if self.state ~= state then -- closed meanwhile, which flushed it too
      local closing = self.closing or { ok = true }
      return closing.ok or nil, closing.err
    elseif not request.taken and not collector_timer.run_now(self, now(self)) then -- ending, or with too many timers
      timer.request = nil
      local ok, err = state:flush(true)
      return ok or nil, err
    end
    self.client.loop.sleep(LOOK)
  end
  return request.ok or nil, request.err
end

--- The counts of this worker, and of all workers.
---@return scope3.CollectorStatus
function CollectorWorker:status()
  local state = self:here()
  state:count()
  local status, err = state.stats:own(), state.outbox.last_error
  status.held, status.audiences, status.error = state.held, state.pool.audiences, err and tostring(err) or nil
  status.all = state.stats:all()
  if state.held > 0 then
    collector_timer.arm(self) -- where no timer could be made before
  end
  return status
end

--- Begins to close it. Calling it again changes nothing.
---@param seconds number?  for sending (`exit_seconds`)
---@return scope3.Closing
function CollectorWorker:begin_closing(seconds)
  self.closing = self.closing or shutdown.closing(seconds or self.config.exit_seconds)
  return self.closing
end

--- Closes it now, where nothing can wait.
function CollectorWorker:close()
  shutdown.close(self)
end

--- Has it closed by a timer.
---@return boolean begun
function CollectorWorker:close_soon()
  return collector_timer.close_soon(self)
end

--- Notes that it has no handle any more. Lua's collector calls it, anywhere, so it does nothing else.
function CollectorWorker:drop()
  self.dropped = true
  collector_timer.note_dropped()
end

return collector_worker
