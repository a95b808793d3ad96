-- Foreign code is called in the coroutine of its caller, where this Lua lets a coroutine yield over pcall().
local guard = require "scope3.util.guard"

local IN_PLACE = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

describe("foreign code", function()
  it("runs in the coroutine of its caller, and may yield from there", function()
    local inside
    local outer = coroutine.create(function()
      return guard.call(function(a)
        inside = coroutine.running()
        return a, coroutine.yield "asked"
      end, "given")
    end)
    assert.same({ true, "asked" }, { coroutine.resume(outer) })
    assert.same({ true, true, "given", "answer" }, { coroutine.resume(outer, "answer") })
    assert.equal(IN_PLACE, inside == outer)
    assert.equal(outer, guard.outermost(inside))
  end)

  it("gives its error to its caller", function()
    local outer = coroutine.create(function()
      return guard.call(error, "own", 0)
    end)
    assert.same({ true, false, "own" }, { coroutine.resume(outer) })
  end)
end)
