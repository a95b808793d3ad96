-- A row of CSV has up to 4096 columns and up to a megabyte, to the column and to the byte. A source may have bounds of
-- its own, and tells how far it is.
local reading = require "spec.support.reading"
local scope3 = require "scope3"

local world = require "spec.support.world"

local in_pieces, read_all = reading.in_pieces, reading.read_all

-- A packed file with these lines; its bytes.
local function packed(text)
  local path = world.path ".gz"
  assert(os.execute(("gzip -c %s >%s"):format(world.file(text), path)))
  return path, world.read(path)
end

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

describe("a source", function()
  teardown(world.clean)

  local lines = { "id,n" }
  for i = 1, 20000 do
    lines[i + 1] = ("%d,%d"):format(i, i * 7919 % 20011)
  end
  local TEXT = table.concat(lines, "\n") .. "\n\n"

  it("that is bound is not read far beyond its bounds, and says of what it has more", function()
    local _, bytes = packed(TEXT)
    for _, case in ipairs {
      { TEXT, { bytes = #TEXT, rows = 20001 } }, { bytes, { bytes = #TEXT, rows = 20001 } }, { bytes, {} },
      { TEXT, { bytes = 9999 }, "it has more than 9999 bytes", "too_many_bytes" },
      { bytes, { bytes = 9999 }, "it has more than 9999 bytes when it is unpacked", "too_many_bytes" },
      { bytes, { rows = 999 }, "it has more than 999 rows, empty lines included", "too_many_rows" },
    } do
      local source = assert(scope3.csv(in_pieces(case[1], 1000)))
      source:bound(case[2])
      local _, errors = read_all(source)
      local message = case[3] and source.name .. ": " .. case[3]
      assert.same({ message, case[4] }, { errors[1] and errors[1].message, errors[1] and errors[1].code })
    end
  end)

  it("that is packed tells how far it is in packed bytes, also where these end early", function()
    local path, bytes = packed(TEXT)
    for file, size in pairs { [path] = #bytes, [world.file(bytes:sub(1, 5000), ".gz")] = 5000 } do
      local source = assert(scope3.csv(file))
      assert(source())
      assert.is_true(source:progress() > 0)
      local _, errors = read_all(source)
      assert.same({ size, size }, { source:progress() })
      assert.equal(size == 5000 and "gzip" or nil, errors[1] and errors[1].code)
    end
  end)
end)
