-- A wait in a loop ends when it should and lets others run meanwhile: in the order in which things happen, not by how
-- long they take. What is no loop is refused at the line that gives it.
local core = require "scope3.core"
local cqueues = require "cqueues"
local people = require "spec.support.people"
local rare = require "scope3.util.rare"
local scope3 = require "scope3"
local uv = require "luv"
local world = require "spec.support.world"

-- Runs a function in luv until nothing is left to do.
local function in_luv(run)
  local thread = coroutine.create(run)
  assert(coroutine.resume(thread))
  uv.run()
  assert(coroutine.status(thread) == "dead")
end

local function in_cqueues(...)
  local queue = cqueues.new()
  for _, run in ipairs { ... } do
    queue:wrap(run)
  end
  assert(queue:loop())
end

local function after(seconds, act)
  local timer = uv.new_timer()
  timer:start(math.ceil(seconds * 1000), 0, function()
    timer:close()
    act()
  end)
end

-- An engine of a build that has no descriptor, with a request under way.
local WITHOUT_DESCRIPTOR = { count = function() return 1 end, pollfd = function() end }

describe("in luv", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("a sleep lasts as long as was asked for", function()
    in_luv(function()
      uv.update_time() -- libuv counts from the time that it last looked
      local began = core.now()
      require("scope3.loop.luv").sleep(0.2)
      assert(core.now() - began > 0.19)
    end)
  end)

  it("a request that waits to be sent again is not looked at in every turn", function()
    sandbox:fault { on = "sync", act = "status", status = 503, retry_after = 1 }
    local looks, res = 0, nil
    in_luv(function()
      res = assert(sandbox:client { loop = "luv" }:sync(people.audience("a", 1), { cancel = function()
        looks = looks + 1
      end }))
    end)
    assert.equal(2, res.requests[1].attempts)
    assert.is_true(looks < 1000, looks .. " looks") -- a loop that does not wait has some 100,000
  end)

  it("an engine without a descriptor is looked at long before a timer of half a second", function()
    local order = {}
    in_luv(function()
      after(0.5, function()
        order[#order + 1] = "timer"
      end)
      require("scope3.loop.luv").wait(WITHOUT_DESCRIPTOR, 60, { step = function()
        order[#order + 1] = "step"
      end })
    end)
    assert.same({ "step", "timer" }, order)
  end)
end)

describe("uv.run()", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("does not go on for the watch of an engine alone", function()
    sandbox:fault { on = "sync", act = "hang" }
    local watched, held = 0, 0
    after(0.05, function()
      uv.walk(function(handle)
        if handle:get_type() == "poll" then
          watched, held = watched + 1, held + (handle:has_ref() and 1 or 0)
        end
      end)
    end)
    in_luv(function()
      local _, err = sandbox:client({ loop = "luv" }):sync(people.audience("a", 1), { deadline = 1 })
      assert.equal("timeout", err.kind)
    end)
    assert.equal(0, held)
    local engine = require("scope3.engine").engine {}
    assert.equal(engine:pollfd() ~= nil, watched > 0) -- a build without descriptors watches nothing
    engine:close()
  end)
end)

describe("in cqueues", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- What a task does that syncs an audience, and notes how that ended.
  local function ask_at(order, name, opts)
    return function()
      local _, err = sandbox:client { loop = "cqueues" }:sync(people.audience(name, 1), opts)
      order[#order + 1] = err and err.kind or name
    end
  end

  local function timer(order, seconds)
    return function()
      cqueues.sleep(seconds)
      order[#order + 1] = "timer"
    end
  end

  it("a deadline ends a request that is watched at its time", function()
    sandbox:fault { on = "sync", act = "hang" }
    local order = {}
    in_cqueues(ask_at(order, "a", { deadline = 0.4 }), timer(order, 0.9))
    assert.same({ "timeout", "timer" }, order)
  end)

  it("a request is answered at once after another, which watched for both, was", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.3 },
      { on = "sync", act = "delay", seconds = 0.4 } } }
    local order, asked = {}, false
    local ask = ask_at(order, "b")
    in_cqueues(ask_at(order, "a"), function()
      repeat
        cqueues.sleep(0.02)
      until #sandbox:requests "sync" > 0 -- the first one watches by now
      asked = true
      ask()
    end, function()
      repeat
        cqueues.sleep(0.02)
      until asked
      timer(order, 0.9)() -- who does not take over the watch looks after a second
    end)
    assert.same({ "a", "b", "timer" }, order)
  end)

  it("an engine without a descriptor is looked at long before a timer of half a second", function()
    local order = {}
    in_cqueues(function()
      require("scope3.loop.cqueues").wait(WITHOUT_DESCRIPTOR, 60, {})
      order[#order + 1] = "look"
    end, timer(order, 0.5))
    assert.same({ "look", "timer" }, order)
  end)

  it("an engine without a descriptor lets others run before it is looked at", function()
    local order = {}
    local function other()
      order[#order + 1] = "other"
    end
    in_cqueues(other, function()
      require("scope3.loop.cqueues").wait(WITHOUT_DESCRIPTOR, 60, {})
      order[#order + 1] = "look"
    end, other)
    assert.same({ "other", "other", "look" }, order)
  end)

  it("a job without requests lets others run between its slices, for a turn each", function()
    local turns, slept, ended = 0, {}, false
    local sleep = cqueues.sleep
    local queue = cqueues.new()
    queue:wrap(function()
      cqueues.sleep = function(seconds)
        slept[#slept + 1] = seconds
        return sleep(seconds)
      end
      local res, err = sandbox:client():run({ audience = "a", map = people.MAP }, people.rows(5000), { dry_run = true })
      cqueues.sleep = sleep
      ended = true
      assert(res, err)
    end)
    queue:wrap(function()
      while not ended do
        turns = turns + 1
        sleep(0)
      end
    end)
    assert(queue:loop())
    assert.is_true(turns > 10, turns .. " turns")
    for _, seconds in ipairs(slept) do
      assert.equal(0, seconds)
    end
  end)
end)

describe("a loop of one's own", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function own_loop(fields)
    local loop = { name = "own", now = core.now, sleep = core.sleep, wait = function(engine, seconds)
      engine:wait(seconds)
    end }
    for name, value in pairs(fields or {}) do
      loop[name] = value
    end
    return loop
  end

  local function nothing() end

  it("has the functions that it needs, and what else it has is a function", function()
    for _, loop in ipairs {
      own_loop(), own_loop { wake = nothing }, own_loop { rest = nothing }, own_loop { bar = nothing },
      own_loop { more = 1 },
    } do
      assert.truthy(sandbox:client { loop = loop })
    end
    local without = {}
    for i, name in ipairs { "name", "now", "sleep", "wait" } do
      without[i] = own_loop()
      without[i][name] = nil
    end
    for _, wrong in ipairs {
      own_loop { name = 1 }, own_loop { now = 1 }, own_loop { sleep = 1 }, own_loop { wait = 1 }, own_loop { wake = 1 },
      own_loop { rest = 1 }, own_loop { bar = 1 }, "auto", 5, true, without[1], without[2], without[3], without[4],
    } do
      local line = debug.getinfo(1, "l").currentline
      local ok, message = pcall(function()
        local made = scope3.client { loop = wrong }
        return made
      end)
      assert.is_false(ok)
      assert.truthy(message:find(("waits_of_loops_spec.lua:%d: scope3.client: loop must be"):format(line + 2), 1, true),
        message)
    end
  end)

  it("says by `bar` why nothing can wait", function()
    local loop = own_loop { bar = function()
      return "the moon is full"
    end }
    local _, err = sandbox:client { loop = loop }:health()
    assert.same({ "cannot_wait", 0 }, { err.kind, #sandbox:requests "health" })
    assert.truthy(err.message:find("the moon is full", 1, true), err.message)
  end)

  it("sees replies that a turn has left over by its descriptor, and each step that took one as a move", function()
    local number = rare.number
    rare.number = function(name, usual)
      return name == "turn" and 0 or usual -- each turn takes one reply
    end
    local stalled, unmoved = 0, 0
    local loop = own_loop { name = "descriptor", wait = function(engine, seconds, waiter)
      local fd = engine:count() > 0 and engine:pollfd()
      if not fd then -- between requests, or in a build without descriptors
        core.sleep(math.min(seconds, 0.002))
        waiter.step(true)
      else
        core.sleep(0.01) -- so that several replies have come
        local limit = math.min(seconds, 5)
        local ready
        repeat
          ready = cqueues.poll({ pollfd = fd, events = "r" }, limit) ~= limit
          local before, moved = waiter.flying, waiter.step(true)
          unmoved = unmoved + (waiter.flying < before and not moved and 1 or 0)
        until not ready or engine:count() == 0
        stalled = stalled + (not ready and limit == 5 and 1 or 0)
      end
      return true
    end }
    local res, err = sandbox:client { loop = loop }:run({ audience = "a", map = people.MAP }, people.rows(320), {
      max_members = 5, concurrency = 16,
    })
    rare.number = number
    assert(res, err)
    assert.same({ 320, 0, 0 }, { res.accepted, stalled, unmoved })
  end)
end)
