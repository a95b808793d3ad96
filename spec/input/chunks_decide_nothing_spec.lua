-- The same bytes give the same answers, in pieces of any size.
local scope3 = require "scope3"
local each = require "spec.support.each"

describe("the same bytes", function()
  local function answers(format, text, size)
    local at, seen = 1, {}
    local source = assert(scope3[format](function()
      if at <= #text then
        local piece = text:sub(at, at + size - 1)
        at = at + size
        return piece
      end
    end))
    for row, err in each(source) do
      seen[#seen + 1] = row and "row" or err.code
    end
    return table.concat(seen, " ")
  end

  it("give the same answers in pieces of any size", function()
    local long = ("x"):rep(2 ^ 20 + 50000)
    for _, case in ipairs {
      { "jsonl", '{"a":"\1"}\n{"a":"x"}\n' }, { "jsonl", '{"a":"x"}\n{"a":"\1\2\3\4\5"}\n' },
      { "csv", "id,b\n\1\2\3\4,c\n" }, { "csv", "i\1d,b\n1,c\n" },
      { "csv", "id\n" .. long .. "\n2\n", 4096 }, { "csv", 'id\n"' .. long .. '"\n2\n', 4096 },
      { "csv", "id,b\n1," .. long .. '"\n2,3\n', 4096 }, { "csv", "id,b\n" .. ("1,2\n"):rep(1000) },
      { "csv", "\137PNG\r\n\26\n\0\0\0\13IHDR" }, { "csv", "i\0d\0\n\0001\0\n\0" },
    } do
      local format, text, least = case[1], case[2], case[3] or 1
      local whole = answers(format, text, #text)
      for _, size in ipairs { least, least * 7, 65536, 262144 } do
        assert.equal(whole, answers(format, text, size), ("%s, %d bytes in pieces of %d"):format(format, #text, size))
      end
    end
  end)
end)
