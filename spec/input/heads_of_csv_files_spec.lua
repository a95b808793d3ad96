-- What stands before the rows of CSV:
-- delimiters with and without a key on the keyboard, lines before the header, names that are numbers.
local scope3 = require "scope3"
local world = require "spec.support.world"

local function sync(text, ...)
  local words = { "sync", world.file(text, ".csv"), "--dry-run", "--json", "--audience", "a" }
  for i = 1, select("#", ...) do
    words[#words + 1] = (select(i, ...))
  end
  return world.command(words)
end

local BY_NAME = { "--map", "external_id=id", "--map", "email=mail" }
local unpack = table.unpack or unpack -- luacheck: ignore

local function members(out)
  return tonumber(out:match('"members": ?(%d+)'))
end

-- Columns and rows of a text, the same however it comes in.
local function read(text, opts)
  local all
  for _, size in ipairs { 1, 5, 100000 } do
    local at, rows = 1, {}
    local source = assert(scope3.csv(function()
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece ~= "" and piece or nil
    end, opts))
    local row, err = source:next()
    while row or err do
      rows[#rows + 1] = row or { err.code or "?", err.message }
      row, err = source:next()
    end
    all = all or rows
    assert.same(all, rows, "in pieces of " .. size)
  end
  return all
end

describe("a delimiter", function()
  teardown(world.clean)

  it("has names and codes, also those that no keyboard has", function()
    for text, names in pairs {
      ["id\1mail\n1\1a@x.org\n"] = { "\\x01", "0x01", "\\1", "\\001", "\\u0001", "^A", "\1" },
      ["id\31mail\n1\31a@x.org\n"] = { "\\x1f", "\\x1F", "0x1f", "\\037", "^_" },
      ["id\tmail\n1\ta@x.org\n"] = { "tab", "\\t", "\\x09", "^I", "\t" },
      ["id mail\n1 a@x.org\n"] = { "space", " ", "0x20" },
      ["id|mail\n1|a@x.org\n"] = { "pipe" }, ["id;mail\n1;a@x.org\n"] = { "semicolon" },
      ["id,mail\n1,a@x.org\n"] = { "comma" },
    } do
      for _, name in ipairs(names) do
        assert.same({ { id = "1", mail = "a@x.org" } }, read(text, { delimiter = name }), name)
      end
    end
    local code, out, err = sync("id\1mail\n1\1a@x.org\n", "--delimiter", "\\x01", unpack(BY_NAME))
    assert.same({ 0, 1 }, { code, members(out) }, err)
    local res = assert(scope3.client {}:run({ map = { external_id = "id", email = "mail" }, audience = "a",
      delimiter = "^A" },
      world.file("id\1mail\n1\1a@x.org\2b\n", ".csv"), { dry_run = true }))
    assert.equal(1, res.rows) -- the second of Hive's three parts a list, and is text here
  end)

  it("that is no character raises, and a control character that nobody named is told how to be", function()
    for _, name in ipairs { "ab", "\\x", "\\xzz", "^a", "tabs", "", "0x1ff", "\\x0a", "^J", '"' } do
      assert.has_error(function()
        scope3.csv("x.csv", { delimiter = name })
      end)
    end
    local code, _, err = sync("id\1mail\n1\1a@x.org\n", unpack(BY_NAME))
    assert.equal(1, code)
    assert.truthy(err:find("--delimiter '\\x01'", 1, true), err)
  end)

  it("is read from a first line that spreadsheets write, in any case, quoted, and with what other programs put behind",
    function()
    for _, head in ipairs { "sep=;", "Sep=;", "SEP=;", '"sep=;"', "sep=;;;", '"sep=;";', "sep=; ", "sep=,;" } do
      for _, line_end in ipairs { "\n", "\r\n", "\r" } do
        assert.same({ { ["id,x"] = "1", mail = "a" } }, read(table.concat({ head, "id,x;mail", "1;a", "" }, line_end)),
          head)
      end
    end
    for _, head in ipairs { "sep=,", "sep=,,,", "sep=;,,", '"sep=;",,' } do -- saved again with commas
      assert.same({ { ["id;x"] = "1", mail = "a" } }, read(head .. "\nid;x,mail\n1,a\n"), head)
    end
    for _, head in ipairs { "sep=\t", "sep=\\t", '"sep=\\t"' } do
      assert.same({ { ["id,x"] = "1", mail = "a" } }, read(head .. "\nid,x\tmail\n1\ta\n"), head)
    end
    for _, head in ipairs { 'sep="', '"sep=;', '"sep=;x', "sep=;,;", "sep=;,|", "sep=" } do -- it is the header
      assert.is_nil(rawget(read(head .. "\nid,x;mail\n1;a\n")[1], "mail"), head)
    end
    for _, head in ipairs { "sep=ab", "sep=;x", "sep", "separator=;" } do
      local columns = assert(assert(scope3.csv(world.file(head .. ",\n1,2\n", ".csv"))):columns())
      assert.equal((head:gsub('"', "")), (columns[1]:gsub('[",\n]', "")):sub(1, #head), head)
    end
  end)

  it("that was guessed is shown where a column is not found by it", function()
    local code, _, err = sync("id;name, first;work, mail;city, x\n1;Bob;a@x.org;Rome\n", "--map", "external_id=id",
      "--map", "email=work, mail")
    assert.equal(1, code)
    assert.truthy(err:find("taken to be a comma (--delimiter names another)", 1, true) and err:find("--skip-lines N",
      1, true), err)
    local out
    code, out = sync("id;name, first;work, mail;city, x\n1;Bob;a@x.org;Rome\n", "--map", "external_id=id", "--map",
      "email=work, mail",
      "--delimiter", "semicolon")
    assert.same({ 0, 1 }, { code, members(out) })
  end)
end)

describe("lines before the header", function()
  it("are passed over as told, and what is said of rows has the lines of the file", function()
    for _, line_end in ipairs { "\n", "\r\n", "\r" } do
      local text = table.concat({ '# an "export', "", "id;mail", "1;a@x.org", '2;"b"x', "" }, line_end)
      assert.same({ { id = "1", mail = "a@x.org" } }, { read(text, { skip_lines = 2 })[1] })
      local source = assert(scope3.csv(world.file(text, ".csv"), { skip_lines = 2 }))
      source:next()
      local _, err = source:next()
      assert.same({ "stray_quote", 2, 5 }, { err.code, err.row, err.line })
    end
    local path = world.file("one\ntwo\nid,mail\n1,a@x.org\n", ".csv")
    local res = assert(scope3.client {}:run({ map = { external_id = "id", email = "mail" }, audience = "a",
      skip_lines = 2 }, path, { dry_run = true }))
    assert.same({ 1, 3, 4 }, { res.members, res.lines.header, res.lines.total })
    local code, out = sync("one\ntwo\nid,mail\n1,a@x.org\n", "--skip-lines", "2", unpack(BY_NAME))
    assert.same({ 0, 1 }, { code, members(out) })
    assert.same({ { "1", "a" } }, read("x\n1,a\n", { skip_lines = 1, header = false }))
    assert.same({ { id = "1", mail = "a" } }, read("\239\187\191sep=;\nx,y,z,\nid;mail\n1;a\n",
      { skip_lines = 2 })) -- the first of the two names it
  end)

  it("that are all there is, of JSON Lines, or no number at all are errors", function()
    assert.equal("empty", read("a\nb\n", { skip_lines = 2 })[1][1])
    assert.equal("empty", read("a\nb", { skip_lines = 9 })[1][1])
    local _, err = assert(scope3.csv(world.file(("x"):rep(1100000) .. "\nid\n1\n", ".csv"), { skip_lines = 1 })):next()
    assert.equal("row_too_long", err.code)
    for _, n in ipairs { -1, 0, 1.5, "1" } do
      assert.has_error(function()
        scope3.csv("x.csv", { skip_lines = n })
      end)
    end
    local path = world.file('{"id":"1","mail":"a@x.org"}\n', ".jsonl")
    local code
    code, _, err = world.command { "sync", path, "--dry-run", "--audience", "a", "--skip-lines", "1", unpack(BY_NAME) }
    assert.same({ 2, true }, { code, err:find("has no effect on JSON Lines", 1, true) ~= nil }, err)
    assert.equal(2, (sync("x\n", "--skip-lines", "0", unpack(BY_NAME))))
    assert.has_error(function()
      scope3.client {}:run({ map = { external_id = 1, email = 2 }, audience = "a", skip_lines = 1 },
        assert(scope3.csv(path)), { dry_run = true })
    end)
  end)
end)

describe("a file without line ends", function()
  it("is read where CR ends its rows, and an error where they were lost", function()
    assert.same({ { id = "1", mail = "a" }, { id = "2", mail = "b" } }, read "id,mail\r1,a\r2,b")
    for _, text in ipairs { "id,mail 1,a@x.org 2,b@x.org", "id,mail;1,a@x.org;2,b@x.org",
      "id\31mail\0301\31a@x.org\030" } do
      local rows = read(text, { delimiter = text:find "\31" and "^_" or "," })
      assert.equal("no_line_ends", rows[1][1])
      assert.is_nil(rows[1][2]:find("@", 1, true))
    end
    assert.equal(3, (sync("id,mail", unpack(BY_NAME)))) -- a header alone
  end)
end)

describe("a column", function()
  it("is given by number on the command line, unless one is called so", function()
    local text = "id,phone,mail,phone\n1,x,a@x.org,+12065550142\n"
    for _, number in ipairs { "4", "#4" } do
      local code, out, err = sync(text, "--map", "external_id=id", "--map", "phone=" .. number)
      assert.same({ 0, 1 }, { code, members(out) }, err)
    end
    local code, _, err = sync(text, "--map", "external_id=id", "--map", "phone=phone")
    assert.equal(1, code)
    assert.truthy(err:find("stands twice, as 2 and 4: give its number, #2 or #4", 1, true), err)
    for _, case in ipairs { { "#5", "no column 5" }, { "5", "no column 5" }, { "#0", "no column '#0'" }, { "#x",
      "no column '#x'" } } do
      local refused, _, why = sync(text, "--map", "external_id=id", "--map", "phone=" .. case[1])
      assert.equal(1, refused)
      assert.truthy(why:find(case[2], 1, true), why)
    end
    local out
    code, out = sync("0,1,2\nx,+12065550142,7\n", "--map", "external_id=2", "--map", "phone=1") -- as pandas names them
    assert.same({ 0, 1 }, { code, members(out) })
    code, out = sync("0,1,2\nx,+12065550142,7\n", "--map", "external_id=#3", "--map", "phone=#2")
    assert.same({ 0, 1 }, { code, members(out) })
    code, out = sync("x,+12065550142,7\n", "--no-header", "--map", "external_id=#3", "--map", "phone=2")
    assert.same({ 0, 1 }, { code, members(out) })
    local res = assert(scope3.client {}:run({ map = { external_id = "#1", email = "#3" }, audience = "a" },
      world.file(text, ".csv"), { dry_run = true }))
    assert.equal(1, res.members)
  end)

  it("that is a name in one file and a number in another is an error", function()
    local code, _, err = world.command { "sync", world.file("id,2\n1,a@x.org\n", ".csv"),
      world.file("id,mail\n1,a@x.org\n", ".csv"), "--dry-run",
      "--audience", "a", "--map", "external_id=id", "--map", "email=2" }
    assert.equal(1, code)
    assert.truthy(err:find("the name of a column in one file and the number of one in another", 1, true), err)
  end)
end)
