-- What goes in which request, and when a job waits for tasks: what the service does in any order must come to the same.
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- A request of the sandbox's log as a text such as "+1 +2 -3": what it adds, then what it removes.
local function shown(request)
  local words, audience = {}, world.json.decode(request.body).audiences[1]
  for sign, members in pairs { ["+"] = audience.add or {}, ["-"] = audience.remove or {} } do
    for i, member in ipairs(members) do
      words[#words + 1] = { sign == "+" and i or 1e6 + i, sign .. member.externalId }
    end
  end
  table.sort(words, function(a, b)
    return a[1] < b[1]
  end)
  for i, word in ipairs(words) do
    words[i] = word[2]
  end
  return table.concat(words, " ")
end

-- Requests of the log in steps. Those of one epoch may come in any order, and are sorted here.
local function steps_of(log, at, epochs)
  local steps = {}
  for i, count in ipairs(epochs) do
    if i > 1 then
      steps[#steps + 1] = "wait"
    end
    local texts = {}
    for j = 1, count do
      texts[j] = shown(log[at + j])
    end
    table.sort(texts, function(a, b)
      return a:sub(2) < b:sub(2)
    end)
    for _, text in ipairs(texts) do
      steps[#steps + 1] = text
    end
    at = at + count
  end
  assert(at == #log)
  return steps
end

describe("members", function()
  local sandbox = world.around(setup, teardown, before_each, { log_bodies = true, task_seconds = 0 })

  -- Streams operations such as "+1 -2" into requests of two members. Gives the requests, with "wait" where the job
  -- waited for the tasks of those before, and the result.
  local function send(operations, opts)
    local epochs = { 0 } -- the requests of each
    local all = { max_members = 2, on_event = function(event)
      if event.event == "barrier" then
        epochs[#epochs + 1] = 0
      elseif event.event == "request" then
        epochs[#epochs] = epochs[#epochs] + 1
      end
    end }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    local before = #sandbox:requests "sync"
    local stream = assert(sandbox:client { loop = virtual.loop() }:stream("a", all))
    for sign, id in operations:gmatch "([+-])(%S+)" do
      if sign == "+" then
        assert(stream:add { external_id = id, email = "a@example.com" })
      else
        assert(stream:remove { external_id = id })
      end
    end
    local res = assert(stream:finish())
    world.assert_sums(res)
    return table.concat(steps_of(sandbox:requests "sync", before, epochs), " | "), res
  end

  -- A job that only removes is refused where there is no such audience.
  local function exists()
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a", status = "READY" })
  end

  for what, case in pairs {
    ["that are added go in the order of their rows"] = { "+1 +2 +3 +4 +5", "+1 +2 | +3 +4 | +5" },
    ["that are removed go in the order of their rows"] = { "-1 -2 -3", "-1 -2 | -3" },
    ["that are added again in a later request go as they are"] = { "+1 +2 +3 +1", "+1 +2 | +3 +1" },
    ["of one id go once in a request"] = { "+1 +1 +2 +3", "+1 +2 | +3" },
    ["of one id go once in a request that is full"] = { "+1 +2 +1", "+2 +1" },
    ["of one id leave the last operation in a request"] = { "+1 -1 +2", "+2 -1" },
    ["of one id leave the last operation, also an addition"] = { "-1 +1 +2", "+1 +2" },
    ["that are added and removed in one request need no wait"] = { "+1 -2", "+1 -2" },
    ["that are removed after others were added wait for these"] = { "+1 +2 -3", "+1 +2 | wait | -3" },
    ["that are added after others were removed wait for these"] = { "-1 -2 +3", "-1 -2 | wait | +3" },
    ["that are mixed in a later request wait for those before"] = { "+1 +2 +3 -4", "+1 +2 | wait | +3 -4" },
    ["that come after a request that mixes go without a wait"] = { "+1 -2 +3", "+1 -2 | +3" },
    ["whose id was in a request that mixes wait for its task"] = { "+1 -2 +3 -1", "+1 -2 | +3 | wait | -1" },
    ["of other ids go on without a wait once ids are kept"] =
      { "+1 +2 -3 -4 +5 +6 -7", "+1 +2 | wait | -3 -4 | +5 +6 | -7" },
    ["whose id was sent wait for its task once ids are kept"] =
      { "+1 +2 -3 -4 -5 +3", "+1 +2 | wait | -3 -4 | -5 | wait | +3" },
    ["that are removed and added again end as they were meant"] =
      { "-1 -2 -3 -4 +1 +2", "-1 -2 | -3 -4 | wait | +1 +2" },
    ["whose id went before ids were kept need no wait: its task has ended"] =
      { "+8 +9 -1 -2 -8", "+8 +9 | wait | -1 -2 | -8" },
  } do
    it(what, function()
      exists()
      local steps, res = send(case[1])
      assert.equal(case[2], steps)
      local waits = select(2, case[2]:gsub("wait", ""))
      assert.same({ "request", waits + 1 }, { res.repeats, res.epochs })
    end)
  end

  it("are added or removed as the mode of the job says", function()
    exists()
    for mode, expected in pairs { upsert = "+r1 +r2", remove = "-r1 -r2" } do
      local before = #sandbox:requests "sync"
      local res = assert(sandbox:client { loop = virtual.loop() }:run({ map = people.MAP, audience = "a", mode = mode },
        people.rows(2)))
      local log = sandbox:requests "sync"
      assert.same({ before + 1, expected, 2 }, { #log, shown(log[#log]), res.accepted })
    end
  end)

  it("are built from when the request before was full, or the job began", function()
    local loop = virtual.loop()
    local stream = assert(sandbox:client { loop = loop }:stream("a", { max_members = 1 }))
    for i = 1, 3 do
      assert(stream:add { external_id = tostring(i), email = "a@example.com" })
      loop.sleep(1000) -- the next member finds the request full
    end
    local res, times = assert(stream:finish()), {}
    for i, request in ipairs(res.requests) do
      times[i] = ("%d-%d"):format(math.floor(request.build_start / 1000), math.floor(request.build_end / 1000))
    end
    assert.same({ "0-1", "1-2", "2-3" }, times)
  end)

  it("wait for those of the other kind, though each request has one", function()
    exists()
    assert.equal("+1 | wait | -2", (send("+1 -2", { max_members = 1 })))
    assert.equal("-1 | wait | +2", (send("-1 +2", { max_members = 1 })))
  end)

  for what, case in pairs {
    ["of other ids need no wait"] = { "+1 +2 -3 -4", "+1 +2 | -3 -4", 0 },
    ["of one id in a request that is full need no wait"] = { "+1 +2 -1", "+2 -1", 0 },
    ["of one id wait for its task"] = { "+1 +2 +3 +1", "+1 +2 | +3 | wait | +1", 1 },
    ["that wait let others past"] = { "+1 +2 +3 +1 +4 +5", "+1 +2 | +3 +4 | +5 | wait | +1", 1 },
    ["that wait are the last of their id"] = { "+1 +2 +3 +1 -1", "+1 +2 | +3 | wait | -1", 2 },
    ["that wait, where they fill a request, end the epoch"] =
      { "+1 +2 +3 +4 +5 +1 +2 +3", "+1 +2 | +3 +4 | +5 | wait | +1 +2 | +3", 2 },
    ["wait once more for an id that was sent since"] =
      { "+1 +2 +3 +4 +5 +1 +2 +3 -1", "+1 +2 | +3 +4 | +5 | wait | +1 +2 | +3 | wait | -1", 3 },
  } do
    for how, opts in pairs { unique = { unique = true }, ["several requests at once"] = { concurrency = 2 } } do
      it(("%s, with %s"):format(what, how), function()
        exists()
        local steps, res = send(case[1], opts)
        assert.equal(case[2], steps)
        local waits = select(2, case[2]:gsub("wait", ""))
        assert.same({ "job", case[3], waits + 1 }, { res.repeats, res.deferred, res.epochs })
      end)
    end
  end

  it("are looked at for repeats within a request alone where one request goes at a time", function()
    local _, res = send("+1 +2 +3 +1", { concurrency = 1 })
    assert.same({ "request", 0, 1 }, { res.repeats, res.deferred, res.epochs })
    _, res = send("+1 +2 +3 +1", { unique = true, concurrency = 1 })
    assert.same({ "job", 1, 2 }, { res.repeats, res.deferred, res.epochs })
  end)

  it("whose request is in doubt hold back nothing where repeats are not looked for", function()
    sandbox:fault { on = "sync", act = "lost_reply" }
    local stream = assert(sandbox:client { loop = virtual.loop() }:stream("a", { max_members = 2 }))
    for _, id in ipairs { "1", "2", "3", "1" } do
      assert(stream:add { external_id = id, email = "a@example.com" })
    end
    local res = assert(stream:finish())
    assert.same({ 4, 2, 1, 3 }, { res.accepted, res.possibly_twice, res.epochs, #sandbox:requests "sync" })
  end)

  it("fill a request to its last byte, whatever is said round them", function()
    local push = { url = "https://example.com/" .. ("x"):rep(500), operation_id = "op", token = ("t"):rep(16) }
    for _, opts in ipairs { {}, { push_notification_config = push } } do
      opts.max_bytes = 4096
      local client = sandbox:client { loop = virtual.loop() }
      local name = { id = "a", name = ("The name "):rep(20), consent_basis = "consent" }
      local res = assert(client:run({ map = people.MAP, audience = name }, people.rows(200, 1000), opts))
      local log = sandbox:requests "sync"
      for i = #log - #res.requests + 1, #log do
        assert.is_true(log[i].bytes <= 4096, log[i].bytes .. " bytes")
        assert.is_true(i == #log or log[i].bytes > 4096 - 150, "one more member would fit: " .. log[i].bytes)
      end
    end
  end)

  -- Operations, options and how the tasks end; what was accepted and what failed.
  for what, case in pairs {
    ["would begin an epoch"] = { "+1 +2 +3 +4 +5 +1 +2 +3", true, { "completed", "failed:terminal" }, 3, 5 },
    ["are the first that are not only added"] = { "+1 +2 -3 -4 -5", false, { "failed:terminal" }, 0, 5 },
  } do
    it(("that %s after a task that failed are told why"):format(what), function()
      sandbox:configure { task_outcomes = world.json.array(case[3]) }
      local stream = assert(sandbox:client { loop = virtual.loop() }:stream("a", { max_members = 2, unique = case[2] }))
      local ok, err
      for sign, id in case[1]:gmatch "([+-])(%S+)" do
        assert.is_nil(err)
        local act = sign == "+" and stream.add or stream.remove
        ok, err = act(stream, { external_id = id, email = "a@example.com" })
      end
      assert.same({ nil, "task_failed" }, { ok, err and err.kind })
      local res, why = stream:finish()
      assert.same({ nil, "task_failed", case[4], case[5] },
        { res, why.kind, why.result.accepted, why.result.failed })
      world.assert_sums(why.result)
    end)
  end

  it("go in requests of any size as they were meant, and each once", function()
    for most = 1, 7 do
      sandbox:reset()
      local steps, res = send("+1 +2 +3 -1 -2 +4 +1", { max_members = most, unique = true })
      assert.same({ "1", "3", "4" }, (function(ids)
        table.sort(ids)
        return ids
      end)(sandbox:ids "a"), steps)
      assert.equal(7, res.accepted + res.replaced)
    end
  end)

  it("from an iterator let events and cancellation in every 256 rows", function()
    local told, seen = {}, 0
    local client = sandbox:client { loop = virtual.loop() }
    local opts = { on_event = function(event)
      told[#told + 1] = event.event == "progress" and event.rows or nil
    end }
    assert(client:run({ map = people.MAP, audience = "a" }, people.rows(1100), opts))
    assert.same({ 256, 512, 768, 1024 }, told)
    opts.cancel = function()
      seen = seen + 1
      return seen > 3
    end
    local _, err = client:run({ map = people.MAP, audience = "a" }, people.rows(10000), opts)
    assert.equal("cancelled", err.kind)
    assert.is_true(err.result.rows % 256 == 0 and err.result.rows <= 1024, err.result.rows)
  end)
end)
