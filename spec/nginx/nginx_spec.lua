-- The client inside a real nginx. It has one Lua, so this runs with LuaJIT alone.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local served = require "spec.support.served"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local begin, bodies, get, start, urls = served.begin, served.bodies, served.get, served.start, served.urls

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

  it("two hundred requests sync at once, each with its own answer, and others are answered meanwhile", function()
    sandbox:configure {
      task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 2, times = -1 } },
    }
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
    sandbox:configure {
      task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 0.2, times = -1 } },
    }
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
      ]]):format(note "init_worker", note "timer", note "balancer", certificates.cert, certificates.key,
        note "ssl_cert"),
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
      ]]):format(note "rewrite", note "access", note "content", note "set", note "header_filter",
        note "body_filter", note "log"),
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
      assert.truthy(said:find("^cannot_wait: nothing can wait in nginx's " .. phase
        .. " phase: .*collector.*ngx%.timer%.at"), said)
    end
    assert.equal(0, #sandbox:requests("sync"))
  end)
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
