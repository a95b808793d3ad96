-- Requests are held back before the service has to say 429.
local limiter = require "scope3.limiter"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("the limiter", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- Sends so many requests through a stream of its own; `midway` is called after the first third.
  local function send(client, n, midway)
    local stream = assert(client:stream("a", { max_members = 1 }))
    for i = 1, n do
      assert(stream:add { external_id = i, uids = { x = "1" } })
      if midway and i == math.floor(n / 3) then
        midway()
      end
    end
    return assert(stream:finish())
  end

  local function refusals()
    local n, sent = 0, 0
    for _, request in ipairs(sandbox:requests()) do
      n = n + (request.status == 429 and 1 or 0)
      sent = sent + 1
    end
    return n, sent
  end

  local function client_of(loop, rate, own)
    return sandbox:client { rate = rate, loop = loop, limiter = own or limiter.new() }
  end

  it("keeps a thousand requests under the rate, with no 429 provoked", function()
    sandbox:configure { clock = "manual", rate_limit = 100 }
    local loop = virtual.loop(sandbox.url)
    assert.equal(1000, send(client_of(loop, 100), 1000).sent)
    assert.equal(0, (refusals()))
    assert.is_true(loop.elapsed() >= 9 * 60 and loop.elapsed() < 13 * 60, loop.elapsed())
  end)

  it("believes what replies announce, in either form, over what it was told", function()
    for _, form in ipairs { "fields", "single" } do
      sandbox:reset()
      sandbox:configure { clock = "manual", rate_limit = 60, rate_form = form }
      local loop = virtual.loop(sandbox.url)
      assert.equal(300, send(client_of(loop, 4000), 300).sent)
      assert.equal(0, (refusals()))
      assert.is_true(loop.elapsed() < 7 * 60, loop.elapsed())
    end
  end)

  it("is told once at most when the service announces a lower rate midway", function()
    sandbox:configure { clock = "manual", rate_limit = 100 }
    local loop = virtual.loop(sandbox.url)
    send(client_of(loop, 100), 1000, function()
      sandbox:configure { rate_limit = 30 }
    end)
    assert.is_true(refusals() <= 1)
  end)

  it("slows down before the end of what is announced", function()
    local own, now, gaps = limiter.new(), 1000, {}
    local who = { host = "h", key = "k" }
    own:learn(who, { ["ratelimit-limit"] = "100", ["ratelimit-remaining"] = "10", ["ratelimit-reset"] = "30" }, 0, now)
    for i = 1, 10 do
      local wait = own:hold(who, now)
      while wait > 0 do
        now = now + wait
        wait = own:hold(who, now)
      end
      gaps[i] = now
    end
    assert.is_true(gaps[10] - gaps[1] > 15)
    for i = 2, 10 do
      assert.is_true(gaps[i] > gaps[i - 1])
    end
    assert.is_true(own:hold(who, now) > 0) -- the eleventh waits for the reset
    assert.equal(0, own:hold({ host = "h", key = "another" }, now))
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
    local store = { values = {} }
    function store:get(key)
      return self.values[key]
    end
    function store:set(key, value)
      self.values[key] = value
      return true
    end
    function store:incr(key, by, init)
      self.values[key] = (self.values[key] or init) + by
      return self.values[key]
    end
    function store:delete(key)
      self.values[key] = nil
    end
    local first, second = limiter.new(store), limiter.new(store)
    local who, last = { host = "h", key = "k" }, 0
    for i = 1, 30 do
      last = (i % 2 == 0 and first or second):claim(who, 10, false, 1000)
    end
    assert.is_true(last >= 1000 + 2 * 60)
    for key in pairs(store.values) do
      assert.is_nil(key:find("scope3_", 1, true))
    end
  end)

  it("gives polls of tasks at most a third of the rate", function()
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
    assert.is_true(polls >= 250 and polls <= 10 * 31, polls .. " polls in half an hour")
  end)
end)
