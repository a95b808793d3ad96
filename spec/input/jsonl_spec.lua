-- JSON Lines: its rows and faults, and what becomes of each kind of value.
local core = require "scope3.core"
local reading = require "spec.support.reading"
local scope3 = require "scope3"

local alike, in_pieces, read_all = reading.alike, reading.in_pieces, reading.read_all

local function jsonl(text)
  return read_all(assert(scope3.jsonl(in_pieces(text, 65536))))
end

describe("JSON Lines", function()
  it("give one row an object, with strings unescaped and numbers exact", function()
    local rows, errors = jsonl('\239\187\191{"a":"x\\n\\u00e9\\ud83d\\ude00\\/","n":12,"t":true,"f":false,'
      .. '"z":null}\r\n\n  \n'
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

  it("report faulty lines and go on", function()
    local bad = {
      '{"a":1', '{"a" 1}', "{'a':1}", '{"a":01}', '{"a":1,}', '{"a":"\t"}', '{"a":tru}',
      '{"a":1}x', '{"a":"\\x"}', "[1]", '"s"', "12", '{"a":"\255"}', '{"a":"\\ud800"}',
      '{"a":"\\ud800\\u0041"}', '{"a":' .. ("["):rep(80) .. ("]"):rep(80) .. "}",
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

  it("resynchronise after a line that is too long", function()
    local rows, errors = read_all(assert(scope3.jsonl(in_pieces('{"a":"' .. ("x"):rep(3000000)
      .. '"}\n{"a":"y"}\n', 65536))))
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

describe("values of JSON Lines", function()
  it("give the same rows and faults in pieces of any size", function()
    local rows, errors = alike(scope3.jsonl,
      '{"a":"\\u00e9","b":[1,{"c":"}"}]}\r\n{"a"\n\n[]\n{"a":"\255"}\n{"a":"last"}')
    assert.same({ { a = "é", b = { 1, { c = "}" } } }, { a = "last" } }, rows)
    assert.same({ "bad_json", 2, "not_an_object", 3, "invalid_utf8", 4 },
      { errors[1][1], errors[1][2], errors[2][1], errors[2][2], errors[3][1], errors[3][2] })
  end)

  it("join surrogate pairs to the ends of Unicode, and refuse every half", function()
    local rows, errors = jsonl('{"a":"\\ud800\\udc00\\uDBFF\\uDFFF\\ufffd","\\ud83d\\ude00":"\\u0000"}\n')
    assert.same({}, errors)
    assert.same({ { a = "\240\144\128\128\244\143\191\191\239\191\189", ["😀"] = "\0" } }, rows)
    for _, half in ipairs {
      "\\udc00", "\\ud800", "\\ud800x", "\\ud800\\ud800\\udc00", "\\udc00\\ud800", "\\ud800\\n",
    } do
      for _, line in ipairs { '{"a":"%s"}', '{"%s":1}' } do
        rows, errors = jsonl(line:gsub("%%s", (half:gsub("%%", "%%%%"))) .. '\n{"b":true}')
        assert.same({ { b = true } }, rows)
        assert.equal("invalid_utf8", errors[1] and errors[1].code)
      end
    end
  end)

  it("are numbers while a number holds them exactly, and their text beyond", function()
    local cases = {
      ["0"] = 0, ["-1"] = -1, ["7"] = 7, ["999999999999999"] = 999999999999999, ["-0.5"] = -0.5, ["1e2"] = 100,
      ["2.5E-1"] = 0.25, ["9007199254740993"] = "9007199254740993", ["-12345678901234567890"] = "-12345678901234567890",
      ["0.12345678901234567"] = "0.12345678901234567",
    }
    for text, want in pairs(cases) do
      local rows = jsonl('{"n":' .. text .. "}")
      assert.equal(want, rows[1] and rows[1].n)
    end
    if math.type then
      local rows = jsonl('{"n":12,"d":12.0}')
      assert.same({ "integer", "float" }, { math.type(rows[1].n), math.type(rows[1].d) })
    end
    for _, bad in ipairs { "01", "+1", ".5", "1.", "1e", "-", "0x10", "NaN", "Infinity", "1_000" } do
      local _, errors = jsonl('{"n":' .. bad .. "}")
      assert.equal("bad_json", errors[1] and errors[1].code, bad)
    end
  end)

  it("of a repeated key are those of the last, whatever their kinds", function()
    assert.same({ { a = "x" }, { a = { 2 } }, {} },
      (jsonl('{"a":1,"a":null,"a":"x"}\n{"a":"1","a":[2]}\n{"a":1,"a":null}')))
    assert.same({ { ["é"] = "2" } }, (jsonl('{"é":"1","\\u00e9":"2"}')))
  end)

  it("that are nested stay text where nothing decodes them", function()
    local source = core.source { format = "jsonl" }
    source:feed('{"o": {"k" : [1, 2]} , "l":[]}\n')
    source:finish()
    assert.same({ o = '{"k" : [1, 2]}', l = "[]" }, (source:read()))
    source:close()
  end)

  it("that are no text at all are refused as CSV is", function()
    local cases = {
      [""] = "empty", ["{\0\"\0a\0\"\0"] = "utf16", ["\31\139\8\0\0\0"] = "gzip", ["PK\3\4\20\0\6\0"] = "zip",
      ["\127ELF\2\1\1\0"] = "program", ["\1\2\3\4\5\6\7\n"] = "binary",
    }
    for text, want in pairs(cases) do
      local rows, errors = jsonl(text)
      assert.same({}, rows)
      assert.equal(want, errors[1] and errors[1].code)
      assert.is_nil(errors[2])
    end
    assert.same({ {}, {} }, { jsonl("\n\r\n  \n") })
  end)

  it("of a line over a megabyte are counted as one row, wherever it stands", function()
    local long = '{"a":"' .. ("x"):rep(1500000) .. '"}'
    local rows, errors = jsonl('{"a":"1"}\n' .. long .. "\n" .. long .. '\n{"a":"2"}\n')
    assert.same({ { a = "1" }, { a = "2" } }, rows)
    assert.same({ "row_too_long", 2, "row_too_long", 3 },
      { errors[1].code, errors[1].row, errors[2].code, errors[2].row })
    assert.equal(2, #errors)
  end)
end)
