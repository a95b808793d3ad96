-- The limiter's store may hold times of another clock: one that went back, was set, or began at another boot.
-- No request waits longer than a minute, or than the service asked for.
local burst = require "spec.support.burst"
local core = require "scope3.core"
local limiter = require "scope3.http.limiter"
local scope3 = require "scope3"
local shared_store = require "spec.support.shared_store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a limiter whose store has another clock's times", function()
  local sandbox = world.around(setup, teardown, before_each)
  local WHO = { host = "h", key = "k" }
  local RATE = 5000 -- requests a minute: never what holds one back

  local STORES = {
    ["a table"] = shared_store,
    ["a file"] = function()
      return world.path ".limiter"
    end,
  }

  for what, store_of in pairs(STORES) do
    it("waits a minute at most, whether the clock went back or forward: " .. what, function()
      for _, case in ipairs {
        { 864000, 10 }, { 864000, 863000 }, { 2e9, 1.7e9 }, { 1e6, 1e6 - 30 },
        { 1e6, 1e6 - 61 }, { 1e6, 1e6 - 7 }, { 1e6, 1e6 - 3 }, { 1000, 1e6 },
      } do
        local own = assert(limiter.new(store_of()))
        assert.equal(5, burst(own, 5, false, case[1]))
        local now, waited = case[2], 0
        local wait = own:pass(WHO, 5, false, now)
        while wait > 0 do
          assert.is_true(wait <= 63)
          waited = waited + wait
          wait = own:pass(WHO, 5, false, now + waited)
        end
        assert.is_true(waited <= 68, ("%d to %d: waited %f"):format(case[1], case[2], waited))
        if case[2] < case[1] then -- sent just now, as far as anybody knows
          assert.is_true(waited > 50, ("%d to %d: waited %f"):format(case[1], case[2], waited))
        end
        assert.equal(4, burst(own, 5, false, now + waited))
      end
    end)

    it("waits for what the service said no longer than it said: " .. what, function()
      local own = assert(limiter.new(store_of()))
      own:block(WHO, 40, 864000)
      assert.is_true(own:pass(WHO, RATE, false, 10) <= 40.2 and own:pass(WHO, RATE, false, 10) > 39)
      assert.equal(0, own:pass(WHO, RATE, false, 51))
      local other = { host = "h", key = "other" }
      own:learn(other, { ratelimit = "limit=9, remaining=0, reset=50" }, 0, 864000)
      assert.is_true(own:pass(other, RATE, false, 10) <= 50 and own:pass(other, RATE, false, 10) > 49)
      assert.equal(0, own:pass(other, RATE, false, 61))
    end)

    it("is shared by machines whose clocks differ by some seconds: " .. what, function()
      local store = store_of()
      local skews, all, now = { -2, 0, 2 }, {}, 50000
      for i in ipairs(skews) do
        all[i] = assert(limiter.new(store))
      end
      local at = {}
      while now < 50000 + 600 do
        local wait = math.huge
        for i, skew in ipairs(skews) do
          local one = all[i]:pass(WHO, 30, false, now + skew)
          if one == 0 then
            at[#at + 1] = now
          end
          wait = math.min(wait, math.max(one, 0.05))
        end
        now = now + wait
      end
      assert.is_true(#at >= 250 and #at <= 330, #at .. " in ten minutes")
    end)
  end

  it("counts by the time of day where others have the store, too", function()
    sandbox:configure { clock = "manual" }
    local store, loop = STORES["a table"](), virtual.loop(sandbox.url)
    local vips = assert(scope3.audience { id = "v" })
    assert(vips:add { external_id = "1", uids = { x = "1" } })
    assert(sandbox:client({ loop = loop, limiter = scope3.limiter(store) }):sync(vips))
    local last = store.values[("127.0.0.1:%d:last"):format(sandbox.port)]
    assert.is_true(math.abs(last - core.time()) < 30, tostring(last))
    -- A loop's own clock may begin anywhere.
    local odd = {
      name = "odd", now = function() return core.now() + 1e6 end, sleep = core.sleep,
      wait = function(engine, seconds)
        engine:wait(seconds)
      end,
    }
    assert(sandbox:client({ loop = odd, limiter = scope3.limiter(store) }):sync(vips))
    last = store.values[("127.0.0.1:%d:last"):format(sandbox.port)]
    assert.is_true(math.abs(last - core.time()) < 30, tostring(last))
  end)
end)
