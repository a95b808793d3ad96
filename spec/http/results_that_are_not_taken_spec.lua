-- A transfer that has ended can still be given up, and each result is taken exactly once.
local core = require "scope3.core"
local collector = require "spec.support.collector"
local curl = require "scope3.engine"
local world = require "spec.support.world"

describe("a transfer that has ended and is not taken", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("can be given up like one under way: its body is free, and nobody gets its result", function()
    local engine, builder = curl.engine(), core.builder { max_member = 1000 }
    local payload = core.payload { max_members = 10, max_bytes = 1000 }
    builder:add(payload, { external_id = "1", email = "a@b.example" })
    local ids = {}
    for i = 1, 3 do
      ids[i] = assert(engine:submit {
        method = "POST", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences/sync",
        timeout = 30, body = { "[", { payload, "add", 1, 1 }, "]" },
      })
    end
    local deadline = core.now() + 30
    repeat
      assert(core.now() < deadline)
      engine:wait(0.01)
    until engine:step() and #sandbox:requests "sync" == 3
    for i = 3, 1, -1 do
      assert.is_true(engine:cancel(ids[i]))
      assert.is_false(engine:cancel(ids[i]))
    end
    assert.is_nil(engine:result())
    assert.equal(0, engine:count())
    payload:reset()
    assert(engine:submit { method = "GET", url = sandbox.url .. "/sandbox/config", timeout = 30 })
    assert.equal(200, world.next_result(engine).status)
    engine:close()
  end)

  it("can be given up as one of hundreds, in any order", function()
    local engine, ids, left, failed = curl.engine(), {}, {}, 0
    for i = 1, 300 do
      ids[i] = assert(engine:submit { method = "GET", url = "http://127.0.0.1:1/", timeout = 30 })
      left[ids[i]] = true
    end
    for i = 1, 300, 3 do
      local other = ids[(i * 7) % 300 + 1]
      assert.equal(left[other] == true, engine:cancel(other))
      left[other] = nil
    end
    assert.equal(200, engine:count())
    local result = world.next_result(engine)
    repeat
      assert(left[result.id], "a result of none that was left")
      left[result.id], failed = nil, failed + 1
      result = engine:count() > 0 and world.next_result(engine)
    until not result
    assert.same({ 200, nil }, { failed, (next(left)) })
    engine:close()
  end)

  it("is taken once, although a finalizer takes others while its result is made", function()
    local engine = curl.engine()
    local seen, n = {}, 40
    for _ = 1, n do
      assert(engine:submit { method = "GET", url = sandbox.url .. "/sandbox/config", timeout = 60 })
    end
    local deadline = core.now() + 600
    local taken, armed = 0, false
    local function take()
      local result = engine:result()
      if result then
        taken = taken + 1
        assert(not seen[result.id] and result.status == 200 and #result.body > 0 and result.headers["content-type"],
          "a result came twice, or in part")
        seen[result.id] = true
      end
    end
    local fault
    local function on_collection()
      if armed then
        local ok, message = pcall(take)
        fault = fault or not ok and message or nil
      end
    end
    local function plant()
      if newproxy then -- luacheck: ignore
        getmetatable(newproxy(true)).__gc = on_collection -- luacheck: ignore
      else
        setmetatable({}, { __gc = on_collection })
      end
    end
    local pause, speed = collector(1, 100000)
    repeat
      engine:wait(0.01)
      engine:step()
      for _ = 1, 10 do
        plant()
      end
      armed = true
      take()
      armed = false
    until taken == n or core.now() > deadline
    collector(pause, speed)
    assert.is_nil(fault)
    assert.same({ n, 0 }, { taken, engine:count() })
    engine:close()
  end)
end)
