-- Maps with fallbacks and defaults, and conditions: what a row becomes, and whether it is taken, without Lua for a row.
local scope3 = require "scope3"
local world = require "spec.support.world"

local function reader(text)
  local given = false
  return function()
    if not given then
      given = true
      return text
    end
  end
end

-- The same rows as CSV, as JSON Lines and as an iterator of tables; what each comes to.
local function run_all(script, columns, rows, opts)
  local client = assert(scope3.client {})
  local csv, lines, i = { table.concat(columns, ",") }, {}, 0
  for r, row in ipairs(rows) do
    local cells, pairs_of = {}, {}
    for c, column in ipairs(columns) do
      cells[c] = row[column] or ""
      if row[column] then
        pairs_of[#pairs_of + 1] = ('"%s":"%s"'):format(column, row[column])
      end
    end
    csv[r + 1], lines[r] = table.concat(cells, ","), "{" .. table.concat(pairs_of, ",") .. "}"
  end
  local sources = {
    assert(scope3.csv(reader(table.concat(csv, "\n") .. "\n"), { delimiter = "," })),
    assert(scope3.jsonl(reader(table.concat(lines, "\n") .. "\n"))),
    function()
      i = i + 1
      return rows[i]
    end,
  }
  local results = {}
  for s, source in ipairs(sources) do
    local refused = {}
    local options = { dry_run = true, audience = "a", on_reject = function(rejection)
      refused[#refused + 1] = ("%d %s %s"):format(rejection.row, tostring(rejection.column), rejection.reason)
    end }
    for key, value in pairs(opts or {}) do
      options[key] = value
    end
    local res = assert(client:run(script, source, options))
    world.assert_sums(res)
    results[s] = {
      rows = res.rows, skipped = res.skipped, rejected = res.rejected, dropped = res.dropped,
      members = res.members, identifiers = res.identifiers, refused = refused,
    }
  end
  return results
end

describe("a map", function()
  it("takes the first column that can be used, and reports each before it that cannot", function()
    local script = { map = {
      external_id = { "id", "old id" }, phone = { "mobile", "home", "work" },
      email = { "mail", "mail 2" }, hashed_email = "hash",
    } }
    local columns = { "id", "old id", "mobile", "home", "work", "mail", "mail 2", "hash" }
    local rows = {
      { id = "1", mobile = "+12065551234", home = "nonsense" },
      { ["old id"] = "2", mobile = " ", home = "n/a", work = "+12065551235" },
      { id = "3", mobile = "12", home = "13", work = "14", mail = "jane", ["mail 2"] = "a@b.co" },
      { id = "4", mail = "jane", ["mail 2"] = "joe", hash = ("ab"):rep(32) },
      { id = "5", mail = ("ab"):rep(16), ["mail 2"] = "a@b.co" },
    }
    for i, got in ipairs(run_all(script, columns, rows)) do
      local source = ({ "csv", "jsonl", "tables" })[i]
      assert.same({ 5, 5, 3, 2 },
        { got.rows, got.members, got.identifiers.hashed_email, got.identifiers.hashed_phone }, source)
      assert.same({ phone_placeholder = 1, phone_national = 3, email_no_at = 3, hash_md5 = 1 }, got.dropped, source)
      if source ~= "jsonl" then -- names are all that JSON Lines have
        assert.same({
          "2 home phone_placeholder", "3 mail email_no_at", "3 mobile phone_national", "3 home phone_national",
          "3 work phone_national", "4 mail email_no_at", "4 mail 2 email_no_at", "5 mail hash_md5",
        }, got.refused, source)
      end
    end
  end)

  it("takes the first universal id of a type that can be used", function()
    local good = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="
    local script = { map = { external_id = "id", ["uid:uid2"] = { "u1", "u2" }, ["uid:other"] = "o" } }
    local rows = {
      { id = "1", u1 = "broken", u2 = good, o = "x" }, { id = "2", u1 = good, u2 = "broken" },
      { id = "3", u2 = good }, { id = "4", u1 = "broken", u2 = "worse" },
    }
    for _, got in ipairs(run_all(script, { "id", "u1", "u2", "o" }, rows)) do
      assert.same({ 4, 3, { no_identifier = 1 }, { uid_malformed = 3 } },
        { got.identifiers.uids, got.members, got.rejected, got.dropped })
    end
  end)

  it("takes the default region where the row names none, and never for a name that is not known", function()
    local rows = {
      { id = "1", tel = "030 23125123" }, { id = "2", tel = "40 12 34 56", land = "Norway" },
      { id = "3", tel = "030 23125123", land = "Atlantis" }, { id = "4", tel = "030 23125123", land2 = "Germany" },
    }
    for _, region in ipairs { { "land", "land2", default = "DE" }, { "land", default = "DE" } } do
      for _, got in ipairs(run_all({ map = {
        external_id = "id", phone = "tel", region = region,
      } }, { "id", "tel", "land", "land2" }, rows)) do
        assert.same({ 3, { phone_region = 1 } }, { got.identifiers.hashed_phone, got.dropped })
      end
    end
    for _, got in ipairs(run_all({ map = {
      external_id = "id", phone = "tel", region = { default = "DE" },
    } }, { "id", "tel" }, { rows[1] })) do
      assert.equal(1, got.members)
    end
    for _, got in ipairs(run_all({ map = {
      external_id = "id", phone = "tel", region = { "land", default = "DE" },
    } }, { "id", "tel", "land" }, { rows[1] }, { region = "NO" })) do
      assert.same({ no_identifier = 1 }, got.rejected) -- the job's own option wins
    end
  end)

  it("reads of JSON Lines the keys that it names, and no others", function()
    local client = assert(scope3.client {})
    local wide = { '{"id":"5","mail":"a@b.co"' }
    for i = 2, 10000 do -- more keys than a row may have for a script
      wide[i] = ('"k%d":[%d]'):format(i, i)
    end
    local lines = {
      -- the last of a repeated key counts
      '{"mail":"nonsense","id":"x","other":{"id":"9"},"\\u0069d":"1","mail":null,"mail":"a@b.co"}',
      -- faults of what is passed over
      '{"id":"2","mail":"a@b.co","other":"\\ud800"}', '{"id":"3","mail":"a@b.co","other":[{"k":"\\udc00"}]}',
      '{"id":"4","mail":"a@b.co","other":tru}', table.concat(wide, ",") .. "}", '{"other":1}',
    }
    local function come_to(script)
      script.audience = "a"
      local res = assert(client:run(script, assert(scope3.jsonl(reader(table.concat(lines, "\n")))),
        { dry_run = true }))
      world.assert_sums(res)
      return { res.rows, res.members, res.rejected, res.skipped }
    end
    local map = { external_id = "id", email = "mail" }
    local faults = { invalid_utf8 = 2, bad_json = 1, no_external_id = 1 }
    assert.same({ 6, 2, faults, 0 }, come_to { map = map })
    assert.same({ 6, 1, { invalid_utf8 = 2, bad_json = 1 }, 2 },
      come_to { map = map, where = { k10000 = { present = false }, id = { present = true } } })
    faults.row_too_long = 1
    assert.same({ 6, 1, faults, 0 }, come_to { map = map, where = function() return true end })
    faults.no_external_id = nil -- a table with nothing in it is a list of no members, and skips its row
    assert.same({ 6, 1, faults, 1 },
      come_to { member = function(row) return { external_id = row.id, email = row.mail } end })
  end)

  it("that makes no sense is refused with what to do", function()
    local client = assert(scope3.client {})
    for message, map in pairs {
      ["map.email must be a column's name or number, or a list of them, not a boolean"] = { external_id = "a",
        email = true },
      ["map.email must be a column's name or number, or a list of them, not a number"] = { external_id = "a",
        email = 0 },
      ["map.email names no column"] = { external_id = "a", email = {} },
      ["map.email cannot have a default; only region can"] = { external_id = "a", email = { "b", default = "x" } },
      ["map.region.default must be a country's code or name, not a number"] = {
        external_id = "a", email = "b", region = { default = 1 },
      },
      ["map.region must be a list of columns, with a default if you like"] = {
        external_id = "a", email = "b", region = { "c", fallback = "US" },
      },
    } do
      assert.has_error(function()
        client:run({ map = map, audience = "a" }, function() end, { dry_run = true })
      end, "client:run: " .. message)
    end
  end)
end)

describe("what a map and conditions have room for", function()
  -- A file of one row with so many columns c1, c2, …, the last of them an email.
  local function run(n, script)
    local names, cells = {}, {}
    for i = 1, n do
      names[i], cells[i] = "c" .. i, i == n and "a@b.co" or "x"
    end
    script.audience = "a"
    local text = table.concat(names, ",") .. "\n" .. table.concat(cells, ",") .. "\n"
    return assert(scope3.client {}):run(script, assert(scope3.csv(reader(text), { delimiter = "," })),
      { dry_run = true })
  end

  local function columns(first, last)
    local list = {}
    for i = first, last do
      list[#list + 1] = "c" .. i
    end
    return list
  end

  it("is used to the last, and more is refused before anything is read", function()
    assert.equal(1, assert(run(18, { map = { external_id = "c1", email = columns(2, 18) } })).members)
    local types = { external_id = "c1", email = "c53" }
    for i = 1, 52 do
      types["uid:t" .. i] = "c" .. i
    end
    local res = assert(run(53, { map = types }))
    assert.same({ 32, { uid_too_many = 20 } }, { res.identifiers.uids, res.dropped })
    local values, conditions = {}, {}
    for i = 1, 448 do
      values[i] = "v" .. i
    end
    values[449] = "x"
    for i = 1, 63 do
      conditions[i] = "x"
    end
    conditions[64] = values
    assert.equal(1, assert(run(70, { map = { external_id = "c1", email = "c70" }, where = conditions })).members)
    local many = columns(1, 39)
    for message, script in pairs {
      ["map has 17 fallbacks for ids, emails and phones; 16 are the most"] = { map = {
        external_id = "c1", email = columns(2, 18), phone = { "c1", "c2" },
      } },
      ["map has 55 columns; 54 are the most"] = { map = { external_id = columns(1, 54), email = "c40" } },
      ["where has 65 conditions; 64 are the most: use a function(row)"] = {
        map = { external_id = "c1", email = "c2" },
        where = (function()
          local all = {}
          for i = 1, 65 do
            all[i] = "x"
          end
          return all
        end)(),
      },
      ["where has 546 values; 512 are the most: use a function(row), and a table of the values as keys"] = {
        map = { external_id = "c1", email = "c2" }, where = {
          c1 = many, c2 = many, c3 = many, c4 = many, c5 = many, c6 = many, c7 = many,
          c8 = many, c9 = many, c10 = many, c11 = many, c12 = many, c13 = many, c14 = many,
        } },
    } do
      assert.has_error(function()
        run(40, script)
      end, "client:run: " .. message)
    end
  end)
end)

describe("conditions", function()
  local COLUMNS = { "id", "mail", "consent", "country", "ltv", "since" }
  local ROWS = {
    { id = "1", consent = "yes", country = "US", ltv = "500", since = "2024-02-01" },
    { id = "2", consent = "yes", country = "GB", ltv = "499.99", since = "2023-12-31" },
    { id = "3", consent = "no", country = "US", ltv = "1e3", since = "2024-06-30" },
    { id = "4", consent = " yes ", country = "DE", ltv = "", since = "2024-01-01" },
    { id = "5", country = "FR", ltv = "many" },
    { id = "6", consent = "Yes", country = "US", ltv = "-5", since = "2025-01-01" },
  }
  for _, row in ipairs(ROWS) do
    row.mail = row.id .. "@example.com"
  end

  -- The ids of the rows that are taken, as "1 2".
  local function taken(where)
    local ids
    for _, got in ipairs(run_all({ where = where, map = { external_id = "id", email = "mail" } }, COLUMNS, ROWS)) do
      assert.equal(#ROWS, got.skipped + got.members)
      assert.equal(ids or got.members, got.members)
      ids = got.members
    end
    local list = {}
    local client = assert(scope3.client {})
    local i = 0
    assert(client:run({ audience = "a", where = where, member = function(row)
      list[#list + 1] = row.id
    end }, function()
      i = i + 1
      return ROWS[i]
    end, { dry_run = true }))
    assert.equal(ids, #list)
    return table.concat(list, " ")
  end

  it("take the rows that meet all of them", function()
    local cases = {
      { { consent = "yes" }, "1 2 4" }, { { consent = { "yes", "Yes" } }, "1 2 4 6" },
      { { consent = { ne = "yes" } }, "3 5 6" }, { { consent = { ne = { "yes", "no" } } }, "5 6" },
      { { country = { "US", "GB" }, ltv = { ge = 500 } }, "1 3" }, { { ltv = { gt = 500 } }, "3" },
      { { ltv = { le = 500 } }, "1 2 6" }, { { ltv = { lt = 0 } }, "6" }, { { ltv = 1000 }, "3" },
      { { ltv = { ge = 499, lt = 600 } }, "1 2" }, { { since = { ge = "2024-01-01", lt = "2025-01-01" } }, "1 3 4" },
      { { since = { present = true } }, "1 2 3 4 6" }, { { since = { present = false } }, "5" },
      { { consent = { present = true, ne = "no" } }, "1 2 4 6" },
      { { ltv = { 500, -5 } }, "1 6" }, { { id = { le = 2 } }, "1 2" }, { {}, "1 2 3 4 5 6" },
      { { ltv = { ne = 500 } }, "2 3 4 5 6" }, { { ltv = "500" }, "1" },
    }
    for i, case in ipairs(cases) do
      assert.equal(case[2], taken(case[1]), "case " .. i)
    end
  end)

  it("know numbers and booleans of JSON, and of Lua", function()
    local client = assert(scope3.client {})
    local lines = '{"id":1,"mail":"a@b.co","n":1.5,"ok":true}\n'
      .. '{"id":2,"mail":"a@b.co","n":"1.5","ok":false}\n'
      .. '{"id":3,"mail":"a@b.co","n":null,"ok":"true"}\n{"id":4,"mail":"a@b.co","n":[1.5]}\n'
    local rows = { { id = 1, mail = "a@b.co", n = 1.5, ok = true }, { id = 2, mail = "a@b.co", n = "1.5", ok = false },
      { id = 3, mail = "a@b.co", ok = "true" }, { id = 4, mail = "a@b.co", n = {} } }
    for _, case in ipairs {
      { { n = 1.5 }, 2 }, { { ok = true }, 1 }, { { ok = false }, 1 }, { { ok = "true" }, 1 },
      { { ok =
        { ne = true } }, 2 },
      { { n = { present = true } }, 3 }, { { n = { lt = 2 } }, 2 },
    } do
      local i = 0
      for _, source in ipairs { assert(scope3.jsonl(reader(lines))), function()
        i = i + 1
        return rows[i]
      end } do
        local res = assert(client:run({ where = case[1], map = { external_id = "id", email = "mail" }, audience = "a" },
          source, { dry_run = true }))
        assert.equal(case[2], res.members)
      end
    end
  end)

  it("compare numbers as numbers, to the last bit", function()
    local client = assert(scope3.client {})
    for _, case in ipairs {
      { "0.1", 0.1, 1 }, { "100000000000000000000", 1e20, 1 }, { "1e22", 1e22, 1 },
      { "123456789012345", 123456789012345, 1 }, { "+5", 5, 1 }, { "1e400", math.huge, 1 },
      { ".5", 0.5, 1 }, { "5.", 5, 1 }, { "1e", 1, 0 }, { "0x10", 16, 0 }, { "1 000", 1000, 0 },
      { "nan", 0, 0 }, { "-", 0, 0 }, { "0.0000001", 1e-7, 1 }, { "-0", 0, 1 },
    } do
      local source = assert(scope3.csv(reader(("id,mail,n\n1,a@b.co,%s\n"):format(case[1])), { delimiter = "," }))
      local res = assert(client:run({
        where = { n = case[2] }, map = { external_id = "id", email = "mail" }, audience = "a",
      }, source, { dry_run = true }))
      assert.equal(case[3], res.members, case[1])
    end
  end)

  it("leave the faults of unreadable rows to be told, and skipped rows unread", function()
    local client = assert(scope3.client {})
    local source = assert(scope3.csv(reader("id,mail,ok\n1,nonsense,no\n2,a@b.co,yes\n3,x\n"), { delimiter = "," }))
    local res = assert(client:run({
      where = { ok = "yes" }, map = { external_id = "id", email = "mail" }, audience = "a",
    }, source, { dry_run = true }))
    assert.same({ 3, 1, 1, { ragged_row = 1 }, {} }, { res.rows, res.skipped, res.members, res.rejected, res.dropped })
  end)

  it("that make no sense are refused before anything is read", function()
    local client = assert(scope3.client {})
    for message, where in pairs {
      ["where['a'] has no 'above' (known: eq, ne, lt, le, gt, ge, present, yes; and decimal, ignore_case, blank)"] = {
        a = { above = 1 },
      },
      ["where['a'].ge must be a number or a string"] = { a = { ge = {} } },
      ["where['a'].present must be true or false"] = { a = { present = 1 } },
      ["where['a'] must be a value, or a list of values, or a table of eq, ne, lt, le, gt, ge, present and yes"] = {
        a = {},
      },
      ["where must be a function or a table of conditions, not a string"] = "a = 1",
    } do
      assert.has_error(function()
        client:run({ where = where, map = { external_id = "id", email = "mail" }, audience = "a" }, function() end,
          { dry_run = true })
      end, "client:run: " .. message)
    end
    local source = assert(scope3.csv(reader("id,mail\n"), { delimiter = "," }))
    local _, err = client:run({
      where = { konsent = "yes" }, map = { external_id = "id", email = "mail" }, audience = "a",
    }, source, { dry_run = true })
    assert.same({ "invalid", "where" }, { err.kind, err.issues[1].path })
  end)
end)
