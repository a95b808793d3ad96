-- A column that its name calls an email or a phone is refused as external_id or uid, whatever its values look like.
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

local CSV = "Customer Phone 1;Mobile Number;E-Mail;nr\n2065550142;1;jane.doe@gmail;1\n001-234-567-8901;2;jane_at_x;2\n"
  .. "9151121727;3;a@x.example;3\n4711;4;b@x.example;4\n"

local function dry(rows, map, opts, ending)
  local script = { audience = "a", map = map }
  local all = { dry_run = true }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  local source = type(rows) == "string" and { world.file(rows, ending or ".csv") } or rows
  return assert(scope3.client {}:run(script, source, all))
end

describe("an email or a phone that an id is said to be", function()
  world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("by the name of its column is refused in any form, for ids and universal ids", function()
    local res = dry(CSV, { external_id = "Customer Phone 1", email = "nr", ["uid:other"] = "nr" })
    assert.same({ { id_phone = 3 }, 1 }, { res.rejected, res.members })
    res = dry(CSV, { external_id = "E-Mail", ["uid:other"] = "nr" })
    assert.same({ { id_email = 4 }, 0 }, { res.rejected, res.members })
    res = dry(CSV, { external_id = "nr", ["uid:foo"] = "Customer Phone 1", email = "E-Mail" })
    assert.same({ 3, 1 }, { res.dropped.uid_phone, res.identifiers.uids })
    res = dry('{"user":{"phoneNumber":"9151121727"},"k":"x"}\n',
      { external_id = "user.phoneNumber", ["uid:foo"] = "k" },
      nil, ".jsonl")
    assert.same({ id_phone = 1 }, res.rejected)
    local rows = { { Email = "jane_at_x", k = "x" } }
    res = dry(function() return table.remove(rows) end, { external_id = "email", ["uid:foo"] = "k" })
    assert.same({ id_email = 1 }, res.rejected)
    for _, ids in ipairs { "hash", "as_is" } do -- with "hash", what is no phone has no hash
      res = dry(CSV, { external_id = "Customer Phone 1", ["uid:other"] = "nr" },
        { ids = ids, region = ids == "hash" and "US" or nil })
      assert.equal(ids == "as_is" and 4 or 2, res.members)
    end
  end)

  it("is an id where the name says so, and where it is a hash", function()
    for _, name in ipairs {
      "Phone ID", "email_hash", "Mailing No", "mobile_user_id", "Customer Id", "Contact", "nr",
    } do
      local res = dry(name .. ";x\n2065550142;a@x.example\njane_x;b@x.example\n", { external_id = name, email = "x" })
      assert.same({ 2, {} }, { res.members, res.rejected }, name)
    end
    local res = dry("Email;x\n" .. ("ab"):rep(32) .. ";a@x.example\n" .. ("0c"):rep(16) .. ";b@x.example\n",
      { external_id = "Email", email = "x" })
    assert.same({ 2, {} }, { res.members, res.rejected })
  end)

  it("because its own row has it as that is refused, and so are a phone's digits alone", function()
    local vips = assert(scope3.audience "vips")
    for _, member in ipairs { { external_id = "2065550142", phone = "(206) 555-0142" },
      { external_id = "12065550142", phone = "206.555.0142" },
      { external_id = "01711234567", phone = "+49 171 1234567" },
      { external_id = "491711234567", phone = "0171 1234567" }, { external_id = "5550142", phone = "5550142" },
      { external_id = " 2065550142 ", phone = "2065550142" } } do
      local ok, err = vips:add(member)
      assert.same({ nil, "id_phone" }, { ok, not ok and err.code }, member.external_id)
    end
    for _, value in ipairs { "jane.doe@gmail", "jane_at_x", "Jane D" } do
      local ok, err = vips:add { external_id = value, email = value, hashed_email = ("ab"):rep(32) }
      assert.same({ nil, "id_email" }, { ok, not ok and err.code }, value)
    end
    for _, member in ipairs {
      { external_id = "1234567", phone = "+1 206 123 4567" }, { external_id = "4711", phone = "4711" },
      { external_id = "2065550143", phone = "(206) 555-0142" }, { external_id = "K-2065550142", phone = "2065550142" },
    } do
      member.email = "a@x.example"
      assert(vips:add(member))
    end
    local hashed = { external_id = "1", uids = { { type = "foo", value = "jane_at_x" } }, email = "jane_at_x" }
    assert.equal("no_identifier", select(2, vips:add(hashed)).code)
  end)

  it("is found where it is mistyped, has an extension or a label", function()
    for _, value in ipairs {
      "jane@@x.org", "jane@x..org", "jane@x,org", "jane@x .org", "jane=40x.org", "jane%2540x.org", "jane<at>x.org",
    } do
      assert.equal("id_email", reason_of(scope3.external_id.normalize(value)), value)
      assert.equal("uid_email", reason_of(scope3.uid.check("foo", value)), value)
    end
    for _, value in ipairs { "206-555-0142x12", "206-555-0142 ext. 5", "(206) 555-0142 x12", "206-555-0142 (home)",
      "call: 206-555-0142", "206 - 555 - 0142", "206/555-0142", "++12065550142", "%2B12065550142",
      "1-206-555-0142x5" } do
      assert.equal("id_phone", reason_of(scope3.external_id.normalize(value)), value)
      assert.equal("uid_phone", reason_of(scope3.uid.check("foo", value)), value)
    end
    for _, value in ipairs { "a,b@c,d", "user@a,b", "foo=40bar", "A-206-555-0142", "206-555-01423x1", "(A) 123 456",
      "ORD 123 456 789", "123-4567890-1234567", "10115 Berlin", "978-3-16-148410-0", "2024-01-31 12:30:00" } do
      assert.equal(value, (scope3.external_id.normalize(value)))
    end
  end)
end)

describe("a universal id", function()
  it("of any type is no hash of nobody, and its type is told in full-width letters too", function()
    local none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for _, kind in ipairs { "other", "foo", "publisher_first_party" } do
      assert.equal("uid_placeholder", reason_of(scope3.uid.check(kind, none)))
      assert.equal("uid_placeholder", reason_of(scope3.uid.check(kind, none:upper())))
      assert.is_true((scope3.uid.check(kind, ("ab"):rep(32))))
    end
    local wide = "\239\189\149\239\189\137\239\189\132\239\188\146" -- uid2
    assert.equal("uid_malformed", reason_of(scope3.uid.check(wide, "plain text")))
    assert.is_true((scope3.uid.check("\195\164ther", "plain text")))
  end)
end)
