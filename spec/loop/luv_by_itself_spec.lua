-- What only luv has to be asked for: a turn without a wait, and a wait where nothing can be suspended.
local scope3 = require "scope3"
local world = require "spec.support.world"

local found, uv = pcall(require, "luv")
local loop = found and require "scope3.loop.luv"

describe("the luv loop", found and function()
  local sandbox = world.around(setup, teardown, before_each)

  it("does not begin to wait for tasks outside a coroutine", function()
    local vips = assert(scope3.audience "vips")
    assert(vips:add { external_id = "1", email = "a@x.example" })
    local res = assert(sandbox:client():sync(vips))
    local waited, err = sandbox:client({ loop = "luv" }):wait(res)
    assert.same({ nil, "cannot_wait" }, { waited, err.kind })
  end)

  it("lets others take their turn in a sleep of no time", function()
    local order = {}
    local function task(name)
      coroutine.wrap(function()
        order[#order + 1] = name .. " begins"
        loop.sleep(0)
        order[#order + 1] = name .. " ends"
      end)()
    end
    task "a"
    task "b"
    uv.run()
    assert.same({ "a begins", "b begins" }, { order[1], order[2] }) -- both before one goes on
    table.sort(order)
    assert.same({ "a begins", "a ends", "b begins", "b ends" }, order)
  end)
end or function()
  pending "without luv"
end)
