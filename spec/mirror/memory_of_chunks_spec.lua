-- A first load leaves chunks of four megabytes, of which a later night reads a hundred. As texts they would wait for
-- Lua's collector, and the night would take their memory.
local core = require "scope3.core"
local folding = require "scope3.mirror.folding"
local members = require "scope3.mirror.members"
local night = require "scope3.mirror.night"
local peopled = require "spec.support.peopled"
local states = require "spec.support.states"
local store = require "scope3.mirror.store"

local CHUNKS, PEOPLE = 4, 3000
local ID = ("x"):rep(200)

-- A state with chunks of some 700 kB each, which add or remove somebody else in each entry.
local function filled(op)
  local path = states.path()
  local kept = assert(states.open(path))
  local run = assert(kept:begin_run(1795000000))
  for n = 1, CHUNKS do
    local list = {}
    for i = 1, PEOPLE do
      list[i] = { op, 0, ("%d-%d-%s"):format(n, i, ID) }
    end
    peopled.cut(kept, run, list, "completed", 1795000001)
  end
  assert(kept:end_run(run, 1795000100, {}))
  kept:close()
  return assert(store.open(path))
end

local WAYS = {
  { "folded", "remove", function(kept)
    assert.same({}, assert(folding.fold(kept, assert(kept:open_chunks()))))
    assert.same({}, kept:open_chunks())
  end },
  { "compared with the rows of a night", "add", function(kept)
    local one = assert(night.new(kept, { mode = "upsert", version = "v" }))
    assert.is_true(one:compare(function() end))
    one:close()
  end },
  { "looked through for somebody", "add", function(kept)
    local hash = core.mirror.key_hash(kept.key, "2-7-" .. ID)
    local reading = assert(members.open(kept, { hash }))
    assert.equal("2-7-" .. ID, (reading:next()))
    assert.is_nil((reading:next()))
    reading:close()
  end },
}

describe("chunks of a state", function()
  for _, way in ipairs(WAYS) do
    it(("make no texts where they are %s"):format(way[1]), function()
      local kept = filled(way[2])
      local size = 0
      for _, chunk in ipairs(assert(kept:open_chunks())) do
        size = size + chunk.size
      end
      assert.is_true(size > CHUNKS * PEOPLE * #ID)
      collectgarbage()
      collectgarbage()
      collectgarbage "stop"
      local before = collectgarbage "count"
      local fine, why = pcall(way[3], kept)
      local grown = (collectgarbage "count" - before) * 1024
      collectgarbage "restart"
      assert(fine, why)
      kept:close()
      assert.is_true(grown < size / CHUNKS, ("%.0f bytes of Lua more for chunks of %d"):format(grown, size))
    end)
  end
end)
