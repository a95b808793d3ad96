-- Processes of a fleet under one rate while Redis goes, comes back, comes back empty or with older data, loses its
-- keys, and its clock jumps: by the decisions and the script themselves, and a clock of the spec. No minute has more
-- than the rate.
local fake_redis = require "spec.support.fake_redis"
local limits = require "scope3.redis.limits"
local most_in_a_minute = require "spec.support.minute"
local rare = require "scope3.util.rare"

local WHO = { host = "h", key = "k" }
local START, SECONDS = 1e5, 420
local RUNS = tonumber(os.getenv "SCOPE3_SHARE_RUNS") or 60

-- Numbers by a seed, alike on each Lua.
local function dice_of(seed)
  local state = seed % 2147483646 + 1
  for _ = 1, 4 do -- of seeds in a row the first number is nearly one: all runs would have as many processes
    state = state * 16807 % 2147483647
  end
  return function(n)
    state = state * 16807 % 2147483647
    local fraction = state / 2147483647
    return n and math.floor(fraction * n) + 1 or fraction
  end
end

-- What happens to Redis, in order: when, and what.
local function plan_of(dice)
  local plan, at = {}, dice() * 60
  while at < SECONDS do
    local away = ({ dice() * 5, dice() * 70, 61 + dice() * 20, 72 + dice() * 150 })[dice(4)]
    local how = ({ "stop", "stop", "cut", "cut", "crash", "empty" })[dice(6)]
    plan[#plan + 1] = { at = at, what = how == "cut" and "cut" or "stop" }
    plan[#plan + 1] = { at = at + away, what = how, jump = dice(5) == 1 and 3600 * (dice(2) * 2 - 3) or 0 }
    local rest = dice() * 160
    if dice(2) == 1 then
      plan[#plan + 1] = { at = at + away + dice() * rest, what = "flush", jump = 0 }
    end
    at = at + away + rest
  end
  return plan
end

-- One run. Gives when requests left.
local function simulate(seed)
  local dice, now, jumped = dice_of(seed), START, 0
  local server = fake_redis(function()
    return 1795990400 + now + jumped
  end, function()
    return now
  end)
  local n, rate = dice(4), dice(10) + 3
  n = math.min(n, rate)
  local left, processes = {}, {}
  for i = 1, n do
    local wrong = (dice() - 0.5) * 7200 -- the clock of each machine is another
    processes[i] = { due = now + dice() * 100, greedy = dice(3) > 1, limits = assert(limits.new(
      { redis = "redis://127.0.0.1", fleet = n },
      server:opener(function()
        now = now + (dice(40) == 1 and dice() * 1.5 or 0)
        return dice(60) == 1
      end, function()
        return dice(60) == 1
      end),
      function()
        return now + wrong
      end)) }
  end
  local plan, next_of_plan = plan_of(dice), 1
  local saving = now
  while now < START + SECONDS do
    local first = processes[1]
    for _, one in ipairs(processes) do
      first = one.due < first.due and one or first
    end
    now = math.max(now, first.due)
    while plan[next_of_plan] and plan[next_of_plan].at + START <= now do
      local event, flush = plan[next_of_plan], false
      next_of_plan = next_of_plan + 1
      if event.what == "stop" or event.what == "cut" and server.is_up then
        if server.is_up then
          server.is_up = false
        else
          server:restart "all"
        end
      elseif event.what == "cut" then
        server.is_up = true
      elseif event.what == "flush" then
        flush = true
      else
        server:restart(event.what == "empty" and "nothing" or "saved")
      end
      -- Who never asked before cannot see that the clock was set forward.
      local all_asked = true
      for _, one in ipairs(processes) do
        all_asked = all_asked and one.limits.asked.h ~= nil
      end
      jumped = jumped + (all_asked and event.jump or 0)
      if flush and all_asked and server.is_up then -- nor that keys were removed
        server.data = {}
      end
    end
    if server.is_up and now - saving > 20 then
      server:save()
      saving = now
    end
    local poll = dice(5) == 1
    local wait = assert(first.limits:claim(WHO, rate, poll, 0))
    if wait == 0 then
      left[#left + 1] = now
      wait = first.greedy and dice() * 0.2 or dice() * 40
    end
    first.due = now + wait + dice() * 0.01
  end
  return left, rate
end

describe("the shares of a fleet", function()
  local real = rare.number
  local numbers = {}

  setup(function()
    rare.number = function(name, usual)
      return numbers[name] or usual
    end
  end)
  teardown(function()
    rare.number = real
  end)
  before_each(function()
    numbers = {}
  end)

  local function count_wrong(runs, seed)
    local wrong, first, sent = 0, nil, 0
    for run = 1, runs do
      local left, rate = simulate(seed + run)
      sent = sent + #left / rate
      if most_in_a_minute(left) > rate then
        wrong, first = wrong + 1, first or seed + run
      end
    end
    return wrong, first, sent / runs
  end

  it("never exceed the rate in a minute, whatever happens to Redis", function()
    local seed = require "spec.support.seed" % 1000000
    local wrong, first, minutes = count_wrong(RUNS, seed)
    assert.same({ 0 }, { wrong, first })
    assert.is_true(minutes > 1.5, minutes) -- of the seven; they do not just wait
  end)

  -- Two of a fleet under a rate of 8, in a world that has been at rest, and how many requests of one go at once.
  local function two_at_rest()
    local world = { now = START }
    world.server = fake_redis(function()
      return 1795990400 + world.now
    end)
    for i = 1, 2 do
      world[i] = assert(limits.new({ redis = "redis://127.0.0.1?fleet=2" }, world.server:opener(), function()
        return world.now
      end))
    end
    function world.burst(i, poll)
      local n = 0
      while world[i]:claim(WHO, 8, poll, 0) == 0 do
        n = n + 1
      end
      return n
    end
    for _ = 1, 9 do -- it is asked all the time
      world[1]:claim(WHO, 8, false, 0)
      world.now = world.now + 9
    end
    assert.equal(0, (world[1]:claim(WHO, 8, false, 0)))
    world.now = world.now + 59
    return world
  end

  it("hold nobody while Redis gives the places", function()
    local world = two_at_rest()
    assert.equal(7, world.burst(1))
    assert.equal(0, world.burst(2))
  end)

  it("hold for 71 seconds after Redis was not asked for a minute", function()
    local world = two_at_rest()
    world.now = world.now + 100
    assert.equal(4, world.burst(1))
    assert.equal(4, world.burst(2))
    world.now = world.now + 62
    assert.equal(4, world.burst(1))
    world.now = world.now + 10
    assert.equal(4, world.burst(2))
  end)

  it("hold after Redis was started anew, once a minute has passed without any place", function()
    for _, what in ipairs { "saved", "nothing" } do
      local world = two_at_rest()
      world.server:save()
      assert.equal(7, world.burst(1), what) -- more than its share
      world.server:restart(what)
      world.now = world.now + 1
      assert.equal(0, world.burst(1) + world.burst(2), what)
      world.now = world.now + 59
      assert.equal(0, world.burst(1) + world.burst(2), what)
      world.now = world.now + 2
      assert.equal(4, world.burst(1), what)
      assert.equal(4, world.burst(2), what)
    end
  end)

  it("hold on where Redis was away again before they ended", function()
    local world = two_at_rest()
    world.now = world.now + 100
    assert.equal(4, world.burst(1))
    world.now = world.now + 50
    assert.equal(0, world.burst(1))
    world.now = world.now + 50 -- it may have been away for the others
    assert.equal(4, world.burst(1))
    assert.equal(4, world.burst(2))
  end)

  it("do not count by a clock that was set", function()
    for _, jump in ipairs { 3600, -3600 } do
      local world, jumped = two_at_rest(), 0
      local clock = world.server.clock
      world.server.clock = function()
        return clock() + jumped
      end
      assert.equal(7, world.burst(1))
      world.now, jumped = world.now + 2, jump
      assert.equal(0, world.burst(1) + world.burst(2))
      world.now = world.now + 62
      assert.equal(4, world.burst(1))
    end
  end)

  it("do not count by a clock that was set back while Redis was not asked", function()
    local world, jumped = two_at_rest(), 0
    local clock = world.server.clock
    world.server.clock = function()
      return clock() + jumped
    end
    world.now, jumped = world.now + 100, -3600 -- both may have sent by shares
    assert.equal(0, world.burst(1) + world.burst(2))
    world.now = world.now + 62
    assert.equal(4, world.burst(1))
  end)

  it("hold after keys of Redis were removed, until what they knew is over", function()
    for _, what in ipairs { "all", "all but one's", "places" } do
      local world = two_at_rest()
      assert.equal(0, (world[2]:claim(WHO, 8, false, 0)))
      assert.equal(6, world.burst(1), what) -- more than its share
      local places = "{scope3:limit:h}:places"
      world.server.data = what == "places" and setmetatable({ [places] = false }, { __index = world.server.data }) or {}
      if what == "all but one's" then -- who comes new does not know that there were others
        local new = assert(limits.new({ redis = "redis://127.0.0.1?fleet=9" }, world.server:opener(), function()
          return world.now
        end))
        world.now = world.now + 1
        new:claim(WHO, 8, false, 0)
      end
      world.now = world.now + 1
      assert.equal(0, world.burst(2) + world.burst(1), what)
      world.now = world.now + 59
      assert.equal(0, world.burst(2) + world.burst(1), what)
      world.now = world.now + 2
      assert.is_true(world.burst(1) >= 4, what)
    end
  end)

  it("begin 71 seconds after Redis was seen to be away, and not where it is looked at less than each 8 s", function()
    local world = two_at_rest()
    world.server.is_up = false
    local seconds, wait = 0, world[1]:claim(WHO, 8, false, 0)
    while wait > 0 do
      assert.is_true(wait <= 1)
      seconds, world.now = seconds + 1, world.now + 1
      wait = world[1]:claim(WHO, 8, false, 0)
    end
    assert.equal(71, seconds)
    assert.equal(3, world.burst(1))
    world.now = world.now + 62
    assert.equal(1, (world[1]:claim(WHO, 8, false, 0)))
    assert.equal(0, world.burst(1))
  end)

  it("give polls nine tenths", function()
    local world = two_at_rest()
    world.server.is_up = false
    for _ = 0, 70 do
      world[1]:claim(WHO, 8, false, 0)
      world.now = world.now + 1
    end
    assert.equal(3, world.burst(1, true))
    assert.equal(1, world.burst(1))
  end)

  it("keep what a reply said while Redis is away", function()
    local world = two_at_rest()
    world.server.is_up = false
    world[1]:claim(WHO, 8, false, 0)
    world[1]:block(WHO, 80)
    for _ = 0, 74 do
      world.now = world.now + 1
      assert.is_true(world[1]:claim(WHO, 8, false, 0) > 0)
    end
    world.server.is_up = true
    world.now = world.now + 1
    local wait = world[2]:claim(WHO, 8, false, 0)
    assert.equal(0, wait) -- Redis does not know it yet
    wait = world[1]:claim(WHO, 8, false, 0)
    assert.is_true(wait > 3 and wait < 5, wait)
    assert.is_true(world[2]:claim(WHO, 8, false, 0) > 3)
  end)

  it("would, if they began at once, or Redis gave all at once when it is back", function()
    numbers = { limiter_notice = -61 }
    assert.is_true(count_wrong(60, 1) > 0)
  end)
end)
