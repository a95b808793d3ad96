-- What verifies callbacks at the level of bytes: HMAC-SHA256, comparison of secrets, base64, the check of a JSON
-- object.
local core = require "scope3.core"

local function bytes(hex)
  return (hex:gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

describe("HMAC-SHA256", function()
  it("gives the codes of RFC 4231", function()
    local cases = {
      { ("\11"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
      { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
      { ("\170"):rep(20), ("\221"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
      {
        bytes "0102030405060708090a0b0c0d0e0f10111213141516171819", ("\205"):rep(50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
      },
      {
        ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      },
      {
        ("\170"):rep(131),
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
          .. "hashed before being used by "
          .. "the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      },
    }
    for i, case in ipairs(cases) do
      assert.equal(case[3], core.hmac_sha256(case[1], case[2]), "case " .. i)
    end
    assert.equal("a3b6167473100ee06e0c796c2955552b",
      core.hmac_sha256(("\12"):rep(20), "Test With Truncation"):sub(1, 32))
  end)

  it("takes a message in parts, and keys of 0, 63, 64 and 65 bytes as OpenSSL does", function()
    local hmac = require "openssl.hmac"
    for _, length in ipairs { 0, 1, 63, 64, 65, 200 } do
      local key = ("k"):rep(length)
      local expected = hmac.new(key, "sha256"):final("1700000000.{}\0"):gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)
      assert.equal(expected, core.hmac_sha256(key, "1700000000", ".", "{}\0"))
      assert.equal(expected, core.hmac_sha256(key, "", "1700000000.{}\0", ""))
    end
  end)
end)

describe("the comparison of secrets", function()
  it("tells equal from different, at every place and length", function()
    local secret = ("0123456789abcdef"):rep(4)
    assert.is_true(core.equal_secret(secret, secret))
    assert.is_true(core.equal_secret("", ""))
    for i = 1, #secret do
      for _, change in ipairs { "x", "\0", "\255" } do
        assert.is_false(core.equal_secret(secret, secret:sub(1, i - 1) .. change .. secret:sub(i + 1)))
      end
      assert.is_false(core.equal_secret(secret, secret:sub(1, i - 1)))
    end
    assert.is_false(core.equal_secret(secret, secret .. "x"))
    assert.has_error(function()
      core.equal_secret(secret, nil)
    end)
  end)
end)

describe("base64", function()
  it("is read as RFC 4648 writes it, with and without padding", function()
    local cases = {
      [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
    }
    for text, encoded in pairs(cases) do
      assert.equal(text, core.base64_decode(encoded))
      assert.equal(text, core.base64_decode((encoded:gsub("=", ""))))
    end
  end)

  it("may be of either alphabet, and never of both at once", function()
    assert.equal("\251\255\254", core.base64_decode("+//+"))
    assert.equal("\251\255\254", core.base64_decode("-__-"))
    for _, mixed in ipairs { "+__-", "-//+", "+_AA", "AA/-" } do
      assert.is_nil(core.base64_decode(mixed), mixed)
    end
  end)

  it("is refused with bits left over, wrong padding, other bytes, or over 3072 bytes", function()
    for _, bad in ipairs {
      "Zh==", "Zm9=", "Z", "Zg=", "Zg===", "Zm8==", "=", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm\0v", "Zg==Zg==", "Zm9\255",
    } do
      assert.is_nil(core.base64_decode(bad), bad)
    end
    assert.equal(3072, #core.base64_decode(("A"):rep(4096)))
    assert.is_nil(core.base64_decode(("A"):rep(4100)))
  end)
end)

describe("the check of a JSON object", function()
  it("takes what RFC 8259 allows", function()
    for _, text in ipairs {
      "{}", " \t\r\n{ }\n", '{"a":1}', '{"a":[],"b":{},"c":"","d":null,"e":true,"f":false}',
      '{"a":-0.5e+10,"b":0,"c":1E-2,"d":-0}', '{"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t":"\\ud83d\\ude00"}',
      '{"é":"日本語"}', '{"":1," ":2}', '{"a":[1,[2,{"a":3}]],"b":{"a":1}}',
      ('{"a":'):rep(64) .. "1" .. ("}"):rep(64), '{"a":' .. ("["):rep(63) .. ("]"):rep(63) .. "}",
    } do
      assert.is_true(core.check_json_object(text), text)
    end
  end)

  it("refuses everything else", function()
    for _, text in ipairs {
      "", " ", "[]", "1", '"a"', "null", "{", "}", "{}}", "{}{}", "{} x", '{"a"}', '{"a":}', '{"a":1,}',
      "{,}", '{a:1}', "{'a':1}", '{"a":01}', '{"a":.5}', '{"a":1.}', '{"a":+1}', '{"a":1e}', '{"a":0x1F}',
      '{"a":NaN}', '{"a":Infinity}', '{"a":-}', '{"a":tru}', '{"a":"\1"}', '{"a":"\0"}', '{"a":"\n"}',
      '{"a":"\\x41"}', '{"a":"\\u12"}', '{"a":"\\ud800"}', '{"a":"\\udc00"}', '{"\\ud800":1}',
      '{"a":"\255"}', '{"a":"\237\160\128"}', '{"a":"\192\128"}', '\239\187\191{}', '{"a":[1,]}',
      '{"a":[1 2]}', '{"a":"b}', '{"a":[}', '{"a":{]}', '{"a":1 /* */}', "\0{}", "{}\0", '{"a":1\0}',
      ('{"a":'):rep(65) .. "1" .. ("}"):rep(65), '{"a":' .. ("["):rep(64) .. ("]"):rep(64) .. "}",
    } do
      assert.same({}, { core.check_json_object(text) }, text)
    end
  end)

  it("finds a name that is there twice, at any depth and however it is written", function()
    for text, name in pairs {
      ['{"a":1,"a":1}'] = "a", ['{"a":1,"b":2,"a":3}'] = "a", ['{"x":{"y":[0,{"a":1,"b":{"c":1},"a":2}]}}'] = "a",
      ['{"a":1,"\\u0061":2}'] = "a", ['{"\\/":1,"/":2}'] = "/", ['{"":1,"":2}'] = "",
      ['{"é":1,"\\u00e9":2}'] = "", ['{"a\\u0000b":1,"a\\u0000b":2}'] = "a",
      ['{"b":{"a":1},"a":{"b":1},"b":0}'] = "b", ['{"x\\ny":1,"x\\ny":2}'] = "x",
    } do
      assert.same({ nil, { name }, 1 }, { core.check_json_object(text) }, text)
    end
  end)

  it("takes a name for another where a byte differs, and in another object", function()
    for _, text in ipairs {
      '{"a":1,"A":2,"ab":3,"a ":4,"a\\u0000":5,"":6}',
      '{"a":{"a":{"a":1}}}', '{"x":[{"a":1},{"a":2}],"y":{"a":3},"a":4}',
    } do
      assert.is_true(core.check_json_object(text), text)
    end
  end)

  it("names four at most, 32 printable bytes of each, and how many there are", function()
    local parts = {}
    for i = 1, 7 do
      parts[i] = ('"%s%d":1,"%s%d":2'):format(("k"):rep(40), i, ("k"):rep(40), i)
    end
    local ok, names, count = core.check_json_object("{" .. table.concat(parts, ",") .. "}")
    assert.is_nil(ok)
    assert.equal(7, count)
    assert.same({ ("k"):rep(32), ("k"):rep(32), ("k"):rep(32), ("k"):rep(32) }, names)
    ok, names, count = core.check_json_object('{"a":1,"a":1,"a":1,"b":{"c":1,"c":1},"d":1}')
    assert.same({ nil, { "c", "a" }, 2 }, { ok, names, count })
  end)

  it("stays fast on a megabyte of names", function()
    local parts = {}
    for i = 1, 80000 do
      parts[i] = ('"%d":%d'):format(i, i % 10)
    end
    local text = "{" .. table.concat(parts, ",") .. "}"
    local start = core.now()
    assert.is_true(core.check_json_object(text))
    local _, names, count = core.check_json_object(text:sub(1, -2) .. ',"80000":1}')
    assert.same({ { "80000" }, 1 }, { names, count })
    assert.is_true(core.now() - start < 10) -- comparing each with each takes minutes
  end)
end)
