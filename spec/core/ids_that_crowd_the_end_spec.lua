-- The table of ids that an epoch has sealed keeps within its memory, also where ids crowd at its end.
-- Ids are hashed with a secret of their table, so no rows bring that about: a program gives it the hashes.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

describe("a table of ids", function()
  teardown(world.clean)

  it("holds what was inserted and nothing else, where all belong to its last place", function()
    local program = compile.program("-Drealloc=guarded_realloc spec/support/crowded_ids.c "
      .. "csrc/core/members/id_set.c")
    local log = world.path ".log"
    local code = os.execute(("env -u LD_PRELOAD %s >%s 2>&1"):format(program, log))
    assert.is_true(code == true or code == 0, world.read(log))
  end)
end)
