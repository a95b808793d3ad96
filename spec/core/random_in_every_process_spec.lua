-- The random pause between attempts differs in each process, also after a fork.
-- It does not depend on the seed of the host's random numbers.
local core = require "scope3.core"
local retry = require "scope3.http.retry"
local world = require "spec.support.world"

describe("the pause before another attempt", function()
  teardown(world.clean)
  local DRAW = [[
    local retry = require "scope3.http.retry"
    for _ = 1, 4 do
      io.write(("%.17g "):format(retry.delay({ kind = "http", status = 503 }, 6, {}, { reached = true })))
    end
    io.write(math.random(1000000))]]

  it("is another one in each process", function()
    local path, seen = world.file(DRAW, ".lua"), {}
    for _ = 1, 3 do
      local out = world.path ".out"
      os.execute(("%s %s >%s"):format(os.getenv "SCOPE3_LUA_BIN", path, out))
      local drawn = world.read(out):match "^(.*) %d+$"
      assert.truthy(drawn)
      assert.is_nil(seen[drawn])
      seen[drawn] = true
    end
  end)

  it("is another one in the child of a fork", function()
    local fork, out = require("spec.support.compile").fork(), world.path ".out"
    core.random()
    for _ = 1, 3 do
      assert.equal(0, fork(function()
        local file = assert(io.open(out, "a"))
        file:write(("%.17g\n"):format(core.random()))
        file:close()
        return 0
      end))
    end
    local seen, n = { [("%.17g"):format(core.random())] = true }, 1
    for drawn in world.read(out):gmatch "%S+" do
      assert.is_nil(seen[drawn])
      seen[drawn], n = true, n + 1
    end
    assert.equal(4, n)
  end)

  it("is anything up to twice the one before, and takes nothing from the host's random numbers", function()
    math.randomseed(4711)
    local first = { math.random(1e6), math.random(1e6) }
    math.randomseed(4711)
    local least, most, sum = math.huge, 0, 0
    assert.equal(first[1], math.random(1e6))
    for _ = 1, 4000 do
      local pause = retry.delay({ kind = "http", status = 503 }, 4, {}, { reached = true })
      least, most, sum = math.min(least, pause), math.max(most, pause), sum + pause
    end
    assert.equal(first[2], math.random(1e6))
    assert.is_true(least >= 0 and least < 0.2 and most > 3.8 and most < 4, least .. " " .. most)
    assert.is_true(math.abs(sum / 4000 - 2) < 0.2, sum / 4000)
  end)
end)
