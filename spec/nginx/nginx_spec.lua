-- The client inside a real nginx. It has one Lua, so this runs with LuaJIT alone.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local socket = require "cqueues.socket"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

-- The http block of all: a client made in the master, and locations that use it.
local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    inside = require "spec.support.in_nginx"
    inside.init "SANDBOX"
    %s
  }
  %s
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync { content_by_lua_block { inside.serve_sync() } }
    location = /state { content_by_lua_block { inside.serve_state() } }
    location = /say { content_by_lua_block { ngx.shared.scope3:set(ngx.var.arg_key, true) } }
    location = /said { content_by_lua_block { ngx.print(ngx.shared.scope3:get(ngx.var.arg_key) or "") } }
    %s
  }
]]

-- Starts an nginx: `init` stands in init_by_lua, `http` in the http block, `server` in the server.
local function start(sandbox, options)
  options = options or {}
  return nginx.start {
    http = HTTP:format(options.init or "", options.http or "", options.server or ""):gsub("SANDBOX", sandbox.url),
    workers = options.workers,
  }
end

local function get(server, path)
  local reply = world.http("GET", server.url .. path)
  assert(reply.status == 200, reply.body)
  return world.json.decode(reply.body)
end

-- Requests under way at once, answered by and by.
local Requests = {}
Requests.__index = Requests

