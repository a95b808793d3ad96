-- A request that is given up while it waits for its next attempt: what was sent before still counts.
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a request that waits to be sent again", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- A job of one request, each attempt at which meets the fault, and which is stopped before the second:
  -- once the first is on the wire, or once it has failed.
  local function run(fault, stops_at)
    fault.on, fault.times = "sync", -1
    sandbox:fault(fault)
    local stops, loop = false, virtual.loop()
    if stops_at == "retry" then -- a machine so busy that the next attempt is due before anything else is looked at
      local now = loop.now
      function loop.now()
        loop.sleep(1)
        return now()
      end
    end
    local client = sandbox:client { loop = loop }
    local res, err = client:run({ map = people.MAP, audience = "a" }, people.rows(3), {
      on_event = function(event)
        stops = stops or event.event == stops_at
      end,
      cancel = function()
        return stops
      end,
    })
    assert.is_nil(res)
    assert.same({ "cancelled", 1 }, { err.kind, #sandbox:requests "sync" })
    world.assert_sums(err.result)
    return err
  end

  it("and is given up after its answer was lost may have been carried out", function()
    for _, event in ipairs { "request", "retry" } do
      local err = run({ act = "lost_reply" }, event)
      assert.same({ true, 3, 0 }, { err.uncertain, err.result.unknown, err.result.failed })
      sandbox:reset()
    end
  end)

  it("and is given up after it was refused was not carried out", function()
    for _, event in ipairs { "request", "retry" } do
      local err = run({ act = "status", status = 503 }, event)
      assert.same({ nil, 0, 3 }, { err.uncertain, err.result.unknown, err.result.failed })
      sandbox:reset()
    end
  end)
end)
