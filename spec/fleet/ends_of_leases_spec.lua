-- What a drainer does where time passes at a bad moment: on a real Redis and the sandbox, by a clock that jumps.
local checks = require "scope3.fleet.checks"
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local world = require "spec.support.world"

local LEASE = 8 -- seconds: less than a call to Redis may take

describe("a drainer whose lease ends", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, connection, name, q
  local number = 0

  setup(function()
    server = redis.start {}
    connection = server:open()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    number = number + 1
    name = "ends" .. number
    q = queue.new(connection, name, assert(checks.look(connection)).run)
    assert(q:release("somebody", assert(q:lease("somebody", LEASE)).epoch))
    assert(q:append("f", 1, packed_lines.of { '@{"audienceId":"a"}',
      ('+{"externalId":"1","hashedEmail":"%s"}'):format(core.sha256 "1") }))
    sandbox:configure { task_seconds = 0 }
  end)

  local function get(what)
    return assert(connection:pipeline { { "GET", ("{scope3:%s}:%s"):format(name, what) } })[1]
  end

  -- A loop whose clock asks `jump` each time how far it is to jump.
  local function loop_of(jump)
    local ahead = 0
    return { name = "jumps" .. number, sleep = core.sleep, now = function()
      ahead = ahead + (jump() or 0)
      return core.now() + ahead
    end, wait = function(engine, seconds)
      engine:wait(seconds)
    end }
  end

  local function drain(loop, on_event, options)
    local all = { redis = server.url, queue = name, once = true, lease = LEASE, on_event = on_event }
    for key, value in pairs(options or {}) do
      all[key] = value
    end
    return sandbox:client { loop = loop }:drain(all)
  end

  -- Whether a call to Redis is under way: its time is not to be over.
  local function is_calling()
    local level, info = 2, debug.getinfo(2, "S")
    while info and not info.source:find("redis/connection", 1, true) do
      level = level + 1
      info = debug.getinfo(level, "S")
    end
    return info ~= nil
  end

  it("asks anew before it sends, where Redis took most of the lease to answer", function()
    local jumped, next_event
    local res = assert(drain(loop_of(function()
      if not jumped and not is_calling() and get "sent" then -- it was asked before the request
        jumped = true
        return LEASE * 0.95
      end
    end), function(event)
      next_event = next_event or jumped and event.event or nil
    end))
    assert.equal("queue", next_event) -- it looked around, as after each answer to who asks for the lease
    assert.same({ 1, 1, 0 }, { res.accepted, res.leases, res.lost })
  end)

  it("waits on with once where a turn under its rate comes later than a lease is long", function()
    assert(q:append("g", 1, packed_lines.of { '@{"audienceId":"a"}',
      ('+{"externalId":"2","hashedEmail":"%s"}'):format(core.sha256 "2") }))
    local at, put_off = {}, 0
    local loop = loop_of(function()
      return #at == 1 and not is_calling() and 0.1 or nil
    end)
    loop.wait = function(engine, seconds)
      engine:wait(math.min(seconds, 0.01))
    end
    local res = assert(drain(loop, function(event)
      at[#at + 1] = event.event == "accepted" and loop.now() or nil
      put_off = put_off + (event.event == "put_off" and 1 or 0)
    end, { max_members = 1, rate = 1 }))
    assert.same({ 2, 2, 2 }, { res.entries, res.accepted, res.requests })
    assert.is_true(at[2] - at[1] >= 60 and put_off > 1, at[2] - at[1])
  end)

  for _, case in ipairs {
    { "a request may still take effect", times = -1, ends = "put_off", left = 1 },
    { "a copy of a request that was sent again may still take effect", times = 1, ends = "drained", left = 0 },
  } do
    it("does not hand it over while " .. case[1], function()
      local stop = false
      sandbox:fault { on = "sync", act = "status", status = 500, times = case.times }
      local none, err = drain(nil, function(event)
        stop = stop or event.event == case.ends
      end, { once = false, cancel = function()
        return stop
      end })
      assert.is_nil(none)
      assert.same({ "cancelled", false }, { err.kind, err.result.released })
      assert.is_false(get "released")
      assert.is_truthy(get "lease")
      assert.equal(case.left, q:figures().entries)
    end)
  end

  -- An entry whose member is refused, and a line that is none. Gives a function that takes the lease from the drainer,
  -- and what to do at each event, so that it has it again.
  local function give_up_and_lose()
    sandbox:configure { task_seconds = 0, refuse = { "2" } }
    assert(q:append("g", 1, packed_lines.line("?", "junk") .. packed_lines.of { '@{"audienceId":"a"}',
      ('+{"externalId":"2","hashedEmail":"%s"}'):format(core.sha256 "2") }))
    local grant
    return function()
      assert(connection:call("DEL", ("{scope3:%s}:lease"):format(name)))
      grant = assert(q:lease("other", LEASE))
    end, function(event)
      if event.event == "lease" and event.status == "standby" then
        assert.is_true(q:release("other", grant.epoch))
      end
    end
  end

  it("counts what it gives up when it is removed, and not when another one may remove it", function()
    local lose, regain = give_up_and_lose()
    local told, lost = {}, false
    local res = assert(drain(nil, function(event)
      regain(event)
      if event.event == "accepted" and not lost then
        lost = true
        lose()
      end
      told[#told + 1] = event.event == "given_up" and event or nil
    end))
    assert.same({ 2, 2, 2, 1 }, { res.entries, res.members, res.accepted, res.lost })
    assert.same({ 1, 1, 1 }, { res.unreadable, res.rejected_by_service, #told })
  end)

  it("counts what it gave up where it never hears whether that was removed", function()
    local lose, regain = give_up_and_lose()
    local told, cut, lost = {}, false, false
    local res = assert(drain(nil, function(event)
      regain(event)
      if event.event == "accepted" and not cut then
        cut = true
        assert(connection:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
      elseif event.event == "put_off" and not lost then -- as if only the answer had been lost
        lost = true
        assert(connection:call("DEL", ("{scope3:%s}:s"):format(name)))
        lose()
      end
      told[#told + 1] = event.event == "given_up" and event or nil
    end, { patience = 600 }))
    assert.same({ 0, 1, 1 }, { res.entries, res.accepted, res.lost })
    assert.same({ 1, 1, 1 }, { res.unreadable, res.rejected_by_service, #told })
  end)
end)
