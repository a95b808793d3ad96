-- A request whose answer was lost may have been carried out. The result says so of all that takes its place: its
-- halves, what goes again after its task failed, and what a later run finds in the journal.
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }

local function input(rows)
  local lines = { "id,email" }
  for i = 1, rows do
    lines[i + 1] = ("u%d,u%d@example.com"):format(i, i)
  end
  return world.file(table.concat(lines, "\n"), ".csv")
end

describe("a copy of a request that was carried out", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, retry_after = 0 })

  local function run(file, opts)
    local res, err = sandbox:client { loop = virtual.loop() }:run(SCRIPT, file, opts)
    res = res or err.result
    world.assert_sums(res)
    return res
  end

  it("is told of members that go again after the other copy's task failed", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply" } },
      task_outcomes = json.array { "completed", "failed:transient" } }
    local res = run(input(2))
    assert.truthy(res:wait())
    local last = res.requests[#res.requests]
    assert.same({ 2, 2, 2, true }, { #res.requests, res.accepted, res.possibly_twice, last.possibly_twice })
  end)

  it("leaves the half unknown that was not sent any more", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply" },
      { on = "sync", act = "status", status = 413 }, { on = "sync", act = "status", status = 403 } } }
    local res = run(input(40))
    assert.same({ 0, 40, 0 }, { res.accepted, res.unknown, res.failed })
    assert.same({ "split", "unknown", "unknown" }, { res.requests[1].state, res.requests[2].state,
      res.requests[3].state })
    assert.equal(40, #sandbox:ids "a")
  end)

  -- What the service answers to the copy, the event after which the first run ends, and the members that are left.
  local HIDDEN = {
    ["was split"] = { { on = "sync", act = "status", status = 413 }, "split", 40 },
    ["went again without a member"] = { { on = "sync", act = "issues", issues = {
      { path = "audiences[0].add[0].hashedEmail", message = "is odd" } } }, "quarantined", 39 },
  }
  for how, case in pairs(HIDDEN) do
    it("is told of by a later run whose journal says that the request " .. how, function()
      local file, journal = input(40), world.path ".journal"
      sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply" }, case[1] } }
      run(file, { journal = journal, on_event = function(event)
        assert(event.event ~= case[2], "the end of this run")
      end })
      local res = run(file, { journal = journal })
      assert.same({ case[3], case[3] }, { res.accepted, res.possibly_twice })
    end)
  end

  it("is told of by a later run that sends again what failed for a passing reason", function()
    local file, opts = input(2), { journal = world.path ".journal", unique = true }
    sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply" } },
      task_outcomes = json.array { "completed", "failed:transient" } }
    run(file, opts):wait { on_event = function(event)
      assert(event.event ~= "resend", "the end of this run")
    end }
    local res = run(file, opts)
    assert.same({ 2, 2 }, { res.accepted, res.possibly_twice })
  end)

  it("is told of by a later run, too, whose journal has the other copy's task as failed", function()
    local file, opts = input(2), { journal = world.path ".journal" }
    sandbox:configure { faults = json.array { { on = "sync", act = "lost_reply" } },
      task_outcomes = json.array { "completed", "failed:terminal" } }
    local res = run(file, opts)
    assert.is_nil((res:wait()))
    assert.is_true(res.requests[1].possibly_twice)
    res = run(file, opts)
    assert.same({ "failed", true, true }, { res.requests[1].state, res.requests[1].resumed,
      res.requests[1].possibly_twice })
  end)
end)
