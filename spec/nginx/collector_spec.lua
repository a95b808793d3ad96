-- The collector in a real nginx.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

local json = world.json

describe("a collector", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server

  local of = collecting.of(sandbox, function()
    return server
  end)
  local get, status, visit, members, until_members = of.get, of.status, of.visit, of.members, of.until_members

  local function start(options, more)
    server = of.start(options, more)
  end

  local function stop()
    if server then
      server:close()
      server = nil
    end
  end
  after_each(stop)

  it("takes members in the log phase and sends them when there are enough, or after a while", function()
    start "flush_members = 50, flush_seconds = 0.3,"
    visit(1, 120)
    until_members(120)
    assert.same({ 0, 120, 120 }, { status().held, status().accepted, status().all.accepted })
    local sizes = {}
    for i, request in ipairs(sandbox:requests "sync") do
      sizes[i] = request.audiences[1].add
    end
    assert.same({ 50, 50, 20 }, sizes)
    assert.equal("", server:trouble())
  end)

  it("rejects what is no member with the reason, and counts it", function()
    start()
    assert.equal("nil invalid no_identifier", get "/odd")
    assert.same({ 1, 0 }, { status().rejected, status().held })
  end)

  it("refuses words for no value and raw identities as ids, and hashes these where that is said", function()
    start()
    for id, code in pairs {
      ["null"] = "id_placeholder", ["undefined"] = "id_placeholder",
      ["jane%40x.example"] = "id_email", ["%2B12065550142"] = "id_phone",
    } do
      assert.equal(code, get("/id?id=" .. id))
    end
    assert.equal("taken", get "/id?id=%20v1")
    assert.equal("flushed", get "/flush")
    assert.same({ "v1" }, sandbox:ids "visitors")
    assert.equal(4, status().rejected)
    stop()
    start 'ids = "hash",'
    assert.equal("taken", get "/id?id=Jane%40x.example")
    assert.equal("flushed", get "/flush")
    assert.truthy(sandbox:members("visitors")[core.sha256 "jane@x.example"])
  end)

  it("sends at once what flush() is called for", function()
    start "flush_seconds = 3600,"
    visit(1, 7)
    assert.equal(7, status().held)
    assert.equal("flushed", get "/flush")
    assert.same({ 0, 7, 7 }, { status().held, status().accepted, members() })
  end)

  it("keeps members while the service is away, refuses the newest over its bound, and loses none afterwards", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 401, times = -1 } } }
    start "flush_members = 10, flush_seconds = 0.05, max_members = 25,"
    visit(1, 25)
    nginx.until_true("a failure", function()
      return status().error
    end)
    visit(26, 30)
    local said = status()
    assert.same({ 25, 5, 0 }, { said.held, said.refused, said.accepted })
    assert.truthy(said.error:find("SCOPE3_API_KEY", 1, true))
    assert.truthy(get("/rejection"):find("^full: scope3: 25 members wait already"))
    sandbox:configure { faults = json.array {} }
    until_members(25)
    nginx.until_true("nothing waits", function()
      return status().held == 0
    end)
    assert.equal(25, status().accepted)
    assert.is_nil(server:log():find("@example.com", 1, true))
  end)

  it("counts what the service refuses for good, and goes on with the next request", function()
    sandbox:configure {
      faults = json.array { { on = "sync", act = "status", status = 400 } }, refuse = json.array { "v12" },
    }
    start "flush_members = 10, flush_seconds = 3600,"
    visit(1, 20)
    until_members(9)
    local said = nginx.until_true("the end", function()
      local now = status()
      return now.held == 0 and now
    end)
    assert.same({ 10, 1, 9 }, { said.failed, said.rejected_by_service, said.accepted })
  end)

  it("gives up what the service finds wrong, and not what was never tried", function()
    sandbox:configure { faults = json.array {
      { on = "sync", act = "status", status = 413 }, { on = "sync", act = "status", status = 400 },
    } }
    start "flush_members = 40, flush_seconds = 3600,"
    visit(1, 40) -- halves: the first is refused, and the second has to go all the same
    local said = nginx.until_true("the end", function()
      local now = status()
      return now.held == 0 and now
    end)
    assert.equal(40, said.failed + said.accepted)
    assert.same({ said.accepted, true }, { members(), said.failed > 0 and said.failed <= 20 })
  end)

  it("goes on when the client of a request that called flush() leaves in the middle of it", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 2 } } }
    start "flush_seconds = 3600,"
    visit(1, 3)
    assert.equal("OPERATION_TIMEDOUT", world.http("GET", server.url .. "/flush", nil, { timeout = 0.3 }).code)
    nginx.until_true("the request was dropped", function()
      return server:log():find("flush dropped", 1, true)
    end)
    visit(4, 5)
    assert.equal("flushed", get "/flush")
    assert.same({ 0, 5, 5 }, { status().held, status().accepted, members() })
  end)

  it("goes on when nginx has dropped its timer, because too many were running", function()
    server = nginx.start {
      http = "lua_max_running_timers 1;\n"
        .. collecting.http("", sandbox.url, "flush_seconds = 0.1,"):gsub("collector:start%(%)",
        "ngx.timer.at(0, function() ngx.sleep(1) end) %0"),
    }
    server:expect "lua_max_running_timers are not enough"
    visit(1)
    nginx.until_true("its timer was dropped", function()
      return server:log():find("lua_max_running_timers are not enough", 1, true)
    end)
    nginx.until_true("a member was sent", function()
      visit(2)
      local ok, n = pcall(members)
      return ok and n == 2
    end)
  end)

  it("is flushed when its worker ends, by a reload, gracefully or at once", function()
    for i, signal in ipairs { "HUP", "QUIT", "TERM" } do
      sandbox:reset()
      start "flush_seconds = 3600,"
      visit(1, 5 + i)
      if signal == "HUP" then
        server:reload()
        until_members(5 + i)
        assert.equal("", server:trouble())
      else
        server:close(signal)
        server = nil
      end
      assert.equal(5 + i, members())
      if server then
        server:close()
        server = nil
      end
    end
  end)

  it("sends all that it has when it is told to stop at once in the middle of a request", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 20 } } }
    start "flush_members = 2, flush_seconds = 3600,"
    visit(1, 8)
    nginx.until_true("a request", function()
      return #sandbox:requests "sync" == 1
    end)
    server:close "TERM"
    server = nil
    assert.equal(8, members())
  end)

  it("sends all the same where a listener of its own fails, and says so", function()
    start([[on_event = function(event)
      assert(event.event ~= "request", "a listener's own fault")
    end, flush_members = 2, flush_seconds = 0.05,]], { workers = 1 })
    server:expect "on_event raised an error"
    visit(1, 4)
    until_members(4)
    nginx.until_true("nothing waits", function()
      return status().held == 0
    end)
    assert.same({ 4, 0 }, { status().accepted, status().failed })
    assert.truthy(status().error:find("a listener's own fault", 1, true), status().error)
    assert.truthy(server:log():find("a listener's own fault; what it was told of was sent all the same", 1, true))
    assert.equal(2, #sandbox:requests "sync")
  end)

  it("without a spool loses no more than what a killed worker held, and says how much that was", function()
    start("flush_seconds = 3600,", { workers = 1 })
    visit(1, 9)
    assert.equal(9, status().all.held)
    local pid = tonumber(get "/pid")
    server:signal("KILL", pid)
    nginx.until_true("another worker", function()
      local ok, other = pcall(get, "/pid")
      return ok and tonumber(other) ~= pid
    end)
    assert.same({ 9, 0 }, { status().all.lost, status().all.held })
    assert.equal(9, status().all.lost)
    visit(1, 3)
    get "/flush"
    assert.same({ 3, 9 }, { members(), status().all.lost })
  end)

  describe("with a spool", function()
    local folder = collecting.folder(before_each, after_each, stop)
    local spool, files = folder.options, folder.files

    local function away(yes)
      sandbox:configure {
        faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
      }
    end

    it("keeps hashes in files that nobody else can read, and removes them when it ends", function()
      start(spool "flush_seconds = 3600,")
      visit(1, 3)
      local names = nginx.until_true("a file", function() -- the log phase comes after the answer
        local list = files "%.spool$"
        return #list == 1 and list
      end)
      assert.equal(3, status().held)
      assert.equal("600\n", nginx.sh(("stat -c %%a %s/%s"):format(folder.path, names[1])))
      local bytes = world.read(folder.path .. "/" .. names[1])
      assert.truthy(spool_files.place_of(bytes, "v3"))
      assert.is_nil(bytes:find("example.com", 1, true))
      assert.is_nil(bytes:find("206 ?555"))
      get "/flush"
      assert.equal(3, members())
      server:close()
      server = nil
      assert.same({}, files "spool")
    end)

    it("loses nothing when its worker is killed while the service is away", function()
      away(true)
      start(spool "flush_seconds = 0.2,")
      visit(1, 30)
      local pid = tonumber(get "/pid")
      server:signal("KILL", pid)
      away(false)
      until_members(30)
      local said = nginx.until_true("all is counted", function()
        local ok, now = pcall(status)
        return ok and now.all.held == 0 and now
      end)
      assert.same({ 30, 0, 30 }, { said.all.adopted, said.all.lost, said.all.accepted })
    end)

    it("loses no member that was acknowledged, however often workers are killed and nginx is reloaded", function()
      start(spool "flush_members = 20, flush_seconds = 0.1,", { workers = 2 })
      local taken, expected = 0, {}
      for round = 1, 12 do
        for i = 1, 25 do
          local id = ("r%d-%d"):format(round, i)
          local reply = world.http("GET", server.url .. "/take?id=" .. id)
          if reply.body == "taken" then
            taken = taken + 1
            expected[id] = true
          end
        end
        if round % 3 == 0 then
          server:reload()
        else
          local workers = server:workers()
          server:signal("KILL", workers[round % #workers + 1])
        end
      end
      assert.is_true(taken > 200, taken .. " taken")
      nginx.until_true("every member is there", function()
        local found = sandbox:members "visitors"
        for id in pairs(expected) do
          if not found[id] then
            return false
          end
        end
        return true
      end, 60)
      assert.is_nil(server:log():find("signal 11", 1, true))
      assert.equal(0, status().all.lost)
    end)

    it("has a later worker adopt what the service did not take before a reload", function()
      away(true)
      start(spool "flush_seconds = 0.3, exit_seconds = 0.3,")
      visit(1, 12)
      nginx.until_true("a failure", function()
        return status().error
      end)
      server:reload()
      away(false)
      until_members(12)
      assert.equal(0, status().all.lost)
    end)

    it("puts aside the file of members that the service refuses for good", function()
      sandbox:fault { on = "sync", act = "status", status = 400 }
      start(spool "flush_seconds = 3600,")
      visit(1, 4)
      get "/flush"
      assert.equal(4, status().failed)
      assert.equal(1, #files "%.refused$")
    end)

    it("counts what no file had when its worker is killed, and no more", function()
      start(spool "flush_seconds = 3600,", { before = "sh -c 'ulimit -f 256; exec \"$@\"' sh" })
      away(true)
      visit(1, 5)
      assert.same({ 5, 0, 0 }, { status().held, status().unkept, status().all.lost })
      os.execute("rm -rf " .. folder.path)
      visit(6, 2000)
      local said = status()
      assert.is_true(said.held == 2000 and said.unkept > 0 and said.unkept < 2000, said.unkept)
      local pid = tonumber(get "/pid")
      server:signal("KILL", pid)
      nginx.until_true("another worker", function()
        local ok, other = pcall(get, "/pid")
        return ok and tonumber(other) ~= pid
      end)
      assert.same({ said.unkept, 0 }, { status().all.lost, status().all.held })
    end)

    it("gives up what the service refuses for good once, also where it can be written to no file", function()
      sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 400 } } }
      start(spool "flush_members = 4, flush_seconds = 3600,")
      visit(1, 3)
      os.execute("rm -rf " .. folder.path)
      visit(4)
      nginx.until_true("it was refused", function()
        return status().failed == 4
      end)
      nginx.until_true("it says so", function()
        return server:log():find("could not be written to a file: ", 1, true)
      end)
      os.execute("mkdir -m 700 " .. folder.path)
      visit(5, 8)
      until_members(4)
      nginx.until_true("all counted", function()
        return status().accepted == 4
      end)
      assert.same({ 4, 4, 0 }, { status().failed, status().accepted, status().held })
      assert.equal(2, #sandbox:requests "sync")
    end)

    it("puts aside what was refused alone, with its operations, and not what went before in the same file", function()
      away(true)
      start(spool "flush_members = 4, flush_seconds = 3600,")
      visit(1, 4)
      nginx.until_true("a failure", function()
        return status().error
      end)
      visit(5, 8)
      sandbox:configure {
        faults = json.array { { on = "sync", act = "status", status = 400, after = 1 } }, refuse = json.array {},
      }
      get "/flush"
      local said = status()
      assert.same({ 8, 0 }, { said.failed + said.accepted, said.held })
      local names, n = files "%.refused$", 0
      for _, name in ipairs(names) do
        local aside = assert(require("scope3.core").spool(folder.path .. "/" .. name))
        n = n + aside:count()
        aside:close()
      end
      assert.equal(said.failed, n)
    end)

    it("takes members also when the folder cannot be written, and says so", function()
      os.execute("rm -rf " .. folder.path)
      start(spool "flush_seconds = 3600,")
      visit(1, 2)
      assert.same({ 2, 2 }, { status().held, status().unkept })
      nginx.until_true("it says so", function()
        return server:log():find("cannot be kept in the spool", 1, true)
      end)
      get "/flush"
      assert.equal(2, members())
    end)
  end)

  it("shares one rate and one status between workers", function()
    start("flush_members = 5, flush_seconds = 0.1,", { workers = 3 })
    for i = 1, 30 do
      visit(i)
    end
    until_members(30)
    nginx.until_true("all counted", function()
      return status().all.accepted == 30
    end)
  end)

  it("is refused as a whole where its configuration is wrong, every problem at once", function()
    server = nginx.start { http = [[
      server {
        listen 127.0.0.1:PORT;
        location = /ping { return 200 "pong"; }
        location = /make { content_by_lua_block {
          local options = { audience = { id = "" }, shared = "none", flush_members = 1000000, base_url = "http://example.com" }
          ngx.print(select(2, pcall(require("scope3.nginx").collector, options)))
        } }
        location = /unknown { content_by_lua_block {
          ngx.print(select(2, pcall(require("scope3.nginx").collector, { audience = "a", flush = 1 })))
        } }
      }
    ]] }
    local said = get "/make"
    for _, expected in ipairs {
      "audience.id", "lua_shared_dict none", "flush_members: must be at most 100000", "base_url: must be https",
    } do
      assert.truthy(said:find(expected, 1, true), said)
    end
    assert.truthy(get("/unknown"):find("unknown option 'flush'", 1, true))
  end)
end)
