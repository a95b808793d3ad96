-- Requests that fail, are repeated, cancelled or out of time: in order, and with every member accounted for.
local each = require "spec.support.each"
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local audience, rows, MAP = people.audience, people.rows, people.MAP

describe("the client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("lets no later operation overtake an earlier, opposite one", function()
    sandbox:configure { task_order = "reversed", task_seconds = 0.3 }
    local client = sandbox:client()
    local stream = assert(client:stream("s", { max_members = 5 }))
    for i = 1, 10 do
      assert(stream:add { external_id = i, email = ("s%d@example.com"):format(i) })
    end
    for i = 1, 7 do
      assert(stream:remove { external_id = i })
    end
    assert(stream:add { external_id = 1, email = "s1@example.com" })
    local res = assert(assert(stream:finish()):wait())
    world.assert_sums(res)
    assert.same({ "1", "10", "8", "9" }, sandbox:ids("s"))
  end)

  it("waits out a 429 with its Retry-After, in seconds or as a date, and reports it", function()
    for _, form in ipairs { "seconds", "date" } do
      sandbox:reset()
      sandbox:configure {
        retry_after_form = form,
        faults = world.json.array { { on = "sync", act = "status", status = 429, retry_after = 1 } },
      }
      local seen = {}
      local client = sandbox:client { on_event = function(event)
        seen[#seen + 1] = event.event == "retry" and event or nil
      end }
      local res = assert(client:sync(audience("a", 2)))
      assert.same({ 1, 2, 2 }, { res.retries, res.requests[1].attempts, #sandbox:requests("sync") })
      assert.equal(429, seen[1].status)
      assert.is_true(seen[1].seconds >= 0 and seen[1].seconds <= 2.1)
    end
  end)

  it("repeats a 503, and gives up in the end with the request's attempts", function()
    local client = sandbox:client { loop = virtual.loop() }
    sandbox:configure {
      faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 0, times = 2 } },
    }
    assert.equal(2, assert(client:sync(audience("a", 2))).retries)
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 0,
      times = -1 } } }
    local res, err = client:sync(audience("a", 2))
    assert.is_nil(res)
    assert.same({ "http", 503, true, 8 }, { err.kind, err.status, err.retryable, err.request.attempts })
    assert.equal(8, #err.request.history)
    for i, attempt in ipairs(err.request.history) do
      assert.same({ "http", 503, i < 8 }, { attempt.kind, attempt.status, attempt.waited ~= nil })
    end
    assert.equal(2, err.result.failed)
    world.assert_sums(err.result)
  end)

  it("repeats a request that may have been carried out in its place, and says so", function()
    for _, act in ipairs { "lost_reply", "cut_after", "half_reply" } do
      sandbox:reset()
      sandbox:fault { on = "sync", act = act }
      local res = assert(sandbox:client { loop = virtual.loop() }:sync(audience("a", 2)))
      assert.same({ 2, 2, 0, true }, { res.accepted, res.possibly_twice, res.unknown, res.requests[1].possibly_twice })
      world.assert_sums(res)
      assert.equal(2, #sandbox:requests("sync"))
      sandbox:reset()
      sandbox:fault { on = "sync", act = act, times = -1 }
      local none, err = sandbox:client { loop = virtual.loop() }:sync(audience("a", 2))
      assert.is_nil(none)
      assert.equal("network", err.kind)
      assert.is_true(err.uncertain)
      assert.same({ 2, 0, "unknown" }, { err.result.unknown, err.result.failed, err.result.requests[1].state })
      world.assert_sums(err.result)
    end
  end)

  it("is repeated by its own policy alone when a kept connection dies", function()
    local client = sandbox:client { loop = virtual.loop() }
    sandbox:fault { on = "sync", act = "die_on_reuse" }
    assert(client:sync(audience("a", 2)))
    local res = assert(client:sync(audience("b", 2)))
    assert.same({ 2, 1, 2 }, { res.requests[1].attempts, res.retries, res.possibly_twice })
    assert.equal(3, #sandbox:requests("sync")) -- libcurl itself repeated none
  end)

  it("takes answers of the wrong form for failures that it names", function()
    local client = sandbox:client { loop = virtual.loop() }
    local function first(next_row)
      local row, err = each(next_row)()
      return row or nil, err
    end
    local calls = {
      task = { function() return client:task "t" end, function() return client:wait "t" end },
      audiences = { function() return first(client:audiences()) end, function() return client:audience "a" end },
      sync = { function() return client:sync(audience("a", 1)) end },
      syndication_status = { function() return first(client:syndication_status {}) end },
    }
    local answers = {
      '{"data":5,"error":null}', '{"data":"x","error":null}', '{"data":true,"error":null}', '5',
      '[]', '{"task":5}', '{"taskId":5,"operationId":{}}', '{"audiences":[5],"items":[5],"total":1}',
      '{"audiences":[null],"items":[null],"total":1}', '{"audiences":["x"],"items":[true]}',
    }
    for kind, list in pairs(calls) do
      for _, answer in ipairs(answers) do
        sandbox:fault { on = kind, act = "status", status = 200, body = answer, times = -1 }
        for i, call in ipairs(list) do
          local value, err = call()
          assert.same({ nil, "BAD_REPLY" }, { value, err and err.code }, ("%s %d: %s"):format(kind, i, answer))
        end
      end
    end
  end)

  it("stops at the first request that fails, and accounts for every member", function()
    local client = sandbox:client()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 500, after = 1,
      times = -1 } } }
    local res, err = client:run({ map = MAP, audience = "a" }, rows(100), { max_members = 10 })
    assert.is_nil(res)
    assert.equal(500, err.status)
    world.assert_sums(err.result)
    assert.equal(10, err.result.accepted)
    assert.equal(3, #sandbox:requests("sync")) -- a 500 is tried again once
  end)

  it("stops when it is cancelled, and at its deadline", function()
    local client = sandbox:client()
    local asked = 0
    local res, err = client:run({ map = MAP, audience = "a" }, rows(100000), { cancel = function()
      asked = asked + 1
      return asked > 3
    end })
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    world.assert_sums(err.result)
    sandbox:fault { on = "sync", act = "hang", times = -1 }
    for _, deadline in ipairs { 0.3, 3, 30 } do -- a busy machine may not have begun before the first of them
      res, err = client:run({ map = MAP, audience = "a" }, rows(5), { deadline = deadline })
      assert.is_nil(res)
      assert.equal("timeout", err.kind)
      world.assert_sums(err.result)
      if err.result.unknown > 0 then
        break
      end
    end
    assert.equal(5, err.result.unknown)
  end)

  it("lets a request that is under way be answered when it is stopped, within its grace", function()
    local client = sandbox:client()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.5, times = -1 } } }
    local seen, stop = {}, false
    local res, err = client:run({ map = MAP, audience = "a" }, rows(30), { max_members = 10, cancel = function()
      return stop
    end, on_event = function(event)
      seen[event.event] = (seen[event.event] or 0) + 1
      stop = stop or event.event == "request"
    end })
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    assert.same({ 10, 0, 1 }, { err.result.accepted, err.result.unknown, #sandbox:requests("sync") })
    world.assert_sums(err.result)
    assert.same({ 1, 1 }, { seen.request, seen.accepted })
  end)

  it("reports retries to a job's own listener", function()
    sandbox:fault { on = "sync", act = "status", status = 503, retry_after = 0 }
    local retries = 0
    assert(sandbox:client():sync(audience("a", 1), { on_event = function(event)
      retries = retries + (event.event == "retry" and 1 or 0)
    end }))
    assert.equal(1, retries)
  end)
end)
