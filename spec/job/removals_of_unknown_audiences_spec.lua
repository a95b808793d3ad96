-- A removal from an audience that does not exist is refused before anything is sent.
-- The service itself would accept it for any name.
local cjson = require("cjson.safe").new()
local json = require "scope3.sandbox.json"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("removing", function()
  local sandbox = world.around(setup, teardown, before_each)
  local MAP = { external_id = "id", email = "mail" }

  local function put(id, fields)
    local row = { account = "25", audienceId = id, status = "READY" }
    for key, value in pairs(fields or {}) do
      row[key] = value
    end
    sandbox:control("PUT", "audience", row)
  end

  local function rows(n)
    local i = 0
    return function()
      i = i + 1
      return i <= n and { id = tostring(i), mail = ("m%d@example.com"):format(i) } or nil
    end
  end

  local function ids_removed(audience)
    local built = assert(scope3.audience { id = audience })
    assert(built:remove { external_id = "1" })
    return built
  end

  -- Every way to remove from an audience, and nothing else.
  local ways = {
    run = function(client, audience)
      return client:run({ audience = audience, mode = "remove", map = { external_id = "id" } }, rows(3))
    end,
    run_in_several_requests = function(client, audience)
      return client:run({ audience = audience, map = MAP }, rows(5),
        { mode = "remove", max_members = 2, concurrency = 2 })
    end,
    run_by_script = function(client, audience)
      return client:run({ audience = audience, member = function(row)
        return { external_id = row.id, remove = true }
      end }, rows(3))
    end,
    stream = function(client, audience)
      local stream = assert(client:stream(audience))
      assert(stream:remove { external_id = "1" })
      return stream:finish()
    end,
    sync = function(client, audience)
      return client:sync(ids_removed(audience))
    end,
  }

  it("from an audience that is not there is refused before anything is sent, in every way", function()
    put("newsletter")
    put("gone", { deleted = true })
    for name, way in pairs(ways) do
      for wrong, code in pairs {
        newslettr = "audience_unknown", gone = "audience_deleted", other = "audience_unknown",
      } do
        local res, err = way(sandbox:client(), wrong)
        assert.is_nil(res, name)
        assert.same({ "not_found", code }, { err.kind, err.code }, name)
        if err.result then
          world.assert_sums(err.result)
        end
        assert.truthy(err.message:find("audience " .. wrong, 1, true), err.message)
        assert.equal(wrong == "newslettr", err.message:find("did you mean newsletter?", 1, true) ~= nil, err.message)
      end
    end
    assert.equal(0, #sandbox:requests("sync"))
  end)

  it("from an audience that is there lists the account once, and says removed", function()
    for name, way in pairs(ways) do
      sandbox:reset()
      put("a")
      local res = assert(way(sandbox:client(), "a"), name)
      assert.equal(res.accepted, res.removed, name)
      assert.is_true(res.removed > 0)
      assert.equal(1, #sandbox:requests("audiences"), name)
      world.assert_sums(res)
    end
  end)

  it("looks nowhere where a job adds first, or is dry and has no key", function()
    local client = sandbox:client()
    local stream = assert(client:stream("new"))
    assert(stream:add { external_id = "1", email = "a@example.com" })
    assert(stream:remove { external_id = "2" })
    local res = assert(stream:finish())
    assert.same({ 2, 1 }, { res.accepted, res.removed })
    local dry = assert(scope3.client { base_url = "http://127.0.0.1:9" })
    res = assert(dry:run({ audience = "a", map = MAP }, rows(3), { mode = "remove", dry_run = true }))
    assert.same({ 3, 3, {} }, { res.would_send, res.would_remove, res.warnings })
    assert.equal(0, #sandbox:requests("audiences"))
    -- With a key a dry run looks as well.
    local _, err = client:run({ audience = "nobody", map = MAP }, rows(3), { mode = "remove", dry_run = true })
    assert.equal("audience_unknown", err.code)
  end)

  it("is refused where one of several audiences is only removed from, and is not there", function()
    local client = sandbox:client()
    local made = assert(scope3.audience { id = "made" })
    assert(made:add { external_id = "1", email = "a@example.com" })
    local res, err = client:sync { made, ids_removed "missing" }
    assert.is_nil(res)
    assert.equal("audience_unknown", err.code)
    assert.equal(0, #sandbox:requests("sync"))
    put("missing")
    res = assert(client:sync { made, ids_removed "missing" })
    assert.same({ 2, 1 }, { res.accepted, res.removed })
  end)

  it("does not look again where a journal says that the job has begun", function()
    put("a")
    local path, journal = world.file("id\n1\n2\n"), world.path(".journal")
    local client = sandbox:client()
    local script = { audience = "a", mode = "remove", map = { external_id = "id" } }
    assert(client:run(script, path, { journal = journal }))
    put("a", { deleted = true })
    local res = assert(client:run(script, path, { journal = journal }))
    assert.same({ 2, 2, 2 }, { res.accepted, res.removed, res.resumed })
    assert.equal(1, #sandbox:requests("audiences"))
  end)

  it("is never called accepted by the command", function()
    put("a")
    local function command(script, text, ...)
      return world.command({ "run", world.file(script, ".lua"), world.file(text), ... },
        { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url })
    end
    local removing = 'return { audience = "a", mode = "remove", map = { external_id = "id" } }'
    local code, out, _ = command(removing, "id\n1\n2\n")
    assert.equal(0, code)
    assert.truthy(out:find("removed      2 members", 1, true), out)
    assert.is_nil(out:find("accepted     ", 1, true), out)
    code, out = command(removing, "id\n1\n", "--json")
    assert.same({ 0, 1, 1 }, { code, cjson.decode(out).accepted, cjson.decode(out).removed })
    _, out = command('return { audience = "a", member = function(row) return { external_id = row.id, email = row.mail, '
      .. 'remove = row.mail == "" } end }',
      "id,mail\n1,a@example.com\n2,\n3,c@example.com\n")
    assert.truthy(out:find("accepted     2 members · 1 removed", 1, true), out)
    _, out = command(removing, "id\n1\n2\n", "--dry-run")
    assert.truthy(out:find("would remove  2 members", 1, true), out)
    code, out = command(removing:gsub('"a"', '"b"'), "id\n1\n2\n")
    assert.equal(1, code)
    assert.truthy(out:find("removed      0 members · 2 failed", 1, true), out)
  end)

  it("counts no removal whose task has failed", function()
    put("a")
    sandbox:configure { task_outcomes = json.array { "failed:terminal" } }
    local res = assert(ways.run(sandbox:client(), "a"))
    assert.equal(3, res.removed)
    local _, err = res:wait()
    assert.equal("task_failed", err.kind)
    assert.same({ 0, 0, 3 }, { res.accepted, res.removed, res.failed })
  end)
end)
