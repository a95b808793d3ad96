-- client:drain on real servers that take no writes, let nobody in, or are none that can hold a queue: it says what to
-- do, loses nothing, and goes on where the server becomes well again.
local checks = require "scope3.fleet.checks"
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local tls = require "spec.support.tls"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local LINES = packed_lines.of { '@{"audienceId":"a"}',
  ('+{"externalId":"1","hashedEmail":"%s"}'):format(("0123456789abcdef"):rep(4)) }

describe("a drain whose Redis is not well", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, connection, q

  before_each(function()
    sandbox:configure { task_seconds = 0 }
  end)
  after_each(function()
    server:close()
  end)

  -- A server whose queue has an entry, and whose lease was handed over, or cannot be taken.
  local function start(options, no_lease)
    server = redis.start(options)
    connection = server:open()
    q = queue.new(connection, "q", assert(checks.look(connection)).run)
    if not no_lease then
      assert(q:release("somebody", assert(q:lease("somebody", 30)).epoch))
    end
    assert(q:append("f", 1, LINES))
  end

  local function drain(options)
    local all = { redis = server.url, queue = "q", once = true, patience = 60 }
    for key, value in pairs(options or {}) do
      all[key] = value
    end
    return sandbox:client():drain(all)
  end

  -- Why a drain ends that tries for ever what may get well, or stands by.
  local function end_of_drain()
    local waits, stands_by = false, nil
    local none, err = drain { once = false, cancel = function()
      return waits or stands_by ~= nil and core.now() > stands_by + 20
    end, on_event = function(event)
      waits, stands_by = waits or event.event == "put_off", stands_by or event.status == "standby" and core.now() or nil
    end }
    assert.is_nil(none)
    return err
  end

  local function set(...)
    assert(connection:call("CONFIG", "SET", ...))
  end

  local function save(status)
    until_true(function()
      connection:call "BGSAVE" -- one may be under way
      return connection:call("INFO", "persistence"):find("rdb_last_bgsave_status:" .. status, 1, true)
    end, "a snapshot that ends: " .. status)
  end

  -- What goes wrong, how it is mended, and what a drain says meanwhile.
  local TROUBLES = {
    READONLY = { function()
      assert(connection:call("REPLICAOF", "127.0.0.1", 1))
    end, function()
      assert(connection:call("REPLICAOF", "NO", "ONE"))
    end, "name the primary in the URL" },
    NOREPLICAS = { function()
      set("min-replicas-to-write", 1)
    end, function()
      set("min-replicas-to-write", 0)
    end, "too few replicas are connected" },
    MISCONF = { function()
      os.execute(("mkdir '%s/dump.rdb'"):format(server.folder))
      set("save", "3600 1000")
      save "err"
    end, function()
      os.execute(("rmdir '%s/dump.rdb'"):format(server.folder))
      save "ok"
    end, "look at its log" },
    BUSY = { function() -- before the first connection is open
      set("busy-reply-threshold", 100)
      local other = server:open { call_seconds = 0.2 }
      assert.equal("timeout", select(2, other:call("EVAL", "while true do end", 0)).kind)
      until_true(function()
        return (select(2, connection:call "PING") or {}).code == "BUSY"
      end, "a script that runs for too long")
    end, function()
      assert(connection:call("SCRIPT", "KILL"))
    end, "end it by SCRIPT KILL" },
  }

  for code, trouble in pairs(TROUBLES) do
    it(("waits while it takes no writes, and goes on: %s"):format(code), function()
      start()
      trouble[1]()
      local said = {}
      local res = assert(drain { on_event = function(event)
        if event.event == "put_off" then
          said[#said + 1] = { event.code, event.message }
          trouble[2]()
        end
      end })
      assert.same({ 1, code }, { #said, said[1][1] })
      assert.truthy(said[1][2]:find(trouble[3], 1, true), said[1][2])
      assert.same({ 1, 1, true }, { res.entries, res.accepted, res.released })
    end)
  end

  -- One that drains, and whose connection ends once its request was accepted: then `trouble()` has happened.
  local function drain_through(trouble, on_event)
    local began
    return drain { on_event = function(event)
      if event.event == "accepted" and not began then
        began = true
        trouble()
        assert(connection:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
      end
      return on_event and on_event(event)
    end }
  end

  it("waits while it has as many clients as it allows, and goes on", function()
    start()
    local codes = {}
    local res = assert(drain_through(function()
      set("maxclients", 1)
    end, function(event)
      if event.event == "put_off" then
        codes[event.code] = true
        set("maxclients", codes.MAX_CLIENTS and 100 or 1)
      end
    end))
    assert.same({ 1, 1 }, { res.entries, res.accepted })
    assert.is_true(codes.MAX_CLIENTS)
  end)

  it("ends where the password was changed meanwhile, and leaves the entry", function()
    start { conf = "requirepass right9\n", login = ":right9@" }
    local none, err = drain_through(function()
      set("requirepass", "other9")
    end)
    assert.is_nil(none)
    assert.same({ "redis", "WRONGPASS", 0 }, { err.kind, err.code, err.result.entries })
    assert.truthy(err.message:find("check both in the URL", 1, true), err.message)
    assert.is_nil((tostring(err):find("right9", 1, true)))
    assert.equal(1, q:figures().entries)
  end)

  it("ends where its user may not do what a script does, and says that", function()
    start { conf = "user app on >app9 ~{scope3:* +@read +@scripting +info +time +ping\n" }
    local url = server.url
    server.url = url:gsub("//", "//app:app9@")
    local err = end_of_drain()
    assert.same({ "redis", "NOPERM" }, { err.kind, err.code })
    assert.truthy(err.message:find("its ACL must allow the command and the keys", 1, true), err.message)
    assert.equal(1, q:figures().entries)
  end)

  it("ends where its user may not see what waits, lest one that stands by waits for ever for its end", function()
    start { conf = "user app on >app9 ~{scope3:* +@read +@write +@scripting +info -time\n" }
    local url = server.url
    server.url = url:gsub("//", "//app:app9@")
    assert(q:lease("another", 3600))
    local err = end_of_drain()
    assert.same({ "redis", "NOPERM" }, { err.kind, err.code })
  end)

  it("ends where its user may not remove entries, before it sends any", function()
    for _, command in ipairs { "xtrim", "xdel" } do
      start { conf = "user app on >app9 ~{scope3:* +@read +@write +@scripting +info +time +ping -" .. command .. "\n" }
      local url = server.url
      server.url = url:gsub("//", "//app:app9@")
      local err = end_of_drain()
      assert.same({ "redis", "NOPERM", 0 }, { err.kind, err.code, err.result.requests })
      assert.equal(1, q:figures().entries)
      server:close()
    end
    start {}
  end)

  it("ends where a command of its scripts was renamed, and does not send the same again and again", function()
    start({ conf = 'rename-command XTRIM ""\n' }, true)
    local err = end_of_drain()
    assert.same({ "redis", "UNKNOWN_COMMAND", 0 }, { err.kind, err.code, err.result.requests })
    assert.truthy(err.message:find("without rename-command", 1, true), err.message)
    assert.equal(1, q:figures().entries)
  end)

  it("ends where the queue lies on another node of a cluster, and on a node that has it goes on", function()
    local other
    server, other = redis.cluster "{scope3:q}:s"
    local err = end_of_drain()
    assert.same({ "redis", "MOVED" }, { err.kind, err.code })
    assert.truthy(err.message:find("name a Redis that is no cluster", 1, true), err.message)
    server:close()
    server = other
    assert.equal(0, assert(drain { lease = 1 }).entries)
  end)

  it("names the option that makes a Redis trusted, where its certificate is of an unknown CA", function()
    server = redis.start { tls = tls.make "IP:127.0.0.1" }
    local none, err = drain { once = false }
    assert.is_nil(none)
    assert.equal("CERT_UNKNOWN_CA", err.reason)
    assert.truthy(err.message:find("set redis_ca_file to", 1, true), err.message)
  end)

  it("ends at a sentinel, and asks for the primary", function()
    server = redis.start { sentinel = true }
    local err = end_of_drain()
    assert.same({ "redis", "SENTINEL" }, { err.kind, err.code })
    assert.truthy(err.message:find("name the primary", 1, true), err.message)
  end)
end)
