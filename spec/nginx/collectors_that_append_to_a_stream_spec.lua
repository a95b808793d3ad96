-- A collector with `stream`: its sealed files are appended to a queue in a real Redis, each entry once and in order.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
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

  local function start(options, linger)
    server = nginx.start { http = CONF:format(folder.path, options or "", redis.url, linger or "0.2") }
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
      for line in one.lines:gmatch "[^\n]+" do
        local sign, id = line:match '^([+-]){"externalId":"([^"]*)"'
        list[#list + 1] = sign and sign .. id or line
      end
    end
    connection:close()
    return list, n
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

  local function until_settled()
    nginx.until_true("all files are freed", function()
      return get "/flush" == "flushed" and #folder.files "%.spool$" <= 1 and status().held == 0
    end)
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
    assert.same({ '@{"audienceId":"visitors"}', "+v1", "+v3", "-v2", '@{"audienceId":"other"}', "+v7", "+v8",
      '@{"audienceId":"visitors"}', "+v9" }, found)
    assert.equal(6, n)
    local now = status()
    assert.same({ 7, 0, 0 }, { now.appended, now.held, now.accepted })
    assert.equal(7, now.all.appended)
    assert.is_nil(now.error)
    until_settled()
    assert.same(found, (there()))
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
end)
