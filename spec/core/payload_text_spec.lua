-- A payload gives the bytes that a request sends of a range, operation by operation.
local core = require "scope3.core"

describe("the text of a payload", function()
  it("is what a request sends of those members, without what was taken out", function()
    local payload = core.payload { max_members = 10, max_bytes = 65536 }
    local builder = core.builder { max_member = 4096 }
    for _, id in ipairs { "a", "b", "c" } do
      assert.is_true(builder:add(payload, { external_id = id, uids = { x = "1" } }))
    end
    assert.is_true(builder:add(payload, { external_id = "d" }, true))
    payload:drop(2)
    local adds = payload:text("add", 1, 4)
    assert.truthy(adds:find('"externalId":"a"', 1, true) and adds:find('"externalId":"c"', 1, true))
    assert.is_nil(adds:find('"externalId":"b"', 1, true))
    assert.is_nil(payload:text("add", 1, 1):find('"externalId":"c"', 1, true))
    assert.truthy(payload:text("remove", 1, 4):find('"externalId":"d"', 1, true))
    assert.equal("", payload:text("remove", 1, 3))
  end)

  it("is not to be had of a closed payload, or for an unknown operation", function()
    local payload = core.payload { max_members = 10, max_bytes = 65536 }
    assert.has_error(function()
      payload:text("replace", 1, 1)
    end)
    payload:close()
    assert.has_error(function()
      payload:text("add", 1, 1)
    end)
  end)
end)
