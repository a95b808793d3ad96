-- Several identifiers of a person: each column of `each` makes a member of its own, with the id, id#2, id#3.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local EMAILS = { map = { external_id = "id", email = { each = { "mail", "mail 2", "mail 3" } } } }
local BOTH = { map = { external_id = "id", email = { each = { "mail", "mail 2" } },
  phone = { each = { "tel", "tel 2" } }, region = "country" } }

describe("a map with each", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client

  before_each(function()
    sandbox:configure { clock = "manual" }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  local function run(script, input, opts)
    local all = { audience = "a" }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    if type(input) == "string" then
      input = { world.file(input, ".csv") }
    end
    local res, err = client:run(script, input, all)
    assert(res, tostring(err))
    assert.equal(res.people, world.assert_sums(res))
    assert(#res.tasks == 0 or res:wait { timeout = 60 })
    return res
  end

  -- Who is in the audience, by the hashes of what they are found by.
  local function there()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = { member.hashedEmail, member.hashedPhone }
    end
    return found
  end

  local email = scope3.email.hash

  it("makes a member of each column, and counts people beside members", function()
    local res = run(EMAILS, "id,mail,mail 2,mail 3\n1,a@x.org,b@x.org,c@x.org\n2,d@x.org,,e@x.org\n3,,f@x.org,\n")
    assert.same({ ["1"] = { email "a@x.org" }, ["1#2"] = { email "b@x.org" }, ["1#3"] = { email "c@x.org" },
      ["2"] = { email "d@x.org" }, ["2#3"] = { email "e@x.org" }, ["3#2"] = { email "f@x.org" } }, there())
    assert.same({ 3, 3, 6, 6 }, { res.rows, res.people, res.members, res.accepted })
    assert.same({ {}, {} }, { res.rejected, res.dropped })
  end)

  it("makes no member of a value that an earlier column has", function()
    local text = "id,mail,mail 2,mail 3\n1,a@x.org, A@X.org ,a@x.org\n2,b@x.org,c@x.org,b@x.org\n3,,d@x.org,d@x.org\n"
    local res = run(EMAILS, text)
    assert.same({ ["1"] = { email "a@x.org" }, ["2"] = { email "b@x.org" }, ["2#2"] = { email "c@x.org" },
      ["3#2"] = { email "d@x.org" } }, there())
    assert.same({ 3, 4, {} }, { res.people, res.members, res.dropped })
    res = run(BOTH, "id,mail,mail 2,tel,tel 2,country\n9,a@x.org,a@x.org,2065550142,2065550143,US\n")
    local found = there()
    assert.same({ email "a@x.org", (scope3.phone.hash "+12065550142") }, found["9"])
    assert.same({ nil, (scope3.phone.hash "+12065550143") }, found["9#2"])
    assert.equal(2, res.members)
  end)

  it("reads the same from JSON Lines and from tables", function()
    local rows = { { id = 1, mail = "a@x.org", ["mail 3"] = "c@x.org" }, { id = 2, ["mail 2"] = "b@x.org" } }
    local expected = { ["1"] = { email "a@x.org" }, ["1#3"] = { email "c@x.org" }, ["2#2"] = { email "b@x.org" } }
    local json = '{"id":1,"mail":"a@x.org","mail 3":"c@x.org"}\n{"id":2,"mail 2":"b@x.org"}\n'
    run(EMAILS, { world.file(json, ".jsonl") })
    assert.same(expected, there())
    sandbox:configure { clock = "manual" }
    local i = 0
    run(EMAILS, function()
      i = i + 1
      return rows[i]
    end)
    assert.same(expected, there())
  end)

  it("joins the columns of one place, by the region of the row, and leaves universal ids to the first", function()
    local script = { map = { external_id = "id", email = BOTH.map.email, phone = BOTH.map.phone, region = "country",
      ["uid:uid2"] = "uid" } }
    local uid = ("A"):rep(43) .. "="
    run(script, "id,mail,mail 2,tel,tel 2,country,uid\n1,a@x.org,b@x.org,(206) 555-0142,020 7946 0001,US," .. uid
      .. "\n2,c@x.org,,,020 7946 0001,GB,\n")
    local phone = scope3.phone.hash
    assert.same({ ["1"] = { email "a@x.org", (phone "+12065550142") }, ["1#2"] = { email "b@x.org" },
      ["2"] = { email "c@x.org" }, ["2#2"] = { nil, (phone "+442079460001") } }, there())
    local members = sandbox:members "a"
    assert.is_nil(members["1#2"].uids)
    assert.is_nil(members["2#2"].uids)
  end)

  it("drops what cannot be used, names its column, and rejects a row that gives nobody", function()
    local told = {}
    local text = "id,mail,mail 2,mail 3\n1,a@x.org,nobody,c@x\n2,jane,,doe\n3,,,\n"
    local res = run(EMAILS, text, { on_reject = function(one)
      told[#told + 1] = ("%d %s %s %s"):format(one.row, tostring(one.column), one.reason, tostring(one.dropped))
    end })
    assert.same({ "1" }, sandbox:ids "a")
    assert.same({ { no_identifier = 2 }, { email_no_at = 3, email_domain = 1 }, 1 },
      { res.rejected, res.dropped, res.people })
    assert.same({ "1 mail 2 email_no_at true", "1 mail 3 email_domain true", "2 mail email_no_at true",
      "2 mail 3 email_no_at true", "2 nil no_identifier false", "3 nil no_identifier false" }, told)
  end)

  it("refuses an id that ends as those of further members do, and no other", function()
    local rows = { "id,mail,mail 2,mail 3" }
    local refused = { "a#2", "a#9", "a#10", "a#16", "#2", "a#3#2" }
    local taken = { "a", "a#", "a#1", "a#0", "a#02", "a#17", "a2", "a#2b", "a#2#", "2" }
    for i, id in ipairs(refused) do
      rows[#rows + 1] = ("%s,r%d@x.org,,"):format(id, i)
    end
    for i, id in ipairs(taken) do
      rows[#rows + 1] = ("%s,t%d@x.org,,"):format(id, i)
    end
    local text = table.concat(rows, "\n") .. "\n"
    local res = run(EMAILS, text)
    assert.same({ id_numbered = #refused }, res.rejected)
    table.sort(taken)
    local there_now = sandbox:ids "a"
    table.sort(there_now)
    assert.same(taken, there_now)
    assert.same({}, run({ map = { external_id = "id", email = { "mail", "mail 2" } } }, text).rejected)
  end)

  it("takes another id where the first ends so, for all members of the row", function()
    local res = run({ map = { external_id = { "id", "old" }, email = { each = { "mail", "mail 2" } } } },
      "id,old,mail,mail 2\na#2,b,a@x.org,b@x.org\n")
    assert.same({ "b", "b#2" }, sandbox:ids "a")
    assert.same({ id_numbered = 1 }, res.dropped)
  end)

  it("sends no id that is a phone or an email of any member of the row", function()
    local res = run(BOTH, "id,mail,mail 2,tel,tel 2,country\n7946-0001,a@x.org,,,79460001,\n")
    assert.same({ id_phone = 1 }, res.rejected)
    res = run(BOTH, "id,mail,mail 2,tel,tel 2,country\n7946-0001,a@x.org,,,79460002,GB\n")
    assert.same({}, res.rejected)
    assert.same({ "7946-0001" }, sandbox:ids "a")
  end)

  it("takes one id for all members where another is a phone of one of them", function()
    local map = { external_id = { "id", "old" }, email = BOTH.map.email, phone = BOTH.map.phone, region = "country" }
    for _, phones in ipairs { "79460001,", ",79460001" } do
      sandbox:configure { clock = "manual" }
      local res = run({ map = map }, ("id,old,mail,mail 2,tel,tel 2,country\n7946-0001,b,a@x.org,c@x.org,%s,\n")
        :format(phones))
      assert.same({ "b", "b#2" }, sandbox:ids "a")
      assert.same({ id_phone = 1, phone_national = 1 }, res.dropped)
    end
  end)

  it("removes the ids of all members that it can make", function()
    run(EMAILS, "id,mail,mail 2,mail 3\n1,a@x.org,b@x.org,c@x.org\n2,d@x.org,e@x.org,f@x.org\n")
    local res = run(EMAILS, "id,mail,mail 2,mail 3\n1,,,\n", { mode = "remove" })
    assert.same({ "2", "2#2", "2#3" }, sandbox:ids "a")
    assert.same({ 1, 3, 3 }, { res.people, res.members, res.removed })
  end)

  it("leaves out a person as a whole, whichever of the members is excluded", function()
    local text = "id,mail,mail 2,mail 3\n1,a@x.org,b@x.org,\n2,c@x.org,d@x.org,\n3,e@x.org,f@x.org,\n"
    local list = world.file("1\nD@x.org\n", ".txt")
    local res = run(EMAILS, text, { exclude = list })
    assert.same({ "3", "3#2" }, sandbox:ids "a")
    assert.same({ 2, 2, 4, 1, 2 }, { res.skipped, res.excluded_rows, res.excluded, res.people, res.members })
    sandbox:configure { clock = "manual" }
    run(EMAILS, text .. "4,,g@x.org,\n", { exclude = world.file("2\n4\n", ".txt") })
    assert.same({ "1", "1#2", "3", "3#2" }, sandbox:ids "a")
  end)

  it("leaves out a person whom a list names by the id of a further member, though the row makes none", function()
    local text, list = "id,mail,mail 2,mail 3\n1,a@x.org,b@x.org,\n2,c@x.org,,\n3,d@x.org,,\n", "1#2\n2#16\n3#1\n"
    run(EMAILS, text, { exclude = world.file(list, ".txt") })
    assert.same({ "3" }, sandbox:ids "a")
    sandbox:configure { clock = "manual" }
    run({ map = { external_id = "id", email = "mail" } }, text:gsub("\n1,", "\n1#2,"), { exclude =
      world.file(list, ".txt") })
    assert.same({ "2", "3" }, sandbox:ids "a") -- without each these are ids as others
  end)

  it("loses and doubles nobody where a payload is full between two members of a row", function()
    local rows, expected = { "id,mail,mail 2,mail 3" }, {}
    for i = 1, 50 do
      rows[i + 1] = ("%d,%da@x.org,%db@x.org,%dc@x.org"):format(i, i, i, i)
      for suffix, letter in pairs { [""] = "a", ["#2"] = "b", ["#3"] = "c" } do
        expected[i .. suffix] = { email(("%d%s@x.org"):format(i, letter)) }
      end
    end
    for _, opts in ipairs { { max_members = 4 }, { max_members = 7, concurrency = 2 }, { max_members = 1 } } do
      sandbox:configure { clock = "manual" }
      local res = run(EMAILS, table.concat(rows, "\n") .. "\n", opts)
      assert.same(expected, there())
      assert.same({ 50, 150, 150, 0 }, { res.people, res.members, res.accepted, res.replaced })
    end
  end)

  it("has the last row of an id replace the members that it gives itself", function()
    local res = run(EMAILS, "id,mail,mail 2,mail 3\n1,a@x.org,b@x.org,\n1,c@x.org,,\n")
    assert.same({ ["1"] = { email "c@x.org" }, ["1#2"] = { email "b@x.org" } }, there())
    assert.same({ 2, 3, 1 }, { res.people, res.members, res.replaced })
  end)

  it("names what is wrong with it", function()
    for message, map in pairs {
      ["map.region cannot have each; only email, phone, hashed_email and hashed_phone can"] =
        { email = "m", region = { each = { "a", "b" } } },
      ["map.email.each must be a list of columns, not a string"] = { email = { each = "m" } },
      ["map.email.each must be a list of columns"] = { email = { each = { "m", {} } } },
      ["map.email has each, and so nothing beside it"] = { email = { "m", each = { "m", "n" } } },
      ["map.phone.each is a list with holes: column 1 is missing"] = { phone = { each = { [2] = "m", [3] = "n" } } },
      ["map.email.each must have 2 to 16 columns, and has 1"] = { email = { each = { "m" } } },
      ["map.email.each must have 2 to 16 columns, and has 17"] = { email = { each = { "1", "2", "3", "4", "5", "6",
        "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17" } } },
    } do
      map.external_id = "id"
      local ok, raised = pcall(client.run, client, { map = map }, function() end, { audience = "a" })
      assert.is_false(ok)
      assert.truthy(tostring(raised):find(message, 1, true), tostring(raised))
    end
  end)

  it("comes from --each on the command line", function()
    local file = world.file("id,mail,mail 2,each:mail\n1,a@x.org,b@x.org,c@x.org\n", ".csv")
    local function sync(words)
      local args = { "sync", file, "--audience", "a", "--dry-run" }
      for word in words:gmatch "[^|]+" do
        args[#args + 1] = word
      end
      return world.command(args)
    end
    local good = "--map|external_id=id|--each|email=mail|--each|email=mail 2"
    local code, out = sync(good .. "|--json")
    local said = world.json.decode(out)
    assert.same({ 0, 1, 2 }, { code, said.people, said.members })
    assert.truthy(select(2, sync(good)):find("2 of 1 person", 1, true))
    for complaint, words in pairs {
      ["--map and --each both name email"] = good .. "|--map|email=mail",
      ["--each email must have 2 to 16 columns"] = "--map|external_id=id|--each|email=mail",
      ["--each takes no region"] = "--map|external_id=id|--map|email=mail|--each|region=mail",
      ["--each takes FIELD=COLUMN, not 'mail'"] = "--map|external_id=id|--each|mail",
      ["--each email must be a column number"] = "--no-header|--map|external_id=1|--each|email=mail",
    } do
      local failed, _, told = sync(words)
      assert.equal(2, failed)
      assert.truthy(told:find(complaint, 1, true), told)
    end
  end)
end)
