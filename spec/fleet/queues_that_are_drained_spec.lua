-- client:drain on a real Redis and the sandbox: what goes, what stays, and who may send.
local core = require "scope3.core"
local entry = require "scope3.fleet.entry"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local LEASE = 1 -- seconds, the shortest

local function hash(text)
  return core.sha256(text)
end

describe("a queue that is drained", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, connection, client, name, q
  local number = 0

  setup(function()
    server = redis.start { conf = "appendonly yes\nappendfsync no\n" }
    connection = server:open()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    number = number + 1
    name = "q" .. number
    q = queue.new(connection, name, "")
    client = sandbox:client()
    sandbox:configure { task_seconds = 0 }
  end)

  -- The text of an entry: { audience, "+id" or "-id", … } each.
  local function text_of(...)
    local list = {}
    for i, one in ipairs { ... } do
      local payload = core.payload { max_members = 1000, max_bytes = 1000000 }
      local lines = {}
      for j = 2, #one do
        local id = one[j]:sub(2)
        lines[j - 1] = one[j]:sub(1, 1) == "-" and ('-{"externalId":"%s"}'):format(id)
          or ('+{"externalId":"%s","hashedEmail":"%s"}'):format(id:match "^[^=]*", hash(id))
      end
      payload:take(packed_lines.of(lines), 1)
      list[i] = { audience = { id = one[1] }, payload = payload }
    end
    return entry.write(list)
  end

  local function put(...)
    local lines, n = text_of(...)
    return assert(q:append("f" .. core.random(), n, lines))
  end

  -- Who had the lease before has handed it over, so that nobody is quiet.
  local function hand_over()
    local host = assert(require("scope3.fleet.checks").look(connection))
    local own = queue.new(connection, name, host.run)
    local grant = assert(own:lease("somebody", 30))
    assert.is_true(own:release("somebody", grant.epoch))
  end

  local function drain(options)
    local all = { redis = server.url, queue = name, once = true, lease = 30 }
    for key, value in pairs(options or {}) do
      all[key] = value
    end
    return client:drain(all)
  end

  it("reaches every audience, with the last operation on each id", function()
    hand_over()
    put({ "a", "+1", "+2", "+3=old" }, { "b", "+1" })
    put({ "a", "-2", "+3=new" })
    local res = assert(drain())
    assert.same({ 2, 6, 4, 0, 1 }, { res.entries, res.members, res.accepted, res.repeated, res.leases })
    assert.is_true(res.released)
    assert.same({}, res.warnings)
    local members = sandbox:members "a"
    assert.same({ hash "1", nil, hash "3=new" }, { members["1"].hashedEmail, members["2"], members["3"].hashedEmail })
    assert.equal(hash "1", sandbox:members "b"["1"].hashedEmail)
    assert.equal(0, q:figures().entries)
    assert.equal(0, res.waiting)
  end)

  it("goes in several batches where an entry is larger than a request may be", function()
    hand_over()
    local ids = { "a" }
    for i = 1, 50 do
      ids[i + 1] = "+" .. i
    end
    put(ids)
    put({ "a", "-1", "+2=new" })
    local res = assert(drain { max_members = 20 })
    assert.same({ 2, 52, 52 }, { res.entries, res.members, res.accepted })
    assert.is_true(res.requests >= 3)
    assert.is_nil(sandbox:members "a"["1"])
    assert.equal(hash "2=new", sandbox:members "a"["2"].hashedEmail)
  end)

  it("passes over what is no member, and counts it", function()
    hand_over()
    local line = packed_lines.of { ('+{"externalId":"1","hashedEmail":"%s"}'):format(hash "1") }
    local label, junk = packed_lines.of { '@{"audienceId":"a"}' }, packed_lines.line("?", "junk")
    assert(q:append("f1", 4, junk .. line .. label .. line .. junk .. packed_lines.of { "@{}" } .. line))
    assert(connection:call("XADD", ("{scope3:%s}:s"):format(name), "*", "x", "y"))
    local res = assert(drain())
    -- two lines before any label, one in the audience, a label and its line, and an entry
    assert.same({ 2, 1, 6 }, { res.entries, res.accepted, res.unreadable })
  end)

  it("does not say that nobody has the lease, where it ended before the answer", function()
    local lease = ("{scope3:%s}:lease"):format(name)
    local loop = { name = "faulty", now = core.now, sleep = core.sleep }
    function loop.wait(engine, seconds)
      local ends = core.now() + 0.3
      repeat
        assert(connection:call("EXISTS", lease) == 0, "a fault of the loop")
      until core.now() > ends
      engine:wait(seconds)
    end
    client = sandbox:client { loop = loop }
    local none, err = drain()
    assert.is_nil(none)
    assert.truthy(err.message:find("a fault of the loop", 1, true), err.message)
    assert.same({ 1, false }, { connection:call("EXISTS", lease), err.result.released })
  end)

  it("leaves what a later version appended, and all behind it, sends the rest, and hands the lease over", function()
    hand_over()
    put { "a", "+1", "+2" }
    assert(connection:call("XADD", ("{scope3:%s}:s"):format(name), "*", "v", "2", "n", "1", "z", "x"))
    put { "a", "+3" }
    for _, before in ipairs { 2, 0 } do
      local none, err = drain { once = false }
      assert.is_nil(none)
      assert.same({ "redis", "LATER_FORM" }, { err.kind, err.code })
      assert.truthy(err.message:find("upgrade this drainer", 1, true), err.message)
      local res = err.result
      assert.same({ before, 0, true }, { res.accepted, res.unreadable, res.released })
      assert.equal(2, q:figures().entries)
    end
  end)

  it("passes over what is longer than there is, or than a label may be, and reads the next entry", function()
    hand_over()
    local line = packed_lines.of { ('+{"externalId":"1","hashedEmail":"%s"}'):format(hash "1") }
    local label = packed_lines.of { '@{"audienceId":"a"}' }
    local long = packed_lines.of { ('@{"audienceId":"a","name":"%s"}'):format(("x"):rep(4096)) }
    local texts = {
      { long .. line .. label .. line, 2 }, -- the label and its line
      { label .. line .. "junk\n", 1 }, { label .. line .. "@", 1 }, { label .. line .. "+\255\255\255\255x", 1 },
      { label .. line .. "@\255\255\255\255" .. label, 1 }, { label .. line .. line:sub(1, -2), 1 },
      { packed_lines.line("+", "x", 2 ^ 32 - 1), 1, 0 }, { label .. line .. packed_lines.line("@", label, 4096), 1 },
    }
    for i, one in ipairs(texts) do
      assert(q:append("f" .. i, 1, one[1]))
      local res = assert(drain())
      assert.same({ 1, one[3] or 1, one[2] }, { res.entries, res.members, res.unreadable }, "text " .. i)
    end
  end)

  it("counts each member behind a length that is wrong, and none that an entry has no room for", function()
    hand_over()
    local lines, label = {}, packed_lines.of { '@{"audienceId":"a"}' }
    for i = 1, 100 do
      lines[i] = packed_lines.of { ('+{"externalId":"%d","hashedEmail":"%s"}'):format(i, hash(tostring(i))) }
    end
    lines[41] = "+\255\255\255\255" .. lines[41]:sub(6)
    assert(q:append("f1", 100, label .. table.concat(lines)))
    local res = assert(drain { max_members = 30 }) -- the rest of it is read later
    assert.same({ 1, 40, 40, 60 }, { res.entries, res.members, res.accepted, res.unreadable })
    assert(q:append("f2", 9999999, label .. lines[1] .. ("x"):rep(100)))
    res = assert(drain())
    assert.same({ 1, 1 }, { res.entries, res.accepted })
    assert.is_true(res.unreadable >= 1 and res.unreadable < 30, res.unreadable)
  end)

  it("gives up what the service refuses for its content, and goes on", function()
    hand_over()
    put({ "a", "+1", "+2", "+3" })
    sandbox:fault { on = "sync", act = "status", status = 422 }
    local res = assert(drain())
    assert.same({ 1, 0, 3 }, { res.entries, res.accepted, res.failed })
    assert.equal(0, q:figures().entries)
  end)

  it("tells what it gives up with each batch, and why", function()
    hand_over()
    assert(q:append("f1", 4, packed_lines.line("?", "junk") .. text_of({ "a", "+1", "+2", "+3" })))
    put({ "a", "+4" })
    sandbox:fault { on = "sync", act = "status", status = 422, code = "NOT_LIKED", message = "not liked" }
    local told = {}
    local res = assert(drain { max_members = 3, on_event = function(event)
      if event.event == "given_up" then
        told[#told + 1] = event
        sandbox:configure { refuse = { "4" } }
      end
    end })
    assert.same({ 2, 3, 1, 1 }, { res.entries, res.failed, res.unreadable, res.rejected_by_service })
    local first = table.remove(told, 1)
    assert.same({ 3, 1, 422, "NOT_LIKED" }, { first.failed, first.unreadable, first.status, first.code })
    assert.truthy(first.message:find "^1 cannot be read, 3 in requests that the service refused for good: .*not liked",
      first.message)
    local second = { event = "given_up", rejected_by_service = 1, message = "1 refused by the service" }
    assert.same({ second }, told)
  end)

  it("looks at once for every audience that may not exist, so that they are waited for together", function()
    hand_over()
    for i = 1, 5 do
      put({ "gone" .. i, "-1" })
    end
    put({ "a", "+1" })
    local stop = false
    local none, err = drain { on_event = function(event)
      stop = stop or event.event == "put_off"
    end, cancel = function()
      return stop
    end }
    assert.same({ nil, "cancelled", 0, 1 }, { none, err.kind, err.result.entries, err.result.accepted })
    local looks = #sandbox:requests "audiences" -- each one alone, and before that those that are divided
    assert.is_true(looks > 5, looks)
    assert.equal(6, q:figures().entries)
  end)

  it("keeps what did not go for another reason", function()
    hand_over()
    put({ "a", "+1" })
    sandbox:fault { on = "sync", act = "status", status = 401 }
    local none, err = drain()
    assert.is_nil(none)
    assert.equal(401, err.status)
    assert.same({ 0, true }, { err.result.entries, err.result.released })
    assert.equal(1, q:figures().entries)
    local res = assert(drain())
    assert.same({ 1, 1, 1 }, { res.entries, res.accepted, res.repeated })
  end)

  it("keeps what the service failed at, and says so, where it is not to be tried for longer", function()
    hand_over()
    put({ "a", "+1" })
    sandbox:fault { on = "sync", act = "status", status = 500, times = -1 }
    local none, err = drain()
    assert.is_nil(none)
    assert.same({ 500, 0 }, { err.status, err.result.entries })
    assert.equal(1, q:figures().entries)
  end)

  it("is quiet for a lease after one that was not handed over", function()
    put({ "a", "+1" })
    local states, began = {}, core.now()
    assert(q:lease("dead", LEASE / 2))
    local res = assert(drain { lease = LEASE, on_event = function(event)
      states[#states + 1] = event.event == "lease" and event.status or nil
    end })
    assert.same({ "standby", "quiet", "active", "released" }, states)
    assert.is_true(core.now() - began >= LEASE * 1.5 - 0.1)
    assert.equal(1, res.accepted)
  end)

  it("reads while it is quiet, so that what waited leaves at once when that is over", function()
    put({ "a", "+1" })
    assert(q:lease("dead", LEASE / 2))
    local removed
    local res = assert(drain { lease = LEASE, on_event = function(event)
      if event.event == "lease" and event.status == "active" then
        removed = connection:call("DEL", ("{scope3:%s}:s"):format(name)) -- it has been read
      end
    end })
    assert.same({ 1, 1, 1 }, { removed, res.accepted, res.members })
  end)

  -- Drains beside a drainer that keeps its lease. `act` is what that one does at the n-th look.
  local function beside_another(act, patience)
    assert(q:lease("other", 60))
    local looks, began = 0, core.now()
    local res, err = drain { lease = LEASE, patience = patience, on_event = function(event)
      if event.event == "queue" then
        looks = looks + 1
        assert(q:lease("other", 60))
        act(looks)
      end
    end, cancel = function()
      return core.now() - began > 60
    end }
    return res, err, core.now() - began
  end

  it("is done when another one has emptied it", function()
    put({ "a", "+1" })
    local res = assert(beside_another(function(looks)
      if looks == 2 then
        local list = assert(q:read(nil, 10))
        assert.is_true(q:ack("other", assert(q:lease("other", 60)).epoch, list[1].id))
      end
    end))
    assert.same({ 0, 0, 0, true }, { res.entries, res.leases, res.waiting, res.released })
  end)

  it("is given up where another one has it and removes nothing for long", function()
    put({ "a", "+1" })
    put({ "a", "+2" })
    local _, err, seconds = beside_another(function(looks)
      if looks == 3 then
        local list = assert(q:read(nil, 1))
        assert.is_true(q:ack("other", assert(q:lease("other", 60)).epoch, list[1].id))
      end
    end, 4)
    assert.same({ "timeout", 1, 0 }, { err.kind, err.result.waiting, err.result.entries }, tostring(err))
    assert.truthy(err.message:find("another drainer has the queue", 1, true), err.message)
    assert.is_true(seconds >= 2 * LEASE + 4 - 0.5, seconds) -- since something was removed
  end)

  it("is waited for anew where the lease was held meanwhile", function()
    put({ "a", "+1" })
    local key, again = ("{scope3:%s}:lease"):format(name), nil
    local _, err = beside_another(function(looks)
      if looks == 3 then
        assert(connection:call("DEL", key))
      elseif looks == 4 then -- the lease is held, and quiet
        assert(connection:call("SET", key, "other", "PX", 60000))
        again = core.now()
      end
    end)
    assert.same({ "timeout", 1, 1 }, { err.kind, err.result.leases, err.result.lost }, tostring(err))
    assert.is_true(core.now() - again >= 3 * LEASE, core.now() - again)
  end)

  it("is quiet for longer where Redis has begun within the last lease", function()
    local function quiet(seconds)
      local waits
      local none, err = drain { once = false, lease = seconds, cancel = function()
        return waits ~= nil
      end, on_event = function(event)
        waits = event.event == "lease" and event.status == "quiet" and event.seconds or waits
      end }
      assert.same({ nil, "cancelled", false }, { none, err.kind, err.result.released })
      assert(connection:call("DEL", ("{scope3:%s}:lease"):format(name)))
      return waits
    end
    local up = assert(require("scope3.fleet.checks").look(connection)).up
    local waits = quiet(3600) -- this Redis has not run for as long
    assert.is_true(waits > 3600 and waits <= 1.9 * 3600 - up, tostring(waits))
    until_true(function()
      return assert(require("scope3.fleet.checks").look(connection)).up >= LEASE
    end, "a lease since Redis began")
    assert.is_true(quiet(LEASE) <= 0.9 * LEASE)
  end)

  it("hands the lease over when it is stopped", function()
    hand_over()
    local stop = false
    local none, err = drain { once = false, cancel = function()
      return stop
    end, on_event = function(event)
      stop = stop or event.event == "lease" and event.status == "active"
    end }
    assert.is_nil(none)
    assert.same({ "cancelled", true }, { err.kind, err.result.released })
    assert.is_true(assert(q:lease("next", 30)).held)
  end)

  it("hands the lease over also where its connection has ended", function()
    hand_over()
    local stop = false
    local none, err = drain { once = false, cancel = function()
      return stop
    end, on_event = function(event)
      if event.event == "lease" and event.status == "active" then
        stop = true
        connection:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      end
    end }
    assert.is_nil(none)
    assert.same({ "cancelled", true }, { err.kind, err.result.released })
    assert.is_true(assert(q:lease("next", 30)).held)
  end)

  it("forgets its batch when another one has the lease", function()
    hand_over()
    put({ "a", "+1" })
    local taken
    local none, err = drain { once = false, lease = LEASE, on_event = function(event)
      if event.event == "accepted" and not taken then -- as if it had been stopped for long
        taken = true
        assert(connection:call("SET", ("{scope3:%s}:lease"):format(name), "other", "PX", 60000))
      end
    end, cancel = function()
      return taken and assert(connection:call("PTTL", ("{scope3:%s}:lease"):format(name))) < 59000
    end }
    assert.is_nil(none)
    assert.same({ "cancelled", 0, 1, 1 }, { err.kind, err.result.entries, err.result.accepted, err.result.lost })
    assert.equal(1, q:figures().entries)
  end)

  it("is sent at once under a new lease, whatever failed under the one before", function()
    hand_over()
    put({ "a", "+1" })
    sandbox:fault { on = "sync", act = "status", status = 404, times = -1 }
    local own, grant, seconds, at
    local res = assert(drain { lease = LEASE, patience = 600, on_event = function(event)
      if event.event == "put_off" and event.seconds >= 4 and not at then -- another one has the lease, and leaves it
        seconds, at = event.seconds, core.now()
        sandbox:configure { faults = world.json.array {} }
        assert(connection:call("DEL", ("{scope3:%s}:lease"):format(name)))
        own = queue.new(connection, name, assert(require("scope3.fleet.checks").look(connection)).run)
        grant = assert(own:lease("other", LEASE))
      elseif event.event == "lease" and event.status == "standby" then
        assert.is_true(own:release("other", grant.epoch))
      end
    end })
    assert.same({ 1, 2, 1 }, { res.accepted, res.leases, res.lost })
    assert.is_true(core.now() - at < seconds)
  end)

  it("goes on where Redis was away", function()
    hand_over()
    put({ "a", "+1" })
    local cut
    local res = assert(drain { patience = 30, on_event = function(event)
      if event.event == "accepted" and not cut then
        cut = true
        assert(connection:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
      end
    end })
    assert.same({ 1, 1, 1 }, { res.entries, res.accepted, res.reconnects })
  end)

  it("is read anew where Redis began anew, which may give earlier ids than it had given before", function()
    hand_over()
    local lines, n = text_of({ "a", "+1", "+2" })
    local stream = "{scope3:" .. name .. "}:s"
    assert(connection:call("XADD", stream, "9999999999999-0", "n", n, "m", lines)) -- its clock was ahead
    local begun
    local res = assert(drain { patience = 60, on_event = function(event)
      if event.event == "accepted" and not begun then
        begun = true
        connection:close()
        server:stop "KILL"
        server:restart()
        connection = server:open()
        q = queue.new(connection, name, "")
        assert(connection:call("DEL", stream)) -- as the replica that takes its place may not have had that
        put({ "a", "+3" })
      end
    end })
    assert.same({ 0, 1, 3 }, { connection:call("XLEN", stream), res.entries, res.accepted })
    assert.same({ 1, 1 }, { res.leases, res.reconnects })
    assert.is_true(sandbox:members("a")["3"] ~= nil)
  end)

  it("is quiet for a lease after an answer that was lost, and then sends the same again", function()
    hand_over()
    put({ "a", "+1", "-2" })
    put({ "a", "+3" })
    sandbox:fault { on = "sync", act = "status", status = 500, times = 2 } -- a request has two attempts
    local seen, lost_at, quiet = {}, nil, nil
    local res = assert(drain { lease = 5, patience = 60, on_event = function(event)
      seen[#seen + 1] = event.event == "lease" and event.status or event.event == "put_off" and "put off" or nil
      lost_at = lost_at or event.event == "retry" and core.now() or nil
      quiet = event.event == "accepted" and core.now() - lost_at or quiet
    end })
    assert.same({ "active", "put off", "quiet", "active", "released" }, seen)
    assert.same({ 2, 3, 1 }, { res.entries, res.accepted, res.leases })
    assert.is_true(quiet >= 5, quiet)
  end)

  it("fails where a handler raises, at whichever event that is", function()
    local seen = {}
    hand_over()
    assert(drain { on_event = function(event)
      seen[#seen + 1] = event.event .. (event.status or "")
    end })
    assert.same({ "queue", "leaseactive", "queue", "leasereleased" }, seen)
    for raising = 1, #seen do
      local n = 0
      local none, err = drain { on_event = function()
        n = n + 1
        return n == raising and error "no"
      end }
      assert.same({ nil, "callback_error" }, { none, (err or {}).code }, seen[raising])
      assert.equal(name, err.result.queue)
    end
  end)

  it("is no part of a program that has none", function()
    local path = world.file([[
local scope3 = require "scope3"
scope3.client { api_key = "scope3_x", account_id = "25" }
for name in pairs(package.loaded) do
  assert(not name:find "^scope3%.fleet" and not name:find "^scope3%.redis", name)
end]], ".lua")
    local code = os.execute(("%s '%s' 2>/dev/null"):format(os.getenv "SCOPE3_LUA_BIN", path))
    assert.is_true(code == true or code == 0)
  end)

  it("refuses options that name no queue", function()
    local none, err = client:drain { redis = "http://x", queue = "a b", lease = 0.5 }
    assert.is_nil(none)
    local paths = {}
    for i, issue in ipairs(err.issues) do
      paths[i] = issue.path
    end
    assert.same({ "redis", "queue", "lease" }, paths)
    none, err = client:drain { redis = server.url, queue = name, lease = 86401, cancel = function()
      return true
    end }
    assert.same({ nil, "lease" }, { none, ((err.issues or {})[1] or {}).path })
    assert.has_error(function()
      client:drain { often = true }
    end)
  end)
end)
