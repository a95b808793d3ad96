-- A collector with `stream`: its sealed files are appended to a queue in a real Redis, each entry once and in order.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis_server = require "spec.support.redis"
local world = require "spec.support.world"

local CONF = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    collector = assert(require("scope3.nginx").collector {
      audience = "visitors", shared = "scope3", spool = "%s", %s
      stream = { url = "%s", queue = "q", linger_seconds = %s },
    })
  }
  init_worker_by_lua_block { collector:start() }
  exit_worker_by_lua_block { require("scope3.nginx").exit() }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /op { content_by_lua_block {
      local from, err = tonumber(ngx.var.arg_from), nil
      local to = tonumber(ngx.var.arg_to or from)
      for i = from, to do
        local opts, ok = ngx.var.arg_audience and { audience = ngx.var.arg_audience } or nil, nil
        if ngx.var.arg_remove then
          ok, err = collector:remove({ external_id = "v" .. i }, opts)
        else
          ok, err = collector:add({ external_id = "v" .. i, email = "v" .. i .. "@example.com" }, opts)
        end
        if not ok then
          return ngx.print(i - from, " ", err.kind)
        end
      end
      ngx.print(to - from + 1, " taken")
    } }
    location = /flush { content_by_lua_block {
      local ok, err = collector:flush()
      ngx.print(ok and "flushed" or tostring(err))
    } }
    location = /status { content_by_lua_block { ngx.print(require("cjson").encode(collector:status())) } }
  }
]]

