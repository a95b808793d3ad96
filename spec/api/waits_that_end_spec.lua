-- A wait ends at the final words of a task or an audience only, and at its timeout.
-- A 404 for a new task is waited out, and a sync that changed nothing ends the wait.
local answering = require "spec.support.answering"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function audience(id, members)
  local made = assert(scope3.audience { id = id })
  for i = 1, members or 2 do
    assert(made:add { external_id = ("%s-%d"):format(id, i), email = ("%s%d@example.com"):format(id, i) })
  end
  return made
end

local function row(status, rest)
  return ('{"audiences":[{"audienceId":"a","status":%s,"updatedAt":"2026-11-01T00:00:10Z"%s}],'
    .. '"total":1}'):format(status, rest or "")
end

local function task(status, rest)
  return ('{"task":{"taskId":"$ID","status":%s,"createdAt":"2026-11-01T00:00:00Z"%s}}'):format(status, rest or "")
end

describe("a wait", function()
  local server = answering.around(setup, teardown)

  it("ends at the final words of an audience alone, in any case", function()
    local client = server:client()
    for _, going in ipairs {
      '"processing"', '"Processing"', '"PROCESSING"', '"pondering"', '"MATCHING"',
      '"queued"', "null", '""', "5", '{"a":1}', '"UNKNOWN"', '"\\u001b[2J"',
    } do
      for said, want in pairs {
        READY = "READY", ready = "READY", ["too-small"] = "TOO_SMALL",
        Too_Small = "TOO_SMALL", suspended = "SUSPENDED", SUSPENDED = "SUSPENDED",
      } do
        server:play { audiences = { row(going), row(going), row('"' .. said .. '"') } }
        local res = assert(client:sync(audience "a"))
        assert(res:wait { timeout = 600 })
        assert.equal(want, res.audience.status, going)
        assert.equal(3, #server:requests "/audiences%?")
        assert.equal(want ~= "READY" and "audience_" .. want:lower() or nil, res.warnings[1] and res.warnings[1].code)
      end
      server:play { audiences = { row(going), row '"error"' } }
      local res = assert(client:sync(audience "a"))
      local _, err = res:wait { timeout = 600 }
      assert.same({ "task_failed", "ERROR" }, { err.kind, res.audience.status })
    end
  end)

  it("warns of an audience once, however often it is asked for", function()
    for _, word in ipairs { "ERROR", "SUSPENDED", "TOO_SMALL" } do
      server:play { audiences = { row('"' .. word .. '"', ',"matchedCount":5') } }
      local res = assert(server:client():sync(audience "a"))
      for _ = 1, 3 do
        res:wait { timeout = 60 }
      end
      local codes = {}
      for i, warning in ipairs(res.warnings) do
        codes[i] = warning.code
      end
      assert.same({ "audience_" .. word:lower() }, codes)
    end
  end)

  it("shows twenty problems of an audience", function()
    for _, case in ipairs { { 1, 1 }, { 19, 19 }, { 20, 20 }, { 21, 20 }, { 30, 20 } } do
      local problems = {}
      for i = 1, case[1] do
        problems[i] = ('{"message":"no %d"}'):format(i)
      end
      server:play { audiences = { row('"READY"', ',"matchedCount":5,"warnings":['
        .. table.concat(problems, ",") .. "]") } }
      local res = assert(server:client():sync(audience "a"))
      assert(res:wait { timeout = 60 })
      assert.equal(case[2], #res.warnings)
    end
  end)

  it("ends at the final words of a task alone, in any case and spelling", function()
    local client = server:client()
    for said, want in pairs { completed = "completed", Completed = "completed", COMPLETED = "completed" } do
      server:play { task = {
        task '"pondering"', task '"Submitted"', task '"unknown"', task '"WORKING"', task('"' .. said .. '"'),
      } }
      assert.equal(want, assert(client:wait "t1").status)
    end
    for said, want in pairs {
      FAILED = "failed", cancelled = "canceled", Canceled = "canceled", CANCELLED = "canceled", Rejected = "rejected",
    } do
      server:play { task = { task '"in_progress"', task('"' .. said .. '"') } }
      local none, err = client:wait "t1"
      assert.same({ nil, "task_failed" }, { none, err.kind })
      assert.truthy(err.message:find("ended as " .. want, 1, true), err.message)
    end
    for _, said in ipairs {
      "input-required", "input_required", "INPUT_REQUIRED", "Auth-Required", "auth_required", "auth required",
    } do
      server:play { task = { task '"working"', task('"' .. said .. '"') } }
      local none, err = client:wait "t1"
      assert.same({ nil, "needs_action" }, { none, err.kind }, said)
    end
  end)

  it("for several tasks fails by the first that waits for a person, or else by the first that failed", function()
    local client = server:client()
    for first, statuses in pairs {
      [1] = { "input-required", "input-required" }, [2] = { "failed", "input-required" },
    } do
      server:play {}
      local res = assert(client:sync(audience "a", { max_members = 1 }))
      local replies = {}
      for i, status in ipairs(statuses) do
        replies[i] = task(('"%s"'):format(status))
      end
      server:play { task = replies }
      local _, err = res:wait { timeout = 30 }
      assert.same({ "needs_action", res.tasks[first].task_id }, { err.kind, err.task_id })
    end
  end)

  it("takes a row from before the task for its end at once where all tasks say that nothing has changed", function()
    local OLD = '{"audiences":[{"audienceId":"a","status":"READY","updatedAt":"2026-10-01T00:00:00Z"}],"total":1}'
    local function done(action)
      return task('"completed"', (',"response":{"audiences":[{"audienceId":"a","action":"%s"}]}'):format(action))
    end
    for _, case in ipairs {
      { true, "unchanged" }, { false, "updated" }, { true, "unchanged", "unchanged" },
      { false, "updated", "unchanged" }, { false, "unchanged", "updated" },
    } do
      local replies = { done(case[2]), case[3] and done(case[3]) }
      server:play { task = replies, audiences = { OLD } }
      local client = server:client { loop = virtual.loop() }
      local res = assert(client:sync(audience "a", { max_members = case[3] and 1 or 2 }))
      assert(res:wait { timeout = 600 })
      assert.equal("READY", res.audience.status)
      assert.equal(case[1], #server:requests "/audiences%?" == 1, table.concat(case, " ", 2))
    end
  end)

  it("gives an audience that is to be deleted thirty seconds to go, and any other three to change", function()
    for polls, deletes in pairs { [31] = true, [4] = false } do
      server:play { audiences = {
        '{"audiences":[{"audienceId":"a","status":"READY","updatedAt":"2026-10-01T00:00:00Z"}],"total":1}' } }
      local loop, seconds = virtual.loop(), 0 -- a clock of pauses alone
      function loop.now()
        return seconds
      end
      function loop.sleep(pause)
        seconds = seconds + pause
      end
      local made = deletes and scope3.audience({ id = "a" }):delete() or audience "a"
      local res = assert(server:client({ loop = loop }):sync(made))
      res:wait { timeout = 600, interval = 1 }
      assert.equal(polls, #server:requests "/audiences%?")
    end
  end)

  it("of no time asks for every task once", function()
    server:play { task = { task '"working"' } }
    local res = assert(server:client():sync(audience "a", { max_members = 1 }))
    local _, err = res:wait { timeout = 0 }
    assert.same({ "timeout", 2 }, { err.kind, #server:requests "/tasks/" })
  end)

  it("for what the service took nothing of asks nothing", function()
    local client = server:client()
    server:play { sync = { { 400, '{"error":{"code":"X","message":"no"}}' } } }
    local _, err = client:sync(audience "a")
    assert(err.result:wait { timeout = 30 })
    assert.equal(0, #server:requests "/audiences%?")
  end)

  it("whose time is over says what was seen last, and names a word that is not known", function()
    local client = server:client()
    server:play { task = { task '"pondering"' } }
    local res = assert(client:sync(audience "a"))
    local _, err = res:wait { timeout = 30 }
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("the task was last seen as pondering, which is no status that is known", 1, true),
      err.message)
    server:play { audiences = { row '"matching"' } }
    res = assert(client:sync(audience "a"))
    _, err = res:wait { timeout = 30 }
    assert.truthy(err.message:find("the audience was last seen as matching, which is no status that is known", 1, true),
      err.message)
    server:play { audiences = { row '"processing"' } }
    res = assert(client:sync(audience "a"))
    local events = {}
    _, err = res:wait { timeout = 30, on_event = function(event)
      events[event.event .. " " .. tostring(event.status)] = true
    end }
    assert.truthy(err.message:find("the audience was last seen as PROCESSING$"), err.message)
    assert.truthy(events["audience PROCESSING"] and events["task completed"])
    server:play { audiences = { '{"audiences":[],"total":0}' } }
    res = assert(client:sync(audience "a"))
    _, err = res:wait { timeout = 30 }
    assert.truthy(err.message:find("does not list the audience yet", 1, true), err.message)
    server:play { task = { task '"jane@example.com \\u001b[2J"' } }
    res = assert(client:sync(audience "a"))
    _, err = res:wait { timeout = 30 }
    assert.truthy(err.message:find("last seen as unknown$"), err.message)
  end)

  it("fails where the audience is deleted, unless that is what was asked for", function()
    local client = server:client()
    for _, status in ipairs { '"READY"', '"processing"', "null", '"ERROR"' } do
      server:play { audiences = { row(status, ',"deleted":true') } }
      local res = assert(client:sync(audience "a"))
      local waited, err = res:wait { timeout = 600 }
      assert.same({ nil, "task_failed", "audience_deleted" }, { waited, err.kind, err.code })
      assert.is_true(res.audience.deleted)
      waited, err = client:wait("t1", { audience = "a" })
      assert.same({ nil, "audience_deleted" }, { waited, err.code })
    end
    for _, rows in ipairs {
      { row('"READY"', ',"deleted":true') },
      { row '"READY"', row('"READY"', ',"deleted":true') }, { '{"audiences":[],"total":0}' },
    } do
      server:play { audiences = rows }
      local res = assert(client:sync(scope3.audience({ id = "a" }):delete()))
      assert(res:wait { timeout = 600 })
      assert.is_true(res.audience.deleted)
    end
    server:play { audiences = { row '"READY"' } }
    local res = assert(client:sync(scope3.audience({ id = "a" }):delete()))
    local _, err = res:wait { timeout = 600 }
    assert.equal("audience_not_deleted", err.code)
  end)

  it("waits a 404 out while the task is new: on its own, between epochs, and before a deletion", function()
    local client = server:client()
    local gone = { 404, '{"data":null,"error":{"code":"NOT_FOUND","message":"no such task"}}' }
    server:play { task = { gone, gone, gone, gone, gone, gone, task '"completed"' } }
    local res = assert(client:sync(audience "a"))
    local seen = 0
    assert(res:wait { timeout = 600, on_event = function(event)
      seen = seen + (event.status == "not found yet" and 1 or 0)
    end })
    assert.equal(6, seen)

    server:play { task = { gone, gone, task '"working"', gone, task '"completed"' }, audiences = { row '"READY"' } }
    assert(client:sync(audience "a", { delete_missing = "all" }))
    assert.equal(2, #server:requests "/sync$")

    server:play { task = { gone, gone, gone, task '"completed"' } }
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n1,e@f.co\n"
    res = assert(client:run({ map = { external_id = "id", email = "mail" }, audience = "a", unique = true }, csv,
      { max_members = 1 }))
    assert.same({ 3, 2 }, { res.accepted, res.epochs })

    server:play { task = { gone } }
    res = assert(client:sync(audience "a"))
    local _, err = res:wait { timeout = 3600 }
    assert.equal("not_found", err.kind)
    _, err = assert(client:sync(audience "a")):wait { timeout = 20 }
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("does not find the task yet", 1, true), err.message)
  end)

  it("for an unknown id is over soon", function()
    local loop = virtual.loop()
    local client = server:client { loop = loop }
    server:play { task = { { 404, "" }, { 404, "" }, task '"completed"' } }
    assert(client:wait "t1")
    server:play { task = { { 404, "" } } }
    local before = loop.now()
    local none, err = client:wait "t1"
    assert.same({ nil, "not_found" }, { none, err.kind })
    assert.is_true(loop.now() - before < 30)
  end)

  it("does not take an account that the list does not know for an audience that is new", function()
    local client = server:client()
    server:play { audiences = {
      { 404, '{"data":null,"error":{"code":"NOT_FOUND","message":"Advertiser not found"}}' },
    } }
    local _, err = assert(client:sync(audience "a")):wait { timeout = 3600 }
    assert.same({ "not_found", 404 }, { err.kind, err.status })
  end)

  it("ends where a sync changed nothing, so that the row is as old as before", function()
    local loop = virtual.loop()
    local client = server:client { loop = loop }
    for _, updated in ipairs {
      "2026-10-31T23:59:59.9Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00+01:00", "2026-11-01T00:00:1.2.3Z",
    } do
      local old = '{"audiences":[{"audienceId":"a","status":"READY","updatedAt":"' .. updated .. '"}],"total":1}'
      server:play { audiences = { old } }
      local before = loop.now()
      local res = assert(client:sync(audience "a"))
      assert(res:wait())
      assert.is_true(loop.now() - before < 60)
      assert.same({ "READY", "audience_not_updated" }, { res.audience.status, res.warnings[1].code })
      assert.equal("READY", assert(client:wait("t1", { audience = "a" })).audience.status)

      -- One that is matched after all is not taken for it.
      server:play { audiences = { old, old, old, row '"processing"', row '"ready"' } }
      res = assert(client:sync(audience "a"))
      assert(res:wait())
      assert.same({ 0, 5 }, { #res.warnings, #server:requests "/audiences%?" })

      -- The task says so itself.
      server:play {
        audiences = { old },
        task = { task('"completed"', ',"response":{"audiences":[{"audienceId":"a","action":"Unchanged"}]}') },
      }
      res = assert(client:sync(audience "a"))
      assert(res:wait())
      assert.same({ 0, 1 }, { #res.warnings, #server:requests "/audiences%?" })
    end
  end)
end)
