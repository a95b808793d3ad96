-- What only luv has to be asked for: a turn without a wait.
local found, uv = pcall(require, "luv")
local loop = found and require "scope3.loop.luv"

describe("the luv loop", found and function()
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