local function begin(urls)
  local self = setmetatable({ engine = assert(core.engine { connect_timeout = 30 }), replies = {}, count = #urls }, Requests)
  for _, url in ipairs(urls) do
    assert(self.engine:submit { method = "GET", url = url, headers = {}, timeout = 120 })
  end
  self:step()
  return self
end

function Requests:step()
  self.engine:step()
  for reply in self.engine.result, self.engine do
    self.replies[#self.replies + 1] = reply
  end
  return #self.replies == self.count
end

function Requests:all()
  nginx.until_true("every request is answered", function()
    self.engine:wait(0.05)
    return self:step()
  end, 120)
  self.engine:close()
  return self.replies
end

-- The bodies of replies that must all be 200, decoded.
local function bodies(replies)
  local list = {}
  for i, reply in ipairs(replies) do
    assert(reply.status == 200, tostring(reply.status) .. " " .. tostring(reply.message or reply.body))
    list[i] = world.json.decode(reply.body)
  end
  return list
end

local function urls(n, make)
  local list = {}
  for i = 1, n do
    list[i] = make(i)
  end
  return list
end

-- A client that can leave: sends the head of a request.
local function connect(server, path)
  local connection = assert(socket.connect("127.0.0.1", server.port))
  connection:setmode("b", "bn")
  assert(connection:connect(10))
  assert(connection:write(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path)))
  return connection
end

local function count(sandbox, audience)
  local n = 0
  for _, request in ipairs(sandbox:requests("sync")) do
    for _, one in ipairs(request.audiences or {}) do
      n = n + (one.audienceId == audience and 1 or 0)
    end
  end
  return n
end

describe("in nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  setup(function()
    server = start(sandbox, { server = [[
      location = /threads {
        content_by_lua_block {
          local threads, sent, most = {}, 0, 0
          for i = 1, 200 do
            threads[i] = assert(ngx.thread.spawn(function()
              return inside.sync("t" .. i)
            end))
          end
          for _, thread in ipairs(threads) do
            local ok, outcome = ngx.thread.wait(thread)
            assert(ok, outcome)
            sent = sent + (outcome.accepted or 0)
          end
          inside.say { accepted = sent }
        }
      }
      location = /failures {
        content_by_lua_block {
          local client, list = inside.client, {}
          local _, err = client:sync(inside.audience "a", { timeout = 0.1, deadline = 0.3 })
          list[1] = err.kind
          _, err = client:sync(inside.audience "b", { cancel = function() return true end })
          list[2] = err.kind
          local at = ngx.now()
          _, err = client:sync(inside.audience "b", { cancel = function() ngx.update_time(); return ngx.now() > at + 0.1 end })
          list[3] = err.kind
          _, err = client:audience "none"
          list[4] = err.kind
          _, err = require("scope3").client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1" }:health()
          list[5] = err.kind
          inside.say(list)
        }
      }
      location = /retried {
        content_by_lua_block {
          local events = {}
          local res = assert(inside.client:sync(inside.audience "c", { on_event = function(event)
            ngx.sleep(0.001) -- a listener may wait itself
            events[#events + 1] = event.event == "retry" and event.status or nil
          end }))
          inside.say { res.accepted, res.retries, events[1] }
        }
      }
      location = /listener {
        content_by_lua_block {
          local _, err = inside.client:sync(inside.audience "bad", { on_event = function() error "of the listener" end })
          error(err.message, 0)
        }
      }
      location = /store {
        content_by_lua_block {
          local scope3 = require "scope3"
          local broken = { get = function() end, set = function() end, incr = function() return 1 end, delete = function() error "of the store" end }
          local client = assert(scope3.client { api_key = "k", account_id = "25", base_url = "SANDBOX", limiter = scope3.limiter(broken) })
          local _, err = client:sync(inside.audience "bad")
          error(err.message, 0)
        }
      }
      location = /stream {
        content_by_lua_block {
          local stream = assert(inside.client:stream("s", { max_members = 100 }))
          for i = 1, 1000 do
            assert(stream:add { external_id = "s" .. i % 300, uids = { x = "1" } })
            if i % 5 == 0 then
              assert(stream:remove { external_id = "s" .. i % 300 })
            end
          end
          local res = assert(stream:finish())
          inside.say { accepted = res.accepted, epochs = res.epochs }
        }
      }
    ]] })
  end)
  teardown(nginx.close_all)
  after_each(function()
    assert.equal("", server:trouble())
  end)

  it("a client made in the master syncs and waits in a worker", function()
    local outcome = get(server, "/sync?id=a&wait=1")
    assert.same({ 1, "completed" }, { outcome.accepted, outcome.status })
    assert.equal(1, #sandbox:ids "a")
  end)

  it("syncs of two hundred requests are under way at once, each with its own answer, and others are answered meanwhile", function()
    sandbox:configure { task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 2, times = -1 } } }
    local requests = begin(urls(200, function(i)
      return server.url .. "/sync?id=p" .. i
    end))
    nginx.until_true("all are under way", function()
      requests:step()
      return get(server, "/state").flying == 200
    end)
    local tasks = {}
    for _, outcome in ipairs(bodies(requests:all())) do
      assert.equal(1, outcome.accepted)
      tasks[outcome.task_id] = true
    end
    local different = 0
    for _ in pairs(tasks) do
      different = different + 1
    end
    assert.equal(200, different)
    assert.same({ "p7-1" }, sandbox:ids "p7")
    local state = get(server, "/state")
    assert.same({ 0, 0, 0 }, { state.flying, state.transfers, state.calls })
  end)

  it("two hundred threads of one request sync at once", function()
    sandbox:configure { task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 0.2, times = -1 } } }
    assert.equal(200, get(server, "/threads").accepted)
    assert.same({ "t9-1" }, sandbox:ids "t9")
  end)

  it("when all is done nothing runs any more", function()
    get(server, "/sync?id=a")
    nginx.until_true("the pump ends", function()
      return get(server, "/state").timers == 0
    end)
  end)

  it("time runs out, jobs are cancelled and retried as in a script, and errors have the same kinds", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "hang", times = -1 } } }
    assert.same({ "timeout", "cancelled", "cancelled", "not_found", "network" }, get(server, "/failures"))
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 0 } } }
    assert.same({ 1, 1, 503 }, get(server, "/retried"))
    assert.equal(0, get(server, "/state").transfers)
  end)

  it("a stream waits for its epochs", function()
    local res = get(server, "/stream")
    assert.is_true(res.epochs > 1)
    assert.equal(240, #sandbox:ids "s")
  end)

  for what, path in pairs { ["a listener"] = "/listener", ["a limiter's store"] = "/store" } do
    it("an error of " .. what .. " ends its request and no other", function()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.2, times = -1 } } }
      local requests = begin { server.url .. "/sync?id=fine1", server.url .. path, server.url .. "/sync?id=fine2" }
      local statuses = {}
      for _, reply in ipairs(requests:all()) do
        statuses[#statuses + 1] = reply.status
      end
      table.sort(statuses)
      assert.same({ 200, 200, 500 }, statuses)
      local said = server:trouble()
      assert.truthy(said:find("of the " .. path:sub(2), 1, true), said)
      server:forget_trouble()
      nginx.until_true("its request ends too", function()
        return get(server, "/state").transfers == 0
      end)
    end)
  end
end)

