-- Audiences in memory that are larger than one payload: what they do to one id twice is done in that order.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local LONG = ("x"):rep(4000) -- ids so long that some 2,000 members fill a payload

describe("an audience larger than a payload", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- Adds so many members, does some more, and sends the audience. Gives how often the job waited, and the result.
  local function send(members, more)
    local audience = assert(scope3.audience { id = "a" })
    for i = 1, members do
      assert(audience:add { external_id = LONG .. i, email = "a@example.com" })
    end
    more(audience)
    local waits, waited_after = 0, nil
    local res = assert(sandbox:client { loop = virtual.loop() }:sync(audience, { on_event = function(event)
      if event.event == "barrier" then
        waits, waited_after = waits + 1, event.tasks
      end
    end }))
    world.assert_sums(res)
    return waits, waited_after, res
  end

  it("waits for the tasks of its earlier payloads before it does something else to an id of them", function()
    sandbox:configure { task_order = "reversed", task_seconds = 0.05, retry_after = 0.02 }
    local waits, after, res = send(2300, function(audience)
      assert(audience:remove { external_id = LONG .. 1 })
    end)
    assert.same({ 1, #res.requests - 1, 2 }, { waits, after, res.epochs })
    assert.equal(2299, assert(res:wait()).audience.uploaded_count)
  end)

  it("does not wait where no id is in two of its payloads", function()
    local waits, _, res = send(2300, function() end)
    assert.same({ 0, 1, 2300 }, { waits, res.epochs, res.accepted })
    assert.is_true(#res.requests > 1)
  end)
end)
