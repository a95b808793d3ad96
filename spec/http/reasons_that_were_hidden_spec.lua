-- An error says why a request failed: the fault of a certificate, a proxy's rejection, a wait for the rate.
local answering = require "spec.support.answering"
local broken = require "spec.support.broken"
local core = require "scope3.core"
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local pkey = require "openssl.pkey"
local scope3 = require "scope3"
local ports = require "spec.support.ports"
local world = require "spec.support.world"
local x509 = require "openssl.x509"
local x509_altname = require "openssl.x509.altname"
local x509_name = require "openssl.x509.name"

local DAY = 86400

-- A certificate that is signed by `by`, or by itself; paths and objects.
local function certificate(opts)
  local key = pkey.new { type = "RSA", bits = 2048 }
  local made, name = x509.new(), x509_name.new()
  name:add("CN", opts.name or "spec")
  made:setVersion(3)
  made:setSerial(require("openssl.bignum").new(math.random(1, 2 ^ 30)))
  made:setSubject(name)
  made:setIssuer(opts.by and opts.by.x509:getSubject() or name)
  local now = os.time()
  made:setLifetime(opts.from or now - DAY, opts.to or now + DAY)
  made:setPublicKey(key)
  made:setBasicConstraints { CA = opts.is_ca or false }
  if opts.ip then
    local names = x509_altname.new()
    names:add("IP", opts.ip)
    made:setSubjectAlt(names)
  end
  made:sign(opts.by and opts.by.pkey or key, "sha256")
  return {
    x509 = made, pkey = key, cert = world.file(made:toPEM(), ".crt"), key = world.file(key:toPEM "private", ".key"),
  }
end

-- What a client says that asks a server with this certificate for its health.
local function asked(served, trusted, opts)
  opts = opts or {}
  local err, attempts
  broken.run(function(queue)
    local server = broken.start(queue, { on = function() end, tls = served })
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", rate = 100000,
      ca_file = trusted and trusted.cert,
      base_url = (opts.scheme and server.url:gsub("^%a+", opts.scheme) or server.url) })
    local ok, why = client:health()
    assert.is_nil(ok)
    err, attempts = why, why.request.attempts
    server:close()
  end)
  return err, attempts
end

describe("a certificate that is not taken", function()
  local ca, other

  setup(function()
    ca, other = certificate { name = "Spec CA", is_ca = true }, certificate { name = "Another CA", is_ca = true }
  end)
  teardown(world.clean)

  it("is named with what is wrong with it, and asked once", function()
    local now = os.time()
    local alone = certificate { ip = "127.0.0.1" }
    for reason, case in pairs {
      CERT_EXPIRED = { certificate { by = ca, ip = "127.0.0.1", from = now - 3 * DAY, to = now - DAY }, ca,
        "has expired" },
      CERT_NOT_YET_VALID = { certificate { by = ca, ip = "127.0.0.1", from = now + DAY, to = now + 3 * DAY }, ca,
        "not valid yet" },
      CERT_WRONG_HOST = { certificate { by = ca, ip = "127.0.0.9" }, ca, "for another name" },
      CERT_SELF_SIGNED = { alone, ca, "is self-signed" },
      CERT_UNKNOWN_CA = { certificate { by = ca, ip = "127.0.0.1" }, other, "not known here" },
    } do
      local err, attempts = asked(case[1], case[2])
      assert.same({ "network", "PEER_FAILED_VERIFICATION", reason, 1 }, { err.kind, err.code, err.reason, attempts })
      assert.truthy(err.message:find(case[3], 1, true), err.message)
      assert.equal(reason == "CERT_UNKNOWN_CA" or reason == "CERT_SELF_SIGNED", err.message:find("ca_file", 1,
        true) ~= nil, err.message)
    end
  end)

  it("of the client is told apart from one of the host", function()
    local served = certificate { by = ca, ip = "127.0.0.1" }
    local err
    broken.run(function(queue)
      local context = require("openssl.ssl.context").new("TLS", true)
      context:setCertificate(served.x509)
      context:setPrivateKey(served.pkey)
      local flags = require "openssl.ssl.context"
      context:setVerify(flags.VERIFY_PEER + flags.VERIFY_FAIL_IF_NO_PEER_CERT)
      local listener, port = ports.listen()
      local open = true
      queue:wrap(function()
        while open do
          local peer = listener:accept(0.5)
          if peer then
            peer:onerror(function(_, _, code) return code end)
            peer:starttls(context, 5)
            peer:read(1)
            peer:close()
          end
        end
        listener:close()
      end)
      local client = assert(scope3.client { api_key = "scope3_test_key", rate = 100000, ca_file = ca.cert,
        base_url = "https://127.0.0.1:" .. port })
      local _
      _, err = client:health()
      open = false
    end)
    assert.same({ "network", "SSL_CLIENTCERT", 1 }, { err.kind, err.code, err.request.attempts })
    assert.truthy(err.message:find("wants a certificate of the client", 1, true), err.message)
  end)
end)

