-- Callbacks as a sender makes them, with keys and signatures by the openssl command.
local core = require "scope3.core"
local world = require "spec.support.world"

local signing = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

--- base64url without padding (RFC 4648 section 5); with "standard", the other alphabet and padding.
function signing.base64(bytes, form)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 0, c and 3 or b and 2 or 1 do
      local digit = math.floor(n / 64 ^ (3 - place)) % 64 + 1
      out[#out + 1] = ALPHABET:sub(digit, digit)
    end
  end
  local text = table.concat(out)
  if form == "standard" then
    text = text:gsub("-", "+"):gsub("_", "/") .. ("="):rep(-#text % 4)
  end
  return text
end

function signing.bytes(hex)
  return (hex:gsub("%s", ""):gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function run(command)
  local log = world.path(".log")
  local code = os.execute(command .. " >" .. log .. " 2>&1")
  assert(code == true or code == 0, "openssl: " .. world.read(log))
end

local digests = {}

--- SHA-256 by the openssl command, 32 bytes.
function signing.sha256(bytes)
  if not digests[bytes] then
    local path, out = world.file(bytes), world.path(".digest")
    run(("openssl dgst -sha256 -binary -out %s %s"):format(out, path))
    digests[bytes] = world.read(out)
  end
  return digests[bytes]
end

local Key = {}
Key.__index = Key

--- A new key: "ed25519" or "ecdsa-p256-sha256". `jwk` is its public half, as a sender publishes it.
function signing.key(alg, kid, use)
  local self = setmetatable({ alg = alg, kid = kid or "key-1", path = world.path(".pem") }, Key)
  local kind = alg == "ed25519" and "-algorithm ed25519" or "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
  local der = world.path(".der")
  run(("openssl genpkey %s -out %s"):format(kind, self.path))
  run(("openssl pkey -in %s -pubout -outform DER -out %s"):format(self.path, der))
  local public = world.read(der) -- the key stands at its end
  self.jwk = { kid = self.kid, use = "sig", key_ops = { "verify" }, adcp_use = use or "request-signing" }
  if alg == "ed25519" then
    self.jwk.kty, self.jwk.crv, self.jwk.alg, self.jwk.x = "OKP", "Ed25519", "EdDSA", signing.base64(public:sub(-32))
  else
    self.jwk.kty, self.jwk.crv, self.jwk.alg = "EC", "P-256", "ES256"
    self.jwk.x, self.jwk.y = signing.base64(public:sub(-64, -33)), signing.base64(public:sub(-32))
  end
  return self
end

-- The two integers of an ECDSA signature in DER as 32 bytes each.
local function raw_of_der(der)
  local at, parts = 3, {}
  for i = 1, 2 do
    local length = der:byte(at + 1)
    local integer = der:sub(at + 2, at + 1 + length):gsub("^%z+", "")
    parts[i] = ("\0"):rep(32 - #integer) .. integer
    at = at + 2 + length
  end
  return table.concat(parts)
end

--- The signature of a message: 64 bytes.
function Key:sign(message)
  local path, out = world.file(message), world.path(".sig")
  if self.alg == "ed25519" then
    run(("openssl pkeyutl -sign -inkey %s -rawin -in %s -out %s"):format(self.path, path, out))
    return world.read(out)
  end
  run(("openssl dgst -sha256 -sign %s -out %s %s"):format(self.path, out, path))
  return raw_of_der(world.read(out))
end

signing.NOW = 1776520800
signing.URL = "https://buyer.example.com/hooks/scope3?account=25"
signing.BODY = '{"idempotency_key":"whk_01HW9D3H8FZP2N6R8T0V4X6Z9B","operation_id":"op_abc","task_id":"task_456",'
  .. '"task_type":"audience_sync",'
  .. '"status":"completed","timestamp":"2026-04-18T10:00:00Z","token":"0123456789abcdef",'
  .. '"result":{"audience_id":"crm"}}'

local nonces = 0

--- A nonce that was not there before in this process.
function signing.nonce()
  nonces = nonces + 1
  return signing.base64(("%016d"):format(nonces))
end

--- A signed request (RFC 9421). `change` overrides parts: url, body, method, headers, components, created,
--- expires, nonce, keyid, alg, tag, params (their text), label, target_uri, authority (what is signed
--- for them), digest (the header), base (what is signed), signature (its bytes), form (of base64).
function signing.request(key, change)
  local c = change or {}
  local body = c.body or signing.BODY
  local digest = c.digest or "sha-256=:" .. signing.base64(signing.sha256(body), c.form) .. ":"
  local params = c.params
    or ('created=%d;expires=%d;nonce="%s";keyid="%s";alg="%s";tag="%s"'):format(c.created or signing.NOW,
    c.expires or (c.created or signing.NOW) + 300, c.nonce or signing.nonce(), c.keyid or key.kid, c.alg or key.alg,
    c.tag or "adcp/webhook-signing/v1")
  local values = {
    ["@method"] = c.method or "POST", ["@target-uri"] = c.target_uri or c.url or signing.URL,
    ["@authority"] = c.authority or "buyer.example.com",
    ["content-type"] = "application/json", ["content-digest"] = digest,
  }
  local names, lines = {}, {}
  for i, name in ipairs(c.components or { "@method", "@target-uri", "@authority", "content-type", "content-digest" }) do
    names[i] = '"' .. name .. '"'
    lines[i] = ('"%s": %s'):format(name, values[name] or (c.headers or {})[name] or "")
  end
  local input = "(" .. table.concat(names, " ") .. ");" .. params
  lines[#lines + 1] = '"@signature-params": ' .. input
  local label = c.label or "sig1"
  local signature = c.signature or key:sign(c.base or table.concat(lines, "\n"))
  local headers = {
    Host = "buyer.example.com", ["Content-Type"] = "application/json",
    ["Content-Digest"] = digest, ["Signature-Input"] = label .. "=" .. input,
    Signature = label .. "=:" .. signing.base64(signature, c.form) .. ":",
  }
  for name, value in pairs(c.headers or {}) do
    headers[name] = value ~= "" and value or nil
  end
  return { method = c.method or "POST", url = c.url or signing.URL, headers = headers, body = body }
end

--- A request with an HMAC-SHA256 code, by the openssl command.
function signing.hmac_request(secret, timestamp, body)
  local path, out = world.file(timestamp .. "." .. body), world.path(".mac")
  run(("openssl dgst -sha256 -mac HMAC -macopt hexkey:%s -binary -out %s %s"):format((secret:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)), out, path))
  return { method = "POST", url = signing.URL, body = body, headers = {
    ["Content-Type"] = "application/json", ["X-ADCP-Timestamp"] = timestamp,
    ["X-ADCP-Signature"] = "sha256=" .. core.hex(world.read(out)),
  } }
end

return signing
