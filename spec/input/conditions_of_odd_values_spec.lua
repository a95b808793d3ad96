-- Conditions and columns that are written in a way that few are.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a condition", function()
  teardown(world.clean)
  local client = assert(scope3.client {})

  local function run(where, text, opts)
    local all = { dry_run = true, audience = "a" }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    return client:run({ where = where, map = { external_id = "#1", email = "#2" } },
      world.file(text, ".csv"), all)
  end

  it("is refused where one of its values is neither a text nor a number", function()
    for _, values in ipairs { { "x", {} }, { {}, "x" }, { 1, function() end }, {}, { "x", nil, "y" } } do
      local fine, why = pcall(run, { v = values }, "id,mail,v\n1,a@x.org,x\n")
      assert.is_false(fine)
      assert.truthy(tostring(why):find("where['v'] must be a value, or a list of values", 1, true), why)
    end
  end)

  it("takes no row whose text is as long and begins alike, and does not call it another case of it", function()
    local res = assert(run({ v = "Berlin" }, "id,mail,v\n1,a@x.org,Bergen\n2,b@x.org,BERLIN\n3,c@x.org,Berlin\n"))
    assert.same({ 3, 2, 1 }, { res.rows, res.skipped, res.members })
    assert.equal(1, res.conditions[1].other_case)
  end)

  it("names a column by its number where there is no header, and says so where it does not", function()
    local res = assert(run({ ["#3"] = "x" }, "1,a@x.org,x\n2,b@x.org,y\n", { header = false }))
    assert.same({ 2, 1 }, { res.rows, res.skipped })
    local none, err = run({ v = "x" }, "1,a@x.org,x\n", { header = false })
    assert.is_nil(none)
    assert.truthy(err.message:find("without a header columns are given by number", 1, true), err.message)
  end)
end)
