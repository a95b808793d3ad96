-- What a mirror keeps may come from a file that a stranger wrote. A damaged blob is refused, and so is one whose
-- checksum is right but whose content no writer makes. Nothing is read behind the end of one.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

local KEY = "0123456789abcdef"
local ALL = { { first = 1, last = 1000, outcome = "applied" } }
local CELLS, MEMBER = ("c"):rep(8), ("m"):rep(8)

local function sealed(bytes)
  return bytes .. spool_files.to_u32(spool_files.crc32c(bytes))
end

local function chunk_of(ids)
  local chunk = core.mirror.chunk(3)
  for i, id in ipairs(ids) do
    chunk:add("add", i % 2, id, core.mirror.key_hash(KEY, id), CELLS, MEMBER)
  end
  local blob = chunk:blob()
  chunk:close()
  return blob
end

-- One partition with these ids.
local function members_of(ids, audiences)
  local fold = assert(core.mirror.fold { parts = 1, audiences = audiences or 2 })
  assert(fold:chunk(chunk_of(ids), ALL))
  local blob = assert(fold:part(0))
  fold:close()
  return blob
end

-- The code of what a night says to a partition's blob; nil where it takes it.
local function merge(blob, options)
  options = options or {}
  local night = assert(core.mirror.night { key = KEY, parts = options.parts or 1, audiences = options.audiences or 2 })
  local fine, message, code = night:merge(options.part or 0, blob)
  if not fine then
    assert.equal("the state is damaged", message)
    assert.same({ nil, message, code }, { night:row("1", {}, 1, 1, 1, 0) }) -- nothing of it is used any more
  end
  night:close()
  return code
end

-- The same, where some audiences refuse who is in it: the mark is 4, and the bytes of those that refuse are before the
-- length of the id.
local function refused_by_some(refusing, audiences)
  local bytes, standing = members_of({ "a" }, audiences):sub(1, -5), math.ceil((audiences or 2) / 4)
  return bytes:sub(1, 34) .. "\4" .. bytes:sub(36, 35 + standing) .. refusing .. bytes:sub(36 + standing)
end

local function fold(blob)
  local made = assert(core.mirror.fold { parts = 1, audiences = 2 })
  assert(made:chunk(chunk_of { "another" }, ALL))
  local _, _, code = made:part(0, blob)
  made:close()
  return type(code) == "string" and code or nil
end

-- What a night and a fold say to a chunk's blob.
local function take(blob)
  local night = assert(core.mirror.night { key = KEY, audiences = 2 })
  local made = assert(core.mirror.fold { audiences = 2 })
  local _, _, code = night:chunk(blob, ALL)
  local _, _, other = made:chunk(blob, ALL)
  night:close()
  made:close()
  assert.equal(code, other)
  return code
end

