-- Members, the payloads that hold them, and the counts of the builder that makes them.
local core = require "scope3.core"
local scope3 = require "scope3"

-- A builder and a payload, and the JSON that they make.
local function kit(limits)
  limits = limits or {}
  local payload = core.payload { max_members = limits.max_members or 1000, max_bytes = limits.max_bytes or 1000000 }
  return core.builder { max_member = limits.max_bytes or 1000000, rejections = true }, payload
end

describe("a payload", function()
  it("counts one winner an external id, the last, over adds and removes", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1", email = "a@b.example" }))
    assert.is_true(builder:add(payload, { external_id = "2", email = "a@b.example" }))
    assert.is_true(builder:add(payload, { external_id = "1", email = "c@d.example" }))
    assert.same({ 2, 0 }, { payload:living() })
    assert.is_true(builder:add(payload, { external_id = "2" }, true))
    assert.same({ 1, 1 }, { payload:living() })
    assert.is_true(builder:add(payload, { external_id = "2", phone = "+12065551234" }))
    assert.same({ 2, 0 }, { payload:living() })
    local counts = builder:counts()
    assert.equal(5, counts.members)
    assert.equal(3, counts.replaced)
    assert.equal(5, payload:count())
    assert.is_nil(payload:row(1))
    assert.equal(3, payload:row(3))
  end)

  it("knows ids apart that begin alike, or differ in an escaped character", function()
    local builder, payload = kit()
    for _, id in ipairs { "a", "ab", 'a"b', "a\\", 'a\\"b', "a\\0", "a\\1", "A" } do
      assert.is_true(builder:add(payload, { external_id = id, email = "a@b.example" }))
    end
    assert.same({ 8, 0 }, { payload:living() })
  end)

  it("holds no more members than it may, and a full one loses nothing", function()
    local builder, payload = kit { max_members = 3 }
    for i = 1, 3 do
      assert.is_true(builder:add(payload, { external_id = i, email = "a@b.example" }))
    end
    assert.is_true(builder:add(payload, { external_id = "3", email = "c@d.example" })) -- replaces: still three
    assert.is_false(builder:add(payload, { external_id = "4", email = "a@b.example" }))
    assert.has_error(function()
      builder:add(payload, { external_id = "5", email = "a@b.example" })
    end)
    assert.is_false(builder:flush(payload))
    payload:reset()
    assert.is_true(builder:flush(payload))
    assert.same({ 1, 0 }, { payload:living() })
    assert.equal(5, builder:counts().members)
  end)

  it("holds no more bytes than it may", function()
    local builder, payload = kit { max_bytes = 400 }
    local added = 0
    while builder:add(payload, { external_id = ("x"):rep(20) .. added, email = "a@b.example" }) do
      added = added + 1
    end
    assert.is_true(payload:bytes() <= 400 and added > 1)
  end)

  it("refuses a member that alone is over the size of a request", function()
    local builder, payload = kit { max_bytes = 400 }
    local added, reason = builder:add(payload, { external_id = ("x"):rep(400), email = "a@b.example" })
    assert.same({ nil, "member_too_large" }, { added, reason })
    assert.equal(1, builder:counts().rejected.member_too_large)
  end)

  it("is cut into ranges that keep both limits and lose nobody", function()
    local builder, payload = kit()
    for i = 1, 100 do
      builder:add(payload, { external_id = tostring(i % 70), email = "a@b.example" }, i % 3 == 0)
    end
    local first, adds, removes = 1, 0, 0
    while first <= payload:count() do
      local last, a, r, bytes = payload:cut(first, 7, 900)
      assert.is_true(a + r <= 7 and bytes <= 900 and last >= first)
      first, adds, removes = last + 1, adds + a, removes + r
    end
    assert.same({ payload:living() }, { adds, removes })
  end)

  it("raises when it is closed", function()
    local _, payload = kit()
    payload:close()
    payload:close()
    assert.has_error(function()
      payload:count()
    end, "attempt to use a closed payload")
  end)
end)

