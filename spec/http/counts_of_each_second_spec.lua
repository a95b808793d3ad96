-- A rate is counted in seconds of the clocks of all who share it. One that is up to five seconds ahead counts where it
-- says, one that is further ahead counts as now. Each count is kept as long as anybody may look at it, and no longer.
local burst = require "spec.support.burst"
local limiter = require "scope3.http.limiter"
local shared_store = require "spec.support.shared_store"

local WHO = { host = "h", key = "k" }
local NOW = 1e6 + 0.5

-- Seconds until one goes.
local function waits(own, rate, now)
  local waited, looks, wait = 0, 1, own:pass(WHO, rate, false, now)
  while wait > 0 do
    assert(looks <= 10, "no end")
    waited, looks = waited + wait, looks + 1
    wait = own:pass(WHO, rate, false, now + waited)
  end
  return waited
end

-- A machine that asks, where another one has sent one request at each of these times.
local function after(rate, times)
  local store = shared_store()
  local other = limiter.new(store)
  for _, at in ipairs(times) do
    assert.equal(0, other:pass(WHO, rate, false, NOW + at))
  end
  return limiter.new(store), store
end

describe("a place that another clock counted", function()
  it("is free a minute and a second after the end of its second, or of this one where that is far ahead", function()
    for _, case in ipairs {
      -- seconds ahead -> seconds until the place is free
      { -61, 0.501 }, { -30, 31.501 }, { 0, 61.501 }, { 1, 62.501 }, { 4, 65.501 }, { 5, 66.501 }, { 6, 61.501 },
      { 7, 61.501 }, { 61, 61.501 }, { 86400 * 400, 61.501 },
    } do
      local waited = waits(after(1, { case[1] }), 1, NOW)
      assert.is_true(math.abs(waited - case[2]) < 1e-4, ("%d ahead: %f"):format(case[1], waited))
    end
    assert.equal(0, waits(after(1, { -62 }), 1, NOW))
    assert.equal(62, after(1, { 5 }):pass(WHO, 1, false, NOW)) -- the longest that one look asks for
  end)

  it("is brought back alone: what was counted nearer stays, what was over by the other clock is forgotten", function()
    for _, case in ipairs {
      -- rate, when the others went -> how many go now, and how many once the first place is free, a minute later
      { 2, { 6, 10 }, 0, 2 }, { 2, { 5, 10 }, 0, 1 }, { 2, { 6, 6 }, 0, 2 }, { 3, { 5, 6, 7 }, 0, 2 },
      { 2, { 3600, 3661 }, 0, 2 }, { 2, { 3600, 3662 }, 1, 2 }, { 4, { 3600, 3600, 3600, 3663 }, 3, 4 },
      { 4, { 3600, 3600, 3600, 3666 }, 3, 4 }, { 2, { -40, 10 }, 0, 2 },
    } do
      local own, name = after(case[1], case[2]), table.concat(case[2], " ")
      assert.equal(case[3], burst(own, case[1], false, NOW), name)
      assert.equal(case[4], burst(own, case[1], false, NOW + 61.501), name)
    end
    assert.is_true(math.abs(waits(after(2, { -40, 10 }), 2, NOW) - 21.501) < 1e-4)
  end)

  it("is found by a third clock, after one that took it for its own", function()
    local own, store = after(2, { 5 })
    assert.equal(1, burst(own, 2, false, NOW))
    assert.equal(0, burst(limiter.new(store), 2, false, NOW - 8))
  end)

  it("holds nobody back when the time comes that it said", function()
    local own = after(3, { 3600, 3600, 3600 })
    assert.equal(3, burst(own, 3, false, NOW + waits(own, 3, NOW)) + 1)
    assert.equal(3, burst(own, 3, false, NOW + 3600))
  end)
end)

