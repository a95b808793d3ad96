-- A request that is given up while it waits for its next attempt: what was sent before still counts.
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a request that waits to be sent again", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- A job of one request, each attempt at which meets the fault, and which is stopped before the second.
  local function run(fault)
    fault.on, fault.times = "sync", -1
    sandbox:fault(fault)
    local waits = false
    local client = sandbox:client { loop = virtual.loop() }
    local res, err = client:run({ map = people.MAP, audience = "a" }, people.rows(3), {
      on_event = function(event)
        waits = waits or event.event == "retry"
      end,
      cancel = function()
        return waits
      end,
    })
    assert.is_nil(res)
    assert.same({ "cancelled", 1 }, { err.kind, #sandbox:requests "sync" })
    world.assert_sums(err.result)
    return err
  end

  it("and is given up after its answer was lost may have been carried out", function()
    local err = run { act = "lost_reply" }
    assert.same({ true, 3, 0 }, { err.uncertain, err.result.unknown, err.result.failed })
  end)

  it("and is given up after it was refused was not carried out", function()
    local err = run { act = "status", status = 503 }
    assert.same({ nil, 0, 3 }, { err.uncertain, err.result.unknown, err.result.failed })
  end)
end)
