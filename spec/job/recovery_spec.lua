-- What becomes of a job when requests are too large, members are refused, tasks fail, or anything else goes wrong.
local core = require "scope3.core"
local model = require "spec.support.model"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

local function csv(n)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[#lines + 1] = ("r%d,r%d@example.com"):format(i, i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local MAP = { external_id = "id", email = "mail" }

local function states(res)
  local found = {}
  for i, request in ipairs(res.requests) do
    found[i] = request.state
  end
  return found
end

describe("recovery", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function client_of(opts)
    local all = { loop = virtual.loop() }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    return sandbox:client(all)
  end

  local function run(n, opts)
    return client_of():run({ map = MAP, audience = "a" }, world.file(csv(n)), opts)
  end

  it("halves what is too large by 413, by a 400 that says so, or while it is sent, and remembers the size", function()
    for _, fault in ipairs {
      { act = "status", status = 413 },
      { act = "status", status = 400, code = "PAYLOAD_TOO_LARGE", message = "request entity too large" },
    } do
      sandbox:reset()
      fault.on, fault.times = "sync", 2
      sandbox:fault(fault)
      local split = {}
      local res = assert(run(120, { max_members = 40, on_event = function(event)
        split[#split + 1] = event.event == "split" and event.bytes or nil
      end }))
      world.assert_sums(res)
      assert.same({ 120, 120 }, { res.accepted, #sandbox:ids "a" })
      assert.equal(2, #split)
      assert.same({ "split", "split" }, { states(res)[1], states(res)[2] })
      for i = 3, #res.requests do
        assert.is_true(res.requests[i].bytes <= split[2], "request " .. i)
      end
      assert.is_true(#res.requests <= 30)
    end
    sandbox:reset()
    sandbox:configure { max_body = 3000 }
    local res = assert(run(100, { max_members = 60 }))
    assert.same({ 100, 100 }, { res.accepted, #sandbox:ids "a" })
  end)

  it("halves a request whose sending takes too long", function()
    local client = client_of()
    sandbox:fault { on = "sync", act = "stall" }
    local lines = { "id,mail" }
    -- more than a socket takes of a service that reads none, in few members, which are soon looked at
    for i = 1, 3000 do
      lines[#lines + 1] = ("%s%d,r%d@example.com"):format(("x"):rep(4000), i, i)
    end
    local res = assert(client:run({ map = MAP, audience = "a" }, world.file(table.concat(lines, "\n")),
      { max_bytes = 64 * 2 ^ 20, timeout = 4 }))
    assert.equal("split", res.requests[1].state)
    assert.same({ 3000, 0 }, { res.accepted, res.possibly_twice })
    world.assert_sums(res)
  end)

  it("sets aside the members that the service refuses, by their rows, and sends the others", function()
    sandbox:configure { refuse = json.array { "r7", "r8", "r33" } }
    local rejects = {}
    local res = assert(run(40, { on_reject = function(rejection)
      rejects[#rejects + 1] = rejection
    end }))
    world.assert_sums(res)
    assert.same({ 37, 3, 37 }, { res.accepted, res.rejected_by_service, #sandbox:ids "a" })
    assert.same({ 7, 8, 33 }, { res.quarantine[1].row, res.quarantine[2].row, res.quarantine[3].row })
    assert.same({ "hashedEmail", "is not accepted" }, { res.quarantine[1].field, res.quarantine[1].message })
    assert.same({ "refused", "accepted" }, states(res))
    assert.same({ row = 7, column = "hashedEmail", reason = "rejected_by_service", dropped = false }, rejects[1])
  end)

  it("finds refused members when the service lists only a few, and counts what is left as it does", function()
    local bad = json.array {}
    for i = 3, 400, 9 do
      bad[#bad + 1] = "r" .. i
    end
    local expected = 400 - #bad
    sandbox:configure { refuse = bad, issues_listed = 4 }
    local res = assert(run(400))
    world.assert_sums(res)
    assert.same({ expected, #bad, expected }, { res.accepted, res.rejected_by_service, #sandbox:ids "a" })
    assert.is_true(#res.requests < 40, #res.requests .. " requests")
    for i = 2, #res.quarantine do
      assert.equal(3, res.quarantine[i].row % 9)
    end
  end)

  it("gives up in bounds where the service refuses everybody, and maps its issues to rows", function()
    local bad = json.array {}
    for i = 1, 2000 do
      bad[i] = "r" .. i
    end
    sandbox:configure { refuse = bad, issues_listed = 5 }
    local res, err = run(2000)
    assert.is_nil(res)
    assert.same({ "invalid", 5 }, { err.kind, #err.issues })
    assert.is_number(err.issues[1].row)
    assert.is_true(#err.result.requests < 100)
    world.assert_sums(err.result)
  end)

  it("reads paths that are dotted or arrays, and keeps every audience of a request apart", function()
    local function audience(id)
      local made = assert(scope3.audience { id = id })
      for i = 1, 4 do
        assert(made:add { external_id = id .. i, email = id .. i .. "@example.com" })
      end
      assert(made:remove { external_id = id .. "gone" })
      return made
    end
    sandbox:fault { on = "sync", act = "issues", issues = {
      { path = "audiences.1.add.2.hashedEmail", message = "is odd" },
      { path = { "audiences", 0, "remove", 0 }, message = "is odd" } } }
    local res = assert(client_of():sync { audience "x", audience "y" })
    world.assert_sums(res)
    assert.same({ { "y", 3 }, { "x", 5 } }, { { res.quarantine[1].audience_id, res.quarantine[1].row },
      { res.quarantine[2].audience_id, res.quarantine[2].row } })
    assert.same({ "y1", "y2", "y4" }, sandbox:ids "y")
    assert.same({ "x1", "x2", "x3", "x4" }, sandbox:ids "x")
  end)

  it("sends all audiences of a failed task again, each without its own members that the service rejected", function()
    local list = {}
    for i, id in ipairs { "first", "second" } do
      list[i] = assert(scope3.audience(id))
      for j = 1, 4 do
        assert(list[i]:add { external_id = id .. j, email = id .. j .. "@example.com" })
      end
    end
    sandbox:configure { refuse = { "second2" }, task_outcomes = json.array { "failed:transient" } }
    local res = assert(sandbox:client():sync(list))
    assert(res:wait { timeout = 60, interval = 0.02 })
    world.assert_sums(res)
    assert.same({ 7, 0, 1 }, { res.accepted, res.replaced, res.rejected_by_service })
    assert.same({ 4, 3 }, { #sandbox:ids "first", #sandbox:ids "second" })
  end)

  it("sends the members of a task again that failed for a passing reason, from the file or from memory", function()
    sandbox:configure { task_outcomes = json.array { "completed", "failed:transient" } }
    local res = assert(assert(run(50, { max_members = 10 })):wait())
    world.assert_sums(res)
    assert.same({ 50, 0, 50, 6 }, { res.accepted, res.failed, #sandbox:ids "a", #res.requests })
    assert.same({ "failed", true, 11, 20 },
      { res.requests[2].state, res.requests[2].sent_again, res.requests[2].rows.first, res.requests[2].rows.last })
    assert.same({ "completed", 11, 20 },
      { res.requests[6].state, res.requests[6].rows.first, res.requests[6].rows.last })

    sandbox:reset()
    sandbox:configure { task_outcomes = json.array { "failed:transient", "failed:transient" } }
    local crm = assert(scope3.audience { id = "b" })
    assert(crm:add { external_id = "1", email = "a@example.com" })
    res = assert(assert(client_of():sync(crm)):wait())
    assert.same({ 1, 0, 3 }, { res.accepted, res.failed, #res.requests })
    assert.same({ "1" }, sandbox:ids "b")
  end)

  it("does so a few times only, and not where the members cannot be had again", function()
    sandbox:configure { task_outcomes = json.array {
      "failed:transient", "failed:transient", "failed:transient", "failed:transient",
    } }
    local res = assert(run(5))
    local waited, err = res:wait()
    assert.is_nil(waited)
    assert.same({ "task_failed", 3, 5, 0 }, { err.kind, #sandbox:requests "sync", res.failed, res.accepted })
    assert.same({ first = 1, last = 5 }, err.rows)
    world.assert_sums(res)
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local stream = assert(client_of():stream "b")
    assert(stream:add { external_id = "1", email = "a@example.com" })
    res = assert(stream:finish())
    waited, err = res:wait()
    assert.is_nil(waited)
    assert.same({ true, 1, { first = 1, last = 1 } }, { err.retryable, res.failed, err.rows })
  end)

  it("sends nothing again of a file that has changed since", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local path = world.file(csv(5))
    local res = assert(client_of():run({ map = MAP, audience = "a" }, path))
    local file = assert(io.open(path, "a"))
    file:write("r6,r6@example.com\n")
    file:close()
    local waited, err = res:wait()
    assert.is_nil(waited)
    assert.equal("changed_input", err.code)
    assert.same({ 1, 5 }, { #sandbox:requests "sync", res.failed })
    world.assert_sums(res)
  end)

  it("sends nothing again where the script gives other members the second time", function()
    for _, script in ipairs {
      function(n) return n % 2 == 1 end, -- every other row: of 5 rows, those that were left out before
      function(n) return n <= 5 end, -- nobody the second time
      function(n) return n ~= 7 end, -- all but one of them
    } do
      sandbox:reset()
      sandbox:configure { task_outcomes = json.array { "failed:transient" } }
      local n = 0
      local res = assert(client_of():run({ audience = "a", member = function(row)
        n = n + 1
        return script(n) and { external_id = row.id, email = row.mail } or nil
      end }, world.file(csv(5))))
      local _, err = res:wait()
      assert.equal("changed_input", err.code)
      assert.same({ 1, 0, res.members }, { #sandbox:requests "sync", res.accepted, res.failed })
      world.assert_sums(res)
    end
  end)

  it("counts what may have been carried out twice among what was sent, not where its task failed", function()
    sandbox:configure {
      task_outcomes = json.array { "failed:terminal", "failed:terminal" },
      faults = json.array { { on = "sync", act = "lost_reply" } },
    }
    local res = assert(run(5))
    assert.equal(5, res.possibly_twice)
    assert.is_nil((res:wait()))
    assert.same({ 0, 5, 0 }, { res.accepted, res.failed, res.possibly_twice })
  end)

  it("reports a task that failed for good with its rows and the service's own suggestion", function()
    for outcome, said in pairs {
      ["failed:correctable"] = "Correct the members",
      ["failed:terminal"] = "Ask your account manager", ["input-required"] = "Approve the audience",
    } do
      sandbox:reset()
      sandbox:configure { task_outcomes = json.array { "completed", outcome } }
      local res = assert(run(20, { max_members = 10 }))
      local waited, err = res:wait()
      assert.is_nil(waited)
      assert.truthy(err.message:find(said, 1, true), err.message)
      assert.equal(2, #sandbox:requests "sync")
      if outcome ~= "input-required" then
        assert.same({ "completed", "failed" }, states(res))
        assert.same({ { first = 11, last = 20 }, 10, 10 }, { err.rows, res.accepted, res.failed })
      else
        assert.same({ "completed", "accepted" }, states(res))
      end
      world.assert_sums(res)
    end
  end)

  it("has several requests under way where that is asked for, and holds no more payloads than these and one", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 0.05, times = -1 } } }
    local flying, most = 0, 0
    local res = assert(sandbox:client():run({ map = MAP, audience = "a" }, world.file(csv(200)), {
      max_members = 10, concurrency = 4,
      on_event = function(event)
        flying = flying + (event.event == "request" and 1 or event.event == "accepted" and -1 or 0)
        most = math.max(most, flying)
      end,
    }))
    assert.same({ 200, 4, 20 }, { res.accepted, most, #res.requests })
    assert.equal(200, #sandbox:ids "a")
    local overlap = 0
    for i = 2, 20 do
      overlap = overlap + (res.requests[i].send_start < res.requests[i - 1].send_end and 1 or 0)
    end
    assert.is_true(overlap > 10)
  end)

  it("keeps memory flat while it retries and waits", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply", share = 0.4, times = -1 } } }
    local function resident()
      for line in io.lines "/proc/self/status" do
        local kb = line:match "^VmRSS:%s+(%d+)"
        if kb then
          return tonumber(kb)
        end
      end
    end
    local client = client_of()
    local stream = assert(client:stream("a", { max_members = 500 }))
    local early
    for i = 1, 60000 do
      assert(stream:add { external_id = i, uids = { x = ("y"):rep(200) } })
      if i == 15000 then
        collectgarbage()
        early = resident()
      end
    end
    assert(stream:finish())
    collectgarbage()
    -- AddressSanitizer: up to 256 MB of it
    local more, keeps_freed = resident() - early, os.getenv "ASAN_OPTIONS" ~= nil
    assert.is_true(keeps_freed or more < 6 * 1024, ("%d kB more"):format(more))
  end)
end)

-- Every fault in every place, once and for good.
describe("whatever goes wrong", function()
  local sandbox = world.around(setup, teardown, before_each)

  local FAULTS = {
    { act = "delay", seconds = 0.01 }, { act = "cut_before" }, { act = "cut_inside" },
    { act = "cut_after" }, { act = "lost_reply" }, { act = "half_reply" }, { act = "garbage" },
    { act = "not_json" }, { act = "wrong_envelope" }, { act = "close" }, { act = "die_on_reuse" },
    { act = "echo", status = 409 }, { act = "redirect" }, { act = "hang" }, { act = "status", status = 400 },
    { act = "status", status = 401 }, { act = "status", status = 403 }, { act = "status", status = 404 },
    { act = "status", status = 409 }, { act = "status", status = 413 }, { act = "status", status = 422 },
    { act = "status", status = 429, retry_after = 7 }, { act = "status", status = 429 },
    { act = "status", status = 500 }, { act = "status", status = 501 }, { act = "status", status = 502, html = true },
    { act = "status", status = 503 }, { act = "status", status = 504, empty = true },
    { act = "status", status = 202, empty = true }, { act = "status", status = 200, html = true },
  }
  local PHASES = { { "sync", 0 }, { "sync", 3 }, { "sync", 11 }, { "task", 0 }, { "task", 6 }, { "audiences", 0 } }

  it("the audience holds what was meant, or the result names the rows that are missing", function()
    local started, cases, whole, nth = core.now(), 0, 0, 0
    local operations, expected = model.history(model.dice(7), 120, 60)
    local file = world.file(model.csv(operations))
    for _, phase in ipairs(PHASES) do
      for _, fault in ipairs(FAULTS) do
        nth = nth + 1
        local left_out = fault.act == "hang" and phase[1] ~= "sync" -- a poll has a minute's time
          or not world.thorough and nth % 4 ~= 0
        for _, times in ipairs(left_out and {} or { 1, -1 }) do
          sandbox:reset()
          local rule = { on = phase[1], after = phase[2], times = times }
          for key, value in pairs(fault) do
            rule[key] = value
          end
          sandbox:configure {
            clock = "manual", task_seconds = 2, task_jitter = 9,
            seed = cases + 1, retry_after = 3, faults = json.array { rule },
          }
          local client = sandbox:client { loop = virtual.loop(sandbox.url) }
          local opts = {
            max_members = 10, concurrency = cases % 3 + 1,
            in_doubt_timeout = 259200, timeout = fault.act == "hang" and 0.15 or nil,
          }
          local res, err = client:run({ audience = "a", member = model.member }, file, opts)
          local name = ("%s after %d %s, %d times: %s"):format(fault.act .. " " .. (fault.status or ""), phase[2],
            phase[1], times, tostring(err))
          local waited
          if res then
            waited, err = res:wait { timeout = 500 }
          end
          res = res or err.result
          sandbox:configure { faults = json.array {} }
          if not waited then
            res:wait { timeout = 500 } -- what was accepted takes effect, now that all is well
          end
          world.assert_sums(res)
          local ok, unsure = pcall(model.compare, sandbox, "a", expected, res)
          assert(ok, name .. ": " .. tostring(unsure))
          if res.failed + res.unknown == 0 and res.rows == 120 then
            assert(unsure == 0, name)
            whole = whole + 1
          end
          cases = cases + 1
        end
      end
    end
    print(("   %d cases in %.1f s; %d of them ended whole"):format(cases, core.now() - started, whole))
    assert.is_true(whole > cases / 3)
  end)
end)
