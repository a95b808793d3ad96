-- webhook.verify by shared secrets, and what holds in every mode: shapes, the body, its fields, the token.
local scope3 = require "scope3"
local signing = require "spec.support.signing"
local world = require "spec.support.world"

local verify = scope3.webhook.verify
local NOW, BODY = signing.NOW, signing.BODY
local SECRET, OLDER, CREDENTIALS = ("current!"):rep(4), ("previous"):rep(4), ("b3ar3r-c"):rep(5)

local function now()
  return NOW
end

local function hmac(extra)
  local config = { mode = "hmac", secrets = { SECRET, OLDER }, now = now }
  for key, value in pairs(extra or {}) do
    config[key] = value
  end
  return config
end

local function bearer(extra)
  local config = { mode = "bearer", credentials = CREDENTIALS, now = now }
  for key, value in pairs(extra or {}) do
    config[key] = value
  end
  return config
end

local function bearer_request(body, headers)
  return { headers = headers or { Authorization = "Bearer " .. CREDENTIALS }, body = body or BODY }
end

-- Checks that a request is refused:
-- with this code and status, an error of the one shape, and nothing of secrets or values in it.
local function assert_refused(code, status, request, config)
  local payload, err = verify(request, config)
  assert.is_nil(payload)
  assert.same({ "webhook", code, status }, { err.kind, err.code, err.status })
  local told = tostring(err)
  for _, hidden in ipairs { SECRET, OLDER, CREDENTIALS, "0123456789abcdef" } do
    assert.is_nil(told:find(hidden, 1, true))
  end
  return err
end

