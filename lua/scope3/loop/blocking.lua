--- The loop of a plain script: waiting blocks.
local core = require "scope3.core"

---@type scope3.Loop
local blocking = { name = "blocking", sleep = core.sleep, now = core.now }

function blocking.wait(engine, seconds)
  engine:wait(seconds)
end

return blocking
