-- A spool that members leave, some or all: the rest stays, and nothing that left comes back.
local core = require "scope3.core"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local FIRST, HASH, HEADER, STEP = spool_files.FIRST, spool_files.HASH, spool_files.HEADER, spool_files.STEP
local header, ids, keep, made = spool_files.header, spool_files.ids, spool_files.keep, spool_files.made
local payload_of, write = spool_files.payload_of, spool_files.write

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
      assert.same({ left, left, 0, 0, 5 },
        { spool:count(), #ids(spool), spool:lost(), spool:damaged(), (spool:last()) }, number)
      keep(spool, "f")
      assert.same({ left + 1, "f", 6 }, { spool:count(), ids(spool)[left + 1], (spool:last()) })
      assert.is_true(spool:reset())
      assert.same({ 0, 0 }, { spool:count(), (spool:last()) })
      spool:close()
    end
  end)

  it("gives back the end of its file and the memory of its pages, and no member", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path))
    local payload = payload_of("a", "-b", "c")
    for _ = 1, 4000 do
      assert(spool:keep(payload, 1, 3))
    end
    assert.is_true(#world.read(path) > spool:bytes() + FIRST)
    assert.is_true((spool_files.resident(path) or 1) > 0) -- how much of it the system keeps is not ours to say
    local before = ids(spool)
    spool:trim()
    assert.is_true(#world.read(path) < spool:bytes() + FIRST, #world.read(path))
    assert.equal(0, #world.read(path) % FIRST)
    assert.same(before, ids(spool))
    spool:unload()
    assert.equal(0, spool_files.resident(path) or 0)
    keep(spool, "d") -- it grows again
    spool:close()
    spool = assert(core.spool(path))
    before[#before + 1] = "d"
    assert.same({ before, 0, 0 }, { ids(spool), spool:lost(), spool:damaged() })
    spool:close()
  end)

  it("has another name when it is told so, and lets go of the one before", function()
    local path, other = world.path(".spool"), world.path(".spool")
    local spool = assert(core.spool(path))
    keep(spool, "a")
    assert.is_true(spool:rename(other))
    assert.is_false(world.exists(path))
    assert.equal("locked", select(3, core.spool(other)))
    keep(spool, "b")
    local _, why = spool:rename(world.path "/none/x.spool")
    assert.equal("No such file or directory", why)
    assert.same({ "a", "b" }, ids(spool))
    os.rename(other, path) -- by somebody else
    assert.same({ nil, "the spool's file was removed by somebody else" }, { spool:rename(other) })
    os.rename(path, other)
    assert.is_true(spool:remove())
    assert.is_false(world.exists(other))
  end)

  it("leaves the end of a damaged file as it is", function()
    local path, bytes = made("a")
    write(path, bytes .. ("\0"):rep(4 * FIRST) .. "x")
    local spool = assert(core.spool(path))
    spool:trim()
    assert.equal(#bytes + 4 * FIRST + 1, #world.read(path))
    assert.is_true(spool:damaged() > 0)
    spool:close()
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
        assert.same({ first + 1, "new", 5 - first, 6 },
          { spool:count(), ids(spool)[first + 1], spool:lost(), (spool:last()) })
        spool:close()
      end
    end
  end)

  it("is read into payloads in parts, in the order of stamps, with the last operation on an id", function()
    local spool = assert(core.spool(world.path(".spool")))
    for i, id in ipairs { "a", "b", "-a", "c", "a", "-b" } do
      local builder, payload = spooled.kit()
      local remove = id:sub(1, 1) == "-"
      assert(builder:add(payload,
        { external_id = remove and id:sub(2) or id, remove = remove, hashed_email = not remove and HASH or nil }))
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
    for json, op, number, _, label in spooled.members(spool) do
      assert.same({ tostring(number), number % 2 == 0 and "remove" or "add" },
        { json:match '"externalId":"%-?(%d)"', op })
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
      for _, _, _, _, label in spooled.members(spool) do
        found[#found + 1] = label
      end
      assert.is_true(place < stop)
      assert.same({ "first third", 1 }, { table.concat(found, " "), spool:lost() }, "byte " .. place)
      spool:close()
    end
  end)

  it("never gives a stamp that is less than the one before, whatever clock it came from", function()
    local path, payload = world.path(".spool"), payload_of("a")
    local spool = assert(core.spool(path))
    for _, stamp in ipairs { 5, 3, 2 ^ 53, 0 } do
      assert.is_true(spool:keep(payload, 1, 1, stamp))
      spool:close()
      spool = assert(core.spool(path))
    end
    local stamps = {}
    for _, _, number, stamp in spooled.members(spool) do
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
    assert.is_nil(spool_files.place_of(after, "a"))
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
    local kept = 3 * STEP -- which the next members need
    for round = 1, 3 do
      assert.equal(round == 1 and FIRST or kept, #world.read(path))
      assert.is_true(spool:keep(payload, 1, 500))
      assert.is_true(spool:keep(payload, 1, 500))
      assert.equal(5 * STEP, #world.read(path))
      assert.same({ 1000, "500" }, { #ids(spool), ids(spool)[1000] })
      assert.is_true(spool:reset())
      assert.equal(0, #ids(spool))
    end
    assert.equal(("\0"):rep(kept - HEADER), world.read(path):sub(HEADER + 1))
  end)

  it("ends a reading that was under way", function()
    local spool = assert(core.spool(world.path(".spool")))
    keep(spool, "a", "b", "c")
    local next_member = spooled.members(spool)
    assert.equal("add", select(2, next_member()))
    keep(spool, "d")
    next_member()
    assert.is_true(spool:reset())
    keep(spool, "e", "f", "g")
    assert.is_nil(next_member())
    assert.same({ "e", "f", "g" }, ids(spool))
  end)
end)
