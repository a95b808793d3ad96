-- What a limiter decides about one more request, at each border: of an announced limit and its last fifth, of the time
-- until its reset, of a 429, and of a place that another one took.
local burst = require "spec.support.burst"
local limiter = require "scope3.http.limiter"
local scope3 = require "scope3"
local shared_store = require "spec.support.shared_store"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }
local RATE = 5000
local SERVICE_TIME = 1795990400

local function announce(own, limit, remaining, reset, now)
  local field = ("limit=%d, remaining=%d, reset=%d"):format(limit, remaining, reset)
  return own:learn(WHO, { ratelimit = field }, 0, now, SERVICE_TIME)
end

describe("an announced limit", function()
  teardown(world.clean)

  it("holds nobody back before a reply has told it", function()
    assert.equal(0, limiter.new():pass(WHO, RATE, false, 1000))
  end)

  it("counts for the key and the host that one has at the time", function()
    for _, field in ipairs { "key", "host" } do
      local own, who = limiter.new(), { host = "h", key = "k" }
      local before = who[field]
      own:learn(who, { ratelimit = "limit=9, remaining=0, reset=30" }, 0, 1000, SERVICE_TIME)
      assert.equal(30, own:pass(who, RATE, false, 1000))
      who[field] = "other"
      assert.equal(0, own:pass(who, RATE, false, 1000), field)
      who[field] = before
      assert.equal(30, own:pass(who, RATE, false, 1000), field)
    end
  end)

  it("is spread from its last fifth on, where others than these clients use it", function()
    for _, case in ipairs {
      -- limit, remaining, requests of these clients in the last minute -> how many go at once
      { 100, 21, 0, 3 }, { 100, 20, 0, 2 }, { 100, 19, 0, 1 }, { 100, 9, 0, 1 }, { 100, 9, 90, 1 }, { 100, 9, 91, 9 },
      { 100, 9, 100, 9 }, { 100, 1, 0, 1 }, { 10, 2, 0, 2 }, { 10, 1, 8, 1 }, { 1000, 200, 0, 2 },
    } do
      local own = limiter.new()
      announce(own, case[1], case[2], 30, 1000)
      for _ = 1, case[3] do
        own:count(WHO, RATE, false, 1000)
      end
      assert.equal(case[4], burst(own, RATE, false, 1000), table.concat(case, " "))
    end
  end)

  it("lets one of its last fifth go in each equal part of the time that is left", function()
    local own = limiter.new()
    announce(own, 100, 9, 10, 1000)
    for second = 0, 7 do
      assert.equal(1, burst(own, RATE, false, 1000 + second))
      assert.equal(1, own:pass(WHO, RATE, false, 1000 + second))
    end
    assert.equal(1, burst(own, RATE, false, 1008))
    assert.equal(2, own:pass(WHO, RATE, false, 1008)) -- none is left until the reset
    assert.equal(1, burst(own, RATE, false, 1010))
  end)

  it("holds no request back beyond its reset, and spreads a new one anew", function()
    local own = limiter.new()
    announce(own, 100, 1, 100, 1000)
    assert.equal(1, burst(own, RATE, false, 1000))
    announce(own, 100, 1, 10, 1001)
    assert.equal(10, own:pass(WHO, RATE, false, 1001)) -- and not the 49 seconds of the longer time
    assert.equal(1, burst(own, RATE, false, 1011))
    announce(own, 100, 9, 10, 1012)
    assert.equal(1, burst(own, RATE, false, 1012))
    assert.equal(1, burst(own, RATE, false, 1013))
  end)

  it("is no longer spread when a reply announces none", function()
    local own = limiter.new()
    announce(own, 100, 9, 30, 1000)
    assert.equal(1, burst(own, RATE, false, 1000))
    own:learn(WHO, {}, 0, 1000, SERVICE_TIME)
    announce(own, 100, 9, 30, 1000)
    assert.equal(1, burst(own, RATE, false, 1000))
  end)

  it("tells of a reset that is too far away only where the last fifth is used", function()
    for _, case in ipairs {
      { 10, 3, nil }, { 10, 2, nil }, { 10, 1, 86400 }, { 10, 0, 86400 }, { 9, 1, 86400 }, { 9, 2, nil },
    } do
      assert.equal(case[3], announce(limiter.new(), case[1], case[2], 86400, 1000), table.concat(case, " ", 1, 2))
    end
    assert.is_nil(announce(limiter.new(), 10, 0, 3600, 1000))
  end)

  it("is the one of the separate fields where a reply has both forms", function()
    local own = limiter.new()
    own:learn(WHO, { ["ratelimit-limit"] = "9", ["ratelimit-remaining"] = "2", ["ratelimit-reset"] = "30",
      ratelimit = "limit=9, remaining=0, reset=60" }, 0, 1000, SERVICE_TIME)
    assert.equal(2, burst(own, RATE, false, 1000))
    assert.equal(30, own:pass(WHO, RATE, false, 1000))
  end)

  it("is none where the store has forgotten a part of it, until a reply tells", function()
    for _, case in ipairs { { "reset", 3 }, { "remaining", 3 }, { "limit", 2 }, { "next", 2 } } do
      local store = shared_store()
      local own = limiter.new(store)
      announce(own, 100, 2, 30, 1000)
      store:delete("h:k:" .. case[1])
      for i = 1, 3 do
        if case[1] == "next" then
          store:delete "h:k:next"
        end
        assert.equal(i <= case[2], own:pass(WHO, RATE, false, 1000) == 0, case[1] .. i)
      end
    end
  end)

  it("is kept in a file as it is in a table", function()
    local own = assert(limiter.new(world.path ".limiter"))
    announce(own, 9, 9, 30, 1000)
    assert.equal(9, burst(own, RATE, false, 1000))
    assert.equal(30, own:pass(WHO, RATE, false, 1000))
    assert.equal(1, burst(own, RATE, false, 1030))
    own:block(WHO, 40, 1031)
    own:block(WHO, 1, 1070)
    assert.is_true(math.abs(own:pass(WHO, RATE, false, 1070) - 1.1) < 1e-6)
    assert.equal(1, burst(own, RATE, false, 1072))
  end)
end)

