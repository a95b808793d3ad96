-- Inputs that are unambiguous in a form of their own are read, and read right.
local scope3 = require "scope3"
local world = require "spec.support.world"

-- What a dry run makes of a text, in pieces of one byte and whole, which must be the same.
local function read(text, opts, format)
  local results = {}
  for _, step in ipairs { 1, #text + 1 } do
    local at = 1
    local source = assert(scope3[format or "csv"](function()
      at = at + step
      return at - step <= #text and text:sub(at - step, at - 1) or nil
    end, opts))
    local script = { audience = "a", map = { external_id = "id", email = "mail" } }
    local res, err = scope3.client {}:run(script, source, { dry_run = true })
    res = res or err.result or { lines = {} }
    results[#results + 1] = { res.rows, res.members, res.lines.header, res.lines.blank, err and err.code }
  end
  assert.same(results[2], results[1], text)
  return results[1]
end

describe("JSON Lines", function()
  teardown(world.clean)

  it("begin with record separators, commas and empty lines, and columns of text after these are reported",
    function()
      local a, b = '{"id":1,"mail":"a@x.org"}', '{"id":2,"mail":"b@x.org"}'
      for _, text in ipairs {
        "\30" .. a .. "\n\30" .. b .. "\n", "," .. a .. "\n," .. b .. "\n", "\n\n," .. a .. "," .. b,
      } do
        local got = read(text, nil, "jsonl")
        assert.same({ 2, 2 }, { got[1], got[2] }, text)
      end
      for _, text in ipairs { "id,mail\n1,a@x.org\n", "\n\nid;mail\n", '\30"id","mail"\n',
        ("\n"):rep(60) .. "id;mail\n", (",\n"):rep(40) .. "id|mail" } do
        assert.equal("no_json", read(text, nil, "jsonl")[5], text)
      end
    end)

  it("and CSV are known as UTF-16 without a mark by a first line that holds separators of records, or of columns",
    function()
      local seq, hive = '\30{"id":1,"mail":"a@x.org"}\n', "id\1mail\n1\1a@x.org\n"
      for pattern, by in pairs { ["%0\0"] = "utf-16le", ["\0%0"] = "utf-16be" } do
        for _, encoding in ipairs { by, "utf-16" } do
          assert.equal(1, read((seq:gsub(".", pattern)), { encoding = encoding }, "jsonl")[2])
          assert.equal(1, read((hive:gsub(".", pattern)), { encoding = encoding, delimiter = "^A" })[2])
        end
        assert.equal("utf16", read((seq:gsub(".", pattern)), nil, "jsonl")[5])
        assert.equal("utf16", read((hive:gsub(".", pattern)), { delimiter = "^A" })[5])
      end
    end)

  it("have phones that are numbers with a fraction of zeros, as tables and scripts do, and lists of nothing as nothing",
    function()
      local lines = {}
      for i, phone in ipairs {
        "12065550142", "12065550142.0", "2065550142.00", "206555014.0",
        "12065550142.5", "1.2e10", '[""]', '["", ""]', "[ ]",
      } do
        lines[i] = ('{"id":%d,"tel":%s}'):format(i, phone)
      end
      local path, refused = world.file(table.concat(lines, "\n"), ".jsonl"), {}
      local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", phone = "tel" } }, path, {
        dry_run = true, region = "US", on_reject = function(r)
          refused[r.row] = refused[r.row] or r.reason
        end }))
      assert.equal(3, res.members)
      assert.same({ [4] = "phone_too_short", [5] = "not_text", [6] = "not_text", [7] = "no_identifier",
        [8] = "no_identifier", [9] = "no_identifier" }, refused)
    end)

  it("of another encoding say that rows were rejected, where CSV says that values were dropped", function()
    local path = world.file('{"id":"1","mail":"a@x.org","n":"M\252ller"}\n{"id":"2","mail":"b@x.org"}\n', ".jsonl")
    local code, out, err = world.command {
      "sync", path, "--dry-run", "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
    }
    assert.equal(0, code, err)
    assert.truthy((out .. err):find("such rows were rejected", 1, true), out .. err)
  end)
end)

