-- The engine in loops and forks: what its descriptor tells, how results are taken, and what it leaves behind.
local core = require "scope3.core"
local cqueues = require "cqueues"
local engines = require "spec.support.engines"
local world = require "spec.support.world"

local new_engine, sync_url, transfer, KEY = engines.new, engines.sync_url, engines.transfer, engines.KEY

-- So many connections that are kept: a request over one of them leaves at once, and brings no event but its reply.
-- The replies come later and later, until every request has needed a connection of its own.
local function keep_connections(sandbox, engine, n)
  local made, delay = 0, 0.02
  while made < n do
    assert.is_true(delay < 60)
    sandbox:fault { on = "audiences", act = "delay", times = n, seconds = delay }
    for _ = 1, n do
      assert(engine:submit {
        method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 120,
      })
    end
    for _ = 1, n do
      local result = world.next_result(engine)
      assert.equal(200, result.status)
      made = made + result.connections
    end
    delay = delay * 2
  end
end

local function open_descriptors()
  local n = 0
  local listing = io.popen("ls /proc/" .. io.open("/proc/self/stat"):read("*n") .. "/fd 2>/dev/null")
  for _ in listing:lines() do
    n = n + 1
  end
  listing:close()
  return n
end

describe("the engine", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("closes with transfers under way, twice, and raises when it is used after", function()
    local engine = new_engine()
    sandbox:fault { on = "any", act = "hang", times = -1 }
    engine:submit { method = "POST", url = sync_url(sandbox), body = { "{", "}" }, timeout = 30 }
    engine:step()
    engine:close()
    engine:close()
    for _, method in ipairs { "step", "result", "count", "pollfd" } do
      assert.has_error(function()
        engine[method](engine)
      end, "attempt to use a closed engine")
    end
  end)

  it("leaves no descriptor behind, closed or collected", function()
    if not io.open("/proc/self/stat") then
      return
    end
    collectgarbage()
    local before = open_descriptors()
    for i = 1, 10 do
      local engine = new_engine()
      engine:submit { method = "GET", url = sandbox.url .. "/health", timeout = 30 }
      if i % 2 == 0 then
        world.next_result(engine)
        engine:close()
      end
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(open_descriptors() <= before + 1)
  end)

  it("is one descriptor that a loop can wait on, where the system has one", function()
    local engine = new_engine()
    assert.equal("r", engine:events())
    local fd = engine:pollfd()
    if fd then
      assert.is_true(fd > 2)
      assert.is_nil(engine:timeout())
    end
    engine:close()
  end)

  it("wakes a waiter on its descriptor for the deadline of a later request, and for results not taken", function()
    local engine = new_engine { connect_timeout = 30 }
    local fd = engine:pollfd()
    if not fd then
      return engine:close() -- such a build is asked every few milliseconds
    end
    local watched = { pollfd = fd, events = "r" } -- not the engine itself: that would be asked anew
    local function post(timeout)
      assert(engine:submit {
        method = "POST", url = sync_url(sandbox), body = "{}", headers = { KEY }, timeout = timeout,
      })
    end
    keep_connections(sandbox, engine, 3)
    sandbox:fault { on = "sync", act = "hang", times = -1 }
    post(60)
    local _, moved
    repeat -- until the times of its beginning are over
      engine:wait(0.5)
      _, moved = engine:step()
    until not moved and #sandbox:requests "sync" > 0
    engine:pollfd()
    post(0.1)
    post(0.1)
    local deadline = core.now() + 20
    local first, more = nil, engine:count()
    repeat
      cqueues.poll(watched, 25)
      assert.is_true(core.now() < deadline)
      engine:step()
      first = first or engine:result()
    until first and engine:count() == more - 1 and engine:step()
    assert.equal("OPERATION_TIMEDOUT", first.code)
    assert.equal(fd, engine:pollfd())
    cqueues.poll(watched, 25)
    assert.is_true(core.now() < deadline)
    assert.equal("OPERATION_TIMEDOUT", engine:result().code)
    engine:close()
  end)

  it("gently moves on few answers at a time, and all of them in the end", function()
    local engine = new_engine()
    keep_connections(sandbox, engine, 8)
    local ends, delay, begun = core.now() + 60, 0.25, false

    -- The answers that are there already.
    local function take()
      local n = 0
      while engine:result() do
        n = n + 1
      end
      return n
    end

    -- How many the service has given since the beginning of the log.
    local function answered()
      local n = 0
      for _, request in ipairs(sandbox:requests "sync") do
        n = n + (type(request.status) == "number" and 1 or 0)
      end
      return n
    end

    -- again with later answers, on a machine so slow that they come before the times of their beginning are over
    while not begun do
      sandbox:reset()
      sandbox:fault { on = "sync", act = "delay", times = 8, seconds = delay }
      for _ = 1, 8 do
        assert(engine:submit { method = "POST", url = sync_url(sandbox), body = "{}", headers = { KEY }, timeout = 60 })
      end
      local ended, _, moved = 0
      repeat
        assert.is_true(core.now() < ends)
        _, moved = engine:step()
        ended = ended + take()
      until not (moved and engine:pollfd()) and #sandbox:requests "sync" == 8
      begun = ended == 0
      while not begun and ended < 8 do
        world.next_result(engine)
        ended = ended + 1
      end
      delay = delay * 2
    end
    while answered() < 8 do
      assert.is_true(core.now() < ends)
    end
    local ended = 0
    while ended < 8 do
      assert.is_true(core.now() < ends)
      engine:wait(0.2)
      engine:step(true)
      local now = take()
      assert.is_true(now <= 1 or not engine:pollfd())
      ended = ended + now
    end
    engine:close()
  end)

  it("starts afresh in the child of a fork, and goes on in the parent", function()
    local ok, ffi = pcall(require, "ffi")
    if not ok then
      return -- only LuaJIT can fork from here
    end
    ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
    local engine = new_engine()
    local request = { method = "GET", url = sandbox.url .. "/health", timeout = 30 }
    assert.equal(200, transfer(engine, request).status)
    sandbox:fault { on = "audiences", act = "delay", seconds = 0.3 }
    local id = engine:submit {
      method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 30,
    }
    engine:step()
    local pid = ffi.C.fork()
    if pid == 0 then
      engine:step()
      local lost = engine:result()
      local fine = lost and lost.id == id and lost.code == "FORKED"
      local again = transfer(engine, request)
      ffi.C._exit(fine and again.status == 200 and again.connections == 1 and 0 or 1)
    end
    local status = ffi.new("int[1]")
    assert.equal(pid, ffi.C.waitpid(pid, status, 0))
    assert.equal(0, status[0])
    assert.equal(200, world.next_result(engine).status)
    local again = transfer(engine, request)
    assert.same({ 200, 0 }, { again.status, again.connections })
    engine:close()
  end)
end)
