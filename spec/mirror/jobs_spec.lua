-- Mirrors: client:run with a state sends what differs from it, and removes who is gone.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local core = require "scope3.core"
local nights = require "spec.support.nights"
local protocol = require "scope3.mirror.protocol"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- People with these ids; those in `changed` have another email.
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

local function counts(res, ...)
  local list = {}
  for i, name in ipairs { ... } do
    list[i] = res.mirror[name]
  end
  return list
end

describe("a job with a state", function()
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

  it("sends everybody in the first night", function()
    local res = assert(season:night(people(20)))
    assert.same({ 0, 20, 0, 0, 0 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(20, res.accepted)
    assert.same(nights.hashed(people(20)), season:membership())
  end)

  it("sends nothing where nothing has changed", function()
    assert(season:night(people(20)))
    local before = sent()
    local res = assert(season:night(people(20)))
    assert.equal(before, sent())
    assert.same({ 20, 0, 0, 20, 0 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(0, res.members)
    assert.equal(20, res.rows)
  end)

  it("sends who is new or has changed, and removes who is gone", function()
    assert(season:night(people(20)))
    local now = people(22, { id3 = "other@example.org", id7 = false })
    now.id7 = nil
    local res = assert(season:night(now))
    assert.same({ 20, 2, 1, 18, 1 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(4, res.accepted)
    assert.equal(1, res.removed)
    assert.same(nights.hashed(now), season:membership())
  end)

  it("sends nothing for a cell that is only written in another way", function()
    assert(season:night(people(5)))
    local before = sent()
    local res = assert(season:night(people(5, { id2 = " P2@Example.ORG " })))
    assert.same({ 1, 1, 4 }, counts(res, "changed", "noted", "unchanged"))
    assert.equal(before, sent())
    assert.same({ 0, 0, 5 }, counts(assert(season:night(people(5, { id2 = " P2@Example.ORG " }))), "changed", "noted",
      "unchanged"))
  end)

  it("says that a map which changed had every row looked at anew, once", function()
    local function night(map, opts)
      opts = opts or {}
      opts.script = { map = map }
      local res = assert(season:night("id,mail,other\na,a@example.org,a@example.org\nb,b@example.org,x@example.org\n",
        opts))
      local times = 0
      for _, warning in ipairs(res.warnings) do
        times = times + (warning.code == "rules_changed" and 1 or 0)
      end
      return times, res
    end
    local one, two = { external_id = "id", email = "mail" }, { external_id = "id", email = "other" }
    assert.equal(0, (night(one)))
    assert.equal(0, (night(one)))
    assert.equal(1, (night(two, { dry_run = true })))
    local times, res = night(two)
    assert.equal(1, times)
    assert.same({ 2, 1, 0 }, counts(res, "changed", "noted", "unchanged"))
    assert.equal(0, (night(two)))
  end)

  it("counts the last of several rows of an id", function()
    local res = assert(season:night "id,mail\na,first@example.org\nb,b@example.org\na,last@example.org\n")
    assert.same({ 2, 1 }, counts(res, "added", "replaced"))
    assert.same(nights.hashed { a = "last@example.org", b = "b@example.org" }, season:membership())
  end)

  it("reports a rejected row once, and counts it in each night", function()
    local res = assert(season:night "id,mail\na,a@example.org\nb,nobody\n")
    assert.equal(1, (next(res.rejected)) and res.rejected[next(res.rejected)])
    res = assert(season:night "id,mail\na,a@example.org\nb,nobody\n")
    assert.same({ 1, 1, 0 }, counts(res, "unchanged", "rejected_before", "changed"))
    assert.equal(2, res.rows)
  end)

  it("sends again what a failed task was to bring", function()
    sandbox:configure { task_outcomes = world.json.array { "failed:transient" } }
    local _, err = season:night(people(5))
    assert.equal("task_failed", err.kind)
    local res = assert(season:night(people(5)))
    assert.equal(5, res.accepted)
    assert.same(nights.hashed(people(5)), season:membership())
  end)

  it("waits for what is under way before it sends anything else of the same people", function()
    sandbox:configure { clock = "manual", task_seconds = 1000 }
    assert(season:night(people(4), { wait = false }))
    local res = assert(season:night(people(5, { id2 = "new@example.org" }), { wait = false }))
    assert.same({ 1, 1, 3 }, counts(res, "added", "deferred", "under_way"))
    sandbox:configure { clock = "manual", task_seconds = 1 }
    sandbox:control("PUT", "clock", { advance = 3000 })
    res = assert(season:night(people(5, { id2 = "new@example.org" })))
    assert.same({ 1, 0, 0, 4 }, counts(res, "changed", "deferred", "under_way", "unchanged"))
    assert.same(nights.hashed(people(5, { id2 = "new@example.org" })), season:membership())
  end)

  it("sends what was never answered again, exactly as it was", function()
    assert(season:night(people(4)))
    local now = people(6, { id1 = "other@example.org" })
    now.id2 = nil
    sandbox:fault { on = "sync", act = "lost_reply", times = -1 }
    local _, err = season:night(now)
    assert.is_true(err.uncertain)
    sandbox:configure { faults = world.json.array {} }
    local res = assert(season:night(now))
    assert.same({ 3, 3, 0, 0, 2, 1 }, counts(res, "under_way", "sent_again", "added", "changed", "unchanged",
      "removed"))
    assert.same(nights.hashed(now), season:membership())
  end)

  it("defers whoever was never answered and has changed since", function()
    sandbox:fault { on = "sync", act = "cut_before", times = -1 }
    local _, err = season:night(people(2))
    assert.is_truthy(err)
    sandbox:configure { faults = world.json.array {} }
    local res = assert(season:night(people(2, { id1 = "other@example.org" })))
    assert.same({ 1, 1, 1 }, counts(res, "under_way", "sent_again", "deferred"))
    assert.same(nights.hashed { id2 = "p2@example.org" }, season:membership())
  end)

  it("warns of tasks of earlier nights that wait for a person", function()
    sandbox:configure { task_outcomes = { "input-required" } }
    local res = assert(season:night(people(3), { wait = false }))
    local id = res.tasks[1].task_id
    sandbox:control("PUT", "clock", { advance = 60 })
    res = assert(season:night(people(3, { id1 = "other@example.org" })))
    assert.same({ 2, 1 }, counts(res, "under_way", "deferred"))
    local found = {}
    for _, warning in ipairs(res.warnings) do
      if warning.code == "needs_action" then
        found[#found + 1] = { warning.tasks, warning.task_id }
        assert.truthy(warning.message:find("1 task of earlier runs waits for a person at the service, the first is "
          .. id .. ":", 1, true), warning.message)
      end
    end
    assert.same({ { 1, id } }, found)
  end)

  it("sends what was accepted too long ago again", function()
    assert(season:night(people(3)))
    assert.same({ 0, 3 }, counts(assert(season:night(people(3), { refresh_after = 3600 })), "changed", "unchanged"))
    local res = assert(season:night(people(3), { refresh_after = 0 }))
    assert.same({ 3, 0 }, counts(res, "changed", "unchanged"))
    assert.equal(3, res.accepted)
  end)

  it("sends a member that the service refused again when its cells change, and not before", function()
    sandbox:configure { clock = "manual", faults = world.json.array { { on = "sync", act = "issues", times = 1,
      status = 422, issues = world.json.array { { path = "audiences[0].add[1]", message = "no" } } } } }
    local res = assert(season:night(people(3)))
    assert.equal(1, res.rejected_by_service)
    local before = sent()
    res = assert(season:night(people(3)))
    assert.same({ 2, 1 }, counts(res, "unchanged", "rejected_before"))
    assert.equal(before, sent())
    res = assert(season:night(people(3, { id2 = "better@example.org" })))
    assert.equal(1, res.accepted)
    assert.same(nights.hashed(people(3, { id2 = "better@example.org" })), season:membership())
  end)

  it("never removes whom it did not add", function()
    local other = assert(require("scope3").audience("a"))
    assert(other:add { external_id = "stranger", email = "stranger@example.org" })
    local client = sandbox:client { loop = season.loop }
    assert(assert(client:sync(other)):wait())
    assert(season:night(people(5)))
    assert(season:night({ id1 = "p1@example.org" }, { max_removed = 1 }))
    local ids = {}
    for id in pairs(season:membership()) do
      ids[#ids + 1] = id
    end
    table.sort(ids)
    assert.same({ "id1", "stranger" }, ids)
  end)

  it("takes gzip, JSON Lines and several files", function()
    local lines = world.file('{"id":"j","mail":"j@example.org"}\n', ".jsonl")
    local table_of = world.file("id,mail\nc,c@example.org\n", ".csv")
    local packed = world.file("id,mail\nz,z@example.org\n", ".csv")
    os.execute(("gzip -f %s"):format(packed))
    world.forget(packed .. ".gz")
    local client = sandbox:client { loop = season.loop }
    local script = { map = { external_id = "id", email = "mail" } }
    local files = { lines, table_of, packed .. ".gz" }
    local opts = { state = season.state, mode = "mirror", audience = "a" }
    local res = assert(client:run(script, files, opts))
    assert.equal(3, res.accepted)
    assert(res:wait())
    res = assert(client:run(script, files, opts))
    assert.same({ 0, 0, 3 }, counts(res, "added", "changed", "unchanged"))
    assert.same(nights.hashed { j = "j@example.org", c = "c@example.org", z = "z@example.org" }, season:membership())
  end)

  it("leaves out who does not meet a condition any more", function()
    local script = { map = { external_id = "id", email = "mail" }, where = function(row) return row.ok == "yes" end }
    assert(season:night("id,mail,ok\na,a@example.org,yes\nb,b@example.org,yes\n", { script = script }))
    local res = assert(season:night("id,mail,ok\na,a@example.org,yes\nb,b@example.org,no\n",
      { script = script, max_removed = 0.5 }))
    assert.equal(1, res.removed)
    assert.same(nights.hashed { a = "a@example.org" }, season:membership())
  end)

  describe("that is a mirror", function()
    it("removes nobody when too many would leave, unless that is allowed", function()
      assert(season:night(people(10)))
      local before = sent()
      local _, err = season:night(people(6))
      assert.same({ "guard", "too_many_leave" }, { err.kind, err.code })
      assert.truthy(err.message:find("4 of 10 members", 1, true))
      assert.truthy(err.message:find("--max-removed 40%", 1, true))
      assert.equal(before, sent())
      assert.same({ 0, 4 }, counts(err.result, "removed", "held_back"))
      assert.equal(4, assert(season:night(people(6), { max_removed = 0.4 })).removed)
      assert.same(nights.hashed(people(6)), season:membership())
    end)

    it("removes nobody for an input without rows", function()
      assert(season:night(people(3)))
      local _, err = season:night "id,mail\n"
      assert.equal("too_many_leave", err.code)
      assert.truthy(err.message:find("the input has no rows", 1, true))
      _, err = season:night ""
      assert.equal("source", err.kind)
      assert.same(nights.hashed(people(3)), season:membership())
      assert.equal(3, assert(season:night("id,mail\n", { max_removed = 1 })).removed)
    end)

    it("removes nobody where all who would leave were rejected, unless that is allowed", function()
      assert(season:night(people(10)))
      local text = nights.csv(people(10, { id4 = "broken" }))
      local _, err = season:night(text)
      assert.same({ "guard", "only_rejected_leave" }, { err.kind, err.code })
      assert.same(nights.hashed(people(10)), season:membership())
      _, err = season:night(text)
      assert.equal("only_rejected_leave", err.code)
      assert.equal(1, assert(season:night(text, { remove_rejected = true })).removed)
      local left = people(10)
      left.id4 = nil
      assert.same(nights.hashed(left), season:membership())
    end)

    it("looks at the guards again when rows turn out to be rejected, and has sent the others by then", function()
      assert(season:night(people(10)))
      local _, err = season:night(people(11, { id1 = "x", id2 = "x", id3 = "x", id4 = "x" }))
      assert.equal("too_many_leave", err.code)
      assert(err.result:wait())
      assert.same(nights.hashed(people(11)), season:membership())
    end)

    it("removes nobody where rows became unusable, unless that is allowed", function()
      assert(season:night(people(20)))
      local text = nights.csv(people(20)):gsub("id3,", '"id3,'):gsub("p5@example.org", 'p5@example.org"')
      local _, err = season:night(text)
      assert.same({ "guard", "rows_unusable" }, { err.kind, err.code })
      local without_id = nights.csv(people(20)):gsub("id5,", ",")
      _, err = season:night(without_id)
      assert.equal("rows_unusable", err.code)
      assert.same(nights.hashed(people(20)), season:membership())
      assert.equal(1, assert(season:night(without_id, { remove_rejected = true })).removed)
      local gone = people(20)
      gone.id5, gone.id6 = nil, nil
      -- As many as before: they hide nobody else.
      assert.equal(1, assert(season:night(nights.csv(gone) .. ",p5@example.org\n")).removed)
      assert.same(nights.hashed(gone), season:membership())
    end)

    it("refuses keys that no row has before anything is sent", function()
      assert(season:night('{"id":"a","mail":"a@example.org"}\n', { suffix = ".jsonl" }))
      local before = sent()
      local _, err = season:night('{"id":"a","email":"a@example.org"}\n', { suffix = ".jsonl", max_removed = 1 })
      assert.equal("missing_key", err.code)
      assert.equal(before, sent())
    end)

    it("says when the audience is gone, and sends everybody when told", function()
      assert(season:night(people(4)))
      local gone = assert(require("scope3").audience("a"))
      gone:delete()
      assert(assert(sandbox:client { loop = season.loop }:sync(gone)):wait())
      local _, err = season:night(people(4))
      assert.same({ "guard", "audience_missing" }, { err.kind, err.code })
      assert.equal(4, assert(season:night(people(4), { full = true })).accepted)
      assert.same(nights.hashed(people(4)), season:membership())
    end)

    describe("after the only request to an audience was lost", function()
      local time = core.time

      after_each(function()
        core.time = time
      end)

      -- The state then has people who may be there, in an audience that the service may not have.
      it("sends everybody again, once that can no longer be carried out", function()
        sandbox:configure { faults = world.json.array { { on = "sync", act = "cut_inside", times = -1 } } }
        local _, err = season:night(people(4), { patience = 60 })
        assert.equal("network", err.kind)
        sandbox:configure { faults = world.json.array {} }
        core.time = function()
          return time() + protocol.SETTLING + protocol.SEND_WITHIN + 3600
        end
        local fewer = people(3)
        local res = assert(season:night(fewer))
        assert.same({ 4, 0, 3, 1 }, counts(res, "before", "added", "changed", "removed"))
        assert.same(nights.hashed(fewer), season:membership())
        assert.same({ 3, 0, 0, 3 }, counts(assert(season:night(fewer)), "before", "added", "changed", "unchanged"))
      end)
    end)
  end)

  describe("that upserts", function()
    it("keeps who has no row", function()
      assert(season:night(people(4), { mode = "upsert" }))
      local res = assert(season:night({ id9 = "p9@example.org" }, { mode = "upsert" }))
      assert.same({ 1, 0, 4 }, counts(res, "added", "removed", "kept"))
      local all = people(4)
      all.id9 = "p9@example.org"
      assert.same(nights.hashed(all), season:membership())
    end)
  end)

  describe("that removes", function()
    it("removes who has a row and is there", function()
      assert(season:night(people(4)))
      local script = { map = { external_id = "id" } }
      local res = assert(season:night("id\nid2\nstranger\n", { mode = "remove", script = script }))
      assert.same({ 1, 1, 3 }, counts(res, "removed", "not_there", "kept"))
      assert.equal(1, res.removed)
      local left = people(4)
      left.id2 = nil
      assert.same(nights.hashed(left), season:membership())
    end)
  end)

  describe("in a dry run", function()
    it("says what differs with rows of each kind, and writes nothing", function()
      assert(season:night(people(3)))
      local state, before = world.read(season.state), sent()
      local res = assert(season:night("id,mail\nid1,p1@example.org\nid2,new@example.org\nid8,p8@example.org\n",
        { dry_run = true, max_removed = 1 }))
      assert.same({ 1, 1, 1, 1 }, counts(res, "added", "changed", "unchanged", "removed"))
      assert.equal(3, res.mirror.samples.added[1].row)
      assert.equal(2, res.mirror.samples.changed[1].row)
      assert.equal(1, res.mirror.samples.unchanged[1].row)
      assert.same({ 3, 1 }, { res.would_send, res.would_remove })
      assert.equal(before, sent())
      assert.equal(state, world.read(season.state))
    end)

    it("makes no state where there is none", function()
      local res = assert(season:night(people(3), { dry_run = true }))
      assert.same({ 3 }, counts(res, "added"))
      assert.is_false(world.exists(season.state))
    end)
  end)

  it("tells no difference where it was stopped while it compared, and keeps none", function()
    assert(season:night(people(200)))
    for calls = 20, 200, 60 do
      local called = 0
      local res, err = season:night(people(150), { cancel = function()
        called = called + 1
        return called > calls
      end })
      assert.same({ nil, "cancelled" }, { res, err.kind })
      assert.is_nil(err.result.mirror)
    end
    local res = assert(season:night(people(150)))
    assert.same({ 200, 50, 150 }, counts(res, "before", "removed", "unchanged"))
  end)

  it("refuses a state of another account, and one that another process has", function()
    assert(season:night(people(2)))
    local client = sandbox:client { loop = season.loop, account_id = "26" }
    local file, script = world.file(nights.csv(people(2)), ".csv"), { map = { external_id = "id", email = "mail" } }
    local _, err = client:run(script, file, { state = season.state, mode = "mirror", audience = "a" })
    assert.same({ "journal", "another_job" }, { err.kind, err.code })
    _, err = season:night(people(2), { audience = "b" })
    assert.equal("another_job", err.code)
  end)

  it("raises options that go together with nothing", function()
    local client, file = sandbox:client(), world.file("id,mail\n", ".csv")
    local map = { external_id = "id", email = "mail" }
    for _, case in ipairs {
      { { mode = "mirror" }, "needs a state" },
      { { refresh_after = 3 }, "no effect without a state" },
      { { state = "x", journal = "y" }, "journal has no effect beside state" },
      { { state = "x", unique = true }, "unique has no effect beside state" },
      { { state = "x", max_removed = 0.5 }, 'unless mode is "mirror"' },
      { { state = "x", mode = "remove", full = true }, 'full has no effect where mode is "remove": nobody is sent' },
      { { state = "x", mode = "remove", refresh_after = 1 }, 'refresh_after has no effect where mode is "remove"' },
      { { state = "x", allow_empty = true }, 'allow_empty has no effect unless mode is "mirror"' },
      { { allow_empty = true }, "allow_empty has no effect without a state" },
      { { state = "" }, "not an empty string" },
      { { state = "x", mode = "mirror", max_removed = 50 }, "a share from 0 to 1" },
    } do
      case[1].audience = "a"
      local ok, message = pcall(client.run, client, { map = map }, file, case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
      assert.truthy(message:find("jobs_spec.lua", 1, true) or message:find("client:run", 1, true), message)
    end
    -- What a script says that was written for adding counts where it is used for that.
    assert(client:run({ map = map, refresh_after = 9 }, file, { state = season.state, audience = "a", mode = "remove",
      dry_run = true }))
    local ok, message = pcall(client.run, client, { member = function() end }, file, { state = "x", audience = "a" })
    assert.is_false(ok)
    assert.truthy(message:find("a script with a map", 1, true), message)
    local _, err = client:run({ map = map }, function() end, { state = "x", audience = "a" })
    assert.equal("no_file", err.code)
  end)
end)
