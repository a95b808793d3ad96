-- `scope3 sync --where` and `--sample`: which rows go, and what goes of them.
local core = require "scope3.core"
local where_args = require "scope3.cli.where_args"
local world = require "spec.support.world"

local json = world.json

local ROWS = [[
id,mail,tel,Consent,Spent,Since,Plan,#9
C100001,a@example.org,+12065550101,yes,500,2024-01-31,5,x
C100002,b@example.org,,No,1e3,2023-05-01,05,x
C100003,c@example.org,+12065550103,TRUE,12.5,2024-06-01,basic,
C100004,d@example.org,,ja,,2022-01-01,Basic,
C100005,e@example.org,,,499.99,,5,
]]

describe("rows that are chosen by words", function()
  local sandbox = world.around(setup, teardown, before_each)

  local MAP = { "--map", "external_id=id", "--map", "email=mail", "--map", "phone=tel" }

  local MAP_OF_TWO = { "--map", "external_id=id", "--map", "email=mail" }

  local function sync(text, words, ...)
    local args = { "sync", world.file(text, ".csv"), "--audience", "a" }
    for _, list in ipairs { words, { ... } } do
      for _, word in ipairs(list) do
        args[#args + 1] = word
      end
    end
    return world.command(args)
  end

  -- How many rows are taken where all of these hold.
  local function taken(...)
    local words = { (table.unpack or unpack)(MAP) } -- luacheck: ignore
    for _, condition in ipairs { ... } do
      words[#words + 1] = "--where"
      words[#words + 1] = condition
    end
    local code, out, err = sync(ROWS, words, "--dry-run", "--json", "--allow-empty")
    assert.equal(0, code, err)
    return json.decode(out).would_send
  end

  it("are those that meet every condition", function()
    for condition, n in pairs {
      ["Consent=yes"] = 3, ["Consent==TRUE"] = 3, ["Consent=no"] = 1, ["Consent!=yes"] = 1, ["consent = yes"] = 3,
      ["Spent>=500"] = 2, ["Spent>500"] = 1, ["Spent<500"] = 2, ["Spent<=500"] = 3, ["Spent!="] = 4, ["Spent="] = 1,
      ["Since>=2024-01-31"] = 2, ["Plan=5"] = 2, ["Plan!=5"] = 3, ["Plan=basic"] = 1, ["#4=yes"] = 3, ["#9=x"] = 2,
    } do
      assert.equal(n, taken(condition), condition)
    end
    assert.equal(1, taken("Consent=yes", "Spent>=500"))
    assert.equal(1, taken("Spent>=500", "Spent<1000"))
    assert.equal(0, taken("Consent=yes", "Consent="))
  end)

  it("have columns by number without a header", function()
    local map = { "--map", "external_id=1", "--map", "email=2", "--no-header", "--dry-run", "--json" }
    local code, out = sync(ROWS:gsub("^[^\n]*\n", ""), map, "--where", "4=yes", "--where", "#5>=500")
    assert.equal(0, code)
    assert.equal(1, json.decode(out).would_send)
    local _, _, err = sync(ROWS, map, "--where", "Consent=yes")
    assert.truthy(err:find("--no-header: --where takes the number of a column", 1, true), err)
  end)

  it("are compared with values that hold signs, right behind the sign or behind a blank", function()
    for word, expected in pairs {
      ["Name=<none>"] = { "eq", "<none>" }, ["Name!=<none>"] = { "ne", "<none>" },
      ["Name==<none>"] = { "eq", "<none>" },
      ["Name=>"] = false, ["Name=< "] = false, ["Name=<=x"] = { "eq", "<=x" }, ["Name= >"] = { "eq", ">" },
      ["Note= >500"] = { "eq", ">500" }, ["Note!= >500"] = { "ne", ">500" }, ["Note=>500"] = false,
      ["Note!=<=500"] = false, ["Note=<2024-01-31"] = false, ["Note= =x"] = { "eq", "=x" }, ["Note=!x"] = false,
      ["Note= !x"] = { "eq", "!x" }, ["Note!==x"] = false, ["Note===x"] = false, ["Note== =x"] = { "eq", "=x" },
      ["Note=a>=b"] = { "eq", "a>=b" }, ["Note=x=y!"] = { "eq", "x=y!" }, ["Note<>5"] = false, ["Note><5"] = false,
      ["Note >= 5"] = { "ge", 5 }, ["Note> =5"] = false, ["Note >=- 5"] = false, ["Note < -5"] = { "lt", -5 },
      ['Note="x"'] = { "eq", '"x"' }, ["Note = a b "] = { "eq", "a b" }, ["Note=<unset>5"] = { "eq", "<unset>5" },
    } do
      local where, problem = where_args.read { word }
      local key = expected and expected[1]
      assert.same(expected and { [word:sub(1, 4)] = { [key] = expected[2] } } or nil, where, word)
      assert.equal(expected == false, problem ~= nil, word)
    end
    local code, out = sync("id,mail,Name\n1,a@example.org,<none>\n2,b@example.org,Ann\n", MAP_OF_TWO, "--dry-run",
      "--json", "--where", "Name!=<none>")
    assert.equal(0, code)
    assert.equal(1, json.decode(out).would_send)
    local _, problem = where_args.read { "Note=>500" }
    assert.truthy(problem:find("stands behind a blank, as in 'Note= >500'", 1, true), problem)
  end)

  it("are not chosen by words that are none", function()
    for _, one in ipairs {
      { "Consent", "--where takes a column, one of" }, { "=yes", "--where takes a column, one of" },
      { "Consent!yes", "--where takes a column, one of" }, { "Spent=>500", "--where takes a column, one of" },
      { "Since>=31.12.2024", "neither a number nor a date that begins with its year" },
    } do
      local where, problem = where_args.read { one[1] }
      assert.is_nil(where, one[1])
      assert.truthy(problem:find(one[2], 1, true), problem)
    end
    local many = {}
    for i = 1, 65 do
      many[i] = "c" .. i .. "=1"
    end
    assert.same({ nil, "--where has 65 conditions; 64 are the most: use a function(row)" }, { where_args.read(many) })
    assert.same({ nil, "--where: 'Plan': a blank text equals nothing; use present = true or present = false" },
      { where_args.read { "Plan=\n" } })
    local _, problem = where_args.read { "Plan=a", "Plan=b" }
    assert.truthy(problem:find("--where asks 'Plan' for two values at once", 1, true), problem)
    assert.is_nil((where_args.read {}))
    local code, _, err = sync(ROWS, MAP, "--dry-run", "--where", "Consnt=yes")
    assert.equal(1, code)
    assert.truthy(err:find("there is no column 'Consnt'", 1, true), err)
    assert.truthy(err:find("did you mean 'Consent'?", 1, true), err)
    assert.equal(2, (sync(ROWS, MAP, "--dry-run", "--where", "Consent")))
  end)

  it("of a column that is not there are told which one was probably meant, where its name holds the word", function()
    local rows = "Kundennr.;E-Mail-Adresse;Telefon mobil;Telefon privat\n1;a@example.org;2;3\n"
    local function meant_by(name)
      local code, _, err = world.command { "sync", world.file(rows, ".csv"), "--dry-run", "--audience", "a",
        "--map", "external_id=Kundennr.", "--map", "email=" .. name }
      assert.equal(1, code)
      assert.truthy(err:find("; scope3 look says what each column holds", 1, true), err)
      return err:match "did you mean ([^\n]+)%?\n"
    end
    for name, meant in pairs { Email = "E-Mail-Adresse", MAIL = "E-Mail-Adresse", mobil = "Telefon mobil" } do
      assert.equal("'" .. meant .. "'", meant_by(name), name)
    end
    for _, name in ipairs { "Telefon", "ail", "Strasse" } do -- two hold it, it is too short, none holds it
      assert.is_nil(meant_by(name), name)
    end
  end)

  it("are not chosen by the order of texts: a value that is no number and no date is a wrong usage", function()
    for _, value in ipairs { "", " ", "1,000", "$1000", "500 EUR", "1.000,50", '"500"', "1_000", "2024-1-1", "1/2/24",
      "2024-31-01", "2024-01-311", "abc", "nan", "0x10" } do
      for _, sign in ipairs { "<", "<=", ">", ">=" } do
        local where, problem = where_args.read { "Spent" .. sign .. value }
        assert.is_nil(where, sign .. value)
        assert.truthy(problem:find("--where: 'Spent' is compared with", 1, true), problem)
        assert.truthy(problem:find("take a number such as 1000.50", 1, true), problem)
        assert.truthy(problem:find("A script compares texts", 1, true), problem)
      end
    end
    local _, empty = where_args.read { "Spent>=" }
    assert.truthy(empty:find("compared with an empty value", 1, true), empty)
    for _, value in ipairs { "-1", "1e3", " 500 ", "2024-01-31", "2024-01-31T10:00:00Z", "2024-01-31 10:00" } do
      assert.is_table((where_args.read { "Spent>=" .. value }), value)
    end
    assert.equal(2, (sync(ROWS, MAP, "--dry-run", "--where", "Spent>=1,000")))
  end)

  it("are not chosen by values of people in the wrong place, which no message repeats", function()
    local map = { "--map", "external_id=id", "--map", "email=mail", "--dry-run", "--json" }
    for _, one in ipairs {
      { 2, "--where", "email~jane@x.org" }, { 2, "--where", "email=!jane@x.org" }, { 2, "--where", "jane@x.org<5,0" },
      { 1, "--where", "jane@x.org<5" }, { 2, "--where", "tel~+1 206 555 0101" }, { 2, "--where", "+12065550101" },
      { 2, "--where", "jane@x.org=a", "--where", "jane@x.org=b" }, { 2, "--no-header", "--where", "jane@x.org=1" },
      { 2, "--where", "jane@x.org<" .. "31.12.2024" }, { 2, "--map", "jane@x.org" }, { 2, "--map", "jane@x.org=mail" },
      { 1, "--map", "email=jane@x.org" }, { 2, "--no-header", "--map", "email=jane@x.org" },
      { 2, "--rows", "jane@x.org" }, { 2, "--wait=jane@x.org" },
    } do
      local words = { (table.unpack or unpack)(map) } -- luacheck: ignore
      for i = 2, #one do
        words[#words + 1] = one[i]
      end
      local code, out, err = sync(ROWS, words)
      assert.equal(one[1], code, err .. table.concat(one, " "))
      assert.is_nil((out .. err):find("jane", 1, true), out .. err)
      assert.is_nil((out .. err):find("555", 1, true), out .. err)
    end
    local rows = world.file('{"id":"1","mail":"a@example.org"}\n', ".jsonl")
    local _, out, err = world.command { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map",
      "email=jane@x.org", "--dry-run" }
    assert.is_nil((out .. err):find("jane", 1, true), out .. err)
    local _, long = where_args.read { "Customer_lifetime_value_in_us_dollars_0a1b2c3d>=1,000" }
    assert.truthy(long:find("'Customer_lifetime_value_in_us_dollars_0a1b2c3d'", 1, true), long)
  end)

  it("are told of in the words of the command, which knows no script", function()
    local rows = 'id,mail,spent,plan\n1,a@x.org,"1,000",Basic\n2,b@x.org,"1.500,00",basic\n3,c@x.org,7,basic\n'
    local html, object = world.path ".html", world.path ".json"
    local code, out, err = sync(rows, { "--map", "external_id=id", "--map", "email=mail", "--dry-run" }, "--where",
      "spent>=1", "--where", "plan=basic", "--report", html, "--report", object)
    assert.equal(0, code, err)
    assert.truthy(out:find("skipped      2 by --where\n", 1, true), out)
    assert.truthy(out:find("Warning: --where 'spent>=' compares with a number, and 1 of 2 values", 1, true), out)
    assert.truthy(out:find("A script says how numbers are written, by decimal", 1, true), out)
    for _, said in ipairs { out, world.read(html), world.read(object) } do
      for _, words in ipairs { "by the script", "where[", "Say how" } do
        assert.is_nil(said:find(words, 1, true), said)
      end
    end
    assert.truthy(world.read(html):find("skipped by --where", 1, true))
    local _
    _, out = sync(rows, { "--map", "external_id=id", "--map", "email=mail", "--dry-run" }, "--where", "plan=basic")
    assert.truthy(out:find("Warning: --where 'plan=' found that 1 of 3 values differs", 1, true), out)
    assert.truthy(out:find("A script compares in any case, by ignore_case = true", 1, true), out)
    assert.is_nil(out:find(". ignore_case = true", 1, true), out)
    local script = world.file([[return { audience = "a", map = { external_id = "id", email = "mail" },
      where = { plan = "basic" } }]], ".lua")
    _, out = world.command { "run", script, world.file(rows, ".csv"), "--dry-run" }
    assert.truthy(out:find("skipped      1 by the script\n", 1, true), out)
    assert.truthy(out:find("where['plan'].eq found that 1 of 3", 1, true), out)
  end)

  it("are shown masked, and not sent", function()
    local code, out = sync(ROWS, MAP, "--sample", "2")
    assert.equal(0, code)
    local hash, phone = core.sha256 "a@example.org", core.sha256 "+12065550101"
    assert.truthy(out:find("The first 2 members as they would go, masked; nothing is sent", 1, true), out)
    local line = ("\n  add  C…01  hashedEmail %s…  hashedPhone %s…\n"):format(hash:sub(1, 6), phone:sub(1, 6))
    assert.truthy(out:find(line, 1, true), out)
    assert.truthy(out:find("\n  add  C…02  hashedEmail %x+…\n\n"), out)
    assert.is_nil(out:find("C100001", 1, true) or out:find(hash:sub(1, 12), 1, true))
    assert.truthy(out:find("would send   5 members", 1, true), out)
    local _
    _, out = sync(ROWS, MAP, "--sample", "2", "--where", "Plan=none", "--allow-empty")
    assert.truthy(out:find("^No member would go; nothing is sent"), out)
  end)

  it("show the end of an id of six characters and more", function()
    for id, shown in pairs { C1234 = "C…", C12345 = "C…45" } do
      local _, out = sync("id,mail\n" .. id .. ",a@example.org\n", MAP_OF_TWO, "--sample", "1")
      assert.truthy(out:find("\n  add  " .. shown .. "  hashedEmail ", 1, true), out)
    end
  end)

  it("are shown where they are removed", function()
    local service = { "--account", "25", "--base-url", sandbox.url }
    local function command(...)
      local args = { "sync", world.file(ROWS, ".csv"), "--audience", "a", ... }
      for _, word in ipairs(service) do
        args[#args + 1] = word
      end
      return world.command(args, { env = "SCOPE3_API_KEY=scope3_test_key" })
    end
    assert.equal(0, (command("--map", "external_id=id", "--map", "email=mail", "--wait")))
    local code, out, err = command("--map", "external_id=id", "--mode", "remove", "--sample", "9")
    assert.equal(0, code, err)
    assert.truthy(out:find("\n  remove  C…05  -\n", 1, true), out)
  end)

  it("are not said to be none where the job failed before it had any", function()
    local folder = world.path ""
    assert(os.execute(("mkdir '%s' && (echo id,mail; seq 9999 | sed 's/.*/&,a&@example.org/') | gzip >'%s/whole.gz' && "
      .. "head -c 9000 '%s/whole.gz' >'%s/cut.csv.gz'"):format(folder, folder, folder, folder)))
    local rows = world.file(ROWS, ".csv")
    for _, one in ipairs {
      { 1, folder .. "/cut.csv.gz" }, { 1, folder .. "/missing.csv" }, { 2, rows, "--delete-missing", "all" },
    } do
      local words = { "sync", one[2], "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
        "--sample", "2", one[3], one[4] }
      local code, out, err = world.command(words)
      assert.is_true(code == 1 or code == 2, err)
      assert.is_nil(out:find("No member would go", 1, true), out)
      if #words == 10 then
        assert.truthy(out:find("^No member can be shown, because the job failed before; nothing is sent"), out .. err)
      end
    end
    os.execute("rm -rf '" .. folder .. "'")
    local code, out = sync("id,mail\n", { "--map", "external_id=id", "--map", "email=mail" }, "--sample", "2")
    assert.equal(3, code)
    assert.truthy(out:find("^No member would go; nothing is sent"), out)
  end)

  it("are shown of a script, and to machines", function()
    local script = world.file([[return { audience = "a", map = { external_id = "id", ["uid:uid2"] = "u" } }]], ".lua")
    local uid = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="
    local file = world.file("id,u\n1," .. uid .. "\n", ".csv")
    local code, out, err = world.command { "run", script, file, "--sample", "5", "--json" }
    assert.equal(0, code, err)
    local sample = json.decode(out).sample
    assert.same({ 1, "add", "1…", "uid2" },
      { #sample, sample[1].operation, sample[1].id, sample[1].identifiers[1].type })
    assert.is_nil(out:find(uid, 1, true))
  end)

  it("are not shown with options that have no effect then", function()
    local _, _, err = sync(ROWS, MAP, "--sample", "2", "--wait")
    assert.truthy(err:find("--wait has no effect with --sample, which sends nothing", 1, true), err)
    assert.equal(2, (sync(ROWS, MAP, "--sample", "0")))
    assert.equal(2, (sync(ROWS, MAP, "--sample", "2", "--journal", world.path ".journal")))
  end)
end)
