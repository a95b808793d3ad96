-- Connections of the engine that carry another protocol than HTTP, as scope3.engine gives them to Lua.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local engines = require "spec.support.engines"
local packed_lines = require "spec.support.packed_lines"
local servers = require "spec.support.redis"
local spool_files = require "spec.support.spool_files"
local tls = require "spec.support.tls"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local PING = "*1\r\n$4\r\nPING\r\n"

describe("a connection of bytes", function()
  local server

  setup(function()
    server = servers.start()
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  local function connect(engine, url)
    return assert(engine:connect { url = url or server.url:gsub("^redis", "http"), timeout = 30 })
  end

  -- Steps the engine, by `gently` in small parts, until all are ready.
  local function until_ready(engine, connections, gently)
    until_true(function()
      engine:step(gently)
      for _, connection in ipairs(connections) do
        if not connection:is_ready() then
          engine:wait(0.01)
          return false
        end
      end
      return true
    end, "every connection is ready")
  end

  it("counts while it connects and while it is waited for", function()
    local engine = engines.new()
    local connection = connect(engine)
    assert.same({ "connecting", 1, false }, { connection:state(), engine:count(), connection:is_ready() })
    assert.is_nil(connection:send())
    assert.is_nil(connection:receive())
    until_ready(engine, { connection })
    assert.same({ "open", 0 }, { connection:state(), engine:count() })
    assert.is_nil(connection:failure())
    assert.equal("", connection:receive())
    connection:watch()
    assert.same({ 1, false }, { engine:count(), connection:is_ready() })
    connection:put { PING }
    assert.equal(0, connection:send())
    until_ready(engine, { connection })
    assert.equal(0, engine:count())
    assert.equal("+PONG\r\n", connection:receive())
    connection:close()
    connection:close()
    assert.is_false((pcall(connection.state, connection)))
    engine:close()
  end)

  it("makes the engine's descriptor readable, and a gentle step loses none of many", function()
    local engine, all = engines.new(), {}
    for i = 1, 20 do
      all[i] = connect(engine)
    end
    until_ready(engine, all, true)
    for _ = 1, 20 do
      for _, connection in ipairs(all) do
        connection:put { PING }
        connection:send()
        connection:watch()
      end
      until_ready(engine, all, true)
      for _, connection in ipairs(all) do
        assert.equal("+PONG\r\n", connection:receive())
      end
    end
    engine:close()
    assert.equal("closed", all[1]:state())
    assert.is_nil(all[1]:receive())
    assert.is_nil(all[1]:send())
    assert.is_true(all[1]:is_ready())
    for _, connection in ipairs(all) do
      connection:close()
    end
  end)

  it("fails with the name and the cause of what libcurl says", function()
    local engine = engines.new()
    local connection = connect(engine, "http://127.0.0.1:9")
    until_ready(engine, { connection })
    assert.equal("failed", connection:state())
    local failure = connection:failure()
    assert.same({ "COULDNT_CONNECT", "refused" }, { failure.code, failure.cause })
    connection:close()
    connection = connect(engine, "gopher://127.0.0.1:9")
    until_ready(engine, { connection })
    assert.equal("UNSUPPORTED_PROTOCOL", connection:failure().code)
    for _, misuse in ipairs { {}, { url = 5 }, { url = "http://h\r\nx" }, { url = "http://h", x = 1 } } do
      assert.is_false((pcall(engine.connect, engine, misuse)))
    end
    engine:close()
  end)

  it("gives what came before its end, and then the end", function()
    local engine = engines.new()
    local connection = connect(engine)
    until_ready(engine, { connection })
    connection:put { PING, "*1\r\n$4\r\nQUIT\r\n" }
    connection:send()
    local came = ""
    until_true(function()
      local bytes = connection:receive()
      came = came .. (bytes or "")
      return not bytes
    end, "the end")
    assert.equal("+PONG\r\n+OK\r\n", came)
    assert.equal("CLOSED", connection:failure().code)
    engine:close()
  end)

  it("belongs to the process that made it", function()
    local fork = compile.fork()
    local engine = engines.new()
    local connection = connect(engine)
    until_ready(engine, { connection })
    local code = fork(function()
      connection:put { PING }
      local sent = connection:send()
      local failure = connection:failure()
      connection:close()
      engine:step()
      return sent == nil and failure.code == "FORKED" and 7 or 1
    end)
    assert.equal(7, code)
    connection:put { PING }
    assert.equal(0, connection:send())
    connection:watch()
    until_ready(engine, { connection })
    assert.equal("+PONG\r\n", connection:receive())
    engine:close()
  end)

  -- Sends a text that no socket takes at once, and holds that it comes back byte for byte.
  local function assert_echo(engine, connection, text)
    until_ready(engine, { connection })
    connection:put { ("*2\r\n$4\r\nECHO\r\n$%d\r\n"):format(#text), text, "\r\n" }
    local left, parts, came, size, deadline = 1, 0, {}, 0, core.now() + 60
    while size < #text + 13 do
      assert.is_true(core.now() < deadline)
      if left > 0 then
        left, parts = assert(connection:send()), parts + 1
        if left > 0 then
          assert.error_matches(function()
            connection:put { PING }
          end, "is sending")
        end
      end
      local bytes = assert(connection:receive())
      came[#came + 1], size = bytes, size + #bytes
      if bytes == "" then
        connection:watch(left > 0)
        until_ready(engine, { connection })
      end
    end
    assert.is_true(parts > 1)
    assert.is_true(("$%d\r\n"):format(#text) .. text .. "\r\n" == table.concat(came))
    engine:close()
  end

  -- A text of 16 MiB of which no two parts are the same.
  local function long_text()
    local numbers = {}
    for i = 1, 2 ^ 20 do
      numbers[i] = ("%16d"):format(i)
    end
    return table.concat(numbers)
  end

  it("takes a text that does not leave at once in parts", function()
    local engine = engines.new()
    assert_echo(engine, connect(engine), long_text())
  end)

  it("takes it in parts by TLS, too", function()
    local made = tls.make "IP:127.0.0.1"
    local secure, engine = servers.start { tls = made }, engines.new { ca_file = made.ca }
    finally(function()
      secure:close()
    end)
    assert_echo(engine, connect(engine, (secure.url:gsub("^rediss", "https"))), long_text())
  end)

  it("sends lines of members as they are when it takes them, and takes all pieces or none", function()
    local engine = engines.new()
    local connection = connect(engine)
    until_ready(engine, { connection })
    local text = packed_lines.of { "@a", '-{"externalId":"1"}' }
    local lines = spool_files.lines { '-{"externalId":"1"}' }
    assert.equal(#text, lines:size())
    for _, misuse in ipairs { { PING, 5 }, { PING, {} }, { PING, connection }, PING } do
      assert.is_false((pcall(connection.put, connection, misuse)))
    end
    connection:put {}
    connection:put { ("*2\r\n$4\r\nECHO\r\n$%d\r\n"):format(#text + 1), "#", lines, "\r\n" }
    lines:reset()
    assert.equal(0, lines:size())
    connection:send()
    connection:watch()
    until_ready(engine, { connection })
    assert.equal(("$%d\r\n#"):format(#text + 1) .. text .. "\r\n", connection:receive()) -- 5.1 ends %s at a zero
    lines:close()
    assert.is_false((pcall(connection.put, connection, { PING, lines })))
    engine:close()
  end)
end)
