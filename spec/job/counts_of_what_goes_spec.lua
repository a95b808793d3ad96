-- A report counts the identifiers of members that are sent.
-- It counts each lost member by its own reason, and each bound under its own name.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a report", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function run(script, csv, opts)
    script.audience = "a"
    local res, err = sandbox:client():run(script, { world.file(csv, ".csv") }, opts)
    assert(res, tostring(err))
    world.assert_sums(res)
    return res
  end

  local MAP = { external_id = "id", email = "mail", phone = "tel" }

  local function member(row)
    return { external_id = row.id, email = row.mail, phone = row.tel }
  end

  local function warning(res, code)
    for _, one in ipairs(res.warnings) do
      if one.code == code then
        return one
      end
    end
  end

  it("counts the identifiers of the members that went, and says which a later row made poorer", function()
    local phone = "+49301234567"
    for name, case in pairs {
      ["the second lacks a phone"] = { "1,a@example.org," .. phone .. "\n1,a@example.org,\n", { 1, 0, 1 } },
      ["the second has more"] = { "1,a@example.org,\n1,b@example.org," .. phone .. "\n", { 1, 1, 0 } },
      ["the second has another"] = { "1,a@example.org,\n1,," .. phone .. "\n", { 0, 1, 1 } },
      ["three rows"] = { "1,a@example.org," .. phone .. "\n1,a@example.org,\n1,,x\n1,c@example.org,\n", { 1, 0, 1 } },
      ["others between"] = {
        "1,a@example.org," .. phone .. "\n2,b@example.org," .. phone .. "\n1,a@example.org,\n", { 2, 1, 1 },
      },
      ["an id with quotes"] = { '"a""b\\",a@example.org,' .. phone .. '\n"a""b\\",,' .. phone .. "\n", { 0, 1, 1 } },
    } do
      for _, script in ipairs { { map = MAP }, { member = member } } do
        local res = run({ map = script.map, member = script.member }, "id,mail,tel\n" .. case[1], { repair = false })
        assert.same(case[2], { res.identifiers.hashed_email, res.identifiers.hashed_phone, res.poorer }, name)
        local poorer = warning(res, "members_poorer")
        assert.equal(case[2][3], poorer and poorer.members or 0, name)
      end
    end
  end)

  it("takes off the universal ids and the hashes of what was replaced", function()
    local hash, maid = core.sha256 "a@example.org", "6d92078a-8246-4ba4-ae5b-76104861e7dc"
    local function rows(list)
      return function()
        return table.remove(list, 1)
      end
    end
    local client = sandbox:client()
    local res = assert(client:run({ audience = "a", member = function(row) return row end }, rows {
      { external_id = "1", email = hash, uids = { maid = maid, rampid = "XY" .. ("a"):rep(47) } },
      { external_id = "1", email = "b@example.org", uids = { maid = maid } },
      { external_id = "2", hashed_email = hash },
    }))
    assert.same({ 2, 0, 1, 1 },
      { res.identifiers.hashed_email, res.identifiers.hashed_phone, res.identifiers.uids, res.prehashed })
    assert.same({ 1, 1 }, { res.replaced, res.poorer })
    local audience = assert(scope3.audience { id = "b" })
    audience:add { external_id = "1", email = hash, phone = "+49301234567" }
    audience:add { external_id = "1", email = "b@example.org" }
    for _ = 1, 2 do -- an audience may be sent again
      res = assert(client:sync(audience))
      world.assert_sums(res)
      assert.same({ 1, 0, 0, 1 },
        { res.identifiers.hashed_email, res.identifiers.hashed_phone, res.prehashed, res.poorer })
    end
    res = assert(client:run({ audience = "a", member = function(row) return row end }, rows {
      { external_id = "1", email = hash }, { external_id = "1", remove = true },
    }))
    assert.same({ 0, 1, 0 }, { res.identifiers.hashed_email, res.replaced, res.poorer })
  end)

  it("takes off the identifiers of members that the service refused", function()
    local stream = assert(sandbox:client():stream("a"))
    sandbox:configure { refuse = world.json.array { "2" } }
    for i = 1, 3 do
      assert(stream:add {
        external_id = tostring(i), email = ("p%d@example.org"):format(i), phone = i > 1 and "+49301234567" or nil,
      })
    end
    local res = assert(stream:finish())
    world.assert_sums(res)
    assert.same({ 2, 1, 2, 1 },
      { res.accepted, res.rejected_by_service, res.identifiers.hashed_email, res.identifiers.hashed_phone })
  end)

  it("tells two members of one id in one row from a later row", function()
    local refused = {}
    local res = run({ member = function(row)
      return {
        { external_id = row.id, email = row.mail }, { external_id = "x" .. row.id, email = row.mail },
        { external_id = row.id, phone = "+49301234567" },
      }
    end }, "id,mail\n1,a@example.org\n2,b@example.org\n", { on_reject = function(one) refused[#refused + 1] = one end })
    assert.same({ 4, 0, 0, { repeated_in_row = 2 } }, { res.members, res.replaced, res.poorer, res.dropped })
    assert.same({ 4, 2, 2 }, { res.accepted, res.identifiers.hashed_email, res.identifiers.hashed_phone })
    assert.same({ 1, "repeated_in_row", true }, { refused[1].row, refused[1].reason, refused[1].dropped })
    assert.equal(2, #refused)
    -- A later row of the same id is one all the same.
    res = run({ member = member }, "id,mail,tel\n1,a@example.org,\n1,b@example.org,\n")
    assert.same({ 1, {} }, { res.replaced, res.dropped })
  end)

  it("tells rows of one number in two files apart", function()
    local text = "id,mail,tel\n1,a@example.org,\n2,b@example.org,\n"
    local refused = 0
    local res = assert(sandbox:client():run({ audience = "a", member = function(row)
      return { member(row), row.id == "2" and { external_id = "2", phone = "+49301234567" } or nil }
    end }, { world.file(text, ".csv"), world.file(text, ".csv") }, { on_reject = function()
      refused = refused + 1
    end }))
    world.assert_sums(res)
    assert.same({ 4, 2, { repeated_in_row = 2 }, 2 }, { res.rows, res.replaced, res.dropped, refused })
    assert.same({ 4, 2 }, { res.members, res.accepted })
  end)

  it("takes an empty list for a row that is left out", function()
    local res = run({ member = function(row) return row.id == "2" and { member(row) } or {} end },
      "id,mail,tel\n1,a@example.org,\n2,b@example.org,\n")
    assert.same({ 2, 1, {}, 1 }, { res.rows, res.skipped, res.rejected, res.members })
    -- A member without anything is none.
    res = run({ member = function() return { region = "DE" } end }, "id,mail,tel\n1,a@example.org,\n")
    assert.same({ 0, { no_external_id = 1 } }, { res.skipped, res.rejected })
  end)

  it("says why a member has no identifier left", function()
    local audience = assert(scope3.audience { id = "a" })
    local stream = assert(sandbox:client():stream("a"))
    for because, one in pairs {
      email_no_at = { email = "nobody" }, phone_national = { phone = "030 1" },
      not_text = { email = true }, hash_md5 = { hashed_email = ("a"):rep(32) },
    } do
      one.external_id = "1"
      for _, to in ipairs { audience, stream } do
        local added, err = to:add(one)
        assert.is_nil(added)
        assert.same({ "no_identifier", because }, { err.code, err.because })
        assert.truthy(err.message:find(core.reasons[because], 1, true), err.message)
      end
    end
    local _, err = audience:add { external_id = "1" }
    assert.same({ "no_identifier" }, { err.code, err.because })
    stream:cancel()
    local refused = {}
    local res = run({ member = member }, "id,mail,tel\n1,nobody,\n",
      { on_reject = function(one) refused[#refused + 1] = one.reason end })
    assert.same({ { no_identifier = 1 }, { email_no_at = 1 }, { "email_no_at", "no_identifier" } },
      { res.rejected, res.dropped, refused })
  end)

  describe("of more members than one row may give", function()
    local function taken(count, make, opts)
      local builder = core.builder { max_member = 1000, rejections = true, member = function()
        local list = {}
        for i = 1, count do
          list[i] = make(i)
        end
        return list
      end }
      local payload = core.payload(opts or { max_members = 1000000, max_bytes = 100000000 })
      assert.equal("more", (builder:take(payload, {})))
      local counts = builder:counts()
      return counts, payload, builder
    end

    it("counts each that is lost, under a bound's own name", function()
      local counts, payload, builder = taken(200000,
        function(i) return { external_id = ("%d"):format(i), email = ("p%d@example.org"):format(i) } end)
      assert.is_true(counts.members > 150000 and counts.members == payload:living())
      assert.same({ row_full = 200000 - counts.members }, counts.dropped)
      assert.same({ 1, 1, 0 }, { counts.rows, counts.used_rows, counts.rejected_rows })
      assert.equal(200000 - counts.members, #builder:rejections())
    end)

    it("raises nothing where there are too many", function()
      local counts, payload, builder = taken(310000,
        function(i) return { external_id = ("%d"):format(i), remove = true } end)
      local _, removes = payload:living()
      assert.same({ 250000, 250000, { row_full = 60000 } }, { counts.members, removes, counts.dropped })
      assert.equal(60000, #builder:rejections())
    end)

    it("counts the rejections that on_reject does not get", (world.thorough or rawget(_G, "jit")) and function()
      local bad = { external_id = "1", email = "nobody" }
      local counts, _, builder = taken(1500000, function() return bad end)
      assert.same({ 1500000, { no_identifier = 1 }, { email_no_at = 1500000, no_identifier = 1499999 } },
        { counts.dropped.email_no_at, counts.rejected, counts.dropped })
      local told = #builder:rejections()
      assert.equal(3000000, told + counts.untold)
      assert.is_true(counts.untold > 0)
    end or nil)
  end)
end)
