-- Several identifiers of a person in jobs with a state: each member is a record of its own, and the last row of an id
-- counts whole.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local scope3 = require "scope3"
local seed = require "spec.support.seed"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local SCRIPT = { map = { external_id = "id", email = { each = { "mail", "mail 2", "mail 3" } } } }

-- The text of a file of rows, each of which is an id and up to three emails.
local function csv(rows)
  local lines = { "id,mail,mail 2,mail 3" }
  for i, row in ipairs(rows) do
    lines[i + 1] = ("%s,%s,%s,%s"):format(row[1], row[2] or "", row[3] or "", row[4] or "")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Who is to be in the audience after these rows: the last row of an id counts.
local function expected(rows, excluded)
  local found = {}
  for _, row in ipairs(rows) do
    found[row[1]], found[row[1] .. "#2"], found[row[1] .. "#3"] = nil, nil, nil
    local is_out, seen = false, {}
    for i = 2, 4 do
      is_out = is_out or excluded and excluded[row[i] or ""] or false
    end
    for i = 2, is_out and 1 or 4 do
      local email = row[i] or ""
      if email:find("@", 1, true) and not seen[email] then
        seen[email] = true
        found[row[1] .. (i > 2 and "#" .. i - 1 or "")] = scope3.email.hash(email)
      end
    end
  end
  return found
end

