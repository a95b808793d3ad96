-- What one cut of a night asks of the service: a chunk that is written to, shown and emptied.
local core = require "scope3.core"
local nights = require "spec.support.night_of_files"
local world = require "spec.support.world"

local HASH, CLOSED = ("h"):rep(8), "attempt to use a closed chunk"

local function put(chunk, id)
  return chunk:add("add", 0, id, HASH, HASH, HASH)
end

local function chunk_of(...)
  local chunk = core.mirror.chunk(7)
  for _, id in ipairs { ... } do
    assert(put(chunk, id))
  end
  return chunk
end

describe("a chunk", function()
  it("is shown as the bytes of its blob", function()
    local chunk, size = chunk_of("a", "b"), nil
    assert.is_true(chunk:show(function(view)
      size = view:size()
    end))
    assert.equal(#chunk:blob(), size)
  end)

  it("takes nothing while it is shown, and goes on afterwards", function()
    local chunk = chunk_of "a"
    chunk:show(function()
      assert.has_error(function() put(chunk, "b") end, CLOSED)
      assert.has_error(function() chunk:reset() end, CLOSED)
      assert.has_error(function() chunk:show(print) end, CLOSED)
    end)
    assert.equal(2, put(chunk, "b"))
    assert.equal(chunk_of("a", "b"):blob(), chunk:blob())
  end)

  it("shows nothing any more when the function has returned or failed", function()
    local chunk, kept = chunk_of "a", nil
    for _, fails in ipairs { false, true } do
      local fine, why = pcall(chunk.show, chunk, function(view)
        kept = view
        assert(not fails, "it fails")
      end)
      assert.equal(not fails, fine)
      assert.is_true(fine or tostring(why):find("it fails", 1, true) ~= nil)
      assert.has_error(function() kept:size() end, "attempt to use a closed view")
    end
    assert.equal(1, chunk:count())
  end)

  it("that is closed while it is shown is there until the function returns", function()
    local chunk, before, after = chunk_of "a", nil, nil
    chunk:show(function(view)
      before = view:size()
      chunk:close()
      after = view:size()
    end)
    assert.equal(before, after)
    assert.has_error(function() chunk:count() end, CLOSED)
  end)

  it("is shown to functions", function()
    assert.has_error(function() chunk_of("a"):show() end)
    assert.has_error(function() chunk_of("a"):show "print" end)
  end)

  it("is as a new one once it is emptied", function()
    local chunk = chunk_of("a", ("long"):rep(1000))
    chunk:reset()
    assert.same({ 0, 0 }, { chunk:size() })
    assert.equal(core.mirror.chunk(7):blob(), chunk:blob())
    assert.equal(1, put(chunk, "c"))
    assert.equal(chunk_of("c"):blob(), chunk:blob())
  end)
end)

describe("a list of entries that go again", function()
  teardown(world.clean)

  it("has none any more once it is emptied", function()
    local input = { path = world.file "id,email\na,a@example.org\nb,b@example.org\n" }
    local map = { { "external_id", 1 }, { "email", 2 } }
    local blob = nights.night({}, { input }, { map = map }).blobs[1]
    local night = assert(core.mirror.night { key = nights.KEY, parts = 1 })
    assert(night:chunk(blob, { { first = 1, last = 2, outcome = "open", again = true } }, 1))
    local builder = core.builder { max_member = 1000, map = map }
    local function source()
      return assert(core.source { format = "csv", path = input.path })
    end
    assert.equal("end", builder:survey(night, source(), 0, 1e6, 1))
    assert(night:merge(0))
    local payload, list = core.payload { max_members = 10, max_bytes = 1000 }, core.mirror.list()
    assert.equal("end", builder:build_again(payload, source(), night, list, 0, 1e6, 1))
    assert.same({ { 1, 1 }, { 1, 2 } }, { list:numbers() })
    list:reset()
    assert.equal(0, list:count())
    assert.same({ {}, {} }, { list:numbers() })
  end)
end)
