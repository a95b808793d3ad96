-- A completed task whose response reports a failure counts as failed, and so does a 202 that reports one.
local answering = require "spec.support.answering"
local scope3 = require "scope3"
local world = require "spec.support.world"

local function audience(id, members)
  local made = assert(scope3.audience { id = id })
  for i = 1, members or 2 do
    assert(made:add { external_id = ("%s-%d"):format(id, i), email = ("%s%d@example.com"):format(id, i) })
  end
  return made
end

local function task(rest)
  return '{"task":{"taskId":"$ID","status":"completed","createdAt":"2026-11-01T00:00:00Z",' .. rest .. "}}"
end

describe("a completed task", function()
  local server = answering.around(setup, teardown)

  it("whose response, error or success says that it failed is a failure, in any spelling and envelope", function()
    local client = server:client()
    for _, rest in ipairs {
      '"response":{"audiences":[{"audienceId":"a","action":"failed","errors":[{"code":"TOO_OLD",'
        .. '"message":"The list is too old"}]}]}',
      '"response":{"audiences":[{"audience_id":"a","action":"FAILED","errors":[{"code":"TOO_OLD",'
        .. '"message":"The list is too old"}]}]}',
      '"response":{"audiences":[{"audienceId":"a","action":"Failed","errors":["TOO_OLD: The list is too old"]}]}',
      '"response":{"data":{"audiences":[{"audienceId":"a","action":"failed","errors":[{"code":"TOO_OLD",'
        .. '"message":"The list is too old"}]}]},"error":null}',
      '"response":{"errors":[{"code":"TOO_OLD","message":"The list is too old"}]}',
      '"response":{"errors":{"code":"TOO_OLD","message":"The list is too old"}}',
      '"response":{"audiences":[],"errors":[{"code":"TOO_OLD","message":"The list is too old"}]}',
      '"response":{"success":false,"error":{"code":"TOO_OLD","message":"The list is too old"}}',
      '"response":{"success":false,"errors":["TOO_OLD: The list is too old"]}',
      '"response":{"audiences":[{"audienceId":"a","errors":[{"code":"TOO_OLD","message":"The list is too old"}]}]}',
      '"response":{"audience":{"audienceId":"a","action":"failed","error":"TOO_OLD: The list is too old"}}',
      '"response":[{"audienceId":"a","action":"failed","errors":[{"code":"TOO_OLD","message":"The list is too old"}]}]',
      '"error":{"code":"TOO_OLD","message":"The list is too old"},"response":null',
      '"error":"TOO_OLD: The list is too old"',
      '"response":{"status":"failed","errors":[{"code":"TOO_OLD","message":"The list is too old"}]}',
    } do
      for _, bare in ipairs { false, true } do
        server:play { task = { bare and task(rest):match("^{\"task\":(.*)}$") or task(rest) } }
        local res = assert(client:sync(audience "a"))
        local waited, err = res:wait { timeout = 60 }
        assert.is_nil(waited, rest)
        assert.equal("task_failed", err.kind, rest)
        assert.truthy(err.message:find("TOO_OLD", 1, true)
          and err.message:find("The list is too old", 1, true), err.message)
        assert.same({ 0, 2, "failed", "failed" },
          { res.accepted, res.failed, res.requests[1].state, res.tasks[1].status })
        assert.same({ nil, err.message }, { select(1, res:wait()), select(2, res:wait()).message })
        world.assert_sums(res)
      end
    end
    server:play { task = { task '"response":{"success":false}' } }
    local value, err = client:wait("t1")
    assert.same({ nil, "task_failed" }, { value, err.kind })
  end)

  it("whose response says nothing, or reports errors next to its work, is none: the errors are warnings", function()
    local client = server:client()
    for _, rest in ipairs {
      '"response":null', '"response":{}', '"error":{},"response":{"success":true,"errors":[]}',
      '"error":"","response":5', '"response":"done"',
    } do
      server:play { task = { task(rest) } }
      local res = assert(client:sync(audience "a"))
      assert(res:wait { timeout = 60 })
      assert.equal(0, #res.warnings, rest)
    end
    for _, action in ipairs { "created", "updated", "UNCHANGED", "Updated" } do
      server:play { task = { task('"response":{"audiences":[{"audienceId":"a","action":"' .. action
        .. '","errors":[{"code":"SOME_SKIPPED","message":"12 members had no consent"}]}],"warnings":["soon full"]}') } }
      local res = assert(client:sync(audience "a"))
      assert(res:wait { timeout = 60 })
      assert.same({ "task_warning", "task_warning" }, { res.warnings[1].code, res.warnings[2].code })
      assert.truthy(res.warnings[1].message:find("SOME_SKIPPED: 12 members had no consent", 1, true),
        res.warnings[1].message)
      assert.same({ 2, 0 }, { res.accepted, res.failed })
      local told = assert(client:wait("t1")).warnings
      assert.equal("SOME_SKIPPED", told[1].code)
    end
    server:play { task = { task '"response":{"audiences":[{"audienceId":"a","action":"pondered"}]}' } }
    local res = assert(client:sync(audience "a"))
    assert(res:wait { timeout = 60 })
    assert.truthy(res.warnings[1].message:find("pondered", 1, true))
  end)

  it("fails the members of the audience that failed, and leaves those of the others", function()
    local client = server:client()
    server:play {
      task = {
        task('"response":{"audiences":[{"audienceId":"a","action":"updated"},{"audienceId":"b","action":"failed",'
          .. '"errors":[{"code":"GONE","message":"no such list"}]},{"audienceId":"c","action":"created"}]}'),
      },
    }
    local res = assert(client:sync { audience("a", 2), audience("b", 3), audience("c", 4) })
    local _, err = res:wait { timeout = 60 }
    assert.same({ "task_failed", "GONE", { "b" } }, { err.kind, err.code, err.audiences })
    assert.same({ 6, 3, "partly failed", 3 },
      { res.accepted, res.failed, res.requests[1].state, res.requests[1].failed })
    world.assert_sums(res)
    for _, address in ipairs { "b@example.com", "@example.com" } do -- no audience, and never to be repeated
      local response = '"response":{"audiences":[{"audienceId":"%s","action":"failed"}]}'
      server:play { task = { task(response:format(address)) } }
      res = assert(client:sync { audience("a", 2), audience("b", 3) })
      err = select(2, res:wait { timeout = 60 })
      assert.same({ "task_failed" }, { err.kind, err.audiences })
      assert.is_nil(err.message:find("@", 1, true), err.message)
    end
    server:play { task = { task('"response":{"success":false,"audiences":[{"audienceId":"a","action":"updated"}]}') } }
    res = assert(client:sync { audience("a", 2), audience("b", 3) })
    assert.is_nil((res:wait { timeout = 60 }))
    assert.same({ 0, 5 }, { res.accepted, res.failed }) -- whose fault it is cannot be told
  end)

  it("takes no members back where it deleted audiences, and names one that stays", function()
    local client = server:client()
    server:play {
      audiences = { '{"audiences":[{"audienceId":"a","status":"READY"},{"audienceId":"b","status":"READY"},'
        .. '{"audienceId":"old","status":"READY"}],"total":3}' },
      task = { task '"response":{}', task('"response":{"audiences":[{"audienceId":"a","action":"updated"},'
        .. '{"audienceId":"b","action":"failed"}]}') },
    }
    local res = assert(client:sync({ audience("a", 2), audience("b", 3) }, { delete_missing = "all" }))
    assert.is_nil((res:wait { timeout = 60 }))
    assert.same({ 5, 0, 0 }, { res.accepted, res.failed, res.removed })
    world.assert_sums(res)
  end)

  it("that failed for a passing reason is sent again, of several audiences those alone that failed", function()
    local client = server:client()
    server:play {
      task = {
        task('"response":{"audiences":[{"audienceId":"a","action":"updated"},{"audienceId":"b","action":"failed",'
          .. '"errors":[{"code":"BUSY","message":"later","recovery":"TRANSIENT"}]}]}'),
        task '"response":null',
      },
      audiences = {
        '{"audiences":[{"audienceId":"a","status":"READY","updatedAt":"2026-11-02T00:00:00Z"},{"audienceId":"b",'
          .. '"status":"READY",'
          .. '"updatedAt":"2026-11-02T00:00:00Z"}],"total":2}',
      },
    }
    local res = assert(client:sync { audience("a", 2), audience("b", 3) })
    assert(res:wait { timeout = 600 })
    assert.same({ 5, 0, 2, 3 }, { res.accepted, res.failed, #res.requests, res.requests[2].members })
    world.assert_sums(res)
  end)

  it("keeps delete_missing from its deletion", function()
    local client = server:client()
    server:play {
      task = {
        task('"response":{"audiences":[{"audienceId":"a","action":"failed","errors":[{"code":"GONE",'
          .. '"message":"no such list"}]}]}'),
      },
      audiences = {
        '{"audiences":[{"audienceId":"a","status":"READY"},{"audienceId":"old","status":"READY"}],"total":2}',
      },
    }
    local res, err = client:sync(audience "a", { delete_missing = "all" })
    assert.is_nil(res)
    assert.equal("task_failed", err.kind)
    assert.truthy(err.message:find("nothing was deleted", 1, true))
    assert.equal(1, #server:requests "/sync$")
  end)

  it("is shown with its error and its response by the command, and with no value in them", function()
    server:play {
      task = {
        task('"error":{"code":"TOO_OLD","message":"customer cust-17 (jane@example.com) is too old"},'
          .. '"response":{"audiences":[{"audienceId":"a",'
          .. '"action":"failed","errors":[{"code":"GONE","message":"id \\"4711\\" is gone"}]}],'
          .. '"rejected":{"cust-18":"x"},"externalId":"anna"},"metadata":{"by":"bob"}'),
      },
    }
    local env = { env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(server.url) }
    for _, args in ipairs { { "task", "t1" }, { "task", "t1", "--json" } } do
      local code, out, err = world.command(args, env)
      assert.equal(0, code, err)
      for _, want in ipairs { "TOO_OLD", "is too old", "GONE", "failed" } do
        assert.truthy(out:find(want, 1, true), want .. " in " .. out)
      end
      for _, value in ipairs { "cust-17", "jane", "4711", "cust-18", "anna", "bob" } do
        assert.is_nil(out:find(value, 1, true), value .. " in " .. out)
      end
    end
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n"
    local code, out, err = world.command({
      "sync", csv, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--wait", "20",
    }, env)
    assert.equal(1, code)
    assert.truthy(err:find("GONE", 1, true), err)
    assert.truthy(out:find("2 failed", 1, true), out)
    server:play { task = {
      task('"response":{"audiences":[{"audienceId":"a","action":"updated","errors":[{"code":"SOME_SKIPPED",'
        .. '"message":"one left out"}]}]}'),
    } }
    code, out = world.command({
      "sync", csv, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--wait", "20",
    }, env)
    assert.equal(0, code)
    assert.truthy(out:find("Warning: the service warns of the audience a: SOME_SKIPPED: one left out", 1, true), out)
  end)
end)

describe("a 202", function()
  local server = answering.around(setup, teardown)

  it("that says in its body that it failed is no acceptance", function()
    local client = server:client()
    for body, state in pairs {
      ['{"success":false,"message":"no room"}'] = "failed",
      ['{"data":null,"error":{"code":"NO_ROOM","message":"no room"}}'] = "failed",
      ['{"success":false,"error":"no room"}'] = "failed",
      ['{"success":false,"taskId":"t1","operationId":"t1"}'] = "unknown",
      ['{"data":{"taskId":"t1"},"error":{"code":"NO_ROOM","message":"no room"}}'] = "unknown",
      ['{"data":{"success":false,"taskId":"t1"},"error":null}'] = "unknown",
      ['{"data":{"taskId":"t1","error":"no room"},"error":null}'] = "unknown",
      ['{"taskId":"t1","error":{"message":"no room"}}'] = "unknown",
    } do
      server:play { sync = { body } }
      local res, err = client:sync(audience "a")
      assert.is_nil(res, body)
      assert.same({ "http", 202, 0, 2 }, { err.kind, err.status, err.result.accepted, err.result[state] },
        body .. err.message)
      assert.truthy(err.message:find("says that it failed", 1, true), err.message)
      assert.equal(1, #server:requests "/sync$")
      world.assert_sums(err.result)
    end
  end)

  it("that reports errors next to its task is one, and they are warnings; without a task it is none", function()
    local client = server:client()
    server:play { sync = {
      '{"taskId":"t1","errors":[{"code":"SLOW","message":"it takes a day"}],"warnings":["soon full"]}',
    } }
    local res = assert(client:sync(audience "a"))
    assert.truthy(res.warnings[1].message:find("SLOW: it takes a day", 1, true)
      and res.warnings[2].message:find("soon full", 1, true))
    for _, body in ipairs {
      '{"errors":[{"code":"NO_ROOM","message":"no room"}]}', '{"data":null,"errors":["NO_ROOM: no room"]}',
    } do
      server:play { sync = { body } }
      local _, err = client:sync(audience "a")
      assert.same({ 202, 2 }, { err.status, err.result.failed })
      assert.truthy(err.message:find("says that it failed: NO_ROOM: no room", 1, true), err.message)
    end
  end)

  it("with an empty error, or with what is null, is one", function()
    local client = server:client()
    for _, body in ipairs {
      '{"success":true,"error":null,"taskId":"t1"}',
      '{"error":{},"data":{"taskId":"t1"}}', '{"error":"","task_id":"t1"}',
      '{"data":{"operationId":"t1","taskId":null},"error":null}', '{"taskId":"","operationId":"t1"}',
    } do
      server:play { sync = { body } }
      local res = assert(client:sync(audience "a"))
      assert.same({ 2, "t1" }, { res.accepted, res.tasks[1].task_id })
    end
  end)

  it("that names no task, or something else for one, leaves its members unknown, and nothing is polled", function()
    local client = server:client()
    for _, id in ipairs {
      '""', '" "', '"."', '".."', '"a/b"', '"jane@example.com"', '"\\u001b]0;x\\u0007"', "5", "{}", "[]",
      "null", "true", '"' .. ("x"):rep(256) .. '"', '"t1?x"', '"t1#"', '"t\\n1"', '"%2e%2e"', '"é"',
    } do
      server:play { sync = { '{"success":true,"taskId":' .. id .. ',"operationId":' .. id .. "}" } }
      local journal = world.path ".journal"
      local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n"
      local res, err = client:run({ map = { external_id = "id", email = "mail" }, audience = "a" }, csv,
        { journal = journal })
      assert.is_nil(res)
      assert.same({ "BAD_REPLY", 2, 0 }, { err.code, err.result.unknown, err.result.accepted }, id)
      assert.equal(0, #server:requests "/tasks/")
      assert.is_nil((tostring(err) .. world.read(journal) .. err.result:json()):find("jane@example.com", 1, true))
      assert.is_nil((tostring(err) .. world.read(journal) .. err.result:json()):find("\27", 1, true))
      for _, call in ipairs { "task", "wait" } do
        local value, why = client[call](client, "a/../b")
        assert.same({ nil, "invalid" }, { value, why.kind })
      end
    end
  end)
end)

describe("a reply that names another task", function()
  it("is not taken", function()
    local server = answering.start()
    local client = server:client()
    server:play { task = { '{"task":{"taskId":"other","status":"completed"}}' } }
    local res = assert(client:sync(audience "a"))
    local waited, err = res:wait { timeout = 60 }
    assert.same({ nil, "BAD_REPLY", "t1" }, { waited, err.code, err.task_id })
    local value, why = client:task "t1"
    assert.same({ nil, "BAD_REPLY" }, { value, why.code })
    server:play { task = { '{"task":{"taskId":"T1","status":"completed"}}' } }
    assert.equal("t1", assert(client:task "t1").task_id)
    server:close()
    world.clean()
  end)
end)
