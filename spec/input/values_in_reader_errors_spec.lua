-- The message of a reader's failure holds no value of a row and no key.
local scope3 = require "scope3"

describe("the message of a reader's failure", function()
  it("holds no address and no key", function()
    local function failing()
      return nil, "bad line: jane.doe@example.org, sk_live_1234567890abcdef1234567890abcdef"
    end
    local res, err = scope3.client({}):run({ audience = "a", map = { external_id = "id", email = "mail" } },
      scope3.csv(failing), { dry_run = true })
    assert.is_nil(res)
    assert.truthy(err.message:find("the reader failed: bad line", 1, true))
    assert.is_nil(err.message:find("jane", 1, true))
    assert.is_nil(err.message:find("abcdef", 1, true))
  end)
end)
