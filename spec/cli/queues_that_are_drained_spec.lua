-- `scope3 drain`: what it says, how it ends, and what its metrics are.
local cjson = require("cjson.safe").new()
local checks = require "scope3.fleet.checks"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local HASH = ("0123456789abcdef"):rep(4)

describe("scope3 drain", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, connection, name, q
  local number = 0

  setup(function()
    server = redis.start { conf = "appendonly yes\nappendfsync no\n" }
    connection = server:open()
  end)

  teardown(function()
    server:close()
  end)

  -- A queue with so many entries of two members, whose lease was handed over.
  local function fill(entries, lines)
    number = number + 1
    name = "q" .. number
    q = queue.new(connection, name, assert(checks.look(connection)).run)
    assert(q:release("x", assert(q:lease("x", 30)).epoch))
    for i = 1, entries do
      assert(q:append("f" .. i, 2, lines or packed_lines.of { '@{"audienceId":"a"}',
        ('+{"externalId":"%d","hashedEmail":"%s"}'):format(i, HASH), ('-{"externalId":"x%d"}'):format(i) }))
    end
  end

  local function drain(...)
    return world.command({ "drain", "--account", "25", "--base-url", sandbox.url, "--rate", "100000", "--queue", name,
      ... }, { env = "SCOPE3_API_KEY=scope3_test_key SCOPE3_REDIS_URL=" .. server.url })
  end

  -- Runs it beside this process while `act(read)` does something, and ends it. `read` gives what is in one of its
  -- files. Gives what it said on standard error, and its events.
  local function drain_beside(options, act)
    local folder = world.path ".drain"
    local function read(file)
      return world.exists(folder .. file) and world.read(folder .. file) or ""
    end
    os.execute(("mkdir '%s'"):format(folder))
    os.execute(("(SCOPE3_API_KEY=scope3_test_key SCOPE3_REDIS_URL=%s %s bin/scope3.in drain --account 25 --base-url %s "
      .. "--queue %s --events '%s/events' %s >'%s/out' 2>'%s/err' & echo $! >'%s/pid'; wait $!; echo $? >'%s/code') &")
      :format(server.url, os.getenv "SCOPE3_LUA_BIN", sandbox.url, name, folder, options, folder, folder, folder,
        folder))
    until_true(function()
      return read "/pid":find "\n"
    end, "the start of the drain")
    local seen, why = pcall(act, read)
    os.execute("kill -TERM " .. read "/pid")
    until_true(function()
      return read "/code":find "\n"
    end, "the end of the drain")
    local said, code, events = read "/err", read "/code", read "/events"
    os.execute(("rm -rf '%s'"):format(folder))
    assert(seen, why)
    assert.equal("130\n", code, said)
    return said, events
  end

  -- Runs it until something was written to one of its files.
  local function drain_until(file, words, options)
    return drain_beside(options or "", function(read)
      until_true(function()
        return read(file):find(words, 1, true)
      end, words)
    end)
  end

  -- Runs it while Redis is away so many times.
  local function drain_in_outages(outages, options)
    fill(0)
    return drain_beside("--lease 1 " .. options, function(read)
      local function wait_for(event)
        local function count()
          return select(2, read "/events":gsub('"event":"' .. event .. '"', ""))
        end
        local before = count()
        until_true(function()
          return count() > before + 1
        end, event)
      end
      for _ = 1, outages do
        wait_for "queue"
        server:stop "STOP"
        local failed, why = pcall(wait_for, "put_off")
        server:stop "CONT"
        assert(failed, why)
      end
    end)
  end

  it("ends when the queue is empty, and says what went", function()
    fill(3)
    local metrics = world.path ".prom"
    local code, out, err = drain("--once", "--metrics", metrics)
    assert.equal(0, code, err)
    assert.truthy(out:find("removed +3 entries · 6 members"), out)
    assert.truthy(out:find("accepted +6 members · 1 request"), out)
    assert.truthy(err:find("scope3: draining\n", 1, true), err)
    assert.truthy(err:find("scope3: handed the queue over\n", 1, true), err)
    local page = world.read(metrics)
    local label = ('{name="%s",queue="%s"}'):format(metrics:match "([^/]+)%.prom$", name)
    assert.truthy(page:find("scope3_drain_queue_entries" .. label .. " 0\n", 1, true), page)
    assert.truthy(page:find("scope3_drain_active" .. label .. " 0\n", 1, true), page) -- it was, and has ended
    assert.truthy(page:find('scope3_drain_total{fate="accepted",', 1, true), page)
    assert.truthy(page:find("scope3_job_exit_code", 1, true), page)
  end)

  it("says at once what it cannot write beside the drain, and once more at the end", function()
    fill(2)
    local metrics = world.path ".folder" .. "/a.prom"
    local code, _, err = drain("--once", "--metrics", metrics, "--events", "/dev/full")
    assert.equal(1, code, err)
    for _, words in ipairs { "cannot write the metrics to " .. metrics .. ": ", "cannot write all of /dev/full: " } do
      local first = assert(err:find(words, 1, true), err)
      assert.is_true(first < assert(err:find("handed the queue over", 1, true)), err)
      local second = assert(err:find(words, first + 1, true), err)
      assert.is_nil(err:find(words, second + 1, true), err)
    end
  end)

  it("says the same to machines, and counts as failed what is lost", function()
    fill(1, "junk\n")
    local code, out, err = drain("--once", "--json")
    assert.equal(1, code, err)
    assert.truthy(err:find("members not sent, and not in the queue any more: 1 cannot be read", 1, true), err)
    local res = assert(cjson.decode(out))
    assert.same({ 1, 1, 0, "failed" }, { res.entries, res.unreadable, res.accepted, res.error.kind })
    assert.is_true(res.released)
  end)

  it("is silent where it is told to be", function()
    fill(1)
    local code, out, err = drain("--once", "--quiet")
    assert.same({ 0, "", "" }, { code, out, err })
  end)

  it("says of each outage once that it tries again, and nothing of it where it is to be quiet", function()
    local said, events = drain_in_outages(2, "")
    local function count(text, pattern)
      return select(2, text:gsub(pattern, ""))
    end
    local tries, outages = count(events, '"event":"put_off"'), count(events, '"out":0[,}]')
    local told = count(said, "trying again in")
    assert.is_true(outages >= 2 and told >= outages and told < tries, said)
    assert.equal("scope3: stopped\n", (drain_in_outages(1, "--quiet")))
    assert.truthy(drain_in_outages(1, "--quiet --patience 0"):find("trying again in", 1, true))
  end)

  it("refuses a Redis that evicts, and warns of one without a log", function()
    fill(0)
    assert(connection:call("CONFIG", "SET", "maxmemory", "1gb", "maxmemory-policy", "allkeys-lru", "appendonly", "no"))
    local code, _, err = drain "--once"
    assert(connection:call("CONFIG", "SET", "maxmemory", "0"))
    assert.equal(1, code)
    assert.truthy(err:find("maxmemory-policy is allkeys-lru", 1, true), err)
    code, _, err = drain "--once"
    assert(connection:call("CONFIG", "SET", "maxmemory-policy", "noeviction", "appendonly", "yes"))
    assert.equal(0, code)
    assert.truthy(err:find("set appendonly to yes", 1, true), err)
  end)

  it("hands the queue over at SIGTERM", function()
    fill(2)
    local said = drain_until("/events", '"event":"drained"')
    assert.truthy(said:find("handed the queue over", 1, true), said)
    assert.is_true(q:lease("next", 30).released)
  end)

  it("says where the limiter's Redis is away, and not only that the rate is kept", function()
    fill(1)
    local away = "scope3: the limiter's Redis does not answer: after a minute requests go by this process's share"
    local said = drain_until("/err", away, "--limiter 'redis://127.0.0.1:1?fleet=2'")
    assert.equal(1, select(2, said:gsub("does not answer", "")), said)
  end)

  it("is told what is missing", function()
    name = "a b"
    local code, _, err = drain "--once"
    assert.equal(2, code)
    assert.truthy(err:find("queue must be 1 to 64", 1, true), err)
    code, _, err = world.command { "drain", "--queue", "a", "--account", "25" }
    assert.equal(2, code)
    assert.truthy(err:find("--redis is missing", 1, true), err)
  end)
end)
