-- Proxies before the service may end an upload over HTTP/2 early, and the job goes on.
-- HAProxy answers early and resets the stream; nginx ends connections.
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local haproxy = require "spec.support.haproxy"
local scope3 = require "scope3"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local certificates
local PAGE = '{"data":null,"error":{"code":"EARLY","message":"answered early"}}'

-- Sends n members through the proxy at `url`, a request for each `max`. Gives the result, the error, and the retries.
local function job(url, n, max, opts)
  opts = opts or {}
  local retries = {}
  local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000,
    ca_file = certificates.ca, on_event = function(event)
      if event.event == "retry" then
        retries[#retries + 1] = event
      end
    end })
  local stream = assert(client:stream({ id = "a" },
    { max_members = max, concurrency = opts.concurrency, timeout = opts.timeout }))
  for i = 1, n do
    local ok, err = stream:add { external_id = "row " .. i, email = i .. "@example.com" }
    if not ok then
      local _, last = stream:finish()
      return (err.result or last.result), err, retries
    end
  end
  local result, err = stream:finish()
  result = result or err.result
  world.assert_sums(result)
  return result, err, retries
end

-- Waits until the service has so many members, and has no more.
local function assert_members(sandbox, n)
  local deadline = core.now() + 30
  repeat
    local there = #sandbox:ids "a"
    assert(there <= n and core.now() < deadline, ("%d members instead of %d"):format(there, n))
  until there == n
end

describe("HAProxy over HTTP/2", function()
  local sandbox = world.around(setup, teardown, before_each)
  local proxy

  setup(function()
    certificates = tls.make "IP:127.0.0.1"
  end)

  local function before_service(rules)
    proxy = haproxy.start { tls = certificates, port = sandbox.port, rules = rules }
    return proxy.url
  end

  after_each(function()
    if proxy then
      proxy.close()
    end
    proxy = nil
  end)

  local function early(status, condition, more)
    local rule = "  http-request return status %d content-type application/json %s string '%s' if { method POST } %s"
    return rule:format(status, more or "", PAGE, condition or "")
  end

  it("lets an upload through whose answer comes at its end", function()
    local result, err, retries = job(before_service "", 4000, 2000)
    assert.is_nil(err)
    assert.same({ 4000, 0, 0 }, { result.accepted, #retries, result.possibly_twice })
    assert_members(sandbox, 4000)
    assert.equal("2", world.http("GET", proxy.url .. "/health", nil, { ca_file = certificates.ca }).http_version)
  end)

  it("answers 413 early, and the request is halved until it passes", function()
    local result, err, retries = job(before_service(early(413, "{ req.hdr_val(content-length) gt 100000 }")), 3000,
      2000)
    assert.is_nil(err)
    assert.same({ 3000, 0 }, { result.accepted, result.possibly_twice })
    assert.is_true(#retries <= 1) -- where libcurl drops the answer, it is asked for again
    assert_members(sandbox, 3000)
  end)

  for status, kind in pairs(world.thorough and {
    [400] = "invalid", [401] = "http", [403] = "http", [422] = "invalid",
  } or { [401] = "http" }) do
    it(("answers %d early, and that is what is reported"):format(status), function()
      local url = before_service(early(status, "{ sc_http_req_cnt(0) gt 1 }"))
      local result, err = job(url, 6000, 2000)
      assert.same({ kind, status }, { err and err.kind, err and err.status })
      assert.same({ 2000, result.members - 2000, 0 }, { result.accepted, result.failed, result.unknown })
      assert_members(sandbox, 2000)
    end)
  end

  for _, status in ipairs(world.thorough and { 429, 503 } or { 429 }) do
    it(("answers %d early, and its Retry-After is honoured"):format(status), function()
      local url = before_service(early(status, "{ sc_http_req_cnt(0) ge 2 } { sc_http_req_cnt(0) le 3 }",
        "hdr Retry-After 1"))
      local result, err, retries = job(url, 6000, 2000)
      assert.is_nil(err)
      assert.same({ 6000, 0 }, { result.accepted, result.possibly_twice })
      local told
      for _, retry in ipairs(retries) do
        told = retry.status and retry or told -- one that libcurl dropped is told without a status
      end
      -- Where sending is slow, as on a busy machine, both answers may be lost in the resets behind them.
      if told then
        assert.same({ status, true }, { told.status, told.seconds >= 1 })
      else
        assert.equal(2, #retries)
      end
      assert_members(sandbox, 6000)
    end)
  end

  it("answers a page before it has read the body, and the page is reported, not a timeout", function()
    local url = before_service("  http-request return status 200 content-type text/html string '<html><title>Log "
      .. "in</title></html>' if { method POST }")
    for _, n in ipairs { 100, 1000, 20000 } do
      local _, err, retries = job(url, n, n, { timeout = 20 })
      assert.same({ "http", "BAD_REPLY" }, { err.kind, err.code })
      assert.truthy(err.message:find("an HTML page (Log in)", 1, true), err.message)
      for _, retry in ipairs(retries) do
        assert.not_equal("OPERATION_TIMEDOUT", retry.code)
      end
    end
  end)
end)

describe("nginx over HTTP/2", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  -- One over TLS beside the plain port that the support asks whether it runs.
  local function before_service(lines)
    local port = ports.free()
    certificates = tls.make "IP:127.0.0.1"
    -- Whatever the interpreter of the specs was started with is not for nginx.
    server = nginx.start { before = "env -u LD_LIBRARY_PATH -u LD_PRELOAD", http = ([[
      server { listen 127.0.0.1:PORT; location = /ping { return 204; } }
      server {
        listen 127.0.0.1:%d ssl http2;
        ssl_certificate %s; ssl_certificate_key %s;
        %s
        location / { proxy_pass %s; }
      }]]):format(port, certificates.cert, certificates.key, lines, sandbox.url) }
    server:expect("is buffered to a temporary file", "intended to send too large body")
    return "https://127.0.0.1:" .. port
  end

  after_each(function()
    nginx.close_all()
  end)

  it("refuses a body for its size, and it is halved", function()
    local result, err = job(before_service "client_max_body_size 100k;", 3000, 2000)
    assert.is_nil(err)
    assert.same({ 3000, 0 }, { result.accepted, result.possibly_twice })
    assert_members(sandbox, 3000)
  end)

  it("ends the connection after each request, and what it did not take is sent once", function()
    for _, concurrency in ipairs { 1, 4 } do
      sandbox:reset()
      local result, err = job(before_service "keepalive_requests 1; client_max_body_size 0;", 2000, 250,
        { concurrency = concurrency })
      assert.is_nil(err)
      assert.equal(2000, result.accepted)
      -- A body that had left as a whole before the connection's end
      -- was heard of may have arrived, for all the client knows.
      assert.is_true(result.possibly_twice <= concurrency * 250, result.possibly_twice .. " possibly twice")
      assert.equal(8, #sandbox:requests "sync")
      assert_members(sandbox, 2000)
      server:close()
    end
  end)
end)
