-- A spool whose process is killed or forks: it has all of a keep or none of it.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local LUA = os.getenv "SCOPE3_LUA_BIN"
local ids, keep, payload_of, shell = spool_files.ids, spool_files.keep, spool_files.payload_of, spool_files.shell

describe("a spool whose process", function()
  local fork

  setup(function()
    fork = compile.fork()
  end)

  after_each(world.clean)

  -- A spool whose owner is dying: the lock may outlive its pipe for a moment.
  local function adopt(path)
    local deadline = core.now() + 60
    while true do
      local spool, message, locked = core.spool(path)
      if spool then
        return spool
      end
      assert(locked and core.now() < deadline, message)
    end
  end

  it("is killed at any moment has every batch that it was told is kept, whole, and nothing else", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local kills, batches = 0, 0
    for _, every in ipairs { 3, 50, 20000 } do
      local path = world.path(".spool")
      for round = 1, world.thorough and 30 or 6 do
        local where = ("seed %d, emptied every %d batches, kill %d"):format(seed, every, round)
        local pipe = assert(io.popen(("echo $$; exec %s spec/support/spooled.lua append %s %d 2>&1"):format(LUA, path,
          every)))
        local pid = pipe:read("*l")
        assert.equal("go", pipe:read("*l"), where)
        assert.same({ nil, "locked" }, { (core.spool(path)), (select(3, core.spool(path))) })
        core.sleep(math.random() * 0.03)
        os.execute("kill -9 " .. pid)
        local told = 0
        for line in pipe:lines() do
          told = assert(tonumber(line), line)
        end
        pipe:close()
        local spool, acks = adopt(path), adopt(path .. ".acks")
        local kept = acks:count()
        where = ("%s: told %d, kept %d, found %d members in %d bytes, %d damaged"):format(where, told, kept,
          spool:count(), spool:bytes(), spool:damaged())
        local first, last = spooled.batches(spool)
        assert.is_true(kept >= told, where)
        if last then
          assert.is_true(last == kept or last == kept + 1, where)
          assert.equal(math.floor((last - 1) / every) * every + 1, first, where)
        else
          assert.equal(0, kept % every, where)
        end
        -- no more than the append that was under way
        assert.is_true(acks:damaged() <= 32 and spool:damaged() <= 320, where)
        spool:close()
        acks:close()
        kills, batches = kills + 1, kept
      end
      assert.is_true(batches > 0, "seed " .. seed)
      os.remove(path .. ".acks")
    end
    print(("   %d kills, seed %d; the last process chain kept %d batches"):format(kills, seed, batches))
  end)

  it("is killed at any instruction has all of a keep or none of it, and after a reset nothing", function()
    if not world.thorough then
      return -- it looks at the C code alone, which is the same for every Lua
    end
    local program = compile.program("-Wl,-z,now spec/support/spool_steps.c csrc/core/files/spool*.c "
      .. "csrc/core/bytes/crc32c.c "
      .. "csrc/core/files/fork_mark.c "
      .. "csrc/core/members/fingerprint.c csrc/core/bytes/bignum.c csrc/core/bytes/random.c "
      .. "csrc/core/members/payload.c csrc/core/members/lines.c csrc/core/members/packed.c "
      .. "csrc/core/bytes/utf8.c csrc/core/bytes/buffer.c "
      .. "csrc/core/bytes/sha256*.c")
    local folder = world.path(".steps")
    os.execute("mkdir " .. folder)
    local out = shell(("%s %s 2>&1; echo $?"):format(program, folder))
    os.execute("rm -rf " .. folder)
    local code = out:match("(%d+)\n$")
    if code == "77" then
      return pending("one process may not trace another here")
    end
    assert.equal("0", code, out)
    assert.equal(7, select(2, out:gsub("instructions", "")), out)
  end)

  it("forks still owns it, and the child can neither change nor read nor remove it", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    keep(spool, "a")
    local reading = spool:reader()
    local payload = payload_of("b")
    local FORKED = "the spool belongs to the parent process"
    assert.equal(42, fork(function()
      assert.same({ nil, FORKED }, { spool:keep(payload, 1, 1) })
      assert.same({ nil, FORKED }, { spool:reset() })
      assert.same({ nil, FORKED }, { spool:remove() })
      assert.equal(1, spool:count())
      assert.has_error(reading, FORKED)
      assert.has_error(spool:reader(), FORKED)
      spool:close()
      assert.has_error(function() spool:count() end, "attempt to use a closed spool")
      assert.same({ nil, "locked" }, { (core.spool(path)), (select(3, core.spool(path))) })
      -- One of its own is its own.
      local own = assert(core.spool(path .. ".child"))
      keep(own, "c")
      assert.is_true(own:remove())
      return 42
    end))
    assert.equal("locked", (select(3, core.spool(path))))
    assert.is_true(spool:keep(payload, 1, 1))
    assert.same({ "a", "b" }, ids(spool))
    -- A child that lives on without closing it holds its lock beyond the parent's close, and only that long.
    assert.equal(0, fork(function()
      return 0
    end))
    spool:close()
    spool = assert(core.spool(path))
    assert.same({ "a", "b" }, ids(spool))
  end)
end)
