-- CSV: its rows and faults are the same in pieces of any size, and by every way to scan.
local core = require "scope3.core"
local reading = require "spec.support.reading"
local scope3 = require "scope3"
local world = require "spec.support.world"

local alike, in_pieces, read_all = reading.alike, reading.in_pieces, reading.read_all

local function csv(text, opts)
  return read_all(assert(scope3.csv(in_pieces(text, 65536), opts)))
end

describe("CSV", function()
  teardown(world.clean)

  it("is read as RFC 4180 has it, in pieces of any size", function()
    local text = 'id,note,x\r\n1,"a, b",2\r\n2,"say ""hi""",\r\n3,"two\r\nlines",""\r\n4,plain "quote" inside, '
      .. 'spaced \r\n5,"""",""""""'
    for _, size in ipairs { 1, 2, 7, 1000 } do
      local rows, errors = read_all(assert(scope3.csv(in_pieces(text, size))))
      assert.same({}, errors)
      assert.same({
        { id = "1", note = "a, b", x = "2" }, { id = "2", note = 'say "hi"', x = "" },
        { id = "3", note = "two\r\nlines", x = "" },
        { id = "4", note = 'plain "quote" inside', x = " spaced " }, { id = "5", note = '"', x = '""' },
      }, rows)
    end
  end)

  it("ends its rows with LF, CRLF or CR, and empty lines are none", function()
    for _, line_end in ipairs { "\n", "\r\n", "\r" } do
      for _, size in ipairs { 1, 1000 } do
        local text = table.concat({ "", "a,b", "", "1,2", "", "", "3,4" }, line_end)
        local rows = read_all(assert(scope3.csv(in_pieces(text, size))))
        assert.same({ { a = "1", b = "2" }, { a = "3", b = "4" } }, rows)
      end
    end
  end)

  it("loses its byte order mark", function()
    assert.same({ { id = "1" } }, (csv("\239\187\191id\n1\n")))
    assert.same({ { ["id, x"] = "1" } }, (csv('\239\187\191"id, x"\n1\n', { delimiter = "," })))
  end)

  it("finds its delimiter by itself, and takes the one that is given", function()
    for _, d in ipairs { ",", ";", "\t", "|" } do
      assert.same({ { a = "1", b = "x" } }, (csv("a" .. d .. "b\n1" .. d .. "x\n")))
    end
    assert.same({ { a = "1", b = "x,y" } }, (csv("a;b\n1;x,y\n")))
    assert.same({ { ["a,b"] = "1,2" } }, (csv("a,b\n1,2\n", { delimiter = ";" })))
    assert.same({ { ['x;y;z'] = "1", b = "2" } }, (csv('"x;y;z",b\n1,2\n')))
  end)

  it("without a header has columns by number", function()
    assert.same({ { "1", "2" }, { "3", "4" } }, (csv("1,2\n3,4\n", { header = false })))
  end)

  it("reports faulty rows by row and column, and goes on", function()
    local rows, errors = csv('id,b,c\n1,2,3\n2,3\n3,4,5,6\n4,"x"y,5\n5,a\0b,6\n6,"q\0",7\n7,8,9\n')
    assert.same({ { id = "1", b = "2", c = "3" }, { id = "7", b = "8", c = "9" } }, rows)
    local seen = {}
    for i, err in ipairs(errors) do
      seen[i] = { err.code, err.row, err.message:match("column %d") }
      assert.equal("source", err.kind)
    end
    assert.same({
      { "ragged_row", 2, "column 3" }, { "ragged_row", 3, "column 4" },
      { "stray_quote", 4, "column 2" }, { "nul_byte", 5, "column 2" },
      { "nul_byte", 6, "column 2" },
    }, seen)
  end)

  it("with a quote that never closes is an error that says where it opened", function()
    local rows, errors = csv('id,b\n1,2\n2,"open\n3,4\n5,6\n')
    assert.equal(1, #rows)
    assert.equal("unclosed_quote", errors[1].code)
    assert.truthy(errors[1].message:find("row 2 (line 3), column 2", 1, true))
  end)

  it("with a quote that does not close for over a megabyte is given up, and memory stays bounded", function()
    local n = 0
    local source = assert(scope3.csv(function()
      n = n + 1
      return n == 1 and 'id,b\n1,"open\n' or n < 100 and ("x"):rep(65536) or nil
    end))
    local _, errors = read_all(source)
    assert.equal("unclosed_quote", errors[1].code)
    assert.is_true(n < 40)
  end)

  it("that is no CSV is refused with what to do", function()
    local cases = {
      [""] = { "empty", "empty" }, ["\0i\0d\0,\0b\0\n\0001"] = { "utf16", "utf-16be" },
      ["i\0d\0,\0b\0\n\0001\0"] = { "utf16", "--encoding utf-16le" }, ["\255\254\0\0i\0\0\0"] = { "utf32", "iconv" },
      ["\31\139\8\0\0\0\0\0"] = { "gzip", "cut off" }, ["PK\3\4\20\0\6\0"] = { "zip", "unzip -p FILE | scope3 sync -" },
      ["\137PNG\r\n\26\n\0\0\0\13IHDR"] = { "image", "an image" }, ["\127ELF\2\1\1\0"] = { "program", "a program" },
      ["\1\2\3\4\5\6\7\n"] = { "binary", "not text" },
    }
    for text, want in pairs(cases) do
      local rows, errors = csv(text)
      assert.same({}, rows)
      assert.equal(want[1], errors[1] and errors[1].code)
      assert.truthy(errors[1].message:find(want[2], 1, true), errors[1].message)
    end
  end)

  it("reads back whatever was written, with every quoting oddity", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local alphabet = { "a", "b", " ", ",", ";", '"', '""', "\n", "\r\n", "\r", "é", "\t", "|", "", "x" }
    for _ = 1, 150 do
      local columns, want, lines = math.random(5), {}, {}
      local names = {}
      for i = 1, columns do
        names[i] = "c" .. i
      end
      lines[1] = table.concat(names, ",")
      for r = 1, math.random(8) do
        local cells, row = {}, {}
        for i = 1, columns do
          local parts = {}
          for k = 1, math.random(0, 6) do
            parts[k] = alphabet[math.random(#alphabet)]
          end
          local value = table.concat(parts)
          row["c" .. i] = value
          -- What is blank is quoted: a line of nothing but blanks and delimiters is an empty line.
          if value:find('[,;"\r\n|\t]') or not value:find("%S") or math.random(3) == 1 then
            cells[i] = '"' .. value:gsub('"', '""') .. '"'
          else
            cells[i] = value
          end
        end
        want[r], lines[r + 1] = row, table.concat(cells, ",")
      end
      local text = table.concat(lines, math.random(2) == 1 and "\n" or "\r\n") .. (math.random(2) == 1 and "\n" or "")
      local rows, errors = read_all(assert(scope3.csv(in_pieces(text, math.random(9)), { delimiter = "," })))
      assert.same({}, errors, "seed " .. seed)
      assert.same(want, rows, "seed " .. seed)
    end
  end)
end)

describe("CSV by every way to scan that the processor has", function()
  -- Everything that a source gives, as text.
  local function dump(text, size, marks)
    local source = core.source { format = "csv", delimiter = ",", marks = marks }
    local out, at = {}, 1
    local function note(...)
      for i = 1, select("#", ...) do
        local value = select(i, ...)
        if type(value) == "table" then
          local keys = {}
          for key in pairs(value) do
            keys[#keys + 1] = tostring(key)
          end
          table.sort(keys)
          for _, key in ipairs(keys) do
            out[#out + 1] = key .. "=" .. tostring(value[key] or value[tonumber(key)])
          end
        else
          out[#out + 1] = tostring(value)
        end
      end
      out[#out + 1] = "\n"
    end
    while true do
      local row, state, detail = source:read()
      if row == nil and state == "need" then
        if at > #text then
          source:finish()
        else
          source:feed(text:sub(at, at + size - 1))
          at = at + size
        end
      else
        note(row, state, detail)
        if row == nil then
          source:close()
          return table.concat(out, " ")
        end
      end
    end
  end

  it("gives the same rows, faults and errors for random texts of every oddity", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    assert.is_true(#core.csv_marks >= 1)
    local alphabet = {
      ",", ",", ",", '"', '"', '""', "\n", "\r\n", "\r", "a", "bc", " ",
      "\0", "\195\169", "\255", "-0123456789", ("x"):rep(61), ("y"):rep(64),
    }
    for _ = 1, 400 do
      local parts = { "a,b,c\n" }
      for i = 2, math.random(2, 120) do
        local at = math.random(#alphabet)
        if alphabet[at] == "\0" and math.random(20) > 1 then
          at = 1
        end
        parts[i] = alphabet[at]
      end
      local text, size = table.concat(parts), math.random(1, 300)
      local want = dump(text, 1, "portable")
      for _, marks in ipairs(core.csv_marks) do
        assert.equal(want, dump(text, size, marks), marks .. ", seed " .. seed)
        assert.equal(want, dump(text, #text, marks), marks .. ", seed " .. seed)
      end
    end
  end)

  it("finds every mark at every place of a block", function()
    for _, marks in ipairs(core.csv_marks) do
      for place = 1, 200 do
        local cell = ("z"):rep(place)
        assert.equal(dump("a,b\n" .. cell .. ",2\n3,4\n", 1000, "portable"),
          dump("a,b\n" .. cell .. ",2\n3,4\n", 1000, marks))
        assert.truthy(dump('a,b\n"' .. cell .. '""\n,",2\n', 1000, marks):find("a=" .. cell .. '"\n, b=2', 1, true))
      end
    end
  end)
end)

describe("CSV at its edges", function()
  it("gives the same rows and faults in pieces of any size", function()
    local rows, errors = alike(scope3.csv,
      'id,"b ""c"""\r\n1,"x\r\ny"\r\n\r\n2\r\n3,"a"b\r\n4,a\0\r\n5,"é"\r\n6,"open\r\n7,8\r\n')
    assert.same({ { id = "1", ['b "c"'] = "x\r\ny" }, { id = "5", ['b "c"'] = "é" } }, rows)
    assert.same({ "ragged_row", 2, "stray_quote", 3, "nul_byte", 4, "unclosed_quote" },
      { errors[1][1], errors[1][2], errors[2][1], errors[2][2], errors[3][1], errors[3][2], errors[4][1] })
    assert.truthy(errors[4][3]:find("row 6 (line 9), column 2", 1, true), errors[4][3])
  end)

  it("ends with or without a line end, inside and outside quotes", function()
    for _, tail in ipairs { "2,3", "2,3\n", "2,3\r", '2,"3"', '"2","3"\r\n', "2,3\n\n\r\n" } do
      assert.same({ { a = "1", b = "" }, { a = "2", b = "3" } }, (alike(scope3.csv, "a,b\n1,\n" .. tail)))
    end
  end)

  it("with a header alone has no rows; with line ends alone it is empty", function()
    for _, text in ipairs { "id,b", "id,b\n", "\n\nid,b\r\n\r\n" } do
      assert.same({ {}, {} }, { alike(scope3.csv, text) })
    end
    for _, text in ipairs { "", "\n", "\r\n\r\n", "\239\187\191" } do
      local rows, errors = alike(scope3.csv, text)
      assert.same({}, rows)
      assert.equal("empty", errors[1] and errors[1][1])
    end
  end)

  it("of one column has a row for a blank and for empty quotes, and none for an empty line", function()
    assert.same({ { id = " " }, { id = "" }, { id = "1" } }, (alike(scope3.csv, 'id\n \n\n""\n1')))
  end)

  it("without a header is measured by its first row", function()
    local rows, errors = alike(scope3.csv, "\239\187\1911;2\n3\n4;5;6\n7;8", { header = false })
    assert.same({ { "1", "2" }, { "7", "8" } }, rows)
    assert.same({ "ragged_row", 2, "ragged_row", 3 }, { errors[1][1], errors[1][2], errors[2][1], errors[2][2] })
  end)

  it("looks for its delimiter in the first line only, and outside quotes", function()
    assert.same({ { ["a|b|c"] = "1;2;3", d = "4" } }, (alike(scope3.csv, '"a|b|c",d\n1;2;3,4\n')))
    assert.same({ { ["a\nb;;;"] = "1", c = "2" } }, (alike(scope3.csv, '"a\nb;;;",c\n1,2\n')))
    assert.same({ { id = "1" } }, (alike(scope3.csv, "id\n1\n")))
  end)

  it("takes its delimiter from a first line that spreadsheets write for one another", function()
    for _, line_end in ipairs { "\n", "\r\n", "\r" } do
      assert.same({ { ["a,b,c"] = "1", d = "2,5" } },
        (alike(scope3.csv, table.concat({ "sep=;", "a,b,c;d", "1;2,5", "" }, line_end))))
    end
    assert.same({ { a = "1", b = "2" } }, (alike(scope3.csv, "\239\187\191SEP=^\n\na^b\n1^2\n")))
    assert.same({ { "1", "2" } }, (alike(scope3.csv, "sep=|\n1|2\n", { header = false })))
    assert.same({ { a = "1", ["b|c"] = "2|3" } }, (alike(scope3.csv, "sep=|\na;b|c\n1;2|3\n", { delimiter = ";" })))
    assert.same({ { ["sep=ab"] = "1" }, { ["sep=ab"] = "2" } }, (alike(scope3.csv, "sep=ab\n1\n2\n")))
    local _, errors = alike(scope3.csv, 'sep=;\r\nid;b\r\n1;"x\r\n')
    assert.truthy(errors[1][3]:find("row 1 (line 3), column 2", 1, true), errors[1][3])
  end)

  it("says line, column and its name of a faulty row", function()
    local source = core.source { format = "csv" }
    source:feed('id,note\n1,"two\nlines"\n2,"x" y\n')
    source:finish()
    assert.same({ "id", "note" }, source:columns())
    assert.same({ id = "1", note = "two\nlines" }, (source:read()))
    local row, fault = source:read()
    assert.is_false(row)
    assert.same({ reason = "stray_quote", row = 2, line = 4, column = 2, column_name = "note" }, fault)
    assert.same({ nil, "end" }, { source:read() })
    source:close()
  end)

  it("with a row of over a megabyte, or of over 4096 columns, ends with the place", function()
    local function endless(head, part)
      local n = 0
      return function()
        n = n + 1
        return n == 1 and head or n < 200 and part or nil
      end
    end
    local cases = {
      { endless("id,b\n1,2\n3,", ("x"):rep(30000)), "row_too_long", "row 2" },
      { endless("id,b\n1,2\n3", (",x"):rep(1000)), "too_many_columns", "row 2" },
      { endless("id", (",x"):rep(1000)), "too_many_columns", "line 1" },
    }
    for i, case in ipairs(cases) do
      local rows, errors = read_all(assert(scope3.csv(case[1])))
      assert.same({ i < 3 and { id = "1", b = "2" } or nil }, rows)
      assert.equal(case[2], errors[1].code)
      assert.truthy(errors[1].message:find(case[3], 1, true), errors[1].message)
      assert.is_nil(errors[2])
    end
  end)
end)
