-- Numbers and JSON, read and written by the core: exactly, and without the C library.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local json = require "scope3.util.json"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- Numbers of every size, and seeds that repeat a run.
local function random_numbers(count)
  local seed = require "spec.support.seed"
  math.randomseed(seed)
  local list = {}
  for i = 1, count do
    local digits = {}
    for k = 1, math.random(1, 25) do
      digits[k] = math.random(0, 9)
    end
    local text = table.concat(digits)
    if math.random(3) > 1 then
      local at = math.random(0, #text)
      text = text:sub(1, at) .. "." .. text:sub(at + 1)
    end
    if math.random(3) == 1 then
      text = text .. "e" .. math.random(-340, 320)
    end
    list[i] = (math.random(4) == 1 and "-" or "") .. text
  end
  return list, "SCOPE3_SEED=" .. seed
end

describe("a number", function()
  it("is read as the nearest double, as the interpreter reads it", function()
    local hard = {
      "9007199254740993", "9007199254740992.9999999999999999999999999999999999999999999999",
        "9007199254740993.0000000000000000000000000000000000000001",
      "2.2250738585072011e-308", "4.9406564584124654e-324", "2.4703282292062327208e-324", "2.4703282292062328e-324",
        "1.7976931348623158e308",
      "1.7976931348623159e308", "8.5e22", "1e23", "0.002877", "0.1", "1e400", "-1e400", "1e-400",
        "123456789012345678901234567890", "00.5", "5.", ".5", "+7",
    }
    for text, want in pairs { ["0." .. ("0"):rep(5000) .. "1e5001"] = 1, [("1"):rep(5000)
      .. "e-4990"] = 10000000000 / 9, ["1e99999999999999999999"] = math.huge,
      ["-1e-99999999999999999999"] = 0, ["0e99999999999999999999"] = 0 } do
      assert.equal(want, core.number(text))
    end
    local random, seed = random_numbers(world.thorough and 20000 or 4000)
    for _, list in ipairs { hard, random } do
      for _, text in ipairs(list) do
        -- tonumber() of Lua 5.3 and later gives integers for texts of integers; the comparison is of their values
        local want = tonumber(text:find("[.eE]") and text or text .. ".0")
        local got = core.number(text)
        assert(got + 0.0 == want + 0.0, ("%s reads as %.17g and not as %.17g (%s)"):format(text, got, want, seed))
      end
    end
  end)

  it("is written so that it is read as the same again, and never longer than need be", function()
    for _, case in ipairs { { 0.1, "0.1" }, { 1e21, "1e+21" }, { 1e20, "100000000000000000000" }, { 123.25, "123.25" },
      { 1e-7, "1e-7" },
      { 0.000001, "0.000001" }, { -2.5, "-2.5" }, { 0.1 + 0.2, "0.30000000000000004" }, { 2 ^ 53, "9007199254740992" },
        { 5e-324, "5e-324" }, { 2 ^ -44, "5.684341886080802e-14" },
      { 1.7976931348623157e308, "1.7976931348623157e+308" }, { 100, "100" }, { 0 / 0, "null" }, { math.huge,
        "null" } } do
      assert.equal(case[2], json.encode(case[1]))
    end
    local random, seed = random_numbers(world.thorough and 20000 or 4000)
    for _, text in ipairs(random) do
      local number = tonumber(text) + 0.0
      if number == number and number ~= math.huge and number ~= -math.huge then
        assert.equal(number, core.number(json.encode(number)) + 0.0, seed)
      end
    end
  end)

  it("that is none is refused, whatever tonumber() thinks of it", function()
    for _, text in ipairs { "", " ", "-", "+", ".", "e5", "1e", "1e+", "0x10", "inf", "nan", "Infinity", "1 2", "1,5",
      "1_000", "--1", "1.2.3", "1f", "٣" } do
      assert.is_nil(scope3.number(text), text)
    end
    assert.equal(5, scope3.number(" 5\194\160"))
    assert.equal(2.5, scope3.number(2.5))
    assert.is_nil(scope3.number(nil))
    assert.has_error(function() scope3.number({}) end,
      "scope3.number: text must be a string or a number, not a table")
    assert.has_error(function() scope3.number("1", { decimal = ";" }) end, "scope3.number: decimal must be one of ., ,")
  end)

  it("is read as people write it where its decimal mark is given", function()
    local cases = {
      [","] = {
        ["1.200,50"] = 1200.5, ["1,200"] = 1.2, ["1.200"] = 1200, ["1.234.567,8"] = 1234567.8, ["700 EUR"] = 700,
          ["700EUR"] = 700, ["EUR 700,-"] = 700,
        ["€900"] = 900, ["900 €"] = 900, ["1 234,5"] = 1234.5, ["1\194\160234,5\194\160€"] = 1234.5,
          ["1\226\128\175234 %"] = 1234, ["-5,5"] = -5.5,
        ["5,5-"] = -5.5, ["(5,50 €)"] = -5.5, ["−3"] = -3, ["1'234,5"] = 1234.5, ["12,–"] = 12, ["kr 100"] = 100,
          ["100 zł"] = 100, [",5"] = 0.5, ["1e3"] = 1000,
        ["600"] = 600, ["R$ 1.000,00"] = 1000, ["1.5"] = false, ["0.500"] = false, ["1.20,5"] = false,
          ["1,2,3"] = false, ["700 Mio"] = false,
        ["12.03.2024"] = false, ["1.2345"] = false, ["700 EUR USD"] = false, ["--5"] = false, ["EUR"] = false,
          ["n/a"] = false, ["1.000 000"] = false,
        ["."] = false, [","] = false, ["€"] = false, ["(€)"] = false,
        ["12,-"] = 12, ["12,--"] = 12, ["12,—"] = 12, [",-"] = false, ["12,-5"] = false, ["‒3"] = -3, ["3–"] = -3,
          ["￠5"] = 5, ["₪ 5"] = 5, ["5 ％"] = 5, ["+5,5 €"] = 5.5, ["€ -5 €"] = false, ["(-5)"] = false, ["()"] = false,
          ["1\226\128\135234"] = 1234, ["1\226\128\137234"] = 1234, ["1.234e3"] = false, ["5e1 €"] = 50,
          ["\255"] = false, ["5\255"] = false, ["5 \195"] = false, ["€\128\128\128\128"] = false, ["1.234'567"] = false,
          ["0.123,5"] = false, ["1234.567"] = false, [".123"] = false, [("1"):rep(200) .. " €"] = false,
          ["1" .. (".000"):rep(80)] = false,
          ["1," .. ("0"):rep(300) .. " €"] = false, ["5e" .. ("1"):rep(300) .. "€"] = false,
      },
      ["."] = {
        ["1,200.50"] = 1200.5, ["1,200"] = 1200, ["1.200"] = 1.2, ["$900"] = 900, ["$1,234,567.89"] = 1234567.89,
          ["US$ 5"] = 5, ["5 US$"] = 5,
        ["1,00,000"] = 100000, ["₹12,34,567.5"] = 1234567.5, ["1’234.50"] = 1234.5, ["CHF 1'000.–"] = 1000,
          ["-$5"] = -5, ["$-5"] = -5, ["(12)"] = -12,
        ["12%"] = 12, ["¥1,000"] = 1000, ["1,20"] = false, ["1.200,50"] = false, ["1,2345"] = false, ["12,34"] = false,
          ["1,00,00"] = false, ["1,23,456,789"] = false,
        ["1 1/2"] = false, ["5k"] = false, ["AUD$ 5"] = 5, ["ABCD$ 5"] = false, ["5 AU$"] = 5, ["5 ABCD$"] = false,
          ["US"] = false, ["$"] = false, ["5 XXX"] = false, ["XXX 5"] = false,
          ["1,000,00"] = false, ["1234,567"] = false,
          ["12,345,67,890"] = false, ["1 234,567"] = false, ["1\226\128\153234"] = 1234,
      },
    }
    for decimal, texts in pairs(cases) do
      for text, want in pairs(texts) do
        assert.equal(want or nil, scope3.number(text, { decimal = decimal }), text .. " with " .. decimal)
      end
    end
  end)
end)

describe("a yes or no", function()
  it("is read from the usual words of the usual languages, in any case", function()
    for want, words in pairs {
      [true] = { "yes", "YES", " Yes ", "y", "True", "TRUE", "t", "1", "1.0", "on", "ja", "J", "Oui", "SÍ", "si", "Sim",
        "Tak", "evet", "WAHR", "vrai", "ДА", "はい" },
      [false] = { "no", "NO", "n", "False", "FALSE", "f", "0", "0.0", "off", "nein", "Nee", "non", "NÃO", "nie",
        "hayır", "HAYIR", "falsch", "faux", "НЕТ", "いいえ" },
    } do
      for _, word in ipairs(words) do
        assert.equal(want, scope3.yes(word), word)
      end
    end
    for _, word in ipairs { "", " ", "maybe", "2", "-1", "yes!", "yesno", "null", "n/a", "x", "o", "opt-in", "\255",
      ("yes"):rep(100) } do
      assert.is_nil(scope3.yes(word), word)
    end
    assert.same({ true, false, true, false }, { scope3.yes(true), scope3.yes(false), scope3.yes(1), scope3.yes(0) })
    assert.is_nil(scope3.yes(nil))
    assert.is_nil(scope3.yes({}))
  end)
end)

describe("JSON", function()
  it("is read strictly, with nulls, duplicates and numbers as they should be", function()
    local read = json.decode('\239\187\191 {"a":[1,2.5,{"b":null}],"c":"x\\u00e9\\ud83d\\ude00\\n\\/","a":[],'
      .. '"d":[true,false],"e":123456789012345}\r\n')
    assert.same({ a = {}, c = "xé😀\n/", d = { true, false }, e = 123456789012345 }, read)
    assert.equal(scope3.null, json.decode("null"))
    assert.equal(scope3.null, json.decode("[null]")[1])
    assert.same({ "\1\255" }, json.decode('["\1\255"]'))
    local function nested(depth)
      return ("["):rep(depth) .. ("]"):rep(depth)
    end
    assert.is_table(json.decode(nested(64)))
    for _, text in ipairs { "", " ", "[1,]", '{"a":1,}', "{a:1}", "[1 2]", "tru", '"\\ud800"', '"\\udc00x"',
      '"\\u12g4"', '"ab', '{"a"}', '{"a":}', "[", "{", "1 2",
      "[1]]", '"\0"', "[01]", "[+1]", "[1.]", "[.5]", "[-]", "[1e]", "[nan]", "[0x10]", "{1:2}", '{"a":1 "b":2}',
        "[,1]", "]", ",", nested(65) } do
      local value, message = json.decode(text)
      assert.is_nil(value, text)
      assert.truthy(message:find("no JSON", 1, true))
    end
  end)

  it("is written with its keys in order, and never shows what cannot be", function()
    assert.equal('{"3":4,"a":"x/y\\"\\u0001é","b":[1,2,{}],"c":[],"d":[null,true]}',
      json.encode { b = { 1, 2, {} }, a = 'x/y"\1é', c = json.array {}, d = { scope3.null, true }, [3] = 4 })
    local round = {}
    round[1] = round
    assert.has_error(function() json.encode(round) end, "a table is too deep for JSON, or lies within itself")
    assert.has_error(function() json.encode { print } end)
  end)
end)

describe("JSON of this library", function()
  it("writes empty arrays as arrays and keys in order", function()
    assert.equal('{\n  "a": [],\n  "b": {},\n  "c": 1\n}', json.pretty { c = 1, a = json.array {}, b = {} })
    assert.same({ c = "x/y" }, cjson.decode(json.pretty { c = "x/y" }))
  end)
end)
