--- The loop of cqueues. One waiter watches the engine's descriptor, and the others have a condition each.
local condition = require "cqueues.condition"
local core = require "scope3.core"
local cqueues = require "cqueues"

---@type scope3.Loop
local loop = { name = "cqueues", now = core.now, sleep = cqueues.sleep }

local WITHOUT_DESCRIPTOR = 0.005 -- seconds between two looks at an engine that has no descriptor
local LOOK = 1 -- seconds between two looks of the watcher although nothing happens, which show that it lives
-- Seconds without a look after which the watcher is lost: its controller was dropped, or nothing steps it.
local LOST = 2

-- engine -> { watcher =, looked = its last look, others = set of waiters }
local watches = setmetatable({}, { __mode = "k" })

-- A watcher that returns may have got what it waited for, and not wait again. So another waiter takes over the watch.
local function hand_over(watch)
  local heir = not watch.watcher and next(watch.others)
  if heir then
    heir.condition:signal()
  end
end

function loop.wait(engine, seconds, waiter)
  local watch = watches[engine]
  if not watch then
    watch = { others = {} }
    watches[engine] = watch
  end
  local signal = waiter.condition
  if not signal then
    signal = condition.new()
    waiter.condition = signal
  end
  if watch.watcher and core.now() - watch.looked > LOST then
    watch.watcher = nil
  end
  if watch.watcher or engine:count() == 0 then
    watch.others[waiter] = true
    signal:wait(math.min(seconds, LOOK))
    watch.others[waiter] = nil
    return hand_over(watch)
  end
  watch.watcher, watch.looked = waiter, core.now()
  if engine:pollfd() then
    cqueues.poll(engine, signal, math.min(seconds, LOOK))
  else
    cqueues.poll(signal, math.min(seconds, WITHOUT_DESCRIPTOR))
  end
  if watch.watcher == waiter then -- no other waiter took it for lost
    watch.watcher = nil
  end
  hand_over(watch)
end

function loop.wake(waiter)
  if waiter.condition then
    waiter.condition:signal()
  end
end

function loop.rest()
  cqueues.sleep(0)
end

return loop
