-- Each failure is tried again as often as docs/reliability.md says, by what the request does: reading and sending
-- members may happen twice, offering an audience may not. What may have been carried out is called uncertain, whatever
-- follows.
local answering = require "spec.support.answering"
local limiter = require "scope3.http.limiter"
local retry = require "scope3.http.retry"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function always(value)
  return function()
    return value
  end
end

local MANY = 1000 -- attempts that nothing may allow

-- The attempts of a request that fails in these ways, one after the other, and in the last of them for ever.
local function attempts(ways, how)
  local failures, made = {}, 0
  repeat
    made = made + 1
  until made == MANY or not retry.delay(ways[math.min(made, #ways)], made, failures, how)
  return made
end

local HTTP = {}
for _, status in ipairs { 429, 500, 502, 503, 504 } do
  HTTP[status] = { kind = status == 429 and "rate_limited" or "http", status = status, retryable = true }
end
local BROKEN = { kind = "network", code = "RECV_ERROR", retryable = true, uncertain = true }
local REFUSED = { kind = "network", code = "COULDNT_CONNECT", retryable = true }
local LATE = { kind = "timeout", code = "OPERATION_TIMEDOUT", retryable = true, uncertain = true }
local UNREADABLE = { kind = "http", code = "BAD_REPLY", status = 202, uncertain = true }

describe("a failure that is answered to each request", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function sync(client)
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "x", email = "a@example.com" })
    return client:sync(audience)
  end

  -- A request that reads, one that sends members, and one that must not happen twice.
  local CALLS = {
    { on = "audiences", run = function(client)
      return client:audience "a"
    end },
    { on = "sync", run = sync },
    { on = "syndicate", run = function(client)
      return client:syndicate { audience_id = "a", adcp_agent_ids = { "17" } }
    end },
  }

  -- Fault -> requests that read, that send members, that offer an audience; whether the last two are uncertain.
  local EXPECTED = {
    { { act = "status", status = 400 }, 1, 1, 1, false },
    { { act = "status", status = 401 }, 1, 1, 1, false },
    { { act = "status", status = 402 }, 1, 1, 1, false },
    { { act = "status", status = 403 }, 1, 1, 1, false },
    { { act = "status", status = 404 }, 1, 1, 1, false },
    { { act = "status", status = 409 }, 1, 1, 1, false },
    { { act = "status", status = 413 }, 1, 1, 1, false },
    { { act = "status", status = 422 }, 1, 1, 1, false },
    { { act = "status", status = 429 }, 8, 8, 8, false },
    { { act = "status", status = 500 }, 2, 2, 1, true },
    { { act = "status", status = 501 }, 1, 1, 1, false },
    { { act = "status", status = 502 }, 8, 8, 1, true },
    { { act = "status", status = 503 }, 8, 8, 8, false },
    { { act = "status", status = 504 }, 8, 8, 1, true },
    { { act = "status", status = 504, html = true }, 8, 8, 1, true },
    { { act = "redirect" }, 1, 1, 1, false },
    -- These hosts have never answered, so what is of no job is given up sooner.
    { { act = "cut_after" }, 3, 8, 1, true },
    { { act = "lost_reply" }, 3, 8, 1, true },
    { { act = "half_reply" }, 8, 8, 1, true },
    { { act = "not_json" }, 3, 3, 1, true },
    { { act = "wrong_envelope" }, 3, 3, 1, true },
  }

  it("is tried as often as the table of the documentation says", function()
    for _, expected in ipairs(EXPECTED) do
      local rule = expected[1]
      rule.times = -1
      for i, call in ipairs(CALLS) do
        local name = ("%s %s on %s"):format(rule.act, rule.status or "", call.on)
        sandbox:reset()
        if call.on ~= "sync" then
          assert(sync(sandbox:client())) -- so that there is an audience
        end
        rule.on = call.on
        sandbox:fault(rule)
        local client = sandbox:client { loop = virtual.loop(), limiter = limiter.new() }
        local ok, err = call.run(client)
        assert.is_nil(ok, name)
        assert.equal(expected[1 + i], #sandbox:requests(call.on), name)
        assert.equal(expected[1 + i], err.request.attempts, name)
        assert.equal(i > 1 and expected[5], err.uncertain == true, name)
      end
    end
  end)

  it("is tried eight times where the connection breaks at a host that has answered before", function()
    local client = sandbox:client { loop = virtual.loop(), limiter = limiter.new() }
    assert.equal("not_found", select(2, client:audience "a").kind)
    sandbox:fault { on = "audiences", act = "cut_after", times = -1 }
    local _, err = client:audience "a"
    assert.same({ "network", 8 }, { err.kind, err.request.attempts })
    assert.is_nil(err.uncertain) -- reading changes nothing
  end)

  it("waits for no longer than twice the pause before, or as Retry-After says where that is longer", function()
    for retry_after, bounds in pairs {
      [""] = { 0.5, 1, 2, 4, 8, 16, 30 }, ["40"] = { 40, 40, 40, 40, 40, 40, 40 },
    } do
      sandbox:reset()
      sandbox:fault { on = "audiences", act = "status", status = 503, times = -1,
        retry_after = retry_after ~= "" and retry_after or nil }
      local waits = {}
      local client = sandbox:client { loop = virtual.loop(), limiter = limiter.new(), on_event = function(event)
        waits[#waits + 1] = event.event == "retry" and event.seconds or nil
      end }
      assert.is_nil((client:audience "a"))
      assert.equal(#bounds, #waits)
      for i, bound in ipairs(bounds) do
        local least = retry_after ~= "" and bound or 0
        assert.is_true(waits[i] >= least and waits[i] <= bound, ("pause %d: %s"):format(i, waits[i]))
      end
    end
  end)
end)

describe("a request that was perhaps carried out", function()
  local server = answering.around(setup, teardown)

  -- Syncs while the service gives the first reply once, and then the second for ever.
  local function sync(first, second)
    server:answer(([[local n = 0
      return function(request)
        n = n + 1
        if n == 1 then return %s end
        return %s
      end]]):format(first, second))
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "x", email = "a@example.com" })
    return select(2, server:client({ limiter = limiter.new() }):sync(audience, { deadline = 20 }))
  end

  local AWAY = "503, '', { { 'Retry-After', '600' } }"

  it("stays so when it is given up later, while it waits to be sent again", function()
    local err = sync("502, ''", AWAY)
    assert.equal("timeout", err.kind)
    assert.same({ true, 1, 0 }, { err.uncertain, err.result.unknown, err.result.failed })
  end)

  it("stays so when it is refused later", function()
    local err = sync("504, ''", "403, '{}'")
    assert.same({ 403, true, 1, 0 }, { err.status, err.uncertain, err.result.unknown, err.result.failed })
  end)

  it("is not one that was refused each time, or never carried out", function()
    local err = sync("503, ''", AWAY)
    assert.equal("timeout", err.kind)
    assert.same({ 0, 1 }, { err.result.unknown, err.result.failed })
    assert.is_nil(err.uncertain)
  end)
end)

describe("the decision on one more attempt", function()
  it("counts each way of failing by itself, and eight attempts in all", function()
    for _, case in ipairs {
      { { HTTP[503] }, 8 }, { { HTTP[500] }, 2 }, { { LATE }, 3 }, { { UNREADABLE }, 3 },
      { { HTTP[500], HTTP[503], HTTP[500] }, 3 },
      { { HTTP[503], HTTP[503], HTTP[500], HTTP[503] }, 8 },
      { { LATE, LATE, HTTP[503], LATE }, 4 },
      { { UNREADABLE, HTTP[500], UNREADABLE, HTTP[500] }, 4 },
      { { LATE, UNREADABLE, LATE, UNREADABLE, HTTP[500], HTTP[502], BROKEN, HTTP[429] }, 8 },
      { { HTTP[429], HTTP[502], HTTP[503], HTTP[504], BROKEN, HTTP[429], HTTP[502], HTTP[503] }, 8 },
      { { HTTP[503], { kind = "http", status = 403 } }, 2 },
    } do
      assert.equal(case[2], attempts(case[1], { reached = true, random = always(0) }))
    end
  end)

  it("allows three attempts at a host that never answered, and eight where it did or may have", function()
    for _, case in ipairs {
      { REFUSED, { reached = false }, 3 }, { REFUSED, { reached = true }, 8 }, { REFUSED, nil, 3 },
      { BROKEN, { reached = false }, 8 }, { BROKEN, { reached = true }, 8 },
      { HTTP[503], { reached = false }, 8 }, { LATE, { reached = false }, 3 },
    } do
      assert.equal(case[3], attempts({ case[1] }, case[2]))
    end
  end)

  it("waits by chance up to a bound that doubles, and at least for Retry-After", function()
    for _, case in ipairs {
      -- attempts, chance, Retry-After -> seconds
      { 1, 1, nil, 0.5 }, { 1, 0.5, nil, 0.25 }, { 1, 0, nil, 0 }, { 2, 1, nil, 1 }, { 3, 0.25, nil, 0.5 },
      { 6, 1, nil, 16 }, { 7, 1, nil, 30 }, { 7, 0.5, nil, 15 },
      { 1, 1, 0, 0.5 }, { 4, 1, 0, 4 }, { 4, 0, 0, 0 }, { 4, 1, 0.25, 4 }, { 4, 0, 0.25, 0.25 }, { 4, 1, 0.999, 4 },
      { 4, 1, 1, 4 }, { 7, 1, 1, 30 }, { 7, 0.5, 1, 15 }, { 7, 0, 1, 1 }, { 1, 0, 1, 1 }, { 1, 1, 1, 1 },
      { 1, 1, 3600, 3600 }, { 7, 1, 40, 40 },
    } do
      local err = { kind = "http", status = 503, retry_after = case[3] }
      assert.equal(case[4], retry.delay(err, case[1], {}, { reached = true, random = always(case[2]) }))
    end
  end)

  it("takes forty repeats of a job at most at once, also after many requests that went through", function()
    local how = { reached = true, random = always(0), budget = retry.budget() }
    for _ = 1, 500 do
      retry.earn(how.budget)
    end
    local repeats = 0
    while repeats < MANY and retry.delay(HTTP[503], 1, {}, how) do
      repeats = repeats + 1
    end
    assert.equal(40, repeats)
    for _ = 1, 6 do
      retry.earn(how.budget)
    end
    assert.equal(4, attempts({ HTTP[503] }, how)) -- six halves are three repeats
    assert.equal(1, attempts({ HTTP[503] }, how))
    retry.earn(how.budget)
    assert.equal(1, attempts({ HTTP[503] }, how)) -- half a repeat is none
    retry.earn(how.budget)
    -- A failure that is final by itself takes none.
    assert.equal(1, attempts({ { kind = "invalid", status = 400 } }, how))
    assert.equal(2, attempts({ HTTP[503] }, how))
  end)

  it("in an outage is by the patience that is left, and takes no attempt and no repeat of the job", function()
    local how = { reached = true, random = always(1), budget = retry.budget(), left = 100 }
    local failures, made = {}, 0
    for _ = 1, 100 do
      made = made + 1
      assert.is_true(retry.delay(HTTP[503], made, failures, how) <= 30)
    end
    assert.equal(40, how.budget.left)
    for left, seconds in pairs { [100] = 30, [30] = 30, [12] = 12, [0.25] = 0.25 } do
      assert.equal(seconds, retry.delay(HTTP[503], 50, {}, { reached = true, random = always(1), left = left }))
    end
    for _, left in ipairs { 0, -1 } do
      assert.is_nil(retry.delay(HTTP[503], 1, {}, { reached = true, left = left }))
    end
    how.left = nil -- the outage is over: what fails now has its attempts, in one way or in several
    local more = 0
    repeat
      more = more + 1
      made = made + 1
    until more == MANY or not retry.delay(more % 2 == 0 and HTTP[429] or BROKEN, made, failures, how)
    assert.equal(8, more)
  end)

  it("is patient with what the glossary calls an outage", function()
    for _, err in ipairs {
      HTTP[502], HTTP[503], HTTP[504], BROKEN, REFUSED,
      { kind = "network", code = "COULDNT_RESOLVE_HOST", retryable = true },
      { kind = "timeout", code = "CONNECT_TIMEDOUT" },
    } do
      assert.is_true(retry.is_outage(err), err.code or err.status)
    end
    for _, err in ipairs {
      HTTP[429], HTTP[500], LATE, UNREADABLE, { kind = "http", status = 501 }, { kind = "invalid", status = 400 },
      { kind = "http", status = 403 }, { kind = "network", code = "PEER_FAILED_VERIFICATION", retryable = true },
      { kind = "network", code = "NOT_TLS", retryable = true }, { kind = "network", code = "COULDNT_CONNECT" },
    } do
      assert.is_false(retry.is_outage(err), err.code or err.status)
    end
  end)
end)
