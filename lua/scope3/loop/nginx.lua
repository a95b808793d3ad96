--- The loop of nginx and OpenResty. Nothing there can wait on a descriptor that is not nginx's own, so while requests are under way one timer a
--- worker moves the engine on every millisecond, and whoever waits has a semaphore. Idle it costs nothing.
local core = require "scope3.core"
local semaphore = require "ngx.semaphore"

local ngx = ngx

---@type scope3.Loop
local nginx = { name = "nginx", now = core.now, sleep = ngx.sleep }

local SHORT, LONG = 0.001, 0.010 -- seconds between two looks, while something moves and while nothing does
local PATIENCE = 16 -- looks without news before they become rarer

-- Engines that a timer moves on, each with its waiter's step().
local pumped = setmetatable({}, { __mode = "k" })

-- Runs as a timer of its own, and in a worker that is exiting too: what is under way is brought to its end.
local function pump(_, engine, step)
  local idle = 0
  while engine:count() > 0 do
    local ok, moved = pcall(step)
    if not ok then
      ngx.log(ngx.ERR, "scope3: ", moved)
    end
    idle = moved and 0 or idle + 1
    ngx.sleep(idle > PATIENCE and math.min(LONG, SHORT * (idle - PATIENCE)) or SHORT)
  end
  pumped[engine] = nil
end

-- Starts the pump where it is needed. False when there can be none: a worker that is exiting takes no new timers.
local function keep_moving(engine, step)
  if engine:count() == 0 or pumped[engine] then
    return true
  end
  pumped[engine] = true
  if not ngx.timer.at(0, pump, engine, step) then
    pumped[engine] = nil
    return false
  end
  return true
end

function nginx.wait(engine, seconds, waiter)
  if not keep_moving(engine, waiter.step) then
    ngx.sleep(math.min(seconds, SHORT))
    return waiter.step()
  end
  local signal = waiter.signal
  if not signal then
    signal = assert(semaphore.new())
    waiter.signal = signal
  end
  signal:wait(seconds)
end

function nginx.wake(waiter)
  local signal = waiter.signal
  if signal and signal:count() <= 0 then
    signal:post(1)
  end
end

-- Where a light thread can be suspended (lua-nginx-module's pages of ngx.sleep and ngx.semaphore).
local WAITING = { rewrite = true, access = true, content = true, timer = true, ssl_cert = true, ssl_session_fetch = true, preread = true,
  ssl_client_hello = true, server_rewrite = true }

function nginx.rest()
  if WAITING[ngx.get_phase()] then
    ngx.sleep(SHORT) -- not 0: without OpenResty's patch nginx would warn of it each time
  end
end

function nginx.bar()
  local phase = ngx.get_phase()
  if not WAITING[phase] then
    return ("nothing can wait in nginx's %s phase: give members to a collector (scope3.nginx), or do this in ngx.timer.at(0, …)"):format(phase)
  end
end

return nginx
