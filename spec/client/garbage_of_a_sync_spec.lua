-- A sync of one member leaves little behind: a server makes thousands, and its collector has to take all of it away.
local scope3 = require "scope3"
local world = require "spec.support.world"

-- Bytes that one sync may leave, its audience and its result among them: those that it leaves, and a tenth. It left a
-- third more.
local MOST = rawget(_G, "jit") and 26000
  or ({ ["Lua 5.1"] = 34000, ["Lua 5.2"] = 35000, ["Lua 5.3"] = 31000, ["Lua 5.4"] = 25000 })[_VERSION] or 35000

describe("a sync of one member", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function sync(client)
    local audience = assert(scope3.audience { id = "crm" })
    assert(audience:add { external_id = "x", email = "anna.smith@example.com" })
    assert(client:sync(audience))
  end

  -- The least of some: a table that outlives syncs doubles in one of them. Where the machine is busy, an answer comes
  -- in several turns of the loop, each of which leaves something.
  local function garbage(client)
    local least, rounds = math.huge, 0
    while rounds < 100 and least > MOST do
      rounds = rounds + 1
      collectgarbage()
      collectgarbage "stop"
      local before = collectgarbage "count"
      for _ = 1, 20 do
        sync(client)
      end
      least = math.min(least, (collectgarbage "count" - before) * 1024 / 20)
      collectgarbage "restart"
    end
    return least
  end

  it("leaves no more than so many bytes", function()
    local client = assert(scope3.client {
      api_key = "scope3_test_key", account_id = "25", base_url = sandbox.url, rate = 100000,
    })
    for _ = 1, 20 do
      sync(client)
    end
    local bytes = garbage(client)
    assert.is_true(bytes <= MOST, ("%.0f bytes, and at most %d are wanted"):format(bytes, MOST))
  end)
end)