describe("in nginx's phases", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server, certificates

  setup(function()
    certificates = tls.make "IP:127.0.0.1,DNS:localhost"
    local function note(phase)
      return ([[
        local outcome = inside.sync "%s"
        ngx.shared.scope3:set("%s", outcome.accepted and "sent" or outcome.kind .. ": " .. outcome.message)
      ]]):format(phase, phase)
    end
    server = start(sandbox, {
      http = ([[
        init_worker_by_lua_block {
          %s
          ngx.timer.at(0, function()
            %s
          end)
        }
        upstream balanced {
          server 0.0.0.1;
          balancer_by_lua_block {
            %s
            require("ngx.balancer").set_current_peer("127.0.0.1", PORT)
          }
        }
        server {
          listen unix:FOLDER/tls.sock ssl;
          ssl_certificate %s;
          ssl_certificate_key %s;
          ssl_certificate_by_lua_block {
            %s
          }
          location / { return 200 "pong"; }
        }
      ]]):format(note "init_worker", note "timer", note "balancer", certificates.cert, certificates.key, note "ssl_cert"),
      server = ([[
        location = /rewrite { rewrite_by_lua_block { %s ngx.exit(204) } }
        location = /access { access_by_lua_block { %s ngx.exit(204) } }
        location = /content { content_by_lua_block { %s ngx.exit(204) } }
        location = /set { set_by_lua_block $x { %s return "" } return 204; }
        location = /header_filter { header_filter_by_lua_block { %s } return 204; }
        location = /body_filter { body_filter_by_lua_block { if ngx.arg[2] then %s end } return 200 "x"; }
        location = /log { log_by_lua_block { %s } return 204; }
        location = /balancer { proxy_pass http://balanced/ping; }
        location = /ssl_cert {
          content_by_lua_block {
            local connection = ngx.socket.tcp()
            assert(connection:connect("unix:FOLDER/tls.sock"))
            assert(connection:sslhandshake(nil, "localhost", false))
            connection:close()
          }
        }
      ]]):format(note "rewrite", note "access", note "content", note "set", note "header_filter", note "body_filter", note "log"),
    })
  end)
  teardown(nginx.close_all)
  after_each(function()
    assert.equal("", server:trouble())
  end)

  -- Those that begin with the worker have no location.
  local function outcome_in(phase)
    if phase ~= "timer" and phase ~= "init_worker" then
      world.http("GET", server.url .. "/" .. phase)
    end
    return nginx.until_true("a sync ends in " .. phase, function()
      local said = world.http("GET", server.url .. "/said?key=" .. phase).body
      return said ~= "" and said
    end)
  end

  it("those that can be suspended sync", function()
    sandbox:configure { task_seconds = 0 }
    assert.equal("sent", outcome_in "timer") -- began with the worker
    for _, phase in ipairs { "rewrite", "access", "content", "ssl_cert" } do
      assert.equal("sent", outcome_in(phase), phase)
      assert.same({ phase .. "-1" }, sandbox:ids(phase))
    end
  end)

  it("those that cannot get an error that names the ways out, and nothing is sent", function()
    for _, phase in ipairs { "init_worker", "set", "balancer", "header_filter", "body_filter", "log" } do
      local said = outcome_in(phase)
      assert.truthy(said:find("^cannot_wait: nothing can wait in nginx's " .. phase .. " phase: .*collector.*ngx%.timer%.at"), said)
    end
    assert.equal(0, #sandbox:requests("sync"))
  end)
end)

describe("in nginx, when the client of a request leaves,", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  setup(function()
    server = start(sandbox, { http = "lua_check_client_abort on;" })
  end)
  teardown(nginx.close_all)
  after_each(function()
    assert.equal("", server:trouble())
  end)

  local function in_sandbox(n)
    nginx.until_true(n .. " requests reach the service", function()
      return #sandbox:requests("sync") >= n
    end)
  end

  it("its request is taken off the wire, and others go on", function()
    sandbox:configure { faults = world.json.array {
      { on = "sync", act = "hang", times = 20 }, { on = "sync", act = "delay", seconds = 0.2, times = -1 } } }
    local leaving = {}
    for i = 1, 20 do
      leaving[i] = connect(server, "/sync?id=gone" .. i)
    end
    in_sandbox(20)
    local staying = begin(urls(5, function(i)
      return server.url .. "/sync?id=stays" .. i
    end))
    for _, connection in ipairs(leaving) do
      connection:close()
    end
    for _, outcome in ipairs(bodies(staying:all())) do
      assert.equal(1, outcome.accepted)
    end
    nginx.until_true("nothing is under way", function()
      local state = get(server, "/state")
      return state.transfers == 0 and state.calls == 0 and state.timers == 0
    end)
    assert.equal(1, get(server, "/sync?id=after").accepted)
  end)

  it("what it would have repeated is never sent", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, retry_after = 1 } } }
    local connection = connect(server, "/sync?id=gone")
    nginx.until_true("it waits for its next attempt", function()
      return #sandbox:requests("sync") == 1 and get(server, "/state").transfers == 0
    end)
    connection:close()
    local started = core.now()
    nginx.until_true("its time would have come", function()
      assert.equal(1, get(server, "/sync?id=other").accepted)
      return core.now() - started > 2
    end)
    assert.equal(0, count(sandbox, "gone"))
  end)

  it("nothing of it stays in memory", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "hang", times = -1 } } }
    local before
    for round = 1, 6 do
      local leaving = {}
      for i = 1, 50 do
        leaving[i] = connect(server, "/sync?id=gone" .. i)
      end
      in_sandbox(50 * round)
      for _, connection in ipairs(leaving) do
        connection:close()
      end
      nginx.until_true("nothing is under way", function()
        return get(server, "/state").transfers == 0
      end)
      if round == 2 then
        before = get(server, "/state?collect=1").kilobytes
      end
    end
    local grown = get(server, "/state?collect=1").kilobytes - before
    assert.is_true(grown < 200, ("%.0f kB for 200 requests that were left"):format(grown))
  end)
