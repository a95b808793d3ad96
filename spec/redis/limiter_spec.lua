-- Limits that lie in a real Redis: of eight greedy processes, which is killed and started anew, and of clients.
local blocking = require "scope3.loop.blocking"
local compile = require "spec.support.compile"
local core = require "scope3.core"
local limiter = require "scope3.http.limiter"
local limits = require "scope3.redis.limits"
local scope3 = require "scope3"
local servers = require "spec.support.redis"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }
local INTERPRETER = os.getenv "SCOPE3_LUA_BIN" or "lua"
local SPAN = 1 -- seconds that stand for the 61 of a place, in the processes

-- A greedy process: it notes between which times each place was given, and what happened to Redis.
local GREEDY = [[
  local rare = require "scope3.util.rare"
  local url, path, wrong = arg[1], arg[2], tonumber(arg[3])
  local numbers = { limiter_span = 1, limiter_notice = 4, limiter_unseen = 3.5, limiter_retry = 0.1 }
  rare.number = function(name, usual) return numbers[name] or usual end
  local core = require "scope3.core"
  local time = core.time
  core.time = function() return time() + wrong end
  local own = assert(require "scope3".limiter(url))
  local loop = require "scope3.loop.blocking"
  local file = assert(io.open(path, "w"))
  file:setvbuf "line"
  while not io.open(arg[4]) do
    local before = core.now()
    local wait, err, news = own:pass({ host = "h", key = "k" }, 20, false, before, loop)
    if news then file:write(news, "\n") end
    if not wait then file:write(err.message, "\n") os.exit(1) end
    if wait == 0 then file:write(("%.6f %.6f\n"):format(before, core.now())) end
    core.sleep(math.min(wait, 0.1))
  end]]

local function over(url)
  return limiter.over(assert(limits.new { redis = url }))
end

local function pass(own, rate, who, poll)
  return own:pass(who or WHO, rate, poll, 0, blocking)
end

