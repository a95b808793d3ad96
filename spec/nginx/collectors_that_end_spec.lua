-- A collector that ends or is dropped gives back all that it had, and loses nothing that it took.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

-- `make(options)` gives a collector of this server; `done(c, ...)` has what a call came to shown by /said.
local INIT = [[
  c, other = false, false
  function make(options)
    local all = { account_id = "25", api_key = "scope3_test_key", base_url = BASE, rate = 100000, shared = "scope3", flush_seconds = 3600,
      audience = "visitors" }
    for key, value in pairs(options or {}) do
      all[key] = value
    end
    return require("scope3.nginx").collector(all)
  end
  function add(c, id, options)
    return c:add({ external_id = id, email = id .. "@example.com" }, options)
  end
  function said(...)
    local list = { ... }
    for i = 1, select("#", ...) do
      list[i] = tostring(list[i])
    end
    ngx.shared.scope3:set("said", table.concat(list, " | "))
  end
]]

local LOCATIONS = [[
    location = /run { content_by_lua_block {
      ngx.req.read_body()
      ngx.print(tostring((assert(loadstring(ngx.req.get_body_data()))())))
    } }
    location = /log {
      return 200 "seen";
      log_by_lua_block { assert(loadstring(ngx.unescape_uri(ngx.var.arg_code)))() }
    }
    location = /said { content_by_lua_block {
      local text = ngx.shared.scope3:get "said"
      ngx.shared.scope3:delete "said"
      ngx.print(text or "")
    } }
    location = /state { content_by_lua_block {
      collectgarbage()
      collectgarbage()
      local keys = ngx.shared.scope3:get_keys(0)
      local mine = 0
      for _, key in ipairs(keys) do
        mine = mine + (key:find("^collector:") and 1 or 0)
      end
      ngx.print(require("cjson").encode { lua = collectgarbage("count"), keys = mine, running = ngx.timer.running_count(),
        pending = ngx.timer.pending_count(), pid = ngx.worker.pid() })
    } }
]]

