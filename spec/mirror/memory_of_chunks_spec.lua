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

  it("are shown by views that the function may drop, and that show nothing afterwards", function()
    local kept = filled "add"
    local chunk = core.mirror.chunk(1)
    assert(chunk:add("add", 0, "a", ("h"):rep(8), ("c"):rep(8), ("m"):rep(8)))
    for what, show in pairs {
      database = function(work) return kept:show_chunk(1, work) end,
      chunk = function(work) return chunk:show(work) end,
    } do
      local seen
      assert.is_true(show(function(view)
        assert.is_true(view:size() > 0, what)
        seen = view
      end))
      assert.has_error(function() seen:size() end)
      assert.is_true(show(function(view)
        assert.is_true(view:size() > 0)
        view = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
      end))
    end
    chunk:close()
    kept:close()
  end)

  it("can be looked at while another is looked at, and while the state is closed", function()
    local kept = filled "add"
    local sizes = {}
    assert.is_true(kept:show_chunk(1, function(one)
      assert.is_true(kept:show_chunk(2, function(two)
        sizes = { core.mirror.chunk_audience(one), core.mirror.chunk_audience(two), one:size() == two:size() }
      end))
      kept:close()
      sizes[4] = core.mirror.chunk_audience(one)
    end))
    assert.same({ 0, 0, true, 0 }, sizes)
  end)

  it("that are no blobs any more, or other ones than their rows say, are damaged", function()
    for _, sql in ipairs { "UPDATE chunk SET members = 7 WHERE n = 2",
      "UPDATE chunk SET members = substr(members, 2) WHERE n = 2" } do
      local kept = filled "add"
      assert(kept.db:run(sql))
      local ok, err = kept:show_chunk(2, error)
      assert.same({ nil, "journal", "damaged" }, { ok, err.kind, err.code })
      kept:close()
    end
  end)
end)
