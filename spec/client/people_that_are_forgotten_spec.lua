-- client:forget removes people from every audience of the account. One audience that fails does not keep the others
-- from going, the outcome is that of the worst, and nothing that is said names an id.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local NAMES = { "a1", "a2", "a3", "a4", "a5" }

describe("client:forget", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })

  -- Audiences with the members c1 to c4.
  local function fill(names)
    sandbox:configure { clock = "manual" }
    local client, list = sandbox:client { loop = virtual.loop(sandbox.url) }, {}
    for i, name in ipairs(names or NAMES) do
      list[i] = assert(scope3.audience { id = name, name = "of " .. name, consent_basis = "consent" })
      for n = 1, 4 do
        assert(list[i]:add { external_id = "c" .. n, email = ("c%d@example.com"):format(n) })
      end
    end
    assert(assert(client:sync(list)):wait())
    return client
  end

  local function ids_of(name)
    local ids = sandbox:ids(name)
    table.sort(ids)
    return table.concat(ids, " ")
  end

  local function states(res)
    local found = {}
    for i, entry in ipairs(res.audiences) do
      found[i] = entry.audience_id .. " " .. entry.state
    end
    return found
  end

  -- Everything that is said, as a text.
  local function words(value)
    return world.json.encode(value)
  end

  it("removes ids from every audience, over all pages, and keeps all others in them", function()
    local names = {}
    for i = 1, 205 do
      names[i] = ("n%03d"):format(i)
    end
    local client = fill(names)
    local res = assert(client:forget({ "c1", "c3" }, { wait = 60 }))
    assert.same({ 2, 0, 205, 410, 0, 0, 0 }, { res.ids, res.repeated, #res.audiences, res.accepted, res.failed,
      res.unknown, res.deleted })
    for i, name in ipairs(names) do
      assert.equal("removed", res.audiences[i].state)
      assert.equal("c2 c4", ids_of(name))
    end
  end)

  it("lists once, sends one request for each audience, and takes its name along", function()
    local client = fill()
    sandbox:configure { log_bodies = true }
    local before = #sandbox:requests()
    local res = assert(client:forget { "c1" })
    assert.same({ "a1 accepted", "a2 accepted", "a3 accepted", "a4 accepted", "a5 accepted" }, states(res))
    local requests = sandbox:requests()
    assert.equal(before + 6, #requests)
    local asked = world.json.decode(requests[#requests].body).audiences[1]
    assert.same({ "a5", "of a5", "c1" }, { asked.audienceId, asked.name, asked.remove[1].externalId })
    assert.is_nil(asked.consentBasis)
  end)

  it("leaves out a name that is hidden in the list, which would be another one", function()
    local client = fill { "a1" }
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a1", name = "of jane@example.com" })
    sandbox:configure { log_bodies = true }
    assert(client:forget { "c1" })
    local requests = sandbox:requests "sync"
    assert.is_nil(world.json.decode(requests[#requests].body).audiences[1].name)
  end)

  it("passes over audiences that are deleted, and says which an earlier task may still change", function()
    local client = fill { "a1", "a2", "a3" }
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a2", deleted = true })
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a3", status = "PROCESSING" })
    local res = assert(client:forget { "c1" })
    assert.same({ "a1 accepted", "a3 accepted" }, states(res))
    assert.equal(1, res.deleted)
    assert.same({ true }, { res.audiences[2].processing, res.audiences[1].processing })
  end)

  it("counts ids that are given twice once, also where they are written in two ways", function()
    local client = fill { "a1" }
    local res = assert(client:forget { "c1", " c1 ", "c2", "c1", 7 })
    assert.same({ 3, 2, 3 }, { res.ids, res.repeated, res.accepted })
  end)

  it("reads ids as they were read when they were sent", function()
    local client = sandbox:client()
    local audience = assert(scope3.audience("a1", { ids = "hash", region = "GB" }))
    for _, id in ipairs { "jane@example.com", "020 7946 0905", "c1" } do
      assert(audience:add { external_id = id, email = "x@example.com" })
    end
    assert(assert(client:sync(audience)):wait())
    assert.equal(3, #sandbox:ids "a1")
    assert(client:forget({ "Jane@Example.com", "+44 20 7946 0905" }, { ids = "hash", wait = 60 }))
    assert.equal("c1", ids_of "a1")
  end)

  it("forgets the others where an id is refused, and fails with its number and reason", function()
    local client = fill { "a1" }
    local res, err = client:forget({ "c1", "jane@example.com", "n/a", "", "c2" }, { wait = 60 })
    assert.is_nil(res)
    assert.same({ "invalid", "ids_refused" }, { err.kind, err.code })
    assert.equal("c3 c4", ids_of "a1")
    res = err.result
    assert.same({ 2, 3, "id_email" }, { res.ids, #res.refused, res.refused[1].reason })
    assert.same({ 2, 3, 4 }, { res.refused[1].number, res.refused[2].number, res.refused[3].number })
    assert.equal(1, res.rejected.id_email)
    assert.is_nil(words(res):find("jane", 1, true))
  end)

  it("sends nothing where no id can be used, or there is none", function()
    local client = fill { "a1" }
    local before = #sandbox:requests()
    for says, ids in pairs { ["there are no ids"] = {}, ["no id can be that of a member"] = { "jane@example.com" } } do
      local res, err = client:forget(ids)
      assert.is_nil(res)
      assert.same({ "invalid", "no_ids", says }, { err.kind, err.code, err.message })
    end
    assert.equal(before, #sandbox:requests())
  end)

  it("goes on past an audience that fails, and says how many are not done", function()
    local client = fill()
    for status, kind in pairs { [400] = "invalid", [409] = "http", [422] = "invalid", [403] = "http" } do
      sandbox:fault { on = "sync", act = "status", status = status, after = 2, code = "CAPABILITY_NOT_SUPPORTED",
        message = "not for c1" }
      local res, err = client:forget({ "c1" }, { wait = 60 })
      assert.is_nil(res)
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.truthy(err.message:find("^1 of 5 audiences is not done; the first, a3: "), err.message)
      assert.is_nil(words(err.message):find "%f[%w]c1%f[^%w]", err.message)
      res = err.result
      assert.same({ "a1 removed", "a2 removed", "a3 failed", "a4 removed", "a5 removed" }, states(res))
      assert.same({ 4, 1, 0 }, { res.accepted, res.failed, res.unknown })
      assert.is_nil(words(res):find "%f[%w]c1%f[^%w]")
      assert.equal("c1 c2 c3 c4", ids_of "a3")
    end
    local res = assert(client:forget({ "c1" }, { wait = 60 }))
    assert.equal(5, res.accepted)
    assert.equal("c2 c3 c4", ids_of "a3")
  end)

  it("says what became of ids of which the service refuses some", function()
    local client = fill { "a1", "a2" }
    sandbox:configure { refuse = { "c2" } }
    local res, err = client:forget({ "c1", "c2" }, { wait = 60 })
    assert.is_nil(res)
    assert.same({ "a1 partly failed", "a2 partly failed" }, states(err.result))
    assert.same({ 2, 2 }, { err.result.accepted, err.result.failed })
    assert.is_nil(words(err.result):find('"c2"', 1, true))
  end)

  it("counts an audience as gone that vanished meanwhile, and as failed where it did not", function()
    local client = fill { "a1", "a2" }
    local rule = { on = "sync", act = "status", status = 404, times = -1 }
    sandbox:fault(rule)
    local _, err = client:forget { "c1" }
    assert.same({ "a1 failed", "a2 failed" }, states(err.result))
    assert.equal(404, err.status)
    sandbox:fault(rule)
    local res = assert(client:forget({ "c1" }, { on_event = function(event)
      if event.event == "request" then
        sandbox:control("PUT", "audience", { account = "25", audienceId = event.audience_id, deleted = true })
      end
    end }))
    assert.same({ "a1 gone", "a2 gone" }, states(res))
    assert.same({ 0, 0 }, { res.accepted, res.failed })
  end)

  it("sends nothing where the second page of the list cannot be read", function()
    local names = {}
    for i = 1, 105 do
      names[i] = ("n%03d"):format(i)
    end
    local client = fill(names)
    local before = #sandbox:requests "sync"
    sandbox:fault { on = "audiences", act = "status", status = 403, after = 1, times = -1 }
    local res, err = client:forget { "c1" }
    assert.is_nil(res)
    assert.equal(403, err.status)
    assert.truthy(err.message:find("^the account's audiences could not be listed, so nothing was sent: "), err.message)
    assert.equal(before, #sandbox:requests "sync")
    assert.same({ false, 0, 0 }, { err.result.listed, #err.result.audiences, err.result.not_sent })
    sandbox:configure { faults = world.json.array {} }
    res = assert(client:forget { "c1" })
    assert.same({ true, 105 }, { res.listed, #res.audiences })
  end)

  it("says of a stop what was not sent, at each time at which it may come", function()
    local client, seen = fill { "a1", "a2" }, {}
    for after = 0, 30 do
      local asked = 0
      local _, err = client:forget({ "c1", "c2" }, { cancel = function()
        asked = asked + 1
        return asked > after
      end })
      local res = err and err.result or { listed = false }
      if res.listed then
        assert.equal("cancelled", err.kind)
        assert.same({ 0, 4 - res.accepted, 0 }, { res.failed, res.not_sent, res.unknown })
        seen[table.concat(states(res), ", ")] = true
      end
    end
    assert.same({ ["a1 not sent, a2 not sent"] = true, ["a1 accepted, a2 not sent"] = true }, seen)
  end)

  it("tells removals that were not sent from those that failed, in one audience", function()
    local client, ids = fill { "a1", "a2" }, {}
    for i = 1, 250000 do -- three requests
      ids[i] = "c" .. i
    end
    local stops = false
    local _, err = client:forget(ids, { cancel = function()
      return stops
    end, on_event = function(event)
      stops = stops or event.event == "accepted"
    end })
    local res = err.result
    assert.same({ "a1 partly sent", "a2 not sent" }, states(res))
    assert.same({ 100000, 0, 400000 }, { res.accepted, res.failed, res.not_sent })
    assert.same({ 150000, 250000 }, { res.audiences[1].not_sent, res.audiences[2].not_sent })
    assert.truthy(err.message:find("^2 of 2 audiences are not done"), err.message)
  end)

  it("ends where the key is refused, where two in a row cannot be reached, and where it is stopped", function()
    local client = fill()
    local _, err
    for _, status in ipairs { 401, 402 } do
      local before = #sandbox:requests "sync"
      sandbox:fault { on = "sync", act = "status", status = status, after = 1, times = -1 }
      _, err = client:forget { "c1" }
      assert.same({ "a1 accepted", "a2 failed", "a3 not sent", "a4 not sent", "a5 not sent" }, states(err.result))
      assert.same({ 1, 1, 3 }, { err.result.accepted, err.result.failed, err.result.not_sent })
      assert.truthy(err.message:find("^4 of 5 audiences are not done; the first, a2: "), err.message)
      assert.equal(before + 2, #sandbox:requests "sync")
    end
    sandbox:fault { on = "sync", act = "status", status = 503, times = -1 }
    _, err = client:forget({ "c1" }, { patience = 0 })
    assert.same({ "a1 failed", "a2 failed", "a3 not sent", "a4 not sent", "a5 not sent" }, states(err.result))
    sandbox:configure { faults = world.json.array {} }
    local seen = 0
    _, err = client:forget({ "c1" }, { cancel = function()
      return seen > 1
    end, on_event = function(event)
      seen = seen + (event.event == "accepted" and 1 or 0)
    end, wait = 60 })
    assert.equal("cancelled", err.kind)
    assert.same({ "a1 accepted", "a2 accepted", "a3 not sent", "a4 not sent", "a5 not sent" }, states(err.result))
  end)

  it("goes on past one that cannot be reached", function()
    local client = fill()
    sandbox:fault { on = "sync", act = "status", status = 503, after = 1, times = 1 }
    local _, err = client:forget({ "c1" }, { patience = 0, wait = 60 })
    assert.equal(503, err.status)
    assert.same({ "a1 removed", "a2 failed", "a3 removed", "a4 removed", "a5 removed" }, states(err.result))
    _, err = client:forget({ "c1" }, { patience = 0, on_event = function(event)
      if event.event == "accepted" then -- the next one fails
        sandbox:fault { on = "sync", act = "status", status = 503, times = 1 }
      end
    end })
    assert.same({ "a1 accepted", "a2 failed", "a3 accepted", "a4 failed", "a5 accepted" }, states(err.result))
  end)

  it("counts ids as unknown whose answer was lost", function()
    local client = fill { "a1", "a2" }
    sandbox:fault { on = "sync", act = "lost_reply", times = -1 }
    local _, err = client:forget({ "c1" }, { timeout = 30 })
    assert.equal("a1 unknown", states(err.result)[1])
    assert.is_true(err.result.unknown >= 1)
  end)

  it("waits for the tasks of all, and says which failed", function()
    local client = fill { "a1", "a2", "a3" }
    sandbox:configure { task_outcomes = { "completed", "failed:terminal", "completed" } }
    local _, err = client:forget({ "c1" }, { wait = 60 })
    assert.equal("task_failed", err.kind)
    assert.same({ "a1 removed", "a2 failed", "a3 removed" }, states(err.result))
    assert.same({ 2, 1 }, { err.result.accepted, err.result.failed })
    assert.equal("failed", err.result.audiences[2].tasks[1].status)
  end)

  it("sends to all within its deadline, and to no further audience after it", function()
    local client = fill { "a1", "a2", "a3" }
    assert.equal(3, assert(client:forget({ "c1" }, { deadline = 60 })).accepted)
    sandbox:fault { on = "sync", act = "status", status = 503, after = 1, times = -1 }
    local _, err = client:forget({ "c2" }, { deadline = 30, patience = 3600 })
    assert.same({ "a1 accepted", "a2 failed", "a3 not sent" }, states(err.result))
    assert.is_true(err.result.seconds >= 20 and err.result.seconds <= 40, err.result.seconds)
  end)

  it("follows no further task where it is stopped while it waits", function()
    local client = fill { "a1", "a2" }
    sandbox:configure { task_outcomes = { "never", "never" } }
    local before = #sandbox:requests "task"
    local _, err = client:forget({ "c1" }, { wait = 60, cancel = function()
      return #sandbox:requests "task" > before
    end })
    assert.equal("cancelled", err.kind)
    assert.same({ "a1 accepted", "a2 accepted" }, states(err.result))
    assert.equal(before + 1, #sandbox:requests "task")
  end)

  it("waits as long as a task takes", function()
    local client = fill { "a1", "a2" }
    sandbox:configure { task_seconds = 100 }
    assert.same({ "a1 removed", "a2 removed" }, states(assert(client:forget({ "c1" }, { wait = 3600 }))))
    sandbox:configure { task_seconds = 0 }
  end)

  it("waits no longer than it may, and asks each task once", function()
    local client = fill { "a1", "a2" }
    sandbox:configure { task_outcomes = { "never", "never" } }
    local before = #sandbox:requests "task"
    local _, err = client:forget({ "c1" }, { wait = 0 })
    assert.equal("timeout", err.kind)
    assert.same({ "a1 accepted", "a2 accepted" }, states(err.result))
    assert.equal(before + 2, #sandbox:requests "task")
    assert.truthy(err.message:find("^2 of 2 audiences are not done; the first, a1: "), err.message)
  end)

  it("only lists in a dry run", function()
    local client = fill { "a1", "a2" }
    local before = #sandbox:requests "sync"
    local res = assert(client:forget({ "c1", "c1", "c2" }, { dry_run = true }))
    assert.same({ "a1 would remove", "a2 would remove" }, states(res))
    assert.same({ 2, 1, 0 }, { res.ids, res.repeated, res.accepted })
    assert.equal(before, #sandbox:requests "sync")
    assert.equal("c1 c2 c3 c4", ids_of "a1")
  end)

  it("ends where a callback raises, and blames it", function()
    local client = fill { "a1", "a2" }
    for _, name in ipairs { "on_event", "cancel" } do
      local _, err = client:forget({ "c1" }, { [name] = function()
        error "mine"
      end })
      assert.equal("callback_error", err.code)
      assert.truthy(err.message:find("mine", 1, true))
      assert.is_table(err.result)
    end
  end)

  it("has nothing to do in an account without audiences", function()
    local res = assert(sandbox:client():forget { "c1" })
    assert.same({ 1, 0, 0 }, { res.ids, #res.audiences, res.accepted })
  end)

  it("needs a key and an account, and says of both", function()
    local _, err = assert(scope3.client { base_url = sandbox.url }):forget { "c1" }
    assert.same({ "invalid", 2 }, { err.kind, #err.issues })
    _, err = sandbox:client():forget({ "c1" }, { region = "Nowhere" })
    assert.same({ "invalid", "region" }, { err.kind, err.issues[1].path })
  end)

  it("blames misuse on its caller", function()
    local client = sandbox:client()
    for says, call in pairs {
      ["ids must be a list of ids"] = function() client:forget "c1" end,
      ["a nil"] = function() client:forget() end,
      ["unknown option 'idz'"] = function() client:forget({ "c1" }, { idz = 1 }) end,
      ["wait has no effect on a dry run"] = function() client:forget({ "c1" }, { wait = 1, dry_run = true }) end,
      ['phone_repairs has no effect unless ids is "hash"'] = function()
        client:forget({ "c1" }, { phone_repairs = "all" })
      end,
      ["region has no effect where ids go as they are"] = function()
        client:forget({ "c1" }, { ids = "as_is", region = "DE" })
      end,
    } do
      local ok, said = pcall(call)
      assert.is_false(ok)
      assert.truthy(said:find("people_that_are_forgotten_spec.lua", 1, true), said)
      assert.truthy(said:find("client:forget: ", 1, true) and said:find(says, 1, true), said)
    end
  end)
end)
