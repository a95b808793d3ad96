-- A service that is away for long: what a collector with a spool takes meanwhile is bounded by its disk, needs no
-- memory, and arrives in order, whoever sends it.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local LOCATIONS = [[
    location = /many { content_by_lua_block {
      local taken = 0
      for i = tonumber(ngx.var.arg_from), tonumber(ngx.var.arg_to) do
        taken = taken + (collector:add { external_id = "v" .. i, email = i .. "@example.com" } and 1 or 0)
      end
      ngx.print(taken)
    } }
    location = /op { content_by_lua_block {
      local id = ngx.var.arg_id
      local ok, err = collector[ngx.var.arg_remove and "remove" or "add"](collector,
        { external_id = id, email = id .. "@example.com" })
      ngx.print(ok and "taken" or tostring(err))
    } }
]]

describe("while the service is away for long, a collector with a spool", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server
  local of = collecting.of(sandbox, function()
    return server
  end)
  local get, status = of.get, of.status

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  after_each(stop)
  local folder = collecting.folder(before_each, after_each, stop)

  local function start(options)
    server = of.start(folder.options(options), { locations = LOCATIONS })
  end

  local function away(yes)
    sandbox:configure {
      log_bodies = true,
      faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
    }
  end

  local function op(id, remove)
    assert.equal("taken", get("/op?id=" .. id .. (remove and "&remove=1" or "")))
  end

  local function kill_all()
    local workers = server:workers()
    server:signal "KILL"
    for _, pid in ipairs(workers) do
      server:signal("KILL", pid)
    end
    server:close "KILL"
    server = nil
  end

  local function resident()
    return tonumber(world.read(("/proc/%d/status"):format(server:workers()[1])):match("VmRSS:%s+(%d+)"))
  end

  local function until_sent()
    nginx.until_true("nothing waits", function()
      return pcall(get, "/flush") and status().all.held == 0
    end, 60)
  end

  it("takes more than max_members, in memory that stays the same, and sends it in such parts", function()
    away(true)
    start "max_members = 10, flush_members = 5, flush_seconds = 0.02, max_bytes = 300000,"
    assert.equal("5000", get "/many?from=1&to=5000")
    nginx.until_true("a failure", function()
      return status().error
    end)
    local before = resident()
    for from = 5001, 60000, 5000 do
      assert.equal("5000", get(("/many?from=%d&to=%d"):format(from, from + 4999)))
    end
    assert.same({ 60000, 0, 0 }, { status().held, status().unkept, status().refused })
    assert.is_true(#folder.files "%.spool$" >= 2)
    assert.is_true(resident() - before < 6000, resident() - before .. " kB")
    away(false)
    until_sent()
    assert.equal(60000, status().accepted)
    assert.is_true(resident() - before < 9000, resident() - before .. " kB")
    assert.is_true(#folder.files "%.spool$" <= 2) -- empty ones
  end)

  it("is sent by later workers the oldest first, each removal as one", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local last, rounds = {}, 12
    away(true)
    for round = 1, rounds do
      start "max_members = 2, flush_members = 3, flush_seconds = 0.05,"
      op("round" .. round)
      last["round" .. round] = true
      for _ = 1, 25 do
        local id, remove = "id" .. math.random(9), math.random(2) == 1
        op(id, remove)
        last[id] = not remove
      end
      if round % 3 == 0 then
        nginx.until_true("a failure", function()
          return status().error
        end)
      end
      kill_all()
    end
    assert.is_true(#folder.files "%.spool$" >= rounds)
    away(false)
    start "flush_seconds = 0.05, max_bytes = 4096,"
    until_sent()
    local want = {}
    for id, present in pairs(last) do
      want[#want + 1] = present and id or nil
    end
    table.sort(want)
    local there = sandbox:ids "visitors"
    table.sort(there)
    assert.same(want, there, "seed " .. seed)
    local order = {}
    for _, request in ipairs(sandbox:requests "sync") do
      for round in json.encode(request):gmatch "round(%d+)" do
        order[#order + 1] = request.status < 300 and tonumber(round) or nil
      end
    end
    for i = 1, rounds do
      assert.equal(i, order[i], table.concat(order, " ") .. ", seed " .. seed)
    end
    assert.same({ rounds, 0 }, { #order, status().all.lost })
  end)

  it("is told of at the end of a worker that has no spool: how many members are lost", function()
    away(true)
    server = of.start("exit_seconds = 0.2, flush_seconds = 3600,", { locations = LOCATIONS })
    assert.equal("7", get "/many?from=1&to=7")
    server:signal "QUIT"
    nginx.until_true("the words", function()
      return server:log():find "%[error%] [^\n]*the worker has ended: 7 members are lost"
    end, 10)
  end)

  it("has members that no file took in a file as soon as one takes them", function()
    away(true)
    os.execute("rm -rf " .. folder.path)
    start "flush_seconds = 3600,"
    op "a"
    op "b"
    assert.same({ 2, 2 }, { status().held, status().unkept })
    os.execute("mkdir -m 700 " .. folder.path)
    nginx.until_true("a file", function() -- a new one is tried for once a second
      op("a", true)
      return #folder.files "%.spool$" == 1
    end)
    op "c"
    kill_all()
    away(false)
    start "flush_seconds = 3600,"
    until_sent()
    assert.same({ "b", "c" }, sandbox:ids "visitors")
    assert.equal(0, status().all.lost)
  end)

  it("sends what is in memory only before what came later into files", function()
    away(true)
    os.execute("rm -rf " .. folder.path)
    start "flush_seconds = 3600,"
    op "a"
    get "/flush" -- it stays a batch in memory
    assert.same({ 1, 1 }, { status().held, status().unkept })
    os.execute("mkdir -m 700 " .. folder.path)
    nginx.until_true("a file", function()
      op("a", true)
      return #folder.files "%.spool$" == 1
    end)
    op "b"
    away(false)
    until_sent()
    assert.same({ "b" }, sandbox:ids "visitors")
  end)
end)
