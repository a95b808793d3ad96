-- Inside a cqueues program: sends several audiences at once, while other coroutines run. The client finds the loop.
--   SCOPE3_API_KEY=… SCOPE3_ACCOUNT_ID=25 lua examples/cqueues.lua
local cqueues = require "cqueues"
local scope3 = require "scope3"

local client = scope3.assert(scope3.client {})
local queue = cqueues.new()
local left = 3

for _, id in ipairs { "readers", "buyers", "lapsed" } do
  queue:wrap(function()
    local audience = scope3.assert(scope3.audience { id = id })
    for i = 1, 1000 do
      scope3.assert(audience:add { external_id = id .. "-" .. i, email = ("%s.%d@example.com"):format(id, i) })
    end
    local result = scope3.assert(client:sync(audience)) -- suspends only this coroutine
    scope3.assert(result:wait { timeout = 3600 })
    print(("%s: %d members, %s"):format(id, result.accepted, result.audience.status))
    left = left - 1
  end)
end

queue:wrap(function()
  local ticks = 0
  while left > 0 do
    cqueues.sleep(0.01)
    ticks = ticks + 1
  end
  print(ticks > 5 and "meanwhile, others ran" or "others hardly ran")
end)

assert(queue:loop())
