-- A collector is bounded in what it takes, not only in members: memory, disk and descriptors.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local LOCATIONS = [[
    location = /many { content_by_lua_block {
      local taken, full = 0, 0
      for i = tonumber(ngx.var.arg_from), tonumber(ngx.var.arg_to) do
        local ok, err = visit((ngx.var.arg_same or "v") .. (ngx.var.arg_same and i % 7 or i))
        taken = taken + (ok and 1 or 0)
        full = full + (not ok and err.kind == "full" and err.retryable and 1 or 0)
      end
      ngx.print(taken, " ", full)
    } }
    location = /take_here { content_by_lua_block {
      ngx.print(visit(ngx.var.arg_id) and ngx.worker.pid() or "not taken")
    } }
]]

describe("a collector with a spool", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server
  local of = collecting.of(sandbox, function()
    return server
  end)
  local get, status, members, until_members = of.get, of.status, of.members, of.until_members

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  after_each(stop)
  local folder = collecting.folder(before_each, after_each, stop)

  local function start(options, more)
    more = more or {}
    more.locations = LOCATIONS
    server = of.start(folder.options(options), more)
  end

  local function away(yes)
    sandbox:configure {
      faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
    }
  end

  -- Descriptors, and memory in kB, of the worker.
  local function takes()
    local pid = server:workers()[1]
    local open = tonumber((nginx.sh(("ls /proc/%d/fd | wc -l"):format(pid))))
    return open, tonumber(world.read(("/proc/%d/status"):format(pid)):match("VmRSS:%s+(%d+)"))
  end

  local function disk()
    return tonumber(nginx.sh("du -sk " .. folder.path):match("%d+"))
  end

  it("keeps what comes while the service is away in few files and little memory, and answers everybody", function()
    away(true)
    start("flush_members = 50, flush_seconds = 0.02,", { main = "worker_rlimit_nofile 64;", connections = 40 })
    get "/many?from=1&to=1000"
    nginx.until_true("a failure", function()
      return status().error
    end)
    local first, before = takes() -- with what nginx inherited from the process of the specs
    for from = 1001, 63000, 500 do
      assert.equal("500 0", get(("/many?from=%d&to=%d"):format(from, from + 499)))
    end
    local open, memory = takes()
    assert.same({ 63000, 0 }, { status().held, status().unkept })
    assert.is_true(#folder.files "%.spool$" <= 8, #folder.files "%.spool$")
    assert.is_true(open - first < 20, ("%d descriptors, %d at first"):format(open, first))
    assert.is_true(memory - before < 80 * 1024, memory - before .. " kB")
    assert.is_true(disk() < 32 * 1024, disk() .. " kB")
    assert.equal("pong", get "/ping")
    away(false)
    assert.equal("flushed", get "/flush")
    assert.equal(63000, #sandbox:ids "visitors")
    assert.is_true(#sandbox:requests "sync" < 60, #sandbox:requests "sync") -- what waited goes in few requests
    assert.is_true(disk() < 7 * 1024, disk() .. " kB are left") -- two empty files of 3 MiB
    assert.equal(0, status().held)
    assert.is_nil(server:log():find("open files", 1, true))
  end)

  it("refuses what is over its bytes, says so, counts it, and takes members again afterwards", function()
    for _, same in ipairs { "", "&same=id" } do -- also when a few visitors come again and again
      sandbox:reset()
      away(true)
      start "flush_members = 50, flush_seconds = 0.02, max_waiting_bytes = 1048576,"
      local taken, full = 0, 0
      for from = 1, 20000, 1000 do
        local more, refused = get(("/many?from=%d&to=%d%s"):format(from, from + 999, same)):match("^(%d+) (%d+)$")
        taken, full = taken + tonumber(more), full + tonumber(refused)
      end
      assert.equal(20000, taken + full)
      assert.is_true(full > 3000 and taken > 6000, taken .. " taken")
      assert.same({ full, full }, { status().refused, status().all.refused })
      get "/visit?from=77777"
      assert.truthy(get("/rejection"):find("^full: scope3: %d+ members? waits? already and takes? %d+ bytes "
        .. "%(max_waiting_bytes%)"), get "/rejection")
      assert.is_true(disk() < 2500, disk() .. " kB")
      away(false)
      assert.equal("flushed", get "/flush")
      assert.equal(same == "" and taken or 7, members())
      assert.equal("1 0", get "/many?from=99999&to=99999")
      stop()
      os.execute("rm -f " .. folder.path .. "/*")
    end
  end)

  it("stays within its bytes when its workers are killed again and again while the service is away", function()
    away(true)
    start "flush_members = 50, flush_seconds = 3600, max_waiting_bytes = 1048576,"
    local total = 0
    for round = 1, 6 do
      total = total + tonumber((get(("/many?from=%d&to=%d"):format(round * 10000, round * 10000 + 2999)):match("^%d+")))
      local pid = tonumber(get "/pid")
      server:signal("KILL", pid)
      nginx.until_true("another worker", function()
        local ok, other = pcall(get, "/pid")
        return ok and tonumber(other) ~= pid
      end)
    end
    assert.is_true(total < 18000, total)
    assert.is_true(disk() < 2500, disk() .. " kB")
    away(false)
    get "/flush"
    until_members(total)
    assert.same({ 0, 0 }, { status().held, status().all.lost })
  end)

  it("takes over the files of many dead workers with few descriptors", function()
    away(true)
    for round = 1, 4 do
      start("flush_seconds = 3600,", { workers = 8 })
      for i = 1, 12 do
        local pid = nginx.until_true("one more", function()
          return tonumber(world.http("GET", server.url .. "/take_here?id=" .. ("r%dn%d"):format(round, i)).body)
        end)
        server:signal("KILL", pid) -- so the next member is another worker's
      end
      -- new files, although others look for empty ones
      assert.is_nil(server:log():find("cannot be kept", 1, true), server:log())
      local workers = server:workers()
      server:signal "KILL" -- the master first, which would start others
      for _, pid in ipairs(workers) do
        server:signal("KILL", pid)
      end
      server:close "KILL"
      server = nil
    end
    away(false)
    assert.is_true(#folder.files "%.spool$" >= 48)
    start("flush_seconds = 0.1,", { main = "worker_rlimit_nofile 128;", connections = 40 })
    until_members(48)
    nginx.until_true("the folder is empty", function()
      return #folder.files "%.spool$" <= 2
    end)
  end)

  it("begins with a small file, which grows with what is in it", function()
    away(true)
    start "flush_seconds = 3600,"
    get "/many?from=1&to=10"
    assert.is_true(disk() <= 72, disk() .. " kB")
    get "/many?from=11&to=1000"
    assert.is_true(disk() <= 600, disk() .. " kB")
  end)
end)
