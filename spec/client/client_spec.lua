-- The client against a real sandbox: what it sends, and what it reports of it.
local capture = require "spec.support.capture"
local contract = require "spec.support.contract"
local json_schema = require "spec.support.json_schema"
local people = require "spec.support.people"
local scope3 = require "scope3"
local world = require "spec.support.world"

local audience, rows, MAP = people.audience, people.rows, people.MAP

describe("making a client", function()
  it("reports every problem at once, and never shows the key", function()
    local client, err = scope3.client {
      api_key = "scope3_se cret", account_id = "a b", base_url = "http://example.com",
    }
    assert.is_nil(client)
    assert.equal("invalid", err.kind)
    assert.equal(3, #err.issues)
    assert.is_nil(tostring(err):find("cret", 1, true))
  end)

  it("takes https, and plain http to this machine alone", function()
    for _, url in ipairs {
      "https://api.example.com", "http://127.0.0.1:80",
      "http://localhost:9/", "http://[::1]:9", "https://h/api/v2/buyer/",
    } do
      assert.is_table(scope3.client { base_url = url })
    end
    for _, url in ipairs {
      "http://example.com", "http://127.0.0.1.example.com", "http://127.0.0.1@example.com",
      "https://me@example.com", "ftp://example.com", "https://example.com/?a=b", "nonsense",
    } do
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
    assert.same({
      hashedPhone = "f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca",
      uids = { { type = "mine", value = "Abc=" } },
    }, members.p)
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
      assert.is_true(request.build_start <= request.build_end and request.build_end <= request.send_start
        and request.send_start <= request.send_end)
      local before = res.requests[i - 1]
      if before then
        assert.is_true(request.build_start < before.send_end and request.send_start >= before.send_end)
      end
    end
  end)

  it("sends name and consent basis with every request", function()
    local client = sandbox:client()
    assert(client:run({ map = MAP, audience = { id = "n", name = 'The "N"', consent_basis = "consent" } }, rows(30),
      { max_members = 10 }))
    local log = sandbox:requests("sync")
    assert.equal(3, #log)
    for _, request in ipairs(log) do
      assert.equal('The "N"', request.audiences[1].name)
      assert.equal("consent", request.audiences[1].consentBasis)
    end
  end)

  it("checks every rule before anything is sent, and reports all problems at once", function()
    local client = sandbox:client()
    local res, err = client:run({
      map = MAP, audience = { id = ("x"):rep(256), name = ("é"):rep(256), consent_basis = "maybe" },
    }, rows(1), {
      max_members = 100001,
      push_notification_config = {
        url = "nope", operation_id = "a b", token = "short", authentication = { scheme = "Basic", credentials = "x" },
      },
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

  it("counts neither the members of a deleted audience, nor those that an earlier sync set aside", function()
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

    assert.same({ 0, 2 },
      { (function(made) return made.accepted, made.rejected_by_service end)(assert(client:sync(none))) })
    local before = #sandbox:requests "sync"
    local nothing, err = client:sync { few, none }
    assert.same({ nil, "invalid", "audiences[2]", before },
      { nothing, err.kind, err.issues[1].path, #sandbox:requests "sync" })
  end)

  it("shows no data of people in errors, though the service quotes it", function()
    local client = sandbox:client { api_key = "scope3_top_secret_key" }
    sandbox:configure { faults = world.json.array {
      { on = "sync", act = "echo", status = 409 }, { on = "sync", act = "echo" },
    } }
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
    for _, secret in ipairs {
      "customer-4711", "jane@example.com", "2065551234", "top_secret",
      "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d",
    } do
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

  it("refuses before sending what would fit into no request", function()
    local client = sandbox:client()
    local big = audience("ok", 1)
    assert(big:add { external_id = ("x"):rep(5000), email = "a@example.com" })
    local res, err = client:sync({ audience("a", 2), big }, { max_bytes = 4096 })
    assert.is_nil(res)
    assert.same({ "invalid", "audiences[2]" }, { err.kind, err.issues[1].path })
    assert.equal(0, #sandbox:requests())
    res, err = client:stream("s", { max_bytes = 4096, push_notification_config = {
      url = "https://example.com", token = ("t"):rep(4000),
    } })
    assert.is_nil(res)
    assert.equal("max_bytes", err.issues[1].path)
    local stream = assert(client:stream("s", { max_bytes = 4096 }))
    local added, why = stream:add { external_id = ("x"):rep(5000), email = "a@example.com" }
    assert.is_nil(added)
    assert.equal("member_too_large", why.code)
    assert(stream:finish())
  end)

  it("takes the longest member that a request has room for, and refuses one of a byte more", function()
    local client = sandbox:client()
    local function send(length)
      local stream = assert(client:stream("s", { max_bytes = 4096 }))
      local added, why = stream:add { external_id = ("x"):rep(length), email = "a@example.com" }
      return added and assert(stream:finish()).requests[1].bytes or why.code
    end
    local bytes = send(3000)
    assert.is_true(bytes > 3000 and bytes < 4096, bytes)
    local longest = 3000 + 4095 - bytes -- one byte is for the comma before another audience
    assert.same({ 4095, "member_too_large" }, { send(longest), send(longest + 1) })
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
    assert(crm:add { external_id = "3", uids = {
      { type = "mine", value = 'x"y' }, { type = "maid", value = "6D92078A-8246-4BA4-AE5B-76104861E7DC" },
    } })
    assert(crm:add {
      external_id = "4", email = "a@example.com", phone = "+12065551234", uids = { { type = "id5", value = "ID5*x" } },
    })
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
    assert(client:sync({ crm, gone }, {
      push_notification_config = { url = "https://example.com/hook", operation_id = "op", token = ("t"):rep(16),
        authentication = { scheme = "Bearer", credentials = ("s"):rep(32) } },
    }))
    local bodies = server.bodies()
    assert.equal(1, #bodies)
    local decoded = assert(world.json.decode(bodies[1]))
    assert.same({}, json_schema.told(contract.closed(contract.sync_request), decoded))
    local sent = decoded.audiences[1]
    assert.equal('a"\\é', sent.audienceId)
    assert.same({ "2", "3", "5", "1", odd }, {
      sent.add[1].externalId, sent.add[2].externalId, sent.add[3].externalId, sent.add[4].externalId,
      sent.add[5].externalId })
    assert.same({ { externalId = "4" }, { externalId = "6" } }, sent.remove)
    assert.same({ audienceId = "gone", delete = true }, decoded.audiences[2])
  end)
end)
