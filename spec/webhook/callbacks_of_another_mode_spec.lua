-- A callback with the signature of RFC 9421 where another mode is set up is named as that, and not as unsigned.
local scope3 = require "scope3"
local canonical_json = require "scope3.webhook.canonical_json"

local SIGNED = { ["Signature-Input"] = 'sig1=("@method")', ["Content-Type"] = "application/json" }

describe("a callback that is signed by RFC 9421", function()
  it("is of another mode for who verifies a shared secret", function()
    for mode, config in pairs {
      hmac = { mode = "hmac", secrets = { ("s"):rep(32) } },
      bearer = { mode = "bearer", credentials = ("c"):rep(32) },
    } do
      for _, headers in ipairs { SIGNED, {} } do
        local payload, err = scope3.webhook.verify({ headers = headers, body = "{}" }, config)
        assert.is_nil(payload)
        local code = headers == SIGNED and "webhook_mode_mismatch" or "webhook_signature_header_malformed"
        assert.equal(code, err.code, mode)
      end
    end
  end)
end)

describe("canonical JSON", function()
  it("is not made of what holds a number beyond all doubles, however deep", function()
    for _, text in ipairs { '{"a":[1,1e999]}', '{"a":[[-1e999]]}', '{"a":{"b":1e999}}' } do
      assert.is_nil((canonical_json.of(text)), text)
    end
    assert.equal('{"a":[1,[]]}', canonical_json.of '{ "a" : [1.0, []] }')
  end)
end)
