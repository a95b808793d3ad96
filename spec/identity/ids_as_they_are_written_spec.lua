-- An external id is one id however a spreadsheet or a program wrote it; repairs are counted.
-- Words for no value are refused.
local core = require "scope3.core"
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

-- What is read as another id, by what was repaired.
local REPAIRED = {
  id_edges = { "4711 ", " 4711", "\194\1604711", "4711\n", "\239\187\1914711", "\226\128\1394711\226\128\139",
    "\0314711", "\0014711\0", "\127\194\1334711", "\226\128\1744711" },
  id_marks = {
    '="4711"', "'4711", "=4711", '"4711"', "'4711'", "\226\128\1524711\226\128\153",
    "4711'", "`4711`", "b'4711'", 'u"4711"', "N'4711'", '"4711', "''4711", "\194\1804711",
  },
  id_decimal = { "4711.0", "4711.00", "4711,0", "4711.000", "4711.000000" },
}
local REFUSED = {
  id_placeholder = { "NULL", "null", "\\N", "#N/A", "#NV", "#NAME?", "#REF!", "#WERT!", "#DIV/0!",
    "#\194\191NOMBRE?", "undefined", "none", "None", "n/a", "N/A", "nan", "NaN", "nil",
    "-", "--", "?", "...", "\226\128\148", "(null)", "<null>", "[NULL]", "(not set)", "(blank)", "unknown", "TBD",
      "n/d", "{null}", "$null$", "<none>", "(unknown)", "DBNull", "[object Undefined]", "#GETTING_DATA", "Keine Angabe",
      "{{customer.id}}", "${ID}", "*|ID|*", "%%ID%%", "<%= id %>", "'{{ID}}'",
      "nullnull", "None None", "<NA>", "-Infinity", "[object Object]", "undefined-undefined",
    "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", " null ", "'NULL'", ("0"):rep(64),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
  id_spreadsheet = { "7.01235E+12", "7,01235E+12", "1,23E+05", "1E+12", "7.01235e12", "-7.01235E+12", "'7.01235E+12",
    '="7.01E+12"', "12.000", "1,000", " 7.01235E+12 " },
  id_control = { "47\00111", "47\01211", "47\t11", "47\n11", "47\226\128\13911", "47\194\17311", "47\12711" },
  id_lost = { "M\239\191\189ller" },
  no_external_id = { "", " ", "\226\128\139", "\239\187\191 ", "\t" },
}
local KEPT = { "4711", "{4711}", "{{4711", "$4711", "%4711%", "b-4711", "Bo'b",
  "00123", "0", "test", "x", "12E5", "1E10", "1E-05", "7E3", "123.5", "1.2.3", "10.20", "a b",
  "nullify", "nana", "none-of-them", "o'neil", "C:\\4711", "#4711",
  "*4711", "-4711", "_4711", "a=b", "abc=", "{4711}", "Zo\195\171", "\227\129\130", "\240\159\152\128",
    "47\194\16011" }

describe("an external id", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("is the same however it is written, and what was repaired is counted; without repairing it is refused", function()
    for repair, values in pairs(REPAIRED) do
      for _, value in ipairs(values) do
        assert.same({ "4711", { repair } }, { scope3.external_id.normalize(value) }, ("%q"):format(value))
        local id, err = scope3.external_id.normalize(value, { repair = false })
        assert.same({ nil, "id_unrepaired" }, { id, err.code })
      end
    end
    assert.same({ "00123", { "id_edges", "id_marks" } }, { scope3.external_id.normalize(' ="00123"\r\n') })
  end)

  it("that stands for no value, or has lost a part, is refused by its own reason", function()
    for reason, values in pairs(REFUSED) do
      for _, value in ipairs(values) do
        assert.same({ nil, reason }, {
          (scope3.external_id.normalize(value)), reason_of(scope3.external_id.normalize(value)),
        }, ("%q"):format(value))
      end
    end
  end)

  it("of any other form goes as it is", function()
    for _, value in ipairs(KEPT) do
      assert.same({ value }, { scope3.external_id.normalize(value) }, ("%q"):format(value))
    end
  end)

  it("is one in a file, in JSON Lines, in rows and in members, added or removed", function()
    local client = assert(sandbox:client())
    local ways = { "4711 ", "'4711", '="4711"', "4711.0" }
    local csv, jsonl, list = { "id,email" }, {}, {}
    for i, id in ipairs(ways) do
      csv[i + 1] = ('"%s",a%d@b.example'):format(id:gsub('"', '""'), i)
      jsonl[i] = ('{"id":"%s","email":"a%d@b.example"}'):format(id:gsub('"', '\\"'), i)
      list[i] = { id = id, email = ("a%d@b.example"):format(i) }
    end
    jsonl[#jsonl + 1] = '{"id":4711.0,"email":"n@b.example"}'
    jsonl[#jsonl + 1] = '{"id":4711,"email":"n@b.example"}'
    list[#list + 1] = { id = 4711.0, email = "n@b.example" }
    local repaired = { id_edges = 1, id_marks = 2, id_decimal = 1 }
    local function member(row)
      return { external_id = row.id, email = row.email }
    end
    for _, script in ipairs { { map = { external_id = "id", email = "email" } }, { member = member } } do
      script.audience = "crm"
      local files = { world.file(table.concat(csv, "\n") .. "\n", ".csv"), world.file(table.concat(jsonl,
        "\n") .. "\n", ".jsonl") }
      for i, input in ipairs { { files[1] }, { files[2] }, false } do
        local at = 0
        local res = assert(client:run(script, input or function()
          at = at + 1
          return list[at]
        end))
        world.assert_sums(res)
        assert.same({ 1, {} }, { res.accepted, res.rejected })
        local want = repaired
        if i == 2 and script.map then
          want = { id_edges = 1, id_marks = 2, id_decimal = 2 } -- 4711.0 as a number too
        end
        assert.same(want, res.repaired)
        assert.same({ "4711" }, sandbox:ids "crm")
        local gone = assert(scope3.audience "crm")
        assert(gone:remove { external_id = ways[i] })
        assert(client:sync(gone))
        assert.same({}, sandbox:ids "crm")
      end
    end
    assert.equal("external_id_type", next(assert(client:run({ audience = "crm", map = { external_id = "id",
      email = "email" } },
      { world.file('{"id":4711.5,"email":"a@b.example"}\n', ".jsonl") })).rejected))
  end)

  it("is the first of several columns that can be used, and the others are dropped and counted", function()
    local file = world.file("a,b,email\nNULL,1,a@b.example\n2,NULL,b@b.example\n,null,c@b.example\n"
      .. "j@x.example,#N/A,d@b.example\n7.01E+12,' 3,e@b.example\n")
    local rejections = {}
    local script = { audience = "x", map = { external_id = { "a", "b" }, email = "email" } }
    local res = assert(scope3.client {}:run(script, { file }, { dry_run = true, on_reject = function(rejection)
      rejections[#rejections + 1] = ("%d %s %s"):format(rejection.row, rejection.column, rejection.reason)
    end }))
    world.assert_sums(res)
    assert.same({ 3, { id_placeholder = 1, id_email = 1 } }, { res.members, res.rejected })
    assert.same({ { id_placeholder = 1, id_spreadsheet = 1 }, { id_marks = 1 } }, { res.dropped, res.repaired })
    assert.same({ "1 a id_placeholder", "3 b id_placeholder", "4 a id_email", "5 a id_spreadsheet" }, rejections)
  end)

  it("of 0 is one, and where several rows have it that is said", function()
    local client = assert(scope3.client {})
    local function run(text)
      return assert(client:run({ audience = "a", map = { external_id = "id", email = "email" } },
        { world.file(text) }, { dry_run = true }))
    end
    assert.equal(0, #run("id,email\n0,a@b.example\n1,b@b.example\n").warnings)
    local warning = run("id,email\n0,a@b.example\n0,b@b.example\n5,c@b.example\n").warnings[1]
    assert.same({ "ids_are_zero", 2 }, { warning.code, warning.rows })
  end)

  it("gives the same by the short way of plain ids as by the long one, at every length and place", function()
    for length = 1, 40 do
      for at = 1, length do
        for odd in ("@ +.-_aZ9/:`{[\127"):gmatch "." do
          local text = ("7"):rep(at - 1) .. odd .. ("7"):rep(length - at)
          assert.equal((core.id_read(text .. "\t", true)), (core.id_read(text, true)), text)
        end
      end
    end
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local letters = "aEn0019-_0.5uldiN+"
    for _ = 1, 20000 do
      local text = {}
      for i = 1, math.random(1, 12) do
        local at = math.random(#letters)
        text[i] = letters:sub(at, at)
      end
      text = table.concat(text)
      local short, short_why = core.id_read(text, true)
      local long, long_why = core.id_read(text .. "\t", true) -- a tab is taken off by the long way alone
      assert.equal(long, short, text)
      if not short then
        assert.equal(long_why, short_why, text)
      end
    end
  end)
end)

describe("an id that is a number of Lua", function()
  it("is refused from 2^53 on where it is no integer, in rows as in members: people may have become one", function()
    for _, value in ipairs { 2 ^ 53, -2 ^ 53, 2 ^ 53 + 2, 1e16, 1e17, 1e20, 1e21, 1e22 } do
      local rows = { { id = value, email = "a@x.example" } }
      local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email" } },
        function() return table.remove(rows) end, { dry_run = true }))
      assert.same({ external_id_type = 1 }, res.rejected)
      local ok, err = assert(scope3.audience "a"):add { external_id = value, email = "a@x.example" }
      assert.same({ nil, "external_id_type" }, { ok, not ok and err.code })
    end
    local rows = {
      { id = 2 ^ 53 - 1, n = 1e16, email = "a@x.example" }, { id = 1e15, n = 1e17, email = "b@x.example" },
    }
    local res = assert(scope3.client {}:run({ audience = "a", where = { n = { eq = 1e16 } },
      map = { external_id = "id", email = "email" } }, function() return table.remove(rows) end, { dry_run = true }))
    assert.same({ 1, {} }, { res.members, res.rejected })
  end)
end)
