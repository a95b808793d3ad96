-- A member comes when a request is full, and memory runs out at any point of that. The call says so, and the next ones
-- work: nothing is left in the way, and no member that was taken is missing.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

-- Each gives `fill`, which makes something that has no room for one member more, `add`, and `count`.
local THINGS = {
  ["a stream"] = [[
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", loop = "blocking" })
    local stream
    return {
      fill = function()
        stream = assert(client:stream("a", { dry_run = true, max_members = 2 }))
        for i = 1, 2 do assert(stream:add(member(i))) end
      end,
      add = function(i) return stream:add(member(i)) end,
      count = function() return assert(stream:finish()).members end,
    }]],
  ["a collector"] = [[
    require("spec.torture.nginx_stand_in").install()
    local collector = require "scope3.nginx.collector"
    local of
    return {
      fill = function()
        if of then of:close() end
        of = assert(collector.new { account_id = "25", api_key = "scope3_test_key", base_url = "http://127.0.0.1:1",
          audience = "a", max_bytes = 4096, flush_seconds = 3600, exit_seconds = 0.001 })
        for i = 1, 30 do assert(of:add(member(i))) end
      end,
      add = function(i) return of:add(member(i)) end,
      count = function() return of:status().held end,
    }]],
  ["an audience"] = [[
    local rare = require "scope3.util.rare"
    rare.number = function(name, usual) return name == "payload_members" and 2 or usual end
    local audience
    return {
      fill = function()
        audience = assert(scope3.audience "a")
        for i = 1, 2 do assert(audience:add(member(i))) end
      end,
      add = function(i) return audience:add(member(i)) end,
      count = function() return (audience:count()) end,
    }]],
}

-- The steps of one round, for spec/support/failing.c: memory runs out in `act` only.
local STEPS = [[
  if jit then jit.off() end
  local scope3 = require "scope3"
  local function member(i) return { external_id = ("person%%03d"):format(i), email = i .. "@example.com" } end
  local thing = (function() %s end)()
  local taken
  return {
    prepare = function()
      thing.fill()
      taken = 0
    end,
    act = function()
      for i = 31, 38 do
        assert(thing.add(i))
        taken = taken + 1
      end
    end,
    check = function()
      for i = 39, 41 do assert(thing.add(i)) end
      return ("%%d %%d"):format(taken, thing.count())
    end,
  }]]

describe("a member that comes when a request is full", not os.getenv "LD_PRELOAD" and function()
  local failing

  setup(function()
    local path = compile.failing_file()
    failing = assert(package.loadlib(path, "luaopen_failing"))()
  end)
  teardown(world.clean)

  local MORE = { ["a stream"] = 2, ["a collector"] = 30, ["an audience"] = 2 }

  for name, code in pairs(THINGS) do
    it(("is taken or refused by %s that finds no memory, and the next ones are taken"):format(name), function()
      local state = failing.state(STEPS:format(code), package.path, package.cpath)
      local refused, k = 0, 0
      repeat
        k = k + 1
        assert.equal(0, (state:run "prepare"))
        local status, message, _, failed = state:run("act", k, 2)
        assert.is_true(status == 0 or tostring(message):lower():find("memory", 1, true) ~= nil, message)
        refused = refused + (status ~= 0 and 1 or 0)
        local checked, counts = state:run "check"
        assert.same({ 0, k }, { checked, k }, counts)
        local taken, have = counts:match "^(%d+) (%d+)$"
        local least = MORE[name] + taken + 3
        -- One that was refused may be there all the same: it waited, and memory came back.
        assert.is_true(tonumber(have) == least or status ~= 0 and tonumber(have) == least + 1,
          ("call %d: %s, and %d were taken"):format(k, counts, least))
      until failed == 0
      assert.is_true(refused > 3, refused)
      state:close()
    end)
  end
end or function()
  pending "under sanitizers"
end)
