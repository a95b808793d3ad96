-- A last line over the limit without a newline is a rejected row, and is counted.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a JSON line that is too long and never ends", function()
  teardown(world.clean)

  it("is a row all the same, and rejected", function()
    local client = assert(scope3.client {})
    for _, size in ipairs { 1100000, 1200000, 3000000 } do
      for _, ending in ipairs { "", "\n" } do
        local path = world.file('{"id":"1","mail":"a@example.com"}\n{"id":"' .. ("x"):rep(size) .. '"}'
          .. ending, ".jsonl")
        local res = assert(client:run({ map = { external_id = "id", email = "mail" }, audience = "a" }, path,
          { dry_run = true }))
        world.assert_sums(res)
        assert.same({ 2, { row_too_long = 1 } }, { res.rows, res.rejected })
      end
    end
  end)
end)
