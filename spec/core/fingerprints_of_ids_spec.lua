-- Ids that differ have fingerprints that differ, however alike the ids are: where two have the same, the second waits
-- for a later request. Half of a fingerprint finds an id among the members of a request, so halves differ, too.
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local SOURCES = "spec/support/alike_ids.c csrc/core/members/fingerprint.c csrc/core/bytes/bignum.c"

-- What the program says, and whether it found nothing.
local function run(program, arguments)
  local log = world.path ".log"
  local code = os.execute(("env -u LD_PRELOAD %s %d %s >%s 2>&1"):format(program, seed, arguments, log))
  return world.read(log), code == true or code == 0
end

describe("fingerprints of ids", function()
  teardown(world.clean)

  it("differ where one byte, the length or the order of words does", function()
    print("   seed " .. seed)
    local said, fine = run(compile.program(SOURCES), "")
    assert.is_true(fine, said)
  end)

  it("are the same where the compiler cannot multiply to 128 bits", function()
    print("   seed " .. seed)
    local wide = run(compile.program(SOURCES), "print")
    local narrow = run(compile.program("-U__SIZEOF_INT128__ " .. SOURCES), "print")
    assert.is_true(#wide > 1000000)
    assert.is_true(wide == narrow)
  end)
end)
