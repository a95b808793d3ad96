-- scope3.crypto: keys and signatures against RFC 8032, RFC 6979, RFC 9421's appendix B, and the openssl command.
local core = require "scope3.core"
local crypto = require "scope3.crypto"
local signing = require "spec.support.signing"
local webhook = require("scope3").webhook
local world = require "spec.support.world"

local bytes, decode = signing.bytes, core.base64_decode

describe("an Ed25519 key", function()
  -- RFC 8032 section 7.1: key, message, signature
  local VECTORS = {
    { "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        .. "655141438e7a100b" },
    { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        .. "b00d291612bb0c00" },
    { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        .. "c027beceea1ec40a" },
  }

  it("verifies the signatures of RFC 8032, and none with another bit", function()
    for _, vector in ipairs(VECTORS) do
      local key, message, signature = crypto.ed25519(bytes(vector[1])), bytes(vector[2]), bytes(vector[3])
      assert.equal("ed25519", key:algorithm())
      assert.is_true(key:verify(message, signature))
      assert.is_false(key:verify(message .. "\0", signature))
      for i = 1, 64 do
        local changed = string.char((signature:byte(i) + 1) % 256)
        assert.is_false(key:verify(message, signature:sub(1, i - 1) .. changed .. signature:sub(i + 1)), "byte " .. i)
      end
    end
  end)

  it("refuses a signature of another key, of another length, and one whose s is over the order", function()
    local key, signature = crypto.ed25519(bytes(VECTORS[1][1])), bytes(VECTORS[1][3])
    assert.is_false(crypto.ed25519(bytes(VECTORS[2][1])):verify("", signature))
    for _, wrong in ipairs { "", signature:sub(1, 63), signature .. "\0", ("\0"):rep(64), ("\255"):rep(64) } do
      assert.is_false(key:verify("", wrong))
    end
    -- s + L signs the same in the equations, and RFC 8032 section 5.1.7 refuses it.
    local order, carry, s = bytes "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", 0, {}
    for i = 1, 32 do
      local sum = signature:byte(32 + i) + order:byte(i) + carry
      s[i], carry = string.char(sum % 256), math.floor(sum / 256)
    end
    assert.is_false(key:verify("", signature:sub(1, 32) .. table.concat(s)))
  end)

  -- Multiples of the point of order 8, and encodings of them that RFC 8032 section 5.1.3 does not decode: y, without
  -- the sign of x.
  local SMALL = {
    ("0"):rep(64), "01" .. ("0"):rep(62), "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ec" .. ("f"):rep(60) .. "7f",
    "ed" .. ("f"):rep(60) .. "7f", "ee" .. ("f"):rep(60) .. "7f",
  }

  it("is refused when its order is small: what nobody signed holds under it", function()
    for _, y in ipairs(SMALL) do
      for _, sign in ipairs { 0, 128 } do
        local x = bytes(y)
        x = x:sub(1, 31) .. string.char(x:byte(32) + sign)
        assert.is_nil((crypto.ed25519(x)), y)
        local jwk = { kid = "k", use = "sig", key_ops = { "verify" }, adcp_use = "webhook-signing", kty = "OKP",
          crv = "Ed25519",
          x = signing.base64(x) }
        local request = signing.request({ alg = "ed25519", kid = "k" }, { signature = "\1" .. ("\0"):rep(63) })
        local payload, err = webhook.verify(request, { mode = "rfc9421", keys = { jwk }, now = function()
          return signing.NOW
        end })
        assert.is_nil(payload)
        assert.equal("webhook_signature_key_purpose_invalid", err.code)
      end
    end
  end)

  it("is refused when its y is not below the field's prime, and not because it is near it", function()
    for low = 0xed, 0xff do
      assert.is_nil((crypto.ed25519(string.char(low) .. ("\255"):rep(30) .. "\127")), low)
      assert.is_nil((crypto.ed25519(string.char(low) .. ("\255"):rep(31))), low)
    end
    for _, y in ipairs { "eb" .. ("f"):rep(60) .. "7f", "ed" .. ("f"):rep(58) .. "fe7f", "02" .. ("0"):rep(62),
        "fe" .. ("f"):rep(60) .. "7e" } do
      assert.is_truthy((crypto.ed25519(bytes(y))), y)
    end
  end)

  it("is 32 bytes", function()
    for _, length in ipairs { 0, 31, 33, 64 } do
      assert.is_nil((crypto.ed25519(("x"):rep(length))))
    end
    assert.has_error(function()
      crypto.ed25519(7)
    end)
  end)
end)

describe("a P-256 key", function()
  -- RFC 6979 appendix A.2.5
  local X, Y = bytes "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
    bytes "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
  local SIGNATURES = {
    sample = bytes("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E"
      .. "900DBB9AFF4064DC4AB2F843ACDA8"),
    test = bytes("F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267"
      .. "E60D3814B4C0CC84250E46F0083"),
  }
  local N = bytes "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"

  it("verifies the signatures of RFC 6979, and none with another bit", function()
    local key = crypto.p256(X, Y)
    assert.equal("ecdsa-p256-sha256", key:algorithm())
    for message, signature in pairs(SIGNATURES) do
      assert.is_true(key:verify(message, signature))
      assert.is_false(key:verify(message .. "x", signature))
      for i = 1, 64 do
        local changed = string.char((signature:byte(i) + 1) % 256)
        assert.is_false(key:verify(message, signature:sub(1, i - 1) .. changed .. signature:sub(i + 1)), "byte " .. i)
      end
    end
  end)

  it("refuses r and s of zero and of the order, DER, and other lengths", function()
    local key, signature = crypto.p256(X, Y), SIGNATURES.sample
    local r, s, zero = signature:sub(1, 32), signature:sub(33), ("\0"):rep(32)
    for _, wrong in ipairs {
      zero .. s, r .. zero, zero .. zero, N .. s, r .. N, s .. r, "", r, signature .. "\0", ("\255"):rep(64),
    } do
      assert.is_false(key:verify("sample", wrong))
    end
    local der = "\48\70\2\33\0" .. r .. "\2\33\0" .. s
    assert.is_false(key:verify("sample", der))
  end)

  it("is a point of the curve, 32 bytes a coordinate", function()
    assert.is_nil((crypto.p256(X, Y:sub(1, 31) .. "\0")))
    assert.is_nil((crypto.p256(Y, X)))
    assert.is_nil((crypto.p256(("\0"):rep(32), ("\0"):rep(32))))
    assert.is_nil((crypto.p256(("\255"):rep(32), ("\255"):rep(32))))
    assert.is_nil((crypto.p256(X:sub(2), Y)))
    assert.is_nil((crypto.p256(X .. "\0", Y)))
    assert.has_error(function()
      crypto.p256(X)
    end)
  end)
end)

describe("the signatures of RFC 9421's appendix B", function()
  local function base(...)
    return table.concat({ ... }, "\n")
  end

  it("hold: B.2.4, ECDSA over a response", function()
    local key = crypto.p256(decode "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
      decode "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0")
    local signed = base('"@status": 200', '"content-type": application/json',
      '"content-digest": '
        .. 'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
        '"content-length": 23',
      '"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;'
        .. 'keyid="test-key-ecc-p256"')
    local signature = decode("wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
    assert.is_true(key:verify(signed, signature))
    assert.is_false(key:verify(signed .. "\n", signature))
  end)

  it("hold: B.2.6, Ed25519 over a request", function()
    local key = crypto.ed25519(decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"))
    local signed = base('"date": Tue, 20 Apr 2021 02:07:55 GMT', '"@method": POST', '"@path": /foo',
      '"@authority": example.com',
      '"content-type": application/json', '"content-length": 18',
      '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;'
        .. 'keyid="test-key-ed25519"')
    local signature = decode("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")
    assert.is_true(key:verify(signed, signature))
    assert.is_false(key:verify(signed .. "\n", signature))
  end)
end)

describe("scope3.crypto", function()
  teardown(world.clean)

  it("verifies what the openssl command signed, and nothing else", function()
    for alg, make in pairs { ed25519 = "ed25519", ["ecdsa-p256-sha256"] = "p256" } do
      local signer = signing.key(alg)
      local key = crypto[make](decode(signer.jwk.x), signer.jwk.y and decode(signer.jwk.y))
      for _, message in ipairs { "x", ("long "):rep(10000), "\0\1\255" } do
        local signature = signer:sign(message)
        assert.is_true(key:verify(message, signature))
        assert.is_false(key:verify(message .. " ", signature))
      end
    end
  end)

  it("closes keys once, and raises where a closed one is used", function()
    local key = crypto.ed25519(("\1"):rep(32))
    key:close()
    key:close()
    assert.has_error(function()
      key:verify("", ("\0"):rep(64))
    end, "attempt to use a closed public key")
    assert.has_error(function()
      crypto.ed25519(("\1"):rep(32)):verify("")
    end)
  end)

  it("says which libcrypto it uses", function()
    assert.truthy(crypto.openssl_version:find("%d+%.%d+"))
  end)
end)
