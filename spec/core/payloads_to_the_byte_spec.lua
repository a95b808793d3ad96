-- A payload takes members up to its bytes, and not one byte more.
local core = require "scope3.core"

local function member(i)
  return { external_id = "id" .. i, email = "a@example.com" }
end

-- Adds members to a payload of so many bytes: what the last one came to, and the bytes.
local function fill(count, max_bytes, max_member)
  local payload, builder, taken = core.payload { max_members = 100, max_bytes = max_bytes },
    core.builder { max_member = max_member }, nil
  for i = 1, count do
    taken = builder:add(payload, member(i))
  end
  return taken, payload:bytes()
end

describe("a payload", function()
  it("is full to the byte", function()
    local _, one = fill(1, 100000, 1000)
    for count = 1, 3 do
      local taken, bytes = fill(count, 100000, one)
      assert.is_true(taken)
      assert.same({ true, bytes }, { fill(count, bytes, one) })
      if count > 1 then
        assert.is_false((fill(count, bytes - 1, one)))
      end
    end
  end)
end)
