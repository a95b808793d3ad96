-- The client of a request leaves: its call ends with it, and all other calls go on.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local served = require "spec.support.served"
local world = require "spec.support.world"

local begin, bodies, connect, count, get, start, urls = served.begin, served.bodies, served.connect, served.count,
  served.get, served.start, served.urls

describe("in nginx, when the client of a request leaves,", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  setup(function()
    server = start(sandbox, { http = "lua_check_client_abort on;" })
  end)
  teardown(nginx.close_all)
  after_each(function()
    assert.equal("", server:trouble())
  end)

  local function in_sandbox(n)
    nginx.until_true(n .. " requests reach the service", function()
      return #sandbox:requests("sync") >= n
    end)
  end

  it("its request is taken off the wire, and others go on", function()
    sandbox:configure { faults = world.json.array {
      { on = "sync", act = "hang", times = 20 }, { on = "sync", act = "delay", seconds = 0.2, times = -1 } } }
    local leaving = {}
    for i = 1, 20 do
      leaving[i] = connect(server, "/sync?id=gone" .. i)
    end
    in_sandbox(20)
    local staying = begin(urls(5, function(i)
      return server.url .. "/sync?id=stays" .. i
    end))
    for _, connection in ipairs(leaving) do
      connection:close()
    end
    for _, outcome in ipairs(bodies(staying:all())) do
      assert.equal(1, outcome.accepted)
    end
    nginx.until_true("nothing is under way", function()
      local state = get(server, "/state")
      return state.transfers == 0 and state.calls == 0 and state.timers == 0
    end)
    assert.equal(1, get(server, "/sync?id=after").accepted)
  end)

  it("what it would have repeated is never sent", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 1 } } }
    local connection = connect(server, "/sync?id=gone")
    nginx.until_true("it waits for its next attempt", function()
      return #sandbox:requests("sync") == 1 and get(server, "/state").transfers == 0
    end)
    connection:close()
    local started = core.now()
    nginx.until_true("its time would have come", function()
      assert.equal(1, get(server, "/sync?id=other").accepted)
      return core.now() - started > 2
    end)
    assert.equal(0, count(sandbox, "gone"))
  end)

  it("nothing of it stays in memory", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "hang", times = -1 } } }
    local before
    for round = 1, 6 do
      local leaving = {}
      for i = 1, 50 do
        leaving[i] = connect(server, "/sync?id=gone" .. i)
      end
      in_sandbox(50 * round)
      for _, connection in ipairs(leaving) do
        connection:close()
      end
      nginx.until_true("nothing is under way", function()
        return get(server, "/state").transfers == 0
      end)
      if round == 2 then
        before = get(server, "/state?collect=1").kilobytes
      end
    end
    local grown = get(server, "/state?collect=1").kilobytes - before
    assert.is_true(grown < 200, ("%.0f kB for 200 requests that were left"):format(grown))
  end)
end)
