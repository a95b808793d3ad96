-- The error of each transfer that ends badly, as docs/results-and-errors.md says: its kind, its code, its reason,
-- whether a later attempt may pass, and what to do. The transfers are written as engine:result() gives them.
local network_error = require "scope3.http.network_error"
local reply = require "scope3.http.reply"

local NOW = 1795990400

local function error_of(result, known)
  result.headers = result.headers or {}
  local data, err = reply.read(result, NOW, known)
  assert.is_nil(data)
  return err
end

local function assert_says(err, part)
  assert.truthy(err.message:find(part, 1, true), err.message)
end

describe("a certificate that is not trusted", function()
  -- OpenSSL's X509_V_ERR_…, and what TLS libraries without numbers say.
  local REASONS = {
    CERT_EXPIRED = { { 10 }, "certificate has expired" },
    CERT_NOT_YET_VALID = { { 9 }, "certificate is not yet valid" },
    CERT_REVOKED = { { 23 }, "certificate revoked" },
    CERT_WRONG_HOST = { { 62, 64 }, "subject name does not match target host name" },
    CERT_WEAK = { { 66, 67, 68 }, "CA md too weak" },
    CERT_SELF_SIGNED = { { 18 }, "SSL certificate problem: self-signed certificate" },
    CERT_UNKNOWN_CA = { { 2, 19, 20, 21, 27 }, "self-signed certificate in certificate chain" },
  }

  it("has its reason by the number of OpenSSL, or else by the words of another library", function()
    for reason, case in pairs(REASONS) do
      for _, number in ipairs(case[1]) do
        local err = error_of { code = "PEER_FAILED_VERIFICATION", verify = number }
        assert.same({ "network", "PEER_FAILED_VERIFICATION", reason }, { err.kind, err.code, err.reason }, number)
        assert_says(err, "the certificate of the host")
      end
      local err = error_of { code = "PEER_FAILED_VERIFICATION", message = case[2] }
      assert.equal(reason, err.reason)
      err = error_of { code = "PEER_FAILED_VERIFICATION", verify = case[1][1], message = "expired or revoked" }
      assert.equal(reason, err.reason)
    end
    for _, number in ipairs { 1, 3, 8, 11, 17, 22, 24, 26, 28, 61, 63, 65, 69 } do
      local err = error_of { code = "PEER_FAILED_VERIFICATION", verify = number }
      assert.same({ "PEER_FAILED_VERIFICATION" }, { err.code, err.reason }, number)
    end
  end)

  it("may be the one of the proxy", function()
    local err = error_of { code = "PEER_FAILED_VERIFICATION", proxy_verify = 10, verify = 9 }
    assert.equal("CERT_EXPIRED", err.reason)
    assert_says(err, "the certificate of the proxy has expired")
  end)
end)

describe("a handshake that fails", function()
  it("says whose fault it is", function()
    for _, case in ipairs {
      { "SSL_CLIENTCERT", nil, "SSL_CLIENTCERT", "wants a certificate of the client" },
      { "RECV_ERROR", "alert certificate required", "SSL_CLIENTCERT", "wants a certificate of the client" },
      { "SSL_CONNECT_ERROR", "wrong version number", "NOT_TLS", "this port speaks plain http" },
      { "SSL_CONNECT_ERROR", "no shared cipher", "SSL_CONNECT_ERROR", "agree on no TLS" },
      { "SSL_CONNECT_ERROR", "internal error", "SSL_CONNECT_ERROR", "the TLS handshake with the host failed" },
    } do
      local err = error_of { code = case[1], message = case[2] }
      assert.same({ "network", case[3] }, { err.kind, err.code })
      assert_says(err, case[4])
    end
  end)

  it("may be of a port of TLS where plain http was meant, but only there", function()
    local ADVICE = "base_url must begin with https://"
    for _, code in ipairs { "UNSUPPORTED_PROTOCOL", "WEIRD_SERVER_REPLY", "GOT_NOTHING", "RECV_ERROR" } do
      assert_says(error_of { code = code, secure = false }, ADVICE)
      assert.is_nil(error_of({ code = code, secure = true }).message:find(ADVICE, 1, true))
    end
    assert.is_nil(error_of({ code = "PARTIAL_FILE", secure = false }).message:find(ADVICE, 1, true))
  end)
end)

