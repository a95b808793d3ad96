-- Rows that a condition skips are counted, and values that it cannot compare are warned of.
local cjson = require("cjson.safe").new()
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("what conditions skip", function()
  teardown(world.clean)
  local client = assert(scope3.client {})

  local function run(where, source, opts)
    local all = { dry_run = true, audience = "a" }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    local res = assert(client:run({ where = where, map = { external_id = "id", email = "mail" } }, source, all))
    world.assert_sums(res)
    return res
  end

  -- A file of rows whose column v has these values.
  local function file(values, name)
    local lines = { "id;mail;" .. (name or "v") }
    for i, value in ipairs(values) do
      lines[i + 1] = ("%d;p%d@example.com;%s"):format(i, i, value)
    end
    return world.file(table.concat(lines, "\n") .. "\n", ".csv")
  end

  -- The conditions of a result as "column operator seen skipped absent not_a_number not_yes_or_no other_case".
  local function told(res)
    local list = {}
    for i, c in ipairs(res.conditions) do
      list[i] = ("%s %s %d %d %d %d %d %d"):format(c.column, c.operator, c.seen, c.skipped, c.absent, c.not_a_number,
        c.not_yes_or_no, c.other_case)
    end
    return table.concat(list, "; ")
  end

  local function codes(res)
    local list = {}
    for i, warning in ipairs(res.warnings) do
      list[i] = warning.code
    end
    return table.concat(list, " ")
  end

  local SPENT = { "600", "1.200,50", "1,200", "700 EUR", "$900", "", "1.200" }

  it("is counted for each condition, and what is no number is a count of its own and a warning", function()
    local res = run({ v = { ge = 500 } }, file(SPENT))
    assert.same({ 1, 6, "v ge 7 6 1 4 0 0", "not_a_number number_notation" }, { res.members, res.skipped, told(res),
      codes(res) })
    local message = res.warnings[1].message
    assert.truthy(message:find("where['v'].ge compares with a number, and 4 of 7 values are none: numbers with a comma "
      .. "(2), numbers with a currency", 1, true),
      message)
    assert.truthy(message:find('decimal = ","', 1, true), message)
    for _, value in ipairs { "1.200,50", "700", "900" } do
      assert.is_nil(message:find(value, 1, true))
    end
    assert.same({ "v", "ge", 7 }, { res.warnings[1].column, res.warnings[1].operator, res.warnings[1].rows })
  end)

  it("is read as the condition says that numbers are written", function()
    for where, want in pairs {
      [{ v = { ge = 500, decimal = "," } }] = { 5, "v ge 7 2 1 0 0 0", "" }, -- 1,200 is a little over one
      [{ v = { ge = 500, decimal = "." } }] = { 4, "v ge 7 3 1 1 0 0", "not_a_number" },
      [{ v = { ge = 500, lt = 1000, decimal = "," } }] = { 3, "v ge 7 2 1 0 0 0; v lt 5 2 0 0 0 0", "" },
      [{ v = { ne = 1200, decimal = "," } }] = { 6, "v ne 7 1 0 0 0 0", "" },
      [{ v = { 1.2, 900, decimal = "," } }] = { 2, "v eq 7 5 1 0 0 0", "" },
      [{ v = { eq = 1200.5, decimal = "," } }] = { 1, "v eq 7 6 1 0 0 0", "" },
    } do
      local res = run(where, file(SPENT))
      assert.same(want, { res.members, told(res), codes(res) })
    end
  end)

  it("never reads a JSON number as thousands", function()
    local lines = '{"id":"1","mail":"a@b.co","v":1.200}\n{"id":"2","mail":"a@b.co","v":"1.200"}\n{"id":"3",'
      .. '"mail":"a@b.co","v":[1]}\n{"id":"4","mail":"a@b.co"}\n'
    local res = run({ v = { ge = 500, decimal = "," } }, world.file(lines, ".jsonl"))
    assert.same({ 1, "v ge 4 3 1 1 0 0" }, { res.members, told(res) })
    -- what was read and did not meet it is no doubt
    res = run({ v = { lt = 0, decimal = "," } }, file { "1.234,5", "1.5", "-5 €" })
    assert.same({ 1, "v lt 3 2 0 1 0 0" }, { res.members, told(res) })
    assert.truthy(res.warnings[1].message:find("1 of 3 values is none: numbers with a point (1)", 1, true),
      res.warnings[1].message)
  end)

  it("is a warning of its own where no row meets a condition, with what stands there instead", function()
    for _, case in ipairs {
      { { v = "JA" }, { "Ja", "ja", "nein", "1", "" },
        "5 rows that came to it: blank or missing (1), equal but for upper and lower case (2), "
          .. "plain numbers (1), other texts (1)" },
      { { v = { ge = 5 } }, { "5,5", "€ 6", "n/a", "", "4" },
        "5 rows that came to it: blank or missing (1), numbers with a comma (1), numbers with a currency, "
          .. "a per cent sign or parted thousands (1), plain numbers (1), other texts (1)" },
      { { v = { ge = 500 } }, { "1.200", "2.500" }, "2 rows that came to it: numbers such as 1.234 (2)" },
      { { v = { ge = 5000 } }, { "1,234.50", "$1,234.50" }, "2 rows that came to it: numbers with a comma (2)" },
      { { v = { present = true } }, { "", " " }, "2 rows that came to it: blank or missing (2)" },
      { { v = { yes = true } }, { "maybe", "no" }, "2 rows that came to it: other texts (2)" },
    } do
      local res = run(case[1], file(case[2]))
      assert.same({ 0, "condition_never_met" }, { res.members, codes(res) })
      assert.truthy(res.warnings[1].message:find("was met by none of " .. case[3], 1, true),
        res.warnings[1].message)
    end
    local res = run({ a = "x", v = "y" }, world.file("id,mail,a,v\n1,a@b.co,x,n\n2,a@b.co,z,y\n"))
    assert.equal("a eq 2 1 0 0 0 0; v eq 1 1 0 0 0 0", told(res)) -- of the rows that met the conditions before
    assert.equal("condition_never_met", codes(res))
    assert.equal("", codes(run({ v = "y" }, world.file("id,mail,v\n")))) -- nobody came
    res = run(function() return false end, file { "x" })
    assert.same({ 1, "no_row_taken" }, { res.skipped, codes(res) })
  end)

  it("is reported where texts differ in case only, and taken where that is asked for", function()
    local values = { "Ja", "ja", "JA ", "yes", "Straße", "STRASSE", "ΣΑΣ", "nein" }
    local res = run({ v = { "ja", "yes" } }, file(values))
    assert.same({ 2, "v eq 8 6 0 0 0 2", "other_case" }, { res.members, told(res), codes(res) })
    assert.truthy(res.warnings[1].message:find("2 of 8 values differ in upper and lower case alone; "
      .. "their rows were skipped. ignore_case = true", 1, true))
    res = run({ v = { ne = "ja" } }, file(values))
    assert.same({ 7, "v ne 8 1 0 0 0 2", "other_case" }, { res.members, told(res), codes(res) })
    assert.truthy(res.warnings[1].message:find("their rows were taken", 1, true))
    for where, members in pairs {
      [{ v = { "ja", "YES", ignore_case = true } }] = 4, [{ v = { eq = { "straße", "σας" }, ignore_case = true } }] = 2,
      [{ v = { ne = "JA", ignore_case = true } }] = 5, [{ v = { eq = "JA", ignore_case = false } }] = 1,
    } do
      res = run(where, file(values))
      assert.equal(members, res.members)
    end
    -- Bytes that are no text differ in more than case, and so do texts of other lengths.
    for wanted, value in pairs {
      ["MÜNCHEN"] = "münchen", ["Köln\255"] = "KÖLN\255", ["köln"] = "KÖLN\255", ["é"] = "e", ["ß"] = "ss",
      ["i"] = "İ", ["\195\132a"] = "ä", ["äb"] = "ÄC", [("ä"):rep(3000)] = ("Ä"):rep(3000),
    } do
      res = run({ v = wanted }, file { value })
      local other_case = wanted == "MÜNCHEN" and 1 or 0
      assert.same({ 0, other_case }, { res.members, res.conditions[1].other_case }, wanted:sub(1, 20))
    end
    res = run({ v = { "x", ignore_case = true } }, file { "\255X", ("x"):rep(5000), "X" })
    assert.equal(1, res.members)
  end)

  it("is never a date in another form, which bytes put anywhere", function()
    local values = { "2024-02-01", "31.12.2023", "12/31/2025", "20240301", "2023-12-31T23:59", "2024-01-01T00:00:00Z",
      "" }
    local res = run({ v = { ge = "2024-01-01" } }, file(values))
    assert.same({ 2, "v ge 7 5 1 0 0 0", 3, "not_a_date" }, { res.members, told(res), res.conditions[1].not_a_date,
      codes(res) })
    res = run({ v = { lt = "2024-01-01 12:00" } }, file(values))
    assert.same({ 1, 3 }, { res.members, res.conditions[1].not_a_date })
    assert.equal(6, run({ v = { ge = "0" .. "a" } }, file(values)).members) -- other texts are compared as before
  end)

  it("is not moved by white space and characters that nobody sees", function()
    local values = { "ja", " ja ", "ja\194\160", "\226\128\139ja\239\187\191", "j\226\128\139a" }
    assert.equal(4, run({ v = " ja" }, file(values)).members)
    assert.equal(4, run({ v = { yes = true } }, file(values)).members)
    assert.equal(3, run({ v = { ge = 5 } }, file { "5\226\128\139", "\226\128\1395", "\194\1605", "" }).members)
    assert.same({ true, 5 }, { scope3.yes("ja\226\128\139"), scope3.number("\226\128\1395 ") })
  end)

  it("adds up over files, and over CSV, JSON Lines and tables alike", function()
    local res = run({ v = { gt = 1 } }, { file { "2", "x" }, file({ "3", "", "y" }, "V") })
    assert.equal("v gt 5 3 1 2 0 0", told(res))
    local rows = { { id = 1, mail = "a@b.co", v = 2 }, { id = 2, mail = "a@b.co", v = 0 / 0 }, { id = 3,
      mail = "a@b.co", v = math.huge },
      { id = 4, mail = "a@b.co", v = "x" }, { id = 5, mail = "a@b.co" }, { id = 6, mail = "a@b.co", v = true } }
    local i = 0
    res = run({ v = { gt = 1 } }, function()
      i = i + 1
      return rows[i]
    end)
    assert.same({ 2, "v gt 6 4 1 3 0 0" }, { res.members, told(res) })
  end)

  it("compares integers exactly, beyond what doubles hold", function()
    local source = world.file('{"id":"1","mail":"a@b.co","v":9007199254740993}\n{"id":"2","mail":"a@b.co",'
      .. '"v":"9007199254740992"}\n', ".jsonl")
    assert.equal(math.type and 1 or 2, run({ v = { le = 9007199254740992 } }, source).members) -- where Lua has integers
    assert.equal(2, run({ v = { gt = 9007199254740991 } }, source).members)
    source = world.file('{"id":"1","mail":"a@b.co","v":0.002877}\n', ".jsonl")
    assert.equal(1, run({ v = 0.002877 }, source).members)
  end)

  it("is refused before anything is read where it could never mean what it says", function()
    for message, where in pairs {
      ["where['v'].decimal is for comparing with numbers, and there is none"] = { v = { eq = "x", decimal = "," } },
      ["where['v'].decimal must be \".\" or \",\""] = { v = { ge = 1, decimal = ";" } },
      ["where['v'].ignore_case is for eq and ne with texts, and there is none"] = { v = { ge = 1,
        ignore_case = true } },
      ["where['v'].ignore_case must be true or false"] = { v = { eq = "x", ignore_case = "yes" } },
      ["where['v'].blank says what a blank value means to yes, which is not asked"] = { v = { eq = "x",
        blank = "no" } },
      ["where['v'].blank must be \"yes\" or \"no\""] = { v = { yes = true, blank = true } },
      ["where['v']: a blank text equals nothing; use present = true or present = false"] = { v = { ne = " " } },
      ["where['v'].yes must be true or false"] = { v = { yes = "yes" } },
      ["where['v'].ge must be a number or a string"] = { v = { ge = 0 / 0 } },
      ["where['v'].ge is a text, and texts are compared by their bytes: '1000' comes before '500'. Give the number, "
        .. "without quotes"] = { v = { ge = "500" } },
      ["where['v'] must be a value, or a list of values, or a table of eq, ne, lt, le, gt, ge, present and yes"] = {
        v = { decimal = "," },
      },
      ["where['v']: what is compared in any case must be UTF-8, and at most 1024 bytes"] = { v = { "\255",
        ignore_case = true } },
    } do
      assert.has_error(function()
        client:run({ where = where, map = { external_id = "id", email = "mail" }, audience = "a" }, function() end,
          { dry_run = true })
      end, "client:run: " .. message)
    end
    assert(run({ v = { ge = "2024-01-01" } }, file { "2024-02-01" }))
  end)

  it("stands in the command's report and in its JSON", function()
    local script = world.file([[return {
      audience = "a", where = { v = { ge = 500 } }, map = { external_id = "id", email = "mail" },
    }]], ".lua")
    -- Under the sanitizers LeakSanitizer falls over this process's thread-local storage, which is not ours.
    local quiet = { env = "ASAN_OPTIONS=detect_leaks=0" }
    local code, out, complaint = world.command({ "run", script, file(SPENT), "--dry-run", "--account", "25" }, quiet)
    assert.same({ 0, "" }, { code, complaint })
    assert.truthy(out:find("Rows skipped, by the first condition that they did not meet:\n"
      .. "  6  v ge (1 blank or missing, 4 not a number)\n", 1, true), out)
    assert.truthy(out:find("Warning: where['v'].ge compares with a number", 1, true), out)
    code, out = world.command({ "run", script, file(SPENT), "--dry-run", "--account", "25", "--json" }, quiet)
    assert.equal(0, code)
    local condition = assert(cjson.decode(out)).conditions[1]
    assert.same({ "v", "ge", 7, 6, 1, 4 }, { condition.column, condition.operator, condition.seen, condition.skipped,
      condition.absent, condition.not_a_number })
  end)
end)
