-- What real servers refuse, and what is said of it: which one they are, what they lack, and whether it may pass.
local blocking = require "scope3.loop.blocking"
local checks = require "scope3.fleet.checks"
local limiter = require "scope3.http.limiter"
local limits = require "scope3.redis.limits"
local link = require "scope3.redis.link"
local peers = require "spec.support.redis_peer"
local queue = require "scope3.fleet.queue"
local server_facts = require "scope3.redis.server"
local redis = require "scope3.redis"
local servers = require "spec.support.redis"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }

describe("a server that refuses", function()
  local server, connection

  local function start(conf)
    server = servers.start { conf = conf }
    connection = server:open()
  end

  after_each(function()
    if server then
      server:close()
      server = nil
    end
  end)
  teardown(world.clean)

  -- Asks a limiter for a place. It waits by the loop that it finds.
  local function pass(url, loop)
    return limiter.over(assert(limits.new { redis = url .. "?fleet=1" })):pass(WHO, 5, false, 0, loop)
  end

  -- A user with the rights that a page names. Gives the server's URL with that login.
  local function url_of_page(page)
    local keys, rights = world.read("docs/" .. page):match "needs[ \n]+`(~{scope3:[^`]+)`[ \n]+with[ \n]+`([^`]+)`"
    local words = {}
    for word in rights:gmatch "%S+" do
      words[#words + 1] = "+" .. word:gsub("^%+", "")
    end
    start(("user app on >app9 %s %s\n"):format(keys, table.concat(words, " ")))
    return (server.url:gsub("//", "//app:app9@"))
  end

  it("nothing to the user of a queue whose rights are those of its page", function()
    local own = assert(redis.open { url = url_of_page "fleets.md" .. "/1", call_seconds = 30 })
    assert.is_true(own.named)
    local host = assert(checks.look(own))
    local q = queue.new(own, "q", host.run)
    local id = assert(q:append("f", 1, "x\n"))
    assert.is_true(q:lease("a", 30, id).held)
    assert.equal(1, #q:read(nil, 9))
    assert.equal(1, q:figures().entries)
    assert.is_true(q:ack("a", "1", id))
    assert.is_true(q:release("a", "1"))
    assert.equal("PONG", own:call "PING")
    assert.equal("NOPERM", select(2, own:call("SET", "other", 1)).code)
    own:close()
  end)

  it("nothing to the user of a limiter whose rights are those of its page", function()
    local url = url_of_page "embedding.md"
    server:in_use "h"
    local own = limiter.over(assert(limits.new { redis = url .. "?fleet=1" }))
    own:learn(WHO, { ratelimit = "limit=9, remaining=1, reset=30" }, 0, 0, 1795990400)
    assert.equal(0, own:pass(WHO, 5, true, 0, blocking))
    own:learn_size(WHO, 50000, 0)
    own:learn(WHO, {}, 0, 0, 1795990400)
    assert.equal(0, own:pass(WHO, 5, false, 0, blocking))
  end)

  it("a command within a script is told apart from other faults", function()
    start "user app on >app9 ~* +@all -set\n"
    local own = assert(redis.open { url = server.url:gsub("//", "//app:app9@"), call_seconds = 30 })
    local _, err = own:script("#!lua\nreturn redis.call('SET', KEYS[1], '1')", { "a" })
    assert.same({ "redis", "NOPERM" }, { err.kind, err.code })
    _, err = own:script("#!lua\nreturn redis.call('NOSUCH', KEYS[1])", { "a" })
    assert.same({ "redis", "UNKNOWN_COMMAND" }, { err.kind, err.code })
    _, err = own:script("#!lua\nreturn redis.call('INCR', KEYS[1], '1', '2')", { "a" })
    assert.same({ "redis", "ERR" }, { err.kind, err.code })
    own:close()
  end)

  it("writes, as a replica does, is away for a limiter until it takes them", function()
    start ""
    server:in_use "h"
    assert(connection:call("REPLICAOF", "127.0.0.1", 1))
    local own = limiter.over(assert(limits.new { redis = server.url .. "?fleet=1" }))
    local wait, err, news = own:pass(WHO, 5, false, 0, blocking)
    assert.same({ 1, "nil", "away" }, { wait, type(err), news })
    assert(connection:call("REPLICAOF", "NO", "ONE"))
    until_true(function()
      news = select(3, own:pass(WHO, 5, false, 0, blocking))
      return news == "back"
    end, "the limiter to use it again")
  end)

  it("everything while it loads its data says that this passes", function()
    start "enable-debug-command yes\n"
    assert(connection:call("EVAL", "for i = 1, 2000 do redis.call('SET', i, ('x'):rep(100)) end return 1", 0))
    assert(connection:call("CONFIG", "SET", "key-load-delay", "20000", "loading-process-events-interval-bytes", "1024"))
    local other = server:open { call_seconds = 0.2 }
    assert.equal("timeout", select(2, other:call("DEBUG", "RELOAD")).kind) -- it loads for 40 seconds
    local q = queue.new(connection, "q", assert(checks.look(connection)).run)
    local _, err
    until_true(function()
      _, err = q:lease("a", 30)
      return err
    end, "the beginning of the load")
    assert.same({ "redis", "LOADING", true }, { err.kind, err.code, err.retryable })
  end)

  it("all but its own machine, in protected mode, says how to open it", function()
    local pipe = io.popen "unset LD_PRELOAD; hostname -I 2>/dev/null"
    local address = pipe:read("*a"):match "%f[%d]%d+%.%d+%.%d+%.%d+"
    pipe:close()
    if not address then
      return pending "this machine has no other address than 127.0.0.1"
    end
    start(("bind 127.0.0.1 %s\n"):format(address))
    local none, err
    until_true(function() -- a reset may take the text along
      none, err = redis.open { url = server.url:gsub("127.0.0.1", address), call_seconds = 30 }
      assert.is_nil(none)
      return err.kind == "redis"
    end, "the reason why it ends the connection")
    assert.equal("DENIED", err.code)
    assert.truthy(err.message:find("set a password there", 1, true), err.message)
  end)

  it("to hold anything, as a sentinel does, is told so to a limiter, too", function()
    server = servers.start { sentinel = true }
    local wait, err = pass(server.url, blocking)
    assert.same({ "nil", "limiter", "SENTINEL" }, { type(wait), err.kind, err.code })
    assert.truthy(err.message:find("name the primary", 1, true), err.message)
    local _, other = redis.open { url = server.url .. "/3" } -- it does not know SELECT
    assert.equal("UNKNOWN_COMMAND", other.code)
    assert.truthy(other.message:find("no sentinel", 1, true), other.message)
  end)

  it("the places of a limiter names the way out where another node of a cluster has them", function()
    local other
    server, other = servers.cluster "{scope3:limit:h}:host"
    local wait, err = pass(server.url, blocking)
    other:close()
    assert.same({ "nil", "limiter", "MOVED" }, { type(wait), err.kind, err.code })
    assert.truthy(err.message:find("name a Redis that is no cluster", 1, true), err.message)
  end)

  it("scripts as an old one does is told by its version", function()
    for info, code in pairs {
      ["redis_version:6.2.14\r\nrun_id:ab\r\nuptime_in_seconds:99\r\n"] = "OLD_REDIS",
      ["redis_version:7.0.0\r\nrun_id:ab\r\n"] = "BAD_REPLY",
    } do
      local wait, err
      peers.run(peers.greeted(function(peer)
        peer:write(("$%d\r\n%s\r\n"):format(#info, info))
      end), function(url)
        wait, err = pass(url)
      end)
      assert.same({ "nil", "limiter", code }, { type(wait), err.kind, err.code })
      assert.equal(code == "OLD_REDIS", err.message:find("this Redis is 6.2.14", 1, true) ~= nil, err.message)
    end
  end)

  it("to say since when it runs, because its clock was set back, counts as just started", function()
    local info = "redis_version:7.0.0\r\nrun_id:ab\r\nuptime_in_seconds:-3590\r\n"
    local found
    peers.run(peers.greeted(function(peer)
      peer:write(("$%d\r\n%s\r\n"):format(#info, info))
    end), function(url)
      found = { link.opener { url = url, connect_seconds = 30, call_seconds = 30 }() }
    end)
    assert.same({ "ab", 0 }, { found[2], found[3] }, tostring(found[2]))
    found[1]:close()
    local host = assert(checks.look { pipeline = function()
      return { info, "maxmemory:0\r\n", "aof_enabled:1\r\n", "second_repl_offset:-1\r\n" }
    end })
    assert.same({ run = "ab", up = 0 }, host)
  end)

  it("to say more than whole seconds is taken for no older than it is", function()
    for said, age in pairs { ["0"] = 0, ["1"] = 0, ["2"] = 1, ["86400"] = 86399, ["-1"] = 0 } do
      assert.equal(age, server_facts.age { uptime_in_seconds = said })
    end
    assert.is_nil(server_facts.age {})
  end)
end)
