-- The rate of a job holds for that job only, not for its client and not for a worker of nginx.
local limiter = require "scope3.http.limiter"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("the rate of a job", function()
  local sandbox = world.around(setup, teardown, before_each)
  local loop, client

  local function client_of(rate)
    sandbox:configure { clock = "manual", task_seconds = 0 }
    loop = virtual.loop(sandbox.url)
    client = sandbox:client { rate = rate, loop = loop, limiter = limiter.new() }
  end

  local function send(n, opts)
    local before = loop.now()
    local all = { max_members = 1 }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    local stream = assert(client:stream("a", all))
    for i = 1, n do
      assert(stream:add { external_id = i, uids = { x = "1" } })
    end
    local res = assert(stream:finish())
    assert.equal(n, res.accepted + (res.would_send or 0))
    return loop.now() - before, res
  end

  it("is not the client's afterwards", function()
    client_of(600)
    assert.is_true(send(7, { rate = 3 }) > 2 * 60)
    assert.equal(0, (send(100)))
    local csv = world.file "id\n1\n2\n3\n"
    local script = { audience = "a", map = { external_id = "id", ["uid:x"] = "id" }, max_members = 1, rate = 2 }
    local before = loop.now()
    assert.equal(3, assert(client:run(script, csv)).accepted)
    assert.is_true(loop.now() - before > 60)
    local vips = assert(scope3.audience { id = "v" })
    assert(vips:add { external_id = "1", uids = { x = "1" } })
    assert(client:sync(vips, { rate = 1 }))
    assert.equal(0, (send(100)))
  end)

  it("does not hold back what goes at the same time", function()
    client_of(600)
    local slow, began = 0, loop.now()
    send(5, { rate = 2, on_event = function(event)
      if event.event == "accepted" then
        slow = slow + 1
        assert.equal(0, (send(20)))
      end
    end })
    assert.equal(5, slow)
    assert.is_true(loop.now() - began > 2 * 60)
  end)

  it("may be higher than the client's, for this job alone", function()
    client_of(2)
    assert.equal(0, (send(50, { rate = 600 })))
    assert.is_true(send(3) > 60)
  end)

  it("is that of its polls, too", function()
    client_of(600)
    sandbox:configure { task_seconds = 3600, retry_after = false }
    local _, res = send(1, { rate = 9 })
    assert.is_nil(res:wait { timeout = 600, interval = 0.5 })
    local polls = #sandbox:requests "task"
    assert.is_true(polls >= 8 * 9 and polls <= 8 * 11, polls .. " polls in ten minutes")
    assert.equal(0, (send(100)))
  end)

  it("is what the command line says, before what the script says", function()
    sandbox:configure { clock = "real" }
    local script = world.file('return { audience = "a", map = { external_id = "id", ["uid:x"] = "id" }, '
      .. 'max_members = 1, rate = 1 }', ".lua")
    local csv = world.file "id\n1\n2\n3\n"
    local words = { "run", script, csv, "--base-url", sandbox.url, "--account", "25", "--deadline", "0.5" }
    local code, _, complaint = world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(1, code)
    assert.truthy(complaint:find("the deadline passed", 1, true), complaint)
    words[#words] = "30"
    words[#words + 1], words[#words + 2] = "--rate", "600"
    code, _, complaint = world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(0, code, complaint)
  end)
end)
