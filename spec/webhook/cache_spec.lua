-- Which callbacks were there before: the cache of nonces, the memory of deliveries, and the store under both.
local scope3 = require "scope3"
local seed = require "spec.support.seed"
local store = require "scope3.webhook.expiring_store"

local webhook = scope3.webhook

local clock
local function now()
  return clock
end
before_each(function()
  clock = 1000
end)

describe("a store of keys that are forgotten", function()
  it("adds a key once, until its time is over", function()
    local s = store.new(10, now)
    assert.is_true(s:safe_add("a", 1, 60))
    assert.same({ false, "exists" }, { s:safe_add("a", 2, 60) })
    assert.equal(1, s:get("a"))
    clock = 1059.9
    assert.equal(1, s:get("a"))
    clock = 1060
    assert.is_nil(s:get("a"))
    assert.is_true(s:safe_add("a", 2, 60))
    assert.equal(2, s:get("a"))
    s:delete("a")
    s:delete("a")
    assert.is_nil(s:get("a"))
    assert.is_true(s:safe_add("a", 3, 60))
  end)

  it("holds no more than it may, and forgets none that lives for another's sake", function()
    local s = store.new(3, now)
    for i = 1, 3 do
      assert.is_true(s:safe_add("k" .. i, i, 100 * i))
    end
    assert.same({ false, "no memory" }, { s:safe_add("k4", 4, 100) })
    assert.same({ 1, 2, 3 }, { s:get "k1", s:get "k2", s:get "k3" })
    clock = 1170
    assert.is_true(s:safe_add("k4", 4, 100)) -- k1 is gone
    assert.same({ false, "no memory" }, { s:safe_add("k5", 5, 100) })
    assert.same({ nil, 2, 3, 4 }, { s:get "k1", s:get "k2", s:get "k3", s:get "k4" })
  end)

  it("has room again at the very moment at which a key ends", function()
    local s = store.new(1, now)
    assert.is_true(s:safe_add("a", 1, 5))
    clock = clock + 5
    assert.is_true(s:safe_add("b", 2, 5))
  end)

  it("takes a key again that ended behind more others than are forgotten at once", function()
    local s = store.new(100, now)
    for i = 1, 50 do
      assert.is_true(s:safe_add("k" .. i, i, i))
    end
    clock = 1060
    assert.is_true(s:safe_add("k50", "again", 60))
    assert.equal("again", s:get "k50")
  end)

  it("keeps a key that was added again after it had ended", function()
    local s = store.new(2, now)
    assert.is_true(s:safe_add("a", 1, 10))
    clock = 1011
    assert.is_true(s:safe_add("a", 2, 200))
    clock = 1130
    assert.is_true(s:safe_add("b", 1, 10)) -- sweeps
    assert.equal(2, s:get("a"))
  end)

  it("counts", function()
    local s = store.new(1, now)
    assert.equal(1, s:incr("n", 1, 0, 60))
    assert.equal(3, s:incr("n", 2, 0, 60))
    assert.is_nil((s:incr("m", 1, 0, 60)))
    clock = 1061
    assert.equal(11, s:incr("n", 1, 10, 60))
  end)

  it("stays as small as what lives in it", function()
    local s = store.new(1000, now)
    for i = 1, 20000 do
      assert.is_true(s:safe_add("k" .. i, i, 60))
      clock = clock + 0.1
    end
    assert.is_true(s.count <= 1000)
    assert.equal(s.count, #s.queue.keys)
  end)

  it("forgets a few for each that comes, however many have ended, and has room for it", function()
    local s = store.new(1000, now)
    for i = 1, 1000 do
      assert.is_true(s:safe_add("k" .. i, i, 60))
    end
    clock = clock + 61
    for i = 1, 100 do
      local before = s.count
      assert.is_true(s:safe_add("l" .. i, i, 60))
      assert.is_true(before - s.count <= 8, before - s.count)
    end
    assert.is_true(s.count < 400)
  end)

  it("forgets keys in the order of their ends, whatever was deleted and came again", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    local random, s, model = math.random, store.new(300, now), {}
    for i = 1, 20000 do
      local key = "k" .. random(500)
      local lives = model[key] and model[key] > clock
      if random(4) == 1 then
        s:delete(key)
        model[key] = nil
      else
        local life = random(50)
        local ok, why = s:safe_add(key, i, life)
        assert.equal(not lives and why ~= "no memory", ok)
        model[key] = ok and clock + life or model[key]
      end
      clock = clock + random(3) - 1
      for _, known in ipairs { key, "k" .. random(500) } do
        assert.equal(model[known] ~= nil and model[known] > clock, s:get(known) ~= nil, known)
      end
      local heap, ends = s.queue.keys, s.queue.ends
      for place = 2, i % 100 == 0 and #heap or 1 do
        assert.is_true(ends[heap[math.floor(place / 2)]] <= ends[heap[place]])
      end
    end
  end)

  it("keeps nothing of a key that was deleted", function()
    local s = store.new(10, now)
    for _ = 1, 3 do
      assert.is_true(s:safe_add("a", 1, 3600))
      s:delete("a")
      s:delete("a")
    end
    assert.same({ 0, {}, {}, {}, {} }, { s.count, s.values, s.queue.ends, s.queue.keys, s.queue.places })
  end)
end)

describe("a replay cache", function()
  it("knows a nonce of a key from then on, until a minute after it expires", function()
    local cache = webhook.replay_cache { now = now }
    assert.is_false(cache:seen("k", "n", 5100, 5000))
    assert.is_true(cache:seen("k", "n", 5100, 5000))
    assert.is_false(cache:seen("k", "m", 5100, 5000))
    assert.is_false(cache:seen("l", "n", 5100, 5000))
    clock = 1159
    assert.is_true(cache:seen("k", "n", 5100, 5159))
    clock = 1161
    assert.is_false(cache:seen("k", "n", 5100, 5161))
  end)

  it("takes no pair of key and nonce for another", function()
    local cache = webhook.replay_cache { now = now }
    assert.is_false(cache:seen("ab", "c", 100, 0))
    assert.is_false(cache:seen("a", "bc", 100, 0))
    assert.is_false(cache:seen("1:a", "bc", 100, 0))
    assert.is_false(cache:seen("", "1:abc", 100, 0))
  end)

  it("is full for a key at its cap, and has room again when nonces have gone", function()
    local cache = webhook.replay_cache { max = 3, now = now }
    for i = 1, 3 do
      assert.is_false(cache:full("k"))
      assert.is_false(cache:seen("k", "n" .. i, 300, 0))
    end
    assert.is_true(cache:full("k"))
    assert.equal("full", cache:seen("k", "n4", 300, 0))
    assert.is_false(cache:full("other"))
    assert.is_false(cache:seen("other", "n4", 300, 0))
    clock = clock + 300
    assert.is_true(cache:full("k"))
    clock = clock + 240 -- 9 minutes after
    assert.is_false(cache:full("k"))
    assert.is_false(cache:seen("k", "n4", 900, 600))
  end)

  it("knows for a second at least a nonce that has expired by far", function()
    local cache = webhook.replay_cache { now = now }
    assert.is_false(cache:seen("k", "n", 0, 1000))
    assert.is_true(cache:seen("k", "n", 0, 1000))
    clock = clock + 1
    assert.is_false(cache:seen("k", "n", 0, 1000))
  end)

  it("has room in a store of its own for ten keys that are full", function()
    local cache = webhook.replay_cache { max = 1, now = now }
    local taken = 0
    while cache:seen("key " .. taken, "n", 300, 0) == false do
      taken = taken + 1
    end
    assert.equal(50, taken) -- ten times a nonce and nine counters; here each nonce has a counter of its own
  end)

  it("is full when its store has no room, and never drops a nonce instead", function()
    local full = store.new(1, now)
    local cache = webhook.replay_cache { store = full, now = now }
    assert.is_false(cache:seen("k", "a", 300, 0))
    assert.equal("full", cache:seen("k", "b", 300, 0))
    assert.is_true(cache:seen("k", "a", 300, 0))
  end)

  it("raises on options that it does not know", function()
    assert.has_error(function() webhook.replay_cache { size = 1 } end)
    assert.has_error(function() webhook.replay_cache { max = 0 } end)
  end)
end)

describe("a memory of deliveries", function()
  local KEY, OTHER = "whk_0123456789abcdef", "whk_0123456789abcdeg"

  it("tells what was handled from what is new, for 24 hours", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:add(KEY, "body"))
    assert.is_true(d:keep(KEY, "body"))
    assert.is_false(d:add(KEY, "body"))
    assert.is_true(d:add(OTHER, "body"))
    clock = clock + 24 * 3600 - 1
    assert.is_false(d:add(KEY, "body"))
    clock = clock + 1
    assert.is_true(d:add(KEY, "body"))
  end)

  it("asks for one that comes while it is handled to come again, and forgets one without an outcome", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:add(KEY, "body"))
    local new, err = d:add(KEY, "body")
    assert.same({ nil, "webhook_unavailable", 503, true }, { new, err.code, err.status, err.retryable })
    d:forget(KEY)
    assert.is_true(d:add(KEY, "body"))
    clock = clock + 59
    assert.is_nil((d:add(KEY, "body")))
    clock = clock + 1
    assert.is_true(d:add(KEY, "body"))
  end)

  it("refuses another body under the same key with 409", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:add(KEY, "body"))
    for _ = 1, 2 do
      local new, err = d:add(KEY, "body ")
      assert.same({ nil, "webhook", "webhook_delivery_conflict", 409 }, { new, err.kind, err.code, err.status })
      assert.is_nil(err.message:find(KEY, 1, true))
      assert.is_true(d:keep(KEY, "body"))
    end
    assert.is_false(d:add(KEY, "body"))
  end)

  it("forgets one that could not be acted upon", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:add(KEY, "body"))
    d:forget(KEY)
    assert.is_true(d:add(KEY, "body"))
  end)

  it("asks to come again when there is no room", function()
    local d = webhook.deliveries { max = 1, now = now }
    assert.is_true(d:add(KEY, "body"))
    local new, err = d:add(OTHER, "body")
    assert.same({ nil, "webhook_unavailable", 503, true }, { new, err.code, err.status, err.retryable })
    new, err = d:keep(KEY, "body")
    assert.same({ nil, "webhook_unavailable" }, { new, err.code })
    assert.is_true(d:add(KEY, "body"))
  end)

  it("raises on anything but strings", function()
    local d = webhook.deliveries()
    assert.has_error(function() d:add(nil, "body") end)
    assert.has_error(function() d:add(KEY) end)
    assert.has_error(function() d:keep(KEY) end)
    assert.has_error(function() webhook.deliveries { seconds = 1 } end)
  end)
end)