local function with(bytes, at, value)
  return bytes:sub(1, at) .. value .. bytes:sub(at + #value + 1)
end

local KINDS = { ["a partition's blob"] = { members_of { "a", ("long"):rep(70), "c" }, merge },
  ["a partition's blob that is folded"] = { members_of { "a", ("long"):rep(70), "c" }, fold },
  ["a chunk's blob"] = { chunk_of { "a", ("long"):rep(70), "c" }, take } }

describe("a mirror", function()
  teardown(world.clean)

  for name, kind in pairs(KINDS) do
    local blob, read = kind[1], kind[2]

    it("refuses " .. name .. " with any byte changed, and any part of one", function()
      assert.is_nil(read(blob))
      for at = 0, #blob - 1 do
        for _, bit in ipairs { 1, 128 } do
          local byte = blob:byte(at + 1)
          byte = math.floor(byte / bit) % 2 == 1 and byte - bit or byte + bit
          assert.equal("damaged", read(with(blob, at, string.char(byte))))
        end
      end
      for n = read == take and 0 or 1, #blob - 1 do -- an empty partition has no blob
        assert.equal("damaged", read(blob:sub(1, n)))
      end
      assert.equal("damaged", read(blob .. "\0"))
    end)

    it("reads " .. name .. " whose checksum was made right without harm", function()
      local bytes = blob:sub(1, -5)
      for at = 0, #bytes - 1 do
        if at < 60 or at % 11 == 0 then
          for _, value in ipairs { 0, 1, 127, 255 } do
            read(sealed(with(bytes, at, string.char(value))))
          end
        end
      end
      for n = 0, #bytes - 1, 3 do
        assert.equal("damaged", read(sealed(bytes:sub(1, n))))
      end
    end)
  end

  it("never reads behind a blob", function()
    local program = compile.program("spec/support/guarded_blobs.c csrc/core/mirror/chunk.c "
      .. "csrc/core/mirror/members_blob.c csrc/core/bytes/buffer.c csrc/core/bytes/crc32c.c")
    local ids = { "a", ("long"):rep(70), ("x"):rep(254), "d" }
    for _, case in ipairs { { "chunk", chunk_of(ids) }, { "members", members_of(ids) },
      { "members", sealed(refused_by_some "\2") }, { "members", sealed(refused_by_some("\2\1", 16)) } } do
      local kind, blob = case[1], case[2]
      local log = world.path ".log"
      os.execute(("env -u LD_PRELOAD %s %s %s >%s 2>&1"):format(program, world.file(blob), kind, log))
      assert.equal(("%d of %d refused\n"):format(#blob - 4, #blob - 3), world.read(log))
    end
  end)

  -- head 6; record: hash 8, cells 8, member 8, run 4, mark at 34, standing at 35, length of the id at 36
  it("refuses records that nobody writes", function()
    local bytes = members_of({ "a" }):sub(1, -5)
    local both = members_of({ "a", "b" }):sub(1, -5)
    local first, second = both:sub(7, 6 + 32), both:sub(7 + 32)
    local head = both:sub(1, 6)
    assert.equal(32, #second)
    assert.is_nil(merge(sealed(bytes)))
    assert.is_nil(merge(sealed(head .. first .. second)))
    local CASES = {
      ["another format"] = with(bytes, 0, "\2"), ["no audience"] = with(bytes, 1, "\0"),
      ["more audiences than the state"] = with(bytes, 1, "\3"), ["fewer records"] = with(bytes, 2, "\0"),
      ["more records"] = with(bytes, 2, "\2"), ["many more records"] = with(bytes, 2, "\255\255\255\255"),
      ["an unknown mark"] = with(bytes, 34, "\3"), ["two marks"] = with(bytes, 34, "\5"),
      ["two standings at once"] = with(bytes, 35, "\3"),
      ["a standing behind the last audience"] = with(bytes, 35, "\17"), ["nobody"] = with(bytes, 35, "\0"),
      ["an empty id"] = with(bytes, 36, "\0"), ["an id behind the end"] = with(bytes, 36, "\2"),
      ["a short id in the long form"] = bytes:sub(1, 36) .. "\255\1\0a",
      ["half a length"] = bytes:sub(1, 36) .. "\255\1",
      ["an id twice"] = head .. first .. first, ["another order"] = head .. second .. first,
      ["bytes behind the last"] = bytes .. "x", ["refused by none of some"] = refused_by_some "\0",
      ["refused by all as by some"] = refused_by_some "\3", ["refused by another"] = refused_by_some "\4",
      ["nothing where some refuse"] = with(bytes, 34, "\4"):sub(1, 36),
    }
    assert.is_nil(merge(sealed(refused_by_some "\1")))
    for name, case in pairs(CASES) do
      assert.equal("damaged", merge(sealed(case)), name)
      assert.equal("damaged", fold(sealed(case)), name)
    end
    local part = core.mirror.key_hash(KEY, "a"):byte(8) >= 128 and 1 or 0
    assert.is_nil(merge(sealed(bytes), { parts = 2, part = part }))
    assert.equal("damaged", merge(sealed(bytes), { parts = 2, part = 1 - part }))
  end)

  -- head 9; entry: operation at 9, audience at 10, hash, cells, member, length of the id at 35
  it("refuses entries that nobody writes", function()
    local bytes = chunk_of({ "a" }):sub(1, -5)
    assert.equal(37, #bytes)
    local CASES = {
      ["another format"] = with(bytes, 0, "\1"), ["no operation"] = with(bytes, 9, "\0"),
      ["an unknown operation"] = with(bytes, 9, "\6"), ["an audience too many"] = with(bytes, 10, "\2"),
      ["fewer entries"] = with(bytes, 5, "\0"), ["more entries"] = with(bytes, 5, "\2"),
      ["an empty id"] = with(bytes, 35, "\0"), ["an id behind the end"] = with(bytes, 35, "\2"),
      ["bytes behind the last"] = bytes .. "x",
    }
    for name, case in pairs(CASES) do
      assert.equal("damaged", take(sealed(case)), name)
    end
    assert.is_nil(take(sealed(bytes)))
  end)
end)
