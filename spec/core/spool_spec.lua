-- Members in a mapped file: what is kept is given back, owned by one process, and checked before it is believed.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local LUA = os.getenv "SCOPE3_LUA_BIN"
local HASH, HEADER = spool_files.HASH, spool_files.HEADER
local crc32c, header, ids, keep = spool_files.crc32c, spool_files.header, spool_files.ids, spool_files.keep
local made, mode, payload_of, record = spool_files.made, spool_files.mode, spool_files.payload_of, spool_files.record
local shell, to_u32, u32, write = spool_files.shell, spool_files.to_u32, spool_files.u32, spool_files.write

describe("a spool", function()
  after_each(world.clean)

  it("gives back what it was given, adds and removes, in order, also to the next who opens it", function()
    local path = world.path(".spool")
    local builder, payload = spooled.kit()
    for _, row in ipairs {
      { external_id = "a \"quoted\" id", email = " Jane@Example.com" }, { external_id = "gone", remove = true },
      { external_id = "gone",
        hashed_phone = HASH },
      { external_id = "u", uids = { { type = "t", value = "x" } } }, { external_id = "-1", remove = true },
    } do
      assert(builder:add(payload, row))
    end
    local spool = assert(core.spool(path))
    assert.same({ 0, HEADER, 0 }, { spool:count(), spool:bytes(), spool:damaged() })
    assert.is_true(spool:keep(payload, 1, 5))
    -- printf %s jane@example.com | openssl sha256
    local want = {
      {
        {
          externalId = "a \"quoted\" id",
          hashedEmail = "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d",
        },
        "add",
      },
      { { externalId = "gone", hashedPhone = HASH }, "add" },
      { { externalId = "u", uids = { { type = "t", value = "x" } } }, "add" },
      { { externalId = "-1" }, "remove" },
    }
    local function check(count)
      local found, bytes = {}, HEADER
      for json, operation in spooled.members(spool) do
        found[#found + 1] = { assert(cjson.decode(json)), operation }
        bytes = bytes + record(packed_lines.size(json))
      end
      assert.same(want, found)
      assert.same({ count, bytes, 0 }, { spool:count(), spool:bytes(), spool:damaged() })
    end
    check(4)
    spool:close()
    spool = assert(core.spool(path))
    check(4)
    assert.is_true(spool:keep(payload, 4, 4))
    assert.is_true(spool:keep(payload, 2, 2)) -- replaced by the third
    assert.is_true(spool:keep(payload, 5, 4))
    assert.is_true(spool:keep(payload, 6, 1000))
    want[5] = want[3]
    check(5)
    spool:close()
    spool = assert(core.spool(path))
    check(5)
  end)

  it("lays its file out as documented, under checksums that others compute too", function()
    -- RFC 3720, B.4, and the check value of the catalogue of parametrised CRCs
    assert.equal(3808858755, crc32c "123456789")
    assert.equal(2324772522, crc32c(("\0"):rep(32)))
    assert.equal(1655221059, crc32c(("\255"):rep(32)))
    local _, bytes = made("one", "-two")
    assert.equal(4096, #bytes)
    assert.equal("sc3spool", bytes:sub(1, 8))
    spool_files.little = bytes:byte(9) == 4
    assert.same({ 16909060, 3 }, { u32(bytes, 8), u32(bytes, 12) })
    local own, seed = header(bytes, 0, 2)
    assert.equal(own, bytes:sub(1, HEADER))
    local at = HEADER
    for i, packed in ipairs { packed_lines.member { id = "one", email = HASH }, packed_lines.member { id = "-two" } } do
      local size = #packed + (i == 2 and 2147483648 or 0)
      local body = to_u32(i) .. to_u32(0) .. to_u32(0) .. packed .. ("\0"):rep(-(20 + #packed) % 8)
      assert.same({ size, crc32c(to_u32(size) .. body, seed) }, { u32(bytes, at), u32(bytes, at + 4) })
      assert.equal(body, bytes:sub(at + 9, at + 8 + #body))
      at = at + 8 + #body
    end
    assert.equal(("\0"):rep(4096 - at), bytes:sub(at + 1))
  end)

  it("is owned by one, here and in other processes, until that one closes it or dies", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    local function theirs()
      return shell(("%s spec/support/spooled.lua open %s"):format(LUA, path))
    end
    local nothing, message, code = core.spool(path)
    assert.same({ "nil", "the spool is in use", "locked" }, { type(nothing), message, code })
    assert.equal("locked\n", theirs())
    keep(spool, "a")
    assert.equal("locked\n", theirs())
    spool:close()
    assert.equal("opened\n", theirs())
    spool = assert(core.spool(path))
    assert.equal(1, spool:count())
    spool = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert(core.spool(path)):close()
  end)

  it("is readable by its owner alone, whatever the umask, and whatever its mode was", function()
    for _, umask in ipairs { "000", "022", "0777" } do
      local path = world.path(".spool")
      assert.equal("opened\n", shell(("umask %s; %s spec/support/spooled.lua open %s"):format(umask, LUA, path)))
      assert.equal("-rw-------", mode(path), umask)
    end
    local path = made("a")
    os.execute("chmod 0664 " .. path)
    local spool = assert(core.spool(path))
    assert.same({ "-rw-------", 1 }, { mode(path), spool:count() })
    spool:close()
  end)

  it("passes over a member of which a byte is not as it was written, and says how much could not be read", function()
    local names = { "first", "-second", "third", "fourth", "-fifth" }
    local path, bytes = made(unpack(names))
    local spool = assert(core.spool(path))
    local whole, ends, used = spooled.read(spool), {}, spool:bytes()
    spool:close()
    local at = HEADER
    for i, member in ipairs(whole) do
      at = at + record(packed_lines.size(member[3]))
      ends[i] = at
    end
    assert.equal(used, at)
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local function check(damaged, offset)
      local where = ("byte %d changed, seed %d"):format(offset, seed)
      write(path, damaged)
      local result, message = core.spool(path, { capacity = 4096 })
      if offset < 24 then
        assert.is_nil(result, where)
        assert.truthy(message:find("^the file is "), message)
        assert.equal(damaged, world.read(path), where)
        return
      end
      assert(result, message)
      local hit, want, hole = nil, {}, 0 -- the member that is damaged, and what is left
      for i, member in ipairs(whole) do
        if offset >= (ends[i - 1] or HEADER) and offset < ends[i] then
          hit, hole = i, ends[i] - (ends[i - 1] or HEADER)
        else
          want[#want + 1] = member
        end
      end
      local found = spooled.read(result)
      assert.same(want, found, where)
      assert.same({ #want, hit and 1 or 0 }, { result:count(), result:lost() }, where)
      local last = #(damaged:gsub("%z+$", ""))
      local where_it_ends = hit == #whole and ends[hit - 1] or used
      local bad = offset < HEADER and 8 or hit and hit < #whole and hole or last - where_it_ends
      assert.same({ where_it_ends, bad }, { result:bytes(), result:damaged() }, where)
      assert.is_true(result:damaged() > 0)
      -- What is kept from here on stands behind what could be read.
      keep(result, "new")
      result:close()
      result = assert(core.spool(path))
      found = ids(result)
      assert.same({ #want + 1, "new", hit and hit < #whole and hole or 0, hit and 1 or 0 },
        { #found, found[#found], result:damaged(), result:lost() }, where)
      result:close()
    end
    for offset = 0, used + 15 do
      local byte = bytes:byte(offset + 1)
      for _, other in ipairs { (byte + 2 ^ math.random(0, 7)) % 256, (byte + math.random(255)) % 256 } do
        check(bytes:sub(1, offset) .. string.char(other) .. bytes:sub(offset + 2), offset)
      end
    end
  end)

  it("gives no member that was not kept, however much of its file was changed or cut off", function()
    local path, bytes = made("first", "-second", "third", "fourth", "-fifth", "sixth")
    local spool = assert(core.spool(path))
    local kept, used = {}, spool:bytes()
    for _, member in ipairs(spooled.read(spool)) do
      kept[member[2] .. member[3]] = true
    end
    spool:close()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    for round = 1, world.thorough and 2000 or 300 do
      local changed = bytes
      if round % 2 == 0 then
        changed = bytes:sub(1, math.random(0, used + 20))
      end
      for _ = 1, math.random(0, 4) do -- pieces of the file come to lie elsewhere, as torn pages would
        local from, to, n = math.random(HEADER, used), math.random(HEADER, used), math.random(64)
        changed = changed:sub(1, to) .. bytes:sub(from, from + n - 1) .. changed:sub(to + n + 1)
      end
      write(path, changed)
      local result, message = core.spool(path, { capacity = 4096 })
      local where = ("seed %d, round %d"):format(seed, round)
      if not result then
        assert.is_true(changed:sub(1, HEADER) ~= bytes:sub(1, HEADER), where)
        assert.truthy(message:find("^the file is "), message)
      else
        -- pieces that are moved may put a whole record elsewhere: still one that was kept
        for _, member in ipairs(spooled.read(result)) do
          assert.is_true(kept[member[2] .. member[3]], where)
        end
        result:close()
      end
    end
  end)

  it("counts what others made unreadable meanwhile", function()
    local path = made("a", "b", "c")
    local spool = assert(core.spool(path))
    local file = assert(io.open(path, "r+b"))
    file:seek("set", spool_files.place_of(world.read(path), "b") - 1)
    file:write("x")
    file:close()
    assert.same({ "a", "c" }, ids(spool))
    assert.same({ 2, 1, true }, { spool:count(), spool:lost(), spool:damaged() > 0 })
    keep(spool, "d")
    spool:close()
    spool = assert(core.spool(path))
    assert.same({ "a", "c", "d" }, ids(spool))
  end)
end)

describe("misuse of a spool", function()
  after_each(world.clean)

  it("raises", function()
    local path = world.path(".spool")
    for _, misuse in ipairs {
      function() core.spool() end, function() core.spool({}) end, function() core.spool("a\0b") end,
      function() core.spool(path, 5) end, function() core.spool(path, { capacity = "much" }) end,
      function() core.spool(path, { capacity = 4095 }) end, function() core.spool(path, { capacity = 2 ^ 32 }) end,
      function() core.spool(path, { capacity = 0 / 0 }) end, function() core.spool(path, { size = 1 }) end,
    } do
      assert.has_error(misuse)
    end
    assert.is_nil((io.open(path)))
    local spool = assert(core.spool(path, {}))
    local payload = payload_of("a")
    for _, misuse in ipairs {
      function() spool:keep() end, function() spool:keep({}, 1, 1) end,
      function() spool:keep(payload) end, function() spool:keep(payload, 0, 1) end,
      function() spool:keep(payload, 1, 0) end, function() spool:keep(payload, 0 / 0, 1) end,
      function() spool:keep(payload, 1, 1, -1) end, function() spool:keep(payload, 1, 1, 2 ^ 54) end,
      function() spool:keep(payload, 1, 1, 0 / 0) end, function() spool:release() end,
      function() spool:release(-1) end, function() spool:reader()(payload, 1, 0) end,
      function() spool:reader()({}) end, function() spool:keep(payload, 1, 2 ^ 40) end,
      function() spool.keep(payload, payload, 1, 1) end,
      function() spool.count() end, function() spool.reader(payload) end,
    } do
      assert.has_error(misuse)
    end
    assert.equal(0, spool:count())
    payload:close()
    assert.has_error(function() spool:keep(payload, 1, 1) end, "attempt to use a closed payload")
    local reader = spool:reader()
    spool:close()
    spool:close()
    local methods = {
      "keep", "reader", "release", "last", "lost", "count", "bytes", "damaged", "reset", "remove",
    }
    for _, name in ipairs(methods) do
      assert.has_error(function() spool[name](spool, payload_of("a"), 1, 1) end, "attempt to use a closed spool")
    end
    assert.has_error(reader, "attempt to use a closed spool")
  end)
end)