describe("a port that speaks something else", function()
  teardown(world.clean)

  -- What a client says that speaks TLS to a port that answers with these bytes.
  local function told_of(reply)
    local _, err
    broken.run(function(queue)
      local listener, port = ports.listen()
      local open = true
      queue:wrap(function()
        while open do
          local peer = listener:accept(0.5)
          if peer then
            peer:onerror(function(_, _, code) return code end)
            peer:setmode("bn", "bn")
            peer:read(-1000)
            peer:write(reply)
            peer:close()
          end
        end
        listener:close()
      end)
      local client = assert(scope3.client { api_key = "scope3_test_key", base_url = "https://127.0.0.1:" .. port,
        rate = 100000 })
      _, err = client:health()
      open = false
    end)
    return err
  end

  it("is named as plain http where TLS was meant", function()
    local err = told_of "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    assert.same({ "network", "NOT_TLS", 1 }, { err.kind, err.code, err.request.attempts })
    assert.truthy(err.message:find("this port speaks plain http", 1, true), err.message)
  end)

  it("is named as one of another TLS by its alert", function()
    for alert, says in pairs {
      [40] = "the host and this machine agree on no TLS: ", [70] = "the host and this machine agree on no TLS: ",
      [80] = "the TLS handshake with the host failed: ",
    } do
      local err = told_of("\21\3\3\0\2\2" .. string.char(alert)) -- a record of type alert, and a fatal one
      assert.same({ "network", "SSL_CONNECT_ERROR" }, { err.kind, err.code })
      assert.truthy(err.message:find(says, 1, true), err.message)
    end
  end)

  it("is named as TLS where plain http was meant", function()
    local served = certificate { ip = "127.0.0.1" }
    local err = asked(served, nil, { scheme = "http" })
    assert.equal("network", err.kind)
    assert.truthy(err.message:find("base_url must begin with https://", 1, true), err.message)
  end)
end)

describe("a host that takes no connection", function()
  it("is reported by what it did", function()
    local client = assert(scope3.client { api_key = "scope3_test_key", base_url = "http://127.0.0.1:" .. ports.free(),
      rate = 100000 })
    local _, err = client:health()
    assert.same({ "network", "COULDNT_CONNECT" }, { err.kind, err.code })
    assert.truthy(err.message:find("refused the connection", 1, true) and err.message:find("(3 attempts)", 1, true),
      err.message)
  end)

  it("is an error where the process has no descriptors left, and nothing raises", function()
    local program = world.file([[
      local scope3 = require "scope3"
      scope3.preload()
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9", rate = 1000 })
      local held = {}
      for i = 1, 100 do held[i] = io.open "/dev/null" end
      local function told(what, raised, ok, err)
        print(what, raised, ok, err and err.kind, err and err.code, err and err.message)
      end
      told("health", pcall(client.health, client))
      local audience = scope3.audience { id = "a" }
      audience:add { external_id = "1", email = "a@example.com" }
      told("sync", pcall(client.sync, client, audience, { patience = 0 }))
      for i = 1, 40 do if held[i] then held[i]:close() held[i] = nil end end
      told("then", pcall(client.health, client))
    ]], ".lua")
    local out = world.path ".out"
    os.execute(("ulimit -n 30; %s %s >%s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", program, out))
    local said = world.read(out)
    assert.truthy(said:find("health\ttrue\tnil\tnetwork\tN", 1, false), said)
    assert.truthy(said:find("sync\ttrue\tnil\tnetwork\tN", 1, false), said)
    assert.truthy(said:find("descriptors", 1, true), said)
    assert.truthy(said:find("then\ttrue\tnil\tnetwork\tCOULDNT_CONNECT", 1, true), said)
  end)
end)