end)

describe("nginx's workers", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server
  local MORE = [[
    location = /late {
      content_by_lua_block {
        ngx.shared.scope3:set("late:begun", true)
        inside.await "late"
        inside.say(inside.sync "late")
      }
    }
    location = /premature {
      content_by_lua_block {
        ngx.timer.at(3600, function(premature)
          local outcome = inside.sync "premature"
          ngx.shared.scope3:set("premature", tostring(premature) .. " " .. tostring(outcome.accepted or outcome.message))
        end)
      }
    }
  ]]

  before_each(function()
    server = start(sandbox, { server = MORE })
  end)
  after_each(nginx.close_all)

  local function under_way(n, requests)
    nginx.until_true("all are under way", function()
      requests:step()
      return get(server, "/state").flying == n
    end)
  end

  it("bring what is under way at a reload to its end, and end then", function()
    sandbox:configure { task_seconds = 0.5, faults = world.json.array { { on = "sync", act = "delay", seconds = 2, times = 20 } } }
    local old = server:workers()[1]
    local requests = begin(urls(20, function(i)
      return server.url .. "/sync?wait=1&id=r" .. i
    end))
    under_way(20, requests)
    server:reload()
    assert.not_equal(old, get(server, "/sync?id=new").pid)
    for _, outcome in ipairs(bodies(requests:all())) do
      assert.same({ 1, "completed", old }, { outcome.accepted, outcome.status, outcome.pid })
    end
    nginx.await_end(old)
    assert.equal("", server:trouble())
  end)

  it("that are ending still sync for the requests they have", function()
    local requests = begin { server.url .. "/late" }
    nginx.until_true("it has begun", function()
      requests:step()
      return world.http("GET", server.url .. "/said?key=late:begun").body == "true"
    end)
    local old = get(server, "/state").pid
    server:reload()
    world.http("GET", server.url .. "/say?key=late")
    local outcome = bodies(requests:all())[1]
    assert.same({ 1, old, true }, { outcome.accepted, outcome.pid, outcome.exiting })
    nginx.await_end(old)
    assert.equal("", server:trouble())
  end)

  it("sync in timers that come early because they are ending", function()
    sandbox:configure { task_seconds = 0 }
    world.http("GET", server.url .. "/premature")
    local old = get(server, "/state").pid
    server:reload()
    nginx.await_end(old)
    assert.equal("true 1", world.http("GET", server.url .. "/said?key=premature").body)
    assert.same({ "premature-1" }, sandbox:ids "premature")
    assert.equal("", server:trouble())
  end)

  for _, signal in ipairs { "TERM", "INT", "QUIT", "KILL" } do
    it("survive SIG" .. signal .. " with requests under way, or are replaced", function()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 1, times = 20 } } }
      local requests = begin(urls(20, function(i)
        return server.url .. "/sync?id=k" .. i
      end))
      under_way(20, requests)
      local old = server:workers()[1]
      server:signal(signal, old)
      nginx.await_end(old)
      requests:all()
      nginx.until_true("another worker answers", function()
        return world.http("GET", server.url .. "/ping").status == 200
      end)
      assert.equal(1, get(server, "/sync?id=after").accepted)
      server:expect "exited on signal 9"
      assert.equal("", server:trouble())
    end)
  end

  it("end with the master, with requests under way", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 1, times = 20 } } }
    local requests = begin(urls(20, function(i)
      return server.url .. "/sync?id=m" .. i
    end))
    under_way(20, requests)
    server:signal "TERM"
    nginx.await_end(server.pid)
    requests:all()
    assert.equal("", server:trouble())
  end)