describe("a collector that ends", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  after_each(stop)
  local folder = collecting.folder(before_each, after_each, stop)

  local function start(more)
    more = more or {}
    local exit = more.exit == false and "" or "exit_worker_by_lua_block { require('scope3.nginx').exit() }\n"
    server = nginx.start {
      workers = 1,
      http = ("lua_shared_dict scope3 2m;\n%s\ninit_by_lua_block {\nBASE = '%s'\nSPOOL = '%s'\n%s\n%s\n}\n%s"
        .. "server {\nlisten 127.0.0.1:PORT;\nlocation = /ping { return 200 'pong'; }\n%s\n}\n"):format(more.http or "",
          sandbox.url, folder.path, INIT,
        more.init or "", exit, LOCATIONS),
    }
    server:expect(collecting.SAYS)
  end

  local function run(code)
    local reply = world.http("POST", server.url .. "/run", code, { timeout = 60 })
    assert(reply.status == 200, tostring(reply.status) .. " " .. tostring(reply.body) .. server:log():sub(-2000))
    return reply.body
  end

  local function log(code)
    local escaped = code:gsub("[^%w]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
    assert.equal("seen", world.http("GET", server.url .. "/log?code=" .. escaped).body)
  end

  local function said()
    return nginx.until_true("it says so", function()
      local text = world.http("GET", server.url .. "/said").body
      return text ~= "" and text
    end)
  end

  local function away(yes)
    sandbox:configure {
      faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
    }
  end

  local function state()
    local found = json.decode(world.http("GET", server.url .. "/state").body)
    found.open = tonumber((nginx.sh(("ls /proc/%d/fd | wc -l"):format(found.pid))))
    -- without connections, which libcurl keeps
    found.files = tonumber((nginx.sh(("ls -l /proc/%d/fd | grep -vc socket:"):format(found.pid))))
    found.rss = tonumber(world.read(("/proc/%d/status"):format(found.pid)):match("VmRSS:%s+(%d+)"))
    return found
  end

  local function there()
    local ok, ids = pcall(sandbox.ids, sandbox, "visitors")
    return ok and table.concat(ids, " ") or ""
  end

  it("sends what it has, and takes nothing more", function()
    start()
    assert.equal("true nil", run [[
      c = make()
      add(c, "a")
      add(c, "b")
      local ok, err = c:close()
      return tostring(ok) .. " " .. tostring(err)
    ]])
    assert.equal("a b", there())
    assert.equal("closed closed closed closed", run [[
      local kinds = {}
      for i, call in ipairs { function() return add(c, "x") end, function() return c:remove { external_id = "x" } end,
        function() return c:flush() end, function() return c:start() end } do
        local ok, err = call()
        kinds[i] = ok == nil and err.kind
      end
      return table.concat(kinds, " ")
    ]])
    assert.equal("true nil true 2 0 true", run [[
      local ok, err = c:close()
      local status = c:status()
      return table.concat({ tostring(ok), tostring(err), tostring(status.closed), status.accepted, status.held, tostring(c:close(0)) }, " ")
    ]])
  end)

  it("is closed by a timer where nothing can wait, and in every phase that a worker has", function()
    start { init = "never = make()\nsaid_by_master = tostring(never:close())" }
    assert.equal("true", run "return said_by_master")
    log [[c = make(); add(c, "a"); said(c:close())]]
    assert.equal("true | later", said())
    nginx.until_true("it is closed", function()
      return run "return tostring(c:status().closed)" == "true"
    end)
    assert.equal("a", there())
    log [[said(c:close())]]
    assert.equal("true | nil", said())
    run [[ngx.timer.at(0, function() local t = make(); add(t, "b"); said(t:close()) end)]]
    assert.equal("true | nil", said())
    assert.equal("a b", there())
    assert.equal("true", run "return make():close()")
  end)

  it("leaves members that it could not send to the next one over its folder, and says how many", function()
    start()
    away(true)
    assert.equal("http 2 0 2 true", run [[
      c = make { spool = SPOOL }
      add(c, "a")
      c:remove { external_id = "b" }
      local ok, err = c:close(3)
      local status = c:status()
      return table.concat({ not ok and err.kind, err.retained, err.lost, status.held, tostring(status.closed) }, " ")
    ]])
    assert.truthy(server:log():find("the collector was closed: 2 members wait in the spool", 1, true))
    away(false)
    assert.equal("true", run [[c = make { spool = SPOOL }; add(c, "c"); return c:close()]])
    assert.equal("a c", there())
    assert.same({}, folder.files "spool")
  end)

  it("counts and reports what it could not send and no file had", function()
    start()
    away(true)
    assert.equal("0 3 3 3", run [[
      other = make()
      add(other, "z")
      c = make()
      for _, id in ipairs { "a", "b", "c" } do
        add(c, id)
      end
      local ok, err = c:close(3)
      return table.concat({ err.retained, err.lost, c:status().lost, other:status().all.lost }, " ")
    ]])
    assert.truthy(server:log():find("3 members are lost", 1, true))
  end)

  it("does not wait longer than it is told for a service that does not answer", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 60, times = -1 } } }
    start()
    assert.equal("timeout 1 true", run [[
      local began = ngx.now()
      c = make { spool = SPOOL }
      add(c, "a")
      local ok, err = c:close(0.5)
      ngx.update_time()
      return table.concat({ err.kind, err.retained, tostring(ngx.now() - began < 30) }, " ")
    ]])
  end)

  it("ends a flush that is waited for, and the sender of another timer", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 1 } } }
    start()
    assert.equal("true true a b", run [[
      c = make { flush_members = 1 }
      add(c, "a") -- sent by a timer
      local waits = ngx.thread.spawn(function() return c:flush() end)
      ngx.sleep(0.2)
      add(c, "b")
      local closed = c:close()
      local _, flushed = ngx.thread.wait(waits)
      return tostring(closed) .. " " .. tostring(flushed)
    ]] .. " " .. there())
  end)

  it("reports its end to a flush that came just before it", function()
    start()
    assert.equal("true true a", run [[
      c = make()
      add(c, "a")
      local waits = ngx.thread.spawn(function() return c:flush() end)
      local closed = c:close()
      local _, flushed = ngx.thread.wait(waits)
      return tostring(closed) .. " " .. tostring(flushed)
    ]] .. " " .. there())
  end)

  it("is not brought back by the sender of another timer, which it does not wait for", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 3 } } }
    for _, spool in ipairs { "nil", "SPOOL" } do
      start()
      run(("c = make { flush_members = 1, spool = %s }; add(c, 'a')"):format(spool))
      nginx.until_true("a request is under way", function()
        return #sandbox:requests "sync" > 0
      end)
      assert.equal(spool == "nil" and "nil 0 1" or "nil 1 0", run [[
        local ok, err = c:close(0.1)
        return tostring(ok) .. " " .. err.retained .. " " .. err.lost
      ]])
      nginx.until_true("nothing runs", function()
        return state().running == 0
      end)
      assert.equal(0, state().keys)
      local _, lines = server:log():gsub("scope3: ", "")
      assert.equal(1, lines, server:log())
      sandbox:reset()
      sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 3 } } }
      stop()
    end
  end)

  it("leaves its worker as it was, however many there were, and whatever it had", function()
    start { init = "jit.off()" } -- traces are memory of Lua too
    local code = [[
      for i = 1, %d do
        local c = make { spool = i %% 2 == 0 and SPOOL or nil, audience = "visitors" .. i %% 50, flush_seconds = 5 }
        if i %% 3 == 0 then
          c:start()
        elseif i %% 25 == 0 then
          add(c, "m" .. i)
        elseif i %% 4 > 0 then
          c:status()
        end
        assert(c:close())
      end
    ]]
    run(code:format(200))
    local function settled()
      return nginx.until_true("no timer runs", function()
        local now = state()
        return now.pending == 0 and now.running == 0 and now
      end)
    end
    local before = settled()
    local rounds = os.getenv "SCOPE3_THOROUGH" == "all" and 40 or 4
    for _ = 1, rounds do
      run(code:format(250))
    end
    local after = settled()
    assert.same({ 0, 0 }, { before.keys, after.keys })
    assert.equal(before.files, after.files)
    assert.is_true(after.open <= before.open + 3, after.open) -- connections to the service are kept, a few
    assert.is_true(after.lua - before.lua < 200, ("%d kB of Lua"):format(after.lua - before.lua))
    assert.is_true(after.rss - before.rss < 6000, ("%d kB"):format(after.rss - before.rss))
    assert.same({}, folder.files ".")
  end)

  it("need not be closed: dropped, it delivers what it has, and gives everything back", function()
    start()
    run "add(make { flush_seconds = 0.1 }, 'x'); make { spool = SPOOL }:start()"
    nginx.until_true("the first ones are gone", function()
      local now = state()
      return now.keys == 0 and now.pending == 0 and now.running == 0
    end)
    local before = state()
    for round = 1, 4 do
      log(([[for i = 1, 25 do
        add(make { flush_seconds = 0.1, spool = i %% 2 == 0 and SPOOL or nil }, "r%d-" .. i)
      end]]):format(round))
    end
    run "make { spool = SPOOL }:start()" -- its turns give back those whose last turn was over when they were dropped
    local after = nginx.until_true("all are gone", function()
      local now = state()
      return now.keys == 0 and now.pending == 0 and now.running == 0 and now
    end)
    nginx.until_true("all are there", function()
      return #sandbox:ids "visitors" == 101
    end)
    assert.equal(before.files, after.files)
    assert.same({}, folder.files "spool")
  end)

  it("gives everything back when another's turn comes, where it was dropped after its own last turn", function()
    start()
    local function settled(what, keys)
      nginx.until_true(what, function()
        local now = state()
        return now.keys == keys and now.pending == 0 and now.running == 0
      end)
    end
    run [[
      c = {}
      for i = 1, 5 do
        c[i] = make { flush_seconds = 0.1 }
        add(c[i], "k" .. i)
      end
    ]]
    settled("they have sent, and have no timer", 7) -- five slots, how many slots there are, and what was accepted
    run "make { spool = SPOOL }:start(); c = nil"
    settled("its timer has given all of them back", 0)
    assert.equal("k1 k2 k3 k4 k5", there())
  end)

  it("goes with its configuration in the plugin of the documentation", function()
    local text = world.read("docs/embedding.md"):match("### A plugin of a gateway.-```lua\n(.-)```")
    start { init = ("plugin = assert(loadfile '%s')()\nconf = false"):format(world.file(assert(text), ".lua")) }
    local change = [[conf = { account_id = "25", api_key = "scope3_test_key", base_url = BASE, flush_seconds = 0.1, spool = SPOOL,
      audience = "%s" }]]
    local function hit(id)
      local code = "plugin.log(conf)"
      assert.equal("seen",
        world.http("GET", ("%s/log?code=%s&id=%s&email=%s%%40example.com"):format(server.url, code, id, id)).body)
    end
    for round = 1, 6 do
      run(change:format("a" .. round % 2))
      for i = 1, 5 do
        hit(("r%d-%d"):format(round, i))
      end
    end
    nginx.until_true("all are there", function()
      local ok, zero, one = pcall(function()
        return #sandbox:ids "a0", #sandbox:ids "a1"
      end)
      return ok and zero == 15 and one == 15
    end)
    nginx.until_true("the replaced ones are gone", function()
      return state().keys <= 3 -- of one: its slot, how many slots there are, and what was accepted
    end)
    away(true)
    hit "late"
    run "plugin.destroy()"
    assert.truthy(server:log():find("1 member waits in the spool", 1, true))
    run "conf = false"
    nginx.until_true("all are gone", function()
      local now = state()
      return now.keys == 0 and now.pending == 0 and now.running == 0
    end)
    away(false)
    run(change:format "a0")
    hit "later"
    nginx.until_true("the next one has sent it", function()
      return #sandbox:ids "a0" == 17
    end)
  end)

  it("keeps no Lua state where nginx makes one for each request", function()
    start { http = "lua_code_cache off;", init = "c = make { spool = SPOOL, flush_seconds = 0.2 }" }
    server:expect "lua sema mm" -- nginx's own, of states that it does not close when its worker ends
    local function open()
      return tonumber((nginx.sh(("ls /proc/%d/fd | wc -l"):format(server:workers()[1]))))
    end
    local function rss()
      return tonumber(world.read(("/proc/%d/status"):format(server:workers()[1])):match("VmRSS:%s+(%d+)"))
    end
    for i = 1, 5 do
      log(("add(c, 'w%d')"):format(i))
    end
    local first, memory = open(), rss()
    for i = 1, 100 do
      log(("add(c, 'v%03d')"):format(i))
    end
    nginx.until_true("all are there", function()
      local ok, ids = pcall(sandbox.ids, sandbox, "visitors")
      return ok and #ids == 105
    end)
    nginx.until_true("their states are gone", function()
      return open() < first + 30
    end)
    assert.is_true(rss() - memory < 60000, rss() - memory .. " kB")
    nginx.until_true("their files are gone", function()
      return #folder.files "spool" < 10
    end)
  end)
end)
