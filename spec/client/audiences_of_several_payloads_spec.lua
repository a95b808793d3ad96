-- An audience with more members than one payload holds, 8 MiB: nothing of it is lost,
-- and a member that comes again in a later payload is sent after the tasks of the earlier ones.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local MOST = 100000 -- members, more than 8 MiB of JSON has

describe("an audience of several payloads", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- With `more` members after those, from the id `first` on.
  local function audience_of(more, first)
    local audience = assert(scope3.audience "a")
    for i = 1, MOST do
      assert(audience:add { external_id = tostring(i), email = "early@example.org" })
    end
    for i = first, first + more - 1 do
      assert(audience:add { external_id = tostring(i), email = "late@example.org" })
    end
    return audience
  end

  local function sync(audience)
    local barriers = 0
    local client = sandbox:client { on_event = function(event)
      barriers = barriers + (event.event == "barrier" and 1 or 0)
    end }
    local res = assert(client:sync(audience))
    assert(res:wait { timeout = 60, interval = 0.05 })
    world.assert_sums(res)
    return res, barriers
  end

  it("sends a member that comes again last, and waits before that", function()
    sandbox:configure { task_lengths = { 1, 0 } } -- the second task would end before the first
    local _, barriers = sync(audience_of(2, 1))
    assert.equal(1, barriers)
    local others = assert(scope3.audience "a")
    for i = 4, MOST do
      assert(others:remove { external_id = tostring(i) })
    end
    sync(others)
    local members = sandbox:members "a"
    assert.equal(core.sha256 "late@example.org", members["1"].hashedEmail)
    assert.equal(core.sha256 "late@example.org", members["2"].hashedEmail)
    assert.equal(core.sha256 "early@example.org", members["3"].hashedEmail)
  end)

  it("waits for nothing where all ids differ", function()
    local res, barriers = sync(audience_of(2, MOST + 1))
    assert.same({ 0, true, MOST + 2 }, { barriers, #res.requests > 1, res.accepted })
    assert.equal(MOST + 2, #sandbox:ids "a")
  end)
end)
