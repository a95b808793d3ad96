-- Keys under which any signature holds are refused, and a second form of a signature is no second delivery.
-- No secret stays in memory.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local crypto = require "scope3.crypto"
local signing = require "spec.support.signing"
local webhook = require "scope3.webhook"
local world = require "spec.support.world"

local bytes = signing.bytes

local function reversed(hex)
  return (bytes(hex):reverse())
end

describe("a key under which a signature proves nothing", function()
  teardown(world.clean)

  -- y of the points of small order, and how they and others are written a second time (p = 2^255 - 19).
  local WORTHLESS = {
    ("00"):rep(32), "01" .. ("00"):rep(31), "ec" .. ("ff"):rep(30) .. "7f",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "ed" .. ("ff"):rep(30) .. "7f",
    "ee" .. ("ff"):rep(30) .. "7f", "f0" .. ("ff"):rep(30) .. "7f", ("ff"):rep(31) .. "7f",
  }

  local function other_sign(key)
    return key:sub(1, 31) .. string.char((key:byte(32) + 128) % 256)
  end

  it("is refused in whatever form it is written", function()
    for _, hex in ipairs(WORTHLESS) do
      assert.is_nil(crypto.ed25519(bytes(hex)), hex)
      assert.is_nil(crypto.ed25519(other_sign(bytes(hex))), hex)
    end
  end)

  it("leaves every other key: their neighbours, and those that openssl makes", function()
    local taken = 0
    for i = 2, 60 do -- about half of all numbers are a point's
      taken = taken + (crypto.ed25519(string.char(i) .. ("\0"):rep(31)) and 1 or 0)
      taken = taken + (crypto.ed25519(string.char(0xec - i) .. ("\255"):rep(30) .. "\127") and 1 or 0)
    end
    assert.is_true(taken > 30, taken)
    for _ = 1, 3 do
      local key = signing.key("ed25519", "k", nil)
      local made = assert(crypto.ed25519(core.base64_decode(key.jwk.x)))
      assert.is_true(made:verify("text", key:sign "text"))
      assert.is_false(made:verify("other", key:sign "text"))
    end
  end)

  it("makes no callback believed", function()
    local now = signing.NOW
    for _, hex in ipairs(WORTHLESS) do
      local key = signing.key("ed25519", "k", nil)
      local request = signing.request(key, {})
      assert(webhook.verify(request,
        { mode = "rfc9421", keys = { keys = { key.jwk } }, now = function() return now end }))
      -- Under the neutral element R = the neutral element and s = 0 hold for every text.
      local jwk = { x = signing.base64(bytes(hex)) }
      for name, value in pairs(key.jwk) do
        jwk[name] = jwk[name] or value
      end
      key.sign = function()
        return "\1" .. ("\0"):rep(63)
      end
      request = signing.request(key, {})
      local said, err = webhook.verify(request,
        { mode = "rfc9421", keys = { keys = { jwk } }, now = function() return now end })
      assert.same({ nil, "webhook_signature_key_purpose_invalid" }, { said, err and err.code }, hex)
    end
  end)
end)

-- n - s in place of s: ECDSA takes both, and signers give either.
describe("the other form of a signature by ECDSA", function()
  teardown(world.clean)

  it("holds, and is no way to send a callback twice", function()
    local order = reversed "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
    local function other(signature)
      local s, out, borrow = signature:sub(33):reverse(), {}, 0
      for i = 1, 32 do
        local d = order:byte(i) - s:byte(i) - borrow
        borrow = d < 0 and 1 or 0
        out[i] = string.char(d % 256)
      end
      return signature:sub(1, 32) .. table.concat(out):reverse()
    end
    local key = signing.key("ecdsa-p256-sha256", "k", nil)
    local now = signing.NOW
    local config = {
      mode = "rfc9421", keys = { keys = { key.jwk } }, now = function() return now end, seen = webhook.replay_cache(),
    }
    local sign = key.sign
    local first
    key.sign = function(self, text)
      first = first or sign(self, text)
      return first
    end
    assert(webhook.verify(signing.request(key, { nonce = "one-nonce-of-a-callback" }), config))
    local before = first
    first = other(first)
    assert.are_not.equal(before, first)
    local said, err = webhook.verify(signing.request(key, { nonce = "one-nonce-of-a-callback" }), config)
    assert.same({ nil, "webhook_signature_replayed" }, { said, err.code })
    config.seen = webhook.replay_cache()
    -- and it holds by itself
    assert(webhook.verify(signing.request(key, { nonce = "one-nonce-of-a-callback" }), config))
  end)
end)

describe("a code over a secret", function()
  teardown(world.clean)

  it("leaves nothing of it behind", not os.getenv "LD_PRELOAD" and function()
    local program = compile.program "spec/support/wiped.c csrc/core/bytes/hmac.c csrc/core/bytes/sha256*.c"
    local pipe = assert(io.popen(program))
    assert.equal("", pipe:read "*a")
    pipe:close()
  end or nil)
end)
