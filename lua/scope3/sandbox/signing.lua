--- The sandbox's own keys, one for each purpose, and its signatures of callbacks (RFC 9421 under AdCP's profile;
--- docs/contract.md section 6). Needs luaossl.
local signing = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local COMPONENTS = '("@method" "@target-uri" "@authority" "content-type" "content-digest")'
local LIFE = 300

-- base64url without padding (RFC 4648 section 5).
local function base64url(bytes)
  local digits = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 3, c and 0 or b and 1 or 2, -1 do
      local digit = math.floor(n / 64 ^ place) % 64 + 1
      digits[#digits + 1] = ALPHABET:sub(digit, digit)
    end
  end
  return table.concat(digits)
end

local function sha256(bytes)
  return require("openssl.digest").new("sha256"):final(bytes)
end

-- An integer of an ECDSA signature in DER, as 32 bytes; the position after it.
local function integer(der, at)
  local length = der:byte(at + 1)
  local bytes = der:sub(at + 2, at + 1 + length):gsub("^%z+", "")
  return ("\0"):rep(32 - #bytes) .. bytes, at + 2 + length
end

-- The newest senders' word, and the older one that verifiers take as well.
local PURPOSES = { "webhook-signing", "request-signing" }

-- Made once, when they are first asked for, by purpose: { pkey, kid, x, y }.
local own = {}

local function key(purpose)
  if not own[purpose] then
    local pkey = require("openssl.pkey").new { type = "EC", curve = "prime256v1" }
    local der = pkey:tostring("DER"):sub(-64) -- the point stands at the end
    own[purpose] = { pkey = pkey, x = base64url(der:sub(1, 32)), y = base64url(der:sub(33)),
      kid = ("sandbox-%s-%s"):format(purpose, base64url(sha256(der):sub(1, 6))) }
  end
  return own[purpose]
end

--- The key set that verifies what is signed here.
---@return table jwks
function signing.jwks()
  local keys = {}
  for i, purpose in ipairs(PURPOSES) do
    local mine = key(purpose)
    keys[i] = { kid = mine.kid, kty = "EC", crv = "P-256", alg = "ES256", use = "sig", key_ops = { "verify" },
      adcp_use = purpose,
      x = mine.x, y = mine.y }
  end
  return { keys = keys }
end

--- The headers that sign a POST of JSON.
---@param authority string  canonical
---@param target string  canonical path and query
---@param body string
---@param now number
---@param purpose "webhook-signing"|"request-signing"  which key signs
---@return table[]  { name, value }
function signing.headers(authority, target, body, now, purpose)
  local mine = key(purpose)
  local digest = "sha-256=:" .. base64url(sha256(body)) .. ":"
  local created = math.floor(now)
  local nonce = base64url(require("openssl.rand").bytes(16))
  local input = COMPONENTS .. (';created=%d;expires=%d;nonce="%s";keyid="%s";alg="ecdsa-p256-sha256"'):format(created,
    created + LIFE, nonce, mine.kid) .. ';tag="adcp/webhook-signing/v1"'
  local base = table.concat({
    '"@method": POST', '"@target-uri": http://' .. authority .. target, '"@authority": ' .. authority,
    '"content-type": application/json', '"content-digest": ' .. digest, '"@signature-params": ' .. input,
  }, "\n")
  local digested = require("openssl.digest").new("sha256")
  digested:update(base)
  local der = mine.pkey:sign(digested)
  local r, after = integer(der, 3)
  local s = integer(der, after)
  return { { "Content-Digest", digest }, { "Signature-Input", "sig1=" .. input },
    { "Signature", "sig1=:" .. base64url(r .. s) .. ":" } }
end

return signing
