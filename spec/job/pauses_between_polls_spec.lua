-- How a wait asks again: after pauses that grow to half a minute, on and on while what fails is passing, and after the
-- pauses that the service or the caller wishes.
local answering = require "spec.support.answering"
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"

local function task(status, more)
  return ('{"task":{"taskId":"$ID","status":"%s","createdAt":"2026-11-01T00:00:00Z"%s}}'):format(status, more or "")
end

local WORKING, DONE, FAILING = task "working", task "completed", { 501, '{"error":{"code":"X","message":"no"}}' }

describe("a wait for a task", function()
  local server = answering.around(setup, teardown)

  -- Waits for a task that has these replies: the seconds of each pause, and how the wait ended.
  local function wait(replies, opts)
    server:play { task = replies }
    local loop, pauses = virtual.loop(), {}
    local sleep = loop.sleep
    function loop.sleep(seconds)
      pauses[#pauses + 1] = seconds
      sleep(seconds)
    end
    local client = server:client { loop = loop }
    local seen, err = client:wait("t1", opts)
    return pauses, seen, err
  end

  local function near(expected, pauses)
    assert.equal(#expected, #pauses)
    for i, seconds in ipairs(expected) do
      assert.is_true(math.abs(seconds - pauses[i]) < 0.2 * seconds, ("pause %d: %f"):format(i, pauses[i]))
    end
  end

  it("pauses half as long again each time, from a quarter of a second up to 30", function()
    local replies, expected, seconds = {}, {}, 0.25
    for i = 1, 15 do
      replies[i], expected[i] = WORKING, math.min(30, seconds)
      seconds = seconds * 1.5
    end
    replies[16] = DONE
    local pauses, seen = wait(replies)
    assert.equal("completed", seen.status)
    near(expected, pauses)
  end)

  it("pauses as long as the caller says, or else as the service wishes, from a second to an hour", function()
    near({ 7, 7, 7 }, (wait({ WORKING, WORKING, WORKING, DONE }, { interval = 7 })))
    for wish, seconds in pairs { [0] = 1, [1] = 1, [2] = 2, [3600] = 3600, [3700] = 3600 } do
      local asked = task("working", (',"retryAfterSeconds":%d'):format(wish))
      near({ seconds, seconds }, (wait { asked, asked, DONE }))
      near({ 7 }, (wait({ asked, DONE }, { interval = 7 })))
    end
  end)

  it("goes on past four failures in a row, as often as there are", function()
    local _, seen = wait { FAILING, FAILING, FAILING, FAILING, WORKING, FAILING, FAILING, FAILING, FAILING, DONE }
    assert.equal("completed", seen.status)
    local _, none, err = wait { WORKING, FAILING, FAILING, FAILING, FAILING, FAILING, DONE }
    assert.same({ nil, 501 }, { none, err.status })
  end)

  it("whose time is over says what it saw last", function()
    local STRANGE = ", which is no status that is known"
    for status, more in pairs { submitted = "", working = "", unknown = "", pondering = STRANGE } do
      local _, none, err = wait({ task(status) }, { timeout = 10 })
      assert.same({ nil, "timeout" }, { none, err.kind })
      assert.truthy(err.message:find(("the task was last seen as %s%s"):format(status, more) .. "$"), err.message)
    end
  end)

  it("without time asks once, and does not go on to the audience", function()
    server:play { task = { WORKING } }
    local ok, err = assert(server:client():sync(people.audience("a", 1))):wait { timeout = 0 }
    assert.same({ nil, "timeout", 1, 0 }, { ok, err.kind, #server:requests "/tasks/", #server:requests "/audiences%?" })
  end)

  it("without time asks once, and leaves it to a later one to send again what failed for a passing reason", function()
    server:play { task = { task("failed", ',"error":{"code":"BUSY","message":"later","recovery":"transient"}'), DONE } }
    local res = assert(server:client():sync(people.audience("a", 1)))
    for _ = 1, 2 do
      local ok, err = res:wait { timeout = 0 }
      assert.same({ nil, "task_failed", true, 1 }, { ok, err.kind, err.retryable, res.failed })
      assert.same({ 1, 1 }, { #server:requests "/sync$", #server:requests "/tasks/" })
    end
    assert(res:wait { timeout = 60 })
    assert.same({ "failed", "completed", 0 }, { res.tasks[1].status, res.tasks[2].status, res.failed })
    assert.same({ "READY", 2, 2 }, { res.audience.status, #server:requests "/sync$", #server:requests "/tasks/" })
  end)

  it("does not go on past a refusal", function()
    for _, status in ipairs { 400, 401, 403, 409 } do
      local _, none, err = wait { { status, '{"error":{"code":"X","message":"no"}}' }, DONE }
      assert.same({ nil, status }, { none, err.status })
    end
  end)
end)

describe("a new task", function()
  local server = answering.around(setup, teardown)

  it("that was seen may be gone for ten seconds, or for as long as it is new", function()
    local NONE = { 404, '{"error":{"code":"NOT_FOUND","message":"no"}}' }
    -- Polls come after 0.25, 0.6, 1.2, 2, 3.3, 5.2, 8, 12, 19 seconds and so on.
    local function replies(gone)
      local list = { WORKING }
      for i = 1, gone do
        list[1 + i] = NONE
      end
      list[#list + 1] = DONE
      return { task = list }
    end
    for gone, found in pairs { [7] = true, [8] = false } do
      server:play(replies(gone))
      assert.equal(found, (server:client():wait "t1") ~= nil)
    end
    for gone, found in pairs { [9] = true, [14] = false } do
      server:play(replies(gone))
      local res = assert(server:client():sync(people.audience("a", 1)))
      assert.equal(found, (res:wait { timeout = 3600 }) ~= nil)
    end
  end)

  it("may not be found for a minute after it was accepted, and one of a stranger for three seconds", function()
    local NONE = { 404, '{"error":{"code":"NOT_FOUND","message":"no"}}' }
    server:play { task = { NONE } }
    local loop = virtual.loop()
    local client = server:client { loop = loop }
    local res, began = assert(client:sync(people.audience("a", 1))), loop.now()
    local _, err = res:wait { timeout = 3600 }
    assert.equal("not_found", err.kind)
    local seconds = loop.now() - began
    assert.is_true(seconds >= 59 and seconds < 100, tostring(seconds))
    began = loop.now()
    _, err = client:wait("t9", { timeout = 3600 })
    assert.equal("not_found", err.kind)
    seconds = loop.now() - began
    assert.is_true(seconds >= 2.9 and seconds < 10, tostring(seconds))
  end)
end)
