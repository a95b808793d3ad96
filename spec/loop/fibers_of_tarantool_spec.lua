-- Who waits for what in the loop of Tarantool, by fibers that stand in for its own. Tarantool itself, which is in
-- tarantool_spec.lua, does not show it.
local core = require "scope3.core"

local MODULES = { "fiber", "socket", "scope3.loop.tarantool", "scope3.loop" }

-- Runs a function with the loop of Tarantool, its host, and the loop that finds its host. A fiber is a coroutine, which
-- yields what it waits for.
local function in_tarantool(run)
  local kept, host = {}, { fibers = {}, cancelled = {} }
  for _, name in ipairs(MODULES) do
    kept[name], package.loaded[name] = package.loaded[name], nil
  end
  local function check()
    if host.cancelled[coroutine.running()] then
      error "fiber is cancelled"
    end
  end
  local function suspends(name)
    return function(...)
      coroutine.yield { name, ... }
      check()
    end
  end
  package.loaded.fiber = {
    sleep = suspends "sleep", yield = suspends "yield", testcancel = check,
    self = function()
      local thread = coroutine.running()
      return { wakeup = function()
        host.woken = thread
      end }
    end,
  }
  package.loaded.socket = { iowait = suspends "iowait" }
  rawset(_G, "_TARANTOOL", "2.6")
  local ok, why = pcall(function()
    run(require "scope3.loop.tarantool", host, require "scope3.loop")
  end)
  rawset(_G, "_TARANTOOL", nil)
  rawset(_G, "box", nil)
  for _, name in ipairs(MODULES) do
    package.loaded[name] = kept[name]
  end
  assert(ok, why)
end

-- Begins a fiber: itself, and what it waits for.
local function begin(f, ...)
  local thread = coroutine.create(f)
  return thread, select(2, assert(coroutine.resume(thread, ...)))
end

local function engine_of(count, fd)
  return { count = function() return count end, pollfd = function() return fd end }
end

if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
  return -- Tarantool is LuaJIT, where a fiber waits inside pcall
end

describe("in Tarantool", function()
  it("one waiter watches the descriptor, and the others sleep until it hands over", function()
    in_tarantool(function(loop, host)
      local engine, first, second = engine_of(2, 9), {}, {}
      local watcher, waits = begin(loop.wait, engine, 60, first)
      assert.same({ "iowait", 9, "R", 60 }, waits)
      local other
      other, waits = begin(loop.wait, engine, 50, second)
      assert.same({ "sleep", 50 }, waits)
      assert(coroutine.resume(watcher))
      assert.equal(other, host.woken)
      assert(coroutine.resume(other))
      assert.same({ "dead", "dead" }, { coroutine.status(watcher), coroutine.status(other) })
      assert.same({ {}, {} }, { first, second })
      assert.same({ "iowait", 9, "R", 40 }, (select(2, begin(loop.wait, engine, 40, second))))
    end)
  end)

  it("a waiter that ends does not take the watch from another", function()
    in_tarantool(function(loop, host)
      local engine = engine_of(2, 9)
      begin(loop.wait, engine, 60, {})
      local other = begin(loop.wait, engine, 50, {})
      begin(loop.wait, engine, 50, {})
      assert(coroutine.resume(other)) -- its time is over
      assert.is_nil(host.woken)
    end)
  end)

  it("a waiter without a request sleeps, and one whose engine has no descriptor looks soon", function()
    in_tarantool(function(loop)
      local _, waits = begin(loop.wait, engine_of(0, 9), 60, {})
      assert.same({ "sleep", 60 }, waits)
      _, waits = begin(loop.wait, engine_of(1), 60, {})
      assert.same({ "sleep", 0.005 }, waits)
      _, waits = begin(loop.wait, engine_of(1), 0.001, {})
      assert.same({ "sleep", 0.001 }, waits)
    end)
  end)

  it("a waiter is woken while it waits, and only then", function()
    in_tarantool(function(loop, host)
      local waiter = {}
      loop.wake(waiter)
      local thread = begin(loop.wait, engine_of(1, 9), 60, waiter)
      loop.wake(waiter)
      assert.equal(thread, host.woken)
      host.woken = nil
      assert(coroutine.resume(thread))
      loop.wake(waiter)
      assert.is_nil(host.woken)
    end)
  end)

  it("a fiber that is cancelled gets an error of ours from each wait, and hands over before", function()
    in_tarantool(function(loop, host, loops)
      local engine = engine_of(2, 9)
      for name, f in pairs {
        wait = function() loop.wait(engine, 60, {}) end, sleep = function() loop.sleep(60) end,
        found = function() loops.find(nil).sleep(60) end,
      } do
        local thread = begin(f)
        local heir = name == "wait" and begin(loop.wait, engine, 50, {}) or nil
        host.cancelled[thread], host.woken = true, nil
        local ok, err = coroutine.resume(thread)
        assert.same({ false, "cancelled", "the fiber was cancelled" }, { ok, err.kind, err.message }, name)
        assert.equal(heir, host.woken)
        if heir then
          assert(coroutine.resume(heir))
        end
        local again = coroutine.create(f)
        host.cancelled[again] = true
        ok, err = coroutine.resume(again)
        assert.same({ false, "cancelled" }, { ok, err.kind }, name) -- it does not begin to wait
      end
    end)
  end)

  it("a job lets others run between its slices, and is not ended there", function()
    in_tarantool(function(loop, host)
      local thread, waits = begin(loop.rest)
      assert.same({ "yield" }, waits)
      host.cancelled[thread] = true
      assert(coroutine.resume(thread))
    end)
  end)

  it("a call is refused in a transaction and in a fiber that was cancelled", function()
    in_tarantool(function(loop, host, loops)
      for _, found in ipairs { loop, loops.find(nil) } do
        assert.is_nil(found.bar()) -- no box at all
        local within = true
        rawset(_G, "box", setmetatable({}, { __index = error })) -- before box.cfg
        assert.is_nil(found.bar())
        rawset(_G, "box", { is_in_txn = function() return within end })
        assert.truthy(found.bar():find("transaction", 1, true))
        within = false
        assert.is_nil(found.bar())
        local thread = coroutine.create(found.bar)
        host.cancelled[thread] = true
        assert.truthy(select(2, coroutine.resume(thread)):find("cancelled", 1, true))
        rawset(_G, "box", nil)
      end
    end)
  end)

  it("loops may raise", function()
    in_tarantool(function(loop, _, loops)
      assert.same({ true, true }, { loops.may_raise(loop), loops.may_raise(loops.find(nil)) })
    end)
    local loops = require "scope3.loop"
    assert.same({ false, true }, { loops.may_raise(loops.find(nil)), loops.may_raise { name = "x", now = core.now } })
  end)
end)
