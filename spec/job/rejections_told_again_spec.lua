-- A job that is taken up again tells its listener of what the service had refused before, as of what it refuses now.
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }

describe("what the service refused in an earlier run", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("is told to on_reject once more when the job is taken up", function()
    local file = world.file("id,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n", ".csv")
    local journal = world.path ".journal"
    sandbox:configure { faults = json.array { { on = "sync", after = 0, act = "issues",
      issues = { { path = "audiences[0].add[0].hashedEmail", message = "is odd" } } } } }
    local function run(end_after)
      local told, accepted = {}, 0
      local res, err = sandbox:client({ loop = virtual.loop() }):run(SCRIPT, file, {
        journal = journal, max_members = 2,
        on_reject = function(rejection)
          told[#told + 1] = ("%d %s"):format(rejection.row, rejection.reason)
        end,
        on_event = function(event)
          accepted = accepted + (event.event == "accepted" and 1 or 0)
          assert(event.event ~= "accepted" or accepted ~= end_after, "the end of this run")
        end })
      return res or err.result, told, err
    end
    local _, first, err = run(1)
    assert.same({ "callback_error", { "1 rejected_by_service" } }, { err.code, first })
    local res, again, none = run()
    assert.is_nil(none)
    assert.same({ { "1 rejected_by_service" }, 2, 1 }, { again, res.accepted, res.rejected_by_service })
  end)
end)
