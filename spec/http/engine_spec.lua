-- The HTTP engine against a real server: requests and replies, limits, errors, proxies and TLS.
local engines = require "spec.support.engines"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local curl = require "scope3.engine" -- behind the core, which `world` has loaded
local new_engine, sync_url, transfer, KEY = engines.new, engines.sync_url, engines.transfer, engines.KEY

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
      local result = transfer(engine,
        { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", timeout = 60 })
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
      local result = transfer(engine,
        { method = "POST", url = sync_url(sandbox), body = "{}", headers = { KEY }, timeout = 30 })
      assert.is_string(result.code, act)
      if code ~= true then
        assert.equal(code, result.code)
      end
      engine:close()
    end
    local engine = new_engine()
    assert.equal("COULDNT_CONNECT",
      transfer(engine, { method = "GET", url = "http://127.0.0.1:9/", timeout = 10 }).code)
    engine:close()
  end)

  it("follows no redirect, and says where it points", function()
    local engine = new_engine()
    sandbox:fault { on = "audiences", act = "redirect", location = sandbox.url .. "/health" }
    local result = transfer(engine,
      { method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", timeout = 30 })
    assert.equal(302, result.status)
    assert.equal(sandbox.url .. "/health", result.redirect_url)
    assert.equal(1, #sandbox:requests())
    engine:close()
  end)

  it("runs many transfers at once", function()
    local engine = new_engine()
    sandbox:configure { faults = world.json.array { { on = "audiences", act = "delay", seconds = 0.2, times = -1 } } }
    for _ = 1, 20 do
      engine:submit {
        method = "GET", url = sandbox.url .. "/api/v2/buyer/advertisers/25/audiences", headers = { KEY }, timeout = 30,
      }
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
    assert.is_false((pcall(curl.engine, { user_agent = "a\r\nX: Y" })))
    assert.equal(0, engine:count())
    engine:close()
  end)

  it("raises on misuse", function()
    local engine = new_engine()
    for _, misuse in ipairs {
      function() curl.engine { verify = false } end,
      function() curl.engine { max_response = -1 } end,
      function() curl.engine { max_response = 0 / 0 } end,
      function() curl.engine { max_response = "8" } end,
      function() curl.engine { max_host_connections = -1 } end,
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

  it("knows a request by its id, however many came after it", function()
    local engine = new_engine()
    sandbox:fault { on = "sync", act = "hang", times = -1 }
    local function hanging()
      return assert(engine:submit { method = "POST", url = sync_url(sandbox), body = "{}", timeout = 60 })
    end
    local first = hanging()
    for _ = 1, 31 do -- ids are counted, and its index has 16 places
      assert.equal(200, transfer(engine, { method = "GET", url = sandbox.url .. "/health", timeout = 30 }).status)
    end
    local last = hanging()
    assert.equal(2, engine:count())
    assert.is_true(engine:cancel(first))
    assert.is_false(engine:cancel(first))
    assert.is_true(engine:cancel(last))
    assert.equal(0, engine:count())
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
      require "scope3.core"
      local engine = require("scope3.engine").engine {}
      engine:submit { method = "GET", url = %q, timeout = 30 }
      while not engine:step() do engine:wait(0.2) end
      local result = engine:result()
      os.exit(result.status == 200 and 0 or 1)]]):format(sandbox.url .. "/health"))
    local code = os.execute(("http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 "
      .. "%s %s"):format(
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
    local client = assert(require "scope3".client {
      api_key = "k", account_id = "25", base_url = server.url, ca_file = world.read(certificates.ca),
    })
    assert.is_true((client:health()))
  end)

  it("refuses a certificate that it does not trust, one for another name, and a CA file that is none", function()
    assert.equal("PEER_FAILED_VERIFICATION", get().code)
    assert.equal("PEER_FAILED_VERIFICATION",
      get({ ca_file = certificates.ca }, server.url:gsub("127.0.0.1", "localhost") .. "/health").code)
    assert.equal("SSL_CACERT_BADFILE", get({ ca_file = "/no/such/ca.pem" }).code)
  end)
end)

describe("a URL", function()
  it("comes apart", function()
    assert.same({
      scheme = "https", host = "api.example.com", port = 8443,
      path = "/a/b", query = "c=d", fragment = "e", user = false,
    },
      curl.parse_url("https://api.example.com:8443/a/b?c=d#e"))
    local v6 = curl.parse_url("http://me:pw@[::1]/")
    assert.equal("::1", v6.host)
    assert.is_true(v6.user)
    assert.is_nil(curl.parse_url("not a url"))
    assert.is_nil(curl.parse_url("http://a\0b/"))
  end)
end)
