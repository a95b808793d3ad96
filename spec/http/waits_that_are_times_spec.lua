-- RateLimit-Reset and Retry-After may be a time or a duration.
-- The client waits for an hour at most, and says so.
local limiter = require "scope3.http.limiter"
local retry_after = require "scope3.http.retry_after"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a wait that the service asks for", function()
  local sandbox = world.around(setup, teardown, before_each)
  local WHO = { host = "h", key = "k" }
  local RATE = 5000 -- requests a minute: never what holds one back
  local NOW = 1796000000

  it("may be written as a time", function()
    local function asked(value, date)
      return retry_after.read({ headers = { ["retry-after"] = value, date = date } }, NOW)
    end
    for value, seconds in pairs {
      ["40"] = 40, ["3600"] = 3600, ["0"] = 0, [("%d"):format(NOW + 30)] = 30,
      [("%.0f"):format((NOW + 30) * 1000)] = 30, [("%d"):format(NOW - 500)] = 0, [("%d"):format(NOW + 3600)] = 3600,
    } do
      assert.same({ seconds }, { asked(value) }, value)
    end
    for _, value in ipairs {
      "3601", "86400", "99999999", "9999999999", "99999999999999999999",
      ("%d"):format(NOW + 7200), "Fri, 31 Dec 9999 23:59:59 GMT",
    } do
      local seconds, longer = asked(value)
      assert.equal(3600, seconds, value)
      assert.is_true(longer > 3600 and longer <= 2 ^ 53, value)
    end
    -- By the service's clock, where it tells that.
    assert.same({ 60 }, { asked("1000000060", "Sun, 09 Sep 2001 01:46:40 GMT") })
    for _, value in ipairs { "soon", "-5", "", "nan", "-inf" } do
      assert.is_nil((asked(value)), value)
    end
  end)

  it("is as many seconds as its number or date says, whether or not the service tells its own time", function()
    local SERVICE = "Sun, 09 Sep 2001 01:46:10 GMT" -- 30 seconds before the 1e9th since 1970
    for _, case in ipairs {
      -- Retry-After, Date -> seconds, what was asked for where that is more
      { "0", SERVICE, 0 }, { "1.5", SERVICE, 1.5 }, { "2.", SERVICE, 2 }, { "3600", SERVICE, 3600 },
      { "3600.5", SERVICE, 3600, 3600.5 }, { "999999999", SERVICE, 3600, 999999999 },
      { "1000000000", SERVICE, 30 }, { "1000003570", SERVICE, 3600 }, { "1000003571", SERVICE, 3600, 3601 },
      { "1000000000", nil, 0 }, { "600000000000", SERVICE, 3600, 600000000000 - 999999970 },
      { "999999999999", SERVICE, 3600, 999999999999 - 999999970 },
      { "1000000000000", SERVICE, 30 }, { "1000000000500", SERVICE, 30.5 }, { "1000000000000", nil, 0 },
      { "99999999999999999999", SERVICE, 3600, 2 ^ 53 },
      { "Sun, 09 Sep 2001 01:46:40 GMT", SERVICE, 30 }, { SERVICE, SERVICE, 0 },
      { "Sun, 09 Sep 2001 01:46:09 GMT", SERVICE, 0 }, { "Sun, 09 Sep 2001 02:46:11 GMT", SERVICE, 3600, 3601 },
      { "Sun, 09 Sep 2001 01:46:40 GMT", "yesterday", 0 }, { "Sun, 09 Sep 2001 01:46:40 GMT", nil, 0 },
      { "0x10", SERVICE }, { "1e3", SERVICE }, { "1.5s", SERVICE }, { "1.2.3", SERVICE }, { ".5", SERVICE },
      { " ", SERVICE }, { "40, 50", SERVICE }, { "tomorrow", nil }, { nil, SERVICE },
    } do
      local result = { headers = { ["retry-after"] = case[1], date = case[2] } }
      assert.same({ case[3], case[4] }, { retry_after.read(result, NOW) }, tostring(case[1]))
    end
  end)

  it("may be a time until a reset, and is an hour at most", function()
    for reset, seconds in pairs {
      ["30"] = 30, [("%d"):format(NOW + 30)] = 30,
      [("%.0f"):format((NOW + 30) * 1000)] = 30, ["31536000"] = 3600, ["99999999999"] = 3600,
    } do
      for _, headers in ipairs {
        { ["ratelimit-limit"] = "9", ["ratelimit-remaining"] = "0", ["ratelimit-reset"] = reset },
        { ratelimit = "limit=9, remaining=0, reset=" .. reset },
      } do
        local own = limiter.new()
        local longer = own:learn(WHO, headers, 0, 1000, NOW)
        assert.equal(seconds == 3600, longer ~= nil, reset)
        assert.equal(seconds, own:pass(WHO, RATE, false, 1000), reset)
        assert.equal(0, own:pass(WHO, RATE, false, 1000 + seconds), reset)
      end
    end
    -- Where enough remains nobody waits, so there is nothing to tell.
    assert.is_nil(limiter.new():learn(WHO, { ratelimit = "limit=9, remaining=8, reset=86400" }, 0, 1000, NOW))
  end)

  it("until a reset that is a time is measured by the service's clock, where it tells that", function()
    local own = limiter.new()
    own:learn(WHO, { ratelimit = "limit=9, remaining=0, reset=1000000030", date = "Sun, 09 Sep 2001 01:46:40 GMT" }, 0,
      1000)
    assert.equal(30, own:pass(WHO, RATE, false, 1000))
    own = limiter.new() -- by its own clock that time was years ago
    own:learn(WHO, { ratelimit = "limit=9, remaining=0, reset=1000000030" }, 0, 1000)
    assert.equal(0, own:pass(WHO, RATE, false, 1000))
  end)

  it("is waited for up to an hour, and an event and the result say so", function()
    sandbox:configure { clock = "manual",
      faults = world.json.array { { on = "sync", act = "status", status = 429, retry_after = "31536000", after = 1 } } }
    local loop, told = virtual.loop(sandbox.url), {}
    local stream = assert(sandbox:client({ loop = loop, limiter = limiter.new() }):stream("a", {
      max_members = 1,
      on_event = function(event)
        told[#told + 1] = event.event == "cut_short" and event or nil
      end,
    }))
    for i = 1, 3 do
      assert(stream:add { external_id = i, uids = { x = "1" } })
    end
    local res = assert(stream:finish())
    assert.equal(3, res.accepted)
    assert.is_true(loop.elapsed() >= 3600 and loop.elapsed() < 3700, loop.elapsed())
    assert.same({ { event = "cut_short", field = "Retry-After", said = 31536000, seconds = 3600 } }, told)
    assert.equal("wait_cut_short", res.warnings[1].code)
    assert.truthy(res.warnings[1].message:find("31536000 s", 1, true))
    assert.truthy(res:json():find("wait_cut_short", 1, true))
  end)
end)
