-- How the loop of nginx looks at its engine, by a clock that stands still: nginx itself, which is in spec/nginx, shows
-- neither its pauses nor when a waiter that is gone was found.
local core = require "scope3.core"

local MODULES = { "ngx.semaphore", "scope3.loop.nginx", "scope3.loop" }

-- Runs a function with the loop of nginx, the loop that finds its host, and what stands in for nginx.
local function in_nginx(run)
  local now, kept, host = core.now, {}, { now = 1000, pauses = {}, timers = {}, phase = "content" }
  local semaphore = {}
  function semaphore.new()
    local signal = { waiting = 0 } -- nginx counts those who wait below zero
    function signal:count()
      return -self.waiting
    end
    function signal:wait(seconds)
      self.waiting, self.seconds = 1, seconds
      coroutine.yield()
      self.waiting = 0
    end
    function signal:post(n)
      self.posts = (self.posts or 0) + n
    end
    return signal
  end
  for _, name in ipairs(MODULES) do
    kept[name], package.loaded[name] = package.loaded[name], nil
  end
  package.loaded["ngx.semaphore"] = semaphore
  core.now = function()
    return host.now
  end
  rawset(_G, "ngx", {
    get_phase = function() return host.phase end, worker = { exiting = function() return false end },
    sleep = function(seconds)
      host.pauses[#host.pauses + 1] = seconds
      host.now = host.now + seconds
    end,
    timer = { at = function(_, act, ...)
      host.asked = (host.asked or 0) + 1
      if host.has_no_timers then
        return nil, "too many pending timers"
      end
      host.timers[#host.timers + 1] = { act, ... }
      return true
    end },
  })
  local ok, why = pcall(function()
    local loop = require "scope3.loop.nginx"
    run(loop, host, require "scope3.loop")
  end)
  core.now = now
  rawset(_G, "ngx", nil)
  for _, name in ipairs(MODULES) do
    package.loaded[name] = kept[name]
  end
  assert(ok, why)
end

-- An engine that has a request under way for so many looks.
local function engine_of(looks)
  local engine = { left = looks }
  function engine:count()
    return self.left
  end
  return engine
end

local function waits(loop, engine, seconds, waiter)
  local thread = coroutine.create(loop.wait)
  assert(coroutine.resume(thread, engine, seconds, waiter))
  return coroutine.status(thread) == "suspended" and waiter.signal.seconds
end

local function run_timer(host)
  local timer = table.remove(host.timers)
  timer[1](false, timer[2], timer[3])
end

describe("in nginx", function()
  it("an engine is looked at each millisecond, and after sixteen looks without news ever more rarely", function()
    in_nginx(function(loop, host)
      local engine, looks = engine_of(50), 0
      local waiter = { step = function(gently)
        assert.is_true(gently)
        looks = looks + 1
        engine.left = engine.left - 1
        return looks <= 3 or looks == 40
      end }
      assert.truthy(waits(loop, engine, 60, waiter))
      run_timer(host)
      local expected = {}
      for i = 1, 50 do
        local idle = i <= 3 and 0 or i < 40 and i - 3 or i - 40
        expected[i] = idle > 16 and math.min(0.01, 0.001 * (idle - 16)) or 0.001
      end
      assert.same(expected, host.pauses)
    end)
  end)

  it("a waiter that is gone is found after half a second, and all others stay", function()
    in_nginx(function(loop, host)
      local engine, abandoned = engine_of(1000), {}
      local function waiter_of(name)
        return { abandon = function()
          abandoned[name] = abandoned[name] or host.now
        end, step = function()
          engine.left = engine.left - 1
        end }
      end
      local here, gone = waiter_of "here", waiter_of "gone"
      assert.truthy(waits(loop, engine, 60, here))
      assert.truthy(waits(loop, engine, 60, gone))
      gone.signal.waiting = 0 -- its thread was dropped, and left the semaphore
      run_timer(host)
      assert.is_nil(abandoned.here)
      assert.is_true(abandoned.gone > 1000.5 and abandoned.gone < 1000.6, tostring(abandoned.gone))
    end)
  end)

  it("a waiter without a request is suspended for as long as it said", function()
    in_nginx(function(loop, host)
      for seconds, expected in pairs { [7] = 7, [0] = 0.001 } do -- in no time it would not suspend at all
        assert.equal(expected, waits(loop, engine_of(0), seconds, {}))
      end
      assert.equal(0, #host.timers)
    end)
  end)

  it("a waiter looks itself, for as long as it said, where no timer is to be had, and asks each second", function()
    in_nginx(function(loop, host)
      host.has_no_timers = true
      for seconds, asked in pairs { [0.05] = 1, [3] = 3 } do
        local engine, looks, began = engine_of(100000), 0, host.now
        host.asked = 0
        local waiter = { step = function()
          looks = looks + 1
        end }
        local thread = coroutine.create(loop.wait)
        assert(coroutine.resume(thread, engine, seconds, waiter))
        while coroutine.status(thread) == "suspended" do
          host.now = host.now + waiter.signal.seconds
          assert(coroutine.resume(thread))
        end
        local took = host.now - began
        assert.is_true(took >= seconds and took < seconds + 0.02, took)
        assert.is_true(looks > 20, looks)
        assert.equal(asked, host.asked)
      end
    end)
  end)

  it("the thread of a timer that waits alone looks itself, each time as long as there was nothing", function()
    in_nginx(function(loop, host)
      host.phase = "timer"
      local engine, looks = engine_of(1), 0
      assert.is_false(waits(loop, engine, 60, { step = function()
        looks = looks + 1
        engine.left = looks < 10 and 1 or 0
        return engine.left == 0
      end }))
      local expected, elapsed = {}, 0
      for i = 1, 10 do
        expected[i] = math.max(0.001, math.min(0.01, elapsed))
        elapsed = elapsed + expected[i]
      end
      for i = 1, 10 do
        assert.is_true(math.abs(expected[i] - host.pauses[i]) < 1e-9, host.pauses[i])
      end
      assert.same({ 10, 0 }, { #host.pauses, host.asked or 0 })
    end)
  end)

  it("the thread of a timer wakes who came to wait beside it, when its own time is over", function()
    in_nginx(function(loop, host)
      host.phase = "timer"
      local engine, beside, looks, suspended = engine_of(1), { step = function() end }, 0, nil
      assert.is_false(waits(loop, engine, 0.5, { step = function()
        looks = looks + 1
        suspended = suspended or looks == 2 and waits(loop, engine, 60, beside) -- others run while it pauses
      end }))
      assert.is_truthy(suspended)
      assert.is_true(host.now >= 1000.5 and host.now < 1000.52, host.now)
      assert.same({ 1, 0 }, { beside.signal.posts, host.asked or 0 })
    end)
  end)

  it("a waiter is woken once until it goes on", function()
    in_nginx(function(loop)
      local waiter = {}
      loop.wake(waiter) -- it has never waited
      waits(loop, engine_of(0), 60, waiter)
      loop.wake(waiter)
      loop.wake(waiter)
      assert.equal(1, waiter.signal.posts)
    end)
  end)

  it("a job rests for a millisecond between its slices, in phases that can wait", function()
    in_nginx(function(loop, host)
      for _, phase in ipairs { "content", "set", "timer", "log", "init_worker" } do
        host.phase = phase
        loop.rest()
      end
      assert.same({ 0.001, 0.001 }, host.pauses)
    end)
  end)

  it("a phase that cannot wait says so, also where the loop is found by itself", function()
    in_nginx(function(loop, host, loops)
      for phase in ("rewrite access content timer preread server_rewrite precontent ssl_cert ssl_session_fetch "
        .. "ssl_client_hello proxy_ssl_cert proxy_ssl_verify"):gmatch "%S+" do
        host.phase = phase
        assert.is_nil(loop.bar())
        assert.is_nil(loops.find(nil).bar())
      end
      for phase in ("init_worker set log header_filter body_filter balancer ssl_session_store"):gmatch "%S+" do
        host.phase = phase
        for _, said in ipairs { loop.bar() or "", loops.find(nil).bar() or "" } do
          assert.truthy(said:find(("nothing can wait in nginx's %s phase"):format(phase), 1, true), said)
        end
      end
    end)
  end)
end)
