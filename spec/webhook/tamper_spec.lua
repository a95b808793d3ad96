-- A valid callback with one byte changed, at every place of all that is sent, is refused in every mode.
-- A change that changes nothing is accepted.
local scope3 = require "scope3"
local signing = require "spec.support.signing"
local world = require "spec.support.world"

local verify = scope3.webhook.verify
local NOW = signing.NOW

-- What becomes of one byte: flipped bits, other bytes that mean something in headers or JSON, gone, there twice.
local function changes(text, i)
  local byte, before, behind = text:byte(i), text:sub(1, i - 1), text:sub(i + 1)
  local function flip(bit)
    return string.char(math.floor(byte / bit) % 2 == 0 and byte + bit or byte - bit)
  end
  local made = { before .. behind, before .. text:sub(i, i) .. text:sub(i) }
  for _, c in ipairs {
    flip(1), flip(2), flip(32), flip(128), "\0", " ", "\n", ",", ";", '"', "=", ":", "/", "0", "A",
  } do
    made[#made + 1] = before .. c .. behind
  end
  return made
end

local function copy(request)
  local headers = {}
  for name, value in pairs(request.headers) do
    headers[name] = value
  end
  return { method = request.method, url = request.url, body = request.body, headers = headers }
end

-- Tries every change of one part and gives the texts that were accepted all the same.
local function accepted(request, config, get, set)
  local original, found, tried = get(request), {}, 0
  for i = 1, #original do
    for _, text in ipairs(changes(original, i)) do
      if text ~= original then
        local changed = copy(request)
        set(changed, text)
        tried = tried + 1
        local payload, err = verify(changed, config)
        if payload then
          found[#found + 1] = text
        else
          assert.equal("webhook", err.kind)
        end
      end
    end
  end
  assert.is_true(tried >= 8 * #original)
  return found
end

local function field(name)
  return function(request)
    return request[name]
  end, function(request, text)
    request[name] = text
  end
end

local function header(name)
  return function(request)
    return request.headers[name]
  end, function(request, text)
    request.headers[name] = text
  end
end

describe("a tampered callback", function()
  teardown(world.clean)

  for _, alg in ipairs { "ed25519", "ecdsa-p256-sha256" } do
    it("is refused when it was signed by " .. alg .. ", whatever byte is another", function()
      local key = signing.key(alg)
      local request = signing.request(key)
      local config = {
        mode = "rfc9421", keys = { key.jwk }, now = function() return NOW end, seen = function() return false end,
      }
      assert.is_table(verify(request, config))
      for _, part in ipairs { "method", "body" } do
        assert.same({}, accepted(request, config, field(part)), part)
      end
      for _, name in ipairs { "Content-Type", "Content-Digest", "Signature-Input" } do
        assert.same({}, accepted(request, config, header(name)), name)
      end
      -- What changes nothing: the one digit that tells the two alphabets apart, written in the other,
      for _, text in ipairs(accepted(request, config, header "Signature")) do
        assert.equal(request.headers.Signature, (text:gsub("%+", "-"):gsub("/", "_")))
      end
      -- and letters of a scheme or a host in the other case.
      for _, text in ipairs(accepted(request, config, field "url")) do
        local scheme, host, rest = text:match("^(.-)://(.-)(/.*)$")
        assert.same({ "https", "buyer.example.com", "/hooks/scope3?account=25" },
          { scheme:lower(), host:lower(), rest })
      end
      for _, text in ipairs(accepted(request, config, header "Host")) do
        assert.equal("buyer.example.com", text:lower())
      end
    end)
  end

  it("is refused with another byte in its URL, also when it was signed under escapes, dots and ports", function()
    local key = signing.key "ed25519"
    local uri = "https://buyer.example.com/a/%2F~x"
    local request = signing.request(key, { url = "https://buyer.example.com:443/./a/b/../%2f%7ex#f", target_uri = uri })
    local config = {
      mode = "rfc9421", keys = { key.jwk }, now = function() return NOW end, seen = function() return false end,
    }
    assert.is_table(verify(request, config))
    local same = accepted(request, config, field "url")
    assert.is_true(#same > 0)
    for _, text in ipairs(same) do
      assert.equal(uri, require("scope3.webhook.target_uri").parse(text).uri)
    end
  end)

  it("is refused when it has an HMAC code, whatever byte of the code, the timestamp or the body is another", function()
    local secret = ("secret-secret-32"):rep(2)
    local request = signing.hmac_request(secret, tostring(NOW), signing.BODY)
    local config = { mode = "hmac", secrets = { ("another-secret-0"):rep(2), secret }, now = function() return NOW end }
    assert.is_table(verify(request, config))
    assert.same({}, accepted(request, config, field "body"))
    assert.same({}, accepted(request, config, header "X-ADCP-Timestamp"))
    assert.same({}, accepted(request, config, header "X-ADCP-Signature"))
    -- The scheme covers nothing else.
    request.method, request.url, request.headers["Content-Type"] = "PUT", "https://elsewhere.example/", "text/plain"
    assert.is_table(verify(request, config))
  end)

  it("is refused when it has Bearer credentials, whatever byte of them or of the token is another", function()
    local token = "0123456789abcdef"
    local config = {
      mode = "bearer", credentials = ("credentials-32-b"):rep(2), token = token, now = function() return NOW end,
    }
    local request = { headers = { Authorization = "Bearer " .. config.credentials }, body = signing.BODY }
    assert.is_table(verify(request, config))
    assert.same({}, accepted(request, config, header "Authorization"))
    local function get()
      return token
    end
    local function set(changed, text)
      changed.body = signing.BODY:gsub(token, (text:gsub("%%", "%%%%")))
    end
    assert.same({}, accepted(request, config, get, set))
    -- The credentials say who sent it, not what.
    request.body = request.body:gsub("completed", "submitted")
    assert.equal("submitted", verify(request, config).status)
  end)

  it("is the same under header names in other cases, with blanks round values, and in the other base64", function()
    local key = signing.key "ed25519"
    local config = {
      mode = "rfc9421", keys = { key.jwk }, now = function() return NOW end, seen = function() return false end,
    }
    local request, url, standard
    repeat -- until the signature has digits that the alphabets write differently, of both kinds
      request = signing.request(key)
      url = request.headers.Signature:match(":(.*):")
      standard = url:gsub("-", "+"):gsub("_", "/")
    until url:find("-", 1, true) and url:find("_", 1, true)
    for _, value in ipairs { url, url .. "==", standard, standard .. "==" } do
      request.headers.Signature = " sig1=:" .. value .. ": \t"
      assert.is_table(verify(request, config))
    end
    for _, value in ipairs { url:gsub("-", "+"), url:gsub("_", "/"), url .. "=", standard .. "=", standard .. "===" } do
      request.headers.Signature = "sig1=:" .. value .. ":"
      local payload, err = verify(request, config)
      assert.same({ nil, "webhook_signature_header_malformed" }, { payload, err.code })
    end
    request.headers.Signature = "sig1=:" .. url .. ":"
    local other = { method = request.method, url = request.url, body = request.body, headers = {} }
    for name, value in pairs(request.headers) do
      other.headers[name:upper()] = { "  " .. value .. "\t" }
    end
    assert.is_table(verify(other, config))
  end)
end)
