-- The sandbox keeps the contract by itself, also for requests that the client would never send.
local core = require "scope3.core"
local world = require "spec.support.world"

local json = world.json

describe("the sandbox", function()
  local sandbox = world.around(setup, teardown, before_each)

  local KEY = { "Authorization: Bearer scope3_spec", "Content-Type: application/json" }
  local function call(method, path, body, headers)
    local result = world.http(method, sandbox.url .. "/api/v2/buyer" .. path, body, { headers = headers or KEY })
    return result, result.body and json.decode(result.body)
  end
  local function sync(audiences, more)
    local body = more or {}
    body.audiences = audiences
    return call("POST", "/advertisers/25/audiences/sync", json.encode(body))
  end
  local function member(id)
    return { externalId = id, hashedEmail = ("ab"):rep(32) }
  end

  it("accepts with 202 and the same id twice, and shows every key of a task", function()
    local result, body = sync { { audienceId = "a", add = { member "1" } } }
    assert.equal(202, result.status)
    assert.is_true(body.success)
    assert.equal(body.operationId, body.taskId)
    assert.truthy(body.taskId:find("^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$"))
    local _, task = call("GET", "/tasks/" .. body.taskId)
    for _, key in ipairs {
      "taskId", "taskType", "status", "resourceType", "resourceId", "error",
      "response", "metadata", "retryAfterSeconds", "createdAt", "updatedAt",
    } do
      assert.is_not_nil(task.task[key], key)
    end
  end)

  it("refuses each breach of the contract with its path", function()
    local cases = {
      { {}, "audiences" }, { { {} }, "audiences[0].audienceId" },
      { { { audienceId = ("x"):rep(256) } }, "audiences[0].audienceId" },
      { { { audienceId = "a", name = 7 } }, "audiences[0].name" },
      { { { audienceId = "a", consentBasis = "x" } }, "audiences[0].consentBasis" },
      { { { audienceId = "a", add = { { hashedEmail = ("ab"):rep(32) } } } }, "audiences[0].add[0].externalId" },
      { { { audienceId = "a", add = { { externalId = "1" } } } }, "audiences[0].add[0]" },
      { { { audienceId = "a", add = { { externalId = "1", hashedPhone = ("AB"):rep(32) } } } },
        "audiences[0].add[0].hashedPhone" },
      { { { audienceId = "a", add = { { externalId = "1", uids = json.array() } } } }, "audiences[0].add[0].uids" },
      { { { audienceId = "a", add = { { externalId = "1", uids = { { type = "x" } } } } } },
        "audiences[0].add[0].uids[0].value" },
      { { { audienceId = "a", add = { member "1", member "1" } } }, "audiences[0].add[1].externalId" },
      { { { audienceId = "a" }, { audienceId = "a" } }, "audiences[1].audienceId" },
      { { { audienceId = "a", delete = "yes" } }, "audiences[0].delete" },
    }
    for _, case in ipairs(cases) do
      local result, body = sync(json.array(case[1]))
      assert.equal(400, result.status)
      assert.equal("VALIDATION_ERROR", body.error.code)
      assert.equal(case[2], body.error.details.issues[1].path)
    end
    local result = sync({ { audienceId = "a" } }, { pushNotificationConfig = {
      url = "x", token = "y", authentication = { schemes = { "Basic" } },
    } })
    assert.equal(400, result.status)
    assert.equal(400, (call("POST", "/advertisers/25/audiences/sync", "{nonsense")).status)
  end)

  it("knows its keys, accounts, routes and methods", function()
    assert.equal(401, (call("GET", "/advertisers/25/audiences", nil, {})).status)
    for _, header in ipairs { "Authorization: Basic c2NvcGUz", "Authorization: Bearer", "Authorization: scope3_x",
        "Authorization: Bearer a b",
      "x-scope3-api-key: " } do
      assert.equal(401, (call("GET", "/advertisers/25/audiences", nil, { header })).status, header)
    end
    -- An access token begins as it likes, and the name of the scheme has no case.
    for _, header in ipairs { "Authorization: Bearer eyJhbGciOi.e30.x", "authorization: bearer scope3_x",
        "Authorization: BEARER  t",
      "x-scope3-api-key: scope3_x", "X-Scope3-Api-Key: another" } do
      assert.equal(200, (call("GET", "/advertisers/25/audiences", nil, { header })).status, header)
    end
    assert.equal(404, (call("GET", "/advertisers/abc/audiences")).status)
    assert.equal(404, (call("GET", "/nothing")).status)
    assert.equal(405, (call("GET", "/advertisers/25/audiences/sync")).status)
    assert.equal(400, (call("GET", "/advertisers/25/audiences?take=251")).status)
    sandbox:configure { accounts = { "7" }, keys = { "scope3_only" } }
    assert.equal(401, (call("GET", "/advertisers/7/audiences")).status)
    assert.equal(401, (call("GET", "/advertisers/7/audiences", nil, { "x-scope3-api-key: scope3_spec" })).status)
    assert.equal(404, (call("GET", "/advertisers/25/audiences", nil, { "Authorization: Bearer scope3_only" })).status)
  end)

  it("applies the work only when the task ends, and deletes what is told", function()
    sandbox:configure { task_seconds = 30 }
    sync { { audienceId = "slow", add = { member "1" } } }
    assert.same({}, sandbox:ids("slow"))
    sandbox:configure { task_seconds = 0 }
    sync { { audienceId = "a", add = { member "1", member "2" } }, { audienceId = "b", add = { member "1" } } }
    sync { { audienceId = "a", remove = { { externalId = "1" } } } }
    assert.same({ "2" }, sandbox:ids("a"))
    sync({ { audienceId = "a" } }, { deleteMissing = true })
    sandbox:ids("a")
    local _, body = call("GET", "/advertisers/25/audiences")
    local deleted = {}
    for _, row in ipairs(body.audiences) do
      deleted[row.audienceId] = row.deleted
    end
    assert.same({ a = false, b = true, slow = true }, deleted)
  end)

  it("limits the rate with either form of the header, and says when to come back", function()
    for form, header in pairs { fields = "ratelimit-remaining", single = "ratelimit" } do
      sandbox:reset()
      sandbox:configure { rate_limit = 2, rate_form = form }
      assert.is_string(call("GET", "/advertisers/25/audiences").headers[header])
      call("GET", "/advertisers/25/audiences")
      local result = call("GET", "/advertisers/25/audiences")
      assert.equal(429, result.status)
      assert.is_true(tonumber(result.headers["retry-after"]) > 0)
    end
  end)

  it("takes chunked bodies and answers Expect: 100-continue", function()
    local body = json.encode { audiences = { { audienceId = "a", add = { member "1" } } } }
    local result = call("POST", "/advertisers/25/audiences/sync", { body:sub(1, 10), body:sub(11) },
      { KEY[1], "Transfer-Encoding: chunked" })
    assert.equal(202, result.status)
    sandbox:configure { max_body = 50 }
    assert.equal(413, (call("POST", "/advertisers/25/audiences/sync", body)).status)
  end)

  it("signs its callbacks over the raw body", function()
    local capture = require("spec.support.capture").start()
    local secret = ("s"):rep(32)
    sync({ { audienceId = "a", add = { member "1" } } }, {
      pushNotificationConfig = { url = capture.url .. "/hook", operation_id = "op",
        token = ("t"):rep(16), authentication = { schemes = { "HMAC-SHA256" }, credentials = secret } },
    })
    local bodies
    local deadline = core.now() + 30
    repeat
      core.sleep(0.02)
      bodies = capture.bodies()
    until bodies[1] or core.now() > deadline
    capture.close()
    local payload = json.decode(bodies[1])
    assert.same({ "op", "completed", ("t"):rep(16), "audience_sync" },
      { payload.operation_id, payload.status, payload.token, payload.task_type })
    assert.is_true(#payload.idempotency_key >= 16)
  end)

  it("refuses settings and faults that it does not know", function()
    for _, settings in ipairs { { nonsense = 1 }, { task_seconds = "1" }, { clock = 5 }, { rate_limit = true },
      { faults = { { on = "sync", act = "explode" } } }, { faults = { { act = "delay" } } } } do
      local result = world.http("PUT", sandbox.url .. "/sandbox/config", json.encode(settings))
      assert.equal(400, result.status)
    end
  end)

  it("ends when the process that started it closes it", function()
    local other = world.sandbox()
    assert.equal(200, world.http("GET", other.url .. "/health").status)
    other:close()
    other:close()
    assert.equal("COULDNT_CONNECT", world.http("GET", other.url .. "/health").code)
  end)

  it("listens on this machine alone", function()
    assert.has_error(function()
      require("scope3.sandbox").serve { host = "0.0.0.0" }
    end)
  end)
end)
