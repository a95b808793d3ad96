--- The loop of nginx and OpenResty. Nothing there can wait on a descriptor that is not nginx's own. So while requests
--- are under way, one timer per worker steps the engine every millisecond: the pump. Each waiter has a semaphore. The
--- idle loop costs nothing.
---
--- nginx may refuse a timer, or drop one that it has taken (lua_max_running_timers, no connection). So the pump has
--- to show that it lives, and a waiter takes the place of one that does not. nginx also drops the thread of a request
--- whose client has left. So the requests of waiters that never run again are cancelled.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local interpreted = require "scope3.util.interpreted"
local log = require "scope3.util.nginx_log"
local semaphore = require "ngx.semaphore"

interpreted(true, true) -- nothing here runs for each member

local ngx = ngx

---@type scope3.Loop
local nginx = { name = "nginx", now = core.now }

local SHORT, LONG = 0.001, 0.010 -- seconds between two looks, while something moves and while nothing does
local SOONER = 0.9 -- times as long until the next first look, where the answer was there: it may have come before
local PATIENCE = 16 -- looks without news before they become rarer
local BIRTH = 0.1 -- seconds in which a timer that nginx has taken begins to run
local LOST = 1 -- seconds without a look after which the pump is lost
local SWEEP_INTERVAL = 0.5 -- seconds between two looks for waiters that are gone

---@class scope3.NginxPump  steps an engine
---@field waiters table<scope3.Waiter, true>  that are suspended
---@field runner table?  stands for the thread that runs it; a new one takes over from the one before
---@field looked number?  when it last looked
---@field asked number?  when nginx was asked for a timer
---@field orphaned boolean?  the timer did not run, so waiters do its work

local pumps = setmetatable({}, { __mode = "k" }) -- engine -> scope3.NginxPump

local function pump_of(engine)
  local pump = pumps[engine]
  if not pump then
    -- Weak, so that nothing is kept of a thread that was dropped.
    pump = { waiters = setmetatable({}, { __mode = "k" }) }
    pumps[engine] = pump
  end
  return pump
end

-- A thread that was dropped has left its semaphore without returning from its wait.
local function is_gone(waiter)
  return waiter.signal:count() >= (waiter.posted and 1 or 0)
end

local function drop_those_gone(pump)
  for waiter in entries(pump.waiters) do
    if is_gone(waiter) then
      pump.waiters[waiter] = nil
      waiter:abandon()
    end
  end
end

--- Sleeps for a millisecond at least. nginx takes less for 0, and then logs a warning with the request line.
function nginx.sleep(seconds)
  ngx.sleep(math.max(SHORT, seconds))
end

-- Steps the engine until `ended`, or until another runner takes over.
local function run(engine, pump, step, pause, ended)
  local runner, lost = {}, pump.runner
  pump.runner = runner
  if lost then
    drop_those_gone(pump) -- perhaps the thread that ran it
  end
  local idle, last_sweep = 0, core.now()
  while pump.runner == runner and engine:count() > 0 do
    local ok, moved = pcall(step, true)
    if not ok then
      log.say(ngx.ERR, "scope3: " .. tostring(moved))
    end
    local now = core.now()
    pump.looked = now
    if now - last_sweep > SWEEP_INTERVAL then
      last_sweep = now
      drop_those_gone(pump)
    end
    if ended and ended(now) then
      break
    end
    idle = moved and 0 or idle + 1
    pause(idle > PATIENCE and math.min(LONG, SHORT * (idle - PATIENCE)) or SHORT)
  end
  if pump.runner == runner then
    pump.runner, pump.looked = nil, nil
  end
end

-- The pump itself. It also runs in a worker that is exiting, so that requests under way come to their end.
local function on_timer(_, engine, step)
  local pump = pump_of(engine)
  pump.asked, pump.orphaned = nil, nil
  run(engine, pump, step, ngx.sleep)
end

-- Asks for a timer, but not in a worker that is exiting: nginx would log its first timer there as an alert.
local function ask(engine, pump, step, now)
  pump.asked = now
  return not ngx.worker.exiting() and ngx.timer.at(0, on_timer, engine, step)
end

