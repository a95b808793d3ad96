-- The queue on a real Redis: what each call does, also when Redis is full, was restarted, or is another one.
local checks = require "scope3.fleet.checks"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local spool_files = require "spec.support.spool_files"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local LINES = packed_lines.of { '-{"externalId":"1"}' }

describe("a queue", function()
  local server, connection, name, number = nil, nil, nil, 0

  setup(function()
    server = redis.start { conf = "appendonly no\n" }
    connection = server:open()
  end)

  teardown(function()
    server:close()
    world.clean()
  end)

  local function new(run)
    number = number + 1
    name = "q" .. number
    return queue.new(connection, name, run or "r1")
  end

  it("is in a Redis that says how long it has run, unless it was a replica", function()
    until_true(function()
      return assert(checks.look(connection)).up >= 1
    end, "the second second of redis-server")
    assert(connection:call("REPLICAOF", "127.0.0.1", "1"))
    assert(connection:call("REPLICAOF", "NO", "ONE"))
    assert.equal(0, assert(checks.look(connection)).up)
  end)

  it("takes what has one key once, and gives it in its order", function()
    local q = new()
    local first = assert(q:append("f.1", 1, LINES))
    assert.is_false(q:append("f.1", 1, LINES))
    local second = assert(q:append("f.2", 2, LINES .. LINES))
    local list = assert(q:read(nil, 10))
    assert.same({ { id = first, n = 1, lines = LINES }, { id = second, n = 2, lines = LINES .. LINES } }, list)
    assert.same({ list[1] }, q:read(nil, 1))
    assert.same({ list[2] }, q:read(first, 10))
    assert.same({ 2, first }, { q:figures().entries, q:figures().first })
    assert.is_true(q:figures().oldest >= 0)
  end)

  it("gives no more at once than is asked for, also where large entries follow many small ones", function()
    local q, large = new(), LINES:rep(10000)
    for i = 1, 80 do
      assert(q:append("f." .. i, 1, i <= 40 and LINES or large))
    end
    local seen, after, more = {}, nil, true
    while more do
      local list, left = q:read(after, 30, 2 * #large)
      assert(list, left)
      local bytes = 0
      more = left
      for _, one in ipairs(list) do
        bytes, seen[#seen + 1], after = bytes + #one.lines, #one.lines, one.id
      end
      assert.is_true(#list <= 30 and bytes < 3 * #large, ("%d entries of %d bytes"):format(#list, bytes))
    end
    assert.equal(80, #seen)
    assert.same({ #LINES, #large }, { seen[40], seen[41] })
  end)

  it("passes over an entry that is larger than any of a queue, or has many fields, without reading it", function()
    local q, most = new(), queue.LONGEST_ENTRY
    local stream = ("{scope3:%s}:s"):format(name)
    assert(connection:call("XADD", stream, "1-1", "n", "1", "m", (" "):rep(most + 1000)))
    local fields, words = { "XADD", stream, "1-2" }, { "n", "1", "m", "x" }
    for i = 1, 100 do
      fields[3 + i] = words[(i - 1) % 4 + 1]
    end
    assert(connection:pipeline { fields })
    local last = assert(q:append("f.1", 1, (" "):rep(most)))
    assert.same({ 3, "1-1" }, { q:figures().entries, q:figures().first })
    local list, more = q:read(nil, 9)
    local seen = {}
    for i, one in ipairs(assert(list, more)) do
      seen[i] = { one.id, one.n, #(one.lines or "") }
    end
    assert.same({ { "1-1", 0, 0 }, { "1-2", 0, 0 }, { last, 1, most }, more = true },
      { seen[1], seen[2], seen[3], more = more })
    assert(connection:call("DEL", stream))
  end)

  it("reads what an entry says of its members and lines, whatever else it has", function()
    local q = new()
    local stream = ("{scope3:%s}:s"):format(name)
    for i, fields in ipairs {
      { "n", "7", "x", "y", "m", "a" }, { "m", "old", "n", "1", "m", "b", "n", "7" }, { "m", "c", "n", "-7" },
      { "n", "7", "x", "d" }, { "m", "e", "x", "7" }, { "n", "7", "m", "" }, { "n", "10000000", "m", "f" },
      { "n", "0x7", "m", "g" }, { "n", "", "m", "h" }, { "n", "7\n", "m", "i" }, { "n", "0000007", "m", "j" },
    } do
      local command = { "XADD", stream, "1-" .. i }
      for _, text in ipairs(fields) do
        command[#command + 1] = text
      end
      assert(connection:pipeline { command })
    end
    local seen = {}
    for i, one in ipairs(assert(q:read(nil, 99))) do
      assert.equal("1-" .. i, one.id)
      seen[i] = one.n .. " " .. (one.lines or "none")
    end
    assert.same({ "7 a", "7 b", "0 none", "0 none", "0 none", "7 ", "0 none", "0 none", "0 none", "0 none", "7 j" },
      seen)
  end)

  it("reads nothing of a reply that is none of a queue", function()
    for _, reply in ipairs {
      "x", 1, { 1 }, { "x", 1 }, { { "1-1", "1", "x", "1", "1", "x" }, 1 }, { { 1, "1", "x" }, 1 },
      { { "1-1x", "1", "x" }, 1 }, { { "-1", "1", "x" }, 1 }, { { "1-", "1", "x" }, 1 }, { { { "1-1" } }, 1 },
    } do
      local none, err = queue.new({ script = function()
        return reply
      end }, "q"):read(nil, 9)
      assert.same({ nil, "WRONGTYPE" }, { none, (err or {}).code })
    end
    local list, more = queue.new({ script = function()
      return { { "1-1", 1, "x", "1-2", "1", 1, "1-3", "1" }, 1 }
    end }, "q"):read(nil, 9)
    assert.same({ { { id = "1-1", n = 0 }, { id = "1-2", n = 0 }, { id = "1-3", n = 0 } }, true }, { list, more })
  end)

  it("takes several at once in their order, those that it has left out", function()
    local q = new()
    local known = assert(q:append("f.2", 1, "2\n"))
    local ids = assert(q:append_all { { once = "f.1", n = 1, lines = "1\n" }, { once = "f.2", n = 1, lines = "2\n" },
      { once = "f.3", n = 3, lines = spool_files.lines { '-{"externalId":"3"}' } } })
    assert.equal(false, ids[2])
    assert.same({ { id = known, n = 1, lines = "2\n" }, { id = ids[1], n = 1, lines = "1\n" },
      { id = ids[3], n = 3, lines = packed_lines.of { "@a", '-{"externalId":"3"}' } } }, (q:read(nil, 10)))
  end)

  it("takes all of several or none, where Redis is full or one is too large", function()
    local q = new()
    local list = {}
    for i = 1, 3 do
      list[i] = { once = "f." .. i, n = 1, lines = ("x"):rep(200000) }
    end
    -- Room for the command, and for some of what it appends: that is looked at when it begins.
    local used = tonumber(connection:call("INFO", "memory"):match "used_memory:(%d+)")
    assert(connection:call("CONFIG", "SET", "maxmemory", ("%d"):format(used + 1200000)))
    assert.equal(3, #assert(q:append_all(list)))
    assert(connection:call("CONFIG", "SET", "maxmemory", "1"))
    local more = { { once = "f.3", n = 1, lines = "x" }, { once = "f.4", n = 1, lines = "x" } }
    local none, err = q:append_all(more)
    assert.same({ "nil", "OOM" }, { type(none), err.code })
    assert.equal(3, #q:read(nil, 10))
    assert(connection:call("CONFIG", "SET", "maxmemory", "0"))
    none, err = q:append_all { { once = "f.5", n = 1, lines = "x" },
      { once = "f.6", n = 1, lines = ("x"):rep(queue.LONGEST_ENTRY + 1) } }
    assert.same({ "nil", "TOO_LARGE" }, { type(none), err.code })
    assert.equal(3, #q:read(nil, 10))
    assert.same({ false, "string" }, { q:append_all(more)[1], type(q:append_all { { once = "f.7", n = 1,
      lines = "x" } }[1]) })
  end)

  -- Seconds for which each key that an append left is known, and the bytes that it takes of Redis.
  local function known()
    local seconds, bytes = {}, {}
    for i, key in ipairs(assert(connection:call("KEYS", ("{scope3:%s}:once:*"):format(name)))) do
      seconds[i] = assert(connection:call("TTL", key))
      bytes[i] = assert(connection:call("MEMORY", "USAGE", key))
    end
    table.sort(seconds)
    return seconds, bytes
  end

  it("knows an append for a day, and for an hour after it was told that nobody repeats it", function()
    local q, settled = new(), { "f.1", "f.3", "none.1" }
    for i = 1, 3 do
      assert(q:append("f." .. i, 1, LINES))
    end
    assert(q:append("f.4", 1, LINES, settled))
    local seconds = known()
    assert.equal(4, #seconds)
    for i, most in ipairs { 3600, 3600, 86400, 86400 } do
      assert.is_true(seconds[i] > most - 600 and seconds[i] <= most, ("%d: %d s"):format(i, seconds[i]))
    end
    assert.is_false(q:append("f.1", 1, LINES))
    assert.equal(4, q:figures().entries)
    assert.same({}, settled)
  end)

  it("does not prolong what it knows for an hour, when it is told so again", function()
    local q = new()
    assert(q:append("f.1", 1, LINES))
    local key = connection:call("KEYS", ("{scope3:%s}:once:*"):format(name))[1]
    assert(connection:call("EXPIRE", key, "1000"))
    assert.is_false(q:append("f.1", 1, LINES, { "f.1" }))
    assert.is_true(connection:call("TTL", key) <= 1000)
  end)

  it("takes in a thousand names of what is repeated no more with one append, and the others later", function()
    local q, settled = new(), {}
    for i = 1, 2500 do
      settled[i] = "f." .. i
    end
    for i, left in ipairs { 1500, 500, 0, 0 } do
      assert(q:append("g." .. i, 1, LINES, settled))
      assert.equal(left, #settled)
      assert.equal(left > 0 and "f.2500" or nil, settled[#settled])
    end
    settled[1] = "g.1"
    local stream = ("{scope3:%s}:s"):format(name)
    assert(connection:call("DEL", stream))
    assert(connection:call("HSET", stream, "x", "y"))
    assert.is_nil(q:append("g.9", 1, LINES, settled))
    assert.same({ "g.1" }, settled)
  end)

  it("takes few bytes for what it knows, however long the name of a file is", function()
    local q = new()
    assert(q:append(("f"):rep(1000) .. ".1", 1, LINES))
    assert.is_false(q:append(("f"):rep(1000) .. ".1", 1, LINES))
    local _, bytes = known()
    assert.equal(1, #bytes)
    assert.is_true(bytes[1] <= 128, bytes[1] .. " bytes")
  end)

  it("has one lease at a time, and says whether it was handed over", function()
    local q = new()
    assert.same({ held = true, epoch = "1", taken = true, released = false }, q:lease("a", 30))
    local other = q:lease("b", 30)
    assert.is_false(other.held)
    assert.is_true(other.left > 0 and other.left <= 30)
    assert.same({ held = true, epoch = "1", taken = false, released = false }, q:lease("a", 30, "5-1"))
    assert.is_false(q:release("b", "1"))
    assert.is_true(q:release("a", "1"))
    assert.same({ held = true, epoch = "2", taken = true, released = true, sent = "5-1" }, q:lease("b", 30))
    assert.is_true(q:release("b", "2"))
    -- Redis was started anew, and may have forgotten who took the lease since.
    assert.is_false(queue.new(connection, name, "r2"):lease("c", 30).released)
  end)

  it("keeps a lease that is asked for again, and tells of a release once", function()
    local q = new()
    local lease_key = ("{scope3:%s}:lease"):format(name)
    assert(q:lease("a", 30))
    assert(q:lease("a", 300))
    assert.is_true(connection:call("PTTL", lease_key) > 30000)
    assert.is_true(q:release("a", "1"))
    assert.is_true(q:lease("b", 0.01).released)
    until_true(function()
      return connection:call("EXISTS", lease_key) == 0
    end, "the end of a lease")
    assert.same({ held = true, epoch = "3", taken = true, released = false }, q:lease("b", 30))
    assert.is_false(q:release("b", "2")) -- of a lease that it has lost meanwhile
    assert.is_false(q:lease("c", 30).held)
  end)

  it("knows the order of entries", function()
    for _, one in ipairs { { "5-1", "5-1" }, { "5-1", "5-2" }, { "5-9", "5-10" }, { "9-9", "10-1" }, { "5-2", "6-1" },
    } do
      assert.is_true(queue.is_up_to(one[1], one[2]), one[1])
      assert.equal(one[1] == one[2], queue.is_up_to(one[2], one[1]), one[1])
    end
  end)

  it("takes an ack only under its lease", function()
    local q = new()
    local ids = {}
    for i = 1, 3 do
      ids[i] = assert(q:append("f." .. i, 1, LINES))
    end
    assert(q:lease("a", 30))
    assert.is_true(q:ack("a", "1", ids[2]))
    assert.equal(ids[3], q:read(nil, 9)[1].id)
    assert.is_false(q:ack("a", "2", ids[3]))
    assert.is_false(q:ack("b", "1", ids[3]))
    assert.equal(1, q:figures().entries)
    assert.is_true(q:ack("a", "1", ids[3]))
    assert.same({ entries = 0 }, q:figures())
  end)

  it("drains on a Redis that is full, and takes nothing more", function()
    local q = new()
    local id = assert(q:append("f.1", 1, LINES))
    assert(connection:call("CONFIG", "SET", "maxmemory", "1"))
    local none, err = q:append("f.2", 1, LINES)
    assert.is_nil(none)
    assert.equal("OOM", err.code)
    assert.is_true(q:lease("a", 30).held)
    assert.is_true(q:lease("a", 30, id).held)
    assert.equal(1, #q:read(nil, 9))
    assert.is_true(q:ack("a", "1", id))
    assert.is_true(q:release("a", "1"))
    assert(connection:call("CONFIG", "SET", "maxmemory", "0"))
    assert.equal("string", type(q:append("f.2", 1, LINES)))
  end)

  it("says that the lease is none where another program has written to it", function()
    for what, text in pairs { sent = "x", epoch = "-7", lease = "a" } do
      local q = new()
      assert(connection:call("SET", ("{scope3:%s}:%s"):format(name, what), text))
      local none, err = q:lease("a", 30)
      assert.same({ nil, "WRONGTYPE" }, { none, (err or {}).code }, what)
    end
  end)

  it("says what is no entry, and what is no queue", function()
    local q = new()
    local stream = ("{scope3:%s}:s"):format(name)
    assert(connection:call("XADD", stream, "1-1", "x", "y"))
    assert(connection:call("XADD", stream, "1-2", "n", "-1", "m", LINES))
    assert.same({ { id = "1-1", n = 0 }, { id = "1-2", n = 0 } }, q:read(nil, 9))
    q = new()
    assert(connection:call("SET", ("{scope3:%s}:s"):format(name), "x"))
    local none, err = q:read(nil, 9)
    assert.is_nil(none)
    assert.equal("redis", err.kind)
    assert.equal("WRONGTYPE", err.code)
  end)

  it("says whose keys are none of its own", function()
    local q = new()
    assert(q:lease("a", 30))
    assert(connection:call("SET", ("{scope3:%s}:epoch"):format(name), "x"))
    local none, err = q:lease("a", 30)
    assert.same({ "nil", "redis", "WRONGTYPE" }, { type(none), err.kind, err.code })
    for _, ask in ipairs {
      function() return q:lease("a", 30) end, function() return q:ack("a", "1", "1-1") end,
      function() return q:release("a", "1") end, function() return q:append("f", 1, LINES) end,
      function() return q:figures() end,
    } do
      for _, what in ipairs { "lease", "s" } do
        assert(connection:call("DEL", ("{scope3:%s}:%s"):format(name, what)))
      end
      assert(connection:call("HSET", ("{scope3:%s}:lease"):format(name), "x", "y"))
      assert(connection:call("HSET", ("{scope3:%s}:s"):format(name), "x", "y"))
      local nothing, why = ask()
      assert.same({ "nil", "redis", "WRONGTYPE" }, { type(nothing), why and why.kind, why and why.code })
    end
  end)

  it("gives no lease where its epoch is no number, and leaves nothing behind", function()
    local q = new()
    assert(connection:call("SET", ("{scope3:%s}:epoch"):format(name), "x"))
    local none, err = q:lease("a", 30)
    assert.same({ "nil", "redis", "WRONGTYPE" }, { type(none), err.kind, err.code })
    assert.equal(0, connection:call("EXISTS", ("{scope3:%s}:lease"):format(name)))
  end)

  it("gives what is before an entry of a later form, and says why that one stays", function()
    local q = new()
    local stream = ("{scope3:%s}:s"):format(name)
    assert(q:append("f.1", 1, LINES))
    local second = assert(q:append("f.2", 1, LINES))
    local later = assert(connection:call("XADD", stream, "*", "v", "2", "n", "1", "z", "x"))
    assert(q:append("f.3", 1, LINES))
    local list, more, why = q:read(nil, 10)
    assert.same({ 2, false, "redis", "LATER_FORM" }, { #list, more, why.kind, why.code })
    list, more, why = q:read(nil, 2)
    assert.same({ 2, true, nil }, { #list, more, why })
    list, more, why = q:read(second, 10)
    assert.same({ 0, false, "LATER_FORM" }, { #list, more, why.code })
    list, more, why = q:read(later, 10)
    assert.same({ 1, false, nil }, { #list, more, why })
  end)

  it("reads what has no form, or a form that is none, as it reads what another program wrote", function()
    local q = new()
    local stream = ("{scope3:%s}:s"):format(name)
    for _, form in ipairs { "", "0", "1", "x", "2x", "1000", "-2", "1.5" } do
      assert(connection:call("XADD", stream, "*", "v", form, "n", "1", "m", LINES))
    end
    assert(connection:call("XADD", stream, "*", "n", "1", "m", LINES))
    assert(connection:call("XADD", stream, "*", "v", "2", "m", LINES)) -- of nothing that we know
    local list, more, why = q:read(nil, 20)
    assert.same({ 10, false, nil }, { #list, more, why })
    for i, one in ipairs(list) do
      assert.equal(i < 10 and LINES or nil, one.lines)
    end
  end)

  it("takes no entry that is larger than Redis and a drainer have room for", function()
    local q = new()
    local none, err = q:append("f", 1, ("x"):rep(queue.LONGEST_ENTRY + 1))
    assert.same({ "nil", "redis", "TOO_LARGE" }, { type(none), err.kind, err.code })
    assert.same({ entries = 0 }, q:figures())
  end)

  it("orders entries by their time, and within one by their number", function()
    local list = { "0-1", "0-2", "0-10", "2-0", "9-9", "9-10", "10-0", "10-1", "1796020703123-0" }
    for i, a in ipairs(list) do
      for j, b in ipairs(list) do
        assert.equal(i <= j, queue.is_up_to(a, b), a .. " " .. b)
      end
    end
  end)

  it("has a name without room for a second meaning", function()
    for _, bad in ipairs { "", "a b", "-a", "a}b", ("x"):rep(65), 4, "a\n" } do
      assert.equal("string", type(queue.problem(bad)))
    end
    assert.is_nil(queue.problem "crm-1.eu_A")
  end)

  it("wants a Redis that evicts nothing, and misses a log", function()
    local host = assert(checks.look(connection))
    assert.equal(40, #host.run)
    local name_of = connection:call("INFO", "server"):find("valkey_version", 1, true) and "Valkey" or "Redis"
    assert.equal("appendonly_off", host.warning.code)
    assert.truthy(host.warning.message:find(("this %s keeps no log"):format(name_of), 1, true), host.warning.message)
    assert(connection:call("CONFIG", "SET", "maxmemory-policy", "volatile-ttl"))
    assert(checks.look(connection)) -- nothing is evicted without a limit
    assert(connection:call("CONFIG", "SET", "maxmemory", "1gb"))
    local none, err = checks.look(connection)
    assert(connection:call("CONFIG", "SET", "maxmemory", "0"))
    assert.is_nil(none)
    assert.equal("EVICTS", err.code)
    assert.truthy(err.message:find(("this %s removes keys"):format(name_of), 1, true), err.message)
    assert.truthy(err.message:find("maxmemory-policy is volatile-ttl", 1, true))
  end)

  it("says what an older Redis lacks", function()
    local function look(version)
      return checks.look { pipeline = function()
        return { "redis_version:" .. version .. "\r\nrun_id:ab\r\n", "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n",
          version:find "aof_enabled" and "" or "aof_enabled:1\r\n" }
      end }
    end
    local none, err = look "6.2.14"
    assert.is_nil(none)
    assert.equal("OLD_REDIS", err.code)
    assert.truthy(err.message:find("is 6.2.14", 1, true))
    assert.truthy(err.message:find("allow-oom", 1, true))
    assert.same({ run = "ab", up = 0 }, look "7.2.4")
    local valkey = look "7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\naof_enabled:0"
    assert.equal("ab", valkey.run)
    assert.truthy(valkey.warning.message:find("this Valkey keeps no log", 1, true), valkey.warning.message)
    assert.equal("OLD_REDIS", select(2, look "x").code)
  end)
end)
