-- A spool without room, on a full disk, or under the name of a file that is something else.
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local LUA = os.getenv "SCOPE3_LUA_BIN"
local HEADER, STEP = spool_files.HEADER, spool_files.STEP
local header, ids, keep, made = spool_files.header, spool_files.ids, spool_files.keep, spool_files.made
local mode, payload_of, shell, to_u32 = spool_files.mode, spool_files.payload_of, spool_files.shell, spool_files.to_u32
local write = spool_files.write

describe("a spool at its limits", function()
  after_each(world.clean)

  it("takes all members of a range or, when it is full, none", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path, { capacity = 4096 }))
    local payload = payload_of("a", "b", "c", "-d")
    local removal = spool_files.record(packed_lines.size '{"externalId":"-d"}')
    for _ = 1, 3 do
      assert.is_true(spool:keep(payload, 4, 4))
    end
    local n, all, before = 3, nil, spool:bytes()
    while true do
      local ok, why = spool:keep(payload, 1, 4)
      if not ok then
        assert.equal("full", why)
        break
      end
      n = n + 4
      all = all or spool:bytes() - before
    end
    assert.equal(n, spool:count())
    local room = 4096 - spool:bytes()
    assert.is_true(room >= removal and room < all, "the removal fits, all do not")
    assert.same({ nil, "full" }, { spool:keep(payload, 1, 4) })
    assert.is_true(spool:keep(payload, 4, 4))
    while spool:keep(payload, 4, 4) do
      n = n + 1
    end
    n = n + 1
    assert.is_true(4096 - spool:bytes() < removal)
    spool:close()
    spool = assert(core.spool(path, { capacity = 4096 }))
    assert.same({ n, 4096, 0 }, { spool:count(), #world.read(path), spool:damaged() })
    assert.same({ nil, "full" }, { spool:keep(payload, 4, 4) })
    spool:close()
    -- A larger capacity from then on, and a smaller one than the file has.
    spool = assert(core.spool(path, { capacity = 5001 }))
    while spool:keep(payload, 4, 4) do
      n = n + 1
    end
    assert.is_true(spool:bytes() > 4096 and spool:bytes() <= 5001)
    spool:close()
    spool = assert(core.spool(path, { capacity = 4096 }))
    assert.same({ n, 5001, 0 }, { spool:count(), #world.read(path), spool:damaged() })
    assert.same({ nil, "full" }, { spool:keep(payload, 4, 4) })
    assert.is_true(spool:reset())
    assert.is_true(spool:keep(payload, 1, 4))
    assert.same({ "a", "b", "c", "-d" }, ids(spool))
  end)

  it("answers a limit of the process on files with an error, and is not killed by it", function()
    local path = world.path(".spool")
    -- 512 bytes a block in POSIX, 1024 in some shells.
    -- A build for coverage writes files at its end, or says on standard error that it cannot: neither is ours.
    local limited = "export GCOV_PREFIX=/dev/null; exec 2>/dev/null; ulimit -f %d; "
      .. LUA .. " spec/support/spooled.lua fill %s; echo $?"
    local out = shell(limited:format(7000, path))
    local count, why, code = out:match("^(%d+)\t([^\n]+)\n(%d+)\n$")
    assert.truthy(count, out)
    assert.same({ "0", "File too large" }, { code, why })
    local spool = assert(core.spool(path))
    assert.same({ tonumber(count), 0 }, { spool:count(), spool:damaged() })
    assert.is_true(spool:bytes() > 2 * STEP)
    -- Not even its first step fits.
    out = shell(limited:format(1, world.path(".spool")))
    assert.equal("0\tFile too large\n0\n", out)
  end)

  it("answers a full disk with an error, loses nothing, and touches no page that has no room", function()
    local folder = world.path(".disk")
    local script = world.file(([[
      mkdir -p %s && mount -t tmpfs -o size=2560k none %s && cd %s || exit 77
      spooled="%s $OLDPWD/spec/support/spooled.lua"
      (cd "$OLDPWD" && $spooled fill %s/a.spool || echo "ended with $?")
      (cd "$OLDPWD" && $spooled open %s/a.spool)
      rm a.spool
      # A copy with holes, and no room to fill them.
      (cd "$OLDPWD" && %s -e 'local s = assert(require("scope3.core").spool "%s/b.spool") s:close()')
      cp --sparse=always b.spool c.spool && rm b.spool
      dd if=/dev/zero of=filler bs=4k >/dev/null 2>&1
      (cd "$OLDPWD" && $spooled fill %s/c.spool; echo $?)
      exit 0
    ]]):format(folder, folder, folder, LUA, folder, folder, LUA, folder, folder), ".sh")
    local out = shell(("unshare -m sh %s 2>/dev/null || unshare -rm sh %s 2>/dev/null || echo no"):format(script,
      script))
    os.remove(folder)
    if out:find("no\n$") then
      return pending("no file system can be mounted here")
    end
    local count, why, rest = out:match("^(%d+)\t([^\n]+)\n(.*)$")
    assert.equal("No space left on device", why, out)
    assert.is_true(tonumber(count) > 1900, count) -- two of the two and a half MiB
    assert.equal("opened\n0\tNo space left on device\n0\n", rest)
  end)
end)

describe("a file of that name", function()
  after_each(world.clean)

  it("that is no spool, or one of another kind, is refused and left as it is", function()
    local _, own = made("a", "b")
    spool_files.little = own:byte(9) == 4
    local swapped = own:sub(1, 8) .. own:sub(9, 12):reverse() .. own:sub(13)
    for _, case in ipairs {
      { "a", "not a spool" }, { "external_id,email\n1,a@b.example\n", "not a spool" },
      { ("x"):rep(100000), "not a spool" }, { own:sub(1, 39), "not a spool" },
      { ("\0"):rep(5000) .. "x", "not a spool" }, { "SC3SPOOL" .. own:sub(9), "not a spool" },
      { own:sub(1, 12) .. to_u32(2) .. own:sub(17), -- members were kept as JSON
        "another version of this library: let that one send its members, or remove the file" },
      { own:sub(1, 12) .. to_u32(4) .. own:sub(17), "another version" }, { swapped, "another byte order" },
      { own:sub(1, 16) .. to_u32(0) .. own:sub(21), "damaged header" },
      { own:sub(1, 20) .. "x" .. own:sub(22), "damaged header" },
    } do
      local path = world.file(case[1], ".spool")
      os.execute("chmod 0644 " .. path)
      local result, message, code = core.spool(path)
      assert.same({ "nil", "unreadable" }, { type(result), code })
      assert.truthy(message:find(case[2], 1, true), message)
      assert.equal(case[1], world.read(path))
      assert.equal("-rw-r--r--", mode(path))
    end
  end)

  it("that is a link, a folder, a pipe or out of reach is refused", function()
    local target = made("a")
    local link, pipe = world.path(".spool"), world.path(".spool")
    os.execute(("ln -s %s %s; mkfifo %s"):format(target, link, pipe))
    for i, path in ipairs { link, "/", "/tmp/", world.path "/none/x.spool", pipe } do
      local result, message, code = core.spool(path)
      local word = i == 5 and "unreadable" or nil -- the others the system refuses
      assert.same({ "nil", "string", word }, { type(result), type(message), code }, path)
    end
  end)

  it("that is empty, or was left before it was begun, becomes a spool", function()
    local _, own = made("a")
    local fresh = header(own, 0) .. ("\0"):rep(8192 - HEADER)
    for _, bytes in ipairs {
      "", "\0", ("\0"):rep(HEADER), ("\0"):rep(STEP * 2), ("\0"):rep(8) .. fresh:sub(9),
      "sc3s" .. ("\0"):rep(4) .. fresh:sub(9), ("\0"):rep(12) .. fresh:sub(13),
    } do
      local path = world.file(bytes, ".spool")
      local spool, message = core.spool(path)
      assert(spool, message)
      keep(spool, "a")
      spool:close()
      spool = assert(core.spool(path))
      assert.same({ "a" }, ids(spool))
      assert.same({ "-rw-------", 0 }, { mode(path), spool:damaged() })
      spool:close()
    end
  end)

  it("that was removed or cut short is noticed when the spool is emptied or grows", function()
    local builder, large = spooled.kit()
    builder:add(large, { external_id = "1", uids = { { type = "t", value = ("x"):rep(99000) } } })
    for _, harm in ipairs { { "rm %s", "removed" }, { ": >%s", "cut short" } } do
      local path = world.path(".spool")
      local spool = assert(core.spool(path))
      keep(spool, "a")
      for _ = 1, 10 do
        assert.is_true(spool:keep(large, 1, 1))
      end
      os.execute(harm[1]:format(path))
      local ok, message = spool:keep(large, 1, 1)
      assert.is_nil(ok)
      assert.truthy(message:find(harm[2], 1, true), message)
      ok, message = spool:reset()
      assert.is_nil(ok)
      assert.truthy(message:find(harm[2], 1, true), message)
      assert.is_true(spool:remove())
      assert.is_nil((io.open(path)))
      assert.has_error(function() spool:count() end, "attempt to use a closed spool")
      -- A new one in its place is nobody's.
      spool = assert(core.spool(path))
      assert.equal(0, spool:count())
      assert.is_true(spool:remove())
    end
  end)

  it("is removed with the spool, but not when it is another's by now", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    keep(spool, "a")
    assert.is_true(spool:remove())
    assert.is_nil((io.open(path)))
    spool = assert(core.spool(path))
    keep(spool, "b")
    local moved = world.path(".moved")
    os.rename(path, moved)
    write(path, "another's")
    assert.is_true(spool:remove())
    assert.equal("another's", world.read(path))
    spool = assert(core.spool(moved))
    assert.equal(0, spool:count()) -- what was to be removed is not sent by who finds it under another name
  end)

  it("is never two processes' at once, also when they remove it all the time", function()
    local path, seed = world.path(".spool"), require "spec.support.seed"
    local pipes, times = {}, world.thorough and 2000 or 200
    for i = 1, 3 do
      pipes[i] = assert(io.popen(("%s spec/support/spooled.lua share %s %d %d"):format(LUA, path, times, seed + i)))
    end
    local total = 0
    for i = 1, 3 do
      total = total + assert(tonumber(pipes[i]:read("*a")), "a process failed, seed " .. seed)
      pipes[i]:close()
    end
    local spool = assert(core.spool(path))
    assert.equal(3 * times, total + spool:count(), "seed " .. seed)
  end)
end)
