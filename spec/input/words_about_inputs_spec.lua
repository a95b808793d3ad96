-- What is said about inputs, word by word: the advice fits the fault, and counts agree with their nouns.
local dialect = require "scope3.input.dialect"
local encodings = require "scope3.input.encodings"
local scope3 = require "scope3"
local world = require "spec.support.world"

local client = assert(scope3.client {})
local MAP = { external_id = "id", email = "mail" }

local function run(text, script, ending)
  local all = { audience = "a", map = MAP }
  for key, value in pairs(script or {}) do
    all[key] = value
  end
  return client:run(all, world.file(text, ending or ".csv"), { dry_run = true })
end

-- Warnings as "code: message" without the name of the file.
local function warnings(res)
  local list = {}
  for i, warning in ipairs(res.warnings) do
    list[i] = warning.code .. ": " .. warning.message:gsub("^/[^ ]*: ", "")
  end
  return list
end

describe("a condition that fits no value as its author thought", function()
  teardown(world.clean)

  for what, case in pairs {
    ["texts where true or false was asked for"] = {
      '{"id":1,"mail":"a@b.co","v":true}\n{"id":2,"mail":"a@b.co","v":"maybe"}\n{"id":3,"mail":"a@b.co","v":"no"}\n',
      true,
      { "not_yes_or_no: where['v'].eq found that 2 of 3 values are neither true nor false; their rows were skipped. "
        .. "yes = true reads the usual words" },
    },
    ["one text in another case"] = {
      "id,mail,v\n1,a@b.co,x\n2,a@b.co,X\n", "x",
      { "other_case: where['v'].eq found that 1 of 2 values differs in upper and lower case alone; its row was "
        .. "skipped. ignore_case = true compares in any case" },
    },
    ["one date in another form"] = {
      "id,mail,v\n1,a@b.co,2024-02-01\n2,a@b.co,01.02.2024\n", { ge = "2024-01-01" },
      { "not_a_date: where['v'].ge compares with a date such as 2024-01-31, and 1 of 2 values does not begin with one; "
        .. "its row was skipped" },
    },
    ["true where only false came"] = {
      '{"id":1,"mail":"a@b.co","v":false}\n', true,
      { "condition_never_met: where['v'].eq was met by none of 1 row that came to it: true, false or nested (1)" },
    },
    ["a word where yes or no was asked for"] = {
      "id,mail,v\n1,a@b.co,yes\n2,a@b.co,maybe\n", { yes = true },
      { "not_yes_or_no: where['v'].yes found that 1 of 2 values is neither yes nor no; its row was skipped" },
    },
  } do
    it("is warned of with the way out that helps, and no other: " .. what, function()
      local ending = case[1]:find "^{" and ".jsonl" or ".csv"
      assert.same(case[3], warnings(assert(run(case[1], { where = { v = case[2] } }, ending))))
    end)
  end
end)

describe("an only row that holds all others", function()
  for what, failure in pairs { ["is warned of"] = false, ["is not warned of where the input failed"] = "broken" } do
    it(what, function()
      local given = false
      local source = assert(scope3.jsonl(function()
        if given then
          return nil, failure or nil
        end
        given = true
        return '{"items":[{"id":1,"mail":"a@b.co"}]}\n'
      end))
      local res, err = client:run({ audience = "a", map = MAP }, source, { dry_run = true })
      local codes = {}
      for i, warning in ipairs((res or err.result).warnings) do
        codes[i] = warning.code
      end
      assert.equal(failure == false, table.concat(codes, " "):find("wrapped_rows", 1, true) ~= nil)
    end)
  end
end)