describe("a 429 by another clock", function()
  it("holds until its time where that clock is five seconds ahead, and otherwise as long as it said", function()
    for ahead, seconds in pairs { [0] = 40.1, [1] = 41.1, [5] = 45.1, [6] = 40.1, [3600] = 40.1 } do
      local own = limiter.new()
      own:block(WHO, 40, 1e6 + ahead)
      local wait = own:pass(WHO, RATE, false, 1e6)
      assert.is_true(math.abs(wait - seconds) < 1e-6, ("%d: %f"):format(ahead, wait))
    end
  end)

  it("holds for an hour at most where the store has forgotten since when it does", function()
    for ahead, seconds in pairs { [-41] = 0, [-10] = 30.1, [0] = 40.1, [86400] = 3600.1 } do
      local store = shared_store()
      local own = limiter.new(store)
      own:block(WHO, 40, 1e6 + ahead)
      store:delete "h:k:blocked@"
      local wait = own:pass(WHO, RATE, false, 1e6)
      assert.is_true(math.abs(wait - seconds) < 1e-6, ("%d: %f"):format(ahead, wait))
      assert.equal(0, own:pass(WHO, RATE, false, 1e6 + seconds + 0.001))
    end
  end)
end)

describe("a request that lost the last place to another", function()
  it("looks again within 55 ms, and not at once", function()
    for rate, poll in pairs { [1] = false, [2] = true } do -- of two requests one is a poll
      local least, most = math.huge, 0
      for _ = 1, 300 do
        local store = shared_store()
        local own, other, incr = limiter.new(store), limiter.new(store), store.incr
        function store.incr(...) -- another one goes between the look of this one and its count
          store.incr = incr
          assert.equal(0, other:pass(WHO, rate, poll, 1000.5))
          return incr(...)
        end
        local wait = own:pass(WHO, rate, poll, 1000.5)
        least, most = math.min(least, wait), math.max(most, wait)
        assert.equal(1, store:get "h:1000")
      end
      assert.is_true(least >= 0.005 and most <= 0.055 and most > 0.012, least .. " " .. most)
    end
  end)
end)

describe("the making of a limiter", function()
  -- Where a message says that the caller is wrong.
  local function complaint(store)
    local _, message = pcall(function()
      local own = scope3.limiter(store)
      return own
    end)
    return message:match "^%S*limiter_decisions_spec.lua:%d+: (.*)$" or "no place of this file: " .. message
  end

  it("complains of its caller, and says what it was given", function()
    for _, path in ipairs { "", "a\0b", "\0" } do
      assert.equal("scope3.limiter: the path of a file is neither empty nor holds a zero byte", complaint(path))
    end
    assert.truthy(complaint(12):find("^scope3.limiter: a store"))
    assert.truthy(complaint(limiter.new()):find("scope3.limiter", 20, true), complaint(limiter.new()))
  end)
end)