describe("a count of requests", function()
  it("is kept for a machine whose clock is five seconds behind", function()
    local own = after(2, { 0, 66 })
    assert.equal(0, burst(own, 2, false, NOW + 61))
    assert.equal(1, burst(own, 2, false, NOW + 62))
  end)

  it("is deleted when nobody looks at it any more, also after a clock was wrong or a long pause", function()
    for _, times in ipairs { { 0, 67 }, { 0, 3600 }, { 0, 1, 2, 69 }, { 0, 67, 134 } } do
      local _, store = after(5, times)
      assert.equal(4, store:size(), table.concat(times, " ")) -- of the last second, and the three that describe it
    end
    local own, store = after(5, { 3600 })
    for i = 0, 50 do
      assert.equal(0, own:pass(WHO, 5, false, NOW + i * 67))
      assert.is_true(store:size() <= 5, store:size())
    end
  end)

  it("takes no memory for the seconds that are over", function()
    local own = limiter.new()
    local function used_by_looks(first)
      for i = first, first + 300 do
        own:pass(WHO, 5, false, 100 * i)
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = used_by_looks(1)
    local grown = used_by_looks(1000) - before
    assert.is_true(grown < 200, grown .. " kB")
  end)

  it("that the store cannot keep is an error with the store's reason", function()
    local store = shared_store()
    function store.incr()
      return nil, "no memory"
    end
    local own = limiter.new(store)
    local ok, why = pcall(own.pass, own, WHO, 5, false, NOW)
    assert.same({ false, "the limiter's store cannot count: no memory" }, { ok, why })
  end)

  it("is whole where the store has forgotten what describes it", function()
    for _, forgotten in ipairs { { "last" }, { "rate" }, { "rated" }, { "rate", "rated" } } do
      local own, store = after(5, { 0, 0 })
      for _, name in ipairs(forgotten) do
        store:delete("h:" .. name)
      end
      assert.equal(3, burst(own, 5, false, NOW), table.concat(forgotten, " "))
    end
  end)

  it("that did not go is taken back from its own second", function()
    local store = shared_store()
    local own, other = limiter.new(store), limiter.new(store)
    local incr, is_first = store.incr, true
    function store.incr(...) -- another one takes the last place between the look of this one and its count
      if is_first then
        is_first = false
        assert.equal(0, other:pass(WHO, 1, false, NOW))
      end
      return incr(...)
    end
    assert.is_true(own:pass(WHO, 1, false, NOW) > 0)
    assert.same({ 1 }, { store:get "h:1000000", store:get "h:1000001" })
  end)
end)

describe("the highest rate", function()
  it("of the last minute is the one of all, whoever counted it", function()
    for _, case in ipairs {
      -- rate and time of one request, then of others -> how many go at once
      { 30, 0, 5, 61, 29 }, { 30, 0, 5, 62, 5 }, { 30, 5, 5, 0, 29 }, { 30, 6, 5, 0, 4 }, { 5, 0, 30, 0, 29 },
      { 5, 0, 5, 0, 4 }, { 5, 0, 6, 61, 5 },
    } do
      local own = after(case[1], { case[2] })
      assert.equal(case[5], burst(own, case[3], false, NOW + case[4]), table.concat(case, " "))
    end
  end)

  it("is over a minute after the last request with it, whatever slower ones go on", function()
    local own = after(30, { 0 })
    for _, at in ipairs { 0, 30, 61 } do
      assert.equal(0, own:pass(WHO, 5, false, NOW + at))
    end
    assert.equal(3, burst(own, 5, false, NOW + 62))
  end)
end)

describe("the counts of a limiter", function()
  it("of one Lua state alone are those of shared ones at the edge of its clock", function()
    local own = limiter.new()
    assert.equal(0, own:pass(WHO, 30, false, NOW + 5))
    assert.equal(29, burst(own, 30, false, NOW))
    own = limiter.new()
    assert.equal(0, own:pass(WHO, 30, false, NOW))
    assert.equal(29, burst(own, 30, false, NOW + 61))
    assert.equal(1, burst(own, 30, false, NOW + 62))
  end)

  it("take no more memory after days than after minutes", function()
    for _, own in ipairs { limiter.new(), limiter.new(shared_store()) } do
      local function run(from, to)
        for second = from, to do
          assert.equal(0, own:pass(WHO, 1000, false, NOW + second))
        end
        collectgarbage()
        collectgarbage()
        return collectgarbage "count"
      end
      local before = run(1, 500)
      assert.is_true(run(501, 5500) - before < 100) -- 5,000 seconds that are kept take over 200 kB
    end
  end)
end)
