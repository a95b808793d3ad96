-- Lines of a file that are in no row: each is in a number, and what should have been a row is warned of.
local cjson = require "cjson"
local each = require "spec.support.each"
local scope3 = require "scope3"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "mail" }

local function count(input, opts)
  local all = { dry_run = true }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return assert(scope3.client {}):run({ map = MAP, audience = "a" }, input, all)
end

-- A thousand rows, with other names in some of them.
local function rows(names, header)
  local text = { header or "id,name,mail" }
  for i = 1, 1000 do
    text[i + 1] = ("%d,%s,p%d@example.com"):format(i, names[i] or "Joe Doe", i)
  end
  return table.concat(text, "\n") .. "\n"
end

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

local function total(counts)
  local sum = 0
  for _, n in pairs(counts) do
    sum = sum + n
  end
  return sum
end

-- The sums that hold in any result of a file.
local function assert_lines(res, physical)
  local l = res.lines
  assert.equal(l.total, l.header + res.rows + l.blank + l.quoted + l.swallowed)
  assert.equal(l.swallowed, res.swallowed_lines)
  assert.equal(physical, l.total)
end

describe("a quote that opens where none should", function()
  teardown(world.clean)

  it("and swallows rows up to the next one is counted, and the rejection says how many", function()
    local path, refused = world.file(rows { [10] = '"Big Joe', [990] = '"Joe"' }, ".csv"), {}
    local res = assert(count(path, { on_reject = function(rejection) refused[#refused + 1] = rejection end }))
    assert.same({ 20, 1, 19, 980 }, { res.rows, total(res.rejected), res.members, res.swallowed_lines })
    assert_lines(res, 1001)
    assert.same({ { row = 10, line = 11, column = "name", reason = "stray_quote", dropped = false, lines = 980 } },
      refused)
    local warning = res.warnings[1]
    assert.same({ "swallowed_lines", 10, 11, 991, 980, 1 },
      { warning.code, warning.row, warning.first_line, warning.last_line, warning.lines, warning.rows })
    assert.truthy(warning.message:find("row 10 (lines 11 to 991) was rejected with further lines inside it (980)", 1,
      true), warning.message)
    assert.is_nil(warning.message:find("Joe", 1, true))

    local rejects = world.path(".csv")
    local code, out, err = world.command {
      "sync", path, "--audience", "a", "--map", "external_id=id",
      "--map", "email=mail", "--dry-run", "--rejects", rejects,
    }
    assert.equal(0, code, err)
    assert.truthy(out:find("lines        1,001 · 980 of them", 1, true) and out:find("Warning: ", 1, true), out)
    assert.equal("row,line,column,outcome,reason\n10,11,name,rejected,stray_quote (980 further lines inside)\n",
      world.read(rejects))
    assert.equal(1000, assert(count(path, { quote = "none" })).members)

    local failure
    for _, problem in each(assert(scope3.csv(path))) do
      failure = problem or failure
    end
    assert.same({ "stray_quote", 10, 980 }, { failure.code, failure.row, failure.lines })
    assert.truthy(failure.message:find("980 further lines lie inside it (lines 11 to 991)", 1, true), failure.message)
  end)

  it("and closes where a field ends gives a row that is taken, with a warning and its lines", function()
    for size, want in pairs {
      [980] = { [10] = '"Big Joe', [990] = 'Joe"' }, [1] = { [10] = '"Joe', [11] = 'Joe Doe"' },
    } do
      for _, ends in ipairs { "\n", "\r\n", "\r" } do
        local text = rows(want):gsub("\n", ends)
        for _, input in ipairs { world.file(text, ".csv"), assert(scope3.csv(pieces(text, 1000))) } do
          local res = assert(count(input))
          assert.same({ 1000 - size, 1000 - size, size }, { res.rows, res.members, res.swallowed_lines })
          assert_lines(res, 1001)
          assert.same({ "suspicious_quote", 10, 11, 11 + size },
            { res.warnings[1].code, res.warnings[1].row, res.warnings[1].first_line, res.warnings[1].last_line })
        end
      end
    end
  end)

  it("in the first field, the last, or several times is found as well", function()
    local text = { "mail,name,id" }
    for i = 1, 100 do
      text[i + 1] = ("%sp%d@example.com%s,Joe,%d"):format(i == 5 and '"' or "", i, i == 60 and '"' or "", i)
    end
    local res = assert(count(world.file(table.concat(text, "\n"), ".csv")))
    assert.same({ 45, 55, "suspicious_quote" }, { res.rows, res.swallowed_lines, res.warnings[1].code })
    assert_lines(res, 101)
    text = { "mail,id" }
    for i = 1, 100 do
      text[i + 1] = ("%sp%d@example.com,k%s%s"):format(i == 5 and '"' or "", i, ("x-"):rep(i):sub(i % 2),
        i == 60 and '"' or "")
    end
    res = assert(count(world.file(table.concat(text, "\n"):gsub('(k[x-]*)"', '"%1'), ".csv")))
    assert.same({ 1, 55 }, { #res.warnings, res.swallowed_lines })
    assert_lines(res, 101)
    res = assert(count(world.file(rows({
      [10] = '"Joe', [20] = '"Ann"', [30] = '"Joe', [31] = '"Ann"', [40] = '"Joe', [50] = 'Ann"',
    }), ".csv")))
    assert.same({ 1000 - 10 - 1 - 10, 21 }, { res.rows, res.swallowed_lines })
    assert_lines(res, 1001)
    assert.same({ "swallowed_lines", 2, "suspicious_quote", 1 },
      { res.warnings[1].code, res.warnings[1].rows, res.warnings[2].code, res.warnings[2].rows })
  end)

  it("in the header is a warning, or an error that shows no row", function()
    local text = rows({ [50] = 'Secret"' }, 'id,"name,mail')
    local res, err = count(world.file(text, ".csv"))
    assert.is_nil(res)
    assert.is_nil(err.message:find("Doe", 1, true), err.message)
    res = assert(count(world.file((rows({ [50] = 'x"' }, 'id,"name,mail'):gsub("50,x\",p50@example.com", '50,x",mail')),
      ".csv")))
    assert.same({ 950, 51, "suspicious_quote" }, { res.rows, res.lines.header, res.warnings[1].code })
    assert_lines(res, 1001)
  end)

  it("and never closes ends the job, with the number of lines that it took", function()
    local res, err = count(world.file(rows { [10] = '"Big Joe' }, ".csv"))
    assert.is_nil(res)
    assert.truthy(err.message:find("row 10 (line 11), column 2: a quote is opened", 1, true)
      and err.message:find("in search of its end: 991", 1, true), err.message)
    assert.same({ 9, 991 }, { err.result.rows, err.result.swallowed_lines })
    assert_lines(err.result, 1001)
  end)

  it("is not what a note of several lines is, however many commas it has", function()
    local notes = {}
    for i = 1, 1000 do
      notes[i] = '"Hello, you\nthere, and\r\n\nhere, I am, ""Joe"", 4711"'
    end
    local res = assert(count(world.file(rows(notes), ".csv")))
    assert.same({ 1000, 0, 3000, 0 }, { res.rows, res.swallowed_lines, res.lines.quoted, #res.warnings })
    assert_lines(res, 4001)
  end)
end)

describe("every line of a file", function()
  teardown(world.clean)

  it("is in a number, for random texts of every oddity", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local parts = { ",", ",", "1", "a@b.co", '"', '"', '""', "\n", "\n", "\r\n", "\r", "\0", "\239\187\191", "\\", " " }
    for _ = 1, 300 do
      local text = { "id,mail\n" }
      for i = 2, math.random(2, 80) do
        text[i] = parts[math.random(#parts)]
      end
      text = table.concat(text)
      text = text:gsub("\191$", "\1911") -- a byte order mark and nothing behind it is no line
      local seen = text:gsub("\r\n", "\n")
      local physical = select(2, seen:gsub("[\r\n]", "")) + (seen:find "[\r\n]$" and 0 or 1)
      local res, err = count(assert(scope3.csv(pieces(text, math.random(1, 30)))))
      local ok, why = pcall(assert_lines, res or err.result, physical)
      assert(ok, ("%s, seed %d: %q"):format(tostring(why), seed, text))
    end
  end)

  it("is in a number for JSON Lines, whose lines may end in CR alone", function()
    local res = assert(count(world.file('{"id":"1","mail":"a@b.co"}\n\n{"id":"2","mail":"c\n \n[1]\n{"id":"3",'
      .. '"mail":"e@f.co"}', ".jsonl")))
    assert_lines(res, 6)
    assert.same({ 4, 2, 2 }, { res.rows, res.members, res.lines.blank })
    for _, size in ipairs { 1, 7, 1000 } do
      res = assert(count(assert(scope3.jsonl(pieces(('{"id":"%d","mail":"a@b.co"}\r'):rep(100):gsub("%%d", "7"),
        size)))))
      assert.equal(100, res.rows)
    end
  end)

  it("is in a number where files with byte order marks were joined, and quotes after a mark are quotes", function()
    local one = '\239\187\191"id","mail"\r\n"1","a@b.co"\r\n'
    local res = assert(count(world.file(one .. one:gsub("1", "2") .. '\239\187\191"3","e@f.co"', ".csv")))
    assert.same({ 4, 3, "joined_files" }, { res.rows, res.members, res.warnings[1].code })
    assert_lines(res, 5)
    res = assert(count(world.file('{"id":"1","mail":"a@b.co"}\n\239\187\191{"id":"2","mail":"a@b.co"}\n', ".jsonl")))
    assert.same({ 2, "joined_files" }, { res.members, res.warnings[1].code })
  end)

  it("is in the report that programs read", function()
    local path = world.file(rows { [10] = '"Big Joe', [990] = '"Joe"' }, ".csv")
    local _, out = world.command {
      "sync", path, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run", "--json",
    }
    local res = cjson.decode(out)
    assert.same({ 980, 1001, "swallowed_lines" }, { res.swallowed_lines, res.lines.total, res.warnings[1].code })
  end)
end)
