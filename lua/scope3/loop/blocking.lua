--- The loop of a plain script: waiting blocks.
local core = require "scope3.core"

---@class scope3.Loop
---@field name string
---@field wait fun(engine: table, seconds: number)  returns when the engine may have news, or after `seconds`
---@field sleep fun(seconds: number)
---@field now fun(): number  seconds of a clock that only goes forward
local blocking = { name = "blocking", sleep = core.sleep, now = core.now }

function blocking.wait(engine, seconds)
  engine:wait(seconds)
end

return blocking
