-- delete_missing by tables: what goes is exactly what is there, is not deleted already, and is no audience of the job.
local people = require "spec.support.people"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

describe("delete_missing", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local client

  before_each(function()
    client = sandbox:client { loop = virtual.loop() }
  end)

  -- Makes audiences of a text such as "old gone!": a "!" stands behind those that are deleted.
  local function there(text)
    for id, mark in text:gmatch "([%w-]+)(!?)" do
      sandbox:control("PUT", "audience", { account = "25", audienceId = id, status = "READY", deleted = mark == "!" })
    end
  end

  -- The audiences of a job: a "!" stands behind those that it deletes.
  local function audiences_of(text)
    local list = {}
    for id, mark in text:gmatch "([%w-]+)(!?)" do
      list[#list + 1] = mark == "!" and assert(scope3.audience { id = id }):delete() or people.audience(id, 2)
    end
    return list
  end

  local function ids_of(rows)
    local ids = {}
    for i, row in ipairs(rows or {}) do
      ids[i] = row.audience_id
    end
    return rows and table.concat(ids, " ")
  end

  local function left()
    local ids = {}
    for row in client:audiences() do
      ids[#ids + 1] = not row.deleted and row.audience_id or nil
    end
    table.sort(ids)
    return table.concat(ids, " ")
  end

  local function deletions()
    local found = {}
    for _, request in ipairs(sandbox:requests "sync") do
      found[#found + 1] = request.delete_missing and request or nil
    end
    return found
  end

  -- What is there, the audiences of the job, what is named; what is deleted, and what is there in the end.
  for what, case in pairs {
    ["deletes what the job does not name"] = { "old a", "a", "all", "old", "a" },
    ["deletes what is named"] = { "old older a", "a", { "older", "old" }, "old older", "a" },
    ["tells what it deletes in the order of ids"] = { "c b B x10 x9 a", "a", "all", "B b c x10 x9", "a" },
    ["does not count what is deleted already"] = { "old gone! a", "a", "all", "old", "a" },
    ["needs no name for what is deleted already"] = { "old gone! a", "a", { "old" }, "old", "a" },
    ["deletes nothing else where all is of the job"] = { "a b", "a b", "all", "", "a b" },
    ["deletes nothing where only deleted ones are there"] = { "gone!", "a", "all", "", "a" },
    ["may name what is not there"] = { "old", "a", { "old", "never" }, "old", "a" },
    ["may name what is to stay: the job's own stay"] = { "old a", "a", { "old", "a" }, "old", "a" },
    ["deletes where the job itself only deletes"] = { "a old", "a!", "all", "old", "" },
    ["deletes beside what the job itself deletes"] = { "old b", "a b!", "all", "old", "a" },
  } do
    it(what, function()
      there(case[1])
      local res = assert(client:sync(audiences_of(case[2]), { delete_missing = case[3] }))
      assert(res:wait())
      assert.same({ case[4], nil, case[5] }, { ids_of(res.deleted), res.would_delete, left() })
      assert.equal(1, #deletions())
      world.assert_sums(res)
    end)
  end

  it("names every audience of the job, and deletes those that the job deletes once more", function()
    there "b old"
    local res = assert(client:sync(audiences_of "a b! c", { delete_missing = "all", max_members = 2 }))
    local log = sandbox:requests "sync"
    local last, named = log[#log], {}
    for i, one in ipairs(last.audiences) do
      named[i] = one.audienceId .. (one.delete and "!" or "") .. one.add + one.remove
    end
    assert.same({ true, { "a0", "b!0", "c0" } }, { last.delete_missing, named })
    assert.same({ 4, 4, 0 }, { res.members, res.accepted, res.removed })
    assert.same({ 0, 0 }, { res.requests[#res.requests].members, res.requests[#res.requests].removes })
  end)

  -- What is there beside the job's own, what is named; the ids that the error shows.
  for what, case in pairs {
    ["one that is not named"] = { "old b", { "old" }, 1, "name: b%." },
    ["none that is deleted already"] = { "old b gone!", { "old" }, 1, "name: b%." },
    ["all where none of them is named"] = { "c b", { "z" }, 2, "name: b, c%." },
  } do
    it("sends nothing and names " .. what, function()
      there(case[1])
      local res, err = client:sync(audiences_of "a", { delete_missing = case[2] })
      assert.same({ nil, "invalid", "unnamed_audiences" }, { res, err.kind, err.code })
      local many = case[3] == 1 and "" or "s"
      assert.truthy(err.message:find(("would delete %d audience%s that"):format(case[3], many), 1, true), err.message)
      assert.truthy(err.message:find(case[4]), err.message)
      assert.equal(0, #sandbox:requests "sync")
    end)
  end

  it("shows twenty ids that are not named, and counts the others", function()
    for made, more in pairs { [20] = false, [21] = "n20, and 1 more.", [25] = "n20, and 5 more." } do
      sandbox:reset()
      for i = 1, made do
        there(("n%02d"):format(i))
      end
      local _, err = client:sync(audiences_of "a", { delete_missing = { "z" } })
      assert.truthy(err.message:find(("would delete %d audiences"):format(made), 1, true), err.message)
      assert.truthy(err.message:find(more or "n20. Name", 1, true), err.message)
      assert.is_nil(err.message:find("n21", 1, true))
    end
  end)

  local function run(text, opts)
    return client:run({ map = people.MAP, audience = "a" }, world.file(text), opts)
  end

  -- An input; the warning, and the requests that go in all.
  for what, case in pairs {
    ["no row is there"] = { "id,mail\n", 0 },
    ["no row gives a member"] = { "id,mail\n1,nobody\n", 0 },
    ["the service refuses every member"] = { "id,mail\nbad,a@example.com\n", 1 },
  } do
    it("deletes nothing and says so where " .. what, function()
      there "old a"
      sandbox:configure { refuse = json.array { "bad" } }
      local res = assert(run(case[1], { delete_missing = "all" }))
      assert.same({ "nothing_deleted", nil, nil, case[2], "a old" }, { res.warnings[#res.warnings].code,
        res.would_delete, res.deleted, #sandbox:requests "sync", left() })
    end)
  end

  it("deletes where one member was accepted beside one that was refused", function()
    there "old a"
    sandbox:configure { refuse = json.array { "bad" } }
    local res = assert(run("id,mail\nbad,a@example.com\n1,b@example.com\n", { delete_missing = "all" }))
    assert.same({ "old", 1, 1 }, { ids_of(res.deleted), res.accepted, res.rejected_by_service })
  end)

  it("says before anything is sent what it would delete, and after it what it deleted", function()
    there "old a"
    local told = {}
    local res = assert(run("id,mail\n1,a@example.com\n", { delete_missing = "all", on_event = function(event)
      if event.event == "progress" then
        told[1] = ids_of(event.result.would_delete)
        told[2] = event.result.deleted
      end
    end }))
    assert.same({ "old" }, told)
    assert.same({ "old", nil }, { ids_of(res.deleted), res.would_delete })
    res = assert(run("id,mail\n1,a@example.com\n", { delete_missing = "all", dry_run = true }))
    assert.same({ "", nil }, { ids_of(res.would_delete), res.deleted })
  end)

  it("goes after every task has ended, and not where one failed", function()
    for _, outcome in ipairs { "completed", "failed:terminal" } do
      sandbox:reset()
      there "old"
      sandbox:configure { task_outcomes = json.array { "completed", outcome }, task_shows_after = 0 }
      local ended, before = 0, nil
      local res, err = client:sync(audiences_of "a b", { max_members = 2, delete_missing = "all",
        on_event = function(event)
          if event.event == "task" and (event.status == "completed" or event.status == "failed") then
            ended = ended + 1
          elseif event.event == "request" and event.request == 3 then
            before = ended
          end
        end })
      if outcome == "completed" then
        assert.same({ 2, "old" }, { before, ids_of(assert(res).deleted) })
      else
        assert.same({ nil, nil, "task_failed" }, { res, before, err.kind })
        assert.truthy(err.message:find("so nothing was deleted", 1, true), err.message)
        assert.same({ "old", nil, 0 }, { ids_of(err.result.would_delete), err.result.deleted, #deletions() })
      end
    end
  end)

  it("leaves what others made since it looked, and says what that is", function()
    there "old"
    local res, err = client:sync(audiences_of "a", { delete_missing = { "old" }, on_event = function(event)
      if event.event == "accepted" then
        there "new"
      end
    end })
    assert.same({ nil, "unnamed_audiences", 0, "a new old" }, { res, err.code, #deletions(), left() })
    assert.truthy(err.message:find("new", 1, true) and err.message:find("nothing was deleted", 1, true), err.message)
    res = assert(client:sync(audiences_of "a", { delete_missing = "all", on_event = function(event)
      if event.event == "accepted" and event.request == 1 then
        there "newer"
      end
    end }))
    assert.equal("new newer old", ids_of(res.deleted))
  end)

  it("sends nothing where the account cannot be listed, and deletes nothing where not once more", function()
    for passing = 0, 1 do
      sandbox:reset()
      there "old"
      sandbox:fault { on = "audiences", act = "status", status = 403, after = passing, times = -1 }
      local res, err = client:sync(audiences_of "a", { delete_missing = "all" })
      assert.same({ nil, 403, passing, 0 }, { res, err and err.status, #sandbox:requests "sync", #deletions() })
      if passing == 1 then
        assert.truthy(err.message:find("nothing was deleted", 1, true), err.message)
        assert.equal(2, err.result.accepted)
      end
    end
  end)

  it("says that an earlier run may have deleted, where it is not known what came of its request", function()
    there "old"
    local opts = { delete_missing = "all", journal = world.path ".journal", patience = 0 }
    local rows = world.file "id,email\n1,a@example.com\n"
    local function fail()
      local _, err = client:run({ map = { external_id = "id", email = "email" }, audience = "a" }, rows, opts)
      return err
    end
    sandbox:fault { on = "sync", act = "lost_reply", after = 1 }
    assert.same({ true, "a" }, { fail().uncertain, left() })
    sandbox:fault { on = "audiences", act = "status", status = 403, after = 1, times = -1 }
    local err = fail()
    assert.same({ 403, 1 }, { err.status, #deletions() })
    assert.truthy(err.message:find("(this run deleted nothing, an earlier one may have)", 1, true), err.message)
  end)

  it("waits 48 hours for the tasks, or as long as delete_timeout says", function()
    for hours, timeout in pairs { [48] = false, [5] = 5 * 3600 } do
      sandbox:reset()
      sandbox:configure { clock = "manual", task_seconds = 60 * 3600, retry_after = 3600 }
      local loop = virtual.loop(sandbox.url)
      local _, err = sandbox:client { loop = loop }:sync(audiences_of "a",
        { delete_missing = "all", delete_timeout = timeout or nil })
      assert.same({ "timeout", 0 }, { err.kind, #deletions() })
      assert.is_true(math.abs(loop.elapsed() - hours * 3600) < 10, loop.elapsed() / 3600 .. " hours")
      sandbox:configure { clock = "real" }
    end
  end)

  it("deleted nothing where its own request is refused, and says why", function()
    there "old"
    sandbox:fault { on = "sync", act = "status", status = 403, after = 1, times = -1 }
    local res, err = client:sync(audiences_of "a", { delete_missing = "all" })
    assert.same({ nil, 403, "a old" }, { res, err and err.status, left() })
    assert.same({ 2, nil, nil }, { err.result.accepted, err.result.deleted, err.result.would_delete })
  end)

  it("waits for its own request within the same time", function()
    there "old"
    sandbox:fault { on = "sync", act = "hang", after = 1 }
    local res, err = client:sync(audiences_of "a", { delete_missing = "all", delete_timeout = 1 })
    assert.same({ nil, "timeout", nil }, { res, err.kind, err.result.deleted })
    assert.truthy(err.message:find("the time to wait is over", 1, true), err.message)
  end)

  it("takes back that it deleted where its own task fails", function()
    there "old a"
    sandbox:configure { task_outcomes = json.array { "completed", "failed:terminal" } }
    local res = assert(client:sync(audiences_of "a", { delete_missing = "all" }))
    assert.equal("old", ids_of(res.deleted))
    assert.is_nil((res:wait()))
    assert.same({ nil, "deletion_failed", 2 }, { res.deleted, res.warnings[#res.warnings].code, res.accepted })
  end)
end)
