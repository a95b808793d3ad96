-- CSV and JSON Lines, from paths, files and readers.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- A reader that gives a text in pieces of `size` bytes.
local function in_pieces(text, size)
  local at = 1
  return function()
    if at <= #text then
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end
  end
end

-- All rows, and the errors among them.
local function read_all(source)
  local rows, errors = {}, {}
  for row, err in source do
    if row then
      rows[#rows + 1] = row
    else
      errors[#errors + 1] = err
    end
  end
  return rows, errors
end

local function csv(text, opts)
  return read_all(assert(scope3.csv(in_pieces(text, 65536), opts)))
end

local function jsonl(text)
  return read_all(assert(scope3.jsonl(in_pieces(text, 65536))))
end

describe("CSV", function()
  teardown(world.clean)

  it("is read as RFC 4180 has it, in pieces of any size", function()
    local text = 'id,note,x\r\n1,"a, b",2\r\n2,"say ""hi""",\r\n3,"two\r\nlines",""\r\n4,plain "quote" inside, spaced \r\n5,"""",""""""'
    for _, size in ipairs { 1, 2, 7, 1000 } do
      local rows, errors = read_all(assert(scope3.csv(in_pieces(text, size))))
      assert.same({}, errors)
      assert.same({
        { id = "1", note = "a, b", x = "2" }, { id = "2", note = 'say "hi"', x = "" }, { id = "3", note = "two\r\nlines", x = "" },
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

  it("finds its delimiter by itself, and takes the one that is told", function()
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

  it("tells of faulty rows by row and column, and goes on", function()
    local rows, errors = csv('id,b,c\n1,2,3\n2,3\n3,4,5,6\n4,"x"y,5\n5,a\0b,6\n6,"q\0",7\n7,8,9\n')
    assert.same({ { id = "1", b = "2", c = "3" }, { id = "7", b = "8", c = "9" } }, rows)
    local seen = {}
    for i, err in ipairs(errors) do
      seen[i] = { err.code, err.row, err.message:match("column %d") }
      assert.equal("source", err.kind)
    end
    assert.same({
      { "ragged_row", 2, "column 3" }, { "ragged_row", 3, "column 4" }, { "stray_quote", 4, "column 2" }, { "nul_byte", 5, "column 2" },
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
      [""] = { "empty", "empty" }, ["\255\254i\0d\0\n\0"] = { "utf16", "iconv" }, ["\254\255\0i\0d"] = { "utf16", "iconv" },
      ["i\0d\0,\0b\0\n\0001\0"] = { "utf16", "iconv" }, ["\255\254\0\0i\0\0\0"] = { "utf32", "iconv" },
      ["\31\139\8\0\0\0\0\0"] = { "gzip", "gunzip" }, ["PK\3\4\20\0\6\0"] = { "zip", "export it as CSV" },
      ["\137PNG\r\n\26\n\0\0\0\13IHDR"] = { "binary", "not text" }, ["\127ELF\2\1\1\0"] = { "binary", "not text" },
    }
    for text, want in pairs(cases) do
      local rows, errors = csv(text)
      assert.same({}, rows)
      assert.equal(want[1], errors[1] and errors[1].code)
      assert.truthy(errors[1].message:find(want[2], 1, true), errors[1].message)
    end
  end)

  it("reads back whatever was written, with every quoting oddity", function()
    local seed = os.time()
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
          if value:find('[,;"\r\n|\t]') or value == "" or math.random(3) == 1 then
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

describe("JSON Lines", function()
  it("give one row an object, with strings unescaped and numbers exact", function()
    local rows, errors = jsonl('\239\187\191{"a":"x\\n\\u00e9\\ud83d\\ude00\\/","n":12,"t":true,"f":false,"z":null}\r\n\n  \n'
      .. '{"n":12345678901234567890,"d":1.5,"o":{"k":[1,2]},"a":"1","a":"2"}\n{}')
    assert.same({}, errors)
    assert.equal(3, #rows)
    assert.same({ a = "x\né😀/", n = 12, t = true, f = false }, rows[1])
    assert.equal("12345678901234567890", rows[2].n)
    assert.equal(1.5, rows[2].d)
    assert.equal("2", rows[2].a)
    assert.same({ 1, 2 }, rows[2].o.k)
    assert.same({}, rows[3])
  end)

  it("tell of faulty lines and go on", function()
    local bad = {
      '{"a":1', '{"a" 1}', "{'a':1}", '{"a":01}', '{"a":1,}', '{"a":"\t"}', '{"a":tru}', '{"a":1}x', '{"a":"\\x"}', "[1]", '"s"', "12",
      '{"a":"\255"}', '{"a":"\\ud800"}', '{"a":"\\ud800\\u0041"}', '{"a":' .. ("["):rep(80) .. ("]"):rep(80) .. "}",
    }
    local rows, errors = jsonl(table.concat(bad, "\n") .. '\n{"a":"fine"}\n')
    assert.same({ { a = "fine" } }, rows)
    assert.equal(#bad, #errors)
    local codes = {}
    for i, err in ipairs(errors) do
      codes[err.code] = (codes[err.code] or 0) + 1
      assert.equal(i, err.row)
    end
    assert.same({ bad_json = 10, not_an_object = 3, invalid_utf8 = 3 }, codes)
  end)

  it("resynchronise behind a line that is too long", function()
    local rows, errors = read_all(assert(scope3.jsonl(in_pieces('{"a":"' .. ("x"):rep(3000000) .. '"}\n{"a":"y"}\n', 65536))))
    assert.same({ { a = "y" } }, rows)
    assert.equal("row_too_long", errors[1].code)
  end)

  it("read the same in pieces of one byte", function()
    local text = '{"a":"\\u00e9 x","b":[1,{"c":"]"}]}\n{"a":"2"}'
    local rows = read_all(assert(scope3.jsonl(in_pieces(text, 1))))
    assert.equal("é x", rows[1].a)
    assert.same({ 1, { c = "]" } }, rows[1].b)
    assert.equal("2", rows[2].a)
  end)
end)

describe("a source", function()
  teardown(world.clean)

  it("comes from a path, an open file or a function", function()
    local path = world.file("id\n1\n")
    assert.same({ { id = "1" } }, (read_all(assert(scope3.csv(path)))))
    local file = assert(io.open(path))
    assert.same({ { id = "1" } }, (read_all(assert(scope3.csv(file)))))
    file:close()
  end)

  it("that cannot be read is nil and an error that names the path", function()
    local source, err = scope3.csv("/no/such/file.csv")
    assert.is_nil(source)
    assert.equal("source", err.kind)
    assert.truthy(err.message:find("/no/such/file.csv: No such file", 1, true))
    source, err = scope3.jsonl("spec")
    assert.is_nil(source)
    assert.truthy(err.message:find("spec: it is a directory", 1, true))
  end)

  it("whose reader fails tells so", function()
    local _, errors = read_all(assert(scope3.csv(function()
      return nil, "the pipe broke"
    end)))
    assert.truthy(errors[1].message:find("the pipe broke", 1, true))
  end)

  it("takes a chunk of any size", function()
    local rows = read_all(assert(scope3.csv(in_pieces("id,n\n" .. ("1,abcdefgh\n"):rep(200000), 2 ^ 30))))
    assert.equal(200000, #rows)
  end)

  it("refuses misuse by raising", function()
    for _, misuse in ipairs {
      function() scope3.csv(12) end, function() scope3.csv("x", { delimeter = "," }) end, function() scope3.csv("x", { delimiter = ",," }) end,
      function() scope3.csv("x", { delimiter = '"' }) end, function() scope3.jsonl("x", { header = true }) end, function() core.source { format = "xml" } end,
      function() core.source { format = "csv", paht = "x" } end,
    } do
      assert.has_error(misuse)
    end
    local source = core.source { format = "csv" }
    source:finish()
    assert.has_error(function() source:feed("x") end)
    source:close()
    source:close()
    assert.has_error(function() source:read() end, "attempt to use a closed source")
  end)
end)