describe("the first bytes that are not UTF-8", function()
  teardown(world.clean)

  for place, text in pairs { ["the header, line 1"] = "id,mail,n\228me\n1,a@b.co,x\n",
    ["row 1, line 2"] = "id,mail,name\n1,a@b.co,x\228\n" } do
    it("are said to stand in " .. place, function()
      local said = warnings(assert(run(text)))
      assert.equal(1, #said)
      assert.truthy(said[1]:find(("(the first: %s)"):format(place), 1, true), said[1])
    end)
  end
end)

describe("rows with more cells than the header", function()
  teardown(world.clean)

  for n, words in pairs { "1 row ends", "2 rows end" } do
    it("are counted as " .. words, function()
      local res = assert(run("id,mail\n" .. ("1,a@b.co,\n"):rep(n) .. "3,c@b.co\n"))
      assert.same({ "trailing_delimiters: " .. words .. " with delimiters behind the last column, which are left out" },
        warnings(res))
    end)
  end
end)

describe("lines inside the quotes of a row that is refused", function()
  teardown(world.clean)

  it("are counted in the result, and each line of the file is counted once", function()
    local text = 'id,mail\n1,"a@b.co\n2,b@b.co\n3,c@b.co\n4,"d@b.co\n5,e@b.co\n'
    local res = assert(run(text))
    local _, lines = text:gsub("\n", "")
    assert.equal(lines, res.lines.total)
    assert.equal(3, res.swallowed_lines)
    assert.equal(3, res.lines.swallowed)
  end)
end)

describe("rows of JSON that begin in the line in which another ends", function()
  teardown(world.clean)

  it("are counted, so that each line of the file is counted once", function()
    local text = '{"id":1,"mail":"a@b.co"} {"id":2,"mail":"b@b.co"}\n{"id":3,"mail":"c@b.co"}\n'
    local res = assert(run(text, nil, ".jsonl"))
    assert.same({ 3, 2, 1 }, { res.rows, res.lines.total, res.lines.shared })
  end)
end)

describe("a key that no row has", function()
  teardown(world.clean)

  it("is an error with the keys that rows have, or without them where they have none", function()
    local _, err = run('{"mail":"a@b.co"}\n', nil, ".jsonl")
    assert.truthy(err.message:find("; keys that rows have are: mail", 1, true), err.message)
    _, err = run("{}\n", nil, ".jsonl")
    assert.equal("looks for 'id', which no row has", err.issues[1].message)
    assert.is_nil(err.message:find("keys that rows have", 1, true), err.message)
  end)
end)

describe("a file that is something else", function()
  teardown(world.clean)

  local NULS = ("\0"):rep(100)
  for name, case in pairs {
    ["x.csv"] = { "\253" .. "7zXZ\0\0\4\230", "it is xz-compressed data; run: xz -dc FILE | scope3 sync -" },
    ["y.csv"] = { "PK\3\4\20\0\0\0\8\0" .. NULS .. "rows.csv",
      "it is a zip archive; run: unzip -p FILE | scope3 sync -" },
    ["z.numbers"] = { "PK\3\4\20\0\0\0\8\0" .. NULS .. "Index/Tables",
      "it is a Numbers spreadsheet; export it as CSV" },
    ["w.csv"] = { "i\0d\0,\0m\0\n\0", 'it is UTF-16 without a byte order mark: say encoding = "utf-16le" '
      .. "(--encoding utf-16le)" },
  } do
    it("is told by its first bytes and its name: " .. name, function()
      local folder = world.path ""
      assert(os.execute("mkdir " .. folder))
      local path = folder .. "/" .. name
      local file = assert(io.open(path, "wb"))
      file:write(case[1])
      file:close()
      local _, err = client:run({ audience = "a", map = MAP }, path, { dry_run = true })
      assert.equal(path .. ": " .. case[2]:gsub("FILE", (path:gsub("%%", "%%%%"))), err.message)
    end)
  end
end)

describe("an encoding", function()
  for fatal, said in pairs {
    [{ reason = "encoding", what = "utf-8" }] = "its encoding is said to be latin1, and it begins as plain text in "
      .. 'UTF-8 does: say encoding = "utf-8" (--encoding utf-8), or leave that out',
    [{ reason = "encoding", what = "utf-16le" }] = "its encoding is said to be latin1, and it begins as utf-16le does: "
      .. 'say encoding = "utf-16le" (--encoding utf-16le), or leave that out',
    [{ reason = "utf16", what = "utf-16be" }] = 'it is UTF-16 without a byte order mark: say encoding = "utf-16be" '
      .. "(--encoding utf-16be)",
    [{ reason = "utf16" }] = 'it is UTF-16 without a byte order mark: say encoding = "utf-16le" (--encoding utf-16le), '
      .. "or utf-16be",
    [{ reason = "binary" }] = false,
  } do
    it(("is told for the fault %s of %s"):format(fatal.reason, tostring(fatal.what)), function()
      assert.equal(said or nil, (encodings.explain(fatal, "latin1")))
    end)
  end

  for content_type, charset in pairs {
    ["text/csv; charset=utf-8"] = "utf-8", ['text/csv; Charset="latin1"'] = "latin1",
    ["text/csv; header=present; charset=x"] = "x", ["text/csv;charset=a;charset=b"] = "a",
    ["text/csv; charset="] = false, ["text/csv"] = false, ["text/csv; header=present"] = false,
    ["text/csv; ; charset=c"] = "c",
  } do
    it("is read from " .. content_type, function()
      assert.equal(charset or nil, (encodings.of_content_type(content_type)))
    end)
  end
end)

describe("what says how CSV is written", function()
  for name, character in pairs {
    tab = "\t", TAB = "\t", ["\\t"] = "\t", pipe = "|", space = " ", ["\\x01"] = "\1", ["0x1f"] = "\31",
    ["\\u0001"] = "\1", ["\\001"] = "\1", ["\\377"] = "\255", ["\\400"] = "\\400", ["\\777"] = "\\777",
    ["^A"] = "\1", ["^_"] = "\31",
    [";"] = ";", ["ab"] = "ab",
  } do
    it("takes the delimiter " .. name, function()
      assert.equal(character, dialect.delimiter(name))
    end)
  end

  for _, case in ipairs {
    { "delimiter", "\t", "\\x09" }, { "delimiter", "tab", "\\x09" }, { "delimiter", ";", ";" },
    { "delimiter", nil, nil },
    { "quote", "single", "'" }, { "quote", "'", "'" }, { "quote", "double", nil }, { "quote", '"', nil },
    { "quote", "none", "none" }, { "quote", nil, nil }, { "escape", "\\", "backslash" },
    { "escape", "backslash", "backslash" }, { "escape", "none", nil }, { "escape", nil, nil },
    { "encoding", "CP1252", "windows-1252" }, { "encoding", nil, nil }, { "null", "NULL", "NULL" },
  } do
    it(("is noted in one spelling: %s %s"):format(case[1], tostring(case[2])), function()
      assert.equal(case[3], (dialect.noted(case[1], case[2])))
    end)
  end

  local CSV_ONLY = "quote, escape and null are of CSV: JSON Lines have their own"
  for _, case in ipairs {
    { { quote = ";" },
      "quote is a character that may separate columns: give delimiter too, which is not looked for then" },
    { { quote = ";", delimiter = "," }, nil }, { { quote = "'" }, nil }, { { quote = "none" }, nil },
    { { format = "jsonl", quote = "'" }, CSV_ONLY }, { { format = "jsonl", escape = "none" }, CSV_ONLY },
    { { format = "jsonl", null = "x" }, CSV_ONLY }, { { format = "jsonl" }, nil },
    { { null = ("x"):rep(64) }, nil }, { { null = ("x"):rep(65) },
      "null must be a text of 1 to 64 bytes without line ends: what stands for no value" },
  } do
    it(case[2] and "is refused: " .. case[2]:sub(1, 40) or "is taken", function()
      assert.equal(case[2], (dialect.problem(case[1])))
    end)
  end
end)
