-- What becomes of inputs whose first bytes are nearly those of another format, or that are cut or very long somewhere.
-- It does not depend on the pieces that the input comes in.
local scope3 = require "scope3"
local world = require "spec.support.world"

local ROW = '{"id":"1","mail":"a@x.example"}'
local LONG = ("x"):rep(300)

local function pieces(text, size)
  local at = 1
  return function()
    if at <= #text then
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end
  end
end

-- Members and rows, and the reason of a rejection; or the error.
local function outcome(format, text, size, where)
  local input = assert(scope3[format](pieces(text, size)))
  local map = { external_id = "id", email = "mail" }
  local res, err = scope3.client({}):run({ audience = "a", map = map, where = where }, input, { dry_run = true })
  if not res then
    return err.message
  end
  local reason = next(res.rejected)
  return ("%d of %d%s"):format(res.members, res.rows, reason and " " .. reason or "")
end

local function check(format, expected)
  for text, wanted in pairs(expected) do
    for _, size in ipairs { 1, 7, 1000, 2 ^ 22 } do
      if #text / size < 10000 then
        local said = outcome(format, text, size)
        assert.truthy(said == wanted or said:find(wanted, 1, true),
          ("%q in pieces of %d: %s"):format(text:sub(1, 80), size, said))
      end
    end
  end
end