describe("plain http", function()
  it("goes to this machine alone, however its address is written", function()
    for _, url in ipairs { "http://127.0.0.1", "http://127.255.255.254:80", "http://localhost:1", "http://LOCALHOST",
      "http://[::1]:80" } do
      assert(scope3.client { base_url = url })
    end
    for _, url in ipairs { "http://127.300.1.1", "http://127.1.1.256", "http://127.0.0.999", "http://127.0.0.1.nip.io",
      "http://localhost.evil.com",
      "http://evil.com/127.0.0.1", "http://127.0.0.1@evil.com", "http://127.0.0.1:80@evil.com",
        "http://evil.com#@127.0.0.1", "http://127.0.0.1%2eevil.com",
      "http://3232235521", "http://0x08080808", "http://0300.0250.1.1", "http://[::ffff:8.8.8.8]",
        "http://[::ffff:127.0.0.1]", "http://[::2]",
      "http://0.0.0.0", "http://128.0.0.1", "http://0127.0.0.1", "http://localhost\\@evil.com",
        "http://xlocalhost" } do
      local client, err = scope3.client { base_url = url }
      assert.is_nil(client, url)
      assert.equal("invalid", err.kind)
    end
    -- libcurl 8.23 takes the dot off. To those that leave it there, this is a name that has to be looked up.
    local host = curl.parse_url("http://127.0.0.1.").host
    assert.equal(host == "127.0.0.1", scope3.client { base_url = "http://127.0.0.1." } ~= nil)
  end)
end)

describe("a proxy that refuses", function()
  local server = answering.around(setup, teardown)

  local function through(status, args, headers)
    server:answer(("return function() return %d, '', { %s } end"):format(status, headers or ""))
    local started = core.now()
    local code, _, complaint = world.command(args,
      { env = ("SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 https_proxy=%s"):format(server.url) })
    return code, complaint, #server:requests(), core.now() - started
  end

  it("is named with its status, which is final unless it passes", function()
    for status, advice in pairs { [407] = "it wants a login", [403] = "allow the host", [404] = "check https_proxy" } do
      local code, complaint, asks = through(status, { "audiences", "--base-url", "https://api.example.invalid" })
      assert.same({ 1, 1 }, { code, asks }, complaint)
      assert.truthy(complaint:find(("the proxy answered %d"):format(status), 1, true) and complaint:find(advice, 1,
        true), complaint)
      assert.is_nil(complaint:find("SCOPE3_API_KEY", 1, true), complaint)
    end
    local code, complaint, asks = through(503, { "audiences", "--base-url", "https://api.example.invalid" })
    assert.same({ 1, 3 }, { code, asks }, complaint)
    assert.truthy(complaint:find("the proxy answered 503", 1, true), complaint)
  end)

  it("has kept the members from leaving, so that nothing of them is in doubt", function()
    local csv = world.file("id,mail\n1,a@example.com\n2,b@example.com\n")
    local code, complaint = through(403, { "sync", csv, "--audience", "a", "--base-url", "https://api.example.invalid",
      "--map", "external_id=id",
      "--map", "email=mail" })
    assert.equal(1, code)
    assert.truthy(complaint:find("the proxy answered 403", 1, true), complaint)
    assert.is_nil(complaint:find("never answered", 1, true), complaint)
  end)
end)

