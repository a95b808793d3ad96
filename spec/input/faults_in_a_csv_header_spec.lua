-- A fault in a CSV header ends the job, and the error says where it is.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a fault in a CSV header", function()
  teardown(world.clean)

  it("ends the job and says where", function()
    local res, err = assert(scope3.client {}):run({ map = { external_id = "id", email = "na" }, audience = "a" },
      world.file('id,"na"me\n1,a@example.com\n'), { dry_run = true })
    assert.is_nil(res)
    assert.equal("bad_header", err.code)
    assert.truthy(err.message:find("column 2", 1, true), err.message)
  end)
end)
