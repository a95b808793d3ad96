--- The loop of HAProxy, for calls in tasks, services and actions. Nothing there can wait on a descriptor that is not
--- HAProxy's own, and nothing can wake a task. So each waiter sleeps in short turns. Whoever has its turn steps the
--- engine, unless another has just done so. The idle loop costs nothing.
---
--- HAProxy may drop the Lua of a connection. No waiter needs another one, so none is missed.
local core = require "scope3.core"

local haproxy = rawget(_G, "core")
local is_yieldable = rawget(coroutine, "isyieldable") -- HAProxy has Lua 5.3 at least

---@type scope3.Loop
local loop = { name = "haproxy", now = core.now }

local SHORT, LONG = 1, 10 -- milliseconds between two looks, while something moves and while nothing does
local FRESH = 0.0005 -- seconds for which the look of one waiter is enough for all
local PATIENCE = 16 -- looks without news before they become rarer
local TRIES = 10 -- of a sleep
local NO_SLEEP = 0.0005 -- seconds that all of them last at least, where HAProxy suspends the caller

-- engine -> { looked = the last look, idle = looks without news, count = transfers at that look }
local watches = setmetatable({}, { __mode = "k" })

-- Sleeps for so many seconds, and at most for so many milliseconds.
local function sleep(seconds, most)
  haproxy.msleep(math.max(1, math.min(most, math.ceil(seconds * 1000))))
end

function loop.sleep(seconds)
  sleep(seconds, math.huge)
end

--- HAProxy interrupts Lua by a hook of its own, after 10,000 instructions. It sets the hook each time that it resumes a
--- coroutine.
function loop.hold()
  debug.sethook()
end

local function watch_of(engine)
  local watch = watches[engine]
  if not watch then
    watch = { looked = 0, idle = 0, count = 0 }
    watches[engine] = watch
  end
  return watch
end

local function pause_of(watch)
  return watch.idle > PATIENCE and math.min(LONG, SHORT * (watch.idle - PATIENCE)) or SHORT
end

-- Steps the engine, where that was not done just now.
local function look(engine, watch, step)
  local now = core.now()
  if now - watch.looked >= FRESH then
    watch.looked = now
    watch.idle = step(true) and 0 or watch.idle + 1
    watch.count = engine:count()
  end
end

function loop.wait(engine, seconds, waiter)
  local watch, ends = watch_of(engine), core.now() + seconds
  if engine:count() > watch.count then -- a request has begun
    watch.idle = 0
  end
  repeat
    local is_flying = engine:count() > 0
    sleep(ends - core.now(), is_flying and pause_of(watch) or LONG)
    loop.hold()
    if is_flying then
      look(engine, watch, waiter.step)
    end
  until waiter.woken or core.now() >= ends
  return true
end

function loop.rest()
  if is_yieldable() then -- not in a finalizer
    haproxy.yield()
  end
end

local sleepers = setmetatable({}, { __mode = "k" }) -- coroutines that HAProxy suspends

-- Whether HAProxy suspends this coroutine. In one of somebody's own its sleep returns at once. HAProxy's clock may be
-- behind at the first try, but not at all of them.
local function can_sleep(thread)
  local began = core.now()
  for _ = 1, TRIES do
    if sleepers[thread] then
      break
    end
    haproxy.msleep(1)
    sleepers[thread] = core.now() - began >= NO_SLEEP or nil
  end
  return sleepers[thread]
end

function loop.bar()
  local thread, is_main = coroutine.running()
  if is_main or not is_yieldable() then
    return 'nothing can wait here in HAProxy: do this in a task (core.register_task), a service or an action, or take '
      .. 'loop = "blocking" while HAProxy reads its configuration'
  elseif not can_sleep(thread) then
    return "HAProxy suspends its own coroutines, and this one is somebody else's: do this outside coroutine.wrap()"
  end
end

return loop