describe("a map with each and a state", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox, { script = SCRIPT })
    season.loop = virtual.loop(sandbox.url)
  end)

  local function night(rows, opts)
    opts = opts or {}
    opts.max_removed = not opts.mode and 1 or nil
    return assert(season:night(csv(rows), opts))
  end

  -- Rows, people of the rows that were built, members that were sent; who is added, changed, unchanged and removed.
  local function told(res)
    local m = res.mirror
    return { m.rows, res.people, res.members, m.added, m.changed, m.unchanged, m.removed }
  end

  it("keeps a record for each member, and sends those alone that differ", function()
    local rows = { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org", "d@x.org", "e@x.org" }, { "3", "", "f@x.org" } }
    assert.same({ 3, 3, 6, 6, 0, 0, 0 }, told(night(rows)))
    assert.same(expected(rows), season:membership())
    assert.same({ 3, 0, 0, 0, 0, 6, 0 }, told(night(rows)))
    rows[1][3], rows[2][2] = "g@x.org", "h@x.org"
    assert.same({ 3, 2, 2, 0, 2, 4, 0 }, told(night(rows)))
    assert.same(expected(rows), season:membership())
  end)

  it("has a member leave whose column repeats an earlier one now, and come back", function()
    local rows, repeated = { { "1", "a@x.org", "b@x.org" } }, { { "1", "a@x.org", " A@x.org" } }
    night(rows)
    assert.same({ 1, 0, 1, 0, 0, 1, 1 }, told(night(repeated)))
    assert.same({ 1, 0, 0, 0, 0, 1, 0 }, told(night(repeated)))
    assert.same(expected { { "1", "a@x.org" } }, season:membership())
    night(rows)
    assert.same(expected(rows), season:membership())
  end)

  it("has a member leave whose column is empty now, and come back", function()
    local rows = { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org", "d@x.org" } }
    night(rows)
    local fewer = { { "1", "a@x.org" }, { "2", "", "d@x.org" } }
    assert.same({ 2, 0, 2, 0, 0, 2, 2 }, told(night(fewer)))
    assert.same(expected(fewer), season:membership())
    assert.same({ 2, 2, 2, 2, 0, 2, 0 }, told(night(rows)))
    assert.same(expected(rows), season:membership())
    night(fewer, { mode = "upsert" })
    assert.same(expected(rows), season:membership())
  end)

  it("has all members leave with the row", function()
    night { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org" } }
    assert.same({ 1, 0, 2, 0, 0, 1, 2 }, told(night { { "2", "c@x.org" } }))
    assert.same({ ["2"] = scope3.email.hash "c@x.org" }, season:membership())
  end)

  it("counts the last row of an id, whole", function()
    local rows = { { "1", "a@x.org", "b@x.org", "c@x.org" }, { "2", "d@x.org" }, { "1", "e@x.org", "", "f@x.org" } }
    local res = night(rows)
    assert.same({ 3, 2, 3, 3, 0, 0, 0 }, told(res))
    assert.equal(1, res.mirror.replaced)
    assert.same({ ["1"] = scope3.email.hash "e@x.org", ["1#3"] = scope3.email.hash "f@x.org",
      ["2"] = scope3.email.hash "d@x.org" }, season:membership())
  end)

  it("rejects a row of which nothing can be used, once, and no member of one that gives others", function()
    local rows = { { "1", "a@x.org", "jane" }, { "2", "jane", "doe" }, { "3" }, { "4", "jane", "b@x.org" } }
    local res = night(rows)
    assert.same({ 4, 2, 2 }, { res.mirror.rows, res.people, res.members })
    assert.same({ { no_identifier = 2 }, { email_no_at = 4 } }, { res.rejected, res.dropped })
    assert.same(expected(rows), season:membership())
    res = night(rows)
    assert.same({ 4, 0, 0, 0, 0, 2, 0 }, told(res))
    assert.same({ {}, {}, 3 }, { res.rejected, res.dropped, res.mirror.rejected_before })
  end)

  it("has a member leave whose value cannot be used any more", function()
    night { { "1", "a@x.org", "b@x.org" } }
    local broken = { { "1", "a@x.org", "jane" } }
    local _, err = season:night(csv(broken), { max_removed = 1 })
    assert.equal("only_rejected_leave", err.code)
    local res = night(broken, { remove_rejected = true })
    assert.same({ 1, 1 }, { res.mirror.unchanged, res.removed })
    assert.same({ ["1"] = scope3.email.hash "a@x.org" }, season:membership())
    assert.same({}, res.rejected)
  end)

  it("removes all members of the ids that its rows name", function()
    local rows = { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org", "d@x.org" } }
    night(rows)
    local res = night({ { "1" }, { "9" } }, { mode = "remove" })
    assert.same({ 2, 2, 1, 2 }, { res.mirror.rows, res.mirror.removed, res.mirror.not_there, res.removed })
    assert.same(expected { rows[2] }, season:membership())
  end)

  it("leaves out a person as a whole, by the id or by any email", function()
    local rows = { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org", "d@x.org" }, { "3", "e@x.org", "f@x.org" } }
    night(rows)
    local res = night(rows, { exclude = world.file("1\nD@x.org\n", ".txt") })
    assert.same({ 4, 4, 2, 0 }, { res.mirror.removed, res.mirror.removed_excluded, res.mirror.unchanged, res.people })
    assert.same(expected { rows[3] }, season:membership())
    assert.same({ 3, 2, 4, 4, 0, 2, 0 }, told(night(rows)))
    night(rows, { exclude = world.file("1#2\n3#16\n", ".txt") }) -- by ids that a state shows
    assert.same(expected { rows[2] }, season:membership())
  end)

  it("counts a row once that is built to see whether somebody is excluded, if a member of it differs", function()
    local rows, nobody = {}, { exclude = world.file("nobody@x.org\n", ".txt") }
    for i = 1, 10 do
      rows[i] = { "p" .. i, i .. "a@x.org", i .. "b@x.org", "jane" }
    end
    night(rows)
    local res = night(rows, nobody)
    assert.same({ 10, 0, 0, 0, 0, 20, 0 }, told(res))
    assert.same({}, res.dropped)
    for i = 1, 10 do
      rows[i][2 + i % 2] = i .. "c@x.org"
    end
    assert.same({ 10, 10, 10, 0, 10, 10, 0 }, told(night(rows, nobody)))
    assert.same(expected(rows), season:membership())
  end)

  it("builds a row once however small its requests are, and reads packed files", function()
    local rows = {}
    for i = 1, 40 do
      rows[i] = { "p" .. i, i .. "a@x.org", i .. "b@x.org", i % 2 == 0 and i .. "c@x.org" or "" }
    end
    local res = night(rows, { max_members = 1 })
    assert.same({ 40, 40, 100, 100, 0, 0, 0 }, told(res))
    assert.same(expected(rows), season:membership())
    for i = 1, 40, 3 do
      rows[i][3] = i .. "d@x.org"
    end
    local path = world.file(csv(rows), ".csv")
    os.execute("gzip -f " .. path)
    world.forget(path .. ".gz")
    res = assert(sandbox:client { loop = season.loop }:run(SCRIPT, path .. ".gz",
      { state = season.state, mode = "mirror", audience = "a", max_members = 1 }))
    assert.same({ 40, 14, 14, 0, 14, 86, 0 }, told(res))
    assert(res:wait { timeout = 60 })
    assert.same(expected(rows), season:membership())
  end)

  it("sends again what an earlier night left open of a row, and only that", function()
    local rows = { { "1", "a@x.org", "b@x.org" }, { "2", "c@x.org", "d@x.org", "e@x.org" } }
    sandbox:fault { on = "sync", act = "cut_before", times = -1 }
    assert.is_truthy(select(2, season:night(csv(rows))))
    sandbox:configure { clock = "manual", faults = world.json.array {} }
    rows[2][3] = "f@x.org"
    local res = night(rows)
    assert.same({ 4, 4, 1 }, { res.mirror.under_way, res.mirror.sent_again, res.mirror.deferred })
    rows[2][3] = nil
    local without = { rows[1], { "2", "c@x.org", "", "e@x.org" } }
    assert.same(expected(without), season:membership())
  end)

  it("fills several audiences with the members of rows that each wants", function()
    local script = { map = { external_id = "id", email = { each = { "mail", "mail 2" } } },
      audiences = { { id = "a", where = { tier = "gold" } }, { id = "b" } } }
    local one = nights.season(sandbox, { script = script, audience = nil, max_removed = 1 })
    one.opts.audience, one.loop = nil, season.loop
    local text = "id,mail,mail 2,tier\n1,a@x.org,b@x.org,gold\n2,c@x.org,d@x.org,tin\n3,,e@x.org,gold\n"
    local res = assert(one:night(text))
    assert.same({ 3, 3, 8 }, { res.mirror.rows, res.people, res.members })
    local email = scope3.email.hash
    assert.same({ ["1"] = email "a@x.org", ["1#2"] = email "b@x.org", ["3#2"] = email "e@x.org" }, one:membership "a")
    assert(one:night((text:gsub("tin", "gold"):gsub("b@x.org", ""))))
    assert.same({ ["1"] = email "a@x.org", ["2"] = email "c@x.org", ["2#2"] = email "d@x.org",
      ["3#2"] = email "e@x.org" }, one:membership "a")
    assert.is_nil(one:membership "b"["1#2"])
  end)

  it("forgets all members that the state has of an id", function()
    sandbox:configure { clock = "manual", task_seconds = 0, audience_seconds = 0 }
    local rows = { { "zq1", "a@x.org", "b@x.org", "c@x.org" }, { "zq2", "d@x.org", "e@x.org" },
      { "zq3", "", "f@x.org" } }
    night(rows)
    local client = sandbox:client { loop = season.loop }
    local dry = assert(client:forget({ "zq1", "zq3", "zq9" }, { state = season.state, dry_run = true }))
    assert.same({ 3, 2, 0 }, { dry.ids, dry.state.people, dry.state.erased })
    local res = assert(client:forget({ "zq1", "zq3", "zq9" }, { state = season.state, wait = 60 }))
    assert.same({ 3, 2, 2, 6 }, { res.ids, res.state.people, res.state.erased, res.accepted })
    assert.same(expected { rows[2] }, season:membership())
    local left = world.read(season.state)
    assert.is_nil(left:find("zq1", 1, true) or left:find("zq3", 1, true))
    assert.same({ 1, 0, 0, 0, 0, 2, 0 }, told(night { rows[2] }))
  end)

  it("has guards count members, so that a column that broke does not empty its members", function()
    local rows = {}
    for i = 1, 10 do
      rows[i] = { "p" .. i, i .. "a@x.org", i .. "b@x.org" }
    end
    night(rows)
    for i = 1, 10 do
      rows[i][3] = ""
    end
    local _, err = season:night(csv(rows), { max_removed = 0.3 })
    assert.equal("too_many_leave", err.code)
    assert.truthy(err.message:find("10 of 20 members", 1, true), err.message)
  end)

  it("comes to what its last rows say, night after night", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    local random = math.random
    local function email()
      local n = random(12)
      return n <= 4 and "" or n == 5 and "jane" or ("m%d@x.org"):format(random(30))
    end
    for _ = 1, 12 do
      local rows = {}
      for i = 1, random(30) do
        rows[i] = { "p" .. random(20), email(), email(), email() }
      end
      local out = random(3) == 1 and ("m%d@x.org"):format(random(30)) or nil
      local res = night(rows, { max_members = random(5), exclude = out and world.file(out .. "\n", ".txt") or nil,
        remove_rejected = true })
      assert.same(expected(rows, out and { [out] = true }), season:membership())
      assert.is_true(res.people <= res.mirror.rows)
    end
  end)
end)
