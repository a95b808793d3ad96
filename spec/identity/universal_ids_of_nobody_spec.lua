-- A word for no value is no universal id, and a type in another spelling has the same checks.
local cjson = require "cjson"
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

local UID2 = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="

describe("a universal id", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function reason(type_, value)
    return reason_of(scope3.uid.check(type_, value))
  end

  it("that is a word for no value is refused by its own reason, whatever the type", function()
    for _, type_ in ipairs { "uid2", "euid", "rampid", "rampid_derived", "id5", "pairid", "maid", "yahoo_connectid",
      "foo", "other", "hashed_email", "hashed_phone",
      "publisher_first_party", "world_id_nullifier" } do
      for _, value in ipairs { "null", "none", "N/A", "n/a", "-", "nullnull", "undefined", "NaN", "#NAME?", "\\N",
        "(null)", "unknown", "?", "'null'" } do
        assert.equal("uid_placeholder", reason(type_, value), type_ .. " " .. value)
      end
      if type_ ~= "id5" then
        assert.equal("uid_placeholder", reason(type_, "0"), type_)
      end
      if type_ ~= "maid" then
        assert.equal("uid_placeholder", reason(type_, "00000000-0000-0000-0000-000000000000"), type_)
      end
    end
    assert.equal("uid_opt_out", reason("id5", "0"))
    assert.is_true(scope3.uid.check("foo", "x"))
    local file = world.file("id,pair,yahoo\n1,null,N/A\n2,none,-\n3,nullnull,0\n4,,7\n")
    local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", ["uid:pairid"] = "pair",
      ["uid:yahoo_connectid"] = "yahoo" } }, { file },
      { dry_run = true }))
    assert.same({ 1, { no_identifier = 3 }, { uid_placeholder = 6 } }, { res.members, res.rejected, res.dropped })
  end)

  it("of PAIR has at least 16 bytes, and is not one character over and over", function()
    assert.is_true(scope3.uid.check("pairid", "AAECAwQFBgcICQoLDA0ODw=="))
    for value, why in pairs { ["AAECAwQFBgcICQoLDA0O"] = "uid_malformed", ["AbCd"] = "uid_malformed",
      [("A"):rep(24)] = "uid_placeholder" } do
      assert.equal(why, reason("pairid", value))
    end
  end)

  it("in percent codes or quotes is told so, and in another base64 is written in the standard one and counted",
    function()
    assert.equal("uid_escaped", reason("uid2", (UID2:gsub("=", "%%3D"))))
    assert.equal("uid_escaped", reason("euid", (UID2:gsub("B", "%%2B"))))
    assert.equal("uid_malformed", reason("uid2", UID2 .. " !" .. UID2))
    assert.equal("uid_token", reason("uid2", ("A2b+"):rep(40)))
    assert.equal("uid_spreadsheet", reason("foo", "7.01E+12"))
    assert.equal("uid_control", reason("foo", "a\1b"))
    assert.same({ true, { "uid_marks" } }, { scope3.uid.check("uid2", '"' .. UID2 .. '"') })
    assert.same({ true, { "uid_marks" } }, { scope3.uid.check("foo", "'x\226\128\139") })
    local client = assert(sandbox:client())
    local vips, strict = assert(scope3.audience "vips"), assert(scope3.audience("vips", { repair = false }))
    local url = "A-_b" .. ("c"):rep(39)
    assert(vips:add { external_id = "1", uids = { uid2 = UID2:sub(1, 43) } })
    assert(vips:add { external_id = "2", uids = { { type = "UID2", value = '="' .. UID2 .. '"' } } })
    assert(vips:add { external_id = "3", uids = { uid2 = url .. "E" } })
    assert.is_nil(strict:add { external_id = "1", uids = { uid2 = UID2:sub(1, 43) } })
    assert.is_nil(strict:add { external_id = "2", uids = { uid2 = "'" .. UID2 } })
    assert(client:sync(vips))
    local members = sandbox:members "vips"
    assert.same({ { type = "uid2", value = UID2 } }, members["1"].uids)
    assert.same({ { type = "uid2", value = UID2 } }, members["2"].uids)
    assert.same({ { type = "uid2", value = "A+/b" .. ("c"):rep(39) .. "E" } }, members["3"].uids)
  end)

  it("of a hashed type is a SHA-256, sent in lowercase", function()
    local vips = assert(scope3.audience "vips")
    assert(vips:add { external_id = "1", uids = { hashed_email = ("Ab"):rep(32),
      ["Hashed Phone"] = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=" } })
    assert(assert(sandbox:client()):sync(vips))
    local uids = sandbox:members("vips")["1"].uids
    table.sort(uids, function(a, b)
      return a.type < b.type
    end)
    assert.same({ { type = "hashed_email", value = ("ab"):rep(32) },
      { type = "hashed_phone", value = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514" } }, uids)
    for value, why in pairs { ["12065550142"] = "hash_malformed", [("ab"):rep(16)] = "hash_md5",
      ["x"] = "hash_malformed", ["0x" .. ("ab"):rep(32)] = "hash_malformed",
      ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] = "hash_of_empty" } do
      assert.equal(why, reason("hashed_email", value))
      assert.equal(why, reason("hashed_phone", value))
    end
  end)

  it("has its type's checks in any spelling of the type, and goes by the type's own name", function()
    local vips = assert(scope3.audience "vips")
    local maid = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
    local spellings = { "MAID", " maid ", "idfa", "IDFA", "gaid", "aaid", "ADID", "Mobile-Ad-ID", "\226\128\139maid" }
    for i, type_ in ipairs(spellings) do
      assert.equal("uid_opt_out", reason(type_, "00000000-0000-0000-0000-000000000000"), type_)
      assert.equal("uid_malformed", reason(type_, "x"), type_)
      assert(vips:add { external_id = i, uids = i % 2 == 0 and { [type_] = maid } or { { type = type_,
        value = maid } } })
    end
    assert(assert(sandbox:client()):sync(vips))
    for i = 1, #spellings do
      assert.same({ { type = "maid", value = maid } }, sandbox:members("vips")[tostring(i)].uids)
    end
    for _, type_ in ipairs { "UID2", "uid_2", "uid2 ", "UID-2", "unified_id_2", "EUID", "RampID", "rampid-derived",
      "ID5", "PairID", "hashedEmail", "Hashed Phone" } do
      assert.truthy((reason(type_, "any text")), type_)
    end
  end)

  it("of a type that is nearly a known one, or per vendor, is refused, and a map with one is misuse", function()
    for type_, why in pairs { ["uid"] = "uid_type_close", ["uid3"] = "uid_type_close", ["uid22"] = "uid_type_close",
      ["uid2_token"] = "uid_type_close", ["rampids"] = "uid_type_close",
      ["ramp_di"] = "uid_type_close", ["udi2"] = "uid_type_close", ["eudi"] = "uid_type_close",
        ["maidx"] = "uid_type_close", ["hashed_emial"] = "uid_type_close", ["hashed_email_md5"] = "uid_type_close",
        ["pairids"] = "uid_type_close", ["email"] = "uid_type_close",
      ["publisher_first_part"] = "uid_type_close", ["idfv"] = "uid_type_vendor", ["IDFV"] = "uid_type_vendor",
        ["externalId"] = "uid_type", ["\226\128\139"] = "uid_type" } do
      assert.equal(why, reason(type_, "x"), type_)
      local ok, message = pcall(function()
        return scope3.client {}:run({ audience = "a", map = { external_id = "id", ["uid:" .. type_] = "u" } }, {},
          { dry_run = true })
      end)
      assert.is_false(ok)
      assert.truthy(tostring(message):find("map.uid:" .. type_, 1, true), message)
    end
    for _, type_ in ipairs { "guid", "uuid", "maiden", "mine", "id", "crm_id", "yahoo_connectid", "others",
      "paid_search" } do
      assert.is_true(scope3.uid.check(type_, "AbC="), type_)
    end
    local file = world.file("id,u\n1,x\n")
    local code, _, err = world.command { "sync", file, "--dry-run", "--account", "25", "--audience", "a", "--map",
      "external_id=id", "--map", "uid:uid3=u" }
    assert.equal(2, code)
    assert.truthy(err:find("nearly a known one", 1, true), err)
    local out
    code, out = world.command { "sync", file, "--dry-run", "--account", "25", "--audience", "a", "--map",
      "external_id=id", "--map", "uid:MAID=u", "--json" }
    assert.same({ 3, { uid_malformed = 1 } }, { code, cjson.decode(out).dropped })
  end)
end)
