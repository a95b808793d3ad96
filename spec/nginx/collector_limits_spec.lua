-- The collector where something is short: time, timers, room on the disk; and where files are not what they should be.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local LOCATIONS = [[
    location = /same { content_by_lua_block {
      local taken = 0
      for i = 1, tonumber(ngx.var.arg_n) do
        taken = taken + (visit("same") and 1 or 0)
      end
      ngx.print(taken)
    } }
    location = /hog { content_by_lua_block {
      while ngx.timer.at(1, function() end) do
      end
    } }
    location = /crowd { content_by_lua_block {
      local threads, most = {}, 0
      for i = 1, 40 do
        threads[i] = ngx.thread.spawn(function() return collector:flush() end)
        ngx.sleep(0.003)
        most = math.max(most, ngx.timer.running_count())
      end
      local flushed = 0
      for i = 1, #threads do
        flushed = flushed + (select(2, ngx.thread.wait(threads[i])) and 1 or 0)
      end
      ngx.print(flushed, " ", most <= 5)
    } }
]]

describe("a collector", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server
  local of = collecting.of(sandbox, function()
    return server
  end)
  local get, status, visit, members, until_members = of.get, of.status, of.visit, of.members, of.until_members

  local function start(options, more)
    more = more or {}
    more.locations = LOCATIONS
    server = of.start(options, more)
  end

  local function until_status(key, value)
    nginx.until_true(key .. " is " .. tostring(value), function()
      return status()[key] == value
    end)
  end

  local function fault(rule)
    sandbox:configure { faults = json.array { rule } }
  end

  local AWAY = { on = "sync", act = "status", status = 401, times = -1 }

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  after_each(stop)

  it("tries again a second after a failure, however long flush_seconds are", function()
    fault { on = "sync", act = "status", status = 401 }
    start "flush_members = 2, flush_seconds = 3600,"
    visit(1, 2)
    until_members(2)
    assert.equal(2, #sandbox:requests "sync")
  end)

  it("gives up a member that is too large for the service alone, and goes on with the others", function()
    fault { on = "sync", act = "status", status = 413 }
    start "flush_members = 1, flush_seconds = 3600,"
    visit(1)
    until_status("failed", 1)
    visit(2)
    until_status("accepted", 1)
    assert.equal(0, status().held)
  end)

  it("counts a visitor who comes again once", function()
    start "flush_members = 1000, flush_seconds = 3600, max_members = 5,"
    assert.equal("30", get "/same?n=30")
    assert.same({ 1, 0 }, { status().held, status().refused })
  end)

  it("takes no timer for each of a crowd that calls flush() while the service is slow", function()
    fault { on = "sync", act = "delay", seconds = 2 }
    start "flush_members = 5, flush_seconds = 3600,"
    visit(1, 5)
    nginx.until_true("a request", function()
      return #sandbox:requests "sync" == 1
    end)
    visit(6)
    assert.equal("40 true", get "/crowd")
    assert.equal(6, members())
  end)

  it("sends later what it could make no timer for", function()
    start("flush_members = 2, flush_seconds = 0.3,", { http = "lua_max_pending_timers 2;\n" })
    get "/hog"
    assert.equal("taken", get "/take?id=first")
    until_status("held", 0)
    assert.equal(1, members())
    nginx.until_true("it says so", function()
      return server:log():find("no timer can be made", 1, true)
    end)
  end)

  describe("whose worker ends", function()
    local SLOW = { on = "sync", act = "delay", seconds = 20, times = -1 }
    local BUSY = { on = "sync", act = "status", status = 503, times = -1 }

    -- Has a member come for a request, and then others, and the worker end while the service does `rule`.
    local function end_while(first, rule, requests)
      fault(first)
      start "flush_members = 1, flush_seconds = 3600, exit_seconds = 1,"
      visit(1)
      nginx.until_true("a request", function()
        return #sandbox:requests "sync" > 0
      end)
      visit(2, 20)
      fault(rule)
      nginx.until_true(requests .. " requests", function()
        return #sandbox:requests "sync" >= requests
      end)
      local pid = server:workers()[1]
      server:reload()
      nginx.await_end(pid)
    end

    -- Of 20 members. Who goes on has the first one wait for 20 seconds, and then all others land.
    local function landed()
      local there, n = pcall(members)
      return there and n or 0 -- the service makes an audience for the first one
    end

    it("sends no more than what is under way when its time is over", function()
      end_while(SLOW, SLOW, 1)
      assert.is_true(landed() <= 1)
    end)

    it("does the same where it had begun to send by itself, after a failure", function()
      end_while(AWAY, SLOW, 2)
      assert.is_true(landed() <= 1)
    end)

    it("sends nothing again when its time is over", function()
      end_while(BUSY, BUSY, 2)
      assert.is_nil(server:log():find("8 attempts", 1, true)) -- the last one comes half a minute later
    end)
  end)

  it("counts right when a listener of its own fails after a member that was set aside", function()
    sandbox:configure { refuse = json.array { "v3" } }
    start [[flush_members = 5, flush_seconds = 1, on_event = function(event)
      if event.event == 'request' then
        local n = (rawget(_G, 'N') or 0) + 1
        rawset(_G, 'N', n)
        assert(n ~= 2, 'own')
      end
    end,]]
    visit(1, 5)
    until_status("held", 0)
    local said = status()
    assert.same({ 4, 1, 0 }, { said.accepted, said.rejected_by_service, said.failed })
  end)

  it("says that it is of no use in init_by_lua", function()
    local http = collecting.http("", sandbox.url, nil, "location = /said { content_by_lua_block { ngx.print(SAID) } }")
    server = nginx.start {
      http = http:gsub("\n  }\n  init_worker", "\n rawset(_G, 'SAID', tostring(select(2, pcall(visit, 'v1'))))%0"),
    }
    assert.truthy(get("/said"):find("used in the workers", 1, true))
    assert.equal(0, status().held)
  end)

  describe("with a spool", function()
    local folder = collecting.folder(before_each, after_each, stop)
    local spool, files = folder.options, folder.files

    local function kill_all()
      local workers = server:workers()
      server:signal "KILL"
      for _, pid in ipairs(workers) do
        server:signal("KILL", pid)
      end
      server:close "KILL"
      server = nil
    end

    -- Leaves the file of a killed worker that had so many members.
    local function leave_behind(n)
      fault(AWAY)
      start(spool "flush_seconds = 3600,")
      visit(1, n)
      kill_all()
      sandbox:reset()
      assert.equal(1, #files "%.spool$")
      return folder.path .. "/" .. files("%.spool$")[1]
    end

    local function overwrite(path, at, bytes)
      local file = assert(io.open(path, "r+b"))
      file:seek("set", at)
      file:write(bytes)
      file:close()
    end

    it("leaves no empty files on a full disk, and takes members all the same", function()
      -- No file may grow to 64 KiB, which stands for the disk.
      start(spool "flush_seconds = 3600,", { before = "sh -c 'ulimit -f 32; exec \"$@\"' sh" })
      visit(1, 300)
      assert.same({ 300, 300, {} }, { status().held, status().unkept, files "" })
      get "/flush"
      assert.equal(300, members())
    end)

    it("puts a damaged file aside when what can be read of it has gone, and says so", function()
      for _, at in ipairs { 40 + 30, 40 + 2000 } do
        local path = leave_behind(30)
        overwrite(path, at, "\255\254")
        start(spool "flush_seconds = 0.3,")
        nginx.until_true("it was put aside", function()
          return #files "%.damaged$" == 1
        end)
        assert.truthy(server:log():find("is damaged: %d+ bytes of it cannot be read, and 1 member is lost"))
        assert.same({ 29, 1, 29 }, { status().adopted, status().lost, members() })
        assert.equal(0, #files(path:match("[^/]*$"):gsub("%W", "%%%0")))
        server:close "TERM"
        server = nil
        os.execute("rm -f " .. folder.path .. "/*")
        sandbox:reset()
      end
    end)

    it("says of a file of another version that it cannot be adopted, once, and leaves it", function()
      local path = leave_behind(3)
      overwrite(path, 12, "\1") -- an earlier one
      start(spool "flush_seconds = 0.1,")
      visit(10)
      until_members(1)
      visit(11)
      until_members(2)
      local _, times = server:log():gsub("cannot be adopted", "")
      assert.equal(1, times)
      assert.is_true(world.exists(path))
    end)

    it("adopts although the lock that a killed worker left is a file of another version, and says so once", function()
      local lock = leave_behind(3):gsub("%-%d+%-%d+%-%d+%-%d+%.spool$", ".lock")
      assert(core.spool(lock, { capacity = 4096 })):close()
      overwrite(lock, 12, "\2\0\0\0")
      start(spool "flush_seconds = 0.1,")
      visit(10)
      until_members(4)
      local _, times = server:log():gsub("%.lock cannot be made: the file is a spool of another version", "")
      assert.same({ 3, 1, true }, { status().adopted, times, world.exists(lock) })
    end)

    it("makes another file where its own was removed", function()
      start(spool "flush_seconds = 3600,")
      visit(1, 3)
      os.execute("rm -f " .. folder.path .. "/*")
      get "/flush"
      fault(AWAY)
      visit(4, 9)
      nginx.until_true("another file is there", function()
        return #files "%.spool$" == 1
      end)
      kill_all()
      sandbox:reset()
      start(spool "flush_seconds = 0.3,")
      until_members(6)
    end)

    it("puts a file aside of which one of several requests was refused", function()
      leave_behind(30)
      fault { on = "sync", act = "status", status = 400 }
      start(spool "flush_seconds = 0.3, max_bytes = 4096,")
      nginx.until_true("it was put aside", function()
        return #files "%.refused$" == 1
      end)
      local said
      nginx.until_true("each member is accounted for", function()
        said = status()
        return said.failed + said.accepted == 30
      end)
      assert.is_true(said.failed > 0 and said.accepted > 0)
    end)
  end)
end)
