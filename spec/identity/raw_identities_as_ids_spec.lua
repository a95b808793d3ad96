-- Raw emails and phones are never sent as external ids or universal ids, unless that is asked for.
local cjson = require "cjson"
local core = require "scope3.core"
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

local EMAILS = { "jane.doe@example.com", "JANE@Example.COM", "mailto:jane@x.example", "Jane Doe <jane@x.example>",
  "jane\239\188\160x.example", "jane%40x.example",
  "jane&#64;x.example", "jane (at) x.example", "crm:jane@x.example", "jane@x.example|4711",
    "jane@x.example;joe@x.example", "'jane@x.example", "jane@b\195\188ro.example",
  "jane @ x.example", "a@b.c", "jane [at] x [dot] example", "jane@x.example-", "jane@x.invalid" }
local PHONES = { "+12065550142", "(206) 555-0142", "+49 171 1234567", "tel:+12065550142", "tel:2065550142",
  "206-555-0142", "1-206-555-0142", "(+49) 171 1234567",
  "'+12065550142", "+49\194\160171\194\1601234567", "\239\188\139\239\188\148\239\188\153 171 1234567",
    "0049 171 1234567", "whatsapp:+12065550142",
  "crm|+491711234567", "+1 206 555 014", "%2b12065550142", "++12065550142", "206 - 555 - 0142", "1.206.555.0142",
  "tel:(206)5550142", "tel: 2065550142", "011 49 171 1234567", "Tel.: 206-555-0142", "206-555-0142 ext 5",
  "\239\188\136206\239\188\137 555-0142", "206\226\128\145555\226\128\1450142", "206\226\128\147555\226\136\1460142",
  "\239\185\16212065550142", "206\227\131\188555\227\131\1880142" }
local FINE = { "4711", "2065550142", "12065550142", "491711234567", "01711234567", "00491711234567",
  "123456789012345", "123-4567890-1234567", "123-45-6789", "123-456-7890",
  "K-4711", "janedoe", "@handle", "user@", "a@b", "@user:server.example", "pkg@1.2.3",
    "https://x.example/@jane.doe/", "+4711", "abc+12065550142", "+Ab3dE9xQ",
  "6D92078A-8246-4BA4-AE5B-76104861E7DC", ("ab"):rep(32), "12 345 678", "2026-11-28", "10.20.30", "(2)",
  "tel:", "tel:abc", "tel: +", "tel:1234", "%2b", "(206) 5", "(206 555 0142x", "2-206-555-0142", "206-555-01-42",
  "009-99-12-34", "a+", "jane@x,y", "jane@x,1org" }

