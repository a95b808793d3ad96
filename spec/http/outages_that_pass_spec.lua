-- A short outage does not fail a job: requests are tried again for as long as `patience` says.
-- With keep_going, a refused request does not stop those that do not depend on it.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local retry = require "scope3.http.retry"
local scope3 = require "scope3"
local socket = require "cqueues.socket"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function audience(members, id)
  local made = assert(scope3.audience { id = id or "a" })
  for i = 1, members do
    assert(made:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
  end
  return made
end

-- A port on which nobody listens, below those that the system gives to connections: so nobody gets it by chance.
local function closed_port()
  for _ = 1, 100 do
    local port = 20000 + math.floor(core.random() * 10000)
    local listener = socket.listen { host = "127.0.0.1", port = port }
    local free = pcall(listener.listen, listener)
    listener:close()
    if free then
      return port
    end
  end
  error "no port is free"
end

describe("an outage", function()
  local server = answering.around(setup, teardown)

  local function tries(url, opts)
    local loop, events = virtual.loop(), {}
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000,
      loop = loop })
    opts.on_event = function(event)
      events[#events + 1] = event.event == "retry" and event or nil
    end
    local ok, err = client:sync(audience(2), opts)
    return ok, err, loop.elapsed(), events
  end

  it("at the start is tried eight times, and as long as patience says where somebody says so", function()
    local url = "http://127.0.0.1:" .. closed_port()
    local _, err = tries(url, {})
    assert.same({ "COULDNT_CONNECT", 8 }, { err.code, err.request.attempts })
    for _, patience in ipairs { 5, 60, 600 } do
      local _, refused, seconds, events = tries(url, { patience = patience })
      assert.equal("COULDNT_CONNECT", refused.code)
      assert.is_true(seconds >= patience and seconds < patience + 30, seconds)
      assert.same({ 0, 2 }, { refused.result.unknown, refused.result.failed })
      assert.is_true(events[1].left > patience - 1 and events[1].left <= patience
        and events[#events].left <= events[1].left)
      assert.truthy(events[#events].message:find("refused the connection", 1, true))
      assert.truthy(refused.message:find(("(%d attempts)"):format(refused.request.attempts), 1, true), refused.message)
    end
    _, err = tries(url, { patience = 0 })
    assert.equal(1, err.request.attempts)
    local seconds
    _, err, seconds = tries(url, { patience = 600, deadline = 20 })
    assert.equal("timeout", err.kind)
    assert.is_true(seconds >= 20 and seconds < 60, seconds)
  end)

  it("is 502, 503 and 504 too, also where each asks for no pause; not a rejection, nor a 500", function()
    for _, status in ipairs { 502, 503, 504 } do
      server:answer(("return function() return %d, '', { { 'Retry-After', '0' } } end"):format(status))
      local _, err, seconds = tries(server.url, { patience = 120 })
      assert.same({ "http", status }, { err.kind, err.status })
      assert.is_true(seconds >= 120 and seconds < 160, seconds)
      assert.is_true(err.request.attempts > 8 and err.request.attempts < 60, err.request.attempts)
    end
    for status, attempts in pairs { [401] = 1, [400] = 1, [500] = 2, [501] = 1 } do
      server:answer(("return function() return %d, '{}' end"):format(status))
      local _, err = tries(server.url, { patience = 600 })
      assert.same({ status, attempts }, { err.status, err.request.attempts })
    end
  end)

  -- What a job comes to at a service that is away, but for its sixth answer; and for how long it was patient.
  local function beside(sixth)
    server:answer(([[
      local n = 0
      return function()
        n = n + 1
        if n == 6 then %s end
        return 503, "", { { "Retry-After", "100" } }
      end]]):format(sixth))
    local _, err, seconds = tries(server.url, { patience = 1000, timeout = 3 })
    assert.same({ 503, true }, { err.status, err.outage })
    return seconds
  end

  it("goes on where a request is not answered, and is over with an answer", function()
    local unanswered = beside "return"
    assert.is_true(unanswered >= 1000 and unanswered < 1300, unanswered)
    local answered = beside "return 500, ''"
    assert.is_true(answered >= 1500 and answered < 1800, answered)
  end)

  it("that ends in time leaves nothing behind", function()
    local again = { 503, "" }
    local sync = {}
    for i = 1, 14 do
      sync[i] = again
    end
    sync[15] = '{"success":true,"taskId":"t1"}'
    server:play { sync = sync }
    local res = assert(tries(server.url, { patience = 3600 }))
    assert.same({ 2, 15 }, { res.accepted, res.requests[1].attempts })
    sync[16] = { 503, "" } -- another text, so that it is played from its beginning
    server:play { sync = sync }
    local _, err = tries(server.url, {})
    assert.equal(8, err.request.attempts)
  end)

  it("in a wait is outlasted as well", function()
    local away = {}
    for i = 1, 60 do
      away[i] = { 503, "" }
    end
    away[61] = '{"task":{"taskId":"$ID","status":"completed"}}'
    server:play { task = away }
    local client = server:client()
    assert.equal("completed", assert(client:wait("t1", { timeout = 86400, patience = 36000 })).status)
    for i = 61, 400 do
      away[i] = { 503, "" }
    end
    server:play { task = away }
    local loop = virtual.loop()
    local _, err = server:client({ loop = loop }):wait("t1", { timeout = 86400, patience = 100 })
    assert.equal(503, err.status)
    assert.is_true(loop.elapsed() >= 100 and loop.elapsed() < 110, loop.elapsed())
  end)

  it("of the name is one, and of a certificate none", function()
    local known = function(code, rest)
      local err = { kind = "network", code = code, retryable = true }
      for key, value in pairs(rest or {}) do
        err[key] = value
      end
      return retry.is_outage(err)
    end
    for _, code in ipairs { "COULDNT_RESOLVE_HOST", "COULDNT_RESOLVE_PROXY", "COULDNT_CONNECT", "GOT_NOTHING",
      "RECV_ERROR", "PROXY_FAILED",
      "NO_DESCRIPTORS", "NOT_STARTED" } do
      assert.is_true(known(code), code)
    end
    for _, code in ipairs { "PEER_FAILED_VERIFICATION", "SSL_CACERT_BADFILE", "SSL_CLIENTCERT", "NOT_TLS",
      "PROXY_REFUSED", "FORKED" } do
      assert.is_false(known(code), code)
    end
  end)

  it("of the first second costs the command nothing but that second, and is reported", function()
    local port = closed_port()
    local csv = world.file "id,mail\n1,a@example.com\n"
    local words = { "sync", csv, "--audience", "a", "--base-url", "http://127.0.0.1:" .. port, "--map",
      "external_id=id", "--map", "email=mail" }
    local env = { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" }
    words[#words + 1] = "--patience=0"
    local started = core.now()
    local code, _, complaint = world.command(words, env)
    assert.equal(1, code)
    assert.truthy(complaint:find("refused the connection", 1, true), complaint)
    assert.is_true(core.now() - started < 60) -- of the five minutes that it would be patient
    words[#words] = nil
    local pid = world.path ".pid"
    os.execute(("(sleep 1.5; exec timeout 60 %s bin/scope3.in sandbox --port %d) >/dev/null 2>&1 & echo $! >%s"):format(
      os.getenv "SCOPE3_LUA_BIN", port, pid))
    local out
    words[#words + 1] = "--json"
    code, out, complaint = world.command(words, env)
    os.execute("kill " .. world.read(pid))
    assert.equal(0, code, complaint)
    local res = world.json.decode(out)
    assert.equal(1, res.accepted)
    assert.is_true(res.retries > 0)
    code, _, complaint = world.command({ "sync", csv, "--audience", "a", "--map", "external_id=id", "--map",
      "email=mail", "--dry-run", "--patience", "9" })
    assert.equal(2, code)
    assert.truthy(complaint:find("%-%-patience has no effect"), complaint)
  end)
end)

describe("keep_going", function()
  local server = answering.around(setup, teardown)

  local REFUSED = [[
    local json = ...
    local n = 0
    return function(request)
      if request.method == "GET" then
        return 200, '{"audiences":[{"audienceId":"a","status":"READY"}],"task":{"taskId":"' .. request.path:match "[^/]+$" .. '","status":"completed"}}'
      end
      n = n + 1
      if request.body:find '"externalId":"m?[24]"' then return %s end
      return 202, '{"success":true,"taskId":"t' .. n .. '"}'
    end
  ]]

  it("sends what is independent of a refused request, and ends with its error", function()
    for _, rejection in ipairs { [[422, '{"error":{"code":"VALIDATION_ERROR","message":"no"}}']],
      [[400, '{"error":{"code":"BAD_REQUEST","message":"no"}}']],
      [[409, '{"error":{"code":"CONFLICT","message":"no"}}']] } do
      for _, keep_going in ipairs { false, true } do
        server:answer(REFUSED:format(rejection))
        local ok, err = server:client():sync(audience(5), { max_members = 1, keep_going = keep_going })
        assert.is_nil(ok)
        local res = err.result
        assert.same(keep_going and { 3, 2 } or { 1, 4 }, { res.accepted, res.failed })
        assert.equal(keep_going, err.message:find("and 1 more failure;", 1, true) ~= nil, err.message)
        world.assert_sums(res)
      end
    end
  end)

  it("never lets an older row of a refused request land after a newer one, in a later run either", function()
    local csv, journal = world.file "id,mail\nm1,a@b.co\nm2,old@b.co\nm3,c@b.co\nm5,d@b.co\nm2,new@b.co\nm6,e@b.co\n",
      world.path ".journal"
    local opts = { max_members = 2, keep_going = true, journal = journal }
    local map = { map = { external_id = "id", email = "mail" }, audience = "a" }
    local accepts = [[
      local json = ...
      return function(request)
        if request.method == "GET" then return 200, '{"task":{"taskId":"t1","status":"completed"}}' end
        if request.body:find(%q) then return 422, '{"error":{"code":"VALIDATION_ERROR","message":"no"}}' end
        local file = io.open(%q, "ab")
        for id, hash in request.body:gmatch '"externalId":"(m%%d)","hashedEmail":"(%%x+)"' do file:write(id, " ", hash, "\n") end
        file:close()
        return 202, '{"success":true,"taskId":"t1"}'
      end
    ]]
    local log = world.path ".sent"
    server:answer(accepts:format('"externalId":"m1"', log))
    local ok, err = server:client():run(map, csv, opts)
    assert.is_nil(ok)
    assert.same({ 4, 2 }, { err.result.accepted, err.result.failed })
    server:answer(accepts:format("nothing", log))
    local res, why = server:client():run(map, csv, opts)
    res = res or why.result
    world.assert_sums(res)
    assert.same({ 5, 1, 0 }, { res.accepted, res.replaced, res.failed }, tostring(why))
    local last = {}
    for id, hash in world.read(log):gmatch "(m%d) (%x+)" do
      last[id] = hash
    end
    assert.equal(scope3.email.hash "new@b.co", last.m2)
    assert.equal(scope3.email.hash "a@b.co", last.m1)
  end)

  it("stops at what the next request would meet too: the key, the account, the host, an answer that was lost",
    function()
    for _, rejection in ipairs {
      [[401, '{}']], [[402, '{}']], [[403, '{}']], [[404, '{}']],
      [[501, '{}']], [[500, '{}']], [[202, '{"success":true}']],
    } do
      server:answer(REFUSED:format(rejection))
      local ok, err = server:client():sync(audience(5), { max_members = 1, keep_going = true })
      assert.is_nil(ok)
      assert.same({ 1, 4 }, { err.result.accepted, err.result.failed + err.result.unknown }, rejection)
      world.assert_sums(err.result)
    end
  end)

  it("goes on over tasks that failed for good, and deletes nothing then", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"failed"}}',
      '{"task":{"taskId":"$ID","status":"completed"}}' },
      audiences = {
        '{"audiences":[{"audienceId":"a","status":"READY"},{"audienceId":"old","status":"READY"}],"total":2}',
      } }
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n1,e@f.co\n2,g@h.co\n"
    local ok, err = server:client():run({ map = { external_id = "id", email = "mail" }, audience = "a",
      unique = true }, csv,
      { max_members = 1, keep_going = true, delete_missing = "all" })
    assert.is_nil(ok)
    assert.same({ "task_failed", 3, 1 }, { err.kind, err.result.accepted + err.result.replaced, err.result.failed })
    assert.is_true(err.result.epochs > 1 and err.result.accepted > 1)
    assert.truthy(err.message:find("nothing was deleted", 1, true), err.message)
    world.assert_sums(err.result)
  end)

  it("on the command line ends with 1, and waits for what was accepted", function()
    server:answer(REFUSED:format [[422, '{"error":{"code":"VALIDATION_ERROR","message":"no"}}']])
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n3,e@f.co\n4,g@h.co\n5,i@j.co\n"
    local code, out, complaint = world.command({ "sync", csv, "--audience", "a", "--base-url", server.url, "--map",
      "external_id=id", "--map", "email=mail",
      "--max-members", "1", "--keep-going", "--json", "--wait=20" },
        { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" })
    assert.equal(1, code)
    local res = world.json.decode(out)
    assert.same({ 3, 2, "completed" }, { res.accepted, res.failed, res.tasks[1].status }, complaint)
    assert.truthy(complaint:find("VALIDATION_ERROR", 1, true), complaint)
  end)
end)
