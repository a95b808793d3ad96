-- How the loop of HAProxy takes its turns, by a clock that stands still. HAProxy itself, which is in haproxy_spec.lua,
-- shows neither its pauses nor when another's look was enough.
local core = require "scope3.core"

local MODULES = { "scope3.loop.haproxy", "scope3.loop" }

-- Runs a function with the loop of HAProxy, what stands in for HAProxy, and the loop that finds its host.
local function in_haproxy(run)
  local now, kept, host = core.now, {}, { now = 1000, pauses = {}, yields = 0 }
  for _, name in ipairs(MODULES) do
    kept[name], package.loaded[name] = package.loaded[name], nil
  end
  core.now = function()
    return host.now
  end
  rawset(_G, "core", { register_action = print, msleep = function(milliseconds)
    host.pauses[#host.pauses + 1] = milliseconds
    host.now = host.now + (host.does_not_sleep and 0 or milliseconds / 1000)
    if host.on_sleep then
      host.on_sleep()
    end
  end, yield = function()
    host.yields = host.yields + 1
  end })
  local sethook = debug.sethook
  rawset(debug, "sethook", function(...)
    assert(select("#", ...) == 0)
    host.hook = nil
  end)
  local ok, why = pcall(function()
    run(require "scope3.loop.haproxy", host, require "scope3.loop")
  end)
  rawset(debug, "sethook", sethook)
  core.now = now
  rawset(_G, "core", nil)
  for _, name in ipairs(MODULES) do
    package.loaded[name] = kept[name]
  end
  assert(ok, why)
end

-- An engine with so many transfers.
local function engine_of(count)
  return { left = count, count = function(self)
    return self.left
  end }
end

local function in_coroutine(f)
  local thread = coroutine.create(f)
  local results = { coroutine.resume(thread) }
  assert(results[1], results[2])
  return results[2]
end

if not rawget(coroutine, "isyieldable") then
  return -- HAProxy has Lua 5.3 at least
end

describe("in HAProxy", function()
  it("an engine is looked at each millisecond, and after sixteen looks without news ever more rarely", function()
    in_haproxy(function(loop, host)
      local engine, looks = engine_of(1), 0
      local waiter = {}
      function waiter.step(gently)
        assert.is_true(gently)
        looks = looks + 1
        waiter.woken = looks == 50
        return looks <= 3 or looks == 40
      end
      assert.is_true(loop.wait(engine, 60, waiter))
      local expected = {}
      for i = 1, 50 do
        local idle = i <= 4 and 0 or i <= 40 and i - 4 or i - 41
        expected[i] = idle > 16 and math.min(10, idle - 16) or 1
      end
      assert.same(expected, host.pauses)
    end)
  end)

  it("a request that begins is looked after each millisecond again, and one that ends changes nothing", function()
    in_haproxy(function(loop, host)
      local engine = engine_of(2)
      local looks, last = 0, 0
      local waiter = {}
      function waiter.step()
        looks = looks + 1
        waiter.woken = looks == last
        return false
      end
      local function pauses_of(count, n)
        engine.left, last, host.pauses, waiter.woken = count, looks + n, {}, false
        loop.wait(engine, 60, waiter)
        return host.pauses
      end
      assert.equal(10, pauses_of(2, 40)[40])
      assert.same({ 10 }, pauses_of(2, 1))
      assert.same({ 10 }, pauses_of(1, 1))
      local ones = {}
      for i = 1, 18 do
        ones[i] = 1
      end
      ones[19] = 2
      assert.same(ones, pauses_of(2, 19))
    end)
  end)

  it("others are held back from each look on", function()
    in_haproxy(function(loop, host)
      local looks = 0
      host.on_sleep = function()
        host.hook = "HAProxy's" -- it sets its hook when it resumes
      end
      local waiter = {}
      function waiter.step()
        assert.is_nil(host.hook)
        looks = looks + 1
        waiter.woken = looks == 2
      end
      loop.wait(engine_of(1), 60, waiter)
      assert.equal(2, looks)
      loop.wait(engine_of(0), 0.001, {})
      assert.is_nil(host.hook)
    end)
  end)

  it("one look in half a millisecond is enough for all waiters", function()
    in_haproxy(function(loop, host)
      local engine, looks = engine_of(1), 0
      local function step()
        looks = looks + 1
        return true
      end
      local other = { woken = true, step = step }
      host.on_sleep = function()
        host.on_sleep = nil
        loop.wait(engine, 0, other) -- another task has its turn meanwhile
        host.now = host.now - 0.0008
      end
      loop.wait(engine, 0, { woken = true, step = step })
      assert.equal(1, looks)
    end)
  end)

  it("a waiter without a request sleeps in turns of ten milliseconds, until it is woken or its time is over", function()
    in_haproxy(function(loop, host)
      local waiter = { step = error }
      loop.wait(engine_of(0), 0.0245, waiter)
      assert.same({ 10, 10, 5 }, host.pauses)
      host.pauses, host.on_sleep = {}, function()
        waiter.woken = #host.pauses == 2
      end
      loop.wait(engine_of(0), 60, waiter)
      assert.same({ 10, 10 }, host.pauses)
    end)
  end)

  it("a sleep lasts a millisecond at least, and a job lets others run between its slices", function()
    in_haproxy(function(loop, host)
      loop.sleep(0)
      loop.sleep(0.0012)
      loop.sleep(2)
      assert.same({ 1, 2, 2000 }, host.pauses)
      in_coroutine(loop.rest)
      assert.equal(1, host.yields)
      for _ in ("x"):gmatch "x" do
        table.sort({ 2, 1 }, function(a, b) -- nothing can yield here
          loop.rest()
          return a < b
        end)
      end
      assert.equal(1, host.yields)
    end)
  end)

  it("a call is refused where HAProxy suspends nobody", function()
    in_haproxy(function(loop, host, loops)
      for _, found in ipairs { loop, loops.find(nil) } do
        host.does_not_sleep = true
        assert.truthy(in_coroutine(found.bar):find("coroutine.wrap", 1, true))
        assert.equal(10, #host.pauses)
        host.does_not_sleep, host.pauses = false, {}
        local thread = coroutine.create(function()
          coroutine.yield(found.bar())
          coroutine.yield(found.bar())
        end)
        assert.same({ true }, { coroutine.resume(thread) })
        assert.same({ true }, { coroutine.resume(thread) })
        assert.same({ 1 }, host.pauses) -- it is found out once
        host.pauses = {}
        local within = coroutine.wrap(function()
          local said
          table.sort({ 2, 1 }, function(a, b)
            said = found.bar()
            return a < b
          end)
          return said
        end)()
        assert.truthy(within:find("core.register_task", 1, true))
      end
    end)
  end)

  it("a clock of HAProxy's that is behind is not taken for that", function()
    in_haproxy(function(loop, host)
      host.does_not_sleep = true
      host.on_sleep = function()
        host.does_not_sleep = #host.pauses < 2
      end
      assert.is_nil(in_coroutine(loop.bar))
    end)
  end)
end)