describe("a collector with a stream", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server, redis

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  local folder = collecting.folder(before_each, after_each, stop)
  after_each(function()
    redis:close()
  end)

  local function start(options, linger, name)
    local conf = CONF:gsub('queue = "q"', ('queue = "%s"'):format(name or "q"))
    server = nginx.start { workers = name and 2, http = conf:format(folder.path, options or "", redis.url,
      linger or "0.2") }
    server:expect(collecting.SAYS)
  end

  local function get(path)
    local reply = world.http("GET", server.url .. path, nil, { timeout = 60 })
    assert.equal(200, reply.status, path)
    return reply.body
  end

  local function op(from, to, more)
    return get(("/op?from=%d&to=%d%s"):format(from, to or from, more or ""))
  end

  local function status()
    return world.json.decode(get "/status")
  end

  -- What is in the stream: a text for each member, "+ID" or "-ID" behind a label where that changes.
  local function there()
    local connection = redis:open()
    local list, n = {}, 0
    for _, one in ipairs(assert(queue.new(connection, "q", ""):read(nil, 10000))) do
      n = n + one.n
      for _, line in ipairs(packed_lines.read(one.lines)) do
        local sign, id = line:match '^([+-]){"externalId":"([^"]*)"'
        list[#list + 1] = sign and sign .. id or line
      end
    end
    connection:close()
    return list, n
  end

  local function entries()
    local connection, sizes = redis:open(), {}
    for i, one in ipairs(assert(queue.new(connection, "q", ""):read(nil, 10000))) do
      sizes[i] = one.n
    end
    connection:close()
    return sizes
  end

  -- Ids of the stream in their order, and what a test added: v1 to vN once each.
  local function assert_all(n)
    local expected = { '@{"audienceId":"visitors"}' }
    for i = 1, n do
      expected[i + 1] = "+v" .. i
    end
    local found = {}
    for _, one in ipairs((there())) do
      found[#found + 1] = (one:sub(1, 1) ~= "@" or #found == 0) and one or nil
    end
    assert.same(expected, found)
  end

  local function until_status(what, condition)
    return nginx.until_true(what, function()
      local now = status()
      return condition(now) and now
    end)
  end

  -- Waits until files are freed: only where Redis has answered again.
  local function until_settled()
    local connection = redis:open()
    nginx.until_true("an answer of Redis, before files are freed", function()
      return assert(connection:call("INFO", "commandstats")):find("cmdstat_ping", 1, true)
    end)
    connection:close()
    assert.equal(0, status().held)
  end

  it("appends members and removals in their order, and frees the files", function()
    redis = redis_server.start()
    start "flush_seconds = 3600,"
    assert.equal("3 taken", op(1, 3))
    assert.equal("1 taken", op(2, 2, "&remove=1"))
    assert.equal("2 taken", op(7, 8, "&audience=other"))
    assert.equal("1 taken", op(9))
    assert.equal("flushed", get "/flush")
    local found, n = there()
    assert.same({ '@{"audienceId":"visitors"}', "+v1", "+v2", "+v3", "-v2", '@{"audienceId":"other"}', "+v7", "+v8",
      '@{"audienceId":"visitors"}', "+v9" }, found)
    assert.equal(7, n)
    local now = status()
    assert.same({ 7, 0, 0 }, { now.appended, now.held, now.accepted })
    assert.equal(7, now.all.appended)
    assert.is_nil(now.error)
    until_settled()
    assert.same(found, (there()))
  end)

  it("has the queue know for a day what it may append again, and for an hour what it has freed", function()
    redis = redis_server.start()
    start "flush_seconds = 3600,"
    op(1, 3)
    assert.equal("flushed", get "/flush")
    until_settled()
    op(4, 6)
    assert.equal("flushed", get "/flush")
    local connection = redis:open()
    local keys, seconds = connection:call("KEYS", "{scope3:q}:once:*"), {}
    for i, key in ipairs(keys) do
      seconds[i] = connection:call("TTL", key) > 3600
    end
    table.sort(seconds, function(a)
      return not a
    end)
    connection:close()
    assert.same({ false, true }, seconds)
  end)

  it("gathers ten thousand members of several requests before it appends them", function()
    redis = redis_server.start()
    start "flush_seconds = 3600,"
    for i = 1, 4 do
      assert.equal("2500 taken", op(2500 * i - 2499, 2500 * i))
    end
    until_status("all to be appended", function(now)
      return now.appended == 10000
    end)
    assert.same({ 2000, 2000, 2000, 2000, 2000 }, entries())
  end)

  it("has every member land at the service, by way of a drainer", function()
    redis = redis_server.start { conf = "requirepass hidden\n", login = ":hidden@" }
    start "flush_members = 300, flush_seconds = 0.2,"
    for i = 1, 1000, 250 do
      assert.equal("250 taken", op(i, i + 249))
    end
    assert.equal("50 taken", op(1, 50, "&remove=1"))
    until_status("all are in the queue", function(now)
      return now.held == 0 and now.appended == 1050
    end)
    local res = assert(sandbox:client():drain { redis = redis.url, queue = "q", once = true, lease = 1 })
    assert.equal(0, res.failed)
    local members, n = sandbox:members "visitors", 0
    for _ in pairs(members) do
      n = n + 1
    end
    assert.same({ 950, nil, true }, { n, members.v50, members.v51 ~= nil })
    assert.is_nil(server:log():find("hidden", 1, true))
  end)

  it("appends again what Redis has lost, and once what it has not", function()
    redis = redis_server.start { conf = "appendonly yes\nappendfsync everysec\n" }
    start("flush_seconds = 3600, exit_seconds = 0.1,", "3600")
    local log = redis.folder .. "/appendonlydir/appendonly.aof.1.incr.aof"
    local function written(id)
      return nginx.until_true(id .. " is written", function()
        local text = world.read(log)
        return text:find(id, 1, true) and #text
      end)
    end
    op(1, 5)
    assert.equal("flushed", get "/flush")
    local size = written "\2\0\0v5"
    op(6, 10)
    assert.equal("flushed", get "/flush")
    written "\3\0\0v10"
    redis:stop "KILL"
    os.execute(("truncate -s %d '%s'"):format(size, log))
    redis:restart()
    op(11, 15)
    assert.equal("flushed", get "/flush")
    assert_all(15)
    local now = status()
    assert.same({ 15, 0 }, { now.appended, now.held })
    assert.truthy(server:log():find("10 members are appended once more", 1, true))
  end)

  it("keeps what it has while Redis is away, also across a worker that is killed, and appends the oldest first",
    function()
      redis = redis_server.start()
      start "flush_seconds = 3600,"
      redis:stop "KILL"
      op(1, 10)
      assert.truthy(get("/flush"):find("Redis", 1, true))
      op(11, 20)
      assert.equal(20, status().held)
      assert.truthy(status().error:find("Redis", 1, true))
      local worker = server:workers()[1]
      server:signal("KILL", worker)
      nginx.until_true("another worker", function()
        local reply = world.http("GET", server.url .. "/ping", nil, { timeout = 5 })
        local list = server:workers()
        return reply.status == 200 and #list == 1 and list[1] ~= worker
      end)
      op(21, 30)
      redis:restart()
      nginx.until_true("all are appended", function()
        return get "/flush" == "flushed" and status().held == 0
      end)
      assert_all(30)
      assert.equal(30, status().all.appended)
      until_settled()
      assert_all(30)
    end)

  it("fills its spool while Redis is full, and refuses members only then", function()
    redis = redis_server.start { conf = "maxmemory-policy noeviction\n" }
    start "flush_seconds = 3600, max_waiting_bytes = 200000,"
    local connection = redis:open()
    connection:call("CONFIG", "SET", "maxmemory", 1)
    op(1, 10)
    assert.truthy(get("/flush"):find("memory is full", 1, true))
    local n, word = op(11, 9000):match "^(%d+) (%a+)$"
    assert.equal("full", word)
    assert.is_true(tonumber(n) > 100)
    local now = status()
    assert.same({ 10 + n, 1, 0 }, { now.held, now.refused, now.appended })
    assert.truthy(now.error:find("OOM", 1, true))
    connection:call("CONFIG", "SET", "maxmemory", 0)
    connection:close()
    assert.equal("flushed", get "/flush")
    assert_all(10 + n)
    assert.is_nil(status().error)
  end)

  it("soon tries again where a full Redis has taken something, however often it took nothing before", function()
    redis = redis_server.start { conf = "maxmemory-policy noeviction\n" }
    start "flush_seconds = 3600,"
    local connection = redis:open()
    connection:call("CONFIG", "SET", "maxmemory", 1)
    op(1, 100)
    for _ = 1, 6 do -- the next try by itself is in over seven seconds
      assert.truthy(get("/flush"):find("memory is full", 1, true))
    end
    local used = tonumber(connection:call("INFO", "memory"):match "used_memory:(%d+)")
    connection:call("CONFIG", "SET", "maxmemory", ("%d"):format(used + 200000))
    op(101, 9000)
    assert.truthy(get("/flush"):find("memory is full", 1, true))
    assert.is_true(status().held < 9000)
    local began = core.now()
    connection:call("CONFIG", "SET", "maxmemory", 0)
    connection:close()
    until_status("all are appended", function(now)
      return now.appended == 9000
    end)
    assert.is_true(core.now() - began < 7)
    assert_all(9000)
  end)

  it("says that a password is wrong, and loses nothing", function()
    redis = redis_server.start { conf = "requirepass right\n", login = ":hidden@" }
    start "flush_seconds = 3600,"
    op(1, 10)
    assert.truthy(get("/flush"):find("check both in the URL", 1, true))
    local now = status()
    assert.equal(10, now.held)
    assert.truthy(now.error:find("WRONGPASS", 1, true))
    assert.is_nil(server:log():find("hidden", 1, true))
    local connection = require("scope3.redis").open { url = ("redis://:right@127.0.0.1:%d"):format(redis.port) }
    connection:call("CONFIG", "SET", "requirepass", "hidden")
    connection:close()
    assert.equal("flushed", get "/flush")
    assert_all(10)
  end)

  it("names what is wrong with its options", function()
    redis = redis_server.start()
    server = nginx.start { http = [[
      init_by_lua_block {
        local collector = require("scope3.nginx").collector
        said = {}
        local function try(opts, more)
          for key, value in pairs(more or {}) do
            opts[key] = value
          end
          local fine, made, err = pcall(function()
            local a, b = collector(opts)
            return a, b
          end)
          said[#said + 1] = tostring(fine and err or made):gsub("\n", "; ")
        end
        try { stream = { url = "redis://:hidden@127.0.0.1", queue = "q" } }
        try { spool = "/tmp", stream = { url = "redis://:hidden@127.0.0.1:x", queue = "a b" } }
        try { spool = "/tmp", stream = { url = "redis://:hidden@127.0.0.1" }, rate = 5, on_event = print,
          max_bytes = 8388609 }
        try { spool = "/tmp", stream = { url = "redis://127.0.0.1", queue = "q", linger = 3 } }
        said[#said + 1] = tostring(package.loaded["scope3.nginx.stream_outbox"])
      }
      server {
        listen 127.0.0.1:PORT;
        location = /ping { return 200 "pong"; }
        location = /said { content_by_lua_block { ngx.print(table.concat(said, "\n")) } }
      }
    ]] }
    local lines = {}
    for line in get("/said"):gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.truthy(lines[1]:find("^init_by_lua.*stream needs spool"), lines[1])
    assert.truthy(lines[2]:find("stream.url", 1, true) and lines[2]:find("stream.queue", 1, true), lines[2])
    for _, words in ipairs { "stream.queue: is missing", "rate: has no effect", "on_event: has no effect",
      "max_bytes: must be at most 8388608 with stream" } do
      assert.truthy(lines[3]:find(words, 1, true), lines[3])
    end
    assert.truthy(lines[4]:find "^init_by_lua.*linger", lines[4])
    assert.equal("nil", lines[5])
    assert.is_nil(table.concat(lines):find("hidden", 1, true))
  end)

  it("waits when it ends for what Redis has not had for long enough", function()
    redis = redis_server.start()
    start("flush_seconds = 3600,", "0.5")
    op(1, 3)
    server:signal "QUIT"
    nginx.await_end(server.pid)
    stop()
    assert_all(3)
    assert.same({}, folder.files ".")
  end)

  it("has the log name what waits for another queue, and appends it to that one when it comes back", function()
    redis = redis_server.start()
    redis:stop()
    start "flush_seconds = 3600,"
    assert.equal("3 taken", op(1, 3))
    stop()
    start("flush_seconds = 3600,", "0.2", "renamed")
    nginx.until_true("the files of the other queue in the log", function()
      return server:log():find("members wait in 1 file of " .. folder.path .. "/%x+%-%*, and no collector here")
    end)
    assert.equal(1, select(2, server:log():gsub("no collector here sends them", "")))
    stop()
    redis:restart()
    start()
    until_status("all to be appended", function(now)
      return now.appended == 3
    end)
    assert_all(3)
  end)

  it("counts members once that workers of later configurations append again", function()
    redis = redis_server.start()
    start("flush_seconds = 0.1, exit_seconds = 0,", "3600")
    for i = 1, 3 do
      op(10 * i - 9, 10 * i)
      until_status("all to be appended", function(now)
        return now.held == 0 and now.all.held == 0
      end)
      server:reload()
      until_status("its files to be appended again", function(now)
        return now.adopted == 10 * i and now.held == 0
      end)
    end
    assert_all(30)
    assert.equal(30, status().all.appended)
  end)

  it("counts as lost, and says so, what waited in files that somebody has removed when its worker ends", function()
    redis = redis_server.start()
    redis:stop()
    start "flush_seconds = 3600, exit_seconds = 0,"
    op(1, 10)
    os.execute("rm -f " .. folder.path .. "/*")
    assert.equal(0, status().all.lost)
    server:reload()
    until_status("the members to be counted", function(now)
      return now.all.lost == 10
    end)
    assert.truthy(server:log():find("was removed by somebody while 10 members waited in it: they are lost", 1, true))
    assert.equal(0, status().all.held)
  end)

  it("leaves to the next worker what it has no time for when it ends", function()
    redis = redis_server.start()
    start "flush_seconds = 3600, exit_seconds = 0,"
    op(1)
    assert.equal("flushed", get "/flush")
    until_settled()
    op(2, 3)
    server:signal "QUIT"
    nginx.await_end(server.pid)
    stop()
    assert.same({ 1 }, entries())
    start "flush_seconds = 0.1,"
    until_status("adopted and appended", function(now)
      return now.appended == 2 and now.held == 0
    end)
    assert_all(3)
  end)
end)
