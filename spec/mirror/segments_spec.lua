-- Segments: one pass over a file fills several audiences of one state, through client:run and a sandbox.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local scope3 = require "scope3"
local seed = require "spec.support.seed"
local states = require "spec.support.states"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local IDS = { "gold", "near", "all" }

-- Of the first audience by a condition, of the second by a function; the third takes all rows that the script takes.
local function script_of(more)
  local script = {
    map = { external_id = "id", email = "mail" }, where = { keep = { "yes" } },
    audiences = { { id = "gold", name = "Gold", where = { tier = { "gold" } } },
      { id = "near", where = function(row) return row.city == "here" end }, { id = "all" } },
  }
  for key, value in pairs(more or {}) do
    script[key] = value
  end
  return script
end

-- People: { id = "mail tier city keep" }.
local function csv(people)
  local ids, lines = {}, { "id,mail,tier,city,keep" }
  for id in pairs(people) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  for i, id in ipairs(ids) do
    lines[i + 1] = id .. "," .. people[id]:gsub(" ", ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- What each audience is to have.
local function wanted_of(people)
  local all = { {}, {}, {} }
  for id, text in pairs(people) do
    local mail, tier, city, keep = text:match "(%S+) (%S+) (%S+) (%S+)"
    local hash = keep == "yes" and scope3.email.hash(mail) or nil
    for i, takes in ipairs { tier == "gold", city == "here", true } do
      all[i][id] = takes and hash or nil
    end
  end
  return all
end

local FOUR = { a = "a@example.org gold here yes", b = "b@example.org gold there yes",
  c = "c@example.org tin here yes", d = "d@example.org gold here no" }

local function with(people, changes)
  local all = {}
  for _, list in ipairs { people, changes } do
    for id, text in pairs(list) do
      all[id] = text or nil
    end
  end
  return all
end

local function counts(res, name)
  local list = {}
  for i, of in ipairs(res.mirror.audiences) do
    list[i] = of[name]
  end
  return list
end

describe("a job with several audiences", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual", log_bodies = true }
    season = nights.season(sandbox)
    season.opts.audience, season.loop = nil, virtual.loop(sandbox.url)
  end)

  local function night(people, opts)
    local all = { script = script_of(), max_removed = 1 }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    return season:night(type(people) == "table" and csv(people) or people, all)
  end

  local function there()
    local all = {}
    for i, id in ipairs(IDS) do
      all[i] = season:membership(id)
    end
    return all
  end

  -- The requests that were sent since the last call, each as a text: "gold+2 near+1-1".
  local told = 0
  before_each(function() told = 0 end)
  local function sent()
    local texts, list = {}, sandbox:requests "sync"
    for i = told + 1, #list do
      local body, parts = world.json.decode(list[i].body or '{"audiences":[]}'), {} -- of one too large it keeps none
      for j, audience in ipairs(body.audiences) do
        local add, remove = #(audience.add or {}), #(audience.remove or {})
        parts[j] = (audience.audienceId or audience.audience_id) .. (add > 0 and "+" .. add or "")
          .. (remove > 0 and "-" .. remove or "")
      end
      texts[#texts + 1] = table.concat(parts, " ")
    end
    told = #list
    return texts
  end

  it("fills each with the rows that it takes, in one request, and counts each", function()
    local res = assert(night(FOUR))
    assert.same({ "gold+2 near+2 all+3" }, sent())
    assert.same(wanted_of(FOUR), there())
    assert.same({ 7, 7, 4, 1 }, { res.accepted, res.members, res.rows, res.skipped })
    assert.same({ 7, 3, 0 }, { res.mirror.added, res.mirror.rows, res.mirror.before })
    assert.same({ { 2, 2, 3 }, { 2, 2, 3 }, IDS }, { counts(res, "added"), counts(res, "rows"),
      counts(res, "audience_id") })
    assert.same({ nil, "gold" }, { res.conditions[1].audience_id, res.conditions[2].audience_id })
    assert.same({ 4, 1 }, { res.conditions[1].seen, res.conditions[1].skipped })
    assert.same({ 3, 1 }, { res.conditions[2].seen, res.conditions[2].skipped })
    assert.same({}, sent())
    res = assert(night(FOUR))
    assert.same({ {}, { 2, 2, 3 }, { 2, 2, 3 } }, { sent(), counts(res, "before"), counts(res, "unchanged") })
  end)

  it("moves who changes segments, and sends nothing to an audience that has the person already", function()
    assert(night(FOUR))
    sent()
    local now = with(FOUR, { a = "a@example.org tin here yes", b = "b2@example.org gold there yes",
      d = "d@example.org tin there yes", c = false })
    local res = assert(night(now))
    assert.same({ "gold+1 all+2", "gold-1 near-1 all-1" }, sent())
    assert.same(wanted_of(now), there())
    assert.same({ { 0, 0, 1 }, { 1, 0, 1 }, { 1, 1, 1 }, { 0, 1, 1 } }, { counts(res, "added"),
      counts(res, "changed"), counts(res, "removed"), counts(res, "unchanged") })
  end)

  it("divides requests that would have too many members or bytes", function()
    for i, limits in ipairs { { max_members = 6 }, { max_bytes = 4096 } } do
      season.state = i == 1 and season.state or states.path()
      local people = {}
      for j = 1, 40 do
        people["p" .. j] = ("p%d@example.org %s %s yes"):format(j, j % 2 == 0 and "gold" or "tin",
          j % 3 == 0 and "here" or "there")
      end
      local res = assert(night(people, limits))
      assert.is_true(#res.requests > 1)
      for _, request in ipairs(res.requests) do
        assert.is_true(request.members <= (limits.max_members or 99) and request.bytes <= (limits.max_bytes or 1e9))
      end
      assert.same(wanted_of(people), there())
      sent()
      assert(night(people, limits))
      assert.same({}, sent())
    end
  end)

  it("notes what each part of a request came to that was too large for the service", function()
    sandbox:configure { clock = "manual", log_bodies = true, max_body = 1400 }
    local people = {}
    for i = 1, 24 do
      people["p" .. i] = ("p%d@example.org gold here yes"):format(i)
    end
    local res = assert(night(people))
    assert.equal("split", res.requests[1].state)
    assert.same(wanted_of(people), there())
    sent()
    res = assert(night(people))
    assert.same({ {}, { 24, 24, 24 } }, { sent(), counts(res, "unchanged") })
  end)

  it("keeps a member that the service refuses out of the audiences that it was to go to", function()
    sandbox:configure { clock = "manual", log_bodies = true, refuse = { "a" } }
    local res = assert(night(FOUR))
    assert.same({ 3, 4 }, { res.rejected_by_service, res.accepted })
    assert.same(wanted_of(with(FOUR, { a = false })), there())
    sandbox:configure { refuse = world.json.array {} }
    sent()
    res = assert(night(FOUR))
    assert.same({ {}, { 1, 1, 1 } }, { sent(), counts(res, "rejected_before") })
    local now = with(FOUR, { a = "a2@example.org gold here yes" })
    assert(night(now))
    assert.same({ "gold+1 near+1 all+1" }, sent())
    assert.same(wanted_of(now), there())
  end)

  it("takes a row that gives no member any more out of every audience, and reports it once", function()
    assert(night(FOUR))
    local res = assert(night(with(FOUR, { a = "nobody gold here yes" }), { remove_rejected = true }))
    assert.equal(1, (select(2, next(res.rejected))))
    assert.same({ 1, 1, 1 }, counts(res, "removed"))
    assert.same(wanted_of(with(FOUR, { a = false })), there())
  end)

  -- A task that is completed, and failed for one audience.
  local function fail_for(task_id, audience)
    sandbox:fault { on = "task", act = "status", status = 200, body = world.json.encode { task = {
      taskId = task_id, status = "completed", createdAt = "2026-11-01T00:00:00Z",
      response = { audiences = world.json.array { { audienceId = audience, action = "failed",
        errors = world.json.array { { code = "GONE", message = "no such list" } } } } } } } }
  end

  it("sends again what a task failed for, and not what it did for others", function()
    local res = assert(night(FOUR, { wait = false }))
    fail_for(res.tasks[1].task_id, "near")
    local _, err = res:wait { timeout = 60 }
    assert.same({ "task_failed", { "near" } }, { err.kind, err.audiences })
    assert.same({ 5, 2 }, { res.accepted, res.failed })
    sent()
    res = assert(night(FOUR))
    assert.same({ { "near+2" }, { 0, 2, 0 }, { 2, 0, 3 } }, { sent(), counts(res, "changed"),
      counts(res, "unchanged") })
    assert.same(wanted_of(FOUR), there())
  end)

  it("does the same where only the next night asks for the task", function()
    local res = assert(night(FOUR, { wait = false }))
    sent()
    fail_for(res.tasks[1].task_id, "near")
    res = assert(night(FOUR))
    assert.same({ { "near+2" }, { 0, 2, 0 } }, { sent(), counts(res, "changed") })
    res = assert(night(with(FOUR, { e = "e@example.org gold here yes" }), { wait = false }))
    sent()
    fail_for(res.tasks[1].task_id, "another")
    assert(night(with(FOUR, { e = "e@example.org gold here yes" })))
    assert.same({ "gold+1 near+1 all+1" }, sent()) -- whom it failed for cannot be told
  end)

  it("sends what was never answered again, for all audiences in one request", function()
    assert(night(FOUR))
    local now = with(FOUR, { a = "a@example.org tin here yes", e = "e@example.org gold here yes", c = false })
    sandbox:configure { clock = "manual", log_bodies = true,
      faults = world.json.array { { on = "sync", act = "lost_reply", times = -1 } } }
    local _, err = night(now)
    assert.is_true(err.uncertain)
    sandbox:configure { clock = "manual", log_bodies = true, faults = world.json.array {} }
    sent()
    local res = assert(night(now))
    assert.same({ "gold+1 near+1 all+1", "gold-1 near-1 all-1" }, sent())
    assert.same({ { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 } }, { counts(res, "sent_again"), counts(res, "under_way"),
      counts(res, "removed") })
    assert.same(wanted_of(now), there())
    assert(night(now))
    assert.same({}, sent())
  end)

  it("removes nobody of any audience where too many would leave one, and names it", function()
    assert(night(FOUR))
    sent()
    local now = with(FOUR, { c = "c@example.org tin there yes" })
    local _, err = night(now, { max_removed = 0.3 })
    assert.same({ "guard", "too_many_leave", "near" }, { err.kind, err.code, err.audience_id })
    assert.truthy(err.message:find("audience near: 1 of 2 members would be removed", 1, true), err.message)
    assert.same({ {}, { 0, 1, 0 }, { 0, 0, 0 } }, { sent(), counts(err.result, "held_back"),
      counts(err.result, "removed") })
    _, err = night(with(FOUR, { a = "nobody gold here yes" }))
    assert.same({ "only_rejected_leave", "gold" }, { err.code, err.audience_id })
    assert.same(wanted_of(FOUR), there())
  end)

  it("says which audience is gone", function()
    assert(night(FOUR))
    local gone = assert(scope3.audience "near")
    gone:delete()
    assert(assert(sandbox:client { loop = season.loop }:sync(gone)):wait())
    local _, err = night(FOUR)
    assert.equal("audience_missing", err.code)
    assert.truthy(err.message:find("near is deleted, and the state has 2 members of it", 1, true), err.message)
    assert(night(FOUR, { full = true }))
    assert.same(wanted_of(FOUR), there())
  end)

  it("says in a dry run what differs for each, with rows of each kind", function()
    local two = script_of()
    two.audiences[3] = nil
    local res = assert(night(FOUR, { dry_run = true, script = two }))
    assert.is_false(world.exists(season.state))
    assert.same({ { 2, 2 }, 4 }, { counts(res, "added"), res.would_send })
    assert(night(FOUR))
    res = assert(night(with(FOUR, { a = false, c = "c@example.org gold here yes" }), { dry_run = true }))
    assert.same({ { 1, 0, 0 }, { 1, 1, 1 }, { 1, 1, 2 } }, { counts(res, "added"), counts(res, "removed"),
      counts(res, "unchanged") })
    assert.same({ 1, 3, 4 }, { res.mirror.added, res.mirror.removed, res.would_send })
    assert.same({ 2, 1, nil }, { res.mirror.audiences[1].samples.added[1].row,
      res.mirror.audiences[1].samples.unchanged[1].row, res.mirror.samples })
  end)

  it("fills an audience that is added at the end of the list, and refuses another order", function()
    local two = script_of()
    table.remove(two.audiences)
    assert(night(FOUR, { script = two }))
    sent()
    local res = assert(night(FOUR))
    assert.same({ { "all+3" }, { 0, 0, 3 } }, { sent(), counts(res, "added") })
    assert.same(wanted_of(FOUR), there())
    local five = script_of()
    five.audiences[4], five.audiences[5] = { id = "four" }, { id = "five", where = { tier = { "tin" } } }
    res = assert(night(FOUR, { script = five }))
    assert.same({ { "four+3 five+1" }, { 0, 0, 0, 3, 1 }, { 2, 2, 3, 0, 0 } }, { sent(), counts(res, "added"),
      counts(res, "unchanged") })
    res = assert(night(FOUR, { script = five }))
    assert.same({ {}, { 2, 2, 3, 3, 1 } }, { sent(), counts(res, "unchanged") })
    local _, err = night(FOUR, { script = two })
    assert.same({ "journal", "another_job" }, { err.kind, err.code })
    local other = script_of()
    other.audiences[1], other.audiences[2] = other.audiences[2], other.audiences[1]
    _, err = night(FOUR, { script = other })
    assert.equal("another_job", err.code)
  end)

  it("keeps who is in no audience any more where nobody leaves, and removes whom rows name", function()
    assert(night(FOUR))
    local res = assert(season:night(csv(with(FOUR, { a = "a@example.org tin there yes" })),
      { script = script_of(), mode = "upsert" }))
    assert.same({ { 1, 1, 0 }, { 0, 0, 0 } }, { counts(res, "kept"), counts(res, "removed") })
    assert.same(wanted_of(FOUR), there())
    res = assert(season:night(csv { a = "x gold there yes", b = "x tin here yes" },
      { script = script_of { map = { external_id = "id" } }, mode = "remove" }))
    assert.same({ { 1, 0, 2 }, { 0, 1, 0 } }, { counts(res, "removed"), counts(res, "not_there") })
    assert.same({ { b = scope3.email.hash "b@example.org" }, { a = scope3.email.hash "a@example.org",
      c = scope3.email.hash "c@example.org" }, { c = scope3.email.hash "c@example.org" } }, there())
  end)

  it("ends at the error of an audience's function, and warns of one that takes no row", function()
    local script = script_of()
    script.audiences[2].where = function() error "oh" end
    local _, err = night(FOUR, { script = script })
    assert.equal("script_error", err.code)
    assert.truthy(err.message:find("(where of audience 2)", 1, true), err.message)
    script.audiences[2].where = function() return false end
    local res = assert(night(FOUR, { script = script }))
    assert.same({ "no_row_taken", "near" }, { res.warnings[1].code, res.warnings[1].audience_id })
    local none = with(FOUR, { a = "a@example.org tin here yes", b = "b@example.org tin here yes" })
    res = assert(night(none))
    assert.same({ "condition_never_met", "gold" }, { res.warnings[1].code, res.warnings[1].audience_id })
    assert.truthy(res.warnings[1].message:find("audiences[1].where['tier'].eq", 1, true))
  end)

  it("refuses a key of an audience's condition that no row has", function()
    local _, err = night('{"id":"a","mail":"a@example.org","city":"here","keep":"yes"}\n', { suffix = ".jsonl" })
    assert.same({ "missing_key", "audiences[1].where" }, { err.code, err.issues[1].path })
  end)

  it("brings every audience to its rows in random nights, whatever fails", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    local dice, people = math.random, {}
    local function maybe(share)
      return dice(100) <= share
    end
    local function change()
      for i = 1, 25 do
        local id = "p" .. i
        if not people[id] or maybe(25) then
          people[id] = not maybe(15) and ("%s@example.org %s %s %s"):format(maybe(90) and "v" .. dice(3) .. id or "@",
            maybe(50) and "gold" or "tin", maybe(50) and "here" or "there", maybe(85) and "yes" or "no") or nil
        end
      end
    end
    local function settings(more)
      local all = { clock = "manual", refuse = world.json.array {}, task_shares = false, faults = world.json.array {} }
      for key, value in pairs(more or {}) do
        all[key] = value
      end
      sandbox:configure(all)
    end
    for _ = 1, 6 do
      change()
      settings { task_shares = { ["failed:terminal"] = 0.3 }, seed = dice(1000),
        faults = world.json.array { { on = "sync", act = "status", status = 400, share = 0.1, times = 2 } } }
      night(people, { max_members = dice(12), concurrency = dice(2), remove_rejected = true })
      settings()
      sandbox:control("PUT", "clock", { advance = 1000 })
      assert(night(people, { remove_rejected = true }))
      assert.same(wanted_of(people), there())
      local res = assert(night(people))
      assert.equal(0, res.accepted)
    end
  end)

  it("refuses lists that say nothing of use, where the caller stands", function()
    local file, client = world.file(csv(FOUR)), sandbox:client { loop = season.loop }
    local function of(audiences, more)
      local script = script_of { audiences = audiences }
      for key, value in pairs(more or {}) do
        script[key] = value
      end
      return script
    end
    for message, case in pairs {
      ["a script has either audience or audiences"] = { of({ { id = "a" } }, { audience = "b" }) },
      ["audiences must be a list"] = { of {} }, ["audiences is a list with holes"] = { of { { id = "a" }, nil,
        { id = "b" } } },
      ["audiences[2] has no id"] = { of { { id = "a" }, { name = "b" } } },
      ["audiences[2] has the id of audiences[1]"] = { of { { id = "5" }, { id = 5 } } },
      ["audiences[1] must be a table with id"] = { of { "a" } },
      ["audiences[1]: unknown option 'were'"] = { of { { id = "a", were = {} } } },
      ["audiences[1].where must be a function or a table"] = { of { { id = "a", where = "tier" } } },
      ["audiences[1].where['tier'].lt is a text"] = { of { { id = "a", where = { tier = { lt = "5" } } } } },
      ["audience has no effect: the script names audiences of its own"] = { script_of(), { audience = "a" } },
      ["a script with audiences needs a state"] = { script_of(), { state = false } },
    } do
      local opts = { state = season.state, mode = "mirror" }
      for key, value in pairs(case[2] or {}) do
        opts[key] = value or nil
      end
      if opts.state == season.state and case[2] and case[2].state == false then
        opts.state, opts.mode = nil, nil
      end
      local ok, err = pcall(client.run, client, case[1], file, opts)
      assert.is_false(ok, message)
      assert.truthy(tostring(err):find(message, 1, true), tostring(err))
    end
    local many = {}
    for i = 1, 17 do
      many[i] = { id = "a" .. i, where = { tier = { "gold", "tin" }, city = { present = true },
        mail = { present = true }, keep = { "yes" } } }
    end
    local ok, err = pcall(client.run, client, of(many), file, { state = season.state })
    assert.same({ false, true }, { ok, tostring(err):find("17 entries; 16 are the most", 1, true) ~= nil })
    many[17] = nil
    ok, err = pcall(client.run, client, of(many), file, { state = season.state })
    assert.same({ false, true }, { ok, tostring(err):find("all where together have 65 conditions", 1, true) ~= nil })
    for i = 1, 16 do
      many[i] = { id = "a" .. i, name = ("n"):rep(200) }
    end
    local _, failed = client:run(of(many), file, { state = season.state, max_bytes = 4096 })
    assert.same({ "invalid", "max_bytes" }, { failed.kind, failed.issues[1].path })
    assert.truthy(failed.message:find("the names of all audiences", 1, true))
  end)
end)