describe("CSV", function()
  it("has the delimiter of its header where sep= names one and another stands after that", function()
    for _, first in ipairs { "sep=;,,,", '"sep=;",,', "sep=,;;", "sep=;\t\t", "sep=^,," } do
      for _, d in ipairs { ";", "," } do
        local text = ("%s\r\nid%smail\r\n1%sa@x.org\r\n"):format(first, d, d)
        assert.same({ 1, 1, 2, 0 }, read(text), text)
      end
    end
    assert.same({ 1, 1, 2, 0 }, read("sep=,;\nid;mail;a,b,\n1;a@x.org;\n"))
    assert.same({ 1, 1, 2, 0 }, read("sep=|\nid|mail|x,;y,;\n1|a@x.org|\n"))
  end)

  it("has lines of white space as empty lines, also with delimiters, and before its header", function()
    assert.same({ 1, 1, 1, 3 }, read "id,mail\n  \n1,a@x.org\n , \n\t\n")
    assert.same({ 1, 1, 1, 2 }, read "   \n,,,,\nid;mail\n1;a@x.org\n")
    assert.same({ 1, 1, 1, 2 }, read '\t\t\n,,,\r\n"id",mail,"x;;;"\n1,a@x.org,\n')
    assert.equal("empty", read(" \n\t\n;;;\n")[5])
    assert.same({ 2, 1, 1, 0 }, read 'id,mail\n1,a@x.org\n"",""\n')
  end)

  it("may have columns that are called as other files begin", function()
    for _, name in ipairs {
      "%PDF-Link", "SQLite format 3", "PK", "BM", "ID3", "ORC", "PAR1", "GIF89a", "Obj", "{rtf", "<id>",
    } do
      assert.same({ 1, 1, 1, 0 }, read(name .. ",id,mail\nx,1,a@x.org\n"), name)
    end
    for start, kind in pairs { ["%PDF-1.7\n%\xe2\xe3"] = "pdf", ["SQLite format 3\0\16\0\1"] = "sqlite" } do
      assert.equal(kind, read(start)[5])
    end
  end)

  it("takes names of delimiters in any case, and names of encodings as their registries have them", function()
    for name, d in pairs { Tab = "\t", COMMA = ",", Semicolon = ";", PIPE = "|" } do
      assert.same({ 1, 1, 1, 0 }, read(("id%smail\n1%sa@x.org\n"):format(d, d), { delimiter = name }), name)
    end
    for _, name in ipairs {
      "ISO_8859-1:1987", "csISOLatin1", "l1", "IBM819", "x-cp1252", "1252",
      "latin5", "ISO-8859-9", "850", "CP-850", "x-mac-roman", "l9", "utf8mb4",
    } do
      assert.same({ 1, 1, 1, 0 }, read("id,mail\n1,a@x.org\n", { encoding = name }), name)
    end
    assert.error(function()
      scope3.csv("-", { encoding = "cp437" })
    end)
  end)

  it("has a header where one of its names is mapped, though others look like data", function()
    local path = world.file("id,mail,phone,phone,2026-01-31\n1,a@x.org,x,+12065550142,5\n", ".csv")
    local function run(map)
      local res, err = scope3.client {}:run({ audience = "a", map = map }, path, { dry_run = true })
      return res and res.members or err.message
    end
    assert.equal(1, run { external_id = "id", phone = "#4" })
    assert.equal(1, run { external_id = 1, email = "Mail" })
    assert.truthy(run({ external_id = 1, email = 2 }):find("looks like data", 1, true))
  end)

  it("gives columns by #number to scripts and loops as it does to maps, where none is called so", function()
    local path = world.file("id,phone,phone,#1\n1,x,y,z\n", ".csv")
    local seen
    assert(scope3.client {}:run({ audience = "a", where = function(row)
      seen = { row["#2"], row["#3"], row["#1"], row[3] }
      return false
    end, map = { external_id = "id", email = 2 } }, path, { dry_run = true }))
    assert.same({ "x", "y", "z", "y" }, seen)
    local _, err = scope3.client {}:run({ audience = "a", where = function(row)
      return row["#9"] == nil
    end, map = { external_id = "id", email = 2 } }, path, { dry_run = true })
    assert.truthy(err.message:find("there is no column 9; the row has 4", 1, true), err.message)
    for row in scope3.csv(path) do
      assert.same({ "x", "y", "z", "y" }, { row["#2"], row["#3"], row["#1"], row[3] })
      assert.same({}, { row[1.5], row[0], row[5], row[0 / 0], row[1e300] })
      assert.is_false((pcall(function()
        return row["#9"]
      end)))
    end
    for row in scope3.csv(path, { header = false }) do
      assert.truthy(row["#3"] == "phone" or row["#3"] == "y")
    end
  end)
end)

describe("a list in which one address stands", function()
  it("gives that, where the other parts hold no value", function()
    for _, raw in ipairs {
      "n/a; a@x.org", "; a@x.org", "a@x.org ::: ", "a@x.org ::: n/a", ",a@x.org", "none or a@x.org", '[null,"a@x.org"]',
      '["","a@x.org"]', '["unreadable","a@x.org"]', "['', 'a@x.org']", "{NULL,a@x.org}", ";;A@x.org;-",
    } do
      local got, repairs = scope3.email.normalize(raw)
      assert.equal("a@x.org", got, raw)
      assert.truthy(table.concat(repairs, " "):find("email_first_of_several", 1, true), raw)
      assert.is_nil((scope3.email.normalize(raw, { repair = false })), raw)
    end
    for _, raw in ipairs {
      "jane,doe@x.org", "jane;doe@x.org", "'jane',doe@x.org", '"jane",doe@x.org',
      "n/a, jane doe@x.org", "n/a; jane@", "mailto:a%2Bb@x.org,", "n/a@n/a.com;",
    } do
      assert.is_nil((scope3.email.normalize(raw)), raw)
    end
  end)
end)
