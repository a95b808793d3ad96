-- An engine says when a step is due. With a descriptor it needs no clock of its caller.
local world = require "spec.support.world"

local curl = require "scope3.engine" -- behind the core, which `world` has loaded

describe("an engine", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("without a descriptor says after how many seconds a step is due, and with one nothing", function()
    local engine = curl.engine()
    assert.is_nil(engine:timeout())
    local id = engine:submit { method = "GET", url = sandbox.url, timeout = 30 }
    assert.is_truthy(id)
    local seconds = engine:timeout()
    if engine:pollfd() then
      assert.is_nil(seconds)
    else
      assert.is_true(seconds >= 0 and seconds <= 30, tostring(seconds))
    end
    assert.equal(id, world.next_result(engine).id)
    engine:close()
  end)
end)
