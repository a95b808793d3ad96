-- The stream of a queue while somebody deletes it, or puts another one in its place: whatever the ids of what is in it
-- then, each entry is sent before it is removed.
local core = require "scope3.core"
local entry = require "scope3.fleet.entry"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local world = require "spec.support.world"

describe("a stream that is replaced while it is drained", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, connection, name, key
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
    key = ("{scope3:%s}:s"):format(name)
    sandbox:configure { task_seconds = 0 }
  end)

  -- Puts members in, as an entry of this id.
  local function put(id, ...)
    local payload, lines = core.payload { max_members = 1000, max_bytes = 1000000 }, {}
    for i, one in ipairs { ... } do
      lines[i] = ('+{"externalId":"%s","hashedEmail":"%s"}'):format(one, core.sha256(one))
    end
    payload:take(packed_lines.of(lines), 1)
    local text, n = entry.write { { audience = { id = "a" }, payload = payload } }
    assert(connection:call("XADD", key, id, "v", 1, "n", n, "m", text))
  end

  -- Drains until a batch was removed and nothing is left. `act` is called at each event of this name, with its number.
  local function drain(event_name, act, max_members)
    local host = assert(require("scope3.fleet.checks").look(connection))
    local own = queue.new(connection, name, host.run)
    assert.is_true(own:release("somebody", assert(own:lease("somebody", 30)).epoch)) -- so that it is not quiet
    local n, ends, empty, failed = 0, core.now() + 60, false, {}
    local _, err = sandbox:client():drain { redis = server.url, queue = name, lease = 30, every = 0.1,
      max_members = max_members, on_event = function(event)
        if event.event == event_name then
          n = n + 1
          act(n)
        elseif event.event == "put_off" then
          failed[#failed + 1] = event.code
        end
        empty = event.event == "drained" and connection:call("XLEN", key) == 0 or empty
      end, cancel = function()
        return empty or core.now() > ends
      end }
    assert.equal("cancelled", err.kind, tostring(err))
    return err.result, failed
  end

  it("is read from its head, where its ids lie before those that were sent", function()
    put("1000-5", "1", "2")
    local res = drain("drained", function(n)
      if n == 1 then
        assert(connection:call("DEL", key))
        put("900-0", "3")
      end
    end)
    assert.equal(0, connection:call("XLEN", key))
    assert.truthy(sandbox:members "a"["3"])
    assert.same({ 2, 3, 3 }, { res.entries, res.members, res.accepted })
  end)

  it("loses nothing that came before what is under way", function()
    put("1000-5", "1", "2")
    local res, failed = drain("accepted", function(n)
      if n == 1 then
        assert(connection:call("DEL", key))
        put("900-0", "3")
        put("1000-6", "4")
      end
    end)
    assert.equal(0, connection:call("XLEN", key))
    assert.truthy(sandbox:members "a"["3"])
    assert.truthy(sandbox:members "a"["4"])
    assert.same({ "CHANGED" }, failed)
    assert.same({ 2, 2, 4 }, { res.entries, res.members, res.accepted }) -- the first one was deleted, but sent
    assert.same({ 1, 0 }, { res.leases, res.lost })
  end)

  it("loses nothing either where a batch has ended inside an entry", function()
    put("1000-5", "1", "2", "3", "4", "5")
    local _, failed = drain("accepted", function(n)
      if n == 1 then
        put("1000-6", "6")
        assert(connection:call("DEL", key))
        put("900-0", "7")
        put("1000-7", "8")
      end
    end, 3)
    assert.equal(0, connection:call("XLEN", key))
    for _, id in ipairs { "1", "2", "3", "7", "8" } do
      assert.truthy(sandbox:members "a"[id], id)
    end
    assert.same({ "CHANGED" }, failed)
  end)

  it("is removed only from the entry on that was read", function()
    local q = queue.new(connection, name, "")
    put("5-0", "1")
    put("5-1", "2")
    put("6-0", "3")
    local epoch = assert(q:lease("a", 30)).epoch
    local ok, err = q:ack("a", epoch, "6-0", "5-1")
    assert.same({ nil, "CHANGED", 3 }, { ok, err.code, connection:call("XLEN", key) })
    assert.is_true(q:ack("a", epoch, "5-1", "5-0"))
    assert.is_true(q:ack("a", epoch, "5-1", "5-0")) -- again, where the answer was lost
    assert.is_true(q:ack("a", epoch, "6-0", "6-0"))
    assert.equal(0, connection:call("XLEN", key))
  end)
end)
