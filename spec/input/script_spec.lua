-- Transformation scripts, with a map and with member(row), over CSV, JSON Lines and plain tables.
local scope3 = require "scope3"
local world = require "spec.support.world"

local CSV = "id,mail,tel,consent,uid\n1,a@example.com,+12065551234,yes,U1\n2,b@example.com,0301234,no,\n3,,,yes,U3\n"
  .. "4,nonsense,,yes,\n5,e@example.com,,yes,U5\n"

local client = assert(scope3.client {})

local function run(script, source, opts)
  local all = { dry_run = true, audience = "a" }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return client:run(script, source or world.file(CSV, ".csv"), all)
end

describe("a script with a map", function()
  teardown(world.clean)

  it("takes columns by name or number, and universal ids by their type", function()
    local res = assert(run { map = { external_id = 1, email = "mail", phone = "tel", ["uid:mine"] = "uid" } })
    assert.equal(4, world.assert_sums(res))
    assert.same({ hashed_email = 3, hashed_phone = 1, uids = 3 }, res.identifiers)
    assert.same({ no_identifier = 1 }, res.rejected)
    assert.same({ phone_national = 1, email_no_at = 1 }, res.dropped)
  end)

  it("skips the rows that where lets go", function()
    local res = assert(run { map = { external_id = "id", email = "mail" }, where = function(row)
      return row.consent == "yes" and row[1] ~= "5"
    end })
    assert.same({ 5, 2, 1 }, { res.rows, res.skipped, res.members })
    world.assert_sums(res)
  end)

  it("works the same on JSON Lines and on tables of Lua", function()
    local path = world.file('{"id":12345678901234567890,"mail":"a@example.com","uid":"U"}\n{"id":1.5,'
      .. '"mail":"a@example.com"}\n'
      .. '{"id":2,"mail":{"x":1},"uid":"V"}\n{"id":null,"mail":"a@example.com"}\nnonsense\n', ".jsonl")
    local map = { external_id = "id", email = "mail", ["uid:mine"] = "uid" }
    local res = assert(run({ map = map }, path))
    assert.same({ external_id_type = 1, no_external_id = 1, bad_json = 1 }, res.rejected)
    assert.same({ not_text = 1 }, res.dropped)
    assert.equal(2, world.assert_sums(res))
    local rows = { { id = 7, mail = "a@example.com" }, { id = "8", uid = "U" }, { id = 9 } }
    local i = 0
    res = assert(run({ map = map }, function()
      i = i + 1
      return rows[i]
    end))
    assert.same({ no_identifier = 1 }, res.rejected)
    assert.equal(2, world.assert_sums(res))
  end)

  it("that names columns which are not there is told all of them, and those that are", function()
    local res, err = run { map = { external_id = "key", email = "e-post", phone = "Tel" } }
    assert.is_nil(res)
    assert.equal("invalid", err.kind)
    assert.equal(2, #err.issues)
    assert.truthy(err.message:find("the columns are: id, mail, tel, consent, uid", 1, true))
  end)

  it("refuses a column that stands twice, unless it is given by number", function()
    local path = world.file("id,mail,mail\n1,a@example.com,b@example.com\n")
    local _, err = run({ map = { external_id = "id", email = "mail" } }, path)
    assert.truthy(err.message:find("stands twice, as 2 and 3", 1, true))
    assert(run({ map = { external_id = "id", email = 3 } }, path))
  end)

  it("reports every rejection by row, column and reason, without the value", function()
    local seen = {}
    assert(run({ map = { external_id = "id", email = "mail", phone = "tel" } }, world.file(CSV .. "6,x\n"), {
      on_reject = function(rejection)
        seen[#seen + 1] = ("%d %s %s %s"):format(rejection.row, tostring(rejection.column), rejection.reason,
          tostring(rejection.dropped))
      end,
    }))
    assert.same({
      "2 tel phone_national true", "3 nil no_identifier false", "4 mail email_no_at true",
      "4 nil no_identifier false", "6 mail email_placeholder true", "6 tel ragged_row false",
    }, seen)
  end)
end)

describe("a script with member(row)", function()
  teardown(world.clean)

  it("gives a member, a list, nothing, or a reason", function()
    local res = assert(run { member = function(row)
      if row.id == "1" then
        return { external_id = row.id, email = row.mail }
      elseif row.id == "2" then
        return {
          { external_id = "2a", email = row.mail },
          { external_id = "2b", remove = true }, { external_id = "2c", email = "nope" },
        }
      elseif row.id == "3" then
        return nil
      elseif row.id == "4" then
        return nil, "no consent on file"
      end
      return {}
    end })
    assert.same({ 5, 2, 3 }, { res.rows, res.skipped, res.members }) -- an empty list skips as nil does
    assert.same({ ["no consent on file"] = 1 }, res.rejected)
    assert.same({ no_identifier = 1, email_no_at = 1 }, res.dropped)
    assert.same({ 2, 1 }, { res.requests[1].adds, res.requests[1].removes })
    world.assert_sums(res)
  end)

  it("that fails stops the job, names the row, and shows no value of it", function()
    for _, member in ipairs {
      function(row) error("cannot use " .. row.mail) end,
      function(row) error("bad id in row of " .. row.mail .. " and more") end,
      function(row) return { external_id = row.id, emial = row.mail } end,
      function() return 12 end,
      function() return { 1, 2 } end,
      function(row) return row.nosuch end,
      function(row) row.id = "x" end,
      function(row) return { external_id = row.id, uids = "b@example.com" } end,
    } do
      local res, err = run { where = function(row) return row.id ~= "1" end, member = member }
      assert.is_nil(res)
      assert.equal("script", err.kind)
      assert.truthy(err.message:find("row 2", 1, true), err.message)
      assert.is_nil(err.message:find("b@example.com", 1, true), err.message)
      assert.equal(2, err.result.rows)
      world.assert_sums(err.result)
    end
  end)

  it("names the place of its failure", function()
    local path = world.file('return { audience = "a", member = function(row)\n  error("cannot use " .. row.mail)\n'
      .. 'end }\n', ".lua")
    local _, err = client:run(path, world.file(CSV), { dry_run = true })
    assert.truthy(err.message:find("%.lua:2:"), err.message)
    assert.is_nil(err.message:find("a@example.com", 1, true))
  end)

  it("gets a row that is read-only, has a length, and is gone after the call", function()
    local kept
    assert(run { member = function(row)
      kept = row
      assert(#row == 5 and row[2] == row.mail and tostring(row) == "scope3.row")
      assert(not pcall(function() return row[6] end))
      assert(not pcall(function() return row[0] end))
    end })
    local ok, message = pcall(function()
      return kept.id
    end)
    assert.is_false(ok)
    assert.truthy(tostring(message):find("valid only during the call", 1, true))
  end)

  it("may not use the source that it is reading", function()
    local source = assert(scope3.csv(world.file(CSV)))
    local _, err = run({ member = function()
      source()
    end }, source)
    assert.truthy(err.message:find("from inside a script", 1, true))
    local _, closing = run({ member = function()
      source:close()
    end }, assert(scope3.csv(world.file(CSV))))
    assert.is_nil(closing) -- another source: no harm
  end)

  it("keeps a reason that quotes the row out of the report", function()
    local res = assert(run { member = function(row)
      return nil, "bad value " .. row.mail .. row.id .. "!"
    end })
    assert.same({ ["a reason that quotes the row, or is over 200 bytes"] = 5 }, res.rejected)
    res = assert(run { member = function(row)
      return nil, "of level 22, not for " .. (row.id == "2" and "2" or "x2")
    end })
    assert.same({ ["a reason that quotes the row, or is over 200 bytes"] = 1, ["of level 22, not for x2"] = 4 },
      res.rejected)
  end)

  it("gives a reason that is a text, or fails", function()
    for _, reason in ipairs { 5, true, {} } do
      local _, err = run { member = function() return nil, reason end }
      assert.equal("script", err.kind)
      local says = "the reason that member() gives must be a string, not a " .. type(reason)
      assert.truthy(err.message:find(says, 1, true), err.message)
    end
  end)

  it("sees nested JSON as tables", function()
    local res = assert(run({ member = function(row)
      return { external_id = row.who.id, uids = row.uids, email = row.none }
    end }, assert(scope3.jsonl(world.file('{"who":{"id":"x"},"uids":[{"type":"mine","value":"v"}],"none":null}\n')))))
    assert.same({ 1, 1 }, { res.members, res.identifiers.uids })
  end)
end)

describe("a script file", function()
  teardown(world.clean)

  it("that is missing, broken, or no script is told what is wrong", function()
    local cases = {
      ["return 12"] = "must return a table", ["x = = 1"] = "near", ['error("boom")'] = "boom",
      ['return { audience = "a" }'] = "either map or member",
      ["return { map = {}, member = print }"] = "either map or member",
      ['return { map = { email = "x" } }'] = "map needs external_id",
      ['return { map = { external_id = "x" } }'] = "at least one of email",
      ['return { map = { external_id = "x", emial = "y" } }'] = "emial",
      ["return { member = print, adience = 1 }"] = "adience",
    }
    for text, want in pairs(cases) do
      local res, err = client:run(world.file(text, ".lua"), "x.csv", { dry_run = true, audience = "a" })
      assert.is_nil(res)
      assert.equal("script", err.kind)
      assert.truthy(tostring(err):find(want, 1, true), tostring(err))
    end
    local _, err = client:run("/no/such/script.lua", "x.csv")
    assert.truthy(err.message:find("/no/such/script.lua", 1, true))
  end)

  it("may set options of the job, which the caller's overrule", function()
    local path = world.file('return { audience = "a", mode = "remove", max_members = 2, map = { external_id = "id" } }',
      ".lua")
    local res = assert(client:run(path, world.file(CSV), { dry_run = true }))
    assert.same({ 3, 5 },
      { #res.requests, res.requests[1].removes + res.requests[2].removes + res.requests[3].removes })
    res = assert(client:run(path, world.file(CSV), { dry_run = true, max_members = 5 }))
    assert.equal(1, #res.requests)
  end)

  it("needs an audience from somewhere", function()
    local _, err = client:run({ map = { external_id = "id", email = "mail" } }, world.file(CSV), { dry_run = true })
    assert.truthy(tostring(err):find("audience.id is missing", 1, true))
  end)
end)
