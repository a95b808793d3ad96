-- `scope3 look` at files whose columns say less than they seem to, or that cannot be read.
local world = require "spec.support.world"

local json = world.json

-- The object of what was found, of a text.
local function seen(text, suffix, ...)
  local code, out, err = world.command { "look", world.file(text, suffix or ".csv"), "--json", ... }
  assert.equal(0, code, err)
  return json.decode(out)
end

local function doubts(object)
  return table.concat(object.unsure, "\n")
end

-- The names of the columns that the map has for a field, joined.
local function mapped(object, field)
  return table.concat(object.map[field] or {}, "+")
end

describe("an odd file that is looked at", function()
  teardown(world.clean)

  it("has no column that could be an id, which is told", function()
    local object = seen "email,note\na@example.com,same\na@example.com,same\na@example.com,same\n"
    assert.truthy(doubts(object):find("No column tells customers apart.", 1, true), doubts(object))
  end)

  it("has phones that fit no country, and is told how many", function()
    local object = seen "id,phone\n1,+493012345678\n2,+493012345679\n3,0000000000\n4,0000000000\n"
    assert.equal("2 phones have no country code, and fit no country. --region says which.", doubts(object))
    assert.same({ 2, 2 }, { object.columns[2].phones, object.columns[2].national_phones })
    assert.is_nil(object.region)
  end)

  it("has phones of other countries than its rows say", function()
    local lines = { "id,phone,country" }
    for i = 1, 9 do
      lines[#lines + 1] = ("%d,%s,US"):format(i, i <= 5 and "030 123456" .. i or "206 555 014" .. i)
    end
    local object = seen(table.concat(lines, "\n"))
    assert.equal("Most phones in 'phone' are not valid numbers of their row's country.", doubts(object))
    assert.equal("44 % valid, by the row's country", object.why.phone)
    lines[2] = "1,206 555 0141,US"
    object = seen(table.concat(lines, "\n"))
    assert.same({ "", "56 % valid, by the row's country" }, { doubts(object), object.why.phone })
  end)

  it("names countries in its own language, so that no country is guessed for all of them", function()
    local function rows_of(column, values)
      local lines = { "id,email,mobile," .. column }
      for i = 1, 30 do
        lines[#lines + 1] = ("%d,a%d@example.org,0%d 12345%02d,%s"):format(i, i, i % 2 == 0 and 171 or 664, i,
          values[i % #values + 1])
      end
      return seen(table.concat(lines, "\n"))
    end
    local object = rows_of("Land", { "Niemcy", "Rakousko", "AT" })
    assert.same({ "mobile", "" }, { mapped(object, "phone"), mapped(object, "region") })
    assert.is_nil(object.command:find("--region", 1, true))
    assert.equal("'Land' has values that are not known as countries, so 30 phones without a country code are left out. "
      .. "Known are codes, English names, and many in six other languages; a script can translate others. "
      .. "--region reads all as of one country.",
      doubts(object))
    for column, values in pairs { Bundesland = { "Bayern", "Tirol" }, Region = { "Sales North", "Sales South" } } do
      assert.truthy(doubts(rows_of(column, values)):find("So the region was left open", 1, true), column)
    end
    assert.equal("Land", mapped(rows_of("Land", { "Germany", "AT" }), "region"))
    assert.is_nil(doubts(rows_of("Land", { "" })):find("'Land'", 1, true))
    assert.equal("Land", mapped(rows_of("Land", { "Deutschland", "Österreich", "SCHWEIZ" }), "region"))
  end)

  it("has phones with a plus that say which of two likely countries the others are of", function()
    local function region_of(international, more)
      local lines = { "id,phone" }
      for i = 1, 60 do
        lines[#lines + 1] = ("%d,%s"):format(i, i % 15 == 0 and "0199 1234567" or ("0171 23456%02d"):format(i))
      end
      for i = 1, 3 do
        lines[#lines + 1] = ("%d,%s%d"):format(60 + i, international, i)
      end
      local object = seen(table.concat(lines, "\n") .. "\n" .. (more or ""))
      return { object.columns[2].regions[1].region, object.region, object.command:match "%-%-region (%u+)" }
    end
    assert.same({ "IT" }, region_of "0171 234561") -- whose plan takes nearly any number
    assert.same({ "DE", "DE", "DE" }, region_of "+49 171 123456")
    assert.same({ "IT", "IT", "IT" }, region_of "+39 347 123456")
    assert.same({ "IT" }, region_of "+1 206 555 014") -- of which the others cannot be
    assert.same({ "IT" }, region_of("+49 171 123456", "64,+393471234561\n65,+393471234562\n66,+393471234563\n"))
  end)

  it("has phones of one country that others' plans hardly take, so that its region is chosen", function()
    local lines = { "id,phone" }
    for i = 1, 20 do
      lines[#lines + 1] = ("%d,%s"):format(i, (i % 2 == 0 and "138 1234 56%02d" or "010 1234 56%02d"):format(i))
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "CN", "" }, { object.region, doubts(object) })
    assert.truthy(object.command:find(" --region CN ", 1, true), object.command)
  end)

  it("has nothing but phones of several countries' form, so that no region is chosen, and both are told", function()
    local object = seen "id,phone\n1,030 1234567\n2,030 1234568\n"
    assert.is_nil(object.region)
    assert.is_nil(object.command:find("--region", 1, true))
    assert.equal(0, object.trial.members)
    local said = doubts(object)
    assert.truthy(said:find("2 phones have no country code. As numbers of DE 100 % of them are valid, of others: ", 1,
      true), said)
    assert.truthy(said:find("So the region was left open, and they do not go. --region says which country they are of."
      .. "\nWithout a region no row that was looked at gives a member.", 1, true), said)
  end)

  it("has two columns of phones in national form, whose country is found for both", function()
    local object = seen "id,phone,mobile\n1,030 1234567,0171 2345678\n2,030 1234568,0171 2345679\n"
    assert.equal("phone+mobile", mapped(object, "phone"))
    assert.same({ "DE", "DE" }, { object.columns[2].regions[1].region, object.columns[3].regions[1].region })
  end)

  it("has one column of consent, and another that may say who agreed as well", function()
    local object = seen "id,email,consent,newsletter\n1,a@example.org,yes,no\n2,b@example.org,no,daily\n"
    assert.equal("consent", object.consent)
    assert.equal("Besides 'consent' these may say who agreed or refused: 'newsletter'.", doubts(object))
    assert.is_nil(object.command:find("--where", 1, true))
  end)

  it("has answers in JSON that are no texts", function()
    local object = seen('{"id":1,"email":"a@example.org","consent":true}\n'
      .. '{"id":2,"email":"b@example.org","consent":false}\n'
      .. '{"id":3,"email":"c@example.org","consent":false}\n', ".jsonl")
    assert.same({ "consent", 1, 2 }, { object.consent, object.trial.members, object.trial.skipped })
    for _, one in ipairs(object.columns) do
      if one.name == "consent" then
        assert.same({ 1, 2 }, { one.yes, one.no })
      end
    end
  end)

  it("has no id but names, so that emails are taken, and the names are told", function()
    local object = seen "name,mail\nAnna Z,a@example.org\nBert Y,b@example.org\nCarl X,c@example.org\n"
    assert.same({ "mail", "hash" }, { mapped(object, "external_id"), object.ids })
    assert.truthy(doubts(object):find("The id may also be 'name'.", 1, true))
  end)

  it("has columns that are named for what they hardly hold", function()
    local lines = { "id,mail,phone,country" }
    for i = 1, 20 do
      lines[#lines + 1] = ("%d,a%d@example.org,%s,%s"):format(i, i, i == 1 and "+493012345678" or "x" .. i,
        i <= 17 and "DE" or "none of them")
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "", "", "mail" }, { mapped(object, "phone"), mapped(object, "region"), mapped(object, "email") })
    lines[3] = "2,a2@example.org,+493012345679,DE"
    assert.same({ "phone", "" }, { mapped(seen(table.concat(lines, "\n")), "phone"), mapped(object, "region") })
    assert.equal("", mapped(seen(table.concat(lines, "\n")), "region"))
    lines[20] = "19,a19@example.org,x,DE"
    object = seen(table.concat(lines, "\n"))
    assert.same({ "phone", "country" }, { mapped(object, "phone"), mapped(object, "region") })
  end)

  it("has an id that is the better of two", function()
    -- Which column is taken, of rows in which the first two have so many different values.
    local function id_of(first, second, names)
      local lines = { names or "user id,customer id,mail" }
      for i = 1, 40 do
        lines[#lines + 1] = ("%d,%d,a%d@example.org"):format(i % first, 100 + i % second, i)
      end
      return mapped(seen(table.concat(lines, "\n")), "external_id")
    end
    assert.equal("user id", id_of(40, 40))
    assert.equal("customer id", id_of(24, 40))
    assert.equal("user id", id_of(31, 40)) -- the first of two that are nearly as good
    assert.equal("customer id", id_of(40, 40, "order id,customer id,mail"))
    assert.equal("customer id", id_of(1, 40))
  end)

  it("has an id whose German name is one word, so that no street is one beside it", function()
    for _, name in ipairs { "Kundennr.", "KdNr", "Mitgliedsnr.", "Debitor", "Debitorennr." } do
      local lines = { "Straße;" .. name .. ";E-Mail-Adresse" }
      for i = 1, 40 do
        lines[#lines + 1] = ("Königsstraße %d;K-%d;a%d@example.org"):format(i, 1000 + i % 39, i)
      end
      local object = seen(table.concat(lines, "\n"))
      assert.equal(name, mapped(object, "external_id"))
      assert.is_nil(doubts(object):find("may also be", 1, true), name)
    end
  end)

  it("has no id but emails, beside a column whose values repeat", function()
    local lines = { "town,mail" }
    for i = 1, 20 do
      lines[#lines + 1] = ("Town %s,a%d@example.org"):format(string.char(64 + i % 10), i)
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "mail", "hash" }, { mapped(object, "external_id"), object.ids })
    assert.is_nil(doubts(object):find("town", 1, true))
    for i = 1, 6 do -- now four fifths differ
      lines[1 + i] = ("Place %s,a%d@example.org"):format(string.char(64 + i), i)
    end
    object = seen(table.concat(lines, "\n"))
    assert.equal("mail", mapped(object, "external_id"))
    assert.truthy(doubts(object):find("The id may also be 'town'.", 1, true))
  end)

  it("has no id in a column of two values, whatever it is called", function()
    local lines = { "user id,mail" }
    for i = 1, 20 do
      lines[#lines + 1] = ("%d,a%d@example.org"):format(i % 2, i)
    end
    assert.equal("mail", mapped(seen(table.concat(lines, "\n")), "external_id"))
    for i = 1, 20 do
      lines[1 + i] = ("%d,a%d@example.org"):format(i % 3, i)
    end
    assert.equal("user id", mapped(seen(table.concat(lines, "\n")), "external_id"))
  end)

  it("has universal ids only where most values have their form", function()
    local good, lines = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=", { "id,mail,euid,uid2" }
    for i = 1, 20 do
      lines[#lines + 1] = ("%d,a%d@example.org,%s,%s"):format(i, i, i <= 11 and good or "x", i <= 10 and good or "x")
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "euid", "" }, { mapped(object, "uid:euid"), mapped(object, "uid:uid2") })
    assert.same({ "euid" }, { object.columns[3].uid_type, object.columns[4].uid_type })
  end)

  it("has hashes in base64 without its last sign", function()
    local object = seen("id,email hash\n1,yumXEDiTLqFKWuI0/U0EkHuPGqZR//d9fFgbSg+QrWM\n"
      .. "2,Nv9rsLzWqSX0tRFpz2byCpFyzIcpsMQuBk/0MgvRlUI\n")
    assert.equal(2, object.columns[2].hashes)
    assert.equal("email hash", mapped(object, "hashed_email"))
  end)

  it("has phones without a header only where most values look like some", function()
    local function phones_of(most)
      local lines = {}
      for i = 1, 20 do
        lines[i] = ("K%d,a%d@example.org,%s"):format(i, i, i <= most and "030 12345" .. 10 + i or "word " .. i)
      end
      return seen(table.concat(lines, "\n"), ".csv", "--no-header").columns[3].national_phones
    end
    assert.same({ 0, 11 }, { phones_of(10), phones_of(11) })
  end)

  it("has a header behind a title, which counts only where rows follow", function()
    assert.equal(1, seen("Our customers\nid,email\n1,a@example.org\n").reading.skip_lines)
    local code, _, err = world.command { "look", world.file("Our customers\nid,email\n", ".csv") }
    assert.equal(1, code)
    assert.truthy(err:find("can be read\n", 1, true), err)
  end)

  it("has emails that miss in many rows, which are no id", function()
    local lines = { "name,mail" }
    for i = 1, 20 do
      lines[#lines + 1] = ("Name %d,%s"):format(i, i <= 12 and ("a%d@example.org"):format(i) or "")
    end
    local object = seen(table.concat(lines, "\n"))
    assert.equal("name", mapped(object, "external_id"))
    assert.is_nil(object.ids)
  end)

  it("has many names inside of a value, all of which are looked at where rows are as many", function()
    local lines, fields = {}, {}
    for i = 1, 30 do
      fields[i] = ('"k%d":%d'):format(i, i)
    end
    for i = 1, 40 do
      lines[i] = ('{"id":%d,"email":"a%d@example.org","more":{%s}}'):format(i, i, table.concat(fields, ","))
    end
    assert.equal(32, #seen(table.concat(lines, "\n"), ".jsonl").columns)
  end)

  it("has over 20 keys inside of a value and fewer rows: these are data, and are told in order", function()
    local function inner(n)
      local fields = {}
      for i = 1, n do
        fields[i] = ('"k%d":%d'):format(i, i)
      end
      return ("{%s}"):format(table.concat(fields, ","))
    end
    local function notes_of(n)
      local more = inner(n)
      local object = seen(('{"id":1,"email":"a@example.org","c":%s,"a":%s,"d":%s,"b":%s}\n'):format(more, more, more,
        more), ".jsonl")
      local told = {}
      for i, one in ipairs(object.unsure) do
        told[i] = one:match "^The keys in '(%a)' seem to be data"
      end
      return table.concat(told)
    end
    assert.same({ "", "abcd" }, { notes_of(20), notes_of(21) })
  end)

  it("is not searched for what was said of it", function()
    local object = seen("id,email,x\n1,a@example.org,NULL\n2,b@example.org,NULL\n", ".csv", "--null", "none")
    assert.same({ "none", 2 }, { object.reading.null, object.columns[3].filled })
    object = seen("id,email,x\n1,a@example.org,\\N\n2,b@example.org,\\N\n", ".csv", "--escape", "none")
    assert.same({ "none", 2 }, { object.reading.escape, object.columns[3].filled })
  end)

  it("shows control characters and bytes that are no text as question marks", function()
    local text = "id,email,x\n1,a@example.org,\"A\tb\"\n2,b@example.org,J\246rg\n3,c@example.org,J\246rg\n"
    local object = seen(text, ".csv", "--encoding", "utf-8")
    assert.same({ "A?aa", "A?a" }, object.columns[3].samples)
  end)

  it("has one column with a stray quote, which is no reason to read it without quotes", function()
    local object = seen('email\na@example.org\n"b"c@example.org\nd@example.org\n')
    assert.same({ 2, 1 }, { object.rows, object.unreadable_rows })
    assert.is_nil(object.reading.quote)
  end)

  it("has quotes in its header that are only text", function()
    for _, head in ipairs { 'id,"email', 'id,"e"mail' } do
      local object = seen(head .. "\n1,a@example.org\n2,b@example.org\n")
      assert.same({ "none", "id", head:match ",(.*)", 2 }, { object.reading.quote, mapped(object, "external_id"),
        mapped(object, "email"), object.rows })
      assert.truthy(object.command:find(" --quote none ", 1, true), object.command)
    end
    local file = world.file('id,"email\n1,a@example.org\n', ".csv")
    local code, _, err = world.command { "look", file, "--quote", '"' }
    assert.equal(1, code)
    assert.truthy(err:find("a quote is opened and does not close", 1, true), err)
  end)

  it("shows forms of its first 300 values, and a name of up to 64 bytes", function()
    local name, lines = ("n"):rep(64), {}
    lines[1] = "id,email," .. name
    for i = 1, 320 do
      lines[i + 1] = ("%d,a%d@example.org,%s"):format(i, i, i <= 300 and "x" or "Y1")
    end
    local object = seen(table.concat(lines, "\n"))
    assert.same({ "a" }, object.columns[3].samples)
    lines[2] = "1,a1@example.org,Y1"
    assert.same({ "a", "A9" }, seen(table.concat(lines, "\n")).columns[3].samples)
    local _, out = world.command { "look", world.file(table.concat(lines, "\n"), ".csv") }
    assert.truthy(out:find("\n  3  " .. ("n"):rep(21), 1, true), out)
  end)

  it("shows the form of 20 characters, whatever their bytes are", function()
    local function form_of(text)
      return seen(("id,email,x\n1,a@example.org,%s\n"):format(text)).columns[3].samples[1]
    end
    local wide = "\240\159\152\128" -- four bytes
    assert.same({ ("a"):rep(20), ("a"):rep(20) .. "…" }, { form_of(wide:rep(20)), form_of(wide:rep(21)) })
    assert.same({ ("a"):rep(20), ("a"):rep(20) .. "…" }, { form_of(("z"):rep(20)), form_of(("z"):rep(21)) })
  end)

  it("comes from a pipe with a name, and is read once", function()
    local pipe = world.path ".fifo"
    os.execute("mkfifo " .. pipe)
    os.execute(("(timeout 60 sh -c 'cat examples/customers.csv >%s') &"):format(pipe))
    local code, out, err = world.command({ "look", pipe, "--json" }, { before = "timeout 60" })
    assert.equal(0, code, err)
    local object = json.decode(out)
    assert.same({ 998, "Email" }, { object.rows, mapped(object, "email") })
    os.remove(pipe)
  end)

  it("begins with a byte order mark or not", function()
    local text = "id,email\n1,a@example.org\n"
    for words, bytes in pairs {
      ["CSV · comma · UTF-8 with a byte order mark · 1 row, which are all"] = "\239\187\191" .. text,
      ["CSV · comma · UTF-8 · 1 row, which are all"] = text,
    } do
      local _, out = world.command { "look", world.file(bytes, ".csv") }
      assert.equal(words, out:match "\n([^\n]*)")
    end
  end)

  it("has the name of its file or of standard input in what is wrong with it", function()
    local half = world.file('{"id":1\n{"id":2\n', ".jsonl")
    local said = "none of 2 rows that were looked at can be read\n"
    for _, one in ipairs { { half, half }, { "-", "standard input" } } do
      local _, _, err = world.command({ "look", one[1] }, { stdin = half })
      assert.equal(("scope3: %s: %s"):format(one[2], said), err)
    end
    local packed = world.path ".gz"
    os.execute(("gzip -c examples/customers.csv | head -c 9000 >%s"):format(packed))
    local _, _, err = world.command({ "look", "-" }, { stdin = packed })
    assert.truthy(err:find("^scope3: standard input: .*the file was cut off"), err)
  end)

  it("has no name that an audience could have", function()
    local folder = world.path ""
    os.execute("mkdir " .. folder)
    world.write(folder .. "/.gz", "id,email\n1,a@example.org\n")
    local _, out = world.command { "look", folder .. "/.gz", "--json" }
    assert.truthy(json.decode(out).command:find(" --audience customers ", 1, true), out)
    os.execute(("cd %s && LUA_PATH=\"$LUA_PATH\" %s %s/bin/scope3.in init .gz >/dev/null"):format(folder,
      os.getenv "SCOPE3_LUA_BIN" or "lua", os.getenv "PWD" or "."))
    assert.truthy(world.read(folder .. "/customers.lua"):find('id = "customers"', 1, true))
    os.execute("rm -r " .. folder)
  end)

  it("cannot be opened, or cannot be read, and the reason is told", function()
    local code, _, err = world.command({ "look", "/dev/tty" }, { before = "setsid -w" })
    assert.same({ 1, "scope3: cannot read /dev/tty: No such device or address\n" }, { code, err })
    code, _, err = world.command({ "look", "-" }, { stdin = "/tmp" })
    assert.same({ 1, "scope3: cannot read standard input: Is a directory\n" }, { code, err })
  end)
end)
