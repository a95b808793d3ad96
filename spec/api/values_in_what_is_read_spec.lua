-- What polls and lists return holds no value of a member and no key, in any field, code, status or id.
local answering = require "spec.support.answering"
local scope3 = require "scope3"
local world = require "spec.support.world"

local KEY = "tok_9QmZxLpRw"

local function audience()
  local made = assert(scope3.audience { id = "a" })
  assert(made:add { external_id = "cust-4711", email = "anna@example.com" })
  assert(made:add { external_id = "Zebra77", email = "bob@example.com" })
  return made
end

describe("what is read from the service", function()
  local server = answering.around(setup, teardown)

  local function clean(said, secrets)
    for _, secret in ipairs(secrets) do
      assert.is_nil(said:find(secret, 1, true), secret .. " in " .. said)
    end
  end

  it("says nothing of members where a poll or a list is refused, in whatever form", function()
    local secrets = { "4711", "Zebra77", "anna", "Kim" }
    for _, reply in ipairs {
      { 400, '{"error":{"code":"cust-4711","field":"Zebra77","message":"member cust-4711 is bad"}}' },
      {
        400,
        '{"error":{"code":"BAD","message":"member Kim and 4711, anna@example.com",'
          .. '"details":{"issues":[{"path":"add.Zebra77",'
          .. '"message":"Zebra77"}]}}}',
      },
      { 403, "denied for Zebra77" }, { 403, "<html><title>member cust-4711</title>" }, { 409, '{"error":"cust-4711"}' },
    } do
      server:play { task = { reply }, audiences = { reply } }
      local client = server:client()
      local res = assert(client:sync(audience()))
      for _, ask in ipairs { function() return res:wait { timeout = 5 } end, function() return client:task "t1" end,
        function() return client:audience "a" end } do
        local none, err = ask()
        assert.is_nil(none)
        local said = { tostring(err), tostring(err.code), tostring(err.field) }
        for _, issue in ipairs(err.issues or {}) do
          said[#said + 1] = tostring(issue.path) .. tostring(issue.message)
        end
        clean(table.concat(said, " "), secrets)
      end
    end
    server:play { task = {
      { 400, '{"error":{"code":"VALIDATION_ERROR","field":"externalId","message":"the id is too long"}}' },
    } }
    local _, err = server:client():task "t1"
    assert.same({ "VALIDATION_ERROR", "externalId" }, { err.code, err.field })
    assert.truthy(err.message:find("VALIDATION_ERROR: the id is too long", 1, true), err.message)
    for _, said in ipairs {
      "502 Bad Gateway", "Attention Required! | Cloudflare", "Unavailable - try again in 30 seconds",
    } do
      server:play { task = { { 403, "<html><title>" .. said .. "</title></html>" } } }
      err = select(2, server:client():task "t1")
      assert.truthy(err.message:find(said, 1, true), err.message)
    end
  end)

  it("says nothing of the key as a code, a status or a type", function()
    local client = server:client { api_key = KEY }
    for _, replies in ipairs {
      { task = { '{"task":{"taskId":"$ID","status":"failed","error":{"code":"' .. KEY .. '"}}}' } },
      {
        task = {
          '{"task":{"taskId":"$ID","status":"failed","taskType":"' .. KEY .. '","resourceType":"' .. KEY .. '"}}',
        },
      },
      { task = { '{"task":{"taskId":"$ID","status":"' .. KEY .. '"}}' } },
      {
        task = { '{"task":{"taskId":"$ID","status":"completed","response":{"warnings":[{"code":"' .. KEY .. '"}]}}}' },
      },
      { audiences = { '{"audiences":[{"audienceId":"a","status":"' .. KEY .. '"}],"total":1}' } },
      { sync = { '{"taskId":"t1","warnings":[{"code":"' .. KEY .. '"}]}' } },
    } do
      server:play(replies)
      local res = assert(client:sync(audience()))
      local _, err = res:wait { timeout = 5 }
      local task, row = client:task "t1", client:audience "a"
      clean(table.concat({ tostring(err), res:json(), world.json.encode(task), world.json.encode(row) }, "\n"),
        { "9QmZ" })
    end
  end)

  it("is no task where its id is the key", function()
    server:play { sync = { '{"taskId":"' .. KEY .. '"}' } }
    local path = world.path ".journal"
    local res, err = server:client { api_key = KEY }:run({
      audience = "a", map = { external_id = "id", email = "mail" },
    },
      world.file("id,mail\n1,a@example.com\n", ".csv"), { journal = path })
    assert.is_nil(res)
    assert.equal(1, err.result.unknown)
    clean(world.read(path) .. tostring(err) .. err.result:json(), { "9QmZ" })
  end)

  it("says nothing of people in fields that nobody declared, and keeps what a person needs", function()
    server:play {
      task = {
        '{"task":{"taskId":"$ID","status":"completed","note":"member anna@example.com","result":{"who":"cust-4711",'
          .. '"action":"updated"},"anna@example.com":"x","phone":12065550142,"createdAt":"2065550142"}}',
      },
      audiences = {
        '{"audiences":[{"audienceId":"a","name":"VIP","status":"READY","lastError":"member cust-4711 is bad",'
          .. '"description":"my best customers","ttlDays":30,"tags":["vip"],"errors":[{"message":"user '
          .. 'Zebra77 failed"}],'
          .. '"phone":12065550142,"syncedOn":"2026-11-01T00:00:10Z"}],"total":1}',
      },
    }
    local client = server:client()
    local task, row = assert(client:task "t1"), assert(client:audience "a")
    clean(world.json.encode(task) .. world.json.encode(row), { "anna", "4711", "Zebra77", "2065550142" })
    assert.equal("updated", task.result.action)
    assert.same({ "VIP", "READY", "my best customers", 30, "2026-11-01T00:00:10Z" },
      { row.name, row.status, row.description, row.ttl_days, row.synced_on })
    assert.same({ "vip" }, row.tags)
  end)

  it("names no member as the field of one that is refused", function()
    server:play {
      sync = { { 400, '{"error":{"code":"X","message":"no","details":{"issues":[{"path":"audiences[0].add[0].Zebra77",'
        .. '"message":"bad"}]}}}' }, '{"taskId":"t2"}' },
    }
    local seen = {}
    local res = assert(server:client():run({ audience = "a", map = { external_id = "id", email = "mail" } },
      world.file("id,mail\n1,a@example.com\n2,b@example.com\n", ".csv"), { on_reject = function(rejection)
        seen[#seen + 1] = tostring(rejection.column)
      end }))
    assert.same({ 1, 1, 1 }, { res.accepted, res.rejected_by_service, #seen })
    clean(res:json() .. seen[1], { "Zebra77" })
  end)
end)

describe("what the command says of what it was given", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("has nothing that a terminal would obey, and can be given to a shell", function()
    local input = world.file("id,mail\n1,a@example.com\n", ".csv")
    local ids = {
      ["a\27[31m"] = "'a\\x1b[31m'", ["my list; rm"] = "'my list; rm'", ["it's"] = "'it'\\''s'", crm = "crm",
    }
    for id, shown in pairs(ids) do
      local code, out = world.command({ "sync", input, "--account", "25", "--audience", id, "--base-url",
        sandbox.url, "--map", "external_id=id", "--map", "email=mail" }, { env = "SCOPE3_API_KEY=scope3_test_key" })
      assert.equal(0, code)
      assert.is_nil(out:find("\27", 1, true))
      assert.truthy(out:find("--audience " .. shown .. " --account", 1, true), out)
    end
    for _, word in ipairs { "--bog\27[31mus", "--rate=\27[31m" } do
      local code, out, err = world.command { "sync", input, word }
      assert.same({ 2, "" }, { code, out })
      assert.is_nil(err:find("\27", 1, true))
    end
  end)
end)
