local core = require "scope3.core"
local errors = require "scope3.error"
local packed_lines = require "spec.support.packed_lines"
local redis = require "scope3.redis"
local servers = require "spec.support.redis"
local spool_files = require "spec.support.spool_files"
local tls = require "spec.support.tls"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

describe("a connection to Redis", function()
  local server

  setup(function()
    server = servers.start()
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  it("gives texts, numbers, lists, and false for a null", function()
    local connection = server:open()
    assert.equal("OK", connection:call("SET", "a", "x\0\r\n"))
    assert.equal("x\0\r\n", connection:call("GET", "a"))
    assert.is_false(connection:call("GET", "nothing"))
    assert.equal(41, connection:call("INCRBY", "n", 41))
    assert.equal(-1, connection:call("INCRBY", "n", -42))
    assert.equal(2, connection:call("RPUSH", "list", "p", ""))
    assert.same({ "p", "" }, connection:call("LRANGE", "list", 0, -1))
    assert.same({ "x\0\r\n", false }, connection:call("MGET", "a", "nothing"))
    assert.same({}, connection:call("KEYS", "zzz*"))
    connection:close()
  end)

  it("sends commands together, and each has its reply or its error", function()
    local connection = server:open()
    local commands = {}
    for i = 1, 500 do
      commands[i] = { "SET", "k" .. i, i }
      commands[500 + i] = { "GET", "k" .. i }
    end
    commands[1001] = { "LPUSH", "k1", "secret9" }
    commands[1002] = { "NOSUCH", "secret9" }
    commands[1003] = { "EXISTS", "k500" }
    local replies = assert(connection:pipeline(commands))
    assert.same({ "OK", "OK", "1", "500", 1 }, { replies[1], replies[500], replies[501], replies[1000], replies[1003] })
    assert.is_true(errors.is(replies[1001]) and errors.is(replies[1002]))
    assert.same({ "redis", "WRONGTYPE", "UNKNOWN_COMMAND" },
      { replies[1001].kind, replies[1001].code, replies[1002].code })
    assert.truthy(replies[1001].message:find("Redis refused LPUSH: ", 1, true))
    assert.is_nil((tostring(replies[1002]):find("secret9", 1, true))) -- Redis itself repeats arguments
    assert.equal("PONG", connection:call("PING"))
    connection:close()
  end)

  it("carries texts of 8 MiB both ways, and many at once", function()
    local connection, text = server:open(), ("0123456789abcdef"):rep(512 * 1024)
    assert.equal("OK", connection:call("SET", "big", text))
    assert.is_true(text == connection:call("GET", "big"))
    local replies = assert(connection:pipeline { { "GET", "big" }, { "SET", "big2", text }, { "GET", "big2" } })
    assert.is_true(text == replies[1] and text == replies[3])
    connection:call("DEL", "big", "big2")
    connection:close()
  end)

  it("carries lines of members, which become no text on the way", function()
    local connection, lines = server:open(), spool_files.lines { '-{"externalId":"1"}' }
    local replies = assert(connection:pipeline { { "SET", "lines", lines }, { "GET", "lines" } })
    assert.same({ "@a", '-{"externalId":"1"}' }, packed_lines.read(replies[2]))
    lines:close()
    connection:close()
  end)

  it("runs scripts by their hash, also after Redis has forgotten them", function()
    local connection = server:open()
    local text = "return { KEYS[1], ARGV[1], #ARGV }"
    local function evals()
      local stats = connection:call("INFO", "commandstats")
      return tonumber(stats:match "cmdstat_eval:calls=(%d+)" or 0),
        tonumber(stats:match "cmdstat_evalsha:calls=(%d+)" or 0)
    end
    connection:call("CONFIG", "RESETSTAT")
    for _ = 1, 3 do
      assert.same({ "k", "7", 2 }, connection:script(text, { "k" }, { 7, "x" }))
    end
    assert.same({ 0, 3 }, { evals() })
    assert.equal("OK", connection:call("SCRIPT", "FLUSH"))
    assert.same({ "k", "7", 2 }, connection:script(text, { "k" }, { 7, "x" }))
    assert.same({ "k", "7", 2 }, connection:script(text, { "k" }, { 7, "x" }))
    assert.same({ 1, 5 }, { evals() })
    local reply, err = connection:script("return redis.error_reply('FENCED secret9')", {})
    assert.is_nil(reply)
    assert.same({ "redis", "FENCED" }, { err.kind, err.code })
    assert.is_nil((err.message:find("secret9", 1, true)))
    reply, err = connection:script("this is no Lua", {})
    assert.is_nil(reply)
    assert.equal("redis", err.kind)
    assert.equal("PONG", connection:call("PING"))
    connection:close()
  end)

  it("has a name, and a database of its own", function()
    local connection, other = server:open { name = "spec-1" }, redis.open { url = server.url .. "/3" }
    assert.truthy(connection:call("CLIENT", "LIST"):find("name=spec-1 ", 1, true))
    assert.truthy(connection:call("CLIENT", "LIST"):find("name=scope3 ", 1, true))
    assert.is_true(connection.named)
    other:call("SET", "only", "there")
    assert.is_false(connection:call("GET", "only"))
    local none, err = redis.open { url = server.url .. "/99" }
    assert.is_nil(none)
    assert.equal("DATABASE", err.code)
    other:close()
    connection:close()
  end)

  it("notices while it is idle that the other side has ended it", function()
    local connection, other = server:open(), server:open()
    local id = connection:call("CLIENT", "ID")
    assert.is_true(connection:is_open())
    other:call("CLIENT", "KILL", "ID", id)
    until_true(function()
      return not connection:is_open()
    end, "the end of the connection")
    local reply, err = connection:call("PING")
    assert.is_nil(reply)
    assert.same({ "network", "CLOSED", true }, { err.kind, err.code, err.retryable })
    assert.is_nil(err.uncertain)
    connection:close()
    other:close()
  end)

  it("is closed as often as one likes, and then gives errors", function()
    local connection = server:open()
    connection:close()
    connection:close()
    assert.is_false(connection:is_open())
    assert.equal("CLOSED", select(2, connection:call("PING")).code)
    assert.equal("CLOSED", select(2, connection:script("return 1", {})).code)
    local ok, message = pcall(connection.call, {}, "PING")
    assert.is_false(ok)
    assert.truthy(message:find("connection:call", 1, true))
  end)

  it("refuses what is no command at the caller's line, and goes on", function()
    local connection = server:open()
    for _, misuse in ipairs {
      function() connection:call() end,
      function() connection:call("SET", "a", {}) end,
      function() connection:call("SET", "a", { "b", 5 }) end,
      function() connection:call("SET", "a", 1.5) end,
      function() connection:call("SET", "a", true) end,
      function() connection:pipeline {} end,
      function() connection:pipeline { "PING" } end,
      function() connection:script(5, {}) end,
    } do
      local ok, message = pcall(misuse)
      assert.is_false(ok)
      assert.truthy(message:find("connections_spec.lua:%d+: connection:"), message)
    end
    assert.equal("PONG", connection:call("PING"))
    connection:close()
  end)

  it("ends when no answer comes in time, or the caller cancels", function()
    local connection = server:open { call_seconds = 0.2 }
    local reply, err = connection:call("BLPOP", "never", 0)
    assert.is_nil(reply)
    assert.same({ "timeout", true }, { err.kind, err.uncertain })
    assert.is_false(connection:is_open())
    local asked = 0
    connection = server:open { cancel = function()
      asked = asked + 1
      return asked > 4
    end }
    reply, err = connection:call("BLPOP", "never", 0)
    assert.is_nil(reply)
    assert.same({ "cancelled", true }, { err.kind, err.uncertain })
    local is_open = false
    connection = server:open { cancel = function()
      return is_open and error "a fault"
    end }
    is_open = true
    reply, err = connection:call("BLPOP", "never", 0)
    assert.is_nil(reply)
    assert.same({ "script", "callback_error" }, { err.kind, err.code })
  end)

  it("opens many at once, and refuses those over a bound", function()
    local all, err = {}, nil
    for i = 1, 70 do
      all[i], err = redis.open { url = server.url }
      if not all[i] then
        break
      end
    end
    assert.same({ "network", "TOO_MANY_CONNECTIONS" }, { err.kind, err.code })
    assert.is_true(#all > 50)
    for _, connection in ipairs(all) do
      assert.equal("PONG", connection:call("PING"))
      connection:close()
    end
    server:open():close()
  end)

  it("lives on beside requests of HTTP, which libcurl makes from the same handle", function()
    local sandbox = world.sandbox()
    local client, connection = sandbox:client(), server:open()
    for i = 1, 5 do
      assert(client:health())
      assert.equal(i, connection:call("INCR", "beside"))
    end
    connection:close()
    sandbox:close()
  end)
end)

describe("a connection to Redis that is not let in", function()
  local server

  setup(function()
    server = servers.start { conf = "requirepass right9\nuser app on >app9 ~app:* +@all -client -script\n"
      .. "maxmemory-policy noeviction" }
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  local function url(login)
    return ("redis://%s127.0.0.1:%d"):format(login, server.port)
  end

  it("says why, and not what the password is", function()
    for login, code in pairs { [""] = "NOAUTH", [":wrong9@"] = "WRONGPASS", ["nobody:wrong9@"] = "WRONGPASS" } do
      local connection, err = redis.open { url = url(login) }
      assert.is_nil(connection)
      assert.same({ "redis", code }, { err.kind, err.code })
      assert.is_nil((tostring(err):find("wrong9", 1, true)))
      assert.truthy(err.message:find("URL", 1, true))
    end
  end)

  it("goes in with a password, or as a user who may do less", function()
    local connection = assert(redis.open { url = url ":right9@" })
    assert.equal("PONG", connection:call("PING"))
    connection:close()
    connection = assert(redis.open { url = url "app:app9@" })
    assert.is_false(connection.named)
    assert.equal("OK", connection:call("SET", "app:a", "1"))
    local reply, err = connection:call("SET", "other", "1")
    assert.is_nil(reply)
    assert.equal("NOPERM", err.code)
    assert.equal(5, connection:script("return 5 + 0", {})) -- by its text: this user may load none
    connection:close()
  end)

  it("is told that memory is full, and may still ask", function()
    local connection = assert(redis.open { url = url ":right9@" })
    connection:call("CONFIG", "SET", "maxmemory", 1)
    local reply, err = connection:call("SET", "a", "x")
    assert.is_nil(reply)
    assert.same({ "redis", "OOM", true }, { err.kind, err.code, err.retryable })
    assert.is_false(connection:call("GET", "a"))
    connection:call("CONFIG", "SET", "maxmemory", 0)
    connection:close()
  end)

  it("is told that there are too many clients", function()
    local connection = assert(redis.open { url = url ":right9@" })
    connection:call("CONFIG", "SET", "maxclients", 1)
    local other, err = redis.open { url = url ":right9@" }
    assert.is_nil(other)
    assert.same({ "redis", "MAX_CLIENTS" }, { err.kind, err.code })
    connection:call("CONFIG", "SET", "maxclients", 100)
    connection:close()
  end)
end)

describe("a connection to a Redis that goes away", function()
  teardown(world.clean)

  it("ends in the middle of a call, and a new one finds what was appended", function()
    local server = servers.start { conf = "appendonly yes\nappendfsync always" }
    local connection = server:open()
    assert.is_string(connection:call("XADD", "s", "*", "m", "1"))
    server:stop "KILL"
    local reply, err = connection:call("XADD", "s", "*", "m", "2")
    assert.is_nil(reply)
    assert.equal("network", err.kind)
    assert.is_true(err.uncertain)
    assert.is_false(connection:is_open())
    local none
    none, err = redis.open { url = server.url }
    assert.is_nil(none)
    assert.same({ "network", "COULDNT_CONNECT" }, { err.kind, err.code })
    assert.truthy(err.message:find("Redis: the host refused the connection", 1, true))
    server:restart()
    connection = server:open()
    assert.equal(1, connection:call("XLEN", "s"))
    connection:close()
    server:close()
  end)

  it("waits no longer than it may for one that stands still", function()
    local server = servers.start()
    local connection = server:open { call_seconds = 0.3 }
    server:stop "STOP"
    local began = core.now()
    local _, err = connection:call("PING")
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - began < 20)
    _, err = redis.open { url = server.url, connect_seconds = 0.3, call_seconds = 0.3 }
    assert.equal("timeout", err.kind)
    server:stop "CONT"
    server:close()
  end)
end)

describe("a connection to Redis over TLS", function()
  local server, certificates

  setup(function()
    certificates = tls.make "IP:127.0.0.1"
    server = servers.start { tls = certificates, conf = "requirepass right9", login = ":right9@" }
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  it("checks the certificate, and carries as much", function()
    local connection, text = server:open { ca_file = certificates.ca }, ("x"):rep(8 * 1024 * 1024)
    assert.equal("OK", connection:call("SET", "big", text))
    assert.is_true(text == connection:call("GET", "big"))
    local replies = assert(connection:pipeline { { "GET", "big" }, { "SET", "big2", text }, { "PING" } })
    assert.is_true(text == replies[1] and replies[3] == "PONG")
    assert.is_true(connection:is_open())
    connection:close()
  end)

  it("is refused where the CA is unknown, or the certificate of another host", function()
    local connection, err = redis.open { url = server.url }
    assert.is_nil(connection)
    assert.same({ "network", "PEER_FAILED_VERIFICATION", "CERT_UNKNOWN_CA" }, { err.kind, err.code, err.reason })
    assert.truthy(err.message:find("set ca_file", 1, true))
    connection, err = redis.open { url = server.url:gsub("127.0.0.1", "localhost"), ca_file = certificates.ca }
    assert.is_nil(connection)
    assert.equal("CERT_WRONG_HOST", err.reason)
  end)

  it("says what to change where one side speaks TLS and the other does not", function()
    local connection, err = redis.open { url = server.url:gsub("^rediss", "redis"), call_seconds = 5 }
    assert.is_nil(connection)
    assert.truthy(err.message:find("rediss://", 1, true), err.message)
    local plain = servers.start()
    connection, err = redis.open { url = plain.url:gsub("^redis", "rediss"), connect_seconds = 0.3 }
    assert.is_nil(connection)
    assert.truthy(err.message:find("redis://", 1, true), err.message)
    plain:close()
  end)
end)
