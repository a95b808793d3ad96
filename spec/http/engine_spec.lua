-- The HTTP engine against a real server.
local core = require "scope3.core"
local cqueues = require "cqueues"
local world = require "spec.support.world"
local tls = require "spec.support.tls"

local function new_engine(options)
  return assert(core.engine(options or {}))
end

local function sync_url(sandbox)
  return sandbox.url .. "/api/v2/buyer/advertisers/25/audiences/sync"
end

local KEY = "Authorization: Bearer scope3_engine_spec"

-- One transfer to its end.
local function transfer(engine, request)
  assert(engine:submit(request))
  return world.next_result(engine)
end

-- So many connections that are kept: a request over one of them leaves at once, and brings no event but its reply. The replies come later and later,
-- until every request has needed a connection of its own.
local function keep_connections(sandbox, engine, n)
  local made, delay = 0, 0.02
  while made < n do
    assert.is_true(delay < 60)
    sandbox:fault { on = "audiences", act = "delay", times = n, seconds = delay }
    for _ = 1, n do
      assert(engine:submit { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 120 })
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

  it("gives status, headers and body, and keeps its connection", function()
    local engine = new_engine()
    for i = 1, 3 do
      local result = transfer(engine, { method = "GET", url = sandbox.url .. "/health", timeout = 30 })
      assert.equal(200, result.status)
      assert.equal("ok", world.json.decode(result.body).status)
      assert.equal("application/json", result.headers["content-type"])
      assert.equal(i == 1 and 1 or 0, result.connections)
      assert.equal("1.1", result.http_version)
    end
    engine:close()
  end)

  it("sends a body of many pieces exactly, straight from payloads", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000000 }
    local payload = core.payload { max_members = 100000, max_bytes = 2 ^ 24 }
    local want = {}
    for i = 1, 20000 do
      local id = ("id \"%d\" \\ é €"):format(i)
      assert.is_true(builder:add(payload, { external_id = id, email = "a@b.example", uids = { { type = "t\"", value = "v\\w" } } }))
      want[id] = i % 2 == 0 or nil
      if i % 2 == 1 then
        assert.is_true(builder:add(payload, { external_id = id }, true))
      end
    end
    local result = transfer(engine, {
      method = "POST", url = sync_url(sandbox), timeout = 60, headers = { KEY, "Content-Type: application/json" },
      body = { '{"audiences":[{"audienceId":"x","add":[', { payload, "add", 1, payload:count() }, '],"remove":[',
        { payload, "remove", 1, payload:count() }, "]}]}" },
    })
    assert.equal(202, result.status, result.body)
    assert.is_true(result.body_sent and result.uploaded > 1000000)
    local log = sandbox:requests("sync")
    assert.equal(1, #log)
    assert.same({ 10000, 10000 }, { log[1].audiences[1].add, log[1].audiences[1].remove })
    assert.equal(world.json.null, log[1].expect)
    engine:close()
    local members
    local deadline = core.now() + 30
    repeat
      members = sandbox:members("x")
    until next(members) or core.now() > deadline
    local n = 0
    for id, member in pairs(members) do
      n = n + 1
      assert.is_true(want[id])
      assert.same({ { type = "t\"", value = "v\\w" } }, member.uids)
    end
    assert.equal(10000, n)
  end)

  it("lets nobody change a payload while it is being sent, and frees it afterwards", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000 }
    local payload = core.payload { max_members = 10, max_bytes = 1000 }
    builder:add(payload, { external_id = "1", email = "a@b.example" })
    sandbox:fault { on = "sync", act = "hang" }
    local id = engine:submit { method = "POST", url = sync_url(sandbox), body = { { payload, "add", 1, 1 } }, timeout = 60 }
    assert.has_error(function()
      payload:reset()
    end, "attempt to change a payload while a request reads it")
    assert.is_true(engine:cancel(id))
    assert.is_false(engine:cancel(id))
    payload:reset()
    engine:close()
  end)

  it("reads a body from pieces of its own, whatever becomes of the caller's", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000 }
    local piece = { core.payload { max_members = 10000, max_bytes = 2 ^ 22 }, "add", 1, 10000 }
    for i = 1, 10000 do
      builder:add(piece[1], { external_id = tostring(i), email = "a@b.example" })
    end
    local body = { '{"audiences":[{"audienceId":"x","add":[', piece, "]}]}" }
    assert(engine:submit { method = "POST", url = sync_url(sandbox), timeout = 60, headers = { KEY }, body = body })
    piece[1], piece[4], body[2], body[3] = io.stdout, 1, nil, nil
    collectgarbage()
    collectgarbage()
    assert.equal(202, world.next_result(engine).status)
    assert.equal(10000, sandbox:requests("sync")[1].audiences[1].add)
    engine:close()
  end)

  it("knows a body as sent when its last pieces are empty, or it is empty altogether", function()
    for _, body in ipairs { "", {}, { "" }, { ("x"):rep(2 ^ 19), "" }, { "", ("x"):rep(2 ^ 19), "", "" } } do
      local engine = new_engine()
      sandbox:fault { on = "sync", act = "cut_after" }
      local result = transfer(engine, { method = "POST", url = sync_url(sandbox), body = body, headers = { KEY },
        timeout = 30 })
      assert.is_string(result.code)
      assert.is_true(result.body_sent)
      engine:close()
    end
  end)

  it("never sends a request without a body again either, unless it only reads", function()
    local engine = new_engine()
    sandbox:fault { on = "sync", act = "die_on_reuse", times = -1 }
    for _, request in ipairs { { body = "" }, { body = "" }, { method = "DELETE" }, { method = "DELETE" } } do
      assert.is_number(transfer(engine, { method = request.method or "POST", url = sync_url(sandbox), timeout = 30,
        body = request.body, headers = { KEY } }).status)
    end
    assert.equal(4, #sandbox:requests())
    engine:close()
  end)

  it("keeps the bytes of a payload that is closed while they are being sent", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 2 ^ 20 }
    local payload = core.payload { max_members = 100000, max_bytes = 2 ^ 24 }
    for i = 1, 50000 do
      builder:add(payload, { external_id = i, email = "a@b.example" })
    end
    assert(engine:submit { method = "POST", url = sync_url(sandbox), headers = { KEY }, timeout = 60,
      body = { '{"audiences":[{"audienceId":"x","add":[', { payload, "add", 1, payload:count() }, "]}]}" } })
    payload:close()
    assert.has_error(function()
      payload:count()
    end, "attempt to use a closed payload")
    payload = nil -- luacheck: ignore
    collectgarbage()
    assert.equal(202, world.next_result(engine).status)
    engine:close()
  end)

  it("never sends a request again by itself when a kept connection dies", function()
    local engine = new_engine()
    -- A small body leaves with the request's head, a large one after it: libcurl would repeat them in different ways.
    for _, spaces in ipairs { 0, 2 ^ 17 } do
      sandbox:reset()
      local request = { method = "POST", url = sync_url(sandbox), headers = { KEY }, timeout = 30,
        body = '{"audiences":[{"audienceId":"a","add":[{"externalId":"1","hashedEmail":"' .. ("ab"):rep(32) .. '"}]}]}' .. (" "):rep(spaces) }
      sandbox:fault { on = "sync", act = "die_on_reuse" }
      assert.equal(202, transfer(engine, request).status)
      local result = transfer(engine, request)
      assert.is_string(result.code)
      assert.is_nil(result.status)
      assert.is_true(result.body_sent)
      local log = sandbox:requests("sync")
      assert.equal(2, #log)
      assert.equal("die_on_reuse", log[2].fault)
      assert.is_true(log[2].body_complete)
      assert.equal(202, transfer(engine, request).status) -- on a new connection
      assert.equal(3, #sandbox:requests("sync"))
    end
    engine:close()
  end)

  it("ends at its total deadline, whether nothing or too little comes", function()
    local engine = new_engine()
    sandbox:fault { on = "sync", act = "hang" }
    local result = transfer(engine, { method = "POST", url = sync_url(sandbox), body = "{}", timeout = 0.3 })
    assert.equal("OPERATION_TIMEDOUT", result.code)
    assert.is_true(result.body_sent)

    -- A server that gives a byte now and then, until the client goes or the half minute is over.
    local script = world.file([[
      local cqueues, socket = require "cqueues", require "cqueues.socket"
      local server = socket.listen("127.0.0.1", 0)
      server:listen()
      io.stdout:write(select(3, server:localname()), "\n")
      io.stdout:flush()
      local peer = assert(server:accept(30))
      peer:setmode("b", "bn")
      peer:onerror(function(_, _, why) return why end)
      local ends, ok = cqueues.monotime() + 30, peer:write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
      while ok and cqueues.monotime() < ends do
        cqueues.sleep(0.02)
        ok = peer:write("x")
      end]])
    local dripping = assert(io.popen(("%s %s"):format(os.getenv("SCOPE3_LUA_BIN"), script)))
    result = transfer(engine, { method = "GET", url = "http://127.0.0.1:" .. dripping:read("*l") .. "/", timeout = 1 })
    dripping:close()
    assert.equal("OPERATION_TIMEDOUT", result.code)
    assert.equal(200, result.status)
    assert.is_true(#result.body > 0 and #result.body < 1000000)
    engine:close()
  end)

  it("stops at its cap when a reply is too large, announced or not", function()
    for _, chunked in ipairs { false, true } do
      local engine = new_engine { max_response = 1000000 }
      sandbox:fault { on = "audiences", act = "huge", chunked = chunked }
      local result = transfer(engine, { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", timeout = 60 })
      assert.equal("TOO_LARGE", result.code)
      assert.is_true(#result.body <= 1000000)
      engine:close()
    end
  end)

  it("names what went wrong", function()
    local cases = {
      cut_after = "GOT_NOTHING", half_reply = "PARTIAL_FILE", garbage = true, cut_before = true,
    }
    for act, code in pairs(cases) do
      local engine = new_engine()
      sandbox:fault { on = "sync", act = act }
      local result = transfer(engine, { method = "POST", url = sync_url(sandbox), body = "{}", headers = { KEY }, timeout = 30 })
      assert.is_string(result.code, act)
      if code ~= true then
        assert.equal(code, result.code)
      end
      engine:close()
    end
    local engine = new_engine()
    assert.equal("COULDNT_CONNECT", transfer(engine, { method = "GET", url = "http://127.0.0.1:9/", timeout = 10 }).code)
    engine:close()
  end)

  it("follows no redirect, and says where it points", function()
    local engine = new_engine()
    sandbox:fault { on = "audiences", act = "redirect", location = sandbox.url .. "/health" }
    local result = transfer(engine, { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", timeout = 30 })
    assert.equal(302, result.status)
    assert.equal(sandbox.url .. "/health", result.redirect_url)
    assert.equal(1, #sandbox:requests())
    engine:close()
  end)

  it("runs many transfers at once", function()
    local engine = new_engine()
    sandbox:configure { faults = world.json.array { { on = "audiences", act = "delay", seconds = 0.2, times = -1 } } }
    for _ = 1, 20 do
      engine:submit { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 30 }
    end
    assert.equal(20, engine:count())
    local seen = {}
    for _ = 1, 20 do
      local result = world.next_result(engine)
      assert.equal(200, result.status)
      seen[result.id] = true
    end
    assert.equal(0, engine:count())
    assert.equal(20, #seen)
    engine:close()
  end)

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

  it("refuses what could smuggle a second header, without showing it", function()
    local engine = new_engine()
    for _, bad in ipairs { "X: a\r\nY: b", "X: a\nY", "X: \0", "no colon" } do
      local ok, message = pcall(engine.submit, engine, { method = "GET", url = sandbox.url, headers = { bad } })
      assert.is_false(ok)
      assert.is_nil(tostring(message):find("Y", 1, true))
    end
    for _, bad in ipairs { "GET / HTTP/1.1\r\nX: Y\r\n\r\nGET", "GE T", "GET\0", "" } do
      local ok, message = pcall(engine.submit, engine, { method = bad, url = sandbox.url })
      assert.is_false(ok)
      assert.is_nil(tostring(message):find("Y", 1, true))
    end
    assert.is_false((pcall(engine.submit, engine, { method = "GET", url = sandbox.url .. "/\r\nX: Y" })))
    assert.is_false((pcall(core.engine, { user_agent = "a\r\nX: Y" })))
    assert.equal(0, engine:count())
    engine:close()
  end)

  it("raises on misuse", function()
    local engine = new_engine()
    for _, misuse in ipairs {
      function() core.engine { verify = false } end,
      function() core.engine { max_response = -1 } end,
      function() core.engine { max_response = 0 / 0 } end,
      function() core.engine { max_response = "8" } end,
      function() core.engine { max_host_connections = -1 } end,
      function() engine:submit { method = "GET" } end,
      function() engine:submit { method = "GET", url = "http://127.0.0.1/", tiemout = 1 } end,
      function() engine:submit { method = "GET", url = "http://127.0.0.1/", timeout = -1 } end,
      function() engine:submit { method = "POST", url = "http://127.0.0.1/", body = { 12 } } end,
      function() engine:submit { method = "POST", url = "http://127.0.0.1/", body = true } end,
    } do
      assert.has_error(misuse)
    end
    assert.equal(0, engine:count())
    for _, id in ipairs { -1, 0, 0.5, 1, 2 ^ 70, 0 / 0 } do
      assert.is_false(engine:cancel(id))
    end
    engine:close()
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

  it("wakes who waits on its descriptor since before for the deadline of a later request, and for results that are not taken", function()
    local engine = new_engine { connect_timeout = 30 }
    local fd = engine:pollfd()
    if not fd then
      return engine:close() -- such a build is asked every few milliseconds
    end
    local watched = { pollfd = fd, events = "r" } -- not the engine itself: that would be asked anew
    local function post(timeout)
      assert(engine:submit { method = "POST", url = sync_url(sandbox), body = "{}", headers = { KEY }, timeout = timeout })
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

    while not begun do -- again with later answers, on a machine so slow that they come before the times of their beginning are over
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
    local id = engine:submit { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 30 }
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

  it("goes through the proxy that a request names, except to the hosts it leaves out", function()
    local engine = new_engine()
    local result = transfer(engine, { method = "GET", url = "http://nowhere.invalid/health", timeout = 30,
      proxy = sandbox.url })
    assert.is_number(result.status)
    result = transfer(engine, { method = "GET", url = "http://127.0.0.1:9/", timeout = 30, proxy = sandbox.url,
      no_proxy = "127.0.0.1" })
    assert.equal("COULDNT_CONNECT", result.code)
    engine:close()
  end)

  it("reads no proxy from the environment", function()
    local script = world.file(([[
      local core = require "scope3.core"
      local engine = core.engine {}
      engine:submit { method = "GET", url = %q, timeout = 30 }
      while not engine:step() do engine:wait(0.2) end
      local result = engine:result()
      os.exit(result.status == 200 and 0 or 1)]]):format(sandbox.url .. "/health"))
    local code = os.execute(("http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 %s %s"):format(
      os.getenv("SCOPE3_LUA_BIN"), script))
    assert.is_true(code == true or code == 0)
  end)
end)

describe("the engine over TLS", function()
  local certificates, server
  setup(function()
    certificates = tls.make("IP:127.0.0.1")
    server = world.sandbox { tls = { cert = certificates.cert, key = certificates.key } }
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  local function get(options, url)
    local engine = new_engine(options)
    local result = transfer(engine, { method = "GET", url = url or server.url .. "/health", timeout = 30 })
    engine:close()
    return result
  end

  it("trusts the CA file that it is given, and makes do with HTTP/1.1", function()
    local result = get({ ca_file = certificates.ca })
    assert.same({ 200, "1.1" }, { result.status, result.http_version })
  end)

  it("takes certificates as text, where the process may read no file when it connects", function()
    assert.equal(200, get({ ca_file = world.read(certificates.ca) }).status)
    local others = world.read(tls.make("IP:127.0.0.1").ca)
    assert.equal("PEER_FAILED_VERIFICATION", get({ ca_file = others }).code)
    assert.equal(200, get({ ca_file = others .. "\n" .. world.read(certificates.ca) }).status)
    local client = assert(require "scope3".client { api_key = "k", account_id = "25", base_url = server.url, ca_file = world.read(certificates.ca) })
    assert.is_true((client:health()))
  end)

  it("refuses a certificate that it does not trust, one for another name, and a CA file that is none", function()
    assert.equal("PEER_FAILED_VERIFICATION", get().code)
    assert.equal("PEER_FAILED_VERIFICATION", get({ ca_file = certificates.ca }, server.url:gsub("127.0.0.1", "localhost") .. "/health").code)
    assert.equal("SSL_CACERT_BADFILE", get({ ca_file = "/no/such/ca.pem" }).code)
  end)
end)

describe("a URL", function()
  it("comes apart", function()
    assert.same({ scheme = "https", host = "api.example.com", port = 8443, path = "/a/b", query = "c=d", fragment = "e", user = false },
      core.parse_url("https://api.example.com:8443/a/b?c=d#e"))
    local v6 = core.parse_url("http://me:pw@[::1]/")
    assert.equal("::1", v6.host)
    assert.is_true(v6.user)
    assert.is_nil(core.parse_url("not a url"))
    assert.is_nil(core.parse_url("http://a\0b/"))
  end)
end)
