-- Workers of nginx that reload, end, die, or have no timer left: what is under way comes to its end.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local served = require "spec.support.served"
local world = require "spec.support.world"

local begin, bodies, connect, get, start, urls = served.begin, served.bodies, served.connect, served.get,
  served.start, served.urls

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
    sandbox:configure {
      task_seconds = 0.5, faults = world.json.array { { on = "sync", act = "delay", seconds = 2, times = 20 } },
    }
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
      sandbox:configure { faults = world.json.array {
        { on = "sync", act = "hang" }, { on = "sync", act = "delay", seconds = 4, times = -1 },
      } }
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
