-- Another process that uses the same account, and the same store of a limiter: it looks at audiences now and then.
local program = require "spec.simulation.program"

local neighbour = {}

--- Starts one.
function neighbour.start(world, plan, store)
  world:start(function()
    local client = program.client_of(world, { rate = plan.rate, store = store, on_event = function() end })
    for i, seconds in ipairs(plan.pauses) do
      coroutine.yield(world.now + seconds)
      local row, err = client:audience("of a neighbour")
      world:log("a neighbour looks %d: %s", i, tostring(row or err.kind))
    end
  end)
end

return neighbour
