-- The readings and releases of a spool belong to the process that opened it.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

describe("a spool in the child of a fork", function()
  after_each(world.clean)

  it("neither gives its members to a payload nor releases them", function()
    local fork = compile.fork()
    local spool = assert(core.spool(world.path ".spool"))
    spool_files.keep(spool, "a")
    local read, next_entry, lines = spool:reader(), spool:entries("own", 10, 10000, 10000), core.lines()
    local payload = core.payload { max_members = 10, max_bytes = 10000 }
    assert.equal(7, fork(function()
      assert.has_error(function() read(payload) end, "the spool belongs to the parent process")
      assert.has_error(function() read() end, "the spool belongs to the parent process")
      assert.has_error(function() next_entry(lines) end, "the spool belongs to the parent process")
      assert.same({ nil, "the spool belongs to the parent process" }, { spool:release(1) })
      assert.same({ nil, "the spool belongs to the parent process" }, { spool:rename(world.path ".spool") })
      spool:trim() -- not its file
      spool:unload() -- of the pages only its own memory
      return 7
    end))
    assert.equal(1, (read(payload)))
    assert.same({ 0, 1, 0 }, { next_entry(lines) })
    assert.is_true(spool:release(1))
    assert.equal(0, spool:count())
    spool:close()
  end)
end)

describe("a spool", function()
  after_each(world.clean)

  it("keeps nothing under a label that is longer than a label may be", function()
    local spool = assert(core.spool(world.path ".spool"))
    local payload = spool_files.payload_of "a"
    assert.has_error(function()
      spool:keep(payload, 1, 1, 1, ("l"):rep(65536))
    end)
    assert.equal(0, spool:count())
    assert.is_true(spool:keep(payload, 1, 1, 1, ("l"):rep(65535)))
    spool:close()
  end)
end)
