-- delete_missing: once, last, and only what was named.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("delete_missing", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function audience(id)
    local made = assert(scope3.audience { id = id, name = "The " .. id })
    for i = 1, 3 do
      assert(made:add { external_id = id .. i, email = id .. i .. "@example.com" })
    end
    return made
  end

  local function there(...)
    for _, id in ipairs { ... } do
      sandbox:control("PUT", "audience", { account = "25", audienceId = id, status = "READY" })
    end
  end

  local function left(client)
    local ids = {}
    for row in client:audiences() do
      if not row.deleted then
        ids[#ids + 1] = row.audience_id
      end
    end
    table.sort(ids)
    return ids
  end

  local function client_of()
    return sandbox:client { loop = virtual.loop() }
  end

  it("goes out once and last, in a request that names every audience to keep, and deletes the rest", function()
    there("old", "older", "a")
    local client = client_of()
    local res = assert(client:sync({ audience "a", audience "b" },
      { max_members = 2, delete_missing = { "old", "older" } }))
    assert(res:wait())
    local log = sandbox:requests("sync")
    for i, request in ipairs(log) do
      assert.equal(i == #log or nil, request.delete_missing)
    end
    assert.same({ "a", "b" }, { log[#log].audiences[1].audienceId, log[#log].audiences[2].audienceId })
    assert.equal("The a", log[#log].audiences[1].name)
    assert.same({ "a", "b" }, left(client))
    assert.same({ { audience_id = "old" }, { audience_id = "older" } }, res.deleted)
    assert.equal(3, #(function()
      local ids = {}
      for id in pairs(sandbox:members "a") do
        ids[#ids + 1] = id
      end
      return ids
    end)())
  end)

  it("deletes nothing where no row gave a member, and says so", function()
    there("old", "a")
    local client = client_of()
    local map = { external_id = "id", email = "email" }
    for _, text in ipairs { "id,email\n", "id,email\n1,nobody\n" } do
      local res = assert(client:run({ map = map, audience = "a" }, world.file(text), { delete_missing = "all" }))
      assert.same({ 0, "nothing_deleted" }, { res.accepted, res.warnings[#res.warnings].code })
      assert.is_nil(res.would_delete)
    end
    local res = assert(assert(client:stream("a", { delete_missing = "all" })):finish())
    assert.equal("nothing_deleted", res.warnings[1].code)
    assert.same({ "a", "old" }, left(client))
    assert.equal(0, #sandbox:requests "sync")
  end)

  it("deletes nothing where the service refused every member, and says so", function()
    there("old", "a")
    sandbox:configure { refuse = world.json.array { "1" } }
    local before = #sandbox:requests "sync"
    local res = assert(client_of():run({ audience = "a", map = { external_id = "id", email = "mail" } },
      world.file("id,mail\n1,a@example.com\n"), { delete_missing = "all" }))
    assert.same({ 0, 1, "nothing_deleted" },
      { res.accepted, res.rejected_by_service, res.warnings[#res.warnings].code })
    assert.same({ before + 1, nil }, { #sandbox:requests "sync", res.deleted })
  end)

  it("deletes nothing in a run that resumes a job of which a task has failed for good", function()
    there("old", "a")
    local client, path, file = client_of(), world.path ".journal", world.file "id,email\n1,a@example.com\n"
    sandbox:configure { task_outcomes = world.json.array { "failed:terminal" } }
    for _ = 1, 2 do
      local res, err = client:run({ map = { external_id = "id", email = "email" }, audience = "a" }, file,
        { delete_missing = "all", journal = path })
      assert.is_nil(res)
      assert.same({ "task_failed", 1 }, { err.kind, err.result.failed })
      assert.truthy(err.message:find("nothing was deleted", 1, true), err.message)
      assert.same({ "a", "old" }, left(client))
    end
  end)

  it("refuses before anything is sent when it would delete what is not named, and names that", function()
    there("old", "precious")
    local client = client_of()
    local res, err = client:sync(audience "a", { delete_missing = { "old" } })
    assert.is_nil(res)
    assert.same({ "invalid", "unnamed_audiences" }, { err.kind, err.code })
    assert.truthy(err.message:find("precious", 1, true))
    assert.equal(0, #sandbox:requests("sync"))
    assert.equal(2, #left(client))
    assert(client:sync(audience "a", { delete_missing = "all" }))
  end)

  it("is withheld when one task of ten audiences in fifteen requests fails: nothing is deleted", function()
    there("old")
    local outcomes = world.json.array {}
    for i = 1, 15 do
      outcomes[i] = i == 9 and "failed:terminal" or "completed"
    end
    sandbox:configure { task_outcomes = outcomes }
    local client = client_of()
    local list = {}
    for i = 1, 10 do
      list[i] = audience("a" .. i)
    end
    local res, err = client:sync(list, { max_members = 2, delete_missing = "all" })
    assert.is_nil(res)
    assert.equal("task_failed", err.kind)
    assert.truthy(err.message:find("nothing was deleted", 1, true))
    assert.equal(15, #sandbox:requests("sync"))
    for _, request in ipairs(sandbox:requests("sync")) do
      assert.is_nil(request.delete_missing)
    end
    assert.equal(11, #left(client))
    world.assert_sums(err.result)
    assert.equal(2, err.result.failed)
  end)

  it("is withheld when somebody made another audience meanwhile", function()
    there("old")
    local client = client_of()
    local stream = assert(client:stream("a", { delete_missing = { "old" } }))
    assert(stream:add { external_id = "1", email = "a@example.com" })
    there("new")
    local res, err = stream:finish()
    assert.is_nil(res)
    assert.truthy(err.message:find("new", 1, true))
    assert.same({ "a", "new", "old" }, left(client))
    assert.equal(1, err.result.accepted)
  end)

  it("is not tried again by itself when its own task fails, and the wait says why", function()
    there("old", "a")
    sandbox:configure { task_outcomes = world.json.array { "completed", "failed:transient" } }
    local res = assert(client_of():run({ audience = "a", map = { external_id = "id", email = "mail" } },
      world.file("id,mail\n1,a@example.com\n"),
      { delete_missing = "all" }))
    local waited, err = res:wait()
    assert.is_nil(waited)
    assert.same({ "task_failed", true, 2, 1 }, { err.kind, err.retryable, #sandbox:requests "sync", res.accepted })
  end)

  it("shows in a dry run what it would delete", function()
    there("old", "a")
    local res = assert(client_of():run({ map = { external_id = "id", email = "mail" }, audience = "a" },
      world.file("id,mail\n1,a@example.com\n"),
      { dry_run = true, delete_missing = "all" }))
    assert.same({ { audience_id = "old" } }, res.would_delete)
    assert.equal(0, #sandbox:requests("sync"))
  end)

  it("is misuse as anything but \"all\" or a list of ids", function()
    for _, wrong in ipairs { true, {}, { 1.5 }, { true }, { "a", [3] = "b" }, { a = "b" }, "some", 7 } do
      local ok, message = pcall(function()
        local res = client_of():sync(audience "a", { delete_missing = wrong })
        return res
      end)
      assert.is_false(ok)
      assert.truthy(message:find('prune_spec.lua:%d+: client:sync: delete_missing'), message)
      assert.truthy(message:find('must be "all" or a list of ids, not ', 1, true)
        or message:find("%[%d%] must be a string or a whole number below 2%^53, not a"), message)
    end
  end)
end)
