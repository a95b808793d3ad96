-- Which places the script gives and which not: of several rates, to polls, and under what the service announced. By a
-- clock of the spec.
local fake_redis = require "spec.support.fake_redis"
local limits = require "scope3.redis.limits"

local WHO = { host = "h", key = "k" }

describe("places that Redis gives", function()
  local now, server

  before_each(function()
    now = 1e5
    server = fake_redis(function()
      return 1795990400 + now
    end)
  end)

  local function new(url)
    return assert(limits.new({ redis = url or "redis://127.0.0.1?fleet=1" }, server:opener(), function()
      return now
    end))
  end

  -- How many of `rate` go at once, at most `most`.
  local function burst(one, rate, poll, most)
    local n = 0
    while n < (most or 100) and one:claim(WHO, rate, poll, 0) == 0 do
      n = n + 1
    end
    return n
  end

  it("are nine tenths for polls, and a third where others wait for one", function()
    local one = new()
    assert.equal(10, burst(one, 12, true))
    assert.equal(2, burst(one, 12, false, 2))
    now = now + 30
    assert.equal(0, burst(one, 12)) -- it waits
    now = now + 32
    assert.equal(4, burst(one, 12, true))
    assert.equal(8, burst(one, 12, false, 8))
    now = now + 62 -- nobody has waited for a minute
    assert.equal(10, burst(one, 12, true))
  end)

  it("are those of the highest rate of a minute", function()
    local high, low = new(), new()
    for _ = 1, 9 do -- until each may have more than its share
      high:claim(WHO, 12, false, 0)
      now = now + 9
    end
    now = now + 52
    assert.equal(6, burst(high, 12, false, 6))
    for _ = 1, 4 do
      now = now + 9
      assert.equal(0, (low:claim(WHO, 4, false, 0)))
    end
    now = now + 26.5 -- the last of the high rate is over, and those of the low one are not
    local wait = low:claim(WHO, 4, false, 0)
    assert.is_true(wait > 7 and wait < 8, wait)
  end)

  it("are not used where their reply took so long that they may count shorter", function()
    local slow = assert(limits.new({ redis = "redis://127.0.0.1?fleet=1" }, server:opener(nil, function()
      now = now + 1
    end), function()
      return now
    end))
    local wait = slow:claim(WHO, 12, false, 0)
    assert.is_true(wait > 0 and wait < 0.1, wait)
    assert.equal(11, burst(new(), 12)) -- it was taken for good
  end)

  it("are held by the longest of several 429s", function()
    local one = new()
    one:block(WHO, 40)
    assert.is_true(one:claim(WHO, 12, false, 0) > 39)
    one:block(WHO, 5)
    now = now + 10
    local wait = one:claim(WHO, 12, false, 0)
    assert.is_true(wait > 29 and wait < 31, wait)
  end)

  it("are held by a 429 of which the first call could not tell", function()
    local lost = true
    local one = assert(limits.new({ redis = "redis://127.0.0.1?fleet=1" }, server:opener(function()
      return lost
    end), function()
      return now
    end))
    one:block(WHO, 40)
    assert.is_true(one:claim(WHO, 12, false, 0) > 0)
    lost, now = false, now + 2
    assert.is_true(one:claim(WHO, 12, false, 0) > 30)
    assert.is_true(new():claim(WHO, 12, false, 0) > 30)
  end)

  it("are those of an announced limit, and one that asks again when it is over", function()
    local one = new()
    one:learn(WHO, { limit = 3, remaining = 2, reset = 30 })
    assert.equal(2, burst(one, 12))
    assert.is_true(one:claim(WHO, 12, false, 0) > 29)
    now = now + 31
    assert.equal(1, burst(one, 12))
    local wait = one:claim(WHO, 12, false, 0)
    assert.is_true(wait > 9 and wait <= 10, wait)
    one:learn(WHO, nil) -- the service announces none any more
    assert.equal(5, burst(one, 12, false, 5))
  end)

  it("are spread over the last fifth of a limit that others use, too", function()
    local one = new()
    one:learn(WHO, { limit = 100, remaining = 10, reset = 33 })
    assert.equal(1, burst(one, 1000))
    local wait = one:claim(WHO, 1000, false, 0)
    assert.is_true(wait > 2.9 and wait <= 3, wait)
    now = now + 3
    assert.equal(1, burst(one, 1000))
  end)

  it("are not spread where nobody else uses the limit", function()
    local one = new()
    assert.equal(10, burst(one, 1000, false, 10))
    one:learn(WHO, { limit = 12, remaining = 2, reset = 30 })
    assert.equal(2, burst(one, 1000))
  end)

  it("come with the smallest size that somebody learned within an hour", function()
    local one, other = new(), new()
    one:learn_size(WHO, 50000)
    assert.equal(0, (one:claim(WHO, 12, false, 0)))
    other:learn_size(WHO, 70000)
    assert.equal(0, (other:claim(WHO, 12, false, 0)))
    assert.equal(50000, other:size(WHO, 0))
    now = now + 3601
    other:learn_size(WHO, 70000)
    other:claim(WHO, 12, false, 0)
    assert.equal(70000, other:size(WHO, 0))
  end)

  it("are counted for those that took one within ten minutes, and not for who asks for a size", function()
    local one, other = new "redis://127.0.0.1", new "redis://127.0.0.1"
    other:size(WHO, 0, {})
    assert.equal(8, burst(one, 8))
    now = now + 620
    assert.equal(8, burst(one, 8)) -- alone
    assert.is_true(other:claim(WHO, 8, false, 0) > 0)
    now = now + 100 -- nobody asked for a minute: each has no more than its share
    assert.equal(4, burst(one, 8))
    assert.equal(4, burst(other, 8))
    now = now + 620
    assert.equal(8, burst(one, 8))
  end)
end)
