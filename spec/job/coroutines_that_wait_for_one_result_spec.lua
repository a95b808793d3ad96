-- Several coroutines wait for one result: all get the same, and members of tasks that failed are sent again once.
local core = require "scope3.core"
local cqueues = require "cqueues"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

local function audience(members)
  local made = assert(scope3.audience { id = "a" })
  for i = 1, members do
    assert(made:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
  end
  return made
end

describe("several coroutines that wait for one result", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0.1 })

  -- Two tasks fail for a passing reason, and their members go again. The first that is about to send them may be ended
  -- by its host.
  local function waits(count, killed)
    sandbox:configure { task_seconds = 0.2, task_outcomes = json.array { "failed:transient",
      "failed:transient" } }
    local queue, said, res, gone = cqueues.new(), {}, nil, false
    queue:wrap(function()
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = sandbox.url,
        rate = 100000 })
      res = assert(client:sync(audience(3), { max_members = 1 }))
      for _ = 1, count do
        queue:wrap(function()
          local ok, err = res:wait { timeout = 30, interval = 0.05, on_event = function(event)
            if killed and not gone and event.event == "resend" then
              gone = true
              require("cqueues.condition").new():wait() -- never comes back
            end
          end }
          said[#said + 1] = ok and "ok" or err.kind
        end)
      end
    end)
    local deadline = core.now() + 60
    while core.now() < deadline and #said < (killed and count - 1 or count) do
      assert(queue:step(0.2))
    end
    assert.equal(killed or false, gone)
    return said, res
  end

  it("all get the same, and what failed for a passing reason is sent again once", function()
    local said, res = waits(3)
    assert.same({ "ok", "ok", "ok" }, said)
    assert.same({ 3, 0 }, { res.accepted, res.failed })
    assert.equal(5, #sandbox:requests "sync")
    world.assert_sums(res)
  end)

  it("go on where one of them is ended while it sends again", function()
    local said, res = waits(3, true)
    assert.same({ "ok", "ok" }, said)
    assert.equal(5, #sandbox:requests "sync")
    assert.same({ 3, 0 }, { res.accepted, res.failed })
    world.assert_sums(res)
  end)

  -- A result on a loop whose clock runs ahead. One coroutine was about to send members again when its host ended it.
  local function deserted()
    sandbox:configure { clock = "manual", task_seconds = 0, task_outcomes = json.array { "failed:transient" } }
    local loop = virtual.loop(sandbox.url)
    local res = assert(sandbox:client({ loop = loop }):sync(audience(2), { max_members = 1 }))
    local wait, sleep = loop.wait, loop.sleep
    local thread = coroutine.create(function()
      res:wait { interval = 0.02, on_event = function(event)
        if event.event == "resend" then
          loop.wait, loop.sleep = coroutine.yield, coroutine.yield
        end
      end }
    end)
    assert(coroutine.resume(thread))
    loop.wait, loop.sleep = wait, sleep
    assert.equal("suspended", coroutine.status(thread))
    return res, loop
  end

  it("wait five seconds for one that gives no sign of life", function()
    local res, loop = deserted()
    local began = loop.elapsed()
    assert(res:wait { interval = 0.02, timeout = 30, on_event = function(event)
      if event.event == "resend" then
        local waited = loop.elapsed() - began
        assert.is_true(waited >= 5 and waited < 5.5, waited)
        began = nil
      end
    end })
    assert.is_nil(began)
    assert.same({ 2, 3 }, { res.accepted, #sandbox:requests "sync" })
  end)

  it("do not wait for it longer than they are told", function()
    local res = deserted()
    local ok, err = res:wait { interval = 0.02, timeout = 2 }
    assert.same({ nil, "timeout" }, { ok, err and err.kind })
    assert.same({ 1, 2 }, { res.accepted, #sandbox:requests "sync" })
  end)
end)