describe("a callback with an HMAC code", function()
  teardown(world.clean)

  it("is accepted when openssl made the code, and comes back as it was sent", function()
    local payload = assert(verify(signing.hmac_request(SECRET, tostring(NOW), BODY), hmac()))
    assert.same({
      idempotency_key = "whk_01HW9D3H8FZP2N6R8T0V4X6Z9B", operation_id = "op_abc",
      task_id = "task_456", task_type = "audience_sync", status = "completed",
      timestamp = "2026-04-18T10:00:00Z", token = "0123456789abcdef", result = { audience_id = "crm" },
    }, payload)
  end)

  it("is accepted under the current and the previous secret, and under no other", function()
    assert.is_table(verify(signing.hmac_request(OLDER, tostring(NOW), BODY), hmac()))
    assert_refused("webhook_signature_invalid", 401, signing.hmac_request(OLDER, tostring(NOW), BODY),
      hmac { secrets = { SECRET } })
    assert_refused("webhook_signature_invalid", 401, signing.hmac_request(("x"):rep(32), tostring(NOW), BODY), hmac())
  end)

  -- The bodies and codes that AdCP publishes for HMAC-SHA256.
  it("has the codes that AdCP publishes", function()
    local published = "cc237f7fe354609bb41360c6530a2deb7926f3cc55e91df3ff90e37202950b6c"
    for body, code in pairs {
      ['{"event":"creative.status_changed","creative_id":"creative_123","status":"approved"}'] = "0987f9b3e89d331142297"
        .. "dbc0e992edbc13b2ae29e7038ed8f948b565aa05c4b",
      ['{"event": "creative.status_changed", "creative_id": "creative_123", "status": "approved"}'] = "cb4ae9d57971c702"
        .. "26a2aaab646c59c344a4bcf91075adcfc1939e4b3207856d",
      ["{}"] = "06338bfc687c7a3677ea16420e527469d6717bb966451d29c685de8f0270f073",
      ['{"brand_name":"Café Münchën","tagline":"日本語テスト"}'] = "0e445863247724694581d538497527218443961f15c9645d656b52d8f"
        .. "dca4f9c",
      ['{"event":"test"}\n'] = "a1ea163af47d6b34ce0de5d27c4c88b5dd9f348dd8a2bc2751a71f8f27622738",
      ['{"price":19.99,"count":1000,"active":true,"discount":null}'] = "f9dde4b6d4e096d7283fb14cb74b4b143627c17245957e3"
        .. "3660a430dfd705d4f",
    } do
      local config = hmac { secrets = { published }, now = function() return 1700000000 end }
      local request = {
        body = body, headers = { ["X-ADCP-Timestamp"] = "1700000000", ["X-ADCP-Signature"] = "sha256=" .. code },
      }
      assert_refused("webhook_payload_invalid", 400, request, config) -- the code holds; these bodies have no task
      request.headers["X-ADCP-Signature"] = "sha256=" .. code:sub(1, 63) .. (code:sub(64) == "0" and "1" or "0")
      assert_refused("webhook_signature_invalid", 401, request, config)
    end
    local twice = '{"event":"creative.status_changed","creative_id":"creative_123","status":"approved",'
      .. '"status":"rejected"}'
    assert_refused("webhook_body_malformed", 401, { body = twice, headers = { ["X-ADCP-Timestamp"] = "1700000000",
      ["X-ADCP-Signature"] = "sha256=7fd84f13f71228b5c0dc24b58acafaa62855b26fe5477a31e88884ed24ae5b7f" } },
      hmac { secrets = { published }, now = function() return 1700000000 end })
  end)

  it("needs both headers, once each, whatever their case", function()
    local good = signing.hmac_request(SECRET, tostring(NOW), BODY).headers
    local at, code = good["X-ADCP-Timestamp"], good["X-ADCP-Signature"]
    for _, headers in ipairs {
      {}, { ["X-ADCP-Timestamp"] = at }, { ["X-ADCP-Signature"] = code },
      { ["X-ADCP-Timestamp"] = { at, at }, ["X-ADCP-Signature"] = code },
      { ["X-ADCP-Timestamp"] = at, ["X-ADCP-Signature"] = { code, code } },
      { ["X-ADCP-Timestamp"] = at, ["x-adcp-timestamp"] = at, ["X-ADCP-Signature"] = code },
    } do
      assert_refused("webhook_signature_header_malformed", 401, { headers = headers, body = BODY }, hmac())
    end
    assert.is_table(verify({
      headers = { ["x-adcp-TIMESTAMP"] = { at }, ["x-AdCP-signature"] = " " .. code .. "\t" }, body = BODY,
    }, hmac()))
  end)

  it("needs a timestamp of digits within 300 s, or what max_skew says", function()
    for _, bad in ipairs {
      "", "now", "1776520800.0", "+1776520800", "-1", "0x69e35560",
      "1776520800s", "17765 20800", "1776520800, 1776520800",
    } do
      assert_refused("webhook_signature_header_malformed", 401, signing.hmac_request(SECRET, bad, BODY), hmac())
    end
    for offset, accepted in pairs { [0] = true, [300] = true, [-300] = true, [301] = false, [-301] = false } do
      local request = signing.hmac_request(SECRET, ("%d"):format(NOW + offset), BODY)
      if accepted then
        assert.is_table(verify(request, hmac()))
      else
        assert_refused("webhook_signature_window_invalid", 401, request, hmac())
      end
    end
    assert_refused("webhook_signature_window_invalid", 401, signing.hmac_request(SECRET, ("9"):rep(400), BODY), hmac())
    assert_refused("webhook_signature_window_invalid", 401, signing.hmac_request(SECRET, ("%d"):format(NOW - 11), BODY),
      hmac { max_skew = 10 })
    assert.is_table(verify(signing.hmac_request(SECRET, ("%d"):format(NOW - 900), BODY), hmac { max_skew = 900 }))
  end)

  it("needs the code in its one form", function()
    local good = signing.hmac_request(SECRET, tostring(NOW), BODY)
    local code = good.headers["X-ADCP-Signature"]
    for _, bad in ipairs {
      "", "sha256=", code:sub(1, -2), code .. "0", code:upper(),
      "sha512=" .. code:sub(8), "sha256=" .. code, code:sub(8), "sha256= " .. code:sub(8),
    } do
      good.headers["X-ADCP-Signature"] = bad
      assert_refused("webhook_signature_invalid", 401, good, hmac())
    end
  end)

  it("is checked in order: headers, timestamp, window, code, and the body only then", function()
    local request = signing.hmac_request(SECRET, "x", "{")
    request.headers["X-ADCP-Signature"] = "wrong"
    assert_refused("webhook_signature_header_malformed", 401, request, hmac())
    request.headers["X-ADCP-Timestamp"] = tostring(NOW - 301)
    assert_refused("webhook_signature_window_invalid", 401, request, hmac())
    request.headers["X-ADCP-Timestamp"] = tostring(NOW)
    assert_refused("webhook_signature_invalid", 401, request, hmac())
    assert_refused("webhook_body_malformed", 401, signing.hmac_request(SECRET, tostring(NOW), "{"), hmac())
  end)

  it("is not looked at by another mode", function()
    local request = signing.hmac_request(SECRET, tostring(NOW), BODY)
    assert_refused("webhook_signature_header_malformed", 401, request, bearer())
    assert_refused("webhook_mode_mismatch", 401, request, { mode = "rfc9421", keys = {}, now = now })
    assert_refused("webhook_signature_header_malformed", 401, bearer_request(), hmac())
  end)
end)

