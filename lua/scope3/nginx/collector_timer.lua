--- When a collector sends: after a while, at once when it is asked to, and when its worker ends.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local nginx_log = require "scope3.util.nginx_log"
local shared_timer = require "scope3.nginx.shared_timer"
local shutdown = require "scope3.nginx.shutdown"

local ngx = ngx

---@class scope3.FlushRequest  a call of flush()
---@field taken boolean  a timer is at it
---@field done boolean
---@field ok boolean
---@field err scope3.Error?

---@class scope3.CollectorTimer  the timers of a collector in one worker
---@field urgent number?  when a timer was made that runs at once
---@field request scope3.FlushRequest?  the call that waits for it
---@field complain_at number?  when to log next that no timer can be made

local collector_timer = {}

local SHORTEST = 0.02 -- seconds
local OVERDUE = 5 -- seconds after which a timer is taken for dropped, as nginx does above lua_max_running_timers
local LOOK_FOR_ORPHANS = 10 -- seconds between two looks for orphaned files, or flush_seconds where that is less
local MAX_LATER_STATES = 2 -- Lua states of this process made since: nginx has one, and one for streams

local states = core.states()
local some_dropped = false

--- Whether a worker's state is of this process, and not of the master before the fork.
---@param state scope3.WorkerState?
---@return boolean
local function is_own(state)
  return state ~= nil and state.pid == ngx.worker.pid()
end

local function complain(timer, now, why)
  if not ngx.worker.exiting() and now >= (timer.complain_at or 0) then
    timer.complain_at = now + OVERDUE
    nginx_log.say(ngx.ERR, ("scope3: no timer can be made (%s): members wait for the next call of add(), flush() or "
      .. "status()"):format(tostring(why)))
  end
end

local tick

--- Makes a timer that runs at once, unless one is pending.
---@param collector scope3.CollectorWorker
---@param now number
---@return boolean made
function collector_timer.run_now(collector, now)
  local state = collector.state
  local timer = state.timer
  if timer.urgent and now < timer.urgent + OVERDUE then
    return true
  end
  local able, made, why = pcall(ngx.timer.at, 0, tick, collector, state) -- raises in exit_worker_by_lua
  timer.urgent = able and made and now or nil
  if able and not made then
    complain(timer, now, why)
  end
  return timer.urgent ~= nil
end

-- Releases collectors without a handle that hold nothing. It runs later than drop(), which Lua's collector calls: there
-- nothing may be done.
local function sweep()
  some_dropped = false
  for collector in entries(shutdown.active()) do
    local state = collector.state
    local idle = is_own(state) and state.held == 0 and not state.outbox.sending
    if collector.dropped and idle and not collector.closing then
      shutdown.release(collector, true)
    end
  end
end

-- When the next turn is due.
local function next_time(collector, state, now)
  local flush_seconds = collector.config.flush_seconds
  local time = (state.since or now) + flush_seconds
  if state.unlogged then
    time = math.min(time, state.unlogged + flush_seconds)
  end
  if state.spool then
    time = math.min(time, now + LOOK_FOR_ORPHANS)
  end
  if state.outbox.settle_at then
    time = math.min(time, state.outbox.settle_at)
  end
  local ready = state.outbox.waiting > 0 or state.spool and state.spool:unread() > 0
  if ready and not state.outbox.sending then -- a thread that sends arms the timer afterwards
    time = math.min(time, now + state.outbox:pause())
  end
  return math.max(time, now + SHORTEST)
end

--- Makes a timer run when the next turn is due.
---@param collector scope3.CollectorWorker
function collector_timer.arm(collector)
  local state = collector.state
  nginx_log.retry()
  if some_dropped then
    sweep()
  end
  if not state or collector.state ~= state then
    return
  end
  local now = collector.client.loop.now()
  local ok, why = shared_timer.at(collector, next_time(collector, state, now))
  if not ok then
    complain(state.timer, now, why)
  end
end

-- Whether later Lua states have replaced this one, as with `lua_code_cache off`. A timer would keep this one alive.
local function is_outdated()
  return core.states() - states >= MAX_LATER_STATES
