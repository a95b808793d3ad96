-- `scope3 look`: how a file of unknown form is written, what it holds, and the command that would send it.
local core = require "scope3.core"
local world = require "spec.support.world"

local json = world.json

local HEAD = { "Kundennummer", "Vorname", "E-Mail", "Telefon", "Einwilligung", "Umsatz" }

-- Rows of people in Germany, 60 of them.
local function german()
  local rows = {}
  for i = 1, 60 do
    rows[i] = { "K" .. 1000 + i, i % 2 == 0 and "Jörg" or "Zoë", ("joerg.maier%d@beispiel-firma.de"):format(i),
      ("030 2345%02d8"):format(i), i % 3 == 0 and "nein" or "ja", ("%d,50"):format(1000 + i) }
  end
  return rows
end

-- The text of rows; `quote` encloses each value.
local function lines_of(rows, delimiter, quote, head)
  local lines = {}
  local function add(values)
    local cells = {}
    for i, value in ipairs(values) do
      cells[i] = (quote or "") .. value .. (quote or "")
    end
    lines[#lines + 1] = table.concat(cells, delimiter)
  end
  if head ~= false then
    add(HEAD)
  end
  for _, values in ipairs(rows) do
    add(values)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function in_1252(text)
  return (text:gsub("\195([\128-\191])", function(c) return string.char(c:byte() + 64) end))
end

local function in_utf16(text)
  return (in_1252(text):gsub(".", "%0\0"))
end

local function look(path, ...)
  local code, out, err = world.command { "look", path, "--json", ... }
  return code, json.decode(out), err
end

-- What was found of a text: the object.
local function seen(text, suffix, ...)
  local code, object, err = look(world.file(text, suffix or ".csv"), ...)
  assert.equal(0, code, err)
  return object
end

-- What the map has for a field, joined.
local function mapped(object, field)
  local list = object.map[field] or {}
  local words = {}
  for i, column in ipairs(list) do
    words[i] = tostring(column):gsub("%.0$", "")
  end
  return table.concat(words, "+")
end

describe("a file that is looked at", function()
  teardown(world.clean)

  it("has the map of the example, and a command that reads it", function()
    local code, object = look "examples/customers.csv"
    assert.equal(0, code)
    assert.same({ "Customer Id", "Email", "Mobile", "Country" }, { mapped(object, "external_id"),
      mapped(object, "email"), mapped(object, "phone"), mapped(object, "region") })
    assert.same({ 998, 2, true, "comma", "utf-8", "Marketing consent" }, { object.rows, object.unreadable_rows,
      object.all_rows, object.delimiter, object.encoding, object.consent })
    assert.equal("scope3 sync examples/customers.csv --audience customers --map external_id='Customer Id' "
      .. "--map email=Email --map phone=Mobile --map region=Country "
      .. "--where 'Marketing consent=yes' --dry-run", object.command)
  end)

  it("is read however it is written", function()
    local rows = german()
    local semicolon = lines_of(rows, ";")
    local WAYS = {
      { "semicolon, windows-1252", in_1252(semicolon), { delimiter = "semicolon", encoding = "windows-1252" } },
      { "tab", lines_of(rows, "\t"), { delimiter = "tab" } },
      { "pipe", lines_of(rows, "|"), { delimiter = "pipe" } },
      { "a control character", lines_of(rows, "\1"), { delimiter = "\\x01" } },
      { "a hat", lines_of(rows, "^"), { delimiter = "^" } },
      { "quoted", lines_of(rows, ",", '"'), { delimiter = "comma" } },
      { "in single quotes", lines_of(rows, ",", "'"), { delimiter = "comma", quote = "'" } },
      { "two lines of a title", "Export\nvom 2024-01-31\n\n" .. semicolon, { skip_lines = 2 } },
      { "a byte order mark", "\239\187\191" .. semicolon, { delimiter = "semicolon" } },
      { "UTF-16 with a mark", "\255\254" .. in_utf16(semicolon), { delimiter = "semicolon", encoding = "utf-16le" } },
      { "UTF-16 without", in_utf16(semicolon), { delimiter = "semicolon", encoding = "utf-16le" } },
      { "no value as \\N", (lines_of(rows, ","):gsub("Zoë", "\\N"):gsub(",50\n", ".50\n")), { escape = "backslash" } },
      { "no value as NULL", (lines_of(rows, ";"):gsub("Zoë", "NULL")), { null = "NULL" } },
      { "quotes that are text", (semicolon:gsub("Zoë", '"Zoë" x')), { quote = "none" } },
    }
    for _, way in ipairs(WAYS) do
      local object = seen(way[2])
      assert.same({ "Kundennummer", "E-Mail", "Telefon", "DE" }, { mapped(object, "external_id"),
        mapped(object, "email"), mapped(object, "phone"), object.columns[4].regions[1].region }, way[1])
      assert.equal(60, object.rows, way[1])
      for key, value in pairs(way[3]) do
        assert.equal(value, object[key] or object.reading[key], way[1] .. ": " .. key)
      end
    end
  end)

  it("is packed, or comes from standard input, or has an ending that misleads", function()
    local plain = world.file(lines_of(german(), "\t"), ".json")
    local packed = world.path ".gz"
    os.execute(("gzip -c %s >%s"):format(plain, packed))
    for _, one in ipairs { { plain }, { packed }, { "-", plain }, { "-", packed } } do
      local code, out, err = world.command({ "look", one[1], "--json" }, { stdin = one[2] })
      assert.equal(0, code, err)
      local object = json.decode(out)
      assert.same({ "Kundennummer", "tab", 60 }, { mapped(object, "external_id"), object.delimiter, object.rows })
    end
    local object = seen('{"user_id":1,"mail":"a@example.org"}\n', ".csv")
    assert.same({ "jsonl", "user_id" }, { object.reading.format, mapped(object, "external_id") })
  end)

  it("has no header where its first line is a row", function()
    local object = seen(lines_of(german(), ";", nil, false))
    assert.same({ false, "1", "3", "4" }, { object.reading.header, mapped(object, "external_id"),
      mapped(object, "email"), mapped(object, "phone") })
    local words = "--no-header --map external_id=1 --map email=3 --map phone=4"
    assert.truthy(object.command:find(words, 1, true))
    object = seen "1001,anna,de\n1002,bert,at\n"
    assert.is_false(object.reading.header)
    assert.is_nil(object.command)
    object = seen "Anna,Berlin,x\nBert,Berlin,y\nCarl,Rome,z\n"
    assert.is_false(object.reading.header)
    object = seen "name,city\nBert,Berlin\nname,city\nCarl,Rome\n" -- joined files
    assert.is_nil(object.reading.header)
  end)

  it("has values inside values in JSON Lines", function()
    local lines = {}
    for i = 1, 20 do
      lines[i] = ('{"id":%d,"properties":{"email":"a%d@example.org","phones":["(206) 555-01%02d"]}}'):format(i, i, i)
    end
    local object = seen(table.concat(lines, "\n"), ".jsonl")
    assert.same({ "id", "properties.email", "properties.phones.1", "US" }, { mapped(object, "external_id"),
      mapped(object, "email"), mapped(object, "phone"), object.columns[3].regions[1].region })
  end)

  it("has hashes, universal ids and further columns by their names and forms", function()
    local lines = { "person_id,email sha256,phone hash,UID2,IDFA,email,email 2,opt out" }
    for i = 1, 20 do
      lines[#lines + 1] = table.concat({ i, core.sha256("m" .. i), core.sha256("p" .. i),
        "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=", ("EA7583CD-A667-48BC-B806-42ECB2B480%02d"):format(i),
        i % 2 == 0 and "" or "a" .. i .. "@example.org", "b" .. i .. "@example.org", i % 2 }, ",")
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "person_id", "email sha256", "phone hash", "UID2", "IDFA", "email+email 2", "opt out" },
      { mapped(object, "external_id"), mapped(object, "hashed_email"), mapped(object, "hashed_phone"),
      mapped(object, "uid:uid2"), mapped(object, "uid:maid"), mapped(object, "email"), object.consent })
  end)

  it("says what it is not sure of", function()
    local function doubts(text, words)
      local object = seen(text)
      local all = table.concat(object.unsure, "\n")
      assert.truthy(all:find(words, 1, true), all)
      return object
    end
    local two = { "user id,customer id,mail" }
    local only, again, states = { "mail,name" }, { "user id,mail" }, { "id,tel,state" }
    for i = 1, 20 do
      two[#two + 1] = ("%d,%d,a%d@example.org"):format(i, 100 + i, i)
      only[#only + 1] = ("a%d@example.org,x"):format(i)
      again[#again + 1] = ("%d,a%d@example.org"):format(i % 15, i)
      states[#states + 1] = ("%d,206-555-01%02d,%s"):format(i, i, i % 2 == 0 and "CA" or "DE")
    end
    doubts(table.concat(two, "\n"), "The id may also be 'customer id'")
    local object = doubts(table.concat(only, "\n"), "There is no id but emails or phones")
    assert.same({ "mail", "hash" }, { mapped(object, "external_id"), object.ids })
    assert.truthy(object.command:find("--ids hash", 1, true))
    doubts(table.concat(again, "\n"), "5 rows repeat an id in 'user id'")
    doubts(table.concat(states, "\n"), "'state' may be states or languages")
    object = doubts("name,city\na,b\nc,d\n", "No column of emails, phones, hashes or universal ids was found.")
    assert.is_nil(object.command)
    object = doubts(("h\n%s\n%s\n"):format(core.sha256 "a", core.sha256 "b"), "map it to hashed_email or hashed_phone")
    assert.is_nil(object.command)
    object = doubts("id,email,unsubscribed,newsletter\n1,a@example.org,no,yes\n2,b@example.org,yes,no\n",
      "'unsubscribed' may say who refused.")
    assert.truthy(table.concat(object.unsure):find("'newsletter' may say who agreed.", 1, true))
  end)

  it("takes columns by number where a name stands twice, or no person can type it", function()
    local object = seen "id,mail,mail,a\226\128\174b\n1,a@example.org,b@example.org,c@example.org\n"
    assert.equal("2+3+4", mapped(object, "email"))
    assert.truthy(object.command:find("--map email='#2' --map email='#3' --map email='#4'", 1, true), object.command)
  end)

  it("shows no whole value, in 80 columns", function()
    local rows = german()
    local code, out = world.command { "look", world.file(lines_of(rows, ";"), ".csv") }
    assert.equal(0, code)
    for _, values in ipairs(rows) do
      for i, value in ipairs(values) do
        assert.is_true(i == 5 or not out:find(value, 1, true), value)
      end
    end
    for line in out:gmatch "[^\n]+" do
      local _, more = line:gsub("[\128-\191]", "")
      assert.is_true(#line - more <= 80 or line:find "^/", line)
    end
    for _, words in ipairs {
      "A9999", "j…@b….de", "999 9999999", "Nothing left this machine", "60 rows, which are all",
    } do
      assert.truthy(out:find(words, 1, true), words .. out)
    end
  end)

  it("calls a column by number where its name is as long as a row", function()
    local long = ("n"):rep(65)
    local _, out = world.command { "look", world.file(("id,%s,\"a\nb\"\n1,a@example.org,x\n"):format(long), ".csv") }
    assert.is_nil(out:find(long:sub(1, 30), 1, true), out)
    assert.truthy(out:find("\n  email        #2  100 % valid\n", 1, true), out)
    assert.truthy(out:find("\n  3  #3 ", 1, true), out)
  end)

  it("is read only as far as is asked", function()
    local object = seen(lines_of(german(), ";"), ".csv", "--rows", "10")
    assert.same({ 10, false }, { object.rows, object.all_rows })
    object = seen(lines_of(german(), ";"), ".csv", "--rows", "60")
    assert.same({ 60, true }, { object.rows, object.all_rows })
    assert.equal(2, (look("examples/customers.csv", "--rows", "0")))
  end)

  it("is told how to be read", function()
    local text = in_1252(lines_of(german(), ";"))
    local reading = seen(text, ".csv", "--encoding", "iso-8859-15", "--no-header", "--delimiter", ";",
      "--skip-lines", "1").reading
    assert.same({ "iso-8859-15", false, 1 }, { reading.encoding, reading.header, reading.skip_lines })
    local code, _, err = look("examples/customers.csv", "--delimiter", ";;")
    assert.equal(2, code)
    assert.truthy(err:find("--delimiter must be one character", 1, true), err)
  end)

  it("has no header where that is said, though its first line looks like one", function()
    local object = seen("id,email\nK1,a@example.org\nK2,b@example.org\n", ".csv", "--no-header")
    assert.same({ 3, false, "1", "2" }, { object.rows, object.reading.header, mapped(object, "external_id"),
      mapped(object, "email") })
    assert.is_nil(object.columns[1].name)
    assert.truthy(object.command:find("--no-header --map external_id=1 --map email=2", 1, true), object.command)
  end)

  it("shows nothing of a first line that may be a row of people", function()
    local file = world.file("Zebulon Quagmire,London\nAnna Smith,Paris\nBert Jones,Rome\n", ".csv")
    local _, out = world.command { "look", file }
    local _, object = look(file)
    for _, words in ipairs { "Zebulon", "Quagmire", "London" } do
      assert.is_nil((out .. json.encode(object)):find(words, 1, true), out)
    end
    assert.truthy(out:find("--no-header", 1, true), out)
    assert.truthy(object.unsure[1]:find("The first line may be a row and no header", 1, true))
    for _, text in ipairs { "Vorname,Ort\nAnna,Rom\n", "foo,bar\nAnna,x7\n", "Customer Id,bar\nAnna,x\n" } do
      assert.is_nil(table.concat(seen(text).unsure):find("may be a row", 1, true), text)
    end
    assert.truthy(seen("High Street,North Bridge\nLow Lane,x\n").unsure[1]:find("may be a row", 1, true))
  end)

  it("shows no keys of JSON Lines that are data", function()
    local two = '{"secretperson1@mailhost.com":"yes","+442079460001":{"Zebulon Quagmire":1},"id":7,"mail":"a@b.org"}\n'
    local file = world.file(two, ".jsonl")
    local _, out = world.command { "look", file }
    local _, object = look(file)
    for _, words in ipairs { "secretperson1", "442079460001", "Zebulon" } do
      assert.is_nil((out .. json.encode(object)):find(words, 1, true), out)
    end
    assert.truthy(table.concat(object.unsure):find("Some keys are emails, phones or hashes", 1, true))
    assert.same({ "id", "mail" }, { mapped(object, "external_id"), mapped(object, "email") })

    for _, form in ipairs { '"Zoe Nr%d":1', '"Zoe Nr%d":{"n":1}' } do
      local lines = {}
      for i = 1, 30 do
        lines[i] = ('{"id":%d,"email":"a%d@example.org","orders":{%s,%s}}'):format(i, i, form:format(i),
          form:format(100 + i))
      end
      object = seen(table.concat(lines, "\n"), ".jsonl")
      assert.is_nil(json.encode(object):find("Zoe", 1, true))
      assert.same({ 2, "The keys in 'orders' seem to be data and not names: what is in it was not looked at." },
        { #object.columns, object.unsure[1] })
    end
  end)

  it("shows no keys of JSON Lines that hold an at sign or many digits, that stand in few rows, or that are of a map",
    function()
      -- Rows, what is shown of them, and what is said.
      local function check(rows, shown, note)
        local path = world.file(table.concat(rows, "\n") .. "\n", ".jsonl")
        local _, object = look(path)
        local columns = {}
        for i, column in ipairs(object.columns) do
          columns[i] = column.name
        end
        table.sort(columns)
        assert.same(shown, columns)
        assert.equal(note ~= nil, table.concat(object.unsure):find(note or "not looked at", 1, true) ~= nil, note)
        local script = world.path ".lua"
        local _, out = world.command { "look", path }
        world.command { "init", path, "-o", script }
        local all = out .. json.encode(object) .. (world.exists(script) and world.read(script) or "")
        assert.is_nil(all:find "Quagmire" or all:find "zebulon", all)
      end

      local digits = "Some keys are emails, phones or hashes"
      for _, key in ipairs { "zebulon@", "@zebulon", "zebulon @ mail", "zebulon 10482", "zebulon-1-20-65-55" } do
        check({ ('{"id":1,"email":"a@b.org","%s":{"x":1}}'):format(key) }, { "email", "id" }, digits)
      end
      check({ '{"id":1,"email":"a@b.org","sha256_1024":1,"opt_in":"yes"}' }, { "email", "id", "opt_in", "sha256_1024" })

      local rows = {}
      for i = 1, 60 do
        rows[i] = ('{"id":%d,"email":"a%d@b.org","churn":{"%s":1,"score":2}%s%s}'):format(i, i,
          i % 30 == 0 and "zebulon" or "risk", i % 20 == 0 and ',"tone":1' or "",
          i == 7 and ',"Jo Quagmire":{"n":1},"first name":"x"' or "")
      end
      check(rows, { "churn.risk", "churn.score", "email", "first name", "id", "tone" }, "2 keys stand in few rows")

      check({ '{"Jo Quagmire":{"age":1},"Al Quagmire":{"age":2},"zebulon":{"age":3}}', '{"id":1,"email":"a@b.org"}' },
        { "email", "id" }, "Some rows hold nothing but objects")
      check({ '{"id":1,"email":"a@b.org","seen":{"Jo Quagmire":{"n":1},"Al Quagmire":{"n":2},"zebulon":{"n":3}}}' },
        { "email", "id" }, "The keys in 'seen' seem to be data and not names")
      check({ '{"id":1,"email":"a@b.org","of":{"billing":{"n":1},"shipping":{"n":2}}}' },
        { "email", "id", "of.billing.n", "of.shipping.n" })
    end)

  it("says where it has more keys than are looked at", function()
    local fields = {}
    for i = 1, 401 do
      fields[i] = ('"k%d":1'):format(i)
    end
    local object = seen(("{%s}\n"):format(table.concat(fields, ",")), ".jsonl")
    assert.equal(400, #object.columns)
    assert.truthy(table.concat(object.unsure):find("There are more than 400 keys", 1, true))
  end)

  -- A gzip file of that text without its second half, which holds rows that do not pack.
  local function cut_off()
    local lines = { "id,email" }
    for i = 1, 3000 do
      lines[#lines + 1] = ("%d,%s@example.org"):format(i, core.sha256("p" .. i):sub(1, 20))
    end
    local plain, packed = world.file(table.concat(lines, "\n"), ".csv"), world.path ".csv.gz"
    os.execute(("gzip -c %s >%s"):format(plain, packed))
    local bytes = world.read(packed)
    return world.file(bytes:sub(1, math.floor(#bytes / 2)), ".csv.gz")
  end

  it("is damaged where it cannot be read as far as was asked", function()
    local file = cut_off()
    local code, object, err = look(file)
    assert.equal(1, code)
    assert.truthy(object.error.message:find("the file was cut off (at byte ", 1, true), object.error.message)
    assert.is_true(object.rows > 100 and object.rows < 3000 and not object.all_rows)
    assert.truthy(err:find("the file was cut off", 1, true), err)
    local _, out = world.command { "look", file }
    assert.truthy(out:find("It is damaged, and was read only so far", 1, true), out)
    assert.equal(0, (look(file, "--rows", "100")))

    code, object = look(world.file('{"id":1\n{"id":2\n', ".jsonl"))
    assert.same({ 1, 0, "none of 2 rows that were looked at can be read" },
      { code, object.rows, object.error.message:match ": (none.*)" })
    local path = world.path ".lua"
    code, out, err = world.command { "init", file, "-o", path }
    assert.same({ 1, false }, { code, world.exists(path) })
    assert.truthy(out:find("No script was written.", 1, true), out)
    assert.truthy(err:find("the file was cut off", 1, true), err)
    assert.equal(0, (world.command { "init", file, "-o", path, "--rows", "100" }))
  end)

  it("is not text where control characters of its first line separate no columns", function()
    for _, text in ipairs { "id,ema\7il\nK1,a@x.org\nK2,b@x.org\n", "id\1ema\7il\nK1\1a@x.org\n" } do
      local code, _, err = look(world.file(text, ".csv"))
      assert.equal(1, code)
      assert.truthy(err:find("not text: its first line holds control characters", 1, true), err)
    end
  end)

  it("has its map tried on the rows that were looked at, and counted", function()
    local object = seen("id,email,opt in\n1,a@example.org,yes\n2,b@example.org,no\n3,nothing,yes\n"
      .. "1,c@example.org,yes\n")
    assert.same({ 1, 1, 1 }, { object.trial.members, object.trial.skipped, object.trial.rejected_rows })
    local _, out = world.command { "look", "examples/customers.csv" }
    assert.truthy(out:find("Of these rows it makes 783 members; 208 rows skipped; ", 1, true), out)
    local lines = { "id,email" }
    for i = 1, 12000 do -- more than a payload has room for
      lines[#lines + 1] = ("%d,a%d@example.org"):format(i, i)
    end
    assert.equal(12000, seen(table.concat(lines, "\n"), ".csv", "--rows", "20000").trial.members)
  end)

  it("has ids that are phones or emails: their hashes are proposed", function()
    for _, form in ipairs { "+44 (0)20 7946 00%02d", "x%d@example.org" } do
      local lines = { "name,customer_id,email" }
      for i = 1, 30 do
        lines[#lines + 1] = ("x,%s,a%d@example.org"):format(i % 3 == 0 and form:format(i) or "K" .. i, i)
      end
      local object = seen(table.concat(lines, "\n"))
      local all = table.concat(object.unsure, "\n")
      assert.truthy(all:find("10 ids in 'customer_id' are emails or phones", 1, true), all)
      assert.same({ "hash", "customer_id" }, { object.ids, mapped(object, "external_id") })
      assert.truthy(object.command:find("--ids hash", 1, true), object.command)
    end
  end)

  it("gives no member, and is told so", function()
    local lines = {}
    for i = 1, 30 do
      lines[i] = ('{"customer_id":%d.25,"user":"x","email":"a%d@example.org"}'):format(i, i)
    end
    local object = seen(table.concat(lines, "\n"), ".jsonl")
    assert.truthy(table.concat(object.unsure):find("'customer_id' has values that are neither texts nor whole numbers",
      1, true))
    local path, script = world.file("id,email,opt in\n1,a@example.org,no\n2,b@example.org,no\n", ".csv"),
      world.path ".lua"
    local code, found, err = look(path)
    assert.same({ 3, "nothing", 2 }, { code, found.error.kind, found.trial.skipped })
    assert.is_nil(found.command)
    assert.truthy(err:find("no row that was looked at gives a member", 1, true), err)
    assert.equal(3, (world.command { "init", path, "-o", script }))
    assert.is_false(world.exists(script))
  end)

  it("has a command that runs when it is pasted", function()
    local text = "id,email,--consent\n1,a@example.org,yes\n2,b@example.org,no\n"
    for _, head in ipairs { "--consent", "consent=1", "consent~x", "consent>", "consent<", "#9 consent" } do
      local object = seen((text:gsub("%-%-consent", head)))
      assert.truthy(object.command:find("--where '#3=yes'", 1, true), object.command)
    end
    local folder = world.path ""
    os.execute("mkdir " .. folder)
    local function inside(name, words)
      local file = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(words or text)
      file:close()
      local out = world.path ".out"
      os.execute(("cd %s && LUA_PATH=\"$LUA_PATH\" %s %s/bin/scope3.in look --json -- '%s' >%s"):format(folder,
        os.getenv "SCOPE3_LUA_BIN" or "lua", os.getenv "PWD" or ".", name, out))
      return json.decode(world.read(out))
    end
    local command = inside("-dash.csv").command
    assert.truthy(command:find("scope3 sync ./-dash.csv --audience dash ", 1, true), command)
    for _, name in ipairs { "a\nb.csv", "a\27b.csv", "a\255b.csv" } do
      local object = inside(name)
      assert.same({}, { object.command })
      assert.equal("id", mapped(object, "external_id"))
      local _, out = world.command { "look", folder .. "/" .. name }
      assert.truthy(out:find("cannot be written in a command", 1, true), out)
    end
    local object = seen('{"id":1,"email":"a@example.org","opt-in=x":"yes"}\n', ".jsonl")
    assert.same({ "opt-in=x" }, { object.consent, object.command }) -- the others would be sent without --where
    os.execute("rm -r " .. folder)
  end)

  it("is refused as by a job where it holds no rows of text", function()
    for text, words in pairs {
      [""] = "the file is empty", ["PK\3\4" .. ("\0"):rep(100)] = "a zip archive",
      [("\0\1\2\3"):rep(500)] = "not text", ["%PDF-1.4\n"] = "a PDF document",
    } do
      local code, _, err = look(world.file(text, ".csv"))
      assert.equal(1, code)
      assert.truthy(err:find(words, 1, true), err)
    end
    assert.equal(1, (look "/does/not/exist"))
    local code, out = world.command { "look", world.file("id,email\n", ".csv") }
    assert.equal(0, code)
    assert.truthy(out:find("no rows", 1, true))
    local words = "Not sure\n  - There is no row to read, so nothing says what the columns hold.\n\n"
    assert.truthy(out:find(words, 1, true), out)
  end)
end)