describe("what a service says of a failure", function()
  local server = answering.around(setup, teardown)

  it("is kept in whatever form it comes", function()
    local client = server:client()
    for body, want in pairs {
      ['{"type":"about:blank","title":"Out of stock","detail":"the store is empty"}'] =
        "Out of stock: the store is empty",
      ['{"title":"Teapot"}'] = "Teapot", ['{"detail":"no coffee"}'] = "no coffee",
      ['{"error":"login needed","error_description":"the token has run out"}'] = "login needed: the token has run out",
      ['{"Message":"Missing token"}'] = "Missing token",
      ['{"error":{"code":"X","message":"the usual form"},"title":"not this"}'] = "the usual form",
    } do
      server:answer(("return function() return 501, %q, { { 'Content-Type', "
        .. "'application/problem+json' } } end"):format(body))
      local _, err = client:task "t1"
      assert.equal(501, err.status)
      assert.truthy(err.message:find(want, 1, true), err.message)
    end
    server:answer "return function() return 501, '{\"title\":\"jane@example.com\"}' end"
    local _, err = client:task "t1"
    assert.is_nil(err.message:find("jane@", 1, true), err.message)
  end)

  it("names a key that was taken before as one that has expired, with the task", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"working"}}', { 401,
      '{"error":{"code":"UNAUTHORIZED","message":"no"}}' } } }
    local client = server:client()
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "1", email = "a@example.com" })
    local res = assert(client:sync(audience))
    local _, err = res:wait { timeout = 60 }
    assert.same({ 401, "t1" }, { err.status, err.task_id })
    assert.truthy(err.message:find("expired or was revoked", 1, true) and err.message:find("scope3 wait t1", 1, true),
      err.message)
    local _, first = server:client():task "t1"
    assert.truthy(first.message:find("check SCOPE3_API_KEY", 1, true), first.message)
  end)
end)

describe("a wait", function()
  local server = answering.around(setup, teardown)

  local function accepted(client)
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "1", email = "a@example.com" })
    return assert(client:sync(audience))
  end

  it("without time asks once, and says what is", function()
    local client = server:client()
    server:play {}
    local res = accepted(client)
    assert(res:wait { timeout = 0 })
    assert.same({ "completed", "READY" }, { res.tasks[1].status, res.audience.status })
    assert.same({ 1, 1 }, { #server:requests "/tasks/", #server:requests "/audiences%?" })
    server:play { task = { '{"task":{"taskId":"$ID","status":"working"}}' } }
    res = accepted(client)
    local _, err = res:wait { timeout = 0 }
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("asked once: the task was last seen as working", 1, true), err.message)
    assert.equal(1, #server:requests "/tasks/")
    server:play { task = { '{"task":{"taskId":"$ID","status":"completed"}}' } }
    assert.equal("completed", assert(client:wait("t1", { timeout = 0 })).status)
  end)

  it("under a rate says that it waited for its turn, and not that a request was under way", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"working"}}' } }
    local client = server:client { rate = 1, limiter = scope3.limiter() }
    local res = accepted(client)
    local _, err = res:wait { timeout = 4 }
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("the time to wait is over while a request waited for its turn under the rate", 1,
      true), err.message)
  end)

  it("on the command line says what to run next", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"working"}}' } }
    local csv = world.file("id,mail\n1,a@example.com\n")
    local env = { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" }
    local code, _, complaint = world.command({ "sync", csv, "--audience", "a", "--base-url", server.url, "--map",
      "external_id=id", "--map", "email=mail",
      "--wait=0.4" }, env)
    assert.equal(1, code)
    assert.truthy(complaint:find("last seen as working", 1, true) and complaint:find "scope3 wait t%d+ %-%-audience a",
      complaint)
    code, _, complaint = world.command({ "wait", "t1", "--timeout", "0.4", "--base-url", server.url }, env)
    assert.equal(1, code)
    assert.truthy(complaint:find("last seen as working", 1, true) and complaint:find("scope3 wait t1", 1, true),
      complaint)
  end)
end)

-- The loop of cqueues is needed by the servers above.
assert(cqueues)