describe("limits in Redis", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  before_each(function()
    server = servers.start { conf = "appendonly yes\nappendfsync always\n" }
    server:in_use "h"
  end)
  after_each(function()
    server:close()
  end)

  -- Starts eight. Gives their files, what reads all of them, and what ends them.
  local function start_greedy()
    local script, stop, paths, commands = world.file(GREEDY, ".lua"), world.path ".stop", {}, {}
    for i = 1, 8 do
      paths[i] = world.path ".log"
      commands[i] = ("%s %s '%s?fleet=8' %s %d %s >%s.err 2>&1 & echo $! >>%s.pids\n"):format(INTERPRETER, script,
        server.url, paths[i], i == 1 and 3600 or i == 2 and -3600 or 0, stop, paths[i], stop)
    end
    os.execute(table.concat(commands))
    local function texts()
      local all = {}
      for i, path in ipairs(paths) do
        local file = io.open(path)
        all[i] = file and file:read "*a" or ""
        if file then
          file:close()
        end
      end
      return all
    end
    return texts, function()
      world.write(stop, "")
      for pid in world.read(stop .. ".pids"):gmatch "%d+" do
        until_true(function()
          local pipe = io.popen("unset LD_PRELOAD; ps -o pid= -p " .. pid)
          local text = pipe:read "*a"
          pipe:close()
          return text == ""
        end, "the end of a process")
      end
    end
  end

  -- The places of all, each between two times.
  local function places_of(texts)
    local places = {}
    for _, text in ipairs(texts) do
      for before, after in text:gmatch "([%d.]+) ([%d.]+)\n" do
        places[#places + 1] = { before = tonumber(before), after = tonumber(after) }
      end
    end
    table.sort(places, function(a, b)
      return a.before < b.before
    end)
    return places
  end

  -- The most places that were certainly given within a span, wherever it begins.
  local function most_of(places)
    local most = 0
    for first, one in ipairs(places) do
      local n = 0
      for i = first, #places do
        if places[i].before >= one.before + SPAN then
          break
        end
        n = n + (places[i].after < one.before + SPAN and 1 or 0)
      end
      most = math.max(most, n)
    end
    return most
  end

  local function count(texts, pattern)
    local n = 0
    for _, text in ipairs(texts) do
      n = n + (text:find(pattern) and 1 or 0)
    end
    return n
  end

  -- Waits until so many more places were given.
  local function await_places(texts, n, since)
    until_true(function()
      local found = 0
      for _, place in ipairs(places_of(texts())) do
        found = found + (place.before >= since and 1 or 0)
      end
      return found >= n
    end, "more places")
  end

  it("hold eight greedy processes to one rate, also when Redis goes, comes back, and comes back empty", function()
    local texts, stop = start_greedy()
    await_places(texts, 60, 0)
    for _, without in ipairs { false, true } do
      server:stop "KILL"
      local killed = core.now()
      until_true(function()
        return count(texts(), "away") == 8
      end, "all to notice that Redis is away")
      await_places(texts, 24, killed + SPAN) -- by shares
      if without then
        os.execute(("rm -rf '%s'/appendonlydir"):format(server.folder))
      end
      server:restart()
      local back = core.now()
      until_true(function()
        return count(texts(), without and "back.*back" or "back") == 8
      end, "all to notice that Redis is back")
      await_places(texts, 60, back)
    end
    stop()
    local places = places_of(texts())
    assert.equal(0, count(texts(), "cannot"))
    assert.is_true(most_of(places) <= 20, most_of(places))
    assert.is_true(#places > 200, #places)
  end)

  it("give each place once, in one round trip, and say when the next is free", function()
    local one, other, probe = over(server.url .. "?fleet=1"), over(server.url .. "?fleet=1"), server:open()
    assert.equal(0, pass(one, 5))
    assert.equal(0, pass(other, 5))
    local function calls()
      return tonumber(probe:call("INFO", "commandstats"):match "cmdstat_evalsha:calls=(%d+)")
    end
    local before = calls()
    for i = 1, 3 do
      assert.equal(0, pass(i % 2 == 0 and one or other, 5))
    end
    assert.equal(before + 3, calls())
    local wait = pass(one, 5)
    assert.is_true(wait > 55 and wait <= 61, wait)
    assert.equal(before + 4, calls())
    assert.is_true(pass(one, 5) > 55) -- it knows, and does not ask
    assert.equal(before + 4, calls())
    for _, key in ipairs(probe:call("KEYS", "*")) do
      assert.equal("{scope3:limit:h}:", key:match "^{.-}:")
      local left = probe:call("PTTL", key)
      assert.is_true(left > 7000000 and left <= 7200000, left)
    end
    probe:close()
  end)

  it("share 429s, announced limits and sizes with the next request of who heard of them", function()
    local one, other = over(server.url), over(server.url)
    local late = { host = "h", key = "late" }
    one:learn_size(WHO, 70000, 0)
    one:learn_size(WHO, 50000, 0)
    one:block(late, 40, 0)
    assert.equal(0, pass(one, 100))
    assert.equal(50000, other:size(WHO, 0, blocking))
    assert.equal(50000, one:size(WHO, 0, blocking))
    assert.equal(0, pass(other, 100, late))
    assert.is_true(pass(one, 100, late) > 39)
    local wait = pass(other, 100, late)
    assert.is_true(wait > 39 and wait <= 40.1, wait)
    one:learn(WHO, { ratelimit = "limit=9, remaining=1, reset=30" }, 0, 0, 1795990400)
    assert.equal(0, pass(one, 100))
    wait = pass(other, 100)
    assert.is_true(wait > 29 and wait <= 30, wait) -- nothing is left
    one:learn(WHO, {}, 0, 0, 1795990400)
    assert.equal(0, pass(one, 100))
    assert.equal(0, pass(over(server.url), 100))
  end)

  it("give polls nine tenths, and a third while others wait", function()
    local own = over(server.url .. "?fleet=1")
    for _ = 1, 9 do
      assert.equal(0, pass(own, 10, WHO, true))
    end
    assert.is_true(pass(own, 10, WHO, true) > 0)
    assert.equal(0, pass(own, 10))
    assert.is_true(pass(own, 10) > 0)
  end)

  it("are asked by a child of fork over a connection of its own", function()
    local own = over(server.url .. "?fleet=1")
    assert.equal(0, pass(own, 3))
    assert.equal(0, compile.fork()(function()
      return pass(own, 3)
    end))
    assert.equal(0, pass(own, 3))
    assert.is_true(pass(own, 3) > 0)
  end)

  it("count children of one process as several, which have a share each", function()
    local own = over(server.url)
    local host = "forks.example"
    server:in_use(host)
    for _ = 1, 3 do
      assert.equal(0, compile.fork()(function()
        return pass(own, 100, { host = host, key = "k" })
      end))
    end
    local probe = server:open()
    assert.equal(3, probe:call("ZCARD", "{scope3:limit:" .. host .. "}:members"))
    probe:close()
  end)

  it("work in a Redis whose memory is full", function()
    local probe = server:open()
    assert(probe:call("CONFIG", "SET", "maxmemory", 1))
    assert.equal("OOM", select(2, probe:call("SET", "a", "b")).code)
    assert.equal(0, pass(over(server.url), 5))
    probe:close()
  end)

  it("are one option of a client, and an outage is told once", function()
    sandbox:configure { rate_limit = 1000 }
    local real, events = require "scope3.util.rare".number, {}
    local numbers = { limiter_span = 0.2, limiter_notice = 0.2, limiter_unseen = 0.2, limiter_retry = 0.05 }
    require "scope3.util.rare".number = function(name, usual)
      return numbers[name] or usual
    end
    local client = sandbox:client { limiter = server.url .. "/3?fleet=2", on_event = function(event)
      events[#events + 1] = event.event == "limiter" and event.problem or nil
    end }
    require "scope3.util.rare".number = real
    local function send(id)
      return assert(client:sync(assert(scope3.audience { id = id }):delete()))
    end
    send "a"
    server:stop "KILL"
    local res = send "b"
    assert.equal("limiter_away", res.warnings[1].code)
    send "c"
    server:restart()
    until_true(function()
      send "d"
      return #events == 2
    end, "Redis to be used again")
    assert.same({ "away", "back" }, events)
  end)

  it("end a request with an error where Redis refuses it, and hide the password", function()
    for _, url in ipairs { server.url:gsub("//", "//:secret-word@"), (server.url .. "/99") } do
      local wait, err = pass(over(url), 5)
      assert.same({ "nil", "limiter" }, { type(wait), err.kind })
      assert.is_nil(err.message:find("secret-word", 1, true))
    end
    for _, url in ipairs { "redis://", "redis://h?fleet=0", "redis://h/x", "redis://:secret-word@h?fleet=100000" } do
      local client, err = scope3.client { api_key = "k", account_id = "25", limiter = url }
      assert.same({ "nil", "invalid" }, { type(client), err.kind })
      assert.equal("limiter", err.issues[1].path)
      assert.is_nil(err.message:find("secret-word", 1, true))
      assert.equal("invalid", select(2, scope3.limiter(url)).kind)
      assert.equal(url:find("?", 1, true) ~= nil, err.message:find("?fleet=N", 1, true) ~= nil, err.message)
    end
    assert.truthy(scope3.limiter { redis = server.url, fleet = 3 })
    assert.has_error(function()
      scope3.limiter { redis = server.url, flet = 3 }
    end)
  end)

  it("give up after five seconds where Redis never answered and the fleet is unknown", function()
    local now = 1e5
    local own = limiter.over(assert(limits.new({ redis = server.url }, function()
      return nil, require "scope3.error".new("network", "refused", { retryable = true })
    end, function()
      return now
    end)))
    local wait, err, news = pass(own, 5)
    assert.same({ 1, "nil", "away" }, { wait, type(err), news })
    for _ = 1, 5 do
      now = now + 1
      assert.equal(1, (pass(own, 5)))
    end
    now = now + 1
    wait, err = pass(own, 5)
    assert.same({ "nil", "limiter" }, { type(wait), err.kind })
  end)
end)
