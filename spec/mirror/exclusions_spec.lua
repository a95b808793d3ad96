-- Lists of people who are never sent, in jobs with a state: whoever is there leaves, and comes back when the list ends.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local scope3 = require "scope3"
local seed = require "spec.support.seed"
local states = require "spec.support.states"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- People with these ids; those in `changed` have another email, or are not there.
local function people(n, changed)
  local all = {}
  for i = 1, n do
    all["id" .. i] = ("p%d@example.org"):format(i)
  end
  for id, email in pairs(changed or {}) do
    all[id] = email or nil
  end
  return all
end

local function list(...)
  return world.file(table.concat({ ... }, "\n") .. "\n", ".txt")
end

local function counts(res, ...)
  local found = {}
  for i, name in ipairs { ... } do
    found[i] = res.mirror[name]
  end
  return found
end

-- Of each night of n people: who is new, changed, unchanged and removed, and who of them and besides is excluded.
local function difference(res)
  return counts(res, "added", "changed", "unchanged", "removed", "removed_excluded", "excluded")
end

describe("a job with a state that leaves people out", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  local function sent()
    return #sandbox:requests "sync"
  end

  local function without(n, ...)
    local left = people(n)
    for _, id in ipairs { ... } do
      left[id] = nil
    end
    return nights.hashed(left)
  end

  it("sends neither ids nor emails that its lists name, raw or hashed", function()
    local hash = scope3.email.hash "p3@example.org"
    local res = assert(season:night(people(6), { exclude = { list("id1", "P2@example.org"), list(hash:upper()) } }))
    assert.same({ 3, 0, 0, 0, 0, 3 }, difference(res))
    assert.same({ ids = 1, emails = 1, phones = 0, hashes = 1 }, res.exclusions)
    assert.equal(3, res.accepted)
    assert.same(without(6, "id1", "id2", "id3"), season:membership())
  end)

  it("sends no phones that its lists name", function()
    local script = { map = { external_id = "id", phone = "phone", region = "country" } }
    local text = "id,phone,country\na,020 7946 0001,GB\nb,+442079460002,\nc,020 7946 0003,GB\nd,+44 20 7946 0004,\n"
    local res = assert(season:night(text, { script = script,
      exclude = list("+44 20 7946 0001", "+44 (0)20 7946 0002", (scope3.phone.hash "+442079460003")) }))
    assert.same({ 1, 3 }, counts(res, "added", "excluded"))
    assert.same({ "d" }, sandbox:ids "a")
  end)

  it("takes a hash for an id, too, and an id that is an email as it is sent", function()
    local hash = scope3.email.hash "p1@example.org"
    local script = { map = { external_id = "mail", email = "mail" } }
    local as_hash = { script = script, ids = "hash", exclude = list "P1@example.org" }
    assert(season:night(people(2), as_hash))
    assert.same({ (scope3.email.hash "p2@example.org") }, sandbox:ids "a")
    season.state = states.path()
    local by_id = { script = { map = { external_id = "id", email = "mail" } }, audience = "b" }
    by_id.exclude = list(hash)
    assert(season:night(("id,mail\n%s,x@example.org\nid2,p2@example.org\n"):format(hash), by_id))
    assert.same({ "id2" }, sandbox:ids "b")
    season.state = states.path()
    assert(season:night(people(2), { script = script, ids = "as_is", audience = "c", exclude = list "p1@example.org" }))
    assert.same({ "p2@example.org" }, sandbox:ids "c")
  end)

  for mode, kept in pairs { mirror = false, upsert = true } do
    describe("in the mode " .. mode, function()
      it("removes whoever is there, although the row is the same", function()
        assert(season:night(people(8), { mode = mode }))
        local before = sent()
        local res = assert(season:night(people(8), { mode = mode, exclude = list("id1", "p2@example.org") }))
        assert.same({ 0, 0, 6, 2, 2, 0 }, difference(res))
        assert.same({ 0, 2, 1 }, { res.mirror.noted, res.removed, sent() - before })
        assert.same(without(8, "id1", "id2"), season:membership())
        res = assert(season:night(people(8), { mode = mode, exclude = list("id1", "p2@example.org") }))
        assert.same({ 0, 0, 6, 0, 0, 2 }, difference(res))
        assert.equal(before + 1, sent())
      end)

      it("has them back when the list ends", function()
        assert(season:night(people(4), { mode = mode, exclude = list("id1", "p2@example.org") }))
        local res = assert(season:night(people(4), { mode = mode }))
        assert.same({ 2, 0, 2, 0, 0, 0 }, difference(res))
        assert.equal(0, res.mirror.rejected_before)
        assert.same(without(4), season:membership())
      end)

      it("removes whoever has no row and is excluded by id", function()
        assert(season:night(people(4), { mode = mode }))
        local three = people(4)
        three.id1 = nil
        local res = assert(season:night(three, { mode = mode, exclude = list "id1" }))
        assert.same({ 1, 1, 0 }, counts(res, "removed", "removed_excluded", "kept"))
        assert.same(without(4, "id1"), season:membership())
      end)

      it("removes whoever has no row only by the mode where an email is excluded", function()
        assert(season:night(people(4), { mode = mode }))
        local three = people(4)
        three.id1 = nil
        assert(season:night(three, { mode = mode, exclude = list "p1@example.org" }))
        assert.same(kept and without(4) or without(4, "id1"), season:membership())
      end)
    end)
  end

  it("leaves out who changes into an email that is excluded, and who changes and is excluded", function()
    assert(season:night(people(6)))
    local res = assert(season:night(people(6, { id1 = "bad@example.org", id2 = "new@example.org" }),
      { exclude = list("bad@example.org", "id2") }))
    assert.same({ 0, 0, 4, 2, 2, 0 }, difference(res))
    assert.same(without(6, "id1", "id2"), season:membership())
  end)

  it("tells the state nothing of who stays as before", function()
    assert(season:night(people(5)))
    local before = world.read(season.state)
    local res = assert(season:night(people(5), { dry_run = true, exclude = list "nobody@example.org" }))
    assert.same({ 0, 0, 5, 0, 0, 0 }, difference(res))
    assert.equal(before, world.read(season.state))
    res = assert(season:night(people(5, { id2 = " P2@Example.org" }), { exclude = list "nobody@example.org" }))
    assert.same({ 0, 1, 4, 0, 0, 0 }, difference(res))
    assert.equal(1, res.mirror.noted)
    assert.same({ 0, 0, 5, 0, 0, 0 }, difference(assert(season:night(people(5, { id2 = " P2@Example.org" })))))
  end)

  it("rejects no row again that stays as before", function()
    local text, refused = "id,mail,phone\na,a@example.org,12\nb,b@example.org,\n", 0
    local opts = { script = { map = { external_id = "id", email = "mail", phone = "phone" } },
      exclude = list "nobody@example.org", on_reject = function() refused = refused + 1 end }
    assert.same({ phone_national = 1 }, assert(season:night(text, opts)).dropped)
    assert.same({}, assert(season:night(text, opts)).dropped)
    assert.equal(1, refused)
  end)

  it("removes who is there in an older version, because the service refused a newer one", function()
    assert(season:night(people(3)))
    sandbox:configure { clock = "manual", faults = world.json.array { { on = "sync", act = "issues", times = 1,
      status = 422, issues = world.json.array { { path = "audiences[0].add[0]", message = "no" } } } } }
    local refused = people(3, { id2 = "newer@example.org" })
    assert.equal(1, assert(season:night(refused)).rejected_by_service)
    local res = assert(season:night(refused, { exclude = list "nobody@example.org" }))
    assert.same({ 1, 0, 2 }, counts(res, "rejected_before", "removed", "unchanged"))
    res = assert(season:night(refused, { exclude = list "newer@example.org" }))
    assert.same({ 0, 1, 1, 2 }, counts(res, "rejected_before", "removed", "removed_excluded", "unchanged"))
    assert.same(without(3, "id2"), season:membership())
  end)

  it("does not send again what an earlier night left open of who is excluded now", function()
    sandbox:fault { on = "sync", act = "cut_before", times = -1 }
    assert.is_truthy(select(2, season:night(people(4))))
    sandbox:configure { faults = world.json.array {} }
    local res = assert(season:night(people(4), { exclude = list("p1@example.org", "id2") }))
    assert.same({ 2, 2, 2 }, counts(res, "under_way", "sent_again", "deferred"))
    assert.same(without(4, "id1", "id2"), season:membership())
  end)

  it("removes again whose removal has failed", function()
    assert(season:night(people(4)))
    sandbox:configure { clock = "manual", task_outcomes = world.json.array { "failed:transient" } }
    local objections = list("id1", "p2@example.org")
    local _, err = season:night(people(4), { exclude = objections, mode = "upsert" })
    assert.equal("task_failed", err.kind)
    local res = assert(season:night(people(4), { exclude = objections, mode = "upsert" }))
    assert.same({ 0, 0, 2, 2, 2, 0 }, difference(res))
    assert.same(without(4, "id1", "id2"), season:membership())
  end)

  it("sends the removal of an id again that was never answered, also where nobody else leaves", function()
    assert(season:night(people(4), { mode = "upsert" }))
    sandbox:fault { on = "sync", act = "cut_before", times = -1 }
    local opts = { mode = "upsert", exclude = list "id1" }
    assert.is_truthy(select(2, season:night(people(4), opts)))
    sandbox:configure { faults = world.json.array {} }
    local res = assert(season:night(people(4), opts))
    assert.same({ 1, 1 }, counts(res, "under_way", "sent_again"))
    assert.same(without(4, "id1"), season:membership())
  end)

  it("does not count who is excluded against max_removed", function()
    assert(season:night(people(10)))
    local objections = list("id1", "id2", "id3", "p4@example.org", "p5@example.org")
    local left = people(10)
    left.id6, left.id7, left.id8 = nil, nil, nil
    local res = assert(season:night(left, { exclude = objections }))
    assert.same({ 8, 5 }, counts(res, "removed", "removed_excluded"))
    assert.same(nights.hashed { id9 = "p9@example.org", id10 = "p10@example.org" }, season:membership())
    local _, err = season:night({ id9 = "p9@example.org" }, { exclude = objections })
    assert.equal("too_many_leave", err.code)
    assert.truthy(err.message:find("1 of 2 members", 1, true), err.message)
    assert.same({ 0, 0, 1 }, counts(err.result, "removed", "removed_excluded", "held_back"))
  end)

  it("does not take who is excluded for rejected", function()
    assert(season:night(people(10)))
    assert.equal(1, assert(season:night(people(10), { exclude = list "id1" })).removed)
    local _, err = season:night(people(10, { id2 = "broken" }), { exclude = list("id1", "p3@example.org") })
    assert.equal("only_rejected_leave", err.code)
  end)

  it("leaves them out of all its audiences, also of those that they would come into", function()
    local script = { map = { external_id = "id", email = "mail" },
      audiences = { { id = "all" }, { id = "gold", where = { tier = { "gold" } } } } }
    local opts = { script = script, max_removed = 1 }
    season.opts.audience = nil
    local function text(tier_of_a)
      return ("id,mail,tier\na,a@example.org,%s\nb,b@example.org,gold\nc,c@example.org,tin\n"):format(tier_of_a)
    end
    assert(season:night(text "tin", opts))
    opts.exclude = list("a@example.org", "b")
    local res = assert(season:night(text "gold", opts))
    assert.same({ "c" }, sandbox:ids "all")
    assert.same({}, sandbox:ids "gold")
    local of = {}
    for i, one in ipairs(res.mirror.audiences) do
      of[i] = { one.unchanged, one.removed, one.removed_excluded, one.excluded, one.added }
    end
    assert.same({ { 1, 2, 2, 0, 0 }, { 0, 1, 1, 1, 0 } }, of)
    opts.exclude = list "nobody@example.org"
    assert(season:night(text "gold", opts))
    assert.same({ 3, 2 }, { #sandbox:ids "all", #sandbox:ids "gold" })
    local before = sent()
    res = assert(season:night(text "gold", opts))
    assert.same({ 5, 0 }, { res.mirror.unchanged, sent() - before })
  end)

  it("names rows in a dry run by what becomes of them", function()
    assert(season:night(people(3)))
    local text = nights.csv(people(3)) .. "new,new@example.org\nx,x@example.org\nid4,p4@example.org\n"
    local res = assert(season:night(text, { dry_run = true, max_removed = 1,
      exclude = list("id2", "p3@example.org", "x@example.org", "id4") }))
    local rows = {}
    for kind, samples in pairs(res.mirror.samples) do
      for i, sample in ipairs(samples) do
        rows[kind] = (i > 1 and rows[kind] .. " " or "") .. sample.row
      end
    end
    assert.same({ added = "4", unchanged = "1", excluded = "2 3 5" }, rows)
    assert.same({ 1, 0, 1, 2, 2, 2 }, difference(res))
    assert.same(without(3), season:membership())
  end)

  it("sends nothing where a list cannot be understood", function()
    assert(season:night(people(3)))
    local before = sent()
    local _, err = season:night(people(4), { exclude = list("id1", "jane@@example.org") })
    assert.same({ "source", "bad_exclusion", 2 }, { err.kind, err.code, err.line })
    assert.equal(before, sent())
    assert.same(without(3), season:membership())
    assert.equal(1, assert(season:night(people(4))).mirror.added)
  end)

  it("has in its audience who has a row and is not excluded, whatever nights come before", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    for number = 1, world.thorough and 20 or 1 do
      season = nights.season(sandbox, { mode = "mirror", max_removed = 1, remove_rejected = true,
        audience = "random" .. number })
      season.loop = virtual.loop(sandbox.url)
      for _ = 1, 6 do
        local rows, named, wanted = {}, { "nobody" }, {}
        for i = 1, 12 do
          local id, email = "id" .. i, ("p%d.%d@example.org"):format(i, math.random(2))
          local by = math.random(8)
          rows[id] = math.random(5) > 1 and email or nil
          named[#named + 1] = by == 1 and id or by == 2 and email or by == 3 and scope3.email.hash(email) or nil
          wanted[id] = by > 3 and rows[id] or nil
        end
        assert(season:night(rows, { exclude = world.file(table.concat(named, "\n") .. "\n", ".txt") }))
        assert.same(nights.hashed(wanted), season:membership("random" .. number))
      end
    end
  end)
end)
