-- Waiting for a task and for the matching of its audience, by polls or by callbacks.
local core = require "scope3.core"
local people = require "spec.support.people"
local scope3 = require "scope3"
local world = require "spec.support.world"

local audience, rows, MAP = people.audience, people.rows, people.MAP

describe("the client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("reports a task that failed, or waits for a person, with the service's own words", function()
    local client = sandbox:client()
    for outcome, kind in pairs {
      ["failed:transient"] = "task_failed", ["failed:terminal"] = "task_failed",
      canceled = "task_failed", rejected = "task_failed", ["input-required"] = "needs_action",
      ["auth-required"] = "needs_action", ["audience-error"] = "task_failed",
    } do
      sandbox:reset()
      sandbox:configure { task_outcomes = world.json.array { outcome, outcome, outcome } }
      local res = assert(client:sync(audience("a", 2)))
      local waited, err = res:wait()
      assert.is_nil(waited)
      assert.equal(kind, err.kind, outcome)
      assert.equal(res, err.result)
      if outcome == "failed:transient" then
        assert.same({ "INTERNAL_ERROR", true, 1 }, { err.code, err.retryable, err.retry_after })
        assert.truthy(err.message:find("Send the request again later", 1, true))
      end
    end
  end)

  it("gives up a wait at its timeout, also when the service invents a status", function()
    sandbox:configure { task_outcomes = world.json.array { "pondering" } }
    local res = assert(sandbox:client():sync(audience("a", 2)))
    local waited, err = res:wait { timeout = 0.6 }
    assert.is_nil(waited)
    assert.equal("timeout", err.kind)
  end)

  it("waits for a task by its id alone, or also for its audience", function()
    local client = sandbox:client()
    local res = assert(client:sync(audience("a", 120)))
    local id = res.tasks[1].task_id
    assert.equal("completed", assert(client:wait(id)).status)
    assert.equal("READY", assert(client:wait(id, { audience = "a" })).audience.status)
    assert.equal("completed", assert(client:task(id)).status)
    local task, err = client:task("no-such-task")
    assert.is_nil(task)
    assert.equal("not_found", err.kind)
  end)

  it("does not wait for an audience of which the service took nobody", function()
    sandbox:configure { refuse = world.json.array { "b1" } }
    local rejected = assert(scope3.audience { id = "b" })
    assert(rejected:add { external_id = "b1", email = "b1@example.com" })
    local res, err = sandbox:client():sync { audience("a", 2), rejected }
    res = res or err.result
    assert.same({ 2, 1 }, { res.accepted, res.rejected_by_service })
    assert(res:wait { interval = 0.01, timeout = 60 })
    assert.same({ "TOO_SMALL", "nil" }, { res.audiences[1].status, tostring(res.audiences[2].status) })
  end)

  it("ends with its tasks where the service took nobody of any audience", function()
    sandbox:configure { refuse = world.json.array { "b1" } }
    local refused = assert(scope3.audience { id = "b" })
    assert(refused:add { external_id = "b1", email = "b1@example.com" })
    local res, err = sandbox:client():sync(refused)
    res = res or err.result
    assert.same({ 0, 1 }, { res.accepted, res.rejected_by_service })
    local before = #sandbox:requests "list"
    assert(res:wait { interval = 0.01, timeout = 60 })
    assert.equal(before, #sandbox:requests "list")
  end)

  it("ends at once, and asks for nothing, where the service took nobody at all", function()
    sandbox:fault { on = "sync", act = "status", status = 400, times = -1 }
    local client = sandbox:client()
    local _, err = client:sync(people.audience("a", 2))
    local before = #sandbox:requests()
    assert.equal(err.result, assert(err.result:wait { timeout = 5 }))
    assert.equal(before, #sandbox:requests())
  end)

  it("waits for the matching of the last request, not of an earlier one", function()
    sandbox:configure {
      task_seconds = 0.2, audience_seconds = 0.15,
      faults = world.json.array { { on = "sync", act = "delay", seconds = 0.15, times = -1 } },
    }
    local res = assert(assert(sandbox:client():run({ map = MAP, audience = "a" }, rows(30),
      { max_members = 10 })):wait())
    assert.equal(30, res.audience.uploaded_count)
  end)

  it("does not take a row of before for the end of its wait", function()
    local client = sandbox:client()
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a", status = "READY", age = 3600 })
    sandbox:configure { audience_seconds = 0.5 }
    local res = assert(assert(client:sync(audience("a", 3))):wait())
    assert.equal("TOO_SMALL", res.audience.status)
  end)

  it("survives polls that fail, when they are few", function()
    sandbox:configure {
      task_seconds = 0.5,
      faults = world.json.array {
        { on = "task", act = "status", status = 502, times = 2 }, { on = "task", act = "cut_after" },
      },
    }
    local res = assert(sandbox:client():sync(audience("a", 3)))
    assert(res:wait())
  end)

  it("asks for callbacks, which the service then makes", function()
    local client = sandbox:client()
    local res = assert(client:sync(audience("a", 2), { push_notification_config = {
      url = sandbox.url .. "/health", operation_id = "op:1", token = ("t"):rep(16),
      authentication = { scheme = "HMAC-SHA256", credentials = ("s"):rep(32) },
    } }))
    assert(res:wait())
    local deadline, sent = core.now() + 30
    repeat
      sent = sandbox:control("GET", "callbacks").callbacks
    until (sent[1] and sent[1].status) or core.now() > deadline
    assert.is_number(sent[1].status) -- somebody answered it
    assert.equal(res.tasks[1].task_id, sent[1].task_id)
  end)
end)
