-- A state that is only read: who is in it, beside a process that has it, and nothing is written.
local found = pcall(require, "scope3.state")
if not found then
  return -- a build without SQLite
end

local core = require "scope3.core"
local members = require "scope3.mirror.members"
local peopled = require "spec.support.peopled"
local seed = require "spec.support.seed"
local states = require "spec.support.states"
local store = require "scope3.mirror.store"
local world = require "spec.support.world"

local USUAL = {
  ann = "kk 1795000000 nil", bob = "o- 1795000000 nil", ["cy,d"] = "-k 1795000000 nil", dee = "ku 1795000000 nil",
  eve = "o- nil nil", fay = "-- nil rejected",
}

local function read(path)
  return store.open(path, nil, { read_only = true })
end

describe("a state that is read", function()
  setup(function()
    math.randomseed(seed)
    print("   seed " .. seed)
  end)
  teardown(world.clean)

  it("says what it belongs to, and who is in it, also of some only", function()
    local path = states.path()
    peopled.usual(path):close()
    local kept = assert(read(path))
    assert.same(states.ABOUT, kept.about)
    assert.same(USUAL, peopled.all(kept))
    local function hash(id)
      return core.mirror.key_hash(kept.key, id)
    end
    assert.same({ dee = USUAL.dee, fay = USUAL.fay }, peopled.all(kept, { hash "dee", hash "fay", hash "nobody" }))
    assert.same({}, peopled.all(kept, {}))
    local reading = assert(members.open(kept))
    assert.same({ people = 6, rejected = 1, refused = 0, { known = 2, unsure = 0, open = 2 },
      { known = 2, unsure = 1, open = 0 } }, reading:count())
    reading:close()
    reading:close()
    assert.is_nil(reading:next())
    kept:close()
  end)

  it("is as it was, to the byte, with nothing beside it", function()
    local path = states.path()
    peopled.usual(path):close()
    local before = world.read(path)
    local kept = assert(read(path))
    assert.same(USUAL, peopled.all(kept))
    kept:close()
    assert.is_true(before == world.read(path))
    for _, suffix in ipairs { "-wal", "-shm", "-lock", "-journal" } do
      assert.is_false(world.exists(path .. suffix), suffix)
    end
  end)

  it("is read beside the process that writes it, as it was when it was opened", function()
    local path = states.path()
    local writer, run = peopled.usual(path)
    local kept = assert(read(path))
    local beside = assert(read(path))
    peopled.cut(writer, run, { { "remove", 1, "ann" }, { "add", 0, "gus" } }, "completed")
    assert(writer:ended(run, 1, "completed", 1795086500))
    assert(peopled.fold(writer, 4))
    assert.same(USUAL, peopled.all(kept))
    assert.same(2, #assert(kept:runs()))
    local later = assert(read(path))
    assert.same({ ann = "k- 1795000000 nil", ["cy,d"] = USUAL["cy,d"], dee = USUAL.dee, eve = "k- 1795086400 nil",
      fay = USUAL.fay, gus = "k- 1795086400 nil" }, peopled.all(later))
    for _, one in ipairs { kept, beside, later } do
      one:close()
    end
    assert.is_true(world.exists(path .. "-lock")) -- the writer has it as before
    peopled.cut(writer, run, { { "add", 1, "hal" } }, "completed")
    writer:close()
    assert.is_false(world.exists(path .. "-wal"))
  end)

  it("is read where its process was killed, and its log stays as it was", function()
    local path, copy = states.path(), states.path()
    local writer = peopled.usual(path)
    for _, suffix in ipairs { "", "-wal" } do -- a process that is gone leaves these
      world.write(copy .. suffix, world.read(path .. suffix))
      os.execute(("chmod 600 '%s%s'"):format(copy, suffix))
    end
    writer:close()
    local file, log = world.read(copy), world.read(copy .. "-wal")
    assert.is_true(#log > 0)
    local kept = assert(read(copy))
    assert.same(USUAL, peopled.all(kept))
    kept:close()
    assert.is_true(file == world.read(copy))
    assert.is_true(log == world.read(copy .. "-wal"))
    kept = assert(states.open(copy))
    assert.same(USUAL, peopled.all(kept))
    kept:close()
  end)

  it("is read in the middle of a fold", function()
    for stop_at = 0, 7 do
      local path = states.path()
      local kept, run = peopled.usual(path)
      assert(kept:ended(run, 1, "completed", 1795086500))
      peopled.cut(kept, run, { { "add", 0, "gus" }, { "remove", 1, "ann" } }, "completed")
      local last = peopled.cut(kept, run, { { "add", 1, "eve" } }, "accepted")
      local wanted = peopled.all(kept)
      assert.equal("stopped", select(2, peopled.fold(kept, last - 1, stop_at)))
      assert.same(wanted, peopled.all(kept))
      kept:close()
      kept = assert(read(path))
      assert.same(wanted, peopled.all(kept))
      kept:close()
    end
  end)

  it("cannot be written", function()
    local path = states.path()
    peopled.usual(path):close()
    local before = world.read(path)
    local kept = assert(read(path))
    local n, err = kept:cut(2, 9, "x")
    assert.same({ nil, "journal" }, { n, err.kind })
    n, err = kept:end_run(2, 5, {})
    assert.same({ nil, "journal" }, { n, err.kind })
    kept:close()
    assert.is_true(before == world.read(path))
  end)

  it("is not there, is another's to open, or is no state: with the code for it", function()
    local path = states.path()
    assert.equal("missing", select(2, read(path)).code)
    assert.is_false(world.exists(path) or world.exists(path .. "-lock"))
    world.write(path, "")
    assert.equal("unsafe", select(2, read(path)).code)
    os.execute(("chmod 600 '%s'"):format(path))
    assert.equal("foreign", select(2, read(path)).code)
    world.write(path, ("a,b\n"):rep(9000))
    assert.equal("foreign", select(2, read(path)).code)
    path = states.path()
    peopled.usual(path):close()
    world.write(path .. "-wal", "")
    os.execute(("chmod 640 '%s-wal'"):format(path))
    assert.equal("unsafe", select(2, read(path)).code)
  end)

  it("says that it is damaged, each time it is asked", function()
    local path = states.path()
    local kept, run = peopled.usual(path)
    assert(kept:cut(run, 0, "no chunk"))
    local reading = assert(members.open(kept))
    for _ = 1, 2 do
      local id, err = reading:next()
      assert.same({ nil, "damaged" }, { id, err.code })
      id, err = reading:count()
      assert.same({ nil, "damaged" }, { id, err.code })
    end
    reading:close()
    kept:close()
  end)
end)