describe("a member", function()
  it("with a bad phone and a good email is kept, and the phone counted", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1", email = "a@b.example", phone = "0301234" }))
    local counts = builder:counts()
    assert.same({ phone_national = 1 }, counts.dropped)
    assert.equal(1, counts.hashed_email)
    assert.equal(0, counts.hashed_phone)
  end)

  it("without an external id or any identifier is rejected", function()
    local builder, payload = kit()
    local cases = {
      { { email = "a@b.example" }, "no_external_id" },
      { { external_id = "", email = "a@b.example" }, "no_external_id" },
      { { external_id = " \t", email = "a@b.example" }, "no_external_id" },
      { { external_id = "a\255", email = "a@b.example" }, "external_id_utf8" },
      { { external_id = "1" }, "no_identifier" }, { { external_id = "1", email = "nonsense" }, "no_identifier" },
      { { external_id = 1.5, email = "a@b.example" }, "external_id_type" },
      { { external_id = 2 ^ 60, email = "a@b.example" }, "external_id_type" },
      { { external_id = true, email = "a@b.example" }, "external_id_type" },
      { { external_id = "1", uids = {} }, "no_identifier" },
      { { external_id = "1", uids = { { type = "uid2", value = "" } } }, "no_identifier" },
    }
    for i, case in ipairs(cases) do
      if not (case[2] == "external_id_type" and i == 8 and math.type and math.type(2 ^ 60) == "integer") then
        assert.same({ nil, case[2] }, { builder:add(payload, case[1]) })
      end
    end
    assert.equal(0, payload:count())
    assert.equal(#cases, builder:counts().rejected_rows)
  end)

  it("takes a number as its id only when it is exact", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = 9007199254740991, email = "a@b.example" }))
    assert.is_true(builder:add(payload, { external_id = "9007199254740991", email = "a@b.example" }))
    assert.equal(1, builder:counts().replaced)
  end)

  it("has the number's digits as its id, whatever the number's kind", function()
    local builder, payload = kit()
    for _, pair in ipairs {
      { 5, "5" }, { 5.0, "5" }, { -12, "-12" }, { 0, "0" },
      { 1e15, "1000000000000000" }, { -9007199254740991, "-9007199254740991" },
    } do
      local before = builder:counts().replaced
      assert.is_true(builder:add(payload, { external_id = pair[1], email = "a@b.example" }))
      assert.is_true(builder:add(payload, { external_id = pair[2], email = "a@b.example" }))
      assert.is_true(builder:counts().replaced > before, pair[2])
    end
    for _, number in ipairs { 0 / 0, 1 / 0, -1 / 0, 0.5, 1e300, 2 ^ 53 + 0.0 } do
      if not (math.type and math.type(number) == "integer") then
        assert.same({ nil, "external_id_type" },
          { builder:add(payload, { external_id = number, email = "a@b.example" }) })
      end
    end
  end)

  it("to remove needs its external id alone", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1" }, true))
    assert.is_true(builder:add(payload, { external_id = "2", remove = true }))
    assert.same({ 0, 2 }, { payload:living() })
  end)

  it("with a key that is not one raises and names the key", function()
    local builder, payload = kit()
    local ok, message = pcall(builder.add, builder, payload, { external_id = "1", emial = "secret@b.example" })
    assert.is_false(ok)
    assert.truthy(message:find("emial", 1, true))
    assert.is_nil(message:find("secret", 1, true))
  end)

  it("with JSON null in a field is as without it", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1", email = "a@b.example", phone = scope3.null }))
    assert.same({}, builder:counts().dropped)
  end)

  it("keeps its hashed email next to a raw one that cannot be used", function()
    local builder, payload = kit()
    local hash = ("ab"):rep(32)
    assert.is_true(builder:add(payload, { external_id = "1", email = "nonsense", hashed_email = hash }))
    assert.is_true(builder:add(payload, { external_id = "2", hashed_phone = hash:upper() }))
    assert.same({ nil, "no_identifier" }, { builder:add(payload, { external_id = "3", hashed_email = "a@b.example" }) })
    local counts = builder:counts()
    assert.equal(2, counts.prehashed)
    assert.equal(1, counts.dropped.hash_malformed)
  end)

  it("takes universal ids as an array or by their type, and drops those that cannot be used", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1", uids = {
      maid = "6D92078A-8246-4BA4-AE5B-76104861E7DC", mine = "x", none = "",
    } }))
    assert.is_true(builder:add(payload, { external_id = "2", uids = {
      { type = "id5", value = "0" }, { type = "id5", value = "ID5*x" },
    } }))
    local counts = builder:counts()
    assert.equal(3, counts.uids)
    assert.same({ uid_opt_out = 1 }, counts.dropped)
    for _, uids in ipairs { { uid2 = 12 }, { uid2 = { "x" } }, { 12 }, "x" } do
      assert.has_error(function()
        builder:add(payload, { external_id = "3", uids = uids })
      end)
    end
  end)

  it("counts what was repaired in it, when it is used", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, {
      external_id = "1", email = "mailto:a@b.example", hashed_phone = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=",
    }))
    assert.is_true(builder:add(payload, { external_id = "2", email = "<a@b.example>" }))
    assert.same({ nil, "no_identifier" }, { builder:add(payload, { external_id = "3", email = "<a@b>" }) })
    assert.same({ email_mailto = 1, email_name = 1, hash_base64 = 1 }, builder:counts().repaired)
    local strict = core.builder { max_member = 1000, repair = false }
    assert.same({ nil, "no_identifier" }, { strict:add(payload, { external_id = "1", email = "mailto:a@b.example" }) })
  end)

  it("has at most 32 universal ids, and the others are counted", function()
    local builder, payload = kit()
    local uids = {}
    for i = 1, 40 do
      uids[i] = { type = "t", value = tostring(i) }
    end
    assert.is_true(builder:add(payload, { external_id = "1", uids = uids }))
    local counts = builder:counts()
    assert.equal(32, counts.uids)
    assert.equal(8, counts.dropped.uid_too_many)
  end)
end)

describe("the counts of a builder", function()
  it("always add up: rows = skipped + rejected + used", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local builder, payload = kit { max_members = 50 }
    local function any(list)
      return list[math.random(#list)]
    end
    for _ = 1, 2000 do
      local added = builder:add(payload, {
        external_id = any { "", "a", "b", math.random(100), "\255" }, email = any { "", "x", "a@b.example", "N/A" },
        phone = any { "", "+12065551234", "030" },
      }, math.random(4) == 1)
      if added == false then
        payload:reset()
        assert.is_true(builder:flush(payload))
      end
    end
    local c = builder:counts()
    assert.equal(c.rows, c.skipped + c.rejected_rows + c.used_rows, "seed " .. seed)
    assert.equal(c.members, c.adds + c.removes, "seed " .. seed)
    assert.equal(2000, c.rows)
    local sum = 0
    for _, n in pairs(c.rejected) do
      sum = sum + n
    end
    assert.equal(c.rejected_rows, sum, "seed " .. seed)
  end)
end)
