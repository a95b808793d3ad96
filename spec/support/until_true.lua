-- Waits until a condition holds, with a generous deadline; fails with what did not come.
local core = require "scope3.core"

return function(condition, what)
  local deadline = core.now() + 30
  while not condition() do
    assert(core.now() < deadline, what)
    core.sleep(0.02)
  end
end
