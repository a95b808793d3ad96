-- Rows of CSV with fewer or more fields than the header.
-- What spreadsheets and databases cut or add is read and counted; what may be shifted is rejected.
local scope3 = require "scope3"
local world = require "spec.support.world"

local MAP = { external_id = "Id", email = "Email", phone = "Phone" }

-- What a text gives in a dry run, the same however it comes in.
local function count(text, opts, script)
  local given = { dry_run = true }
  for key, value in pairs(opts or {}) do
    given[key] = value
  end
  local csv = { delimiter = given.delimiter, header = given.header, skip_lines = given.skip_lines, quote = given.quote }
  local first, res
  for _, size in ipairs { 1, 7, 100000 } do
    local at = 1
    local source = assert(scope3.csv(function()
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece ~= "" and piece or nil
    end, csv))
    local refused = {}
    given.on_reject = function(rejection)
      refused[#refused + 1] = ("%d %s %s"):format(rejection.row, tostring(rejection.column), rejection.reason)
    end
    res = assert(scope3.client {}:run(script or { map = MAP, audience = "a" }, source, given))
    local got = { rows = res.rows, members = res.members, skipped = res.skipped, emails = res.identifiers.hashed_email,
      phones = res.identifiers.hashed_phone, blank = res.lines.blank, refused = refused, warnings = {} }
    for i, warning in ipairs(res.warnings) do
      got.warnings[i] = { warning.code, warning.rows }
    end
    local l = res.lines
    assert.equal(l.total, l.header + res.rows + l.blank + l.quoted + l.swallowed - (l.shared or 0))
    first = first or got
    assert.same(first, got, "in pieces of " .. size)
  end
  return first, res
end

describe("a row of CSV that lacks cells at its end", function()
  teardown(world.clean)

  it("is taken, and said with its number, where id and an identifier are there", function()
    local got, res = count "Id,Email,Phone,City\n1,a@x.org,+12065550142,Rome\n2,b@x.org\n3,,+12065550143\n4,c@x.org,,\n"
    assert.same({ 4, 4, 3, 2, {}, { { "short_rows", 2 } } }, { got.rows, got.members, got.emails, got.phones,
      got.refused, got.warnings })
    assert.truthy(res.warnings[1].message:find("2 rows have fewer cells than the header", 1, true)
      and res.warnings[1].message:find(": rows 2 (line 3), 3 (line 4)", 1, true), res.warnings[1].message)
  end)

  it("is refused for what it has where that is at fault", function()
    assert.same({ "1 Id no_external_id" }, count("Id,Email,Phone\n,a@x.org\n").refused)
  end)

  it("is not said to be taken where it was refused after all", function()
    local where = { map = MAP, where = { Phone = "+12065550142" }, audience = "a" }
    local function asked(text, script)
      local got, res = count(text, {}, script)
      return { got.warnings, res.warnings[1] and res.warnings[1].message:match ": (rows? [^:]*)$" }
    end
    assert.same({ {} }, asked("Id,Email,Phone\n1,a@x.org\n2,b@x.org,+12065550142\n", where))
    assert.same({ {} }, asked("Id,Email,Phone\n1,a@x.org,+12065550142\n2\n"))
    assert.same({ { { "short_rows", 1 } }, "row 2 (line 3)" },
      asked "Id,Email,Phone,City\n,a@x.org\n2,b@x.org\n3,bad\n")
    assert.same({ { { "short_rows", 2 } }, "rows 1 (line 2), 3 (line 4)" },
      asked("Id,Email,Phone\n1,a@x.org\n2,b\n3,c@x.org\n", { audience = "a", member = function(row)
        return { external_id = row.Id, email = row.Email }
      end }))
  end)

  it("is also one of the rows whose id is 0, which are told apart from other ids of one character", function()
    assert.same({ { "short_rows", 4 }, { "ids_are_zero", 2 } },
      count("Id,Email,Phone\n0,a@x.org\n0,b@x.org\n1,c@x.org\n2,d@x.org\n").warnings)
  end)

  it("is refused as ragged where what is missing may be the identifier, and where a condition looks at it", function()
    assert.same({ "1 Email ragged_row" }, count("Id,Email,Phone\n1\n2,a@x.org,\n").refused)
    local got = count("Id,Email,Phone,Opted out\n1,a@x.org,\n2,b@x.org,,no\n3,c@x.org,,yes\n", {},
      { map = MAP, where = { ["Opted out"] = { ne = "yes" } }, audience = "a" })
    assert.same({ 1, 1, { "1 Opted out ragged_row" } }, { got.members, got.skipped, got.refused })
  end)

  it("is refused where it looks like the rest of the row before, which a line end broke", function()
    local got = count "Id,Name,City,Email,Phone,Mail 2\n7,Bob,New\nYork,b@x.org,c@x.org,d@x.org\n8,Ann,Rome,e@x.org,,\n"
    assert.same({ "1 Email ragged_row", "2 Phone ragged_row" }, got.refused)
    assert.equal(1, got.members)
    got = count("Id,Name,City,Email,Phone\n7,Bob\nYork,b@x.org,+12065550142,x\n", { mode = "remove" },
      { map = { external_id = "Id" }, audience = "a" })
    assert.same({ 1, { "2 Phone ragged_row" } }, { got.members, got.refused }) -- and "York" is nobody to remove
  end)

  it("is refused where a quote may have swallowed others", function()
    local got = count 'Id,Email,Phone,City,Zip\n1,"Big\n2,b@x.org,,Rome,1\n3,c@x.org,"\n4,d@x.org,,,\n'
    assert.same({ "1 Phone ragged_row" }, { got.refused[1] })
    assert.same({ 2, 1, "swallowed_lines" }, { got.rows, got.members, got.warnings[1][1] })
  end)

  it("is a fault to whoever iterates over rows, because nobody else would tell", function()
    local source, faults = assert(scope3.csv(world.file("Id,Email\n1\n2,x\n", ".csv"))), {}
    local row, err = source:next()
    while row or err do
      faults[#faults + 1] = row and row.Id or err.code
      row, err = source:next()
    end
    assert.same({ "ragged_row", "2" }, faults)
  end)
end)

describe("a row of CSV that has more fields than its header", function()
  it("is taken where all end with a delimiter, which is said once", function()
    local got = count("Id,Email,Phone\n1,a@x.org,,\n2,b@x.org,,\n3,c@x.org,+12065550142,\n4,d@x.org\n5,e@x.org,,zz,\n"
      .. "6,f@x.org,,zz,,\n")
    assert.same({ 4, { "5 4 ragged_row", "6 4 ragged_row" } }, { got.members, got.refused })
    assert.same({ { "short_rows", 1 }, { "trailing_delimiters", 3 } }, got.warnings)
    assert.equal(2, count("Id,Email,Phone\n1,a@x.org,,,,\n2,b@x.org,,,,\n").members)
  end)

  it("is refused where another row has a value there: the fields may be shifted", function()
    local got = count "Id,Email,Phone\n1,4711,a@x.org,\n2,4712,b@x.org,+12065550142\n"
    assert.same({ 2, 0, { { "unnamed_column", 2 } } }, { got.rows, got.members, got.warnings })
    got = count("Id,Email,Phone\n" .. ("9,z@x.org,,\n"):rep(3) .. '8,"y@x.org",,x\n' .. "7,x@x.org,,\n")
    assert.same({ 0, 5 }, { got.members, #got.refused })
  end)

  it("is refused where rows before have none: a value may hold the delimiter", function()
    local got = count "Id,Email,Phone\n1,a@x.org,\n2,b@x.org,+1 206, 555 0142\n3,c@x.org,,\n"
    assert.same({ 1, 2 }, { got.members, #got.refused })
  end)

  it("in each row is said to be a first column without a name, with a way out that works", function()
    local text = '"Email","Id"\n"1","a@x.org",4711\n"2","b@x.org",4712\n'
    local path = world.file(text, ".csv")
    local code, _, err = world.command { "sync", path, "--dry-run", "--audience", "a", "--map", "external_id=Id",
      "--map", "email=Email" }
    assert.equal(3, code, err)
    local out
    code, out, err = world.command { "sync", path, "--dry-run", "--audience", "a", "--skip-lines", "1", "--no-header",
      "--map", "external_id=3",
      "--map", "email=#2" }
    assert.equal(0, code, err)
    assert.truthy(out:find("would send   2 members", 1, true), out)
    local got, res = count(text, {}, { map = { external_id = "Id", email = "Email" }, audience = "a" })
    assert.same({ { "unnamed_column", 2 } }, got.warnings)
    assert.truthy(res.warnings[1].message:find("--skip-lines 1 --no-header", 1, true))
    assert.same({ { "unnamed_column", 1 } }, count('"Email","Id","Phone"\n"1","a@x.org",4711,0\n').warnings)
  end)
end)

describe("a line of nothing but delimiters", function()
  it("is an empty line, wherever it stands", function()
    local got = count ",,\nId,Email,Phone\n,,\n1,a@x.org,\n,,,,\n,\n2,b@x.org,\n,,\n"
    assert.same({ 2, 2, 5, {}, {} }, { got.rows, got.members, got.blank, got.refused, got.warnings })
    assert.same({ 1, 1, { "1 Id no_external_id" } }, (function(it)
      return { it.rows, it.blank, it.refused }
    end)(count 'Id,Email,Phone\n"",,\n,,\n'))
  end)
end)
