-- What is no key of an elliptic curve, and which names of a callback's fields come twice.
local core = require "scope3.core"
local crypto = require "scope3.crypto"

describe("a public key", function()
  it("has coordinates of 32 bytes, or is none", function()
    local whole = ("\1"):rep(32)
    for _, key in ipairs { { "", whole }, { whole, "" }, { whole, ("\1"):rep(31) }, { ("\1"):rep(33), whole },
      { "", "" }, { whole, whole } } do -- the last is no point of the curve
      assert.is_nil((crypto.p256(key[1], key[2])))
    end
    for _, key in ipairs { "", ("\1"):rep(31), ("\1"):rep(33) } do
      assert.is_nil((crypto.ed25519(key)))
    end
  end)
end)

describe("a field that comes twice", function()
  it("is named as far as its name can be printed", function()
    for name, shown in pairs { id = "id", ["a\127b"] = "a", ["\127"] = "", ["a\195\164"] = "a",
      [("x"):rep(40)] = ("x"):rep(32) } do
      local fine, names = core.check_json_object(('{"%s":1,"b":2,"%s":3}'):format(name, name))
      assert.is_nil(fine)
      assert.same({ shown }, names)
    end
  end)
end)
