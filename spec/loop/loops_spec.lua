-- The same client inside event loops: cqueues, which it finds by itself, and luv, which has to be named.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local HOSTS = {}

do
  local cqueues = require "cqueues"
  HOSTS[1] = {
    name = "cqueues",
    sleep = cqueues.sleep,
    run = function(tasks)
      local queue = cqueues.new()
      for _, task in ipairs(tasks) do
        queue:wrap(task)
      end
      assert(queue:loop())
    end,
  }
end

do
  local found, uv = pcall(require, "luv")
  assert(found, "luv is not installed for this Lua: run 'make deps'")
  local function sleep(seconds)
    local thread, timer = coroutine.running(), uv.new_timer()
    timer:start(math.max(1, math.ceil(seconds * 1000)), 0, function()
      timer:close()
      assert(coroutine.resume(thread))
    end)
    coroutine.yield()
  end
  HOSTS[2] = {
    name = "luv",
    loop = "luv",
    sleep = sleep,
    run = function(tasks)
      local failure
      for _, task in ipairs(tasks) do
        local thread = coroutine.create(function()
          task()
        end)
        local ok, message = coroutine.resume(thread)
        failure = failure or not ok and message or nil
      end
      uv.run()
      assert(not failure, failure)
    end,
  }
end

local function audience(id, n)
  local made = assert(scope3.audience { id = id })
  for i = 1, n or 1 do
    assert(made:add { external_id = id .. "-" .. i, email = id .. i .. "@example.com" })
  end
  return made
end

for _, host in ipairs(HOSTS) do
  describe("in " .. host.name, function()
    local sandbox = world.around(setup, teardown, before_each)

    local function client_of(opts)
      local all = { loop = host.loop }
      for key, value in pairs(opts or {}) do
        all[key] = value
      end
      return sandbox:client(all)
    end

    it("a sync waits for its task without holding up others", function()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.2 } } }
      local client, res, done, ticks = client_of(), nil, false, 0
      host.run {
        function()
          res = assert(client:sync(audience("a", 3)))
          assert(res:wait { timeout = 60 })
          done = true
        end,
        function()
          while not done do
            host.sleep(0.005)
            ticks = ticks + 1
          end
        end,
      }
      assert.same({ 3, "TOO_SMALL", 3 }, { res.accepted, res.audience.status, #sandbox:ids "a" })
      assert.is_true(ticks >= 10, ticks .. " ticks")
    end)

    it("two hundred syncs are under way at once, and each gets its own answer", function()
      sandbox:configure {
        task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 0.5, times = -1 } },
      }
      local flying, most, ended, tasks = 0, 0, 0, {}
      local started = core.now()
      local client = client_of { on_event = function(event)
        flying = flying + (event.event == "request" and 1 or event.event == "accepted" and -1 or 0)
        most = math.max(most, flying)
      end }
      for i = 1, 200 do
        tasks[i] = function()
          local res = assert(client:sync(audience("p" .. i)))
          assert(res.accepted == 1 and res.requests[1].task_id)
          ended = ended + 1
        end
      end
      host.run(tasks)
      assert.same({ 200, 200 }, { ended, most })
      assert.is_true(core.now() - started < 45) -- a waiter that nobody wakes looks by itself after a minute
      assert.same({ "p7-1" }, sandbox:ids "p7")
    end)

    it("streams, files and iterators that wait themselves come through, and others run between their slices", function()
      local client, results, done, ticks = client_of(), {}, 0, 0
      local lines = { "id,mail" }
      for i = 1, 30000 do
        lines[#lines + 1] = ("r%d,r%d@example.com"):format(i, i)
      end
      local text = table.concat(lines, "\n") .. "\n"
      local script = { audience = "f", map = { external_id = "id", email = "mail" } }
      host.run {
        function()
          results.file = assert(client:run(script, world.file(text), { max_members = 10000 }))
          done = done + 1
        end,
        function()
          local at = 1
          local reader = assert(scope3.csv(function()
            host.sleep(0)
            local chunk = text:sub(at, at + 65535)
            at = at + #chunk
            return chunk ~= "" and chunk or nil
          end))
          results.reader = assert(client:run(script, reader, { audience = "r" }))
          done = done + 1
        end,
        function()
          local stream = assert(client:stream("s", { max_members = 100 }))
          for i = 1, 1000 do
            assert(stream:add { external_id = "s" .. i % 300, uids = { x = "1" } })
            if i % 5 == 0 then
              assert(stream:remove { external_id = "s" .. i % 300 })
            end
          end
          results.stream = assert(stream:finish())
          done = done + 1
        end,
        function()
          while done < 3 do
            host.sleep(0)
            ticks = ticks + 1
          end
        end,
      }
      assert.same({ 30000, 30000 }, { results.file.accepted, results.reader.accepted })
      for _, res in pairs(results) do
        world.assert_sums(res)
      end
      assert.equal(30000, #sandbox:ids "f")
      assert.is_true(results.stream.epochs > 1)
      assert.is_true(ticks > 20, ticks .. " ticks")
    end)

    it("time runs out, jobs are cancelled and retried as in a script", function()
      local client, errs, events = client_of(), {}, {}
      sandbox:configure { faults = world.json.array { { on = "sync", act = "hang", times = -1 } } }
      host.run {
        function()
          local _, err = client:sync(audience "a", { timeout = 0.1, deadline = 0.3 })
          errs[1] = err
          local sleeping
          _, sleeping = client:sync(audience "b", { cancel = function()
            return true
          end })
          errs[2] = sleeping
          sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503,
            retry_after = 0 } } }
          assert(client:sync(audience "c", { on_event = function(event)
            events[#events + 1] = event.event == "retry" and event.status or nil
          end }))
          local next_row = client:audiences() -- by hand: on Lua 5.1 an iterator of `for` cannot yield
          events[#events + 1] = assert(next_row()).audience_id
          local more, why = next_row()
          assert(more == nil, why or more and more.audience_id)
          local missing
          _, missing = client:audience "none"
          errs[3] = missing
        end,
      }
      assert.same({ "timeout", "cancelled", "not_found" }, { errs[1].kind, errs[2].kind, errs[3].kind })
      assert.same({ 503, "c" }, events)
    end)

    it("a job whose turn has not come ends at once when it is cancelled, whoever else is under way", function()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 3 } } }
      local client, ended, begun = client_of { rate = 1, limiter = scope3.limiter() }, {}, false
      host.run {
        function()
          assert(client:sync(audience "first", { on_event = function()
            begun = true
          end }))
          ended[#ended + 1] = "first"
        end,
        function()
          while not begun do
            host.sleep(0.01)
          end
          local asked = 0
          local _, err = client:sync(audience "throttled", { cancel = function()
            asked = asked + 1
            return asked > 2
          end })
          ended[#ended + 1] = err.kind
        end,
      }
      assert.same({ "cancelled", "first" }, ended)
    end)

    it("an error of a listener comes back to the one who gave it, and ends nothing else", function()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.05, times = -1 } } }
      local client, fine = client_of(), 0
      local ok, err
      host.run {
        function()
          assert(client:sync(audience "fine"))
          fine = fine + 1
        end,
        function()
          ok, err = client:sync(audience "bad", { on_event = function()
            error "of the listener"
          end })
        end,
      }
      assert.same({ nil, "script", "callback_error" }, { ok, err.kind, err.code })
      assert.truthy(err.message:find("of the listener", 1, true), err.message)
      assert.equal(1, fine)
    end)
  end)
