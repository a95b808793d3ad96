-- Callbacks signed by RFC 9421 under AdCP's profile: rules 10 to 14 of docs/contract.md section 6,
-- each with its code, and the order of all rules. The openssl command makes the signatures.
local scope3 = require "scope3"
local signed = require "spec.support.signed"
local signing = require "spec.support.signing"

local verify = scope3.webhook.verify
local NOW = signing.NOW

describe("a signed callback", function()
  local keys = signed.keys(setup, teardown)
  local accepted, config, refused, refuses = keys.accepted, keys.config, keys.refused, keys.refuses
  local ed, ec, other

  setup(function()
    ed, ec, other = keys.ed, keys.ec, keys.other
  end)

  it("10: names the host that it came to, in the URL and in Host or :authority", function()
    local function malformed(change)
      change.signature = ("x"):rep(64)
      refused("webhook_target_uri_malformed", signing.request(ed, change))
    end
    for _, host in ipairs {
      "other.example.com", "buyer.example.com:8443", "buyer.example.com.",
      "::1", "user@buyer.example.com", "", "buyer.example.com/",
    } do
      if host == "buyer.example.com." then
        accepted(signing.request(ed, { headers = { Host = host } })) -- the dot of a root is dropped
      elseif host ~= "" then
        malformed { headers = { Host = host } }
        malformed { headers = { [":authority"] = host } }
      end
    end
    malformed { headers = { Host = { "buyer.example.com", "buyer.example.com" } } }
    malformed { headers = { [":authority"] = "other.example.com", Host = "buyer.example.com" } }
    accepted(signing.request(ed, { headers = {
      Host = "BUYER.example.com:443", [":authority"] = "buyer.example.com",
    } }))
    accepted(signing.request(ed, { headers = { Host = "" } })) -- neither: the URL says it
    for _, url in ipairs {
      "/hooks/scope3", "ftp://buyer.example.com/", "https://", "https:///x", "https://:443/",
      "https://[::1/p", "https://fe80::1/p", "https://[fe80::1%25eth0]/p", "https://bücher.example/p",
      "https://a..b/", "https://.a/", "https://a:99999/", "https://buyer.example.com/a b",
      "https://buyer.example.com/a%2%45", "https://buyer.example.com/%", "https://buyer.example.com/%4g",
    } do
      malformed { url = url, headers = { Host = "" } }
    end
    -- before the signature
    refused("webhook_target_uri_malformed",
      signing.request(ed, { headers = { Host = "other.example.com" }, signature = ("x"):rep(64) }))
  end)

  it("10: is over the canonical URL and authority", function()
    local function over(url, uri, authority)
      accepted(signing.request(ed, { url = url, target_uri = uri, authority = authority, headers = { Host = "" } }))
    end
    over("HTTPS://user:pw@Buyer.Example.COM.:443/a/./b/../%7euser/%2f%c3%a9?q=%7e+1&&#top",
      "https://buyer.example.com/a/~user/%2F%C3%A9?q=%7e+1&&", "buyer.example.com")
    over("https://buyer.example.com", "https://buyer.example.com/", "buyer.example.com")
    over("http://buyer.example.com:80?", "http://buyer.example.com/?", "buyer.example.com")
    over("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443/", "[2001:db8::1]:8443")
    refuses("invalid", { url = "https://buyer.example.com:443/x", target_uri = "https://buyer.example.com:443/x" })
    refuses("invalid", { url = "https://buyer.example.com/%7e", target_uri = "https://buyer.example.com/%7e" })
  end)

  it("10: holds, by the key that it names", function()
    refused("webhook_signature_invalid", signing.request(other))
    refuses("invalid", { signature = ("\0"):rep(64) })
    refuses("invalid", { signature = ("x"):rep(63) })
    refuses("invalid", { signature = "" })
    refused("webhook_signature_invalid", signing.request(ec, { signature = ("\255"):rep(64) }))
  end)

  it("10: covers nothing that is missing, and no component that is not known", function()
    for _, name in ipairs {
      "x-missing", "@status", "@unknown", 'content-type";sf "x-note', 'content-digest";key="sha-256" "x-note',
      'content-type";bs "x-note', 'x-note";tr "x-note', '@method";req "x-note', '@query-param";name="nothing" "x-note',
    } do
      refuses("invalid", {
        components = { "@method", "@target-uri", "@authority", "content-type", "content-digest", name },
        headers = { ["x-note"] = "n" },
      })
    end
    refuses("invalid", {
      components = { "@method", "@target-uri", "@authority", "content-type", "content-digest", "x-note" },
      headers = { ["x-note"] = 'n\n"@method": GET' },
    })
    local request = signing.request(ed)
    request.headers["Content-Digest"] = nil
    refused("webhook_signature_invalid", request)
  end)

  it("11: comes with the body that was signed, under a digest of either alphabet, with padding and without", function()
    for _, body in ipairs { signing.BODY .. " ", signing.BODY:gsub("completed", "submitted"), "" } do
      local request = signing.request(ed)
      request.body = body
      refused("webhook_signature_digest_mismatch", request)
    end
    local digest = signing.sha256(signing.BODY)
    for _, value in ipairs {
      "sha-512=:AAAA:", "sha-256=::", "sha-256=:AAAA:",
      "sha-256=:" .. signing.base64(digest .. "\0") .. ":", "sha-1=:AAAA:",
    } do
      refuses("digest_mismatch", { digest = value })
    end
    for form, value in pairs {
      standard = signing.base64(digest, "standard"),
      url = signing.base64(digest), padded = signing.base64(digest) .. "=",
    } do
      accepted(signing.request(ed,
        { form = form == "standard" and "standard" or nil, digest = "sha-256=:" .. value .. ":" }))
    end
  end)

  it("12: is accepted once", function()
    local request = signing.request(ed)
    accepted(request)
    refused("webhook_signature_replayed", request)
    -- another key's nonce is another
    accepted(signing.request(ec, { nonce = request.headers["Signature-Input"]:match('nonce="([^"]*)"') }))
    local nonce
    refuses("replayed", { nonce = "AAAAAAAAAAAAAAAAAAAAAA", expires = NOW + 120 }, {
      seen = function(keyid, given, expires)
        nonce = { keyid, given, expires }
        return true
      end,
    })
    assert.same({ "ed-1", "AAAAAAAAAAAAAAAAAAAAAA", NOW + 120 }, nonce)
  end)

  it("12: is accepted once while it is valid, though its clock is cut to seconds and the cache's is not", function()
    local clock = NOW + 0.95
    local extra = {
      now = function() return clock end, seen = scope3.webhook.replay_cache { now = function() return clock - NOW end },
    }
    local request = signing.request(ed, { created = NOW - 10, expires = NOW + 30 })
    accepted(request, extra)
    for i = 1, 99 do
      clock = NOW + i - 0.01
      local _, err = verify(request, config(extra))
      assert.equal(i <= 91 and "webhook_signature_replayed" or "webhook_signature_window_invalid", err and err.code, i)
    end
  end)

  it("13: uses its nonce up only when everything before holds, and then even where the body is malformed", function()
    local cache, asked = scope3.webhook.replay_cache(), 0
    local function seen(keyid, nonce, expires, now)
      asked = asked + 1
      return cache:seen(keyid, nonce, expires, now)
    end
    local request = signing.request(ed)
    local body, good = request.body, request.headers.Signature
    request.headers.Signature = "sig1=:" .. signing.base64(("x"):rep(64)) .. ":"
    refused("webhook_signature_invalid", request, { seen = seen })
    request.headers.Signature, request.body = good, body .. " "
    refused("webhook_signature_digest_mismatch", request, { seen = seen })
    assert.equal(0, asked)
    request.body = body
    accepted(request, { seen = seen })
    refused("webhook_signature_replayed", request, { seen = seen })
    local broken = signing.request(ed, { body = '{"status":"a","status":"b"}' })
    refused("webhook_body_malformed", broken, { seen = seen })
    refused("webhook_signature_replayed", broken, { seen = seen })
  end)

  it("14: is one JSON object without duplicate keys, the token's holder, with its fields", function()
    refused("webhook_body_malformed", signing.request(ed, { body = '{"result":{"a":1,"a":2}}' }))
    refused("webhook_body_malformed", signing.request(ed, { body = "[]" }))
    refused("webhook_token_invalid", signing.request(ed), { token = "another-token-123" })
    local payload, err = verify(signing.request(ed, { body = '{"task_id":"t","status":"completed"}' }), config())
    assert.same({ nil, "webhook_payload_invalid", "idempotency_key", 400 },
      { payload, err.code, err.field, err.status })
  end)

  it("fails at the first of several faults", function()
    -- Each fault comes with every later one.
    local bad = {
      created = NOW - 1000, expires = NOW - 1001, tag = "x", alg = "y", keyid = "nobody", components = { "@method" },
      headers = { Host = "other.example.com", ["Content-Type"] = "a, b" }, signature = "x", digest = "sha-256=:AAAA:",
    }
    refuses("header_malformed", bad)
    bad.headers["Content-Type"] = nil
    bad.params = "created=1"
    refuses("params_incomplete", bad)
    bad.params = nil
    refuses("tag_invalid", bad)
    bad.tag = nil
    refuses("alg_not_allowed", bad)
    bad.alg = "ecdsa-p256-sha256"
    refuses("window_invalid", bad)
    bad.created, bad.expires = nil, nil
    refuses("components_incomplete", bad)
    bad.components = nil
    local decided = { revoked = function() return true end, seen = function() return "full" end }
    refuses("key_unknown", bad, decided)
    bad.keyid = nil
    refuses("key_purpose_invalid", bad, decided)
    bad.alg = nil
    refuses("key_revoked", bad, decided)
    decided.revoked, decided.seen = nil, scope3.webhook.replay_cache { max = 1 }
    accepted(signing.request(ed), decided)
    refuses("rate_abuse", bad, decided)
    decided.seen = function() return true end
    refused("webhook_target_uri_malformed", signing.request(ed, bad), decided)
    bad.headers = nil
    refuses("invalid", bad, decided)
    bad.signature = nil
    refuses("digest_mismatch", bad, decided)
    bad.digest, bad.body = nil, "[]"
    refuses("replayed", bad, decided)
    refused("webhook_body_malformed", signing.request(ed, bad), { seen = function() return false end })
  end)

  it("is refused for now, and not for good, by a build without scope3.crypto", function()
    local loaded = package.loaded["scope3.crypto"]
    package.loaded["scope3.crypto"] = nil
    package.preload["scope3.crypto"] = function()
      error("module 'scope3.crypto' not found")
    end
    local payload, err = verify(signing.request(ed), config())
    package.preload["scope3.crypto"], package.loaded["scope3.crypto"] = nil, loaded
    assert.same({ nil, "webhook_unavailable", 503, true }, { payload, err.code, err.status, err.retryable })
    assert.truthy(err.message:find("libssl-dev", 1, true))
  end)
end)
