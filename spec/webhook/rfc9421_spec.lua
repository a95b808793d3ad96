-- Callbacks signed by RFC 9421 under AdCP's profile: rules 1 to 9 of docs/contract.md section 6, each with its code.
-- The openssl command makes the signatures.
local scope3 = require "scope3"
local signed = require "spec.support.signed"
local signing = require "spec.support.signing"

local NOW = signing.NOW

describe("a signed callback", function()
  local keys = signed.keys(setup, teardown)
  local accepted, refused, refuses = keys.accepted, keys.refused, keys.refuses
  local ed, ec, other

  setup(function()
    ed, ec, other = keys.ed, keys.ec, keys.other
  end)

  it("is accepted under Ed25519 and ECDSA P-256, with the key purposes of now and of before", function()
    assert.equal("task_456", accepted(signing.request(ed)).task_id)
    assert.equal("task_456", accepted(signing.request(ec)).task_id)
    assert.equal("task_456", accepted(signing.request(ed), { keys = { ec.jwk, ed.jwk } }).task_id)
    assert.equal("task_456", accepted(signing.request(ed), { token = "0123456789abcdef" }).task_id)
  end)

  -- AdCP's conformance vectors webhook-signing 001, 002, 004, 005 and 006; `make oracle-webhooks` runs all of them.
  it("is accepted as AdCP publishes it", function()
    local set = {
      {
        kid = "test-ed25519-webhook-2026", kty = "OKP", crv = "Ed25519", alg = "EdDSA", use = "sig",
        key_ops = { "verify" }, adcp_use = "webhook-signing", x = "y7tTfeqazsFeTn3ccCzQlcJ4qFWuYsu-JkJAcfc9VoA",
      },
      {
        kid = "test-es256-webhook-2026", kty = "EC", crv = "P-256", alg = "ES256",
        use = "sig", key_ops = { "verify" }, adcp_use = "webhook-signing",
        x = "0X7G_jryFpiX9XO3CKxIqUQs3DC8OhUkw6Rb5QOZd5M", y = "MwZN7qQJzLpTD5dyDJAoqOLZJ9r8-GCh4BnOYu6NE0c",
      },
    }
    local path = "/adcp/webhook/create_media_buy/agent_123/op_abc"
    for _, vector in ipairs {
      {
        "https://buyer.example.com" .. path, "ed25519",
        "nqTKCpjlqf1OqZPuJyPeiF7HJ01G8KmPNSzzmad0PAJv7OUVKthI7ks_j4G-6x1H4mBpXDIISgX_iZQiYvG7Dg",
      },
      {
        "https://buyer.example.com" .. path, "es256",
        "Lxm2sI8t5uJVYlQyBCSG5vog_Q0egH9ebq2sim3j_2Ns3jDhFCAEH0cjCJa5PuY2Eb8GCbC4f4PraPQ12KclXA",
      },
      {
        "https://buyer.example.com" .. path, "es256",
        "iVB5KDEpieLdhi-wx1z9ZEPPJLDCN0JRjInTVCxN4STDBFCAgk78UIIbwWNlSVT3pChDfloWxXezPRxqT5IspQ",
      },
      {
        "https://buyer.example.com:443" .. path, "ed25519",
        "nqTKCpjlqf1OqZPuJyPeiF7HJ01G8KmPNSzzmad0PAJv7OUVKthI7ks_j4G-6x1H4mBpXDIISgX_iZQiYvG7Dg",
      },
      { "https://buyer.example.com/adcp/webhook/create_media_buy/agent_123/op_%e2%98%83", "ed25519",
        "xVYEHK2oS2PWxIYU9iyB96ObGdP-xl-4PoNazA12JO-GLXULtEwoEd9b9yM40Y-XcZ3kTX9ZA8KMms4ZTfA2Bg" },
      {
        "https://buyer.example.com/adcp/webhook?b=2&a=1&c=3", "ed25519",
        "a7ON0g72rNf2Y1BmlkoUiqBpKM-GhPSc-crRm9SBSDkKlefoy4NVS0LxElWANQPUyrmtK91Nsomg43rFD_kYAw",
      },
    } do
      local name = vector[2]
      local request = { method = "POST", url = vector[1], headers = {
        ["Content-Type"] = "application/json",
        ["Content-Digest"] = "sha-256=:dJ2koiIMZIhdGE7tidErCHV13FFvOIowCcXDiwyG54I=:",
        ["Signature-Input"] = ('sig1=("@method" "@target-uri" "@authority" "content-type" "content-digest");'
          .. 'created=1776520800;expires=1776521100;'
          .. 'nonce="KXYnfEfJ0PBRZXQyVXfVQA";keyid="test-%s-webhook-2026";alg="%s";'
          .. 'tag="adcp/webhook-signing/v1"'):format(
            name, name == "es256" and "ecdsa-p256-sha256" or name),
        Signature = "sig1=:" .. vector[3] .. ":",
      }, body = '{"idempotency_key":"whk_01HW9D3H8FZP2N6R8T0V4X6Z9B","task_id":"task_456","operation_id":"op_abc",'
        .. '"status":"completed",'
        .. '"result":{"media_buy_id":"mb_001"}}' }
      assert.equal("mb_001",
        accepted(request, { keys = set, seen = scope3.webhook.replay_cache() }).result.media_buy_id)
    end
  end)

  it("1: needs Signature-Input and Signature, as a pair", function()
    for _, headers in ipairs {
      { ["Signature-Input"] = "" }, { Signature = "" }, { ["Signature-Input"] = "", Signature = "" },
    } do
      refuses("header_malformed", { headers = headers })
    end
    local request = signing.request(ed)
    request.headers.Signature = request.headers.Signature:gsub("sig1", "sig2")
    refused("webhook_signature_header_malformed", request)
  end)

  it("1: needs both to be structured fields, each label and parameter once, of their types", function()
    local function input_refused(from, to)
      local request = signing.request(ed, { signature = ("x"):rep(64) })
      local input = request.headers["Signature-Input"]
      local start, stop = input:find(from, 1, true)
      request.headers["Signature-Input"] = input:sub(1, start - 1) .. to .. input:sub(stop + 1)
      refused("webhook_signature_header_malformed", request)
    end
    input_refused("sig1=(", "sig1=")
    input_refused("sig1=(", "sig1=not-a-list, sig2=(")
    input_refused("sig1=(", "Sig1=(")
    input_refused("sig1=(", "=(")
    input_refused('"@method" ', '"@method"')
    input_refused('"@method" ', '"@method"\t')
    input_refused('"@method" ', '@method ')
    input_refused('"@method" ', '"@method" "@method" ')
    input_refused('"content-type"', '"Content-Type"')
    input_refused('"content-type"', '"content type"')
    input_refused(";created=", ";created=1;created=")
    input_refused(";created=1776520800", ';created="1776520800"')
    input_refused(";created=1776520800", ";created=1776520800.5")
    input_refused(";created=1776520800", ";created")
    input_refused(";created=1776520800", ";created=")
    input_refused(";created=1776520800", ";created=9999999999999999")
    input_refused(';keyid="ed-1"', ";keyid=ed-1")
    input_refused(';keyid="ed-1"', ";keyid=:ZWQtMQ:")
    input_refused(';alg="ed25519"', ";alg=ed25519")
    input_refused(';nonce="', ";nonce=1;x=\"")
    input_refused('tag="adcp/webhook-signing/v1"', 'tag="adcp/webhook-signing/v1')
    input_refused('tag="adcp/webhook-signing/v1"', 'tag="adcp/webhook-signing/v1";')
    input_refused('tag="adcp/webhook-signing/v1"', 'tag="adcp/webhook-signing/v1",')
    input_refused('tag="adcp/webhook-signing/v1"', 'tag="adcp/webhook-signing/v1", sig1=()')
    input_refused('tag="adcp/webhook-signing/v1"', 'tag="adcp/webhook-signing/v1", x=' .. ("y"):rep(20000))
    local request = signing.request(ed)
    request.headers["Signature-Input"] = { request.headers["Signature-Input"], request.headers["Signature-Input"] }
    refused("webhook_signature_header_malformed", request)
    request = signing.request(ed)
    local bytes = request.headers.Signature:match(":(.*):")
    for _, bad in ipairs {
      "sig1=" .. bytes, 'sig1="' .. bytes .. '"', "sig1=:" .. bytes, "sig1=:" .. bytes .. ":,",
      "sig1=:" .. bytes .. ":, sig1=:" .. bytes .. ":", "sig1", "sig1=:" .. bytes .. "=:",
      "sig1=:!" .. bytes:sub(2) .. ":", "sig1=: " .. bytes:sub(2) .. ":", "sig1=:A+B-" .. bytes:sub(5) .. ":",
    } do
      request.headers.Signature = bad
      refused("webhook_signature_header_malformed", request)
    end
  end)

  it("1: has one content type, and in Content-Digest each algorithm once", function()
    refuses("header_malformed", { headers = { ["Content-Type"] = { "application/json", "text/plain" } } })
    refuses("header_malformed", { headers = { ["Content-Type"] = "application/json, text/plain" } })
    local good = "sha-256=:" .. signing.base64(signing.sha256(signing.BODY)) .. ":"
    for _, digest in ipairs {
      good .. ", " .. good, "SHA-256" .. good:sub(8), good:sub(1, -2),
      'sha-256="x"', "sha-256", "sha-256=:A+B-:", "sha-256=(:AAAA:)",
    } do
      refuses("header_malformed", { digest = digest })
    end
    accepted(signing.request(ed, { digest = good .. ', sha-512=:AAAA:' }))
    -- A comma inside a quoted parameter is none between values.
    local kind = 'application/json; note="a, b"'
    local request = signing.request(ed, { components = { "@method", "@target-uri", "@authority", "content-digest" },
      headers = { ["Content-Type"] = kind } })
    refused("webhook_signature_components_incomplete", request)
  end)

  it("1: is judged by the label sig1, else by the first, and by no other", function()
    local one, two = signing.request(ed), signing.request(other)
    two.headers["Signature-Input"] = two.headers["Signature-Input"]:gsub("sig1", "relay")
    two.headers.Signature = two.headers.Signature:gsub("sig1", "relay")
    local function both(first, second)
      return {
        method = "POST", url = signing.URL, body = signing.BODY,
        headers = { Host = "buyer.example.com", ["content-type"] = "application/json",
          ["content-digest"] = one.headers["Content-Digest"],
          ["signature-input"] = { first.headers["Signature-Input"], second.headers["Signature-Input"] },
          signature = first.headers.Signature .. ", " .. second.headers.Signature },
      }
    end
    accepted(both(one, two))
    accepted(both(two, one), { seen = scope3.webhook.replay_cache() })
    accepted(signing.request(ed, { label = "callback-7" }))
    refused("webhook_signature_invalid", two)
    one.headers["Signature-Input"] = one.headers["Signature-Input"] .. ", relay=()"
    accepted(one, { seen = scope3.webhook.replay_cache() })
    -- what is ignored must parse all the same
    one.headers["Signature-Input"] = one.headers["Signature-Input"] .. ", Relay=()"
    refused("webhook_signature_header_malformed", one)
  end)

  it("2: needs created, expires, nonce, keyid, alg and tag", function()
    local all = {
      "created=1776520800", "expires=1776521100", 'nonce="AAAAAAAAAAAAAAAAAAAAAA"',
      'keyid="ed-1"', 'alg="ed25519"', 'tag="adcp/webhook-signing/v1"',
    }
    for i = 1, #all do
      local rest = {}
      for k, param in ipairs(all) do
        if k ~= i then
          rest[#rest + 1] = param
        end
      end
      refuses("params_incomplete", { params = table.concat(rest, ";") })
    end
    table.insert(all, 1, "context=?1;x=1.5;y=token;z=:AAAA:")
    accepted(signing.request(ed, { params = table.concat(all, ";") })) -- further ones are signed, and ignored
  end)

  it("3: has the tag of callbacks, byte for byte", function()
    for _, tag in ipairs {
      "adcp/request-signing/v1", "adcp/webhook-signing/v2", "ADCP/webhook-signing/v1",
      "adcp/webhook-signing/v1 ", "adcp/webhook-signing/v11", "",
    } do
      refuses("tag_invalid", { tag = tag })
    end
  end)

  it("4: is by ed25519 or ecdsa-p256-sha256", function()
    for _, alg in ipairs {
      "rsa-pss-sha512", "hmac-sha256", "ecdsa-p384-sha384", "EdDSA", "ES256", "Ed25519", "none", "",
    } do
      refuses("alg_not_allowed", { alg = alg })
    end
  end)

  it("5: holds for at most 300 s, and for now by clocks a minute apart", function()
    for _, times in ipairs { { 0, 300 }, { 60, 360 }, { -360, -60 }, { -100, 200 }, { 0, 1 } } do
      accepted(signing.request(ed, { created = NOW + times[1], expires = NOW + times[2] }))
    end
    for _, times in ipairs {
      { 0, 0 }, { 10, 9 }, { 0, 301 }, { 61, 300 }, { -361, -61 }, { -1000, -900 }, { -NOW, 0 }, { -NOW - 5, -NOW + 5 },
    } do
      refuses("window_invalid", { created = NOW + times[1], expires = NOW + times[2] })
    end
    accepted(signing.request(ed, { created = NOW - 360, expires = NOW - 60 }),
      { now = function() return NOW + 0.9 end })
  end)

  it("6: covers method, URL, authority, content type and digest, as they are", function()
    local all = { "@method", "@target-uri", "@authority", "content-type", "content-digest" }
    for i = 1, #all do
      local rest = {}
      for k, name in ipairs(all) do
        if k ~= i then
          rest[#rest + 1] = name
        end
      end
      refuses("components_incomplete", { components = rest })
      rest[#rest + 1] = all[i] .. '";x="' -- with a parameter it is another component
      refuses("components_incomplete", { components = rest })
    end
    accepted(signing.request(ed, {
      components = { "content-digest", "x-note", "content-type", "@authority", "@target-uri", "@method" },
      headers = { ["x-note"] = "a,  b" },
    }))
  end)

  it("7: is of a key that the sender published", function()
    refuses("key_unknown", { keyid = "ed-2" })
    refuses("key_unknown", nil, { keys = {} })
    refuses("key_unknown", nil, { keys = { keys = {} } })
    refuses("key_unknown", nil, { keys = { keys = { "ed-1", 7, {} } } })
  end)

  it("8: is of a key for signing, of the algorithm that it names", function()
    local function with(field, value)
      local jwk = {}
      for key, item in pairs(ed.jwk) do
        jwk[key] = item
      end
      jwk[field] = value
      return { keys = { jwk } }
    end
    for _, case in ipairs {
      { "use" }, { "use", "enc" }, { "key_ops" }, { "key_ops", {} }, { "key_ops", { "sign" } },
      { "key_ops", "verify" }, { "adcp_use" }, { "adcp_use", "response-signing" },
      { "adcp_use", "governance-signing" }, { "adcp_use", { "request-signing" } }, { "kty", "EC" },
      { "kty" }, { "crv", "P-256" }, { "crv", "Ed448" }, { "alg", "ES256" }, { "x" }, { "x", "" },
      { "x", ed.jwk.x:sub(2) }, { "x", ed.jwk.x .. "AAAA" }, { "x", "!" .. ed.jwk.x:sub(2) }, { "x", 7 },
    } do
      refuses("key_purpose_invalid", nil, with(case[1], case[2]))
    end
    accepted(signing.request(ed), with("alg", nil))
    accepted(signing.request(ed), with("key_ops", { "sign", "verify" }))
    refuses("key_purpose_invalid", { keyid = "ec-1" }) -- Ed25519 by a key of P-256
    local off = {}
    for key, item in pairs(ec.jwk) do
      off[key] = item
    end
    off.x, off.y = ec.jwk.y, ec.jwk.x
    refused("webhook_signature_key_purpose_invalid", signing.request(ec), { keys = { off } })
  end)

  it("9: is of a key that is not revoked, by a list that is not stale", function()
    local asked
    local function revoked(answer)
      return { revoked = function(keyid)
        asked = keyid
        return answer
      end }
    end
    refuses("key_revoked", nil, revoked(true))
    assert.equal("ed-1", asked)
    refuses("revocation_stale", nil, revoked "stale")
    accepted(signing.request(ed), revoked(false))
  end)

  it("9: is of a key that is not at its cap, which a cache says before any cryptography", function()
    local cache = scope3.webhook.replay_cache { max = 2 }
    accepted(signing.request(ed), { seen = cache })
    accepted(signing.request(ed), { seen = cache })
    refuses("rate_abuse", { signature = ("x"):rep(64) }, { seen = cache })
    accepted(signing.request(ec), { seen = cache }) -- the cap is a key's own
    refused("webhook_signature_rate_abuse", signing.request(ed), { seen = function() return "full" end })
  end)
end)
