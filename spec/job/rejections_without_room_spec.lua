-- A row may give more rejections than there is room for: all are counted, and the job says how many it did not tell.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a row that gives more rejections than there is room for", function()
  it("is warned of, and all of them are counted", function()
    local bad, list = { external_id = "1", email = "nobody" }, {}
    for i = 1, 1048576 do -- each gives two rejections, and there is room for 2097152
      list[i] = bad
    end
    list[#list + 1] = { external_id = "2" } -- one more
    local told = 0
    local res = assert(scope3.client {}:run({ audience = "a", member = function() return list end },
      world.file "id\n1\n", { dry_run = true, on_reject = function()
        told = told + 1
      end }))
    assert.equal(2097152, told)
    assert.same({ email_no_at = 1048576, no_identifier = 1048576 }, res.dropped)
    local warning = res.warnings[1]
    assert.same({ 1, "rejections_untold", 1 }, { #res.warnings, warning.code, warning.rejections })
    assert.equal("1 rejection is counted, and on_reject was not told: "
      .. "one row gave more than there is room for", warning.message)
  end)
end)
