-- A map may have more uid columns than a member holds: the values over the limit are dropped and counted.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a map with more uid columns than a member holds", function()
  teardown(world.clean)

  it("drops and counts those over 32, from a file and from tables", function()
    local map, names, cells, row = { external_id = "id" }, { "id" }, { "1" }, { id = "1" }
    for i = 1, 37 do
      map["uid:t" .. i], names[i + 1], cells[i + 1], row["c" .. i] = "c" .. i, "c" .. i, "v" .. i, "v" .. i
    end
    local client = assert(scope3.client {})
    local given = false
    for _, source in ipairs {
      world.file(table.concat(names, ",") .. "\n" .. table.concat(cells, ",") .. "\n"),
      function()
        if not given then
          given = true
          return row
        end
      end,
    } do
      local res = assert(client:run({ map = map, audience = "a" }, source, { dry_run = true }))
      world.assert_sums(res)
      assert.same({ 32, { uid_too_many = 5 } }, { res.identifiers.uids, res.dropped })
    end
  end)
end)
