-- A failure is found wherever a reply states it: next to the response, in any envelope, in any spelling.
local answering = require "spec.support.answering"
local locales = require "spec.support.locales"
local scope3 = require "scope3"
local world = require "spec.support.world"

local WHY = '{"code":"TOO_OLD","message":"The list is too old"}'

local function audience()
  local made = assert(scope3.audience { id = "a" })
  for i = 1, 2 do
    assert(made:add { external_id = "a-" .. i, email = ("a%d@example.com"):format(i) })
  end
  return made
end

local function task(rest)
  return '{"task":{"taskId":"$ID","status":"completed","createdAt":"2026-11-01T00:00:00Z",' .. rest .. "}}"
end

describe("what a reply says of its work", function()
  local server = answering.around(setup, teardown)

  local function waited(reply)
    server:play { task = { reply } }
    local res = assert(server:client():sync(audience()))
    local ok, err = res:wait { timeout = 60 }
    world.assert_sums(res)
    return ok, err, res
  end

  it("is a failure wherever it says so: next to the response, in envelopes of other names, in any spelling", function()
    local failed = '"audiences":[{"audienceId":"a","action":"failed","errors":[' .. WHY .. "]}]"
    for _, rest in ipairs {
      '"errors":[' .. WHY .. "]", '"errors":' .. WHY, '"success":false', '"success":"false"',
      '"result":{' .. failed .. "}", '"result":{"data":{' .. failed .. "}}", '"data":{' .. failed .. "}",
      '"response":{"response":{' .. failed .. "}}", '"response":{"payload":{' .. failed .. "}}",
      '"response":{"syncResult":{' .. failed .. "}}", '"response":{"sync_response":{"body":{' .. failed .. "}}}",
      '"response":{"results":[{"audienceId":"a","action":"failed"}]}',
      '"response":{"audience_results":{"a":{"action":"FAILED"}}}',
      '"response":{"audiences":[{"audienceId":"a","action":"created","status":"failed"}]}',
      '"response":{"audiences":[{"audienceId":"a","action":" Failed "}]}',
      '"response":{"audiences":[{"audienceId":"a","action":"errored"}]}',
      '"response":{"audiences":[{"audienceId":"a","success":"false"}]}',
      '"response":{"ok":false}', '"response":{"success":0}',
      '"response":{"data":{"result":{"data":{"success":false}}}}',
    } do
      local ok, err, res = waited(task(rest))
      assert.is_nil(ok, rest)
      assert.same({ "task_failed", 0, 2 }, { err.kind, res.accepted, res.failed }, rest)
      if rest:find("TOO_OLD", 1, true) then
        assert.truthy(err.message:find("TOO_OLD: The list is too old", 1, true), err.message)
      end
    end
    for _, body in ipairs {
      '{"errors":[' .. WHY .. '],"task":{"taskId":"$ID","status":"completed"}}',
      '{"data":{"task":{"taskId":"$ID","status":"completed"}},"errors":[' .. WHY .. "]}",
      '{"data":{"task":{"taskId":"$ID","status":"completed"},"errors":[' .. WHY .. ']},"error":null}',
    } do
      local ok, err = waited(body)
      assert.same({ nil, "task_failed" }, { ok, err.kind }, body)
    end
  end)

  it("is none where nothing of the audience failed", function()
    for _, rest in ipairs {
      '"errors":null,"warnings":null', '"errors":{}', '"result":null', '"data":[]',
      '"success":true', '"success":"true"', '"response":{"results":{"processed":2,"matched":1}}',
      '"response":{"results":[1,2,3]}', '"response":{"result":"ok"}',
      '"response":{"results":{"a":{"action":"updated"}}}', '"response":{"body":"","content":null}',
      '"response":{"audiences":[{"audienceId":"a","action":"updated","status":"error"}]}', '"response":{"status":"ok"}',
    } do
      local ok, err, res = waited(task(rest))
      assert.truthy(ok, rest .. tostring(err))
      assert.same({ 2, 0 }, { res.accepted, #res.warnings }, rest)
    end
    local ok, err, res = waited(task('"response":{"audiences":[{"audienceId":"a","action":"updated"}],'
      .. '"results":[{"externalId":"q","errors":["no consent"]}]}'))
    assert.truthy(ok, tostring(err))
    assert.same({ 2, "task_warning" }, { res.accepted, res.warnings[1].code })
    assert.truthy(res.warnings[1].message:find("no consent", 1, true))
  end)

  it("is read under any locale", function()
    local folder, names = locales.make()
    if not folder then
      return pending("this system makes no locales")
    end
    local replies = { '{"task":{"taskId":"$ID","status":"FAILED"}}',
      task '"response":{"audiences":[{"audienceId":"a","action":"FAILED"}]}' }
    local program = world.file([[
      assert(os.setlocale(arg[1], "all"))
      local client = assert(require("scope3").client { api_key = "scope3_test_key", account_id = "25", base_url = arg[2] })
      local ok, err = client:wait("t1", { timeout = 1 })
      print(ok, err and err.kind)
    ]], ".lua")
    for _, name in ipairs(names) do
      for _, reply in ipairs(replies) do
        server:play { task = { reply } }
        local out = world.path(".out")
        os.execute(("ASAN_OPTIONS=detect_leaks=0 LOCPATH='%s' '%s' '%s' '%s' '%s' >'%s' 2>&1"):format(folder,
          os.getenv "SCOPE3_LUA_BIN", program, name, server.url, out))
        assert.equal("nil\ttask_failed\n", world.read(out), name)
      end
    end
  end)

  it("is of a task in whatever spelling its status comes", function()
    for word, kind in pairs { ["Completed "] = "done", [" FAILED"] = "task_failed", inputRequired = "needs_action",
      ["AUTH__REQUIRED"] = "needs_action", ["Input - Required"] = "needs_action" } do
      local ok, err = waited('{"task":{"taskId":"$ID","status":"' .. word .. '"}}')
      assert.equal(kind, ok and "done" or err.kind, word)
    end
  end)

  it("is reported where the row of an audience has problems", function()
    for _, fields in ipairs {
      '"errors":[' .. WHY .. "]", '"error":' .. WHY, '"warnings":["TOO_OLD: The list is too old"]',
    } do
      server:play { audiences = { '{"audiences":[{"audienceId":"a","status":"READY",' .. fields .. '}],"total":1}' } }
      local res = assert(server:client():sync(audience()))
      for _ = 1, 2 do
        assert(res:wait { timeout = 60 })
        assert.same({ 1, "audience_warning" }, { #res.warnings, res.warnings[1].code }, fields)
        assert.truthy(res.warnings[1].message:find("TOO_OLD: The list is too old", 1, true), res.warnings[1].message)
      end
    end
  end)

  it("is of an audience that is deleted in whatever form it says so", function()
    for fields, deleted in pairs {
      ['"status":"READY","deleted":"true"'] = true, ['"status":"READY","deleted":1'] = true,
      ['"status":"deleted"'] = true, ['"status":"READY","deleted":"false"'] = false,
      ['"status":"READY","deleted":0'] = false, ['"status":"READY","deleted":null'] = false,
    } do
      server:play { audiences = { '{"audiences":[{"audienceId":"a",' .. fields .. '}],"total":1}' } }
      local ok, err = assert(server:client():sync(audience())):wait { timeout = 60 }
      assert.equal(deleted and "audience_deleted" or nil, not ok and err.code or nil, fields)
    end
  end)

  it("is not taken from a reply that also names another task", function()
    local ok, err = waited '{"taskId":"other","task":{"status":"completed"}}'
    assert.same({ nil, "BAD_REPLY" }, { ok, err.code })
  end)

  it("is no acceptance where the 202 says in another way that it failed", function()
    for _, reply in ipairs {
      '{"taskId":"t1","success":"false"}', '{"taskId":"t1","ok":false}', '{"taskId":"t1","status":"failed"}',
      '{"data":{"taskId":"t1","status":"Rejected"},"error":null}',
      '{"taskId":"t1","audiences":[{"audienceId":"a","action":"FAILED","errors":[' .. WHY .. "]}]}",
    } do
      server:play { sync = { reply } }
      local res, err = server:client():sync(audience())
      assert.is_nil(res, reply)
      assert.same({ "REFUSED", 0, 2 }, { err.code, err.result.accepted, err.result.unknown }, reply)
      world.assert_sums(err.result)
    end
    server:play { sync = { '{"data":{"taskId":"t1"},"errors":[' .. WHY .. "]}" } }
    local res = assert(server:client():sync(audience()))
    assert.same({ 2, "task_warning" }, { res.accepted, res.warnings[1].code })
  end)
end)

describe("a deletion that was accepted and then failed", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("is not reported as done", function()
    local client = sandbox:client()
    local other = assert(scope3.audience { id = "old" })
    other:add { external_id = "1", email = "a@example.com" }
    assert(assert(client:sync(other)):wait())
    sandbox:configure { task_outcomes = world.json.array { "completed", "failed:terminal" } }
    local res = assert(client:run({ audience = "a", map = { external_id = "id", email = "mail" } },
      world.file("id,mail\n1,a@example.com\n"), { delete_missing = "all" }))
    assert.same({ { audience_id = "old" } }, res.deleted)
    assert.is_nil((res:wait()))
    assert.is_nil(res.deleted)
    assert.equal("deletion_failed", res.warnings[#res.warnings].code)
  end)
end)