describe("JSON Lines", function()
  it("that are one object with rows inside are told so, where the path can be written", function()
    check("jsonl", {
      ['{"a":{"b":[' .. ROW .. "]}}\n"] = "in an array under 'a.b'",
      ['{"a":{"b":{"c":[' .. ROW .. "]}}}\n"] = "keys that rows have are: a",
      ['{"a":{"' .. LONG .. '":[' .. ROW .. "]}}\n"] = "keys that rows have are: a",
      ['{"' .. LONG .. '":[' .. ROW .. "]}\n"] = "2 problems",
    })
  end)

  it("that are one object of about a megabyte with rows inside are told so, however much comes at once", function()
    local function object(bytes)
      local start = '{"rows":[' .. ROW .. '],"note":"'
      return start .. ("x"):rep(bytes - #start - 2) .. '"}\n'
    end
    check("jsonl", {
      [object(2 ^ 20)] = "its only row is an object with others inside",
      [object(2 ^ 20 + 1)] = "the file is one object with its rows inside",
      [object(2 ^ 20 + 500)] = "the file is one object with its rows inside",
      [object(2 ^ 20 + 3000)] = "the file is one object with its rows inside",
    })
  end)

  it("that are cut in a row, or hold what is no row, lose that row and no other", function()
    local cut = '{"id":"1","mail":"a@x.example","a":'
    check("jsonl", {
      [cut .. '{"b":1'] = "0 of 1 bad_json", [cut .. "[1"] = "0 of 1 bad_json", [cut .. '{"b"'] = "0 of 1 bad_json",
      [ROW .. "\n" .. cut .. "[[1"] = "1 of 2 bad_json", ['"a"'] = "0 of 1 not_an_object",
      [("x"):rep(2000)] = "0 of 1 bad_json", [("x"):rep(2000) .. "\n" .. ROW .. "\n"] = "1 of 2 bad_json",
      [ROW .. ROW .. "\239"] = "2 of 3 invalid_utf8", [ROW .. "\n\239"] = "1 of 2 invalid_utf8",
      [ROW .. ROW .. "\239\187\191" .. ROW] = "3 of 3", ["[" .. ROW .. "]\239"] = "behind the end of the array",
    })
  end)

  it("may have long keys, lines whose end comes late, and columns that are none", function()
    check("jsonl", {
      ['{"id":"1","mail":"a@x.example","' .. LONG .. '":"y"}\n'] = "1 of 1",
      ['{"id":"1","mail":"a@x.example","n":"' .. ("x"):rep(985) .. '"}\r\n' .. ROW .. "\r\n"] = "2 of 2",
      ['"a",b'] = "its first line holds columns of text", ['"a"\0b'] = "its first line holds control characters",
      ['{"id":-5,"mail":"a@x.example"}'] = "1 of 1", ['{"id":5,"mail":"a@x.example"}'] = "1 of 1",
    })
  end)
end)

describe("CSV", function()
  it("that begins like JSON or XML is told from it", function()
    check("csv", {
      ["{\r\n"] = "the file is JSON", ["{\r"] = "the file is JSON", ["[\r\n1,2\r\n"] = "the file is JSON",
      ["<a>\n1,2\n"] = "it is XML", ["<a,b>\n1,2\n"] = "the columns are: <a, b>",
      ["<a@x.example>,b\n1,2\n"] = "looks like data", ["<b@c"] = "one line without an end",
      ['"sep=\\t'] = "a quote is opened",
    })
  end)

  it("with a row of over a mebibyte ends there", function()
    check("csv", { ["id,mail\n1," .. ("x"):rep(3 * 2 ^ 20)] = "a row is over 1 MiB" })
  end)

  it("with rows inside of a quoted field counts the field, and reads on behind it", function()
    local rows = ("2,b@x.example\n"):rep(12)
    check("csv", {
      ['id,mail\n1,"a\n' .. rows .. 'c"\n3,c@x.example\n'] = "1 of 2 no_identifier",
      ['id,mail\n"1\n' .. rows .. '9",c@x.example\n'] = "0 of 1 id_control",
      ['id,mail\n"1\n' .. ("zz,yy\n"):rep(12) .. 'no comma\n9",c@x.example\n'] = "0 of 1 id_control",
      ['id,mail\n"1\n' .. ("zz,yy\n"):rep(9) .. ("no comma\n"):rep(9) .. '9",c@x.example\n'] = "0 of 1 id_control",
      ['id,mail,x\n"1\n' .. ("zz,b@x.example,1\n"):rep(4) .. '9",c@x.example,4\n'] = "0 of 1 id_control",
    })
  end)
end)

describe("a pattern of paths", function()
  teardown(world.clean)

  it("that goes on below a file matches nothing", function()
    local path = world.file("id,mail\n1,a@x.example\n", ".csv")
    local map = { external_id = "id", email = "mail" }
    local res, err = assert(scope3.client {}):run({ audience = "a", map = map }, path .. "/*.csv", { dry_run = true })
    assert.is_nil(res)
    assert.equal("source", err.kind)
  end)
end)

describe("a condition", function()
  it("compares numbers in any form, and does not take thousands for fractions", function()
    for value, wanted in pairs { ["1.2E4"] = "1 of 1", ["1.2e4"] = "1 of 1", ["1.2E1"] = "0 of 1",
      ["+1.234"] = "0 of 1",
      ["-1.234"] = "0 of 1", ["+101"] = "1 of 1" } do
      local row = ('{"id":"1","mail":"a@x.example","v":"%s"}\n'):format(value)
      assert.equal(wanted, outcome("jsonl", row, 1000, { v = { gt = 100 } }), value)
    end
  end)

  it("takes 1 for yes and 0 for no, and no other number", function()
    for value, wanted in pairs { ["1"] = "1 of 1", ["0"] = "0 of 1", ["2"] = "0 of 1", ["-1"] = "0 of 1" } do
      local row = ('{"id":"1","mail":"a@x.example","v":%s}\n'):format(value)
      assert.equal(wanted, outcome("jsonl", row, 1000, { v = { yes = true } }), value)
    end
  end)

  it("compares texts that are longer than a page with none", function()
    local row = '{"id":"1","mail":"a@x.example","v":"y"}\n'
    assert.equal("0 of 1", outcome("jsonl", row, 1000, { v = ("x"):rep(5000) }))
    local long = "\196\176"
    assert.equal("0 of 1", outcome("jsonl", (row:gsub('"y"', '"' .. long:rep(900) .. '"')), 1000,
      { v = ("i\204\135"):rep(900) }))
  end)
end)