-- Makes sure that the engine is stepped. False when the caller has to do it.
local function keep_moving(engine, pump, step)
  local now = core.now()
  if pump.looked and now - pump.looked < LOST then
    return true
  elseif not pump.orphaned then
    if not pump.asked then
      pump.orphaned = not ask(engine, pump, step, now)
    elseif now - pump.asked > BIRTH then
      pump.orphaned = true
    end
  end
  return not pump.orphaned
end

-- Suspends until the waiter is woken.
local function suspend(pump, waiter, seconds)
  local signal = waiter.signal
  if not signal then
    signal = assert(semaphore.new())
    waiter.signal = signal
  end
  pump.waiters[waiter] = true
  if signal:wait(math.max(SHORT, seconds)) then -- in no time it would not suspend at all
    waiter.posted = nil
  end
  pump.waiters[waiter] = nil
end

-- Runs in place of the pump, until its own wait is over. Then another waiter has to see to the pump.
local function run_for(engine, pump, waiter, pause, ended)
  run(engine, pump, waiter.step, pause, function(now)
    return waiter.woken or ended(now)
  end)
  local heir = not pump.runner and next(pump.waiters)
  if heir then
    nginx.wake(heir)
  end
end

-- Runs in place of the pump, until the pump is there.
local function stand_in(engine, pump, waiter, seconds)
  local until_ = core.now() + seconds
  run_for(engine, pump, waiter, function(pause)
    suspend(pump, waiter, pause)
  end, function(now)
    if now - pump.asked > LOST then
      ask(engine, pump, waiter.step, now)
    end
    return now >= until_
  end)
end

-- Runs in place of a pump that nobody else needs yet. Only for the thread of a timer, which no client's leaving ends,
-- and which is in no hurry: each look waits for as long again as there was nothing. A timer for the pump costs more
-- than the whole answer of a near host.
local function run_alone(engine, pump, waiter, began, seconds)
  run_for(engine, pump, waiter, function(pause)
    ngx.sleep(math.max(pause, math.min(LONG, core.now() - began)))
  end, function(now)
    return now >= began + seconds
  end)
end

-- Likewise for an answer until which nothing has to be done. Each look costs, so the first one is when the last answer
-- was there.
local function run_for_answer(engine, pump, waiter, began, seconds)
  local usual = math.max(SHORT, waiter.usual or 0)
  nginx.sleep(math.min(usual, LONG, seconds))
  if pump.runner or pump.asked then
    return -- the caller waits for that
  end
  local looked = core.now()
  run_alone(engine, pump, waiter, began, seconds)
  local now = core.now()
  waiter.usual = now - looked < SHORT and usual * SOONER or now - began
end

function nginx.wait(engine, seconds, waiter)
  local pump = pump_of(engine)
  if engine:count() == 0 then
    suspend(pump, waiter, seconds)
  elseif not pump.runner and not pump.asked and ngx.get_phase() == "timer" then
    local run_so = waiter.answers and run_for_answer or run_alone
    run_so(engine, pump, waiter, core.now(), seconds)
  elseif keep_moving(engine, pump, waiter.step) then
    suspend(pump, waiter, math.min(seconds, pump.looked and LOST or BIRTH))
  else
    stand_in(engine, pump, waiter, seconds)
  end
  return true
end

function nginx.wake(waiter)
  local signal = waiter.signal
  if signal and not waiter.posted then
    waiter.posted = true
    signal:post(1)
  end
end

-- Phases in which a light thread can be suspended (lua-nginx-module's pages of ngx.sleep and ngx.semaphore).
local WAITING = {
  rewrite = true, access = true, content = true, timer = true, preread = true, server_rewrite = true, precontent = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true, proxy_ssl_cert = true, proxy_ssl_verify = true,
}

function nginx.rest()
  if WAITING[ngx.get_phase()] then
    ngx.sleep(SHORT) -- not 0: without OpenResty's patch nginx would warn of it each time
  end
end

function nginx.bar()
  local phase = ngx.get_phase()
  if not WAITING[phase] then
    return ("nothing can wait in nginx's %s phase: give members to a collector (scope3.nginx), "
      .. "or do this in ngx.timer.at(0, …)"):format(phase)
  end
end

return nginx
