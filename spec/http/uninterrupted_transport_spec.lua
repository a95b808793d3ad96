-- In a host that interrupts Lua anywhere, others are held back while a transport changes what callers share, and let go
-- afterwards. HAProxy is such a host: spec/loop/haproxy_spec.lua.
local core = require "scope3.core"
local people = require "spec.support.people"
local uninterrupted = require "scope3.http.uninterrupted"
local world = require "spec.support.world"

describe("a transport that is not interrupted", function()
  local function noting(names)
    local order, plain = {}, {}
    for _, name in ipairs(names) do
      plain[name] = function(_, ...)
        order[#order + 1] = name
        return ...
      end
    end
    local loop = {
      hold = function() order[#order + 1] = "hold" end,
      rest = function() order[#order + 1] = "rest" end,
    }
    return setmetatable({ loop = loop }, uninterrupted.of(plain)), order, plain
  end

  for _, name in ipairs { "start", "pump", "drive", "give_up", "size_limit", "learn_size" } do
    it("holds others back for the time of " .. name .. ", and gives back what that gives", function()
      local transport, order = noting { name }
      assert.same({ 3, { 1, nil, 3 } }, { select("#", transport[name](transport, 1, nil, 3)),
        { transport[name](transport, 1, nil, 3) } })
      assert.same({ "hold", name, "rest", "hold", name, "rest" }, order)
    end)
  end

  for _, name in ipairs { "start_due", "advance" } do
    it("holds others back from " .. name .. " on", function()
      local transport, order = noting { name }
      assert.equal(7, transport[name](transport, 7))
      assert.same({ "hold", name }, order)
    end)
  end

  it("has all other methods as they are, and is made once", function()
    local transport, order, plain = noting { "await" }
    assert.equal(5, transport:await(5))
    assert.same({ "await" }, order)
    assert.equal(uninterrupted.of(plain), uninterrupted.of(plain))
  end)
end)

describe("a client whose loop holds others back", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("has let them go when a call ends, and held them back whenever it came to its engine", function()
    local held, holds, bare = false, 0, 0
    local loop = { name = "holding", now = core.now, sleep = core.sleep }
    function loop.hold()
      held, holds = true, holds + 1
    end
    function loop.rest()
      held = false
    end
    function loop.wait(engine, seconds)
      bare = bare + (held and 0 or 1)
      engine:wait(seconds)
      held = false
    end
    local client = sandbox:client { loop = loop }
    local res = assert(client:sync(people.audience("a", 3)))
    assert.is_false(held)
    assert(res:wait { timeout = 60 })
    assert.is_false(held)
    assert.is_true(holds > 3)
    assert.equal(0, bare)
  end)
end)
