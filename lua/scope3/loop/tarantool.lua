--- The loop of Tarantool, for calls in fibers. One waiter watches the engine's descriptor, and the others sleep until
--- they are woken.
---
--- What suspends a fiber raises where the fiber was cancelled. That comes back to the caller as an error of ours.
local core = require "scope3.core"
local errors = require "scope3.error"
local fiber = require "fiber"
local socket = require "socket"

---@type scope3.Loop
local loop = { name = "tarantool", now = core.now }

local WITHOUT_DESCRIPTOR = 0.005 -- seconds between two looks at an engine that has no descriptor

-- engine -> { watcher =, others = set of waiters }
local watches = setmetatable({}, { __mode = "k" })

-- Raises where the fiber was cancelled.
local function check(ok)
  if not (ok and pcall(fiber.testcancel)) then
    error(errors.new("cancelled", "the fiber was cancelled"), 0)
  end
end

function loop.sleep(seconds)
  check(true)
  check(pcall(fiber.sleep, seconds))
end

-- A watcher that returns may have got what it waited for, and not wait again. So another waiter takes over the watch.
local function hand_over(watch)
  local heir = not watch.watcher and next(watch.others)
  if heir then
    loop.wake(heir)
  end
end

local function watch_descriptor(engine, seconds)
  local fd = engine:pollfd()
  if fd then
    return pcall(socket.iowait, fd, "R", seconds)
  end
  return pcall(fiber.sleep, math.min(seconds, WITHOUT_DESCRIPTOR))
end

function loop.wait(engine, seconds, waiter)
  check(true)
  local watch = watches[engine]
  if not watch then
    watch = { others = {} }
    watches[engine] = watch
  end
  local ok
  waiter.fiber = fiber.self()
  if watch.watcher or engine:count() == 0 then
    watch.others[waiter] = true
    ok = pcall(fiber.sleep, seconds)
    watch.others[waiter] = nil
  else
    watch.watcher = waiter
    ok = watch_descriptor(engine, seconds)
    watch.watcher = nil
  end
  waiter.fiber = nil
  hand_over(watch)
  check(ok)
end

--- The fiber only becomes ready: the caller that wakes is in the middle of something.
function loop.wake(waiter)
  if waiter.fiber then
    waiter.fiber:wakeup()
  end
end

function loop.rest()
  pcall(fiber.yield) -- the next wait tells of a fiber that was cancelled
end

function loop.bar()
  if not pcall(fiber.testcancel) then
    return "this fiber was cancelled, and can wait no more"
  end
  local box = rawget(_G, "box")
  local is_in_txn = box and rawget(box, "is_in_txn") -- not there before box.cfg
  if is_in_txn and is_in_txn() then
    return "nothing can wait in a transaction of Tarantool, which a wait would roll back: call this before or after it"
  end
end

return loop