end)

describe("nginx without room for the client's timer", function()
  local sandbox = world.around(setup, teardown, before_each)
  after_each(nginx.close_all)

  local function twenty(server, faults)
    sandbox:configure { task_seconds = 0, faults = world.json.array(faults) }
    return begin(urls(20, function(i)
      return server.url .. "/sync?id=n" .. i
    end))
  end

  for what, directive in pairs {
    ["takes none"] = "lua_max_pending_timers 1",
    ["drops it"] = "lua_max_running_timers 1",
  } do
    it(what .. ", and those who wait move the requests on", function()
      local server = start(sandbox, { http = directive .. [[; lua_check_client_abort on;
        init_worker_by_lua_block {
          ngx.timer.at(]] .. (what == "takes none" and 3600 or 0) .. [[, function(premature)
            while not premature and not ngx.worker.exiting() do
              ngx.sleep(0.05)
            end
          end)
        }
      ]] })
      nginx.until_true("the only timer is taken", function()
        return get(server, "/state").timers == (what == "takes none" and 0 or 1)
      end)
      local started = core.now()
      local requests = twenty(server, { { on = "sync", act = "delay", seconds = 0.2, times = -1 } })
      for _, outcome in ipairs(bodies(requests:all())) do
        assert.equal(1, outcome.accepted)
      end
      assert.is_true(core.now() - started < 40) -- a waiter that nobody wakes looks by itself after a minute
      -- The one that moves them on leaves: another one does it.
      sandbox:configure { faults = world.json.array { { on = "sync", act = "hang" }, { on = "sync", act = "delay", seconds = 4, times = -1 } } }
      local first = connect(server, "/sync?id=first")
      nginx.until_true("it is under way", function()
        return get(server, "/state").transfers == 1
      end)
      requests = begin { server.url .. "/sync?id=second" }
      nginx.until_true("the second too", function()
        requests:step()
        return get(server, "/state").transfers == 2
      end)
      first:close()
      assert.equal(1, bodies(requests:all())[1].accepted)
      nginx.until_true("nothing is under way", function()
        return get(server, "/state").transfers == 0
      end)
      server:expect "lua_max_running_timers are not enough"
      assert.equal("", server:trouble())
      server:close()
    end)
  end
end)

describe("nginx with lua_code_cache off", function()
  local sandbox = world.around(setup, teardown, before_each)
  after_each(nginx.close_all)

  it("syncs with a Lua state a request, and does not crash", function()
    local server = start(sandbox, { http = "lua_code_cache off;" })
    local pid = get(server, "/state").pid
    for round = 1, 5 do
      local requests = begin(urls(20, function(i)
        return server.url .. ("/sync?id=c%d-%d"):format(round, i)
      end))
      for _, outcome in ipairs(bodies(requests:all())) do
        assert.same({ 1, pid }, { outcome.accepted, outcome.pid })
      end
    end
    server:expect "lua_code_cache is off"
    assert.equal("", server:trouble())
    server:close()
  end)
end)

describe("a client that nginx's master has used already", function()
  local sandbox = world.around(setup, teardown, before_each)
  after_each(nginx.close_all)

  it("works in each of two workers, over connections of their own", function()
    sandbox:configure { task_seconds = 0 }
    local server = start(sandbox, { workers = 2, init = [[ assert(inside.sync "master".accepted == 1) ]] })
    local seen, workers = {}, 0
    nginx.until_true("both workers have answered", function()
      local requests = begin(urls(10, function(i)
        return server.url .. "/sync?id=w" .. i
      end))
      for _, outcome in ipairs(bodies(requests:all())) do
        assert.equal(1, outcome.accepted)
        workers = workers + (seen[outcome.pid] and 0 or 1)
        seen[outcome.pid] = true
      end
      return workers == 2
    end)
    assert.same({ "master-1" }, sandbox:ids "master")
    assert.same({ "w3-1" }, sandbox:ids "w3")
    assert.equal("", server:trouble())
    server:close()
  end)
end)
