-- A loop whose clock runs ahead of the world's: nobody sleeps. A sandbox on its manual clock is taken along;
-- the two stand still together, because what a busy machine takes its time for must not pass for one of them alone.
local core = require "scope3.core"
local curl = require "scope3.engine"
local json = require "scope3.sandbox.json"

local virtual = {}

--- Makes one.
---@param url? string  of a sandbox whose clock is "manual"
---@return scope3.Loop
function virtual.loop(url)
  local engine = url and assert(curl.engine { connect_timeout = 10 })
  local skipped, started = 0, core.now()
  local loop = { name = "virtual" .. tostring({}) } -- an engine of its own

  function loop.now()
    return (engine and started or core.now()) + skipped
  end

  function loop.sleep(seconds)
    skipped = skipped + seconds
    if engine then
      assert(engine:submit {
        method = "PUT", url = url .. "/sandbox/clock",
        body = { json.encode { advance = seconds } }, headers = {}, timeout = 60,
      })
      while not engine:step() do
        engine:wait(1)
      end
      assert(engine:result().status == 200)
    end
  end

  function loop.wait(other, seconds)
    if other:count() > 0 then
      other:wait(math.min(seconds, 1))
    else
      loop.sleep(seconds)
    end
  end

  --- Seconds by this clock since it was made.
  function loop.elapsed()
    return loop.now() - started
  end

  return loop
end

return virtual