end

-- What flush() gives until a timer has more to say. It is made beforehand: memory may be what a timer lacks.
local UNFINISHED = errors.new("script", "the timer that was to send has failed, as where memory is short")

--- A call of flush() that waits. Its fields are there from the start, so that to answer it takes no memory.
---@return scope3.FlushRequest
function collector_timer.request()
  return { taken = false, done = false, ok = false, err = UNFINISHED }
end

-- Sends for a request. Callers that come until what is under way has been sent share it.
local function flush_for(request, collector, state, seconds)
  request.taken = true -- not before: this function may not begin, where memory is short
  while state.outbox.sending do -- what another timer sends may be less than this request is for
    collector.client.loop.sleep(SHORTEST)
  end
  if state.timer.request == request then
    state.timer.request = nil
  end
  return state:flush(true, seconds)
end

-- One turn of a collector that goes on.
local function take_turn(collector, state, premature)
  local request = state.timer.request
  local seconds = premature and collector.config.exit_seconds or nil
  local fine, ok, err
  if request and not request.taken then
    fine, ok, err = pcall(flush_for, request, collector, state, seconds)
    -- The answer takes no call, which may find no memory: flush() waits for it. What failed keeps its first answer.
    if request.taken and state.timer.request == request then
      state.timer.request = nil
    end
    if fine then
      request.ok, request.err = ok, err
    end
    request.done = request.taken
    if not fine then
      request.err = errors.new("script", tostring(ok))
    end
  else
    fine, ok = pcall(state.flush, state, premature, seconds)
  end
  if collector.state == state and state.spool and ngx.worker.exiting() and not state.outbox.sending then
    state:hand_over() -- it has tried: other workers need not wait for this one to end
  end
  if not fine then
    error(ok, 0)
  end
end

-- What happens after a turn: the collector is closed, released, or gets another turn.
local function after_turn(collector, state)
  local idle = state.held == 0 and not state.unlogged and not state.outbox.sending and not state.timer.request
  if collector.closing and not collector.closing.taken then
    shutdown.close(collector)
  elseif idle and (collector.dropped or is_outdated()) then
    shutdown.release(collector, collector.dropped)
  elseif state.held > 0 or state.spool or state.unlogged then
    collector_timer.arm(collector)
  end
end

function tick(premature, collector, state)
  if not state or collector.state ~= state or not is_own(state) then
    return -- it was closed meanwhile
  end
  state.timer.urgent = nil
  if collector.closing then
    return shutdown.close(collector)
  end
  local fine, err = pcall(take_turn, collector, state, premature)
  if collector.state ~= state or premature then
    state.timer.urgent = nil
  else
    after_turn(collector, state)
  end
  if some_dropped then -- others may have no timer left that would see it
    sweep()
  end
  if not fine then
    error(err, 0)
  end
end

--- The last turn of a collector: its worker is ending.
---@param collector scope3.CollectorWorker
function collector_timer.last_turn(collector)
  local ok, err = pcall(tick, true, collector, collector.state)
  if not ok then
    nginx_log.say(ngx.ERR, "scope3: " .. tostring(err))
  end
end

--- Notes that some collector has lost its handle. Lua's collector calls it, anywhere, so it does nothing else.
function collector_timer.note_dropped()
  some_dropped = true
end

--- Makes a timer that closes a collector.
---@param collector scope3.CollectorWorker
---@return boolean made
function collector_timer.close_soon(collector)
  local state, closing, now = collector.state, collector.closing, collector.client.loop.now()
  if not is_own(state) then
    shutdown.close(collector)
    return true
  elseif closing.taken then
    return true
  end
  if not closing.asked or now > closing.asked + OVERDUE then
    closing.asked = now
    state.timer.urgent = nil -- a pending timer may be running its own turn already
    shared_timer.at(collector, now + OVERDUE) -- where nginx drops the timer
    if not collector_timer.run_now(collector, now) then
      closing.asked = false
    end
  end
  return closing.asked ~= false
end

return collector_timer
