-- When a drainer tries again, and when one that ends with the queue gives up: decisions without a clock.
local tries = require "scope3.fleet.tries"

local FAILED = { kind = "http", status = 503 }

local function figures(entries, first)
  return { entries = entries, first = first }
end

describe("a try that failed", function()
  it("is followed by another one for ever, after a pause that grows to half a minute", function()
    local own = tries.new { patience = 10, lease = 30 }
    for n = 1, 300 do
      local longest = math.min(30, 0.5 * 2 ^ n)
      local seconds = own:failed(FAILED, n * 1000)
      assert.is_true(seconds >= longest / 2 and seconds <= longest, seconds)
      assert.equal(n, own.failures)
    end
    assert.equal(600, own:failed({ retry_after = 600 }, 300000))
  end)

  it("is the last one with once after as much patience as there is, since something went well", function()
    local own = tries.new { once = true, patience = 10, lease = 30 }
    assert.is_number(own:failed(FAILED, 100))
    assert.is_number(own:failed(FAILED, 109.9))
    own:went_well()
    assert.equal(0, own.failures)
    assert.is_number(own:failed(FAILED, 110))
    assert.is_number(own:failed(FAILED, 119.9))
    assert.is_nil(own:failed(FAILED, 120))
    assert.is_nil(tries.new({ once = true, lease = 30 }):failed(FAILED, 100))
  end)

  it("is not the last one with once where no request has had its turn under the rate, for three minutes", function()
    for _, case in ipairs { { nil, 180 }, { 10, 180 }, { 300, 300 } } do
      local own = tries.new { once = true, patience = case[1], lease = 30 }
      assert.is_number(own:failed({ kind = "timeout" }, 100, true))
      assert.is_number(own:failed({ kind = "timeout" }, 100 + case[2] - 0.1, true))
      assert.is_nil(own:failed({ kind = "timeout" }, 100 + case[2], true))
    end
  end)

  it("is not the last one where an audience may not be listed yet: else nothing would ever leave it", function()
    for _, code in ipairs { "audience_unknown", "audience_deleted" } do
      assert.is_number(tries.new({ once = true, lease = 30 }):failed({ kind = "invalid", code = code }, 100))
    end
  end)
end)

describe("standing by", function()
  it("has no end without once", function()
    local own = tries.new { patience = 10, lease = 30 }
    for n = 0, 1000 do
      assert.same({}, { own:stands_by(figures(n % 2, "1-0"), n * 1000) })
    end
  end)

  it("is over with once when the queue is empty, not while Redis does not tell", function()
    local own = tries.new { once = true, lease = 30 }
    assert.is_nil((own:stands_by(nil, 0)))
    assert.is_nil((own:stands_by(figures(3, "1-0"), 1)))
    assert.equal("done", (own:stands_by(figures(0), 2)))
  end)

  it("is given up with once where nothing is removed for three leases, or as long as patience is", function()
    for _, case in ipairs { { nil, 30, 90 }, { 80, 30, 90 }, { 100, 30, 100 }, { 300, 2, 300 } } do
      local own = tries.new { once = true, patience = case[1], lease = case[2] }
      assert.is_nil((own:stands_by(figures(2, "1-0"), 1000)))
      assert.same({}, { own:stands_by(figures(9, "1-0"), 1000 + case[3] - 0.1) })
      local ended, err = own:stands_by(figures(9, "1-0"), 1000 + case[3])
      assert.is_nil(ended)
      assert.equal("timeout", err.kind)
      assert.truthy(err.message:find(("removed nothing for %d s"):format(case[3]), 1, true), err.message)
    end
  end)

  it("begins anew with each entry that is removed, and where this one had the lease meanwhile", function()
    local own = tries.new { once = true, lease = 1 }
    for n = 0, 20 do
      assert.same({}, { own:stands_by(figures(9, n .. "-0"), n * 2.9) })
    end
    assert.same({}, { own:stands_by(figures(9, "20-0"), 60) })
    own:leads()
    assert.same({}, { own:stands_by(figures(9, "20-0"), 70) })
    assert.same({}, { own:stands_by(figures(9, "20-0"), 72.9) })
    assert.is_not_nil(select(2, own:stands_by(figures(9, "20-0"), 73)))
  end)

  it("forgives what failed before: Redis has answered", function()
    local own = tries.new { once = true, patience = 10, lease = 30 }
    own:failed(FAILED, 0)
    own:stands_by(figures(1, "1-0"), 5)
    assert.same({ 0, true }, { own.failures, own:failed(FAILED, 10) ~= nil })
  end)
end)
