--- The loop of luv (libuv): the client runs inside coroutines, and uv.run() of the program drives it.
local core = require "scope3.core"
local guard = require "scope3.util.guard"
local uv = require "luv"

---@type scope3.Loop
local loop = { name = "luv", now = core.now }

local WITHOUT_DESCRIPTOR = 0.005 -- seconds between two looks at an engine that has no descriptor

-- The running coroutine; nil in the main one of the program.
local function running()
  local thread, is_main = coroutine.running()
  return not is_main and guard.outermost(thread) or nil
end

local function milliseconds(seconds)
  return math.ceil(seconds * 1000)
end

local function resume(thread)
  local ok, message = coroutine.resume(thread)
  if not ok then
    error(debug.traceback(thread, tostring(message)), 0)
  end
end

-- Suspends the coroutine for one turn of the loop. Timers of no time would all run in the same turn, before any
-- descriptor is looked at.
local function take_turns()
  local thread, idle = running(), uv.new_idle()
  idle:start(function()
    idle:close()
    resume(thread)
  end)
  coroutine.yield()
end

-- Suspends the coroutine until its timer fires, which wake() may bring forward.
local function suspend(seconds, waiter)
  if seconds <= 0 then
    return take_turns()
  end
  local thread, timer = running(), uv.new_timer()
  local function fire()
    timer:close()
    if waiter then
      waiter.hurry = nil
    end
    resume(thread)
  end
  timer:start(milliseconds(seconds), 0, fire)
  if waiter then
    -- Does not resume the coroutine at once: the caller that wakes is in the middle of something.
    function waiter.hurry()
      timer:start(0, 0, fire)
    end
  end
  coroutine.yield()
end

function loop.sleep(seconds)
  suspend(seconds)
end

function loop.rest()
  if running() then
    take_turns()
  end
end

-- engine -> the handle that watches its descriptor. The handle does not keep uv.run() from its end: the timers of the
-- waiters do.
local polls = setmetatable({}, { __mode = "k" })

local function watch(engine, step)
  local fd = engine:pollfd()
  local known = polls[engine]
  if known and known.fd ~= fd then -- the process forked, and the engine started afresh
    known.handle:close()
    known = nil
  end
  if not known then
    known = { fd = fd, handle = assert(uv.new_poll(fd)) }
    known.handle:unref()
    polls[engine] = known
  end
  if not known.handle:is_active() then
    known.handle:start("r", function()
      step()
      if engine:count() == 0 then
        known.handle:stop()
      end
    end)
  end
end

function loop.wait(engine, seconds, waiter)
  if engine:count() == 0 then
    suspend(seconds, waiter)
  elseif engine:pollfd() then
    watch(engine, waiter.step)
    suspend(seconds, waiter)
  else
    suspend(math.min(seconds, WITHOUT_DESCRIPTOR), waiter)
    waiter.step()
  end
  return true
end

function loop.wake(waiter)
  if waiter.hurry then
    waiter.hurry()
  end
end

function loop.bar()
  if not running() then
    return "the luv loop suspends coroutines, and this is the main one: "
      .. "wrap the call in coroutine.wrap(function() … end)() and run uv.run()"
  end
end

return loop