end

describe("a client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("finds cqueues by itself where it is inside, and blocks where it is not", function()
    local client = sandbox:client()
    assert(client:sync(audience "before"))
    HOSTS[1].run { function()
      assert(client:sync(audience "within"))
    end }
    assert(client:sync(audience "after"))
    assert.equal(3, #sandbox:requests("sync"))
  end)

  it("in cqueues comes to its end although a controller that waited for the same engine was dropped", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.3, times = -1 } } }
    local cqueues = require "cqueues"
    local client, started = sandbox:client(), core.now()
    local dropped = cqueues.new()
    dropped:wrap(function()
      client:sync(audience "dropped")
    end)
    assert(dropped:step(0.05)) -- it waits now, and never comes back
    dropped:close()
    for i = 1, 2 do
      HOSTS[1].run { function()
        assert(client:sync(audience("kept" .. i)))
      end }
    end
    assert.is_true(core.now() - started < 45) -- a waiter that nobody wakes would look by itself after a minute
    assert.equal(3, #sandbox:requests "sync")
  end)

  it("raises an error of its limiter's store for the one who waits, not for whoever moves its request on", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.1, times = -1 } } }
    local broken = { get = function() end, set = function() end, incr = function() return 1 end, delete = function()
      error "of the store"
    end }
    local good, bad = sandbox:client(), sandbox:client { limiter = scope3.limiter(broken) }
    local fine, tasks = 0, {}
    for i = 1, 5 do
      tasks[i] = function()
        assert((i == 3 and bad or good):sync(audience("x" .. i)))
        fine = fine + 1
      end
    end
    local queue = require("cqueues").new()
    for _, task in ipairs(tasks) do
      queue:wrap(task)
    end
    local messages = {}
    for message in queue:errors() do
      messages[#messages + 1] = message
    end
    assert.equal(4, fine)
    assert.equal(1, #messages)
    assert.truthy(tostring(messages[1]):find("of the store", 1, true))
  end)

  it("with the luv loop says that nothing can wait outside a coroutine", function()
    local res, err = sandbox:client { loop = "luv" }:sync(audience "a")
    assert.is_nil(res)
    assert.equal("cannot_wait", err.kind)
    assert.truthy(err.message:find("coroutine.wrap", 1, true))
    assert.equal(0, #sandbox:requests("sync"))
  end)

  it("takes a loop of one's own, and nothing that is none", function()
    local waited = 0
    local own = { name = "own", now = core.now, sleep = core.sleep, wait = function(engine, seconds)
      waited = waited + 1
      engine:wait(seconds)
    end }
    assert(sandbox:client { loop = own }:sync(audience "a"))
    assert.is_true(waited > 0)
    for _, wrong in ipairs { "fast", 5, { name = "x" } } do
      assert.has_error(function()
        scope3.client { loop = wrong }
      end)
    end
  end)
end)
