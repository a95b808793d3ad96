-- A set of ids that grows loses none and takes none for another, also where it has no memory to grow for a while; and
-- an id costs at most 10 bytes at every size from 20,000 on, not only just before the set grows.
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

describe("a set of many ids", function()
  teardown(world.clean)

  it("holds what was inserted and nothing else, in at most 10 bytes an id", function()
    print("   seed " .. seed)
    local program = compile.program("-Drealloc=scarce_realloc spec/support/many_ids.c "
      .. "csrc/core/members/id_set.c")
    local log = world.path ".log"
    local code = os.execute(("env -u LD_PRELOAD %s %d >%s 2>&1"):format(program, seed, log))
    assert.is_true(code == true or code == 0, world.read(log))
  end)
end)
