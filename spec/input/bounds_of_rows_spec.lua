-- A row of CSV has up to 4096 columns and up to a megabyte, to the column and to the byte.
local reading = require "spec.support.reading"
local scope3 = require "scope3"

local in_pieces, read_all = reading.in_pieces, reading.read_all

describe("CSV", function()
  it("has up to 4096 columns", function()
    for columns, code in pairs { [4095] = false, [4096] = false, [4097] = "too_many_columns" } do
      local names = {}
      for i = 1, columns do
        names[i] = "c" .. i
      end
      local rows, errors = read_all(assert(scope3.csv(in_pieces(table.concat(names, ",") .. "\n"
        .. ("1,"):rep(columns - 1) .. "1\n", 65536))))
      assert.equal(code, errors[1] and errors[1].code or false)
      assert.equal(code and 0 or 1, #rows)
    end
  end)

  it("has rows of up to 1048576 bytes", function()
    local MOST = 2 ^ 20
    for _, ending in ipairs { "\n", "\r\n", "", "\n2,b\n" } do
      for bytes, code in pairs { [MOST - 1] = false, [MOST] = false, [MOST + 1] = "row_too_long" } do
        local row = "1," .. ("x"):rep(bytes - 2)
        local rows, errors = read_all(assert(scope3.csv(in_pieces("id,note\n" .. row .. ending, 65536))))
        assert.equal(code, errors[1] and errors[1].code or false)
        assert.equal(not code and row:sub(3) or nil, rows[1] and rows[1].note)
      end
    end
  end)
end)