describe("a raw identity", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("is no external id: emails and phones are refused in any shape, and numbers of customers are not", function()
    local vips = assert(scope3.audience "vips")
    for reason, values in pairs { id_email = EMAILS, id_phone = PHONES } do
      for _, value in ipairs(values) do
        for _, call in ipairs { vips.add, vips.remove } do
          local ok, err = call(vips, { external_id = value, email = "a@b.example" })
          assert.same({ nil, reason }, { ok, not ok and err.code }, value)
          assert.truthy(err.message:find('"hash"', 1, true) and err.message:find('"as_is"', 1, true))
          assert.is_nil(err.message:find(value, 1, true))
        end
      end
    end
    for _, value in ipairs(FINE) do
      assert.equal(value, (scope3.external_id.normalize(value)))
      assert(vips:add { external_id = value, email = "a@b.example" })
    end
  end)

  it("in a national form is one where its region has such a number, and no digits alone are", function()
    for value, region in pairs { ["0171 1234567"] = "DE", ["06 12 34 56 78"] = "FR", ["020 7946 0958"] = "GB",
      ["612 34 56 78"] = "ES" } do
      assert.equal(value, (scope3.external_id.normalize(value)))
      assert.equal("id_phone", reason_of(scope3.external_id.normalize(value, { region = region })))
      assert.equal("id_phone", reason_of(scope3.external_id.normalize(value, { region = region, ids = "refuse" })))
      local digits = value:gsub(" ", "")
      assert.equal(digits, (scope3.external_id.normalize(digits, { region = region })))
    end
    local rows = world.file("id,email,land\n0171 1234567,a@b.example,Germany\n0171 1234567,a@b.example,Norway\n")
    local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email",
      region = "land" } }, { rows }, { dry_run = true }))
    assert.same({ { id_phone = 1 }, 1 }, { res.rejected, res.members })
  end)

  it("as an id is hashed where that is said, and removing it takes the same member, however it is written", function()
    local client = assert(sandbox:client())
    local opts = { ids = "hash", region = "DE" }
    local vips = assert(scope3.audience("vips", opts))
    assert(vips:add { external_id = "Jane <JANE@x.example>", email = "a@b.example" })
    assert(vips:add { external_id = "0171 1234567", email = "a@b.example" })
    assert(vips:add { external_id = "4711", email = "a@b.example" })
    assert(vips:add { external_id = core.sha256("joe@x.example"):upper(), email = "a@b.example" })
    assert(client:sync(vips))
    local jane, phone, joe = core.sha256 "jane@x.example", core.sha256 "+491711234567", core.sha256 "joe@x.example"
    local ids = sandbox:ids "vips"
    table.sort(ids)
    local want = { "4711", jane, phone, joe }
    table.sort(want)
    assert.same(want, ids)
    local gone = assert(scope3.audience("vips", opts))
    for _, id in ipairs { "mailto:jane@x.example ", "+49 171 1234567", "joe@x.example" } do
      assert(gone:remove { external_id = id })
    end
    assert(client:sync(gone))
    assert.same({ "4711" }, sandbox:ids "vips")
    -- What reads as an identity and is none that can be normalised has no hash.
    for value, reason in pairs { ["a@x.example;b@x.example"] = "email_several",
      ["jane%40x.example"] = "email_escaped", ["none@none.com"] = "email_placeholder",
      ["+1 206 555 014"] = "phone_too_short" } do
      assert.same({ nil, reason },
        { (scope3.external_id.normalize(value, opts)), reason_of(scope3.external_id.normalize(value, opts)) })
    end
  end)

  it("goes as it is where that is said", function()
    local client = assert(sandbox:client())
    local stream = assert(client:stream("crm", { ids = "as_is" }))
    assert(stream:add { external_id = " Jane@x.example", email = "a@b.example" })
    assert(stream:add { external_id = "+1 (206) 555-0142", email = "a@b.example" })
    assert.same({ nil, "id_placeholder" }, { stream:add { external_id = "none@none.com", email = "a@b.example" },
      "id_placeholder" })
    local res = assert(stream:finish())
    assert.same({ id_edges = 1 }, res.repaired)
    local ids = sandbox:ids "crm"
    table.sort(ids)
    assert.same({ "+1 (206) 555-0142", "Jane@x.example" }, ids)
  end)

  it("of a file is refused in every format with both ways out, and hashed by script and by command", function()
    local client = assert(sandbox:client())
    local csv = world.file("id,email\njane@x.example,jane@x.example\n+12065550142,joe@x.example\n7,a@b.example\n",
      ".csv")
    local jsonl = world.file('{"id":"jane@x.example","email":"jane@x.example"}\n'
      .. '{"id":"+12065550142","email":"joe@x.example"}\n{"id":7,"email":"a@b.example"}\n', ".jsonl")
    local function rows()
      local list = { { id = "jane@x.example", email = "jane@x.example" }, { id = "+12065550142",
        email = "joe@x.example" }, { id = 7, email = "a@b.example" } }
      return function()
        return table.remove(list, 1)
      end
    end
    local function member(row)
      return { external_id = row.id, email = row.email }
    end
    for _, script in ipairs { { map = { external_id = "id", email = "email" } }, { member = member } } do
      script.audience = "crm"
      for _, input in ipairs { { csv }, { jsonl }, rows } do
        local res = assert(client:run(script, type(input) == "function" and input() or input))
        assert.same({ { id_email = 1, id_phone = 1 }, 1 }, { res.rejected, res.accepted })
        assert.same({ "ids_are_contacts", 1, 1 }, { res.warnings[1].code, res.warnings[1].emails,
          res.warnings[1].phones })
        script.ids = "hash"
        res = assert(client:run(script, type(input) == "function" and input() or input))
        assert.same({ {}, 3, { id_hashed = 2 }, 0 }, { res.rejected, res.accepted, res.repaired, #res.warnings })
        assert.truthy(sandbox:members("crm")[core.sha256 "jane@x.example"]
          and sandbox:members("crm")[core.sha256 "+12065550142"])
        script.ids = nil
      end
    end
    local words = { "sync", csv, "--dry-run", "--account", "25", "--audience", "a", "--map", "external_id=id",
      "--map", "email=email", "--json" }
    local code, out = world.command(words)
    local said = cjson.decode(out)
    assert.same({ 0, 1, 1, 1 }, { code, said.members, said.rejected.id_email, said.rejected.id_phone })
    assert.truthy(said.warnings[1].message:find("--ids hash", 1, true)
      and said.warnings[1].message:find("--ids as_is", 1, true))
    words[#words + 1] = "--ids"
    words[#words + 1] = "hash"
    code, out = world.command(words)
    assert.same({ 0, 3 }, { code, cjson.decode(out).members })
    words[#words] = "none"
    assert.equal(2, (world.command(words)))
  end)

  it("is told by `scope3 hash id`", function()
    local code, out = world.command { "hash", "id", "--ids", "hash", "--explain", "Jane@X.example" }
    assert.equal(0, code)
    assert.truthy(out:find(core.sha256 "jane@x.example", 1, true) and out:find("id_hashed", 1, true))
    code, out = world.command { "hash", "id", "Jane@X.example" }
    assert.equal(1, code)
    assert.truthy(out:find('"hash"', 1, true))
    code, out = world.command { "hash", "id", "--json", " 4711.0" }
    assert.same({ 0, "4711", { "id_edges", "id_decimal" } }, { code, cjson.decode(out).id,
      cjson.decode(out).repairs })
    assert.equal(2, (world.command { "hash", "email", "--ids", "hash", "a@b.example" }))
  end)

  it("has options that are checked: a wrong word raises, and sync has none, because members are read before",
    function()
    for _, call in ipairs {
      function() scope3.audience("a", { ids = "hashed" }) end,
      function() scope3.external_id.normalize("a", { ids = true }) end,
      function() scope3.client {}:stream("a", { ids = "raw" }) end,
      function() scope3.client {}:sync(scope3.audience "a", { ids = "hash" }) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.truthy(tostring(message):find("ids", 1, true), message)
    end
  end)

  it("leaves nothing of a refused id to the next column of ids", function()
    for _, case in ipairs {
      { "a@b.example;c@d.example", "x@y.example", { email_several = 1 }, { id_hashed = 1 } },
      { "a@b.example;c@d.example", "17", { email_several = 1 }, {} },
      { "mailto:a@b..example", "x@y.example", { email_domain = 1 }, { id_hashed = 1 } },
      { "mailto:a@b..example", " 17", { email_domain = 1 }, { id_edges = 1 } },
    } do
      local builder, payload = core.builder { max_member = 1000, ids = "hash", columns = { "id", "old id", "mail" },
        map = { { "external_id", 1 }, { "external_id", 2 }, { "email", 3 } } },
        core.payload { max_members = 10, max_bytes = 10000 }
      builder:take(payload, { id = case[1], ["old id"] = case[2], mail = "j@k.example" })
      local counts = builder:counts()
      assert.same({ 1, {}, case[3], case[4] }, { counts.members, counts.rejected, counts.dropped, counts.repaired },
        case[1] .. " " .. case[2])
    end
  end)

  it("is no universal id of any type, in any shape", function()
    for _, type_ in ipairs { "foo", "other", "uid2", "euid", "rampid", "rampid_derived", "id5", "pairid", "maid",
      "hashed_email", "hashed_phone", "publisher_first_party",
      "world_id_nullifier", "MAID", "idfa" } do
      for _, value in ipairs(EMAILS) do
        assert.equal("uid_email", reason_of(scope3.uid.check(type_, value)), type_ .. value)
      end
      for _, value in ipairs(PHONES) do
        assert.equal("uid_phone", reason_of(scope3.uid.check(type_, value)), type_ .. value)
      end
    end
    local builder, payload = core.builder { max_member = 10000 }, core.payload { max_members = 10,
      max_bytes = 100000 }
    for _, uids in ipairs { { foo = "jane@x.example" }, { { type = "foo", value = "+49 171 1234567" } },
      { ["jane@x.example"] = "x" },
      { { type = "a@b.example", value = "x" } } } do
      assert.same({ nil, "no_identifier" }, { builder:add(payload, { external_id = "1", uids = uids }) })
    end
    assert.same({ uid_email = 1, uid_phone = 1, uid_type = 2 }, builder:counts().dropped)
  end)
end)
