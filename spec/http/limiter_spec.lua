-- Requests are held back before the service has to say 429.
local limiter = require "scope3.http.limiter"
local most_in_a_minute = require "spec.support.minute"
local shared_store = require "spec.support.shared_store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }
local RATE = 5000 -- requests a minute: never what holds one back

-- Waits until one may go: when that is.
local function go(own, rate, poll, now)
  local wait = own:pass(WHO, rate, poll, now)
  while wait > 0 do
    now = now + wait
    wait = own:pass(WHO, rate, poll, now)
  end
  return now
end

describe("the limiter", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- Sends so many requests through a stream of its own; `midway` is called after the first third.
  local function send(client, n, midway, on_event)
    local stream = assert(client:stream("a", { max_members = 1, on_event = on_event }))
    for i = 1, n do
      assert(stream:add { external_id = i, uids = { x = "1" } })
      if midway and i == math.floor(n / 3) then
        midway()
      end
    end
    return assert(stream:finish())
  end

  local function rejections()
    local n, sent = 0, 0
    for _, request in ipairs(sandbox:requests()) do
      n = n + (request.status == 429 and 1 or 0)
      sent = sent + 1
    end
    return n, sent
  end

  -- When requests came, by the service's clock.
  local function arrivals()
    local at = {}
    for i, request in ipairs(sandbox:requests()) do
      at[i] = request.at
    end
    return at
  end

  local function client_of(loop, rate, own)
    return sandbox:client { rate = rate, loop = loop, limiter = own or limiter.new() }
  end

  it("keeps a thousand requests under the rate, with no 429 provoked", function()
    sandbox:configure { clock = "manual", rate_limit = 100 }
    local loop = virtual.loop(sandbox.url)
    assert.equal(1000, send(client_of(loop, 100), 1000).accepted)
    assert.equal(0, (rejections()))
    assert.is_true(loop.elapsed() >= 9 * 60 and loop.elapsed() < 10 * 60, loop.elapsed())
    assert.is_true(most_in_a_minute(arrivals()) <= 100)
  end)

  it("believes what replies announce, in either form, over its options", function()
    for _, form in ipairs { "fields", "single" } do
      sandbox:reset()
      sandbox:configure { clock = "manual", rate_limit = 60, rate_form = form }
      local loop = virtual.loop(sandbox.url)
      assert.equal(300, send(client_of(loop, 4000), 300).accepted)
      assert.equal(0, (rejections()))
      assert.is_true(loop.elapsed() < 7 * 60, loop.elapsed())
    end
  end)

  it("is told once at most when the service announces a lower rate midway", function()
    sandbox:configure { clock = "manual", rate_limit = 100 }
    local loop = virtual.loop(sandbox.url)
    send(client_of(loop, 100), 1000, function()
      sandbox:configure { rate_limit = 30 }
    end)
    assert.is_true(rejections() <= 1)
  end)

  it("slows down before the end of what is announced", function()
    local own, now, gaps = limiter.new(), 1000, {}
    local who = { host = "h", key = "k" }
    own:learn(who, { ["ratelimit-limit"] = "100", ["ratelimit-remaining"] = "10", ["ratelimit-reset"] = "30" }, 0, now)
    for i = 1, 10 do
      local wait = own:pass(who, RATE, false, now)
      while wait > 0 do
        now = now + wait
        wait = own:pass(who, RATE, false, now)
      end
      gaps[i] = now
    end
    assert.is_true(gaps[10] - gaps[1] > 15)
    for i = 2, 10 do
      assert.is_true(gaps[i] > gaps[i - 1])
    end
    assert.is_true(own:pass(who, RATE, false, now) > 0) -- the eleventh waits for the reset
    assert.equal(0, own:pass({ host = "h", key = "another" }, RATE, false, now))
  end)

  it("waits as long as Retry-After says, in seconds or as a date, whatever the clock of the service", function()
    for _, form in ipairs { "seconds", "date" } do
      sandbox:reset()
      sandbox:configure { clock = "manual", date_skew = -86400, retry_after_form = form,
        faults = world.json.array { { on = "sync", act = "status", status = 429, retry_after = 40, after = 1 } } }
      local loop = virtual.loop(sandbox.url)
      send(client_of(loop, 100), 3)
      assert.is_true(loop.elapsed() >= 39 and loop.elapsed() < 45, form .. " " .. loop.elapsed())
    end
  end)

  it("is shared by all clients of a state, and beyond it by a store alone", function()
    local store, deleted = shared_store(), 0
    local delete = store.delete
    function store:delete(key)
      deleted = deleted + (self.values[key] and 1 or 0)
      delete(self, key)
    end
    local both, sent = { limiter.new(store), limiter.new(store) }, {}
    for i = 1, 300 do
      sent[i] = go(both[i % 2 + 1], 10, false, sent[i - 1] or 1000)
    end
    assert.is_true(sent[300] >= 1000 + 29 * 60 and sent[300] < 1000 + 30 * 63, sent[300])
    assert.equal(10, most_in_a_minute(sent))
    local keys = 0
    for key in pairs(store.values) do
      keys = keys + 1
      assert.is_nil(key:find("scope3_", 1, true))
    end
    assert.is_true(keys < 20 and deleted > 20, keys .. " keys")
  end)

  it("says what is wrong with a store", function()
    for _, bad in ipairs { 12, {}, true, print, io.stdout, { get = print, set = print, incr = print } } do
      local ok, message = pcall(limiter.new, bad)
      assert.is_false(ok)
      assert.truthy(message:find("limiter_spec.lua:%d+: scope3.limiter: a store")
        or message:find("^scope3.limiter: a store"), message)
    end
    assert.has_error(function()
      sandbox:client { limiter = {} }
    end)
  end)

  it("lets no more through after it was idle, and none that gave up holds others back", function()
    local own, now, at = limiter.new(), 1000, {}
    go(own, 3, false, now)
    now = now + 4000
    for _ = 1, 30 do
      own:pass(WHO, 3, false, now - 3000) -- asks, and is not there when its turn comes
    end
    for i = 1, 30 do
      at[i] = go(own, 3, false, at[i - 1] or now)
    end
    assert.equal(3, most_in_a_minute(at))
    assert.is_true(at[30] - now < 9 * 63, at[30] - now)
  end)

  it("holds a rate of many thousands, too", function()
    for _, rate in ipairs { 4095, 4096, 5000 } do
      local own, n = limiter.new(), 0
      while own:pass(WHO, rate, false, 1000.5) == 0 do
        n = n + 1
      end
      assert.equal(rate, n)
      assert.is_true(own:pass(WHO, rate, false, 1060) > 0)
      assert.equal(0, own:pass(WHO, rate, false, 1063))
    end
    sandbox:configure { clock = "manual" }
    local loop, own = virtual.loop(sandbox.url), limiter.new()
    for _ = 1, 4096 do
      assert.equal(0, own:pass({ host = "127.0.0.1:" .. sandbox.port, key = "k" }, 4096, false, loop.now()))
    end
    send(client_of(loop, 4096, own), 2)
    assert.is_true(loop.elapsed() > 55, loop.elapsed())
  end)

  -- Many who ask at random moments, some late; what they send is on its way for up to a second.
  it("lets no more than the rate through in any minute of the service, however long requests take", function()
    local seed = require "spec.support.seed" % 100000
    math.randomseed(seed)
    for round = 1, 12 do
      local rate = math.random(40)
      local own, share = limiter.new(round % 2 == 0 and shared_store() or nil),
        math.max(1, math.floor(rate * 9 / 10))
      local askers, arrived, polls = {}, {}, {}
      for i = 1, math.random(12) do
        askers[i] = { at = 5000 + math.random() * 100, poll = math.random(3) == 1 }
      end
      for _ = 1, 100 + 20 * rate do
        table.sort(askers, function(a, b)
          return a.at < b.at
        end)
        local first = askers[1]
        local wait = own:pass(WHO, rate, first.poll, first.at)
        if wait > 0 then
          assert.is_true(wait <= 63, "seed " .. seed)
          first.at = first.at + wait + (math.random(4) == 1 and math.random() * 5 or 0) -- not all come back in time
        else
          local arrival = first.at + math.random()
          arrived[#arrived + 1] = arrival
          polls[#polls + 1] = first.poll and arrival or nil
          first.poll = math.random(3) == 1
          first.at = first.at + (math.random(10) == 1 and math.random() * 200 or math.random() * 0.1)
        end
      end
      assert.is_true(most_in_a_minute(arrived) <= rate, "seed " .. seed)
      assert.is_true(most_in_a_minute(polls) <= share, "seed " .. seed)
      assert.is_true(#arrived >= rate, "seed " .. seed)
    end
  end)

  it("lets a slower one have its turn among others that are faster", function()
    local own, now = limiter.new(), 1000
    for _ = 1, 40 do
      go(own, 60, false, now)
      now = now + 1.1
    end
    assert.equal(0, own:pass(WHO, 5, false, now))
    sandbox:configure { clock = "manual" }
    local loop = virtual.loop(sandbox.url)
    local shared = limiter.new()
    send(client_of(loop, 600, shared), 50)
    send(client_of(loop, 5, shared), 11)
    assert.is_true(loop.elapsed() > 2 * 60 and loop.elapsed() < 3 * 63, loop.elapsed())
  end)

  it("has the place back of two that took the last one at the same moment", function()
    local store = shared_store()
    local own = limiter.new(store)
    go(own, 2, false, 1000)
    local incr, other = store.incr, nil
    function store.incr(self, key, by, init)
      local go_first = other -- between the look of one and its count another one goes
      other = nil
      if go_first then
        go_first()
      end
      return incr(self, key, by, init)
    end
    function other()
      assert.equal(0, limiter.new(store):pass(WHO, 2, false, 1000))
    end
    assert.is_true(own:pass(WHO, 2, false, 1000) > 0)
    assert.equal(2, store:get "h:1000")
    function other() -- takes the one place that polls have, of two
      assert.equal(0, limiter.new(store):pass(WHO, 2, true, 2000))
    end
    assert.is_true(own:pass(WHO, 2, true, 2000) > 0)
    assert.same({ 1, 1 }, { store:get "h:2000", store:get "h:poll:2000" })
  end)

  it("holds everybody back after a 429, and nobody with another key", function()
    sandbox:configure { clock = "manual",
      faults = world.json.array { { on = "sync", act = "status", status = 429, retry_after = 40 } } }
    local loop, shared = virtual.loop(sandbox.url), limiter.new()
    local first, second, other = client_of(loop, 100, shared), client_of(loop, 100, shared), sandbox:client {
      rate = 100, loop = loop, limiter = shared, api_key = "scope3_other",
    }
    local before = loop.now()
    local told
    send(first, 1, nil, function(event)
      if event.event == "retry" then
        told = true
        send(other, 1)
        assert.is_true(loop.now() - before < 5)
        send(second, 1)
        assert.is_true(loop.now() - before >= 40, loop.now() - before)
      end
    end)
    assert.is_true(told)
  end)

  it("does not count on what those under way will use up", function()
    local own, now = limiter.new(), 1000
    own:learn(WHO, { ["ratelimit-limit"] = "8", ["ratelimit-remaining"] = "8", ["ratelimit-reset"] = "30" }, 5, now)
    for _ = 1, 3 do
      assert.equal(0, own:pass(WHO, RATE, false, now))
    end
    assert.is_true(own:pass(WHO, RATE, false, now) > 0)
    own:learn(WHO, { ratelimit = "limit=8, remaining=2, reset=30" }, 2, now)
    assert.is_true(own:pass(WHO, RATE, false, now) >= 29)
    -- Eight at once, when the service has two left.
    sandbox:configure { clock = "manual", rate_limit = 10 }
    local loop = virtual.loop(sandbox.url)
    local client = client_of(loop, 4000)
    local stream = assert(client:stream("a", { max_members = 1, concurrency = 8 }))
    for i = 1, 60 do
      assert(stream:add { external_id = i, uids = { x = "1" } })
    end
    assert.equal(60, assert(stream:finish()).accepted)
    assert.is_true(rejections() <= 7, rejections()) -- the first eight go before anything is announced
  end)

  it("gives polls of tasks at most nine tenths of the rate", function()
    sandbox:configure { clock = "manual", task_seconds = 3600, retry_after = false }
    local loop = virtual.loop(sandbox.url)
    local client = client_of(loop, 30)
    local res = assert(client:sync(assert(require("scope3").audience { id = "a" }):delete()))
    local waited = res:wait { timeout = 1800, interval = 0.5 }
    assert.is_nil(waited)
    local polls = 0
    for _ in ipairs(sandbox:requests("task")) do
      polls = polls + 1
    end
    assert.is_true(polls >= 27 * 29 and polls <= 27 * 31, polls .. " polls in half an hour")
  end)
end)