describe("a callback with Bearer credentials", function()
  it("is accepted with the credentials, and with nothing else", function()
    assert.equal("task_456", assert(verify(bearer_request(), bearer())).task_id)
    for _, given in ipairs {
      CREDENTIALS, "bearer " .. CREDENTIALS, "Bearer  " .. CREDENTIALS, "Bearer " .. CREDENTIALS .. "x",
      "Bearer", "Basic " .. CREDENTIALS, "Bearer " .. CREDENTIALS:sub(1, -2), "Bearer " .. CREDENTIALS:upper(),
    } do
      assert_refused("webhook_signature_invalid", 401, bearer_request(BODY, { Authorization = given }), bearer())
    end
  end)

  it("needs the header once", function()
    assert_refused("webhook_signature_header_malformed", 401, bearer_request(BODY, {}), bearer())
    local value = "Bearer " .. CREDENTIALS
    assert_refused("webhook_signature_header_malformed", 401,
      bearer_request(BODY, { Authorization = { value, value } }), bearer())
    assert.is_table(verify(bearer_request(BODY, { authorization = { value } }), bearer()))
  end)
end)

describe("the body of a callback", function()
  local function refused(code, status, body, extra)
    return assert_refused(code, status, bearer_request(body), bearer(extra))
  end
  local function with(field, value)
    return '{"idempotency_key":"0123456789abcdef","task_id":"t","status":"completed","' .. field .. '":' .. value .. "}"
  end

  it("is one JSON object, within 1 MiB", function()
    for _, body in ipairs {
      "", "null", "[]", "7", "{", "{}x", '{"a":NaN}', '{"a":"\255"}', ("["):rep(100000), ('{"a":'):rep(100000),
    } do
      refused("webhook_body_malformed", 401, body)
    end
    local payload, err = verify({ headers = { Authorization = "Bearer " .. CREDENTIALS } }, bearer())
    assert.same({ nil, "webhook_body_malformed" }, { payload, err.code })
    local head = with("message", '"'):sub(1, -2)
    local largest = head .. ("x"):rep(1048576 - #head - 2) .. '"}'
    assert.is_table(verify(bearer_request(largest), bearer()))
    refused("webhook_body_too_large", 413, largest .. " ")
    -- before anything else is looked at
    assert_refused("webhook_body_too_large", 413, bearer_request(largest .. " ", {}), bearer())
  end)

  it("has no key twice in an object, at any depth, and the error names at most four, without personal data", function()
    refused("webhook_body_malformed", 401, with("task_id", '"t"'))
    refused("webhook_body_malformed", 401, with("t\\u0061sk_id", '"t"'))
    refused("webhook_body_malformed", 401, with("result", '{"list":[{"a":1,"b":2,"a":3}]}'))
    assert.truthy(refused("webhook_body_malformed", 401, with("result", '{"a":1,"a":2}')).message:find("once: a$"))
    local err = refused("webhook_body_malformed", 401,
      with("result", '{"a":1,"a":1,"b":1,"b":1,"c":1,"c":1,"d":1,"d":1,"e":1,"e":1,"\\n":1,"\\n":1}'))
    assert.truthy(err.message:find("once: %(not printable%), a, b, c and 2 more$"), err.message)
    for _, name in ipairs { "jane@example.com", ("ab"):rep(32), "+1 206 555 0142" } do
      err = refused("webhook_body_malformed", 401, with("result", ('{"%s":1,"%s":2}'):format(name, name)))
      assert.is_nil(err.message:find(name:sub(1, 12), 1, true), err.message)
    end
    err = refused("webhook_body_malformed", 401,
      with("result", ('{"%s":1,"%s":2}'):format(("long "):rep(20), ("long "):rep(20))))
    assert.truthy(err.message:find("once: " .. ("long "):rep(6) .. "lo$"), err.message)
  end)

  it("must carry the token that was registered", function()
    local token = "0123456789abcdef"
    assert.is_table(verify(bearer_request(), bearer { token = token }))
    for _, value in ipairs {
      '"0123456789abcdee"', '"0123456789abcde"', '"0123456789abcdef0"',
      '"0123456789ABCDEF"', '""', "7", "null", '["0123456789abcdef"]',
    } do
      refused("webhook_token_invalid", 401, with("token", value), { token = token })
    end
    refused("webhook_token_invalid", 401, '{"status":"x"}', { token = token }) -- before the fields
    assert.is_table(verify(bearer_request(with("token", '"another-token-that-nobody-asked-for"')), bearer()))
  end)

  it("has the fields that every callback has, in their form", function()
    for _, case in ipairs {
      { "idempotency_key", '{"task_id":"t","status":"completed"}' },
      { "task_id", '{"idempotency_key":"0123456789abcdef","status":"completed"}' },
      { "status", '{"idempotency_key":"0123456789abcdef","task_id":"t"}' },
      { "idempotency_key", '{"idempotency_key":"0123456789abcde","task_id":"t","status":"s"}' },
      { "idempotency_key", ('{"idempotency_key":"%s","task_id":"t","status":"s"}'):format(("x"):rep(256)) },
      { "idempotency_key", '{"idempotency_key":"0123456789abcdef/","task_id":"t","status":"s"}' },
      { "idempotency_key", '{"idempotency_key":"0123456789abcd é","task_id":"t","status":"s"}' },
      { "idempotency_key", '{"idempotency_key":"0123456789abcdef\\n","task_id":"t","status":"s"}' },
      { "idempotency_key", '{"idempotency_key":1234567890123456,"task_id":"t","status":"s"}' },
      { "task_id", '{"idempotency_key":"0123456789abcdef","task_id":7,"status":"s"}' },
      { "task_id", '{"idempotency_key":"0123456789abcdef","task_id":"","status":"s"}' },
      { "status", '{"idempotency_key":"0123456789abcdef","task_id":"t","status":null}' },
      { "status", '{"idempotency_key":"0123456789abcdef","task_id":"t","status":{}}' },
      { "task_type", with("task_type", "7") }, { "operation_id", with("operation_id", "[]") },
      { "timestamp", with("timestamp", "1776520800") },
    } do
      local err = refused("webhook_payload_invalid", 400, case[2])
      assert.equal(case[1], err.field, case[2])
    end
    assert.equal(3, #refused("webhook_payload_invalid", 400, "{}").issues)
    for length, key in pairs { [16] = "AZaz09_.:-AZaz09", [255] = ("k"):rep(255) } do
      assert.equal(length,
        #assert(verify(bearer_request(('{"idempotency_key":"%s","task_id":"t","status":"s"}'):format(key)),
          bearer())).idempotency_key)
    end
  end)

  it("names its task type as AdCP or as Scope3 does, and may hold more than is known", function()
    for _, kind in ipairs { "sync_audiences", "audience_sync" } do
      assert.equal(kind, assert(verify(bearer_request(with("task_type", '"' .. kind .. '"')), bearer())).task_type)
    end
    assert.same({ a = { 1, scope3.null, { b = true } } },
      assert(verify(bearer_request(with("extra", '{"a":[1,null,{"b":true,"c":null}],"d":null}')), bearer())).extra)
    assert.is_nil(assert(verify(bearer_request(with("message", "null")), bearer())).message)
  end)
end)

