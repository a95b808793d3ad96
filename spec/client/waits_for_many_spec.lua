-- A wait for many asks no more than it has to: one listing of the account a round for all audiences, and nearly the
-- whole rate for polls once nothing is left to send.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a wait for many", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function audiences(n, members)
    local list = {}
    for i = 1, n do
      list[i] = assert(scope3.audience { id = ("a%04d"):format(i) })
      for m = 1, members or 1 do
        assert(list[i]:add { external_id = "m" .. m, email = ("m%d@example.com"):format(m) })
      end
    end
    return list
  end

  local function client_of(rate)
    local loop = virtual.loop(sandbox.url)
    return sandbox:client { loop = loop, rate = rate }, loop
  end

  it("audiences lists the account once a round, whatever their number", function()
    for n, pages in pairs { [1] = 1, [100] = 1, [400] = 4 } do
      sandbox:reset()
      sandbox:configure { clock = "manual", task_seconds = 1, audience_seconds = 100 }
      local client = client_of(100000)
      local res, rounds = assert(client:sync(audiences(n))), 0
      local before = #sandbox:requests "audiences"
      assert(res:wait { interval = 30, on_event = function(event)
        rounds = rounds + (event.event == "audience" and event.audience_id == "a0001" and 1 or 0)
      end })
      assert.is_true(rounds > 2, rounds)
      assert.equal(pages * rounds, #sandbox:requests "audiences" - before)
      for _, audience in ipairs(res.audiences) do
        assert.truthy(audience.status == "READY" or audience.status == "TOO_SMALL", audience.status)
      end
    end
  end)

  it("audiences asks no more for those that have ended, and says of how many it waited in vain", function()
    sandbox:configure { clock = "manual", task_seconds = 1, audience_seconds = 1e5 }
    local client = client_of(100000)
    local res, seen = assert(client:sync(audiences(3))), {}
    local _, err = res:wait { timeout = 3600, interval = 600, on_event = function(event)
      if event.event == "audience" then
        seen[#seen + 1] = event.audience_id .. " " .. event.status
        if #seen == 3 then
          sandbox:control("PUT", "audience", { account = "25", audienceId = "a0001", status = "READY" })
        end
      end
    end }
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("a0002: the audience was last seen as PROCESSING; 1 more has not ended either", 1,
      true), err.message)
    local of_first = 0
    for _, one in ipairs(seen) do
      of_first = of_first + (one:find "^a0001" and 1 or 0)
    end
    assert.is_true(of_first <= 2 and #seen > 6, table.concat(seen, ", "))
    assert.not_equal("PROCESSING", res.audiences[1].status)
  end)

  it("tasks has nearly the whole rate, and tells how many have ended", function()
    sandbox:configure { clock = "manual", task_seconds = 1, audience_seconds = 0 }
    local client, loop = client_of(100)
    local list = audiences(1, 201)
    local res = assert(client:sync(list, { max_members = 1 }))
    assert.equal(201, #res.tasks)
    local began, last, counts = loop.now(), nil, {}
    assert(res:wait { on_event = function(event)
      if event.event == "task" then
        last = loop.now()
        assert.equal(201, event.tasks)
        counts[event.ended] = true
      end
    end })
    assert.is_true(last - began <= 132, last - began)
    assert.is_true(counts[0] and counts[100] and counts[200])
  end)

  it("tasks leaves most of the rate to those who send", function()
    sandbox:configure { clock = "manual", task_seconds = 1, audience_seconds = 0 }
    local limiter = scope3.limiter()
    local loop = virtual.loop(sandbox.url)
    local waiting = sandbox:client { loop = loop, rate = 30, limiter = limiter }
    local res = assert(waiting:sync(audiences(1, 30), { max_members = 1 }))
    local sending, polls, sent = sandbox:client { loop = loop, rate = 30, limiter = limiter }, 0, 0
    assert(res:wait { on_event = function(event)
      if event.event == "task" then
        polls = polls + 1
        sent = sent + assert(sending:sync(audiences(1))).accepted
      end
    end })
    assert.equal(polls, sent)
  end)
end)
