-- From the registration of a callback to its payload: the sandbox sends, webhook.verify reads.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local verify = scope3.webhook.verify

describe("the sandbox's callback", function()
  local sandbox = world.around(setup, teardown, before_each)
  local capture
  setup(function()
    capture = require("spec.support.capture").start()
  end)
  teardown(function()
    capture.close()
  end)

  local CREDENTIALS, TOKEN = ("credentials-32-b"):rep(2), "token-0123456789"

  local function sync(authentication, path)
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "1", hashed_email = ("ab"):rep(32) })
    return assert(sandbox:client():sync(audience, { push_notification_config = {
      url = capture.url .. (path or "/hooks/scope3?account=25"),
      operation_id = "op-1", token = TOKEN, authentication = authentication,
    } }))
  end

  -- Sends an audience with this authentication; the task's id, and the callback as a request.
  local function sent(authentication, path)
    local result = sync(authentication, path)
    assert(result:wait { interval = 0.02 })
    local deadline = core.now() + 30
    repeat
      core.sleep(0.02)
      local _, requests = capture.bodies()
      if requests[1] then
        requests[1].url = capture.url .. requests[1].target
        return result.tasks[1].task_id, requests[1]
      end
    until core.now() > deadline
    error("no callback came")
  end

  local function assert_payload(task_id, payload, err)
    assert(payload, tostring(err))
    assert.same({ task_id, "op-1", "completed", "audience_sync", TOKEN },
      { payload.task_id, payload.operation_id, payload.status, payload.task_type, payload.token })
  end

  it("verifies by HMAC-SHA256, when that was registered", function()
    local task_id, request = sent { scheme = "HMAC-SHA256", credentials = CREDENTIALS }
    local config = { mode = "hmac", secrets = { CREDENTIALS }, token = TOKEN }
    assert_payload(task_id, verify(request, config))
    request.body = request.body:gsub("completed", "failed")
    assert.equal("webhook_signature_invalid", select(2, verify(request, config)).code)
  end)

  it("verifies by Bearer credentials, when these were registered", function()
    local task_id, request = sent { scheme = "Bearer", credentials = CREDENTIALS }
    assert_payload(task_id, verify(request, { mode = "bearer", credentials = CREDENTIALS, token = TOKEN }))
    assert.equal("webhook_signature_invalid",
      select(2, verify(request, { mode = "bearer", credentials = CREDENTIALS:reverse() })).code)
  end)

  it("is signed by the key of the purpose that was set, and both are published", function()
    local set = world.json.decode(world.http("GET", sandbox.url .. "/.well-known/jwks.json").body)
    local kids = {}
    for _, key in ipairs(set.keys) do
      kids[key.adcp_use] = key.kid
    end
    assert.equal(2, #set.keys)
    assert.is_not.equal(kids["webhook-signing"], kids["request-signing"])
    assert.is_not.equal(set.keys[1].x, set.keys[2].x)
    local function key_of(request)
      return request.headers["Signature-Input"]:match('keyid="([^"]*)"')
    end
    for _, case in ipairs { { kids["webhook-signing"] }, { kids["webhook-signing"], "webhook-signing" },
      { kids["request-signing"], "request-signing" } } do
      sandbox:reset()
      if case[2] then
        sandbox:configure { callback_key = case[2] }
      end
      local task_id, request = sent()
      assert.equal(case[1], key_of(request))
      assert_payload(task_id, verify(request, { mode = "rfc9421", token = TOKEN, keys = set }))
    end
  end)

  it("ends a pause of wait, and the task's own answer decides", function()
    sandbox:configure { retry_after = 3600, task_seconds = 0.5 }
    local result = sync { scheme = "HMAC-SHA256", credentials = CREDENTIALS }
    local id, came, asked = result.tasks[1].task_id, {}, 0
    local polls = 0
    local _, err = result:wait { timeout = 120, on_event = function(event)
      polls = polls + (event.event == "task" and 1 or 0)
    end, notified = function(task_id)
      assert.equal(id, task_id)
      asked = asked + 1
      sandbox:control("GET", "callbacks") -- the sandbox's time goes on when somebody asks
      local _, requests = capture.bodies()
      for _, request in ipairs(requests) do
        came[assert(verify(request, { mode = "hmac", secrets = { CREDENTIALS } })).task_id] = true
      end
      return came[task_id]
    end }
    assert.is_nil(err)
    assert.equal("completed", result.tasks[1].status)
    assert.equal(2, polls)
    assert.is_true(asked >= 1)
  end)

  it("is asked for once a callback, however long it is said to have come", function()
    sandbox:configure { retry_after = 3600, task_seconds = 3600 }
    local result = sync { scheme = "Bearer", credentials = CREDENTIALS }
    local polls, asked, said = 0, 0, { true, true, true, false, true, true, false, false }
    local _, err = result:wait { timeout = 60, on_event = function(event)
      polls = polls + (event.event == "task" and 1 or 0)
    end, notified = function()
      asked = asked + 1
      return said[asked]
    end, cancel = function()
      return asked > #said
    end }
    assert.equal("cancelled", err.kind)
    assert.equal(3, polls) -- the first, and one for each of the two callbacks
  end)

  it("verifies by its signature and the sandbox's own keys, when nothing was registered", function()
    local fetched = 0
    local config = { mode = "rfc9421", token = TOKEN, keys = function()
      fetched = fetched + 1
      return world.json.decode(world.http("GET", sandbox.url .. "/.well-known/jwks.json").body)
    end }
    for _, path in ipairs { "/hooks/scope3?account=25", "", "/?" } do
      local task_id, request = sent(nil, path)
      assert_payload(task_id, verify(request, config))
      assert.equal("webhook_signature_replayed", select(2, verify(request, config)).code)
    end
    assert.equal(1, fetched)
    local _, request = sent()
    request.body = request.body:gsub("completed", "failed")
    assert.equal("webhook_signature_digest_mismatch", select(2, verify(request, config)).code)
    request.url = request.url:gsub("account=25", "account=26")
    assert.equal("webhook_signature_invalid", select(2, verify(request, config)).code)
  end)
end)
