-- A callback that raises ends the job in order: with a result, and with the journal closed.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local cqueues = require "cqueues"
local scope3 = require "scope3"
local shared_store = require "spec.support.shared_store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local MAP = { map = { external_id = "id", email = "mail" }, audience = "a" }

local function rows(n, with)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[#lines + 1] = ("%d,p%d@example.com"):format(i, i)
  end
  lines[#lines + 1] = with
  return table.concat(lines, "\n") .. "\n"
end

local function audience(members)
  local made = assert(scope3.audience { id = "a" })
  for i = 1, members do
    assert(made:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
  end
  return made
end

-- A service that answers a sync only when the file is there.
local WAITING = [[
local core = require "scope3.core"
return function()
  while not io.open(%q) do
    core.sleep(0.01)
  end
  return 202, '{"success":true,"operationId":"t1","taskId":"t1"}'
end
]]

-- Whether the error is that of a callback, with the result of what was done before.
local function assert_told(what, ok, err, name)
  assert.is_nil(ok, what)
  assert.same({ "script", "callback_error" }, { err.kind, err.code }, what .. ": " .. tostring(err))
  assert.truthy(err.message:find(name .. " raised an error: ", 1, true), err.message)
  assert.truthy(err.message:find("boom", 1, true), err.message)
  world.assert_sums(err.result)
end

describe("a callback that raises", function()
  local server = answering.around(setup, teardown)

  -- Every event at which it may raise, on jobs that have them.
  it("at any event ends a job in order: a result, an open journal, and no further call", function()
    local again = { 503, '{"error":{"code":"SERVICE_UNAVAILABLE","message":"later"}}' }
    local large = { 413, '{"error":{"code":"TOO_LARGE","message":"too large"}}' }
    local taken = '{"success":true,"operationId":"t$N","taskId":"t$N"}'
    local passing = '{"task":{"taskId":"$ID","status":"failed","error":{"code":"X","message":"m",'
      .. '"recovery":"transient"}}}'
    for event, case in pairs {
      progress = { {} }, request = { {} }, accepted = { {} }, blocked = { {}, 5 }, retry = { { sync = { again,
        taken } } },
      split = { { sync = { large, taken } } }, barrier = { {}, 5, "unique" }, task = { {}, 5, "unique" },
      resend = { { task = { passing, passing, passing } }, 5, "unique" },
    } do
      local held = world.path ".held"
      server:play(case[1])
      if event == "blocked" then -- of two requests, the first must still be under way
        server:answer(WAITING:format(held))
      end
      local csv, journal = world.file(rows(20, case[3] and "1,q@example.com")), world.path ".journal"
      local client, calls, raised = server:client(), 0, false
      local opts = { journal = journal, max_members = case[2], unique = case[3] and true or nil,
        on_event = function(seen)
        assert(not raised)
        calls = calls + 1
        if seen.event == event then
          raised = true
          world.write(held, "")
          error "boom"
        end
      end }
      local ok, err = client:run(MAP, csv, opts)
      assert_told(event, ok, err, "on_event")
      opts.on_event = nil
      server:play {}
      local res, why = client:run(MAP, csv, opts) -- would not get the journal, if that were locked
      assert.is_truthy(res, tostring(why))
      assert.equal(20 + (case[3] and 1 or 0), res.accepted)
    end
  end)

  it("is named, whichever it is, and the message repeats nobody's value", function()
    server:play {}
    local client = server:client()
    local csv = world.file(rows(5, ",nobody@example.com\n7,"))
    for name, opts in pairs {
      on_reject = { on_reject = function() error "boom" end },
      cancel = { cancel = function() error "boom" end },
      on_event = { on_event = function() error { kind = "boom" } end },
    } do
      local ok, err = client:run(MAP, csv, opts)
      if name == "on_event" then
        assert.truthy(err.message:find("on_event raised an error: table", 1, true), err.message)
      elseif err.result then
        assert_told(name, ok, err, name)
      else
        assert.same({ "script", "callback_error" }, { err.kind, err.code }) -- it was asked before the job had begun
      end
    end
    local _, err = client:run(MAP, csv, { on_event = function() error
      "jane@example.com and 5f4dcc3b5aa765d61d8327deb882cf99 boom" end })
    assert.is_nil(err.message:find("jane@", 1, true) or err.message:find("5f4dcc3b", 1, true), err.message)
  end)

  it("in a sync and in a stream does the same", function()
    server:play {}
    local client = server:client()
    local function raise(at)
      return function(seen)
        if seen.event == at then
          error "boom"
        end
      end
    end
    local ok, err = client:sync(audience(4), { max_members = 1, on_event = raise "accepted" })
    assert_told("sync", ok, err, "on_event")
    assert.same({ 1, 3 }, { err.result.accepted, err.result.failed })
    local stream = assert(client:stream("a", { max_members = 2, on_event = raise "accepted" }))
    local added, why
    for i = 1, 10 do
      added, why = stream:add { external_id = "s" .. i, email = ("s%d@example.com"):format(i) }
      if not added then
        break
      end
    end
    assert.equal("callback_error", why.code)
    ok, err = stream:finish()
    assert_told("stream", ok, err, "on_event")
  end)

  it("in an iterator, a reader or a script keeps what was sent before", function()
    server:play {}
    local client = server:client()
    local n = 0
    local ok, err = client:run(MAP, function()
      n = n + 1
      if n == 2501 then
        error "boom"
      end
      return { id = n, mail = n .. "@example.com" }
    end, { max_members = 1000 })
    assert.is_nil(ok)
    assert.same({ "source", "callback_error", 2500, 2000, 500 }, {
      err.kind, err.code, err.result.rows, err.result.accepted, err.result.failed,
    })
    world.assert_sums(err.result)
    local chunks = 0
    ok, err = client:run(MAP, scope3.csv(function()
      chunks = chunks + 1
      if chunks == 3 then
        error "boom"
      end
      return chunks == 1 and rows(10) or "77,x@example.com\n"
    end), { max_members = 5 })
    assert.is_nil(ok)
    assert.same({ "source", "callback_error" }, { err.kind, err.code }, tostring(err))
    assert.equal(11, err.result.rows)
    for _, script in ipairs {
      { audience = "a", member = function() error "boom" end }, { audience = "a", member = coroutine.yield },
      { audience = "a", map = MAP.map, where = function() error "boom" end }, { audience = "a", map = MAP.map,
        where = coroutine.yield },
    } do
      local journal = world.path ".journal"
      coroutine.wrap(function()
        ok, err = client:run(script, world.file(rows(5)), { journal = journal })
      end)()
      assert.is_nil(ok)
      assert.same({ "script", "script_error" }, { err.kind, err.code })
      world.assert_sums(err.result)
      local _, why = client:run(script, world.file(rows(5)), { journal = journal })
      assert.is_not.equal("locked", why.code)
    end
  end)

  it("in a wait ends that wait alone, with the result", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"working"}}' } }
    local client = server:client()
    local res = assert(client:sync(audience(2)))
    for name, opts in pairs {
      on_event = { on_event = function() error "boom" end }, cancel = { cancel = function() error "boom" end },
      notified = { notified = function() error "boom" end },
    } do
      opts.timeout = 600
      local ok, err = res:wait(opts)
      assert_told(name, ok, err, name)
      assert.equal(res, err.result)
      ok, err = client:wait("t1", opts)
      assert.same({ nil, "callback_error" }, { ok, err.code })
    end
    server:play {}
    assert(res:wait { timeout = 600 })
  end)

  it("in the client's own listener, or in a loop or a store of the host, comes back as an error", function()
    server:answer "return function() return 503, '' end"
    local client = server:client { on_event = function() error "boom" end }
    local ok, err = client:task "t1"
    assert.same({ nil, "callback_error" }, { ok, err.code })
    assert.equal(1, #server:requests "/tasks/t1") -- and not again
    ok, err = client:audience "a"
    assert.same({ nil, "callback_error" }, { ok, err.code })

    for _, name in ipairs { "sleep", "wait", "rest" } do
      server:play { sync = { { 503, "" }, '{"success":true,"taskId":"t$N"}' } }
      local loop = virtual.loop()
      local sound = loop[name]
      local journal = world.path ".journal"
      loop.rest = loop.rest or function() end
      client = server:client { loop = loop }
      loop[name] = function() error "boom" end
      ok, err = client:run(MAP, world.file(rows(5)), { journal = journal })
      assert.is_nil(ok, name)
      assert.truthy(err.code == "callback_error" and err.message:find "boom", name .. ": " .. tostring(err))
      world.assert_sums(err.result)
      loop[name] = sound or function() end
      assert(client:run(MAP, world.file(rows(5)), { journal = world.path ".journal" }))
    end

    for _, call in ipairs { "get", "set", "incr", "delete" } do
      local store, broken = shared_store(), false
      local sound = store[call]
      store[call] = function(...)
        if broken then
          error "boom"
        end
        return sound(...)
      end
      server:play {}
      client = server:client { limiter = scope3.limiter(store) }
      ok, err = client:sync(audience(2), { max_members = 1, on_event = function(seen)
        broken = broken or seen.event == "accepted"
      end })
      broken = false
      if not ok then
        assert.same({ "limiter", "callback_error" }, { err.kind, err.code }, call)
        world.assert_sums(err.result)
      end
      assert(client:sync(audience(2)))
    end
  end)

  it("may ask the client for something, and suspend", function()
    server:play {}
    local queue, seen, res = cqueues.new(), 0, nil
    queue:wrap(function()
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = server.url,
        rate = 100000 })
      res = assert(client:sync(audience(4), { max_members = 1, on_event = function(event)
        if event.event == "accepted" then
          assert(client:task(event.task_id))
          cqueues.sleep(0.001)
          seen = seen + 1
        end
      end }))
      local n = 0
      assert.equal(300, assert(client:run(MAP, function()
        n = n + 1
        if n % 100 == 0 then
          cqueues.sleep(0.001)
        end
        return n <= 300 and { id = n, mail = n .. "@example.com" } or nil
      end)).accepted)
    end)
    local deadline = core.now() + 60
    while not queue:empty() and core.now() < deadline do
      assert(queue:step(0.2))
    end
    assert.same({ 4, 4 }, { seen, res.accepted })
  end)

  it("may not use the stream that it belongs to, nor another coroutine one that is in use", function()
    server:play {}
    for _, call in ipairs { "add", "finish", "cancel" } do
      local stream, said
      stream = assert(server:client():stream("a", { max_members = 1, on_event = function(event)
        if event.event == "accepted" and not said then
          local _, problem = pcall(function()
            local done, why = stream[call](stream, { external_id = "x", email = "x@example.com" })
            return done, why
          end)
          said = problem
        end
      end }))
      for i = 1, 4 do
        assert(stream:add { external_id = "s" .. i, email = ("s%d@example.com"):format(i) })
      end
      local res = assert(stream:finish())
      assert.equal(4, res.accepted)
      assert.truthy(tostring(said):find "^spec/job/callbacks_that_raise_spec.lua:%d+: .*inside one of its own",
        said)
      world.assert_sums(res)
    end

    local queue, stream, said, inside = cqueues.new(), nil, nil, nil
    queue:wrap(function()
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = server.url,
        rate = 100000 })
      stream = assert(client:stream("a", { max_members = 1, on_event = function(event)
        if event.event == "accepted" and not inside then
          local _, problem = pcall(stream.finish, stream)
          inside = problem
          while not said do -- until the other one has tried
            cqueues.sleep(0.002)
          end
        end
      end }))
      for i = 1, 4 do
        assert(stream:add { external_id = "s" .. i, email = ("s%d@example.com"):format(i) })
      end
      assert.equal(4, assert(stream:finish()).accepted)
    end)
    queue:wrap(function()
      while not inside do
        cqueues.sleep(0.002)
      end
      local _, problem = pcall(stream.add, stream, { external_id = "x", email = "x@example.com" })
      said = problem
    end)
    local deadline = core.now() + 60
    while not queue:empty() and core.now() < deadline do
      assert(queue:step(0.2))
    end
    assert.truthy(tostring(inside):find("inside one of its own callbacks", 1, true), inside)
    assert.truthy(tostring(said):find("that another coroutine is using", 1, true), said)
  end)
end)
