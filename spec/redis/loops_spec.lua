-- Connections to Redis inside event loops: luv, and cqueues beside requests of HTTP.
local core = require "scope3.core"
local cqueues = require "cqueues"
local redis = require "scope3.redis"
local servers = require "spec.support.redis"
local world = require "spec.support.world"

describe("connections to Redis in a loop", function()
  local server

  setup(function()
    server = servers.start()
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  -- Waits for what another connection pushes, and carries a large text meanwhile.
  local function conversation(loop, spawn)
    local got, text = {}, ("x"):rep(4 * 1024 * 1024)
    spawn(function()
      local connection = assert(redis.open { url = server.url, loop = loop })
      got.popped = assert(connection:call("BLPOP", "queue-" .. loop, 20))
      connection:close()
    end)
    spawn(function()
      local connection = assert(redis.open { url = server.url, loop = loop })
      assert(connection:pipeline { { "SET", "large", text }, { "GET", "large" } })
      got.large = assert(connection:call("GET", "large"))
      assert(connection:call("RPUSH", "queue-" .. loop, "here"))
      got.n = assert(connection:script("return 7 + ARGV[1]", {}, { 1 }))
      assert.is_true(connection:is_open())
      connection:close()
    end)
    spawn(function()
      local connection = assert(redis.open { url = server.url, loop = loop, call_seconds = 0.1 })
      local _, err = connection:call("BLPOP", "never", 0)
      got.kind = err.kind
    end)
    return function()
      assert.same({ "queue-" .. loop, "here" }, got.popped)
      assert.is_true(got.large == text)
      assert.same({ 8, "timeout" }, { got.n, got.kind })
    end
  end

  it("of luv wait without holding up each other", function()
    local uv = require "luv"
    local failure
    local check = conversation("luv", function(task)
      local thread = coroutine.create(task)
      local ok, message = coroutine.resume(thread)
      failure = failure or not ok and message or nil
    end)
    uv.run()
    assert.is_nil(failure)
    check()
  end)

  it("of cqueues do so beside requests of HTTP", function()
    local sandbox = world.sandbox()
    local queue, done = cqueues.new(), false
    local check = conversation("cqueues", function(task)
      queue:wrap(task)
    end)
    queue:wrap(function()
      local client = sandbox:client { loop = "cqueues" }
      for _ = 1, 20 do
        assert(client:health())
      end
      done = true
    end)
    assert(queue:loop())
    check()
    assert.is_true(done)
    sandbox:close()
  end)

  -- A loop of the caller's own, which blocks; `wait` is called before each of its waits.
  local function own_loop(fields)
    local loop = { name = "own" .. tostring({}), now = core.now, sleep = core.sleep }
    for key, value in pairs(fields) do
      loop[key] = value
    end
    local before = fields.wait
    function loop.wait(engine, seconds)
      before()
      engine:wait(seconds)
    end
    return loop
  end

  it("of a host that interrupts Lua hold others back, and let go again", function()
    local holds, rests, held_at_wait = 0, 0, true
    local connection = assert(redis.open { url = server.url, loop = own_loop {
      wait = function()
        held_at_wait = held_at_wait and holds > rests
      end,
      hold = function()
        holds = holds + 1
      end,
      rest = function()
        rests = holds
      end,
    } })
    assert.equal("PONG", connection:call("PING"))
    assert.same({ true, true, holds }, { held_at_wait, holds > 0, rests })
    connection:close()
  end)

  it("of the caller's own may raise, which ends the connection", function()
    local raises = false
    local connection = assert(redis.open { url = server.url, loop = own_loop { wait = function()
      return raises and error "a fault"
    end } })
    raises = true
    local reply, err = connection:call("BLPOP", "never", 0)
    assert.is_nil(reply)
    assert.same({ "script", true }, { err.kind, err.uncertain })
    assert.is_false(connection:is_open())
    assert.is_nil((redis.open { url = server.url, loop = connection.wire.loop }))
  end)

  it("are loaded only by who asks for them", function()
    local script = world.file [[
      local scope3 = require "scope3"
      local client = scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:9" }
      client:health()
      for name in pairs(package.loaded) do
        if name:find "^scope3.redis" or name == "scope3.http.connection" then
          print(name)
        end
      end]]
    local pipe = assert(io.popen(("%s %s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", script)))
    assert.equal("", pipe:read "*a")
    pipe:close()
  end)

  it("cannot wait in luv's main coroutine, and say so", function()
    local connection, err = redis.open { url = server.url, loop = "luv" }
    assert.is_nil(connection)
    assert.equal("cannot_wait", err.kind)
  end)
end)