describe("a connection that does not come about", function()
  it("is told by what the host or the proxy did", function()
    for cause, says in pairs {
      refused = "refused the connection", unreachable = "cannot be reached from here",
      timeout = "did not take the connection in time",
    } do
      local err = error_of { code = "COULDNT_CONNECT", cause = cause }
      assert.same({ "network", "COULDNT_CONNECT", true }, { err.kind, err.code, err.retryable })
      assert_says(err, "the host " .. says)
      assert.is_nil(err.message:find("https_proxy", 1, true))
      err = error_of { code = "OPERATION_TIMEDOUT", cause = cause, body_sent = false }
      assert.same({ "timeout", "CONNECT_TIMEDOUT", true }, { err.kind, err.code, err.retryable })
      err = error_of { code = "COULDNT_CONNECT", cause = cause, proxy = "http://u:p@proxy.example:3128",
        message = "Failed to connect to proxy.example port 3128" }
      assert_says(err, "the proxy " .. says)
      assert_says(err, "https_proxy or all_proxy names this proxy, and no_proxy the hosts that need none")
      err = error_of { code = "RECV_ERROR", cause = cause } -- the cause of an attempt before
      assert.equal("RECV_ERROR", err.code)
    end
    for _, cause in ipairs { "another", false } do
      local err = error_of { code = "COULDNT_CONNECT", cause = cause or nil }
      assert.equal("COULDNT_CONNECT", err.code)
      assert_says(err, "the host does not answer")
    end
  end)

  it("because of a proxy is final, unless the proxy is busy", function()
    local function refusal(status, retry_after)
      return network_error.refused_by_proxy({ proxy_status = status }, retry_after)
    end
    for status, code in pairs {
      [300] = "PROXY_REFUSED", [403] = "PROXY_REFUSED", [407] = "PROXY_REFUSED", [408] = "PROXY_FAILED",
      [409] = "PROXY_REFUSED", [428] = "PROXY_REFUSED", [429] = "PROXY_FAILED", [430] = "PROXY_REFUSED",
      [499] = "PROXY_REFUSED", [500] = "PROXY_FAILED", [503] = "PROXY_FAILED",
    } do
      local err, is_busy = refusal(status, 7), code == "PROXY_FAILED"
      assert.same({ "network", code, is_busy or nil }, { err.kind, err.code, err.retryable }, status)
      assert.equal(is_busy and 7 or nil, err.retry_after)
      assert_says(err, ("the proxy answered %d"):format(status))
    end
    assert_says(refusal(403), "allow the host")
    assert_says(refusal(407), "wants a login")
    assert_says(refusal(503), "is busy")
    assert_says(refusal(400), "check https_proxy and no_proxy")
    assert.is_nil(refusal(200))
    assert.is_nil(refusal(nil))
  end)
end)

describe("a reply that broke off", function()
  it("counts by its status alone where that says everything, and is a broken connection otherwise", function()
    for _, status in ipairs { 401, 402, 403, 413 } do
      local err = error_of { code = "HTTP2_STREAM", status = status, body = "" }
      assert.same({ "http", status }, { err.kind, err.status })
      assert.is_nil(err.retryable)
    end
    for _, status in ipairs { 300, 302, 400, 404, 429, 500, 502, 503, 504 } do
      local err = error_of { code = "HTTP2_STREAM", status = status, body = "", body_sent = true }
      assert.same({ "network", "HTTP2_STREAM", true }, { err.kind, err.code, err.retryable }, status)
      assert.equal(status == 500 or status == 502 or status == 504 or nil, err.uncertain, status)
    end
  end)
end)

