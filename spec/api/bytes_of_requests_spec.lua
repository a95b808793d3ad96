-- How many bytes a request has round its members is known before it is written: requests are cut by that.
local request = require "scope3.api.request"

describe("a request", function()
  for what, audience in pairs {
    ["an id alone"] = { id = "a" },
    ["all fields"] = { id = "a", name = "Ä \"quoted\" name", consent_basis = "consent" },
  } do
    it("has as many bytes round its members as was said, with " .. what, function()
      for count = 1, 3 do
        local parts, said = {}, request.frame(nil) - 1 -- no comma stands before the first
        for i = 1, count do
          parts[i] = { audience = audience, payload = {}, first = 1, last = 1, adds = 1, removes = 1 }
          said = said + request.overhead(audience)
        end
        local bytes = 0
        for _, piece in ipairs(request.body(parts)) do
          bytes = bytes + (type(piece) == "string" and #piece or 0)
        end
        assert.equal(said, bytes)
      end
    end)
  end
end)
