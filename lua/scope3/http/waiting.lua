--- Waiting for calls, by the loop of who waits.
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

local CANCEL_INTERVAL = 0.25 -- seconds between two calls of `cancel`
local ALIVE_INTERVAL = 1 -- seconds between two calls of `alive`
local LONGEST_SLEEP = 3600 -- seconds, where neither is given

---@class scope3.DriveLimits  when waiting ends; times by the loop's clock
---@field cancel? fun(): boolean?  true ends it
---@field guard? scope3.Guard  of the callbacks: one that raised ends it
---@field grace? number  seconds for what is on the wire, after `cancel`
---@field stopping? boolean  it was stopped before: only what is on the wire may still be answered
---@field deadline? number
---@field over? string  what happened at the deadline, for messages
---@field alive? fun()  called at least each second
---@field pace? scope3.Pace  of the job that waits
---@field patience? number  of the job that waits

local waiting = {}

--- Calls the listeners with what has happened to the calls of a waiter. Those of jobs and waits never raise.
---@param waiter scope3.Waiter
function waiting.tell_news(waiter)
  while waiter.news[1] do
    local news = waiter.news
    waiter.news = {}
    for _, one in ipairs(news) do
      local ok, problem = guard.call(one[1], one[2])
      if not ok then
        waiter.fault = waiter.fault or guard.error("on_event", problem)
      end
    end
  end
end

-- Whether all is to stop: `cancel` says so, or a callback raised.
local function asks_to_stop(limits, waiter)
  local callbacks = limits.guard
  return waiter and waiter.fault ~= nil or callbacks and callbacks.fault ~= nil
    or limits.cancel and limits.cancel() or callbacks and callbacks.fault ~= nil
end

-- When waiting ends after it was asked to stop. What is on the wire has some time left.
local function end_of_grace(limits, waiter, now)
  return math.min(limits.deadline or math.huge, now + (waiter.flying > 0 and limits.grace or 0))
end

-- Whether nothing is to be waited for any more: the time is over, or nothing is on the wire after a stop.
local function is_over(waiter, stopping, ends, now)
  return stopping and waiter.flying == 0 or ends ~= nil and now >= ends
end

-- Seconds for the next sleep. It ends at the first of some times.
local function pause_until(limits, now, first, second)
  local longest = limits.cancel and CANCEL_INTERVAL or limits.alive and ALIVE_INTERVAL or LONGEST_SLEEP
  return math.max(0, math.min(longest, (first or math.huge) - now, (second or math.huge) - now))
end

-- Calls loop.sleep. A loop of the host's own may raise.
local function sleep(transport, seconds)
  if transport.try then
    return transport.try(transport.loop.sleep, seconds)
  end
  transport.loop.sleep(seconds)
  return true
end

-- Waits until the engine may have news for a waiter. False and what the loop raised where it did.
local function wait_for_engine(transport, seconds, waiter)
  local engine, wait = transport.shared.engine, transport.loop.wait
  local ok, moved
  if not engine then
    ok, moved = sleep(transport, seconds)
  elseif transport.try then
    ok, moved = transport.try(wait, engine, seconds, waiter)
  else
    ok, moved = true, wait(engine, seconds, waiter)
  end
  if ok and not moved then
    transport:advance()
  end
  return ok, moved
end

-- The error of what a loop raised. One of ours says what has happened to the caller.
local function error_of_loop(problem)
  return errors.is(problem) and problem or guard.error("the loop", problem)
end

-- Stores what a loop raised.
local function loop_failed(limits, waiter, problem)
  local holder = limits.guard or waiter
  holder.fault = holder.fault or error_of_loop(problem)
end

-- Tells what has happened. Gives whether `done(...)`.
local function tells_the_end(waiter, done, ...)
  waiting.tell_news(waiter)
  return done(...)
end

-- Waits until there may be something to do. False where the loop raised.
local function rest(transport, limits, waiter, seconds)
  if limits.alive then
    limits.alive()
  end
  if waiter.woken then -- by a listener, or by others while one was suspended
    transport:advance()
    return true
  end
  local ok, problem = wait_for_engine(transport, seconds, waiter)
  if not ok then
    loop_failed(limits, waiter, problem)
  end
  return ok
end

--- Moves calls on until `done(...)`. When `cancel` says to stop, or a callback raised, what is on the wire has `grace`
--- seconds left, and nothing is sent again.
---@param transport scope3.Transport
---@param done fun(...): boolean
---@param limits scope3.DriveLimits
---@param waiter scope3.Waiter  of the calls that `done` looks at
---@param ... any  for `done`
---@return true?
---@return "cancelled"|"timeout"|nil why  it is not done
function waiting.drive(transport, done, limits, waiter, ...)
  local ends, stopping = limits.deadline, limits.stopping or false
  while true do
    waiter.woken = false
    if tells_the_end(waiter, done, ...) then
      return true
    end
    local now, soonest = transport.loop.now(), nil
    if not stopping and asks_to_stop(limits, waiter) then
      stopping, ends = true, end_of_grace(limits, waiter, now)
    end
    if not stopping then
      soonest = transport:start_due(waiter)
    end
    if not stopping and tells_the_end(waiter, done, ...) then
      return true
    end
    if is_over(waiter, stopping, ends, now) then
      return nil, stopping and "cancelled" or "timeout"
    elseif not rest(transport, limits, waiter, pause_until(limits, now, soonest, ends)) then
      return nil, "cancelled"
    end
  end
end

--- Waits without a request.
---@param transport scope3.Transport
---@param seconds number
---@param limits scope3.DriveLimits
---@return true?
---@return scope3.Error? err
function waiting.pause(transport, seconds, limits)
  local ends = transport.loop.now() + seconds
  while true do
    local now = transport.loop.now()
    if asks_to_stop(limits) then
      return nil, limits.guard and limits.guard.fault or errors.new("cancelled", "stopped while waiting")
    elseif limits.deadline and now >= limits.deadline then
      return nil, errors.new("timeout", limits.over or "the time to wait is over")
    elseif now >= ends then
      return true
    end
    if limits.alive then
      limits.alive()
    end
    local ok, problem = sleep(transport, pause_until(limits, now, ends, limits.deadline))
    if not ok then
      return nil, error_of_loop(problem)
    end
  end
end

return waiting
