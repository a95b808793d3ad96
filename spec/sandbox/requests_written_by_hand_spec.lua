-- Requests that no client of ours writes: the sandbox reads what HTTP allows, and gives the rest no answer of success.
local child = require "scope3.sandbox.child"
local core = require "scope3.core"
local errno = require "cqueues.errno"
local sandbox_module = require "scope3.sandbox"
local socket = require "cqueues.socket"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local AUDIENCES = "/api/v2/buyer/advertisers/25/audiences"
local DEADLINE = 30

describe("the sandbox", function()
  local sandbox

  setup(function()
    sandbox = assert(child.start())
  end)
  teardown(function()
    sandbox:close()
    world.clean()
  end)

  local function connect(port)
    local peer = socket.connect("127.0.0.1", port)
    peer:setmode("b", "b")
    peer:settimeout(DEADLINE)
    peer:onerror(function(_, _, why)
      return why
    end)
    return peer
  end

  -- The first line of what comes back for these bytes, and all of it. Both are empty where the peer only closes.
  local function answer(bytes)
    local peer = connect(sandbox.port)
    peer:write(bytes)
    peer:flush()
    peer:shutdown "w"
    local said = peer:read "*a" or ""
    peer:close()
    return said:match "^[^\r]*", said
  end

  local function request(method, path, headers, body)
    return ("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nConnection: close\r\n%s\r\n%s"):format(method,
      path, headers, body or "")
  end

  it("reads a request behind blank lines", function()
    assert.truthy(answer("\r\n\r\n" .. request("GET", AUDIENCES, "")):find "^HTTP/1.1 200")
  end)

  it("closes at heads that are no request's, or have no end", function()
    local long = request("GET", AUDIENCES, ("X: %s\r\n"):format(("x"):rep(70000)))
    for _, bytes in ipairs { "hello\r\n\r\n", "", "GET / HTTP/1.1\r\n", long,
      request("GET", AUDIENCES, "Content-Length: many\r\n"),
      request("GET", AUDIENCES, "Content-Length: 12345678901234567\r\n") } do
      assert.is_nil(answer(bytes):find "^HTTP/1.1 2", bytes:sub(1, 100))
    end
  end)

  it("reads a body in chunks, and takes none that is cut or too large", function()
    local body = '{"audiences":[{"audienceId":"a"}]}'
    local chunked = "Transfer-Encoding: chunked\r\n"
    local function sync(chunks)
      return answer(request("POST", AUDIENCES .. "/sync", chunked, chunks))
    end
    local whole = ("%x\r\n%s\r\n0\r\n\r\n"):format(#body, body)
    assert.truthy(sync(whole):find "^HTTP/1.1 2")
    for _, chunks in ipairs { "x\r\n", "", ("%x\r\n%s"):format(#body + 1, body), ("%x\r\n%s\r\n"):format(#body, body),
      "7fffffff\r\n" } do
      assert.is_nil(sync(chunks):find "^HTTP/1.1 2", chunks)
    end
  end)

  it("takes 64 MiB for a request of its own, and no byte more", function()
    local body = ("x"):rep(64 * 2 ^ 20)
    assert.equal(200, world.http("POST", sandbox.url .. "/sandbox/reset", body).status)
    assert.are_not.equal(200, world.http("POST", sandbox.url .. "/sandbox/reset", body .. "x").status)
    assert.equal(200, world.http("POST", sandbox.url .. "/sandbox/reset", "").status)
  end)

  it("tells a client that waits for it to send its body", function()
    local body = '{"audiences":[{"audienceId":"a"}]}'
    local first, all = answer(request("POST", AUDIENCES .. "/sync",
      ("Expect: 100-continue\r\nContent-Length: %d\r\n"):format(#body), body))
    assert.equal("HTTP/1.1 100 Continue", first)
    assert.truthy(all:find "\r\n\r\nHTTP/1.1 2")
  end)

  it("forgets with a reset also what is under way, and closes its connection", function()
    local body = ('{"audiences":[{"audienceId":"under-way","add":[{"externalId":"1","hashedEmail":"%s"}]}]}')
      :format(("a"):rep(64))
    local text, peer = request("POST", AUDIENCES .. "/sync", ("Content-Length: %d\r\n"):format(#body), body),
      connect(sandbox.port)
    local function control(method, path)
      return world.json.decode(world.http(method, sandbox.url .. "/sandbox/" .. path).body)
    end
    local before = control("GET", "requests").count
    peer:write(text:sub(1, -9))
    peer:flush()
    local deadline = core.now() + DEADLINE
    while control("GET", "requests").count == before and core.now() < deadline do
      core.sleep(0.01)
    end
    assert.equal(before + 1, control("GET", "requests").count)
    control("POST", "reset")
    peer:write(text:sub(-8))
    peer:flush()
    assert.equal("", peer:read "*a" or "")
    peer:close()
    assert.equal(0, control("GET", "requests").count)
    assert.equal(404, world.http("GET", sandbox.url .. "/sandbox/members?account=25&audience=under-way").status)
  end)

  it("refuses a syndication that is no object", function()
    for _, body in ipairs { "[]", "5", '"x"', "{" } do
      local said = answer(request("POST", "/api/v2/buyer/advertisers/25/syndicate",
        ("Content-Length: %d\r\n"):format(#body), body))
      assert.truthy(said:find "^HTTP/1.1 4", body .. ": " .. said)
    end
  end)

  -- Has requests for the list of audiences go wrong in a way.
  local function misbehave(fault)
    fault.on, fault.times = "audiences", 1
    local body = world.json.encode { faults = world.json.array { fault } }
    assert.equal(200, world.http("PUT", sandbox.url .. "/sandbox/config", body).status)
  end

  it("streams a long answer to its end", function()
    for _, chunked in ipairs { true, false } do
      misbehave { act = "huge", bytes = 100000, chunked = chunked or nil }
      local first, all = answer(request("GET", AUDIENCES, ""))
      assert.equal("HTTP/1.1 200 OK", first)
      assert.equal(chunked and "0\r\n\r\n" or "xxxxx", all:sub(-5))
      assert.is_true(#all > 100000)
    end
  end)

  it("that hangs takes what comes, and ends with its client", function()
    misbehave { act = "hang" }
    assert.equal("", (answer(request("GET", AUDIENCES, "", ("x"):rep(1000)))))
    assert.truthy(answer(request("GET", AUDIENCES, "")):find "^HTTP/1.1 200")
  end)

  it("shows fields of an audience that it was given besides", function()
    local body = '{"account":"25","audienceId":"more","more":{"color":"red"}}'
    assert.equal(200, world.http("PUT", sandbox.url .. "/sandbox/audience", body).status)
    local _, all = answer(request("GET", AUDIENCES, ""))
    assert.truthy(all:find('"color":"red"', 1, true), all)
  end)

  it("closes a connection on which no TLS begins", function()
    local certificates = tls.make "IP:127.0.0.1"
    -- Its collector never runs: that would close a connection which is forgotten.
    local lua = world.file(("#!/bin/sh\nexec %s -e 'collectgarbage \"stop\"' \"$@\"\n"):format(
      os.getenv "SCOPE3_LUA_BIN"), ".sh")
    os.execute("chmod +x " .. lua)
    local own = assert(child.start { interpreter = lua, tls = { cert = certificates.cert, key = certificates.key } })
    local peer = connect(own.port)
    peer:write "GET /health HTTP/1.1\r\n\r\n"
    peer:flush()
    local _, why = peer:read "*a"
    peer:close()
    assert.same({ true }, { own:close() })
    assert.are_not.equal(errno.ETIMEDOUT, why)
  end)

  it("listens on a port, and on nothing else", function()
    for _, port in ipairs { -1, 1.5, 65536, "x" } do
      local fine, why = pcall(sandbox_module.serve, { port = port })
      assert.is_false(fine)
      assert.truthy(tostring(why):find("port must be a whole number", 1, true), tostring(why))
    end
    local fine, why = pcall(sandbox_module.serve, { host = 5 })
    assert.same({ false, true }, { fine, why:find("host must be a string", 1, true) ~= nil }, why)
    assert.same({ false, ("sandbox: port %d cannot be listened on (%s)"):format(sandbox.port,
      errno.strerror(errno.EADDRINUSE)) }, { pcall(sandbox_module.serve, { port = sandbox.port }) })
  end)

  it("reads half of a body where it is told to, and remembers how much", function()
    local body = '{"audiences":[{"audienceId":"half"}]}'
    local fault = { on = "sync", act = "cut_inside", times = 1 }
    world.http("PUT", sandbox.url .. "/sandbox/config", world.json.encode { faults = world.json.array { fault } })
    assert.equal("", (answer(request("POST", AUDIENCES .. "/sync", ("Content-Length: %d\r\n"):format(#body), body))))
    local log = world.json.decode(world.http("GET", sandbox.url .. "/sandbox/requests").body).requests
    assert.same({ math.floor(#body / 2), false }, { log[#log].bytes, log[#log].body_complete })
  end)
end)
