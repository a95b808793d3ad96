-- A payload that is emptied and filled again knows nothing of the members before, whatever size its table has grown to.
local core = require "scope3.core"
local seed = require "spec.support.seed"

describe("a payload that is emptied", function()
  it("takes each id as a new one, and replaces those that came since", function()
    math.randomseed(seed)
    local payload = core.payload { max_members = 100000, max_bytes = 10000000 }
    local builder = core.builder { max_member = 1000 }
    for round, most in ipairs { 2000, 100, 5, 1, 1, 30, 2, 1, 300, 3, 1 } do
      payload:reset()
      local seen, distinct = {}, 0
      for _ = 1, most do
        local id = math.random(most)
        assert(builder:add(payload, { external_id = "id" .. id, remove = true }))
        distinct = distinct + (seen[id] and 0 or 1)
        seen[id] = true
      end
      local _, removes = payload:living()
      assert.same({ distinct, most }, { removes, payload:count() }, ("round %d, seed %d"):format(round, seed))
    end
  end)
end)
