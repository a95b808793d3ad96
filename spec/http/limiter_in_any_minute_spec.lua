-- No minute has more requests than the rate, whatever the pattern of those who ask, the store that they share and their
-- clocks; what the service announces, or asks for with a 429, holds each request back for exactly that time.
local burst = require "spec.support.burst"
local limiter = require "scope3.http.limiter"
local most_in_a_minute = require "spec.support.minute"
local shared_store = require "spec.support.shared_store"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }
local LONGEST_LOOK = 62 -- seconds after which one more look is due: a minute, and a second on both sides

local MOST_LOOKS = 10 -- of one request until it goes: who waits is told when a place is free

-- Waits until one may go: when that is.
local function go(own, rate, poll, now)
  local looks, wait = 1, own:pass(WHO, rate, poll, now)
  while wait > 0 do
    assert.is_true(wait <= LONGEST_LOOK and looks < MOST_LOOKS, wait)
    looks, now = looks + 1, now + wait
    wait = own:pass(WHO, rate, poll, now)
  end
  return now
end

describe("a rate", function()
  teardown(world.clean)

  local STORES = {
    ["a state of its own"] = function()
      local one = limiter.new()
      return { one, one }
    end,
    ["a dictionary"] = function()
      local store = shared_store()
      return { limiter.new(store), limiter.new(store) }
    end,
    ["a file"] = function()
      local path = world.path()
      return { assert(limiter.new(path)), assert(limiter.new(path)) }
    end,
  }

  -- When the next one asks, after one has gone: all at once, evenly, after a pause, at the edges of seconds.
  local PATTERNS = {
    ["all at once"] = function(at)
      return at
    end,
    ["evenly"] = function(at)
      return at + 0.7
    end,
    ["after an hour, then all at once"] = function(at, i)
      return i % 25 == 0 and at + 3600 or at
    end,
    ["after 59.9 s, then all at once"] = function(at, i)
      return i % 25 == 0 and at + 59.9 or at
    end,
    ["at the ends of seconds"] = function(at)
      return math.floor(at) + 0.999
    end,
  }

  it("holds in any minute for every pattern and store, and goes no slower than it", function()
    for where, make in pairs(STORES) do
      for pattern, next_at in pairs(PATTERNS) do
        for _, rate in ipairs { 1, 2, 3, 10, 30 } do
          local both, times, waited = make(), {}, 0
          local at = 1000.25
          for i = 1, 6 * rate + 20 do
            local asked = i == 1 and at or next_at(at, i)
            at = go(both[i % 2 + 1], rate, false, asked)
            times[i], waited = at, waited + at - asked
          end
          local name = ("%s, %s, %d"):format(where, pattern, rate)
          assert.is_true(most_in_a_minute(times) <= rate, name)
          assert.is_true(waited <= #times / rate * (LONGEST_LOOK + 1), name .. " " .. waited)
        end
      end
    end
  end)

  it("lets a burst of its own size go at once after it was idle, however long, and not one more", function()
    for _, idle in ipairs { 62, 63, 120, 3600, 86400 * 365 } do
      for _, rate in ipairs { 1, 3, 100 } do
        local own = limiter.new()
        assert.equal(rate, burst(own, rate, false, 1000))
        assert.equal(0, burst(own, rate, false, 1060))
        assert.equal(rate, burst(own, rate, false, 1000 + idle))
        assert.equal(0, burst(own, rate, false, 1000 + idle + 30))
      end
    end
  end)

  it("opens place by place, a minute and a second after those that took them", function()
    local own = limiter.new()
    for second = 0, 4 do
      assert.equal(0, own:pass(WHO, 5, false, 1000 + second))
    end
    for _, case in ipairs { { 1004, 0 }, { 1060.9, 0 }, { 1061.9, 0 }, { 1062.1, 1 }, { 1063.1, 1 }, { 1064.1, 1 } } do
      assert.equal(case[2], burst(own, 5, false, case[1]), "at " .. case[1])
    end
    local other = limiter.new()
    assert.equal(1, burst(other, 1, false, 1000.75))
    local wait = other:pass(WHO, 1, false, 1030)
    assert.is_true(wait > 32 and wait < 32.01, wait) -- a moment after the place is free
    assert.equal(0, other:pass(WHO, 1, false, 1030 + wait))
  end)

  it("gives polls nine tenths, and one at least, and both count for all", function()
    for rate, polls in pairs { [1] = 1, [2] = 1, [3] = 2, [5] = 4, [6] = 5, [10] = 9, [100] = 90 } do
      local own = limiter.new()
      assert.equal(polls, burst(own, rate, true, 1000), rate)
      assert.equal(rate - polls, burst(own, rate, false, 1000), rate)
      local full = limiter.new()
      assert.equal(rate, burst(full, rate, false, 1000))
      assert.equal(0, burst(full, rate, true, 1000), rate)
    end
  end)

  it("gives polls a third for a minute after another request had to wait, and one at least", function()
    for rate, polls in pairs { [1] = 1, [2] = 1, [3] = 1, [5] = 1, [6] = 2, [100] = 33 } do
      for _, pair in ipairs { { limiter.new() }, { limiter.new(shared_store()) } } do
        local own = pair[1]
        assert.equal(rate, burst(own, rate, false, 1000))
        assert.is_true(own:pass(WHO, rate, false, 1010) > 0)
        assert.equal(polls, burst(own, rate, true, 1069.9), rate)
        assert.equal(rate - polls, burst(own, rate, false, 1069.95), rate)
      end
      local own = limiter.new()
      assert.equal(rate, burst(own, rate, true, 1000) + burst(own, rate, false, 1000))
      assert.is_true(own:pass(WHO, rate, true, 1002) > 0) -- a poll that waits is no reason
      assert.equal(math.max(1, math.floor(rate * 9 / 10)), burst(own, rate, true, 1063), rate)
    end
  end)

  it("gives polls a third for sixty seconds to the moment, also after a wait of under a second", function()
    for polled_at, polls in pairs { [1069.999] = 33, [1070] = 90 } do
      local own = limiter.new()
      assert.equal(100, burst(own, 100, false, 1000))
      assert.is_true(own:pass(WHO, 100, false, 1010) > 0)
      assert.equal(polls, burst(own, 100, true, polled_at))
    end
    local own = limiter.new()
    assert.equal(100, burst(own, 100, false, 1000))
    local wait = own:pass(WHO, 100, false, 1000.5 + own:pass(WHO, 100, true, 1001))
    assert.is_true(wait > 0 and wait < 1, wait)
    assert.equal(33, burst(own, 100, true, 1100))
  end)

  it("is of a host: another one has its own", function()
    local own = limiter.new()
    assert.equal(3, burst(own, 3, false, 1000))
    assert.equal(0, own:pass({ host = "other", key = "k" }, 3, false, 1000))
    assert.is_true(own:pass({ host = "h", key = "another" }, 3, false, 1000) > 0)
  end)

  it("of the fastest that went within a minute lets the slower have their turn, and then is their own again", function()
    local own = limiter.new()
    assert.equal(30, burst(own, 30, false, 1000))
    assert.equal(0, own:pass(WHO, 30, false, 1062.5))
    assert.equal(29, burst(own, 5, false, 1063))
    assert.equal(0, burst(own, 5, false, 1100))
    assert.equal(5, burst(own, 5, false, 1200))
  end)

  it("holds back nobody for longer than a minute where a clock was wrong", function()
    for _, wrong in ipairs { 1, 4, 5, 6, 7, 61, 70, 3600, 86400 * 400 } do
      for _, make in pairs { STORES["a dictionary"], STORES["a file"] } do
        local both = make()
        assert.equal(3, burst(both[1], 3, false, 1e6 + wrong)) -- by a clock that is ahead
        assert.equal(0, burst(both[2], 3, false, 1e6), "ahead by " .. wrong)
        local at = go(both[2], 3, false, 1e6)
        assert.is_true(at >= 1e6 + 60 and at <= 1e6 + 69, ("%d: %f"):format(wrong, at - 1e6))
      end
    end
  end)

  it("keeps few counts, however long it is used", function()
    local store = shared_store()
    local own, at = limiter.new(store), 1000
    for i = 1, 2000 do
      at = go(own, 40, i % 4 == 0, at + (i % 300 == 0 and 500 or 1.3))
      assert.is_true(store:size() < 2 * 75, store:size())
    end
  end)
end)

describe("a limit that replies announce", function()
  local function own_after(headers, flying, now)
    local own = limiter.new()
    own:learn(WHO, headers, flying or 0, now or 1000, 1795990400)
    return own
  end

  local function fields(limit, remaining, reset)
    return { ["ratelimit-limit"] = limit, ["ratelimit-remaining"] = remaining, ["ratelimit-reset"] = reset }
  end

  it("lets through what remains without those under way, and then nothing until the reset", function()
    for _, case in ipairs {
      -- limit, remaining, seconds, under way -> requests at once
      { 9, 9, 30, 0, 9 }, { 9, 9, 30, 1, 8 }, { 9, 9, 30, 8, 1 }, { 9, 9, 30, 9, 0 }, { 9, 9, 30, 20, 0 },
      { 9, 0, 30, 0, 0 }, { 1, 1, 3600, 0, 1 }, { 100, 100, 1, 0, 100 }, { 100, 100, 60, 40, 60 },
    } do
      local own = own_after(fields(tostring(case[1]), tostring(case[2]), tostring(case[3])), case[4])
      -- Those under way went through this limiter, so no one else uses the limit.
      for _ = 1, case[4] do
        own:count(WHO, 5000, false, 1000)
      end
      local name = table.concat(case, " ")
      assert.equal(case[5], burst(own, 5000, false, 1000), name)
      assert.equal(case[3], own:pass(WHO, 5000, false, 1000), name)
      assert.equal(0, burst(own, 5000, false, 1000 + case[3] - 0.01), name)
      assert.equal(0, own:pass(WHO, 5000, false, 1000 + case[3]), name)
    end
  end)

  it("is tried by one request each ten seconds after the reset, until a reply tells what it is then", function()
    local own = own_after(fields("9", "0", "30"))
    for _, case in ipairs { { 1030, 1 }, { 1035, 0 }, { 1039.9, 0 }, { 1040, 1 }, { 1041, 0 }, { 1050, 1 } } do
      assert.equal(case[2], burst(own, 5000, false, case[1]), "at " .. case[1])
    end
    own:learn(WHO, fields("4", "4", "30"), 0, 1051, 1795990400)
    assert.equal(4, burst(own, 5000, false, 1052))
    assert.equal(0, burst(own, 5000, false, 1080))
    assert.equal(1, burst(own, 5000, false, 1081))
  end)

  it("that others use, too, has its last fifth spread over the time that is left", function()
    local own, times = own_after(fields("100", "50", "60")), {}
    local at = 1000
    for i = 1, 50 do
      local wait = own:pass(WHO, 5000, false, at)
      while wait > 0 do
        at = at + wait
        wait = own:pass(WHO, 5000, false, at)
      end
      times[i] = at
    end
    assert.equal(1000, times[31]) -- until 19 are left of a hundred
    for i = 33, 50 do
      assert.is_true(times[i] - times[i - 1] > 2.5 and times[i] - times[i - 1] < 3.5, times[i] - times[i - 1])
    end
    assert.is_true(times[50] < 1060)
    local wait = own:pass(WHO, 5000, false, times[50])
    while wait > 0 and times[50] + wait < 1060 do
      times[50] = times[50] + wait
      wait = own:pass(WHO, 5000, false, times[50])
    end
    assert.equal(1060, times[50] + wait)
  end)

  it("is read in both forms, whatever stands around the numbers, and is none where a part is missing", function()
    for _, headers in ipairs {
      fields("9", "2", "30"), fields("9, 9;w=60", "2", "30"), fields(nil, "2", "30"), fields(" 9", " 2", " 30"),
      fields({ "9" }, { "2" }, { "30" }), { ratelimit = "limit=9, remaining=2, reset=30" },
      { ratelimit = "limit=9,remaining=2,reset=30" }, { ratelimit = "reset = 30; limit = 9; remaining = 2" },
      { ratelimit = "unlimit=1, remaining=2, reset=30, limit=9" },
    } do
      local own = own_after(headers)
      assert.is_true(burst(own, 5000, false, 1000) <= 2)
      assert.is_true(own:pass(WHO, 5000, false, 1000) > 0)
      assert.equal(0, own:pass(WHO, 5000, false, 1030))
    end
    for _, headers in ipairs {
      {}, fields("9", "0", nil), fields("9", nil, "30"), fields("9", "none", "30"), fields("9", "0", "soon"),
      fields("9", "-1", "30"), { ratelimit = "limit=9, remaining=0" }, { ratelimit = "limit=9, reset=30" },
      { ratelimit = "limit=9, notremaining=0, reset=30" }, { ratelimit = "" },
    } do
      local own = own_after(headers)
      assert.equal(0, own:pass(WHO, 5000, false, 1000))
    end
  end)

  it("is over with a reply that announces none, and holds nobody with another key", function()
    local own = own_after(fields("9", "0", "30"))
    assert.equal(0, own:pass({ host = "h", key = "another" }, 5000, false, 1000))
    assert.equal(0, own:pass({ host = "another", key = "k" }, 5000, false, 1000))
    assert.equal(30, own:pass(WHO, 5000, false, 1000))
    own:learn(WHO, {}, 0, 1000, 1795990400)
    assert.equal(0, own:pass(WHO, 5000, false, 1000))
  end)
end)

describe("a client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("tells the limiter how many requests are under way when a reply announces a limit", function()
    sandbox:configure { rate_limit = 1000 }
    local own, under_way = limiter.new(), {}
    function own.learn(self, who, fields, flying, ...)
      under_way[#under_way + 1] = flying
      return getmetatable(own).learn(self, who, fields, flying, ...)
    end
    local transport, calls = sandbox:client({ limiter = own }):transport(), {}
    for i = 1, 4 do -- on the wire together, because nothing is read before the first wait
      calls[i] = transport:start { method = "GET", path = "/health", root = true }
    end
    for i = 1, 4 do
      transport:await(calls[i])
    end
    assert.same({ 3, 2, 1, 0 }, under_way)
  end)
end)

describe("a 429", function()
  teardown(world.clean)

  it("holds back everybody with the key for as long as it says and a tenth of a second, an hour at most", function()
    for seconds, expected in pairs { [0] = 0.1, [1] = 1.1, [40] = 40.1, [3600] = 3600.1, [7200] = 3600.1 } do
      local own = limiter.new()
      own:block(WHO, seconds, 1000)
      local wait = own:pass(WHO, 5000, false, 1000)
      assert.is_true(math.abs(wait - expected) < 1e-6, wait)
      assert.equal(0, own:pass({ host = "h", key = "another" }, 5000, false, 1000))
      assert.equal(0, own:pass({ host = "another", key = "k" }, 5000, false, 1000))
      assert.is_true(own:pass(WHO, 5000, false, 1000 + expected - 0.01) > 0)
      assert.equal(0, own:pass(WHO, 5000, false, 1000 + expected + 0.01))
    end
  end)

  it("of several holds for the longest, whichever came first", function()
    for _, order in ipairs { { 5, 40 }, { 40, 5 } } do
      local own = limiter.new()
      own:block(WHO, order[1], 1000)
      own:block(WHO, order[2], 1000)
      assert.is_true(math.abs(own:pass(WHO, 5000, false, 1000) - 40.1) < 1e-6)
      own:block(WHO, 5, 1038)
      assert.is_true(math.abs(own:pass(WHO, 5000, false, 1038) - 5.1) < 1e-6)
    end
  end)

  it("holds whatever the rate and an announced limit would let through, and is not counted in them", function()
    local own = limiter.new()
    own:learn(WHO, { ratelimit = "limit=9, remaining=9, reset=3000" }, 0, 1000, 1795990400)
    own:block(WHO, 10, 1000)
    assert.equal(0, burst(own, 5000, false, 1000))
    assert.equal(9, burst(own, 5000, false, 1011))
  end)

  it("is shared by those who share a store, and is as long for one whose clock goes back", function()
    for _, make in ipairs { shared_store, function() return world.path() end } do
      local store = make()
      local one, other = assert(limiter.new(store)), assert(limiter.new(store))
      one:block(WHO, 40, 1e6)
      assert.is_true(math.abs(other:pass(WHO, 5000, false, 1e6) - 40.1) < 1e-6)
      assert.is_true(math.abs(other:pass(WHO, 5000, false, 1e6 + 30) - 10.1) < 1e-6)
      local wait = other:pass(WHO, 5000, false, 1e6 - 5000)
      assert.is_true(math.abs(wait - 40.1) < 1e-6, wait)
      assert.equal(0, other:pass(WHO, 5000, false, 1e6 - 5000 + 41))
    end
  end)
end)
