-- What is sorted is in order, and equal values stay as they were: also where a stranger chose the values so that hardly
-- a digit tells them apart.
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

describe("hashes and rows", function()
  teardown(world.clean)

  it("are sorted, whatever they are", function()
    print("   seed " .. seed)
    local program = compile.program "spec/support/sorts.c csrc/core/mirror/sort.c"
    local log = world.path ".log"
    os.execute(("env -u LD_PRELOAD %s %d >%s 2>&1"):format(program, seed % 2 ^ 31, log))
    assert.equal("sorted\n", world.read(log))
  end)
end)