describe("webhook.verify", function()
  local function raises(pattern, request, config)
    local ok, message = pcall(verify, request, config)
    assert.is_false(ok)
    assert.truthy(message:find("webhook_spec.lua:%d+: webhook%.verify: ")
      or message:find("^webhook%.verify: "), message)
    assert.truthy(message:find(pattern), message)
    for _, hidden in ipairs { SECRET, CREDENTIALS } do
      assert.is_nil(message:find(hidden, 1, true))
    end
  end

  it("loads scope3.crypto for signatures alone", function()
    local program = world.file(([[
      local webhook = require("scope3").webhook
      local ok = webhook.verify({ headers = { Authorization = "Bearer %s" }, body = '%s' }, { mode = "bearer", credentials = "%s" })
      assert(ok and not package.loaded["scope3.crypto"])
      local none, err = webhook.verify({ headers = {}, method = "POST", url = "" }, { mode = "rfc9421", keys = {} })
      assert(not none and err.code == "webhook_signature_header_malformed" and package.loaded["scope3.crypto"])
    ]]):format(CREDENTIALS, BODY, CREDENTIALS))
    local code = os.execute(os.getenv("SCOPE3_LUA_BIN") .. " " .. program)
    assert.is_true(code == true or code == 0)
  end)

  it("raises on a configuration that cannot be meant, and never shows its secrets", function()
    local request = bearer_request()
    raises("must be a table", request, nil)
    raises("mode must be one of", request, {})
    raises("mode must be one of", request, { mode = "HMAC" })
    raises("unknown option 'secret'", request, { mode = "hmac", secret = SECRET })
    raises("secrets must be", request, { mode = "hmac" })
    raises("secrets must be", request, { mode = "hmac", secrets = {} })
    raises("secrets must be", request, { mode = "hmac", secrets = { SECRET, SECRET, SECRET } })
    raises("at least 32", request, { mode = "hmac", secrets = { SECRET:sub(1, 31) } })
    raises("at least 32", request, { mode = "hmac", secrets = { SECRET, 7 } })
    raises("at least 32", request, { mode = "bearer" })
    raises("at least 32", request, { mode = "bearer", credentials = CREDENTIALS:sub(1, 31) })
    raises("token must have 16", request, bearer { token = "short" })
    raises("token must have 16", request, bearer { token = ("x"):rep(4097) })
    raises("keys must be", request, { mode = "rfc9421" })
    raises("keys must be", request, { mode = "rfc9421", keys = "https://keys.example/jwks.json" })
    raises("seen must be", request, { mode = "rfc9421", keys = {}, seen = {} })
    raises("revoked must be", request, { mode = "rfc9421", keys = {}, revoked = {} })
    raises("max_skew must be", request, hmac { max_skew = -1 })
  end)

  it("raises on a request of another shape, and names no value of it", function()
    raises("the request must be a table", "POST / HTTP/1.1", bearer())
    raises("request.headers must be a table", { body = "" }, bearer())
    raises("request.body must be a string", { headers = {}, body = {} }, bearer())
    raises("request.url must be a string", { headers = {}, url = 7 }, bearer())
    raises("request.method must be a string", { headers = {}, url = "https://x.example/" },
      { mode = "rfc9421", keys = {} })
    raises("request.url must be a string", { headers = {}, method = "POST" }, { mode = "rfc9421", keys = {} })
    raises("must map names to values", { headers = { "Authorization: " .. CREDENTIALS } }, bearer())
    raises("'Authorization' must be a string", { headers = { Authorization = true } }, bearer())
    raises("'X' must be a string", { headers = { X = { "a", 7 } } }, bearer())
  end)
end)
