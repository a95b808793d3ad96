-- A night writes most rows beside the one before in their partition. What comes out is where each row stands, however
-- far it is from the others.
local core = require "scope3.core"
local seed = require "spec.support.seed"

-- How far the next row is from the one before, in rows, bytes and lines: at and beside what is told in two, three and
-- two bytes.
local ROWS = { 0, 1, 1, 1, 2, 65535, 65536, 65537, 2 ^ 33 }
local BYTES = { 1, 40, 40, 0xffff, 0x10000, 0xffffff, 0x1000000, 2 ^ 34, -1, -70000 }
local LINES = { 0, 0, 0, 1, 2, 65535, 65536, -1 }
local MASKS = { 1, 1, 1, 3, 2, 5 }

local function pick(list)
  return list[math.random(#list)]
end

local function places(count)
  local list, at = {}, { row = 1, offset = 2 ^ 40, file = 0, line = 2 }
  for i = 1, count do
    if math.random(20) == 1 then
      at = { row = 1, offset = 100, file = at.file + 1, line = math.random(2) == 1 and 2 or 0 }
    else
      local rows = pick(ROWS)
      at = { row = at.row + rows, offset = at.offset + pick(BYTES), file = at.file,
        line = at.line > 0 and at.line + rows + pick(LINES) or 0 }
    end
    at.offset, at.line = math.max(at.offset, 0), math.max(at.line, 0)
    at.mask = pick(MASKS)
    list[i] = at
  end
  return list
end

describe("the place of a row", function()
  it("comes out of a night as it went in, near the row before or far", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    for _, parts in ipairs { 1, 2 } do
      local night = assert(core.mirror.night { key = ("k"):rep(16), parts = parts, audiences = 3 })
      local list = places(4000)
      for i, at in ipairs(list) do
        assert(night:row("id" .. i, {}, at.mask, at.row, at.offset, at.file, at.line))
      end
      for part = 0, parts - 1 do
        assert(night:merge(part))
      end
      local left = {}
      for _, at in ipairs(list) do
        local text = ("%.0f %.0f %.0f %.0f %d"):format(at.file, at.row, at.offset, at.line, at.mask)
        left[text] = (left[text] or 0) + 1
      end
      for _ = 1, #list do
        local _, _, _, mask, _, _, row, offset, file, line = night:candidate()
        local text = ("%.0f %.0f %.0f %.0f %d"):format(file, row, offset, line, mask)
        assert.is_truthy(left[text], text)
        left[text] = left[text] > 1 and left[text] - 1 or nil
      end
      assert.is_nil(next(left))
      night:close()
    end
  end)
end)
