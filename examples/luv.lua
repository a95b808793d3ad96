-- Inside a luv (libuv) program: the client runs in coroutines, which uv.run() drives.
--   SCOPE3_API_KEY=… SCOPE3_ACCOUNT_ID=25 lua examples/luv.lua
local scope3 = require "scope3"
local uv = require "luv"

local client = scope3.assert(scope3.client { loop = "luv" })
local left = 3

for _, id in ipairs { "readers", "buyers", "lapsed" } do
  coroutine.wrap(function()
    local audience = scope3.assert(scope3.audience { id = id })
    for i = 1, 1000 do
      scope3.assert(audience:add { external_id = id .. "-" .. i, email = ("%s.%d@example.com"):format(id, i) })
    end
    local result = scope3.assert(client:sync(audience)) -- suspends only this coroutine
    scope3.assert(result:wait { timeout = 3600 })
    print(("%s: %d members, %s"):format(id, result.accepted, result.audience.status))
    left = left - 1
  end)()
end

local ticks, timer = 0, uv.new_timer()
timer:start(10, 10, function()
  ticks = ticks + 1
  if left == 0 then
    timer:close()
    print(ticks > 5 and "meanwhile, others ran" or "others hardly ran")
  end
end)

uv.run()
