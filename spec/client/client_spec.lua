-- The client against a real sandbox.
local core = require "scope3.core"
local scope3 = require "scope3"
local rows_of = require "spec.support.each"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"
local contract = require "spec.support.contract"
local json_schema = require "spec.support.json_schema"
local capture = require "spec.support.capture"

local function audience(id, members)
  local made = assert(scope3.audience { id = id })
  for i = 1, members or 0 do
    assert(made:add { external_id = ("%s-%d"):format(id, i), email = ("%s%d@example.com"):format(id, i) })
  end
  return made
end

local function rows(n, from)
  local i = from or 0
  return function()
    i = i + 1
    if i <= n + (from or 0) then
      return { id = "r" .. i, mail = ("r%d@example.com"):format(i) }
    end
  end
end

local MAP = { external_id = "id", email = "mail" }

describe("making a client", function()
  it("tells every problem at once, and never shows the key", function()
    local client, err = scope3.client { api_key = "scope3_se cret", account_id = "a b", base_url = "http://example.com" }
    assert.is_nil(client)
    assert.equal("invalid", err.kind)
    assert.equal(3, #err.issues)
    assert.is_nil(tostring(err):find("cret", 1, true))
  end)

  it("takes https, and plain http to this machine alone", function()
    for _, url in ipairs { "https://api.example.com", "http://127.0.0.1:80", "http://localhost:9/", "http://[::1]:9", "https://h/api/v2/buyer/" } do
      assert.is_table(scope3.client { base_url = url })
    end
    for _, url in ipairs { "http://example.com", "http://127.0.0.1.example.com", "http://127.0.0.1@example.com", "https://me@example.com", "ftp://example.com",
      "https://example.com/?a=b", "nonsense" } do
      local client, err = scope3.client { base_url = url }
      assert.is_nil(client, url)
      assert.equal("base_url", err.issues[1].path)
    end
  end)

  it("raises for unknown options and wrong types", function()
    for _, opts in ipairs { { apikey = "x" }, { api_key = 12 }, { rate = 0 }, { rate = 1.5 }, { loop = "nginy" } } do
      assert.has_error(function()
        scope3.client(opts)
      end)
    end
  end)

  it("does not show its key when it is printed or walked", function()
    local client = assert(scope3.client { api_key = "scope3_hidden_key" })
    assert.is_nil(tostring(client):find("hidden", 1, true))
    local function walk(t, seen)
      seen[t] = true
      for key, value in pairs(t) do
        assert.is_nil(tostring(key):find("hidden", 1, true))
        assert.is_nil(tostring(value):find("hidden", 1, true))
        if type(value) == "table" and not seen[value] then
          walk(value, seen)
        end
      end
    end
    walk(client, {})
  end)

  it("without a key or account fails when something is to be sent, naming both and the way out", function()
    local client = assert(scope3.client {})
    local res, err = client:sync(audience("a", 1))
    assert.is_nil(res)
    assert.equal(2, #err.issues)
    assert.truthy(tostring(err):find("SCOPE3_API_KEY", 1, true))
    assert.truthy(tostring(err):find("SCOPE3_ACCOUNT_ID", 1, true))
  end)
end)

describe("the client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("sends an audience, follows its task, and reports where it got to", function()
    local client = sandbox:client()
    local crm = audience("crm", 150)
    assert(crm:add { external_id = "p", phone = "+12065551234", uids = { { type = "mine", value = "Abc=" } } })
    local res = assert(client:sync(crm))
    world.assert_sums(res)
    assert.equal(151, res.accepted)
    assert.equal(res, assert(res:wait()))
    assert.equal("completed", res.tasks[1].status)
    assert.equal("READY", res.audience.status)
    assert.equal(151, res.audience.uploaded_count)
    local members = sandbox:members("crm")
    assert.same({ hashedPhone = "f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca", uids = { { type = "mine", value = "Abc=" } } }, members.p)
    assert.same({ hashedEmail = scope3.email.hash("crm7@example.com") }, members["crm-7"])
  end)

  it("understands wrapped answers as well as bare ones", function()
    for _, envelope in ipairs { "bare", "data" } do
      for _, pagination in ipairs { "body", "meta" } do
        sandbox:reset()
        sandbox:configure { envelope = envelope, pagination = pagination }
        local client = sandbox:client()
        local res = assert(assert(client:sync(audience("a", 3))):wait())
        assert.equal("TOO_SMALL", res.audience.status)
        assert.equal("a", assert(client:audience("a")).audience_id)
      end
    end
  end)

  it("packs small audiences into one request, and never two parts of one", function()
    local client = sandbox:client()
    local gone = audience("gone"):delete()
    assert(client:sync { audience("a", 3), audience("b", 2), gone })
    local log = sandbox:requests("sync")
    assert.equal(1, #log)
    assert.equal(3, #log[1].audiences)
    assert.is_true(log[1].audiences[3].delete)
    local res = assert(client:sync({ audience("c", 5), audience("d", 5) }, { max_members = 4 }))
    world.assert_sums(res)
    assert.equal(10, res.accepted)
    assert.equal(3, #res.requests)
    for _, request in ipairs(sandbox:requests("sync")) do
      local seen = {}
      for _, part in ipairs(request.audiences) do
        assert.is_nil(seen[part.audienceId])
        seen[part.audienceId] = true
      end
    end
  end)

  it("keeps max_bytes whatever is in a request", function()
    local client = sandbox:client()
    local res = assert(client:sync({ audience("aa", 40), audience("bb", 40) }, { max_bytes = 4096 }))
    world.assert_sums(res)
    for _, request in ipairs(sandbox:requests("sync")) do
      assert.is_true(request.bytes <= 4096)
    end
    res = assert(client:run({ map = MAP, audience = "cc" }, rows(100), { max_bytes = 4096 }))
    for i, request in ipairs(sandbox:requests("sync")) do
      assert.is_true(request.bytes <= 4096, "request " .. i)
    end
    assert.equal(100, world.assert_sums(res))
  end)

  it("is built while the request before it is on the wire, and the result says when each was", function()
    local client = sandbox:client()
    local res = assert(client:run({ map = MAP, audience = "overlap" }, rows(40), { max_members = 10 }))
    assert.equal(4, #res.requests)
    for i, request in ipairs(res.requests) do
      assert.is_true(request.build_start <= request.build_end and request.build_end <= request.send_start and request.send_start <= request.send_end)
      local before = res.requests[i - 1]
      if before then
        assert.is_true(request.build_start < before.send_end and request.send_start >= before.send_end)
      end
    end
  end)

  it("sends name and consent basis with every request", function()
    local client = sandbox:client()
    assert(client:run({ map = MAP, audience = { id = "n", name = 'The "N"', consent_basis = "consent" } }, rows(30), { max_members = 10 }))
    local log = sandbox:requests("sync")
    assert.equal(3, #log)
    for _, request in ipairs(log) do
      assert.equal('The "N"', request.audiences[1].name)
      assert.equal("consent", request.audiences[1].consentBasis)
    end
  end)

  it("checks every rule before anything is sent, and tells all problems at once", function()
    local client = sandbox:client()
    local res, err = client:run({ map = MAP, audience = { id = ("x"):rep(256), name = ("é"):rep(256), consent_basis = "maybe" } }, rows(1), {
      max_members = 100001,
      push_notification_config = { url = "nope", operation_id = "a b", token = "short", authentication = { scheme = "Basic", credentials = "x" } },
    })
    assert.is_nil(res)
    assert.equal("invalid", err.kind)
    assert.equal(9, #err.issues)
    assert.equal(0, #sandbox:requests())
    assert.is_table(scope3.audience { id = ("é"):rep(255) })
    res, err = client:sync { audience("same", 1), audience("same", 1), assert(scope3.audience { id = "empty" }) }
    assert.is_nil(res)
    assert.equal(2, #err.issues)
  end)

  it("streams members and sends each request when it is full, while the next is built", function()
    local client = sandbox:client()
    local now, started = 0, {}
    local stream = assert(client:stream({ id = "s" }, { max_members = 10, on_event = function(event)
      started[#started + 1] = event.event == "request" and now or nil
    end }))
    for i = 1, 35 do
      now = i
      assert(stream:add { external_id = i, email = ("s%d@example.com"):format(i) })
    end
    assert.same({ 11, 21, 31 }, started) -- each left as the next began, long before the end
    local added, err = stream:add { external_id = 36, email = "nonsense" }
    assert.is_nil(added)
    assert.same({ "invalid", "no_identifier" }, { err.kind, err.code })
    local res = assert(stream:finish())
    assert.equal(35, world.assert_sums(res))
    assert.same({ 4, 35, 36 }, { #res.requests, res.accepted, res.rows })
    assert.same({ no_identifier = 1 }, res.rejected)
    assert.has_error(function()
      stream:add { external_id = "x", email = "a@example.com" }
    end, "attempt to use a stream that has ended")
  end)

  it("stops a stream that is cancelled, and says what was sent", function()
    local client = sandbox:client()
    local stream = assert(client:stream("s", { max_members = 10 }))
    for i = 1, 15 do
      assert(stream:add { external_id = i, email = ("s%d@example.com"):format(i) })
    end
    local res, err = stream:cancel()
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    world.assert_sums(err.result)
    assert.same({ 10, 5 }, { err.result.accepted, err.result.failed })
  end)

  it("lets no later operation overtake an earlier, opposite one", function()
    sandbox:configure { task_order = "reversed", task_seconds = 0.3 }
    local client = sandbox:client()
    local stream = assert(client:stream("s", { max_members = 5 }))
    for i = 1, 10 do
      assert(stream:add { external_id = i, email = ("s%d@example.com"):format(i) })
    end
    for i = 1, 7 do
      assert(stream:remove { external_id = i })
    end
    assert(stream:add { external_id = 1, email = "s1@example.com" })
    local res = assert(assert(stream:finish()):wait())
    world.assert_sums(res)
    assert.same({ "1", "10", "8", "9" }, sandbox:ids("s"))
  end)

  it("waits out a 429 with its Retry-After, in seconds or as a date, and tells of it", function()
    for _, form in ipairs { "seconds", "date" } do
      sandbox:reset()
      sandbox:configure { retry_after_form = form, faults = world.json.array { { on = "sync", act = "status", status = 429, retry_after = 1 } } }
      local seen = {}
      local client = sandbox:client { on_event = function(event)
        seen[#seen + 1] = event.event == "retry" and event or nil
      end }
      local res = assert(client:sync(audience("a", 2)))
      assert.same({ 1, 2, 2 }, { res.retries, res.requests[1].attempts, #sandbox:requests("sync") })
      assert.equal(429, seen[1].status)
      assert.is_true(seen[1].seconds >= 0 and seen[1].seconds <= 2.1)
    end
  end)

  it("repeats a 503, and gives up in the end with the request's attempts", function()
    local client = sandbox:client { loop = virtual.loop() }
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 0, times = 2 } } }
    assert.equal(2, assert(client:sync(audience("a", 2))).retries)
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 0, times = -1 } } }
    local res, err = client:sync(audience("a", 2))
    assert.is_nil(res)
    assert.same({ "http", 503, true, 8 }, { err.kind, err.status, err.retryable, err.request.attempts })
    assert.equal(8, #err.request.history)
    for i, attempt in ipairs(err.request.history) do
      assert.same({ "http", 503, i < 8 }, { attempt.kind, attempt.status, attempt.waited ~= nil })
    end
    assert.equal(2, err.result.failed)
    world.assert_sums(err.result)
  end)

  it("repeats a request that may have been carried out in its place, and says so", function()
    for _, act in ipairs { "lost_reply", "cut_after", "half_reply" } do
      sandbox:reset()
      sandbox:fault { on = "sync", act = act }
      local res = assert(sandbox:client { loop = virtual.loop() }:sync(audience("a", 2)))
      assert.same({ 2, 2, 0, true }, { res.accepted, res.possibly_twice, res.unknown, res.requests[1].possibly_twice })
      world.assert_sums(res)
      assert.equal(2, #sandbox:requests("sync"))
      sandbox:reset()
      sandbox:fault { on = "sync", act = act, times = -1 }
      local none, err = sandbox:client { loop = virtual.loop() }:sync(audience("a", 2))
      assert.is_nil(none)
      assert.equal("network", err.kind)
      assert.is_true(err.uncertain)
      assert.same({ 2, 0, "unknown" }, { err.result.unknown, err.result.failed, err.result.requests[1].state })
      world.assert_sums(err.result)
    end
  end)

  it("is repeated by its own policy alone when a kept connection dies", function()
    local client = sandbox:client { loop = virtual.loop() }
    sandbox:fault { on = "sync", act = "die_on_reuse" }
    assert(client:sync(audience("a", 2)))
    local res = assert(client:sync(audience("b", 2)))
    assert.same({ 2, 1, 2 }, { res.requests[1].attempts, res.retries, res.possibly_twice })
    assert.equal(3, #sandbox:requests("sync")) -- libcurl itself repeated none
  end)

  it("counts what a sync is about: not the members of an audience that is deleted, nor those that an earlier sync set aside", function()
    local client = sandbox:client()
    local gone = audience("gone", 3)
    gone:delete()
    local res = assert(client:sync(gone))
    assert.same({ 0, 0, 1 }, { res.members, res.accepted, #sandbox:requests "sync" })
    world.assert_sums(res)

    sandbox:configure { refuse = world.json.array { "few-2", "none-1", "none-2" } }
    local few, none = audience("few", 3), audience("none", 2)
    res = assert(client:sync(few))
    assert.same({ 3, 2, 1 }, { res.members, res.accepted, res.rejected_by_service })
    res = assert(client:sync(few))
    assert.same({ 2, 2, 0 }, { res.members, res.accepted, res.rejected_by_service })
    world.assert_sums(res)

    assert.same({ 0, 2 }, { (function(made) return made.accepted, made.rejected_by_service end)(assert(client:sync(none))) })
    local before = #sandbox:requests "sync"
    local nothing, err = client:sync { few, none }
    assert.same({ nil, "invalid", "audiences[2]", before }, { nothing, err.kind, err.issues[1].path, #sandbox:requests "sync" })
  end)

  it("takes answers of the wrong form for failures that it names", function()
    local client = sandbox:client { loop = virtual.loop() }
    local function first(next_row)
      local row, err = rows_of(next_row)()
      return row or nil, err
    end
    local calls = {
      task = { function() return client:task "t" end, function() return client:wait "t" end },
      audiences = { function() return first(client:audiences()) end, function() return client:audience "a" end },
      sync = { function() return client:sync(audience("a", 1)) end },
      syndication_status = { function() return first(client:syndication_status {}) end },
    }
    local answers = {
      '{"data":5,"error":null}', '{"data":"x","error":null}', '{"data":true,"error":null}', '5', '[]', '{"task":5}', '{"taskId":5,"operationId":{}}',
      '{"audiences":[5],"items":[5],"total":1}', '{"audiences":[null],"items":[null],"total":1}', '{"audiences":["x"],"items":[true]}',
    }
    for kind, list in pairs(calls) do
      for _, answer in ipairs(answers) do
        sandbox:fault { on = kind, act = "status", status = 200, body = answer, times = -1 }
        for i, call in ipairs(list) do
          local value, err = call()
          assert.same({ nil, "BAD_REPLY" }, { value, err and err.code }, ("%s %d: %s"):format(kind, i, answer))
        end
      end
    end
  end)

  it("stops at the first request that fails, and accounts for every member", function()
    local client = sandbox:client()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 500, after = 1, times = -1 } } }
    local res, err = client:run({ map = MAP, audience = "a" }, rows(100), { max_members = 10 })
    assert.is_nil(res)
    assert.equal(500, err.status)
    world.assert_sums(err.result)
    assert.equal(10, err.result.accepted)
    assert.equal(3, #sandbox:requests("sync")) -- a 500 is tried again once
  end)

  it("reports a task that failed, or waits for a person, with the service's own words", function()
    local client = sandbox:client()
    for outcome, kind in pairs { ["failed:transient"] = "task_failed", ["failed:terminal"] = "task_failed", canceled = "task_failed", rejected = "task_failed",
      ["input-required"] = "needs_action", ["auth-required"] = "needs_action", ["audience-error"] = "task_failed" } do
      sandbox:reset()
      sandbox:configure { task_outcomes = world.json.array { outcome, outcome, outcome } }
      local res = assert(client:sync(audience("a", 2)))
      local waited, err = res:wait()
      assert.is_nil(waited)
      assert.equal(kind, err.kind, outcome)
      assert.equal(res, err.result)
      if outcome == "failed:transient" then
        assert.same({ "INTERNAL_ERROR", true, 1 }, { err.code, err.retryable, err.retry_after })
        assert.truthy(err.message:find("Send the request again later", 1, true))
      end
    end
  end)

  it("gives up a wait at its timeout, also when the service invents a status", function()
    sandbox:configure { task_outcomes = world.json.array { "pondering" } }
    local res = assert(sandbox:client():sync(audience("a", 2)))
    local waited, err = res:wait { timeout = 0.6 }
    assert.is_nil(waited)
    assert.equal("timeout", err.kind)
  end)

  it("waits for a task by its id alone, or for an audience behind it", function()
    local client = sandbox:client()
    local res = assert(client:sync(audience("a", 120)))
    local id = res.tasks[1].task_id
    assert.equal("completed", assert(client:wait(id)).status)
    assert.equal("READY", assert(client:wait(id, { audience = "a" })).audience.status)
    assert.equal("completed", assert(client:task(id)).status)
    local task, err = client:task("no-such-task")
    assert.is_nil(task)
    assert.equal("not_found", err.kind)
  end)

  it("waits for the matching of the last request, not of an earlier one", function()
    sandbox:configure { task_seconds = 0.2, audience_seconds = 0.15, faults = world.json.array { { on = "sync", act = "delay", seconds = 0.15, times = -1 } } }
    local res = assert(assert(sandbox:client():run({ map = MAP, audience = "a" }, rows(30), { max_members = 10 })):wait())
    assert.equal(30, res.audience.uploaded_count)
  end)

  it("does not take a row of before for the end of its wait", function()
    local client = sandbox:client()
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a", status = "READY", age = 3600 })
    sandbox:configure { audience_seconds = 0.5 }
    local res = assert(assert(client:sync(audience("a", 3))):wait())
    assert.equal("TOO_SMALL", res.audience.status)
  end)

  it("survives polls that fail, when they are few", function()
    sandbox:configure { task_seconds = 0.5, faults = world.json.array { { on = "task", act = "status", status = 502, times = 2 }, { on = "task", act = "cut_after" } } }
    local res = assert(sandbox:client():sync(audience("a", 3)))
    assert(res:wait())
  end)

  it("pages through audiences and meets none twice", function()
    local client = sandbox:client()
    for i = 1, 7 do
      sandbox:control("PUT", "audience", { account = "25", audienceId = "a" .. i, status = "READY" })
    end
    local seen = {}
    for row in client:audiences { page = 3 } do
      seen[#seen + 1] = row.audience_id
    end
    assert.same({ "a1", "a2", "a3", "a4", "a5", "a6", "a7" }, seen)
    local row, err = client:audience("none")
    assert.is_nil(row)
    assert.equal("not_found", err.kind)
    sandbox:fault { on = "audiences", act = "status", status = 500, times = -1 }
    local failures = 0
    for item, why in rows_of(client:audiences()) do
      assert.is_false(item)
      assert.equal(500, why.status)
      failures = failures + 1
    end
    assert.equal(1, failures)
  end)

  it("offers an audience to agents and reads how far it is", function()
    local client = sandbox:client()
    assert(client:sync(audience("a", 2)))
    local records = assert(client:syndicate { audience_id = "a", adcp_agent_ids = { "agent-1", "agent-2" } })
    assert.same({ "agent-1", "agent-2" }, { records[1].adcp_agent_id, records[2].adcp_agent_id })
    assert(client:syndicate { audience_id = "a", adcp_agent_ids = { "agent-2" }, enabled = false })
    local seen = {}
    for item in client:syndication_status { audience_id = "a" } do
      seen[item.adcp_agent_id] = item.status
    end
    assert.same({ ["agent-1"] = "PENDING", ["agent-2"] = "DISABLED" }, seen)
    local n = 0
    for item in client:syndication_status { audience_id = "a", enabled = false, status = "DISABLED", adcp_agent_id = "agent-2" } do
      n = n + 1
      assert.is_false(item.enabled)
    end
    assert.equal(1, n)
    local none, err = client:syndicate { adcp_agent_ids = {} }
    assert.is_nil(none)
    assert.equal(2, #err.issues)
  end)

  it("asks for callbacks, which the service then makes", function()
    local client = sandbox:client()
    local res = assert(client:sync(audience("a", 2), { push_notification_config = {
      url = sandbox.url .. "/health", operation_id = "op:1", token = ("t"):rep(16), authentication = { scheme = "HMAC-SHA256", credentials = ("s"):rep(32) },
    } }))
    assert(res:wait())
    local deadline, sent = core.now() + 30
    repeat
      sent = sandbox:control("GET", "callbacks").callbacks
    until (sent[1] and sent[1].status) or core.now() > deadline
    assert.is_number(sent[1].status) -- somebody answered it
    assert.equal(res.tasks[1].task_id, sent[1].task_id)
  end)

  it("shows no data of people in errors, though the service quotes it", function()
    local client = sandbox:client { api_key = "scope3_top_secret_key" }
    sandbox:configure { faults = world.json.array { { on = "sync", act = "echo", status = 409 }, { on = "sync", act = "echo" } } }
    local crm = assert(scope3.audience { id = "a" })
    assert(crm:add { external_id = "customer-4711", email = "jane@example.com" })
    local res, err = client:sync(crm)
    assert.is_nil(res)
    assert.equal("VALIDATION_ERROR", err.code)
    local refused = assert(client:sync(crm))
    assert.equal(1, refused.rejected_by_service)
    assert.equal("audiences[0].add[0].externalId", err.field)
    local text = tostring(err) .. err.message .. err.result:json() .. refused:json()
    for _, issue in ipairs(err.issues) do
      text = text .. (issue.path or "") .. issue.message
    end
    for _, secret in ipairs { "customer-4711", "jane@example.com", "2065551234", "top_secret", "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d" } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
  end)

  it("dry runs without a key or a network, and says what would be sent", function()
    local client = assert(scope3.client { base_url = "http://127.0.0.1:9" })
    local res = assert(client:run({ map = MAP, audience = "a" }, rows(25), { max_members = 10, dry_run = true }))
    assert.same({ 25, 0, 3 }, { res.would_send, res.accepted, #res.requests })
    world.assert_sums(res)
    assert.equal(res, res:wait())
  end)

  it("stops when it is told to, and at its deadline", function()
    local client = sandbox:client()
    local asked = 0
    local res, err = client:run({ map = MAP, audience = "a" }, rows(100000), { cancel = function()
      asked = asked + 1
      return asked > 3
    end })
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    world.assert_sums(err.result)
    sandbox:fault { on = "sync", act = "hang" }
    res, err = client:run({ map = MAP, audience = "a" }, rows(5), { deadline = 0.3 })
    assert.is_nil(res)
    assert.equal("timeout", err.kind)
    assert.equal(5, err.result.unknown)
  end)

  it("lets a request that is under way be answered when it is stopped, within its grace", function()
    local client = sandbox:client()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.5, times = -1 } } }
    local seen, stop = {}, false
    local res, err = client:run({ map = MAP, audience = "a" }, rows(30), { max_members = 10, cancel = function()
      return stop
    end, on_event = function(event)
      seen[event.event] = (seen[event.event] or 0) + 1
      stop = stop or event.event == "request"
    end })
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    assert.same({ 10, 0, 1 }, { err.result.accepted, err.result.unknown, #sandbox:requests("sync") })
    world.assert_sums(err.result)
    assert.same({ 1, 1 }, { seen.request, seen.accepted })
  end)

  it("tells a job's own listener of retries", function()
    sandbox:fault { on = "sync", act = "status", status = 503, retry_after = 0 }
    local retries = 0
    assert(sandbox:client():sync(audience("a", 1), { on_event = function(event)
      retries = retries + (event.event == "retry" and 1 or 0)
    end }))
    assert.equal(1, retries)
  end)

  it("refuses before sending what would fit into no request", function()
    local client = sandbox:client()
    local big = audience("ok", 1)
    assert(big:add { external_id = ("x"):rep(5000), email = "a@example.com" })
    local res, err = client:sync({ audience("a", 2), big }, { max_bytes = 4096 })
    assert.is_nil(res)
    assert.same({ "invalid", "audiences[2]" }, { err.kind, err.issues[1].path })
    assert.equal(0, #sandbox:requests())
    res, err = client:stream("s", { max_bytes = 4096, push_notification_config = { url = "https://example.com", token = ("t"):rep(4000) } })
    assert.is_nil(res)
    assert.equal("max_bytes", err.issues[1].path)
    local stream = assert(client:stream("s", { max_bytes = 4096 }))
    local added, why = stream:add { external_id = ("x"):rep(5000), email = "a@example.com" }
    assert.is_nil(added)
    assert.equal("member_too_large", why.code)
    assert(stream:finish())
  end)
end)

describe("a body", function()
  local server
  setup(function()
    server = capture.start()
  end)
  teardown(function()
    server.close()
    world.clean()
  end)

  it("with every kind of member fits the contract's schema", function()
    local client = assert(scope3.client { api_key = "scope3_x", account_id = 25, base_url = server.url })
    local crm = assert(scope3.audience { id = 'a"\\é', name = "N\n", consent_basis = "contract" })
    assert(crm:add { external_id = "1", email = "a@example.com" })
    assert(crm:add { external_id = "2", phone = "+12065551234" })
    assert(crm:add { external_id = "3", uids = { { type = "mine", value = 'x"y' }, { type = "maid", value = "6D92078A-8246-4BA4-AE5B-76104861E7DC" } } })
    assert(crm:add { external_id = "4", email = "a@example.com", phone = "+12065551234", uids = { { type = "id5", value = "ID5*x" } } })
    assert(crm:add { external_id = "5", hashed_email = ("AB"):rep(32), hashed_phone = ("cd"):rep(32) })
    assert(crm:add { external_id = "1", email = "b@example.com" })
    assert(crm:remove { external_id = "4" })
    assert(crm:remove { external_id = "6" })
    local every = {}
    for byte = 32, 126 do
      every[#every + 1] = string.char(byte)
    end
    local odd = "x" .. table.concat(every) .. "é😀"
    assert(crm:add { external_id = odd, email = "a@example.com" })
    local gone = assert(scope3.audience { id = "gone" }):delete()
    assert(client:sync({ crm, gone }, { push_notification_config = { url = "https://example.com/hook", operation_id = "op", token = ("t"):rep(16),
      authentication = { scheme = "Bearer", credentials = ("s"):rep(32) } } }))
    local bodies = server.bodies()
    assert.equal(1, #bodies)
    local decoded = assert(world.json.decode(bodies[1]))
    assert.same({}, json_schema.told(contract.closed(contract.sync_request), decoded))
    local sent = decoded.audiences[1]
    assert.equal('a"\\é', sent.audienceId)
    assert.same({ "2", "3", "5", "1", odd }, {
      sent.add[1].externalId, sent.add[2].externalId, sent.add[3].externalId, sent.add[4].externalId, sent.add[5].externalId })
    assert.same({ { externalId = "4" }, { externalId = "6" } }, sent.remove)
    assert.same({ audienceId = "gone", delete = true }, decoded.audiences[2])
  end)
end)

describe("the payloads of a job", function()
  it("are freed when it ends, however it does, and not when somebody collects garbage", function()
    local made, make = {}, core.payload
    core.payload = function(limits)
      made[#made + 1] = make(limits)
      return made[#made]
    end
    finally(function()
      core.payload = make
    end)
    local client = assert(scope3.client {})
    local function member(i)
      return { external_id = i, email = "a@b.example" }
    end
    local function fill(opts)
      opts.dry_run, opts.max_members = true, 10
      local stream = assert(client:stream("a", opts))
      for i = 1, 95 do
        assert(stream:add(member(i % 60)))
      end
      return stream
    end
    assert(fill {}:finish())
    assert(fill { unique = true }:finish())
    fill {}:cancel()
    local i = 0
    assert(client:run({ audience = "a", member = function(row) return member(row[1]) end }, function()
      i = i + 1
      return i < 50 and { i } or nil
    end, { dry_run = true, max_members = 10 }))
    assert.is_true(#made >= 4)
    for _, payload in ipairs(made) do
      assert.has_error(function()
        payload:living()
      end, "attempt to use a closed payload")
    end
  end)
end)

describe("the payloads that hold members", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- The most that hold members at once, in a job of 120 rows in requests of 10.
  local function most_of(opts, id_of)
    local made, make, most = {}, core.payload, 0
    core.payload = function(limits)
      made[#made + 1] = make(limits)
      return made[#made]
    end
    finally(function()
      core.payload = make
    end)
    sandbox:configure { faults = { { on = "sync", act = "delay", seconds = 0.05, times = -1 } } }
    opts.max_members = 10
    opts.on_event = function()
      local n = 0
      for _, payload in ipairs(made) do
        n = n + (payload:count() > 0 and 1 or 0)
      end
      most = math.max(most, n)
    end
    local i = 0
    local res = assert(sandbox:client():run({ audience = "a", map = { external_id = "id", email = "mail" } }, function()
      i = i + 1
      return i <= 120 and { id = id_of(i), mail = ("%d@example.com"):format(i) } or nil
    end, opts))
    core.payload = make
    assert.equal(res.members, res.accepted + res.replaced)
    return most
  end

  it("are the requests under way and one more, however fast rows come", function()
    local function each(i)
      return i
    end
    for _, opts in ipairs { {}, { unique = true }, { concurrency = 4 } } do
      local most, allowed = most_of(opts, each), (opts.concurrency or 1) + 1
      assert.is_true(most > 1 and most <= allowed, ("%d payloads, %d allowed"):format(most, allowed))
    end
  end)

  it("and what waits for the next epoch, where ids come again", function()
    local most = most_of({ unique = true }, function(i)
      return i % 25 == 0 and 1 or i
    end)
    assert.is_true(most <= 3, most .. " payloads")
  end)
end)
