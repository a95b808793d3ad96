-- What a member costs that is kept in a spool, in processor time:  luajit bench/spool.lua [FOLDER]
-- `warm`: the file has its pages already, as between two flushes of a collector.
-- `growing`: it grows a MiB at a time, as while the service is away.
local core = require "scope3.core"

local path = (arg[1] or "/tmp") .. "/bench.spool"
os.remove(path)
local spool = assert(core.spool(path, { capacity = 256 * 2 ^ 20 }))
local builder, payload = core.builder { max_member = 100000 }, core.payload { max_members = 1000, max_bytes = 1000000 }
assert(builder:add(payload,
  { external_id = "customer-000001", email = "jane.doe@example.com", phone = "+12065551234" }))

-- Microseconds a member of `rounds` rounds of `n`; the resets between them apart, in milliseconds each.
local function measure(rounds, n)
  local keeping, emptying = 0, 0
  for _ = 1, rounds do
    local start = os.clock()
    for _ = 1, n do
      assert(spool:keep(payload, 1, 1))
    end
    local kept = os.clock()
    assert(spool:reset())
    keeping, emptying = keeping + kept - start, emptying + os.clock() - kept
  end
  return keeping / rounds / n * 1e6, emptying / rounds * 1e3
end

measure(5, 4000)
print(("a member of %d bytes, %s"):format(payload:bytes() - 1, jit and jit.version or _VERSION))
print(("warm     %.3f us a member, %.3f ms a reset of 4,000"):format(measure(200, 4000)))
print(("growing  %.3f us a member, %.3f ms a reset of 300,000"):format(measure(3, 300000)))
for _ = 1, 300000 do
  assert(spool:keep(payload, 1, 1))
end
spool:close()
local start = os.clock()
spool = assert(core.spool(path))
local opened = os.clock()
local n = 0
local reader, room = spool:reader(), core.payload { max_members = 1000, max_bytes = 1000000 }
repeat
  local members = reader(room)
  n = n + members
  room:reset()
until members == 0
print(("reading  %.3f us a member to open, %.3f to read"):format((opened - start) / n * 1e6,
  (os.clock() - opened) / n * 1e6))
assert(spool:remove())
