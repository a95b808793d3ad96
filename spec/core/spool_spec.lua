-- Members in a mapped file: there after kill -9, owned by one, never mixed with what was emptied.
local cjson = require("cjson.safe").new()
local compile = require "spec.support.compile"
local core = require "scope3.core"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local LUA = os.getenv "SCOPE3_LUA_BIN"
local HASH = ("0123456789abcdef"):rep(4)
local HEADER, STEP, FIRST = 40, 1048576, 65536

-- Bytes of the record of a member.
local function record(n)
  return math.ceil((20 + n) / 8) * 8
end

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local function mode(path)
  return shell("ls -ld '" .. path .. "'"):sub(1, 10)
end

-- A payload of these ids; one that starts with "-" is a removal.
local function payload_of(...)
  local builder, payload = spooled.kit()
  for _, id in ipairs { ... } do
    local remove = id:sub(1, 1) == "-"
    assert(builder:add(payload, { external_id = id, remove = remove, hashed_email = not remove and HASH or nil }))
  end
  return payload
end

local function keep(spool, ...)
  return assert(spool:keep(payload_of(...), 1, select("#", ...)))
end

local function ids(spool)
  local found = {}
  for i, member in ipairs(spooled.read(spool)) do
    found[i] = member[1]
  end
  return found
end

-- A closed spool that holds these ids: its path and its bytes.
local function made(...)
  local path = world.path(".spool")
  local spool = assert(core.spool(path, { capacity = 4096 }))
  keep(spool, ...)
  spool:close()
  return path, world.read(path)
end

-- CRC-32C bit by bit, without bit operations, which Lua 5.1 has not. Numbers above 2^31 are exact in a double.
local function xor(a, b)
  local result, bit = 0, 1
  while a > 0 or b > 0 do
    if a % 2 ~= b % 2 then
      result = result + bit
    end
    a, b, bit = math.floor(a / 2), math.floor(b / 2), bit * 2
  end
  return result
end

local function crc32c(bytes, crc)
  crc = 4294967295 - (crc or 0)
  for i = 1, #bytes do
    crc = xor(crc, bytes:byte(i))
    for _ = 1, 8 do
      crc = crc % 2 == 1 and xor(math.floor(crc / 2), 2197175160) or math.floor(crc / 2)
    end
  end
  return 4294967295 - crc
end

local LITTLE = true -- a spool of this machine shows it

local function u32(bytes, at)
  local a, b, c, d = bytes:byte(at + 1, at + 4)
  if not LITTLE then
    a, b, c, d = d, c, b, a
  end
  return a + b * 256 + c * 65536 + d * 16777216
end

local function to_u32(n)
  local bytes = ""
  for _ = 1, 4 do
    bytes = LITTLE and bytes .. string.char(n % 256) or string.char(n % 256) .. bytes
    n = math.floor(n / 256)
  end
  return bytes
end

-- A number of the header with its check.
local function numbered(number, at, seed)
  local low, high = to_u32(number), number == 0 and to_u32(0) or to_u32(crc32c(to_u32(number) .. to_u32(at), seed))
  return LITTLE and low .. high or high .. low
end

-- The header of a generation.
local function header(bytes, generation, kept, released)
  local seed = crc32c(bytes:sub(1, 16) .. to_u32(generation))
  return bytes:sub(1, 16) .. to_u32(seed % 65536 * 65536 + generation) .. to_u32(0) .. numbered(kept or 0, 24, seed) .. numbered(released or 0, 32, seed), seed
end

