-- A client in a real HAProxy: its tasks, services and actions wait, while HAProxy serves others. Where nothing can wait
-- it says so. HAProxy interrupts Lua anywhere, and the rate is kept all the same.
local hosts = require "spec.support.hosts"
local world = require "spec.support.world"

local built_with = hosts.sh("haproxy -vv"):match "Built with Lua version : Lua (%d%.%d)"
if built_with ~= os.getenv "SCOPE3_LUA" then
  return -- the specs run on another Lua
end
local lacks = hosts.lacks "haproxy"

local CONF = [[
global
  nbthread %d
  tune.lua.forced-yield %d
  lua-load %s
defaults
  mode http
  option abortonclose
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:@PORT@
  http-request use-service lua.ask if { path /service }
  http-request lua.ask if { path /action }
  http-request lua.leave if { path /leave }
  http-request set-var(txn.fetched) lua.ask if { path /fetch }
  http-request return status 200 content-type text/plain string pong
]]

-- What the configuration refers to.
local ASK = [[
  core.register_service("ask", "http", function(applet)
    local ok, err = client:health()
    applet:set_status(200)
    applet:start_response()
    applet:send(tostring(ok) .. " " .. tostring(err and err.kind))
  end)
  core.register_action("ask", { "http-req" }, function()
    health("action", client)
  end)
  core.register_action("leave", { "http-req" }, function()
    sync(client, "left")
  end)
  core.register_fetches("ask", function()
    health("fetch", client)
    return "fetched"
  end)
]]

-- Starts one with a Lua of its own.
local function start_with(host, lua, options)
  local script = host:write("host.lua", lua)
  options = options or {}
  local port = host:serve("haproxy -db -f %s", "haproxy.cfg",
    CONF:format(options.threads or 1, options.forced_yield or 10000, script))
  function host.get(path, timeout)
    return world.http("GET", "http://127.0.0.1:" .. port .. path, nil, { timeout = timeout }).body
  end
  return host, function()
    return host.get "/" == "pong"
  end
end

-- Starts one whose Lua is `text`, with a client.
local function start(url, text, options)
  local host = hosts.new(url)
  local client = ("local client, GO = client_of {}, %q\n"):format(host.folder .. "/go")
  return start_with(host, host:lua(client .. ASK .. text), options)
end

describe("in a real HAProxy a client", lacks and function()
  pending(lacks)
end or function()
  after_each(hosts.close_all)

  describe("of a service that takes its time", function()
    local service = hosts.withholding(setup, teardown)

    it("lets others be served while it waits, and gives errors back", function()
      service:withhold()
      local host, ping = start(service.url, [[
        core.register_task(function()
          sync(client, "held")
          health("error", client_of { base_url = "http://127.0.0.1:1" })
        end)
      ]])
      hosts.serves_meanwhile(host, service, ping)
      host:says "error nil network"
    end)

    it("that HAProxy drops leaves nobody else waiting", function()
      if tonumber(hosts.sh("haproxy -v"):match "version (%d+)") > 2 then
        return pending "seen with HAProxy 2 only: a later one told of no Lua that it dropped"
      end
      service:withhold()
      local host, ping = start(service.url, [[
        core.register_task(function()
          repeat
            core.msleep(10)
          until io.open(GO)
          sync(client, "held")
        end)
      ]])
      host:answers(ping)
      hosts.until_true(function()
        host.get("/leave", 0.5)
        return host:log():find("aborting Lua", 1, true)
      end, "HAProxy drops the Lua of one that left")
      local before = #service:requests "/sync"
      host:write("go", "")
      hosts.until_true(function()
        return #service:requests "/sync" > before
      end, "another request arrives")
      service.release()
      host:says "held 1 nil"
      assert.equal(0, host:count "^left")
    end)
  end)

  describe("of a sandbox", function()
    local sandbox = world.around(setup, teardown, before_each)

    it("sends what the script of the page holds", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      start_with(host, host:recipe "HAProxy" .. host:lua(ASK))
      hosts.until_true(function()
        local there, ids = pcall(sandbox.ids, sandbox, "readers")
        return there and ids[1] == "1"
      end, "the member is there")
    end)

    it("works in services and actions, and in tasks by a file", function()
      sandbox:configure { task_seconds = 0 }
      local host, ping = start(sandbox.url, [[
        core.register_task(function()
          send_rows(client, "f", 30000)
        end)
      ]])
      host:answers(ping)
      assert.equal("true nil", host.get "/service")
      assert.equal("pong", host.get "/action")
      host:says("action true nil", "f 30000 nil")
      assert.equal(30000, #sandbox:ids "f")
    end)

    it("says that nothing can wait while HAProxy starts, and in a coroutine of somebody's own", function()
      local host, ping = start(sandbox.url, [[
        local function ask(where)
          local _, err = client:health()
          say(where, err.kind, err.message:match "core%.register_task" or err.message:match "coroutine%.wrap")
        end
        ask "body"
        core.register_init(function() ask "init" end)
        core.register_task(function()
          coroutine.wrap(ask)("coroutine")
          health("task", client)
        end)
        health("blocking", client_of { loop = "blocking" })
      ]])
      host:says("body cannot_wait core.register_task", "init cannot_wait core.register_task",
        "coroutine cannot_wait coroutine.wrap", "task true nil", "blocking true nil")
      host:answers(ping)
    end)

    it("is ended by HAProxy in a fetch, and others are served on", function()
      local host, ping = start(sandbox.url, "")
      host:answers(ping)
      assert.equal("pong", host.get "/fetch")
      assert.truthy(host:log():find("yield", 1, true), host:log())
      assert.equal(0, host:count "^fetch")
      host:answers(ping)
      assert.equal("true nil", host.get "/service")
    end)

    for _, options in ipairs { { forced_yield = 10000 }, { forced_yield = 7 }, { forced_yield = 1, threads = 2 } } do
      local words = ("interrupted after %d instructions, with threads: %d"):format(options.forced_yield,
        options.threads or 1)

      it("gets each of many answers to the one who asked, " .. words, function()
        sandbox:configure { task_seconds = 0 }
        local host = start(sandbox.url, [[
          for i = 1, 60 do
            core.register_task(function()
              sync(client, "many" .. i)
            end)
          end
        ]], options)
        host:says_of_many(60)
        assert.equal(60, #sandbox:requests "sync")
      end)

      it("keeps to its rate, " .. words, function()
        sandbox:configure { task_seconds = 0 }
        local host = start(sandbox.url, [[
          local slow = client_of { rate = 30 }
          for i = 1, 60 do
            core.register_task(function()
              sync(slow, "slow" .. i, { on_event = function(event)
                if event.event == "throttled" then
                  say "throttled"
                end
              end })
            end)
          end
        ]], options)
        hosts.until_true(function()
          return host:count "^slow%d+ 1 nil" + host:count "^throttled" == 60
        end, "each has gone or waits")
        assert.same({ 30, 30 }, { host:count "^slow", #sandbox:requests "sync" })
      end)
    end
  end)
end)
