-- A CSV file whose first line looks like data is said to have no header: seven digits, a hash or an email are no names.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a first line whose columns are not found", function()
  teardown(world.clean)

  it("looks like data by what stands in one of them", function()
    for name, is_data in pairs {
      ["123456"] = false, ["1234567"] = true, ["12-34-56"] = false, ["12-34-567"] = true, ["+49 (30) 1234.56/7"] = true,
      ["1234567x"] = false, ["2026-11-28"] = true, [("a"):rep(31)] = false, [("a"):rep(32)] = true,
      [("1"):rep(6) .. ("f"):rep(26)] = true, [("1"):rep(6) .. ("f"):rep(25)] = false, [("g"):rep(40)] = false,
      ["a@b"] = true, ["@b"] = false, ["a@"] = false, ["a @ b"] = false,
    } do
      local script = { audience = "a", map = { external_id = "id", email = "mail" } }
      local _, err = scope3.client({}):run(script, world.file(name .. ",b\n1,2\n"), { dry_run = true })
      assert.equal(is_data, err.message:find("its first line looks like data", 1, true) ~= nil, name)
    end
  end)
end)