describe("a spool", function()
  after_each(world.clean)

  it("gives back what it was given, adds and removes, in order, also to the next who opens it", function()
    local path = world.path(".spool")
    local builder, payload = spooled.kit()
    for _, row in ipairs { { external_id = "a \"quoted\" id", email = " Jane@Example.com" }, { external_id = "gone", remove = true }, { external_id = "gone",
      hashed_phone = HASH }, { external_id = "u", uids = { { type = "t", value = "x" } } }, { external_id = "-1", remove = true } } do
      assert(builder:add(payload, row))
    end
    local spool = assert(core.spool(path))
    assert.same({ 0, HEADER, 0 }, { spool:count(), spool:bytes(), spool:damaged() })
    assert.is_true(spool:keep(payload, 1, 5))
    -- printf %s jane@example.com | openssl sha256
    local want = {
      { { externalId = "a \"quoted\" id", hashedEmail = "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d" }, "add" },
      { { externalId = "gone", hashedPhone = HASH }, "add" },
      { { externalId = "u", uids = { { type = "t", value = "x" } } }, "add" },
      { { externalId = "-1" }, "remove" },
    }
    local function check(count)
      local found, bytes = {}, HEADER
      for json, operation in spool:members() do
        found[#found + 1] = { assert(cjson.decode(json)), operation }
        bytes = bytes + record(#json)
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
    LITTLE = bytes:byte(9) == 4
    assert.same({ 16909060, 2 }, { u32(bytes, 8), u32(bytes, 12) })
    local own, seed = header(bytes, 0, 2)
    assert.equal(own, bytes:sub(1, HEADER))
    local at = HEADER
    for i, json in ipairs { ('{"externalId":"one","hashedEmail":"%s"}'):format(HASH), '{"externalId":"-two"}' } do
      local size = #json + (json:find("-two", 1, true) and 2147483648 or 0)
      local body = to_u32(i) .. to_u32(0) .. to_u32(0) .. json .. ("\0"):rep(-(20 + #json) % 8)
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
      at = at + record(#member[3])
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
      assert.same({ #want + 1, "new", hit and hit < #whole and hole or 0, hit and 1 or 0 }, { #found, found[#found], result:damaged(), result:lost() }, where)
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
        for _, member in ipairs(spooled.read(result)) do -- pieces that are moved may put a whole record elsewhere: still one that was kept
          assert.is_true(kept[member[2] .. member[3]], where)
        end
        result:close()
      end
    end
  end)

  it("counts what somebody else made unreadable meanwhile", function()
    local path = made("a", "b", "c")
    local spool = assert(core.spool(path))
    local file = assert(io.open(path, "r+b"))
    file:seek("set", world.read(path):find('"b"', 1, true))
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

describe("a spool of which some has left", function()
  after_each(world.clean)

  it("gives to the next who opens it what has not, and counts that alone", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    keep(spool, "a", "-b", "c", "d")
    assert.same({ 4, 4 }, { spool:count(), (spool:last()) })
    assert.is_true(spool:release(2))
    assert.same({ "c", "d" }, ids(spool))
    keep(spool, "e")
    spool:close()
    for number, left in pairs { [1] = 3, [3] = 2, [4] = 1, [99] = 0 } do
      local copy = world.file(world.read(path), ".spool")
      spool = assert(core.spool(copy))
      assert.is_true(spool:release(number))
      spool:close()
      spool = assert(core.spool(copy))
      assert.same({ left, left, 0, 0, 5 }, { spool:count(), #ids(spool), spool:lost(), spool:damaged(), (spool:last()) }, number)
      keep(spool, "f")
      assert.same({ left + 1, "f", 6 }, { spool:count(), ids(spool)[left + 1], (spool:last()) })
      assert.is_true(spool:reset())
      assert.same({ 0, 0 }, { spool:count(), (spool:last()) })
      spool:close()
    end
  end)

  it("counts members as lost that were cut off or overwritten with zeros, wherever that began", function()
    local path, bytes = made("a", "b", "c", "d", "e")
    local spool = assert(core.spool(path))
    local used = spool:bytes()
    spool:close()
    local size = (used - HEADER) / 5
    for first = 0, 4 do
      for last = first, 4 do
        local from, to = HEADER + first * size, HEADER + (last + 1) * size
        local rest = 5 - (last - first + 1)
        write(path, bytes:sub(1, from) .. ("\0"):rep(to - from) .. bytes:sub(to + 1))
        spool = assert(core.spool(path))
        assert.same({ rest, rest, last - first + 1 }, { spool:count(), #ids(spool), spool:lost() })
        assert.is_true(spool:release(last + 1))
        assert.same({ 4 - last, 0 }, { spool:count(), spool:lost() })
        spool:close()
        write(path, bytes:sub(1, from)) -- all behind is gone
        spool = assert(core.spool(path, { capacity = 4096 }))
        assert.same({ first, 5 - first }, { spool:count(), spool:lost() })
        keep(spool, "new")
        spool:close()
        spool = assert(core.spool(path))
        assert.same({ first + 1, "new", 5 - first, 6 }, { spool:count(), ids(spool)[first + 1], spool:lost(), (spool:last()) })
        spool:close()
      end
    end
  end)

  it("is read into payloads in parts, in the order of stamps, with the last operation on an id", function()
    local spool = assert(core.spool(world.path(".spool")))
    for i, id in ipairs { "a", "b", "-a", "c", "a", "-b" } do
      local builder, payload = spooled.kit()
      local remove = id:sub(1, 1) == "-"
      assert(builder:add(payload, { external_id = remove and id:sub(2) or id, remove = remove, hashed_email = not remove and HASH or nil }))
      assert.is_true(spool:keep(payload, 1, 1, i * 10))
    end
    assert.same({ 6, 60 }, { spool:last() })
    local reader, payload = spool:reader(), core.payload { max_members = 2, max_bytes = 1000 }
    assert.same({ 0, 0, 10, false, 0, "" }, { reader() })
    assert.same({ 2, 2, 30, false, 0, "" }, { reader(payload, 25) })
    assert.same({ 1, 3, 40, false, 0, "" }, { reader(payload, 60, 1) })
    assert.same({ 1, 1 }, { payload:living() }) -- b, and a that is removed
    assert.same({ 0, 3, 40, true, 0, "" }, { reader(payload) })
    payload:reset()
    assert.same({ 2, 5, 60, true, 0, "" }, { reader(payload) })
    payload:reset()
    assert.same({ 1, 6, nil, false, 0, "" }, { reader(payload) })
    assert.same({ 0, 1 }, { payload:living() })
    assert.same({ 2, 6, nil, false, 4, "" }, { spool:reader()(core.payload { max_members = 9, max_bytes = 50 }) })
  end)

  it("keeps the label of each member, and reads those of one label at a time", function()
    local path, long = world.path(".spool"), ("é\0"):rep(21845):sub(1, 65535)
    local labels = { "", "one", "one", long, "", "two" }
    local spool = assert(core.spool(path))
    for i, label in ipairs(labels) do
      assert.is_true(spool:keep(payload_of(i % 2 == 0 and "-" .. i or tostring(i)), 1, 1, i, label))
    end
    spool:close()
    spool = assert(core.spool(path))
    local found = {}
    for json, op, number, _, label in spool:members() do
      assert.same({ tostring(number), number % 2 == 0 and "remove" or "add" }, { json:match '"externalId":"%-?(%d)"', op })
      assert.equal("}", json:sub(-1))
      found[number] = label
    end
    assert.same(labels, found)
    local reader, payload = spool:reader(), core.payload { max_members = 9, max_bytes = 1000 }
    assert.same({ 0, 0, 1, false, 0, "" }, { reader() })
    assert.same({ 0, 0, 1, false, 0, "" }, { reader(payload, 9, 9, "one") })
    assert.same({ 1, 1, 2, false, 0, "one" }, { reader(payload) })
    assert.same({ 2, 3, 4, false, 0, long }, { reader(payload, 9, 9, "one") })
    assert.same({ 1, 4, 5, false, 0, "" }, { reader(payload, 9, 9, long) })
    assert.same({ 1, 5, 6, false, 0, "two" }, { reader(payload, 9, 9, "") })
    assert.same({ 1, 6, nil, false, 0, "" }, { reader(payload, 9, 9, "two") })
    assert.same({ 3, 3 }, { payload:living() })
    assert.is_true(spool:release(4))
    assert.same({ 2, 0, 0 }, { spool:count(), spool:lost(), spool:damaged() })
    assert.has_error(function()
      spool:keep(payload, 1, 1, 9, long .. "x")
    end)
  end)

  it("loses one member by one flipped bit of it or its label, and no other", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    for i, label in ipairs { "first", "second", "third" } do
      assert.is_true(spool:keep(payload_of(tostring(i)), 1, 1, i, label))
    end
    local stop = spool:bytes()
    spool:close()
    local bytes = world.read(path)
    local at = assert(bytes:find("second", 1, true))
    for place = at - 40, at + 6, 6 do
      local byte = bytes:byte(place)
      write(path, bytes:sub(1, place - 1) .. string.char((byte + 4) % 256) .. bytes:sub(place + 1))
      spool = assert(core.spool(path))
      local found = {}
      for _, _, _, _, label in spool:members() do
        found[#found + 1] = label
      end
      assert.is_true(place < stop)
      assert.same({ "first third", 1 }, { table.concat(found, " "), spool:lost() }, "byte " .. place)
      spool:close()
    end
  end)

  it("never gives a stamp that is less than the one before, whatever clock it came from", function()
    local spool = assert(core.spool(world.path(".spool")))
    local payload = payload_of("a")
    for _, stamp in ipairs { 5, 3, 2 ^ 53, 0 } do
      assert.is_true(spool:keep(payload, 1, 1, stamp))
    end
    local stamps = {}
    for _, _, number, stamp in spool:members() do
      stamps[number] = stamp
    end
    assert.same({ 5, 5, 2 ^ 53, 2 ^ 53 }, stamps)
  end)
end)

describe("a spool that is emptied", function()
  after_each(world.clean)

  it("never gives an old member again, and keeps none of its bytes", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    for round = 1, 5 do
      keep(spool, "old-1", "old-2", "-old-3", "old-4")
      assert.is_true(spool:reset())
      assert.same({ 0, HEADER, 0, 0 }, { spool:count(), spool:bytes(), spool:damaged(), #spooled.read(spool) })
      assert.is_nil(world.read(path):find("old", 1, true))
      if round % 2 == 0 then
        keep(spool, "new-" .. round)
        assert.same({ "new-" .. round }, ids(spool))
        spool:close()
        spool = assert(core.spool(path))
        assert.same({ "new-" .. round }, ids(spool))
        assert.equal(0, spool:damaged())
        assert.is_true(spool:reset())
      end
    end
  end)

  it("takes no record of an earlier generation for its own, wherever one lies", function()
    local path, old = made("a", "-b", "c")
    local spool = assert(core.spool(path, { capacity = 4096 }))
    assert.is_true(spool:reset())
    keep(spool, "x") -- as long as "a"
    local used = spool:bytes()
    spool:close()
    local new = world.read(path)
    -- What a machine without power may leave: the new header before old records, and new records before old ones.
    for _, cut in ipairs { HEADER, used } do
      write(path, new:sub(1, cut) .. old:sub(cut + 1))
      spool = assert(core.spool(path, { capacity = 4096 }))
      assert.same({ cut == used and { "x" } or {}, true }, { ids(spool), spool:damaged() > 0 })
      keep(spool, "y")
      spool:close()
      spool = assert(core.spool(path))
      assert.same(cut == used and { "x", "y" } or { "y" }, ids(spool))
      spool:close()
    end
  end)

  it("is empty and finished by the next one when it was left half way", function()
    local path, bytes = made("a", "-b", "c")
    write(path, header(bytes, 1) .. bytes:sub(HEADER + 1))
    local spool = assert(core.spool(path, { capacity = 4096 }))
    assert.same({ 0, 0 }, { spool:count(), spool:damaged() })
    keep(spool, "d")
    spool:close()
    spool = assert(core.spool(path))
    assert.same({ "d" }, ids(spool))
    spool:close()
    local after = world.read(path)
    assert.equal(header(bytes, 2, 1), after:sub(1, HEADER))
    assert.is_nil(after:find('"a"', 1, true))
  end)

  it("begins its generations again when there are no more, with nothing of the first left", function()
    local path, bytes = made("a")
    write(path, header(bytes, 65534) .. ("\0"):rep(4096 - HEADER))
    local spool = assert(core.spool(path, { capacity = 4096 }))
    keep(spool, "b")
    assert.is_true(spool:reset())
    keep(spool, "c")
    spool:close()
    assert.equal(header(bytes, 0, 1), world.read(path):sub(1, HEADER))
    spool = assert(core.spool(path))
    assert.same({ "c" }, ids(spool))
  end)

  it("gives back the disk that it took, and can take it again", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    local builder, payload = spooled.kit()
    for i = 1, 500 do
      builder:add(payload, { external_id = ("%d"):format(i), uids = { { type = "t", value = ("x"):rep(5000) } } })
    end
    for round = 1, 3 do
      assert.equal(round == 1 and FIRST or STEP, #world.read(path))
      assert.is_true(spool:keep(payload, 1, 500))
      assert.equal(3 * STEP, #world.read(path))
      assert.same({ 500, "500" }, { #ids(spool), ids(spool)[500] })
      assert.is_true(spool:reset())
      assert.equal(0, #ids(spool))
    end
    assert.equal(("\0"):rep(STEP - HEADER), world.read(path):sub(HEADER + 1))
  end)

  it("ends a reading that was under way", function()
    local spool = assert(core.spool(world.path(".spool")))
    keep(spool, "a", "b", "c")
    local next_member = spool:members()
    assert.equal("add", select(2, next_member()))
    keep(spool, "d")
    next_member()
    assert.is_true(spool:reset())
    keep(spool, "e", "f", "g")
    assert.is_nil(next_member())
    assert.same({ "e", "f", "g" }, ids(spool))
  end)
end)

describe("a spool at its limits", function()
  after_each(world.clean)

  it("takes all members of a range or, when it is full, none", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path, { capacity = 4096 }))
    local payload = payload_of("a", "b", "c", "-d")
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
    assert.is_true(room >= 40 and room < all, "the removal fits, all do not")
    assert.same({ nil, "full" }, { spool:keep(payload, 1, 4) })
    assert.is_true(spool:keep(payload, 4, 4))
    while spool:keep(payload, 4, 4) do
      n = n + 1
    end
    n = n + 1
    assert.is_true(4096 - spool:bytes() < 40)
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
    -- 512 bytes a block in POSIX, 1024 in some shells
    local out = shell(("ulimit -f 7000; %s spec/support/spooled.lua fill %s; echo $?"):format(LUA, path))
    local count, why, code = out:match("^(%d+)\t([^\n]+)\n(%d+)\n$")
    assert.truthy(count, out)
    assert.same({ "0", "File too large" }, { code, why })
    local spool = assert(core.spool(path))
    assert.same({ tonumber(count), 0 }, { spool:count(), spool:damaged() })
    assert.is_true(spool:bytes() > 2 * STEP)
    -- Not even its first step fits.
    out = shell(("ulimit -f 1; %s spec/support/spooled.lua fill %s; echo $?"):format(LUA, world.path(".spool")))
    assert.equal("0\tFile too large\n0\n", out)
  end)

  it("answers a full disk with an error, loses nothing, and never touches a page that the disk has no room for", function()
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
    local out = shell(("unshare -m sh %s 2>/dev/null || unshare -rm sh %s 2>/dev/null || echo no"):format(script, script))
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
    LITTLE = own:byte(9) == 4
    local swapped = own:sub(1, 8) .. own:sub(9, 12):reverse() .. own:sub(13)
    for _, case in ipairs {
      { "a", "not a spool" }, { "external_id,email\n1,a@b.example\n", "not a spool" }, { ("x"):rep(100000), "not a spool" }, { own:sub(1, 39), "not a spool" },
      { ("\0"):rep(5000) .. "x", "not a spool" }, { "SC3SPOOL" .. own:sub(9), "not a spool" },
      { own:sub(1, 12) .. to_u32(1) .. own:sub(17), "another version" }, { swapped, "another byte order" },
      { own:sub(1, 16) .. to_u32(0) .. own:sub(21), "damaged header" }, { own:sub(1, 20) .. "x" .. own:sub(22), "damaged header" },
    } do
      local path = world.file(case[1], ".spool")
      os.execute("chmod 0644 " .. path)
      local result, message, code = core.spool(path)
      assert.same({ "nil", "nil" }, { type(result), type(code) })
      assert.truthy(message:find(case[2], 1, true), message)
      assert.equal(case[1], world.read(path))
      assert.equal("-rw-r--r--", mode(path))
    end
  end)

  it("that is a link, a folder, a pipe or out of reach is refused", function()
    local target = made("a")
    local link, pipe = world.path(".spool"), world.path(".spool")
    os.execute(("ln -s %s %s; mkfifo %s"):format(target, link, pipe))
    for _, path in ipairs { link, pipe, "/", "/tmp/", world.path "/none/x.spool" } do
      local result, message, code = core.spool(path)
      assert.same({ "nil", "string", "nil" }, { type(result), type(message), type(code) }, path)
    end
  end)

  it("that is empty, or was left before it was begun, becomes a spool", function()
    local _, own = made("a")
    local fresh = header(own, 0) .. ("\0"):rep(8192 - HEADER)
    for _, bytes in ipairs { "", "\0", ("\0"):rep(HEADER), ("\0"):rep(STEP * 2), ("\0"):rep(8) .. fresh:sub(9), "sc3s" .. ("\0"):rep(4) .. fresh:sub(9),
      ("\0"):rep(12) .. fresh:sub(13) } do
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

  it("that somebody removed or cut short is noticed when the spool is emptied or grows", function()
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
        local pipe = assert(io.popen(("echo $$; exec %s spec/support/spooled.lua append %s %d 2>&1"):format(LUA, path, every)))
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
        where = ("%s: told %d, kept %d, found %d members in %d bytes, %d damaged"):format(where, told, kept, spool:count(), spool:bytes(), spool:damaged())
        local first, last = spooled.batches(spool)
        assert.is_true(kept >= told, where)
        if last then
          assert.is_true(last == kept or last == kept + 1, where)
          assert.equal(math.floor((last - 1) / every) * every + 1, first, where)
        else
          assert.equal(0, kept % every, where)
        end
        assert.is_true(acks:damaged() <= 40 and spool:damaged() <= 640, where) -- no more than the append that was under way
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
    local program = compile.program("-Wl,-z,now spec/support/spool_steps.c csrc/core/files/spool*.c csrc/core/bytes/crc32c.c "
      .. "csrc/core/files/fork_mark.c "
      .. "csrc/core/members/payload.c csrc/core/bytes/buffer.c csrc/core/bytes/sha256.c "
      .. "csrc/core/bytes/sha256_portable.c csrc/core/bytes/sha256_arm.c csrc/core/bytes/sha256_x86.c")
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
    local reading = spool:members()
    local payload = payload_of("b")
    local FORKED = "the spool belongs to the parent process"
    assert.equal(42, fork(function()
      assert.same({ nil, FORKED }, { spool:keep(payload, 1, 1) })
      assert.same({ nil, FORKED }, { spool:reset() })
      assert.same({ nil, FORKED }, { spool:remove() })
      assert.equal(1, spool:count())
      assert.has_error(reading, FORKED)
      assert.has_error(spool:members(), FORKED)
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

describe("misuse of a spool", function()
  after_each(world.clean)

  it("raises", function()
    local path = world.path(".spool")
    for _, misuse in ipairs {
      function() core.spool() end, function() core.spool({}) end, function() core.spool("a\0b") end, function() core.spool(path, 5) end,
      function() core.spool(path, { capacity = "much" }) end, function() core.spool(path, { capacity = 4095 }) end,
      function() core.spool(path, { capacity = 2 ^ 32 }) end, function() core.spool(path, { capacity = 0 / 0 }) end, function() core.spool(path, { size = 1 }) end,
    } do
      assert.has_error(misuse)
    end
    assert.is_nil((io.open(path)))
    local spool = assert(core.spool(path, {}))
    local payload = payload_of("a")
    for _, misuse in ipairs {
      function() spool:keep() end, function() spool:keep({}, 1, 1) end, function() spool:keep(payload) end, function() spool:keep(payload, 0, 1) end,
      function() spool:keep(payload, 1, 0) end, function() spool:keep(payload, 0 / 0, 1) end,
      function() spool:keep(payload, 1, 1, -1) end, function() spool:keep(payload, 1, 1, 2 ^ 54) end, function() spool:keep(payload, 1, 1, 0 / 0) end,
      function() spool:release() end, function() spool:release(-1) end, function() spool:reader()(payload, 1, 0) end,
      function() spool:reader()({}) end, function() spool:keep(payload, 1, 2 ^ 40) end,
      function() spool.keep(payload, payload, 1, 1) end, function() spool.count() end, function() spool.members(payload) end,
    } do
      assert.has_error(misuse)
    end
    assert.equal(0, spool:count())
    payload:close()
    assert.has_error(function() spool:keep(payload, 1, 1) end, "attempt to use a closed payload")
    local reading = spool:members()
    spool:close()
    spool:close()
    local methods = { "keep", "members", "reader", "release", "last", "lost", "count", "bytes", "damaged", "reset", "remove" }
    for _, name in ipairs(methods) do
      assert.has_error(function() spool[name](spool, payload_of("a"), 1, 1) end, "attempt to use a closed spool")
    end
    assert.has_error(reading, "attempt to use a closed spool")
  end)
end)