describe("an answer with an error status", function()
  local function answer(status, body, known)
    return error_of({ status = status, body = body or "" }, known)
  end

  it("may pass later or not, and may have been carried out or not, by its status", function()
    for status, case in pairs {
      [400] = { "invalid" }, [401] = { "http" }, [403] = { "http" }, [404] = { "not_found" }, [409] = { "http" },
      [422] = { "invalid" }, [428] = { "http" }, [429] = { "rate_limited", true }, [499] = { "http" },
      [500] = { "http", true, true }, [501] = { "http" }, [502] = { "http", true, true }, [503] = { "http", true },
      [504] = { "http", true, true }, [505] = { "http" },
    } do
      local err = answer(status)
      assert.same({ case[1], case[2] or false, case[3] or false },
        { err.kind, err.retryable or false, err.uncertain or false }, status)
    end
  end)

  it("says what to do about it", function()
    for status, says in pairs {
      [401] = "the key was refused: check SCOPE3_API_KEY", [402] = "the account's credit limit is reached",
      [403] = "this key may not do that", [404] = "check the account id and the base URL",
      [413] = "lower max_bytes or max_members", [429] = "too many requests",
    } do
      assert_says(answer(status), says)
      local expired = answer(status, nil, { admitted = true }).message:find("expired or was revoked", 1, true)
      assert.equal(status == 401, expired ~= nil, status)
    end
    assert.equal("the service answered 428: it answered an empty body", answer(428).message)
  end)

  it("has two of its explanations at most, in words of the service", function()
    assert_says(answer(501, '{"title":"one","detail":"two","msg":"three","reason":"four"}'), "501: one: two")
    assert.is_nil(answer(501, '{"title":"one","detail":"two","msg":"three"}').message:find("three", 1, true))
    assert_says(answer(501, '{"error":"one","title":"two"}'), "501: one: two")
    assert.is_nil(answer(501, '{"error":{"message":"one"},"title":"two"}').message:find("two", 1, true))
    assert_says(answer(501, '"one"'), "501")
  end)

  it("that is a page has its title, up to 4,000 bytes of it", function()
    local function page(title, before)
      return "<html>" .. (before or "") .. "<head><Title>" .. title .. "</title></head>"
    end
    assert_says(answer(502, page "Bad Gateway"), "it answered an HTML page (Bad Gateway)")
    assert_says(answer(502, page ""), "it answered an HTML page")
    assert.is_nil(answer(502, page("Late", (" "):rep(16384))).message:find("Late", 1, true))
    assert_says(answer(502, page("Soon", (" "):rep(16000))), "Soon")
  end)
end)

describe("a success", function()
  local function read(body, known)
    return reply.read({ status = 200, headers = {}, body = body }, NOW, known)
  end

  it("is what its envelope holds, with or without one", function()
    for body, data in pairs {
      ['{"data":{"a":1},"error":null}'] = { a = 1 }, ['{"data":{"a":1}}'] = { a = 1 },
      ['{"data":{"a":1},"success":true}'] = { data = { a = 1 }, success = true }, ['{"a":1}'] = { a = 1 },
      ['{"data":{"a":1},"error":false,"success":true}'] = { a = 1 },
      ['{"data":[1,2],"error":null,"meta":3}'] = { 1, 2 },
      ['{"data":{"a":1},"error":null,"meta":{"b":2}}'] = { a = 1, meta = { b = 2 } },
    } do
      assert.same(data, (read(body)), body)
    end
  end)

  it("that lists errors is none, unless it also brings what was asked for", function()
    for _, body in ipairs { '{"errors":[{"message":"no"}]}', '{"errors":"no"}', '{"errors":["no"],"data":null}' } do
      local data, err = read(body)
      assert.same({ nil, "REFUSED" }, { data, err.code }, body)
    end
    for _, body in ipairs {
      '{"errors":["no"],"items":[]}', '{"errors":["no"],"taskId":"t"}', '{"errors":[],"a":1}', '{"errors":null,"a":1}',
    } do
      assert.truthy((read(body)), body)
    end
  end)
end)

describe("an error about the size of a request", function()
  it("is a 413, a validation that says so, or a time that was over before all of it had left", function()
    for _, case in ipairs {
      { { status = 413, message = "" }, true },
      { { status = 400, message = "Payload too large" }, true },
      { { status = 422, message = "x", code = "TOO_BIG" }, true },
      { { status = 400, message = "too many members" }, true }, { { status = 422, message = "Size limit" }, true },
      { { status = 422, message = "over the maximum size" }, true },
      { { status = 400, message = "no" }, false }, { { status = 409, message = "too large" }, false },
      { { kind = "timeout", code = "OPERATION_TIMEDOUT", message = "" }, true },
      { { kind = "timeout", code = "OPERATION_TIMEDOUT", message = "", uncertain = true }, false },
      { { kind = "timeout", code = "CONNECT_TIMEDOUT", message = "" }, false },
      { { kind = "network", code = "OPERATION_TIMEDOUT", message = "" }, false },
    } do
      assert.equal(case[2], reply.speaks_of_size(case[1]), (case[1].code or case[1].status) .. case[1].message)
    end
  end)
end)
