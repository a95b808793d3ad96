-- Members in the files of a collector keep their operation and their order, whoever sends them in the end.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local LOCATIONS = [[
    location = /op { content_by_lua_block {
      local id, ok, err = ngx.var.arg_id, nil, nil
      if ngx.var.arg_remove then
        ok, err = collector:remove { external_id = id }
      else
        ok, err = collector:add { external_id = id, email = id .. "@example.com" }
      end
      ngx.print(ok and "taken" or tostring(err))
    } }
]]

describe("a collector with a spool", function()
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

  local function start(options, workers)
    server = of.start(folder.options(options), { workers = workers or 1, locations = LOCATIONS })
  end

  local function away(yes)
    sandbox:configure {
      faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
    }
  end

  -- Does an operation until it is acknowledged.
  local function op(id, remove)
    nginx.until_true("an answer", function()
      return world.http("GET", server.url .. "/op?id=" .. id .. (remove and "&remove=1" or ""), nil,
        { timeout = 5 }).body == "taken"
    end)
  end

  local function kill_all()
    local workers, ending = server:workers()
    server:signal "KILL"
    for _, list in ipairs { workers, ending } do
      for _, pid in ipairs(list) do
        server:signal("KILL", pid)
      end
    end
    server:close "KILL"
    server = nil
  end

  local function there()
    local ids = {}
    for id in pairs(sandbox:members "visitors") do
      ids[#ids + 1] = id
    end
    table.sort(ids)
    return ids
  end

  local function until_sent()
    nginx.until_true("nothing waits", function()
      return pcall(get, "/flush") and status().all.held == 0
    end, 60)
  end

  it("removes whom it was told to remove, also when another worker takes that over", function()
    start "flush_seconds = 3600,"
    op "a"
    op "b"
    op "c"
    until_sent()
    assert.same({ "a", "b", "c" }, there())
    away(true)
    op("a", true)
    op("d")
    op("c", true)
    op("d", true)
    op("c")
    kill_all()
    away(false)
    start "flush_seconds = 0.2,"
    until_sent()
    assert.same({ "b", "c" }, there())
  end)

  it("sends what a dead worker left before anything of its own", function()
    start("flush_seconds = 3600,")
    away(true)
    op "a"
    local pid = tonumber(get "/pid")
    server:signal("KILL", pid)
    op("a", true)
    op "b"
    away(false)
    until_sent()
    assert.same({ "b" }, there())
  end)

  it("takes files over in the order of their members, and not of their names", function()
    -- Files that are used again, of processes whose numbers have another order, the first one the largest.
    away(true)
    local last = {}
    for round, size in ipairs { 40, 12, 3, 1 } do
      start "flush_members = 10, flush_seconds = 3600,"
      if round == 1 then
        away(false)
        for i = 1, 25 do
          op("x" .. i)
        end
        until_sent() -- its files are empty again, and older than what comes into them
        away(true)
      end
      for i = 1, size do
        local remove = (i + round) % 2 == 0
        op("x" .. i, remove)
        last["x" .. i] = not remove
      end
      kill_all()
    end
    away(false)
    start "flush_seconds = 0.2, max_members = 2,"
    until_sent()
    local want = {}
    for id, present in pairs(last) do
      want[#want + 1] = present and id or nil
    end
    table.sort(want)
    assert.same(want, there())
  end)

  it("waits at a reload for the worker that ends, whose members are older", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "delay", seconds = 1 } } }
    start "flush_seconds = 0.05,"
    op "a"
    nginx.until_true("a request", function()
      return #sandbox:requests "sync" == 1
    end)
    op "b"
    server:reload()
    op("b", true)
    until_sent()
    nginx.until_true("the other worker has ended", function()
      return #(select(2, server:workers())) == 0
    end)
    assert.same({ "a" }, there())
  end)

  it("adopts from a folder whose name is a pattern", function()
    local plain = folder.path
    folder.path = plain .. "/[ab]*?"
    os.execute("mkdir -m 700 '" .. folder.path .. "'")
    away(true)
    start "flush_seconds = 3600,"
    op "a"
    kill_all()
    away(false)
    start "flush_seconds = 0.2,"
    nginx.until_true("it is there", function()
      local ok, ids = pcall(there) -- the audience comes with its first member
      return ok and #ids == 1
    end)
    folder.path = plain
  end)

  it("ends with the last acknowledged operation on each id, whatever is killed and reloaded in between", function()
    for _, case in ipairs { { workers = 1, back = true }, { workers = 3 } } do
      local seed = require "spec.support.seed" + case.workers
      math.randomseed(seed)
      sandbox:reset()
      start("flush_members = 5, flush_seconds = 0.05, exit_seconds = 3,", case.workers)
      local last, deadline = {}, core.now() + 12
      -- several workers have one order while the service is away, and one of them takes all over
      local gone = not case.back
      away(gone)
      for _ = 1, 30 do
        assert(core.now() < deadline + 300, "one round took minutes")
        for _ = 1, math.random(15) do
          local id, remove = "id" .. math.random(6), math.random(2) == 1
          op(id, remove)
          last[id] = not remove
        end
        local what = math.random(case.back and 5 or 3)
        if what == 1 then
          server:signal "HUP"
        elseif what == 2 then
          local workers, ending = server:workers()
          local pid = ending[1] or workers[math.random(math.max(1, #workers))]
          if pid then
            server:signal("KILL", pid)
          end
        elseif what == 4 then
          gone = not gone
          away(gone)
        end
        if core.now() > deadline then
          break
        end
      end
      if not case.back then
        server:reload()
        nginx.until_true("the others have ended", function()
          return #(select(2, server:workers())) == 0
        end, 60)
      end
      away(false)
      until_sent()
      nginx.until_true("the others have ended", function()
        return #(select(2, server:workers())) == 0
      end, 60)
      local want = {}
      for id, present in pairs(last) do
        want[#want + 1] = present and id or nil
      end
      table.sort(want)
      local found
      -- a worker that ended may have given its files up just now
      pcall(nginx.until_true, "the members are right", function()
        local ok, ids = pcall(there)
        found = ok and ids or {}
        return table.concat(found, " ") == table.concat(want, " ")
      end, 15)
      assert.same(want, found, ("seed %d, %d workers"):format(seed, case.workers))
      assert.equal(0, status().all.lost)
      stop()
      os.execute("rm -f " .. folder.path .. "/*")
    end
  end)
end)
