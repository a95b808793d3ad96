-- Spools with members of given ids, and the bytes that their files should have.
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local spool_files = {}

spool_files.HASH = ("0123456789abcdef"):rep(4)
spool_files.HEADER, spool_files.STEP, spool_files.FIRST = 40, 1048576, 65536

-- Bytes of the record of a member.
function spool_files.record(n)
  return math.ceil((20 + n) / 8) * 8
end

function spool_files.shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

function spool_files.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

--- Where the id of a member begins in the bytes of a file, with the length that stands before it; nil where it is not.
function spool_files.place_of(bytes, id)
  local at = bytes:find(string.char(#id, 0, 0) .. id, 1, true)
  return at and at + 3
end

-- Whether the bytes of a file hold a member, released or not.
function spool_files.has_members(bytes)
  local first = spool_files.HEADER + 1
  return bytes:sub(first, first + 3) ~= "\0\0\0\0"
end

function spool_files.mode(path)
  return spool_files.shell("ls -ld '" .. path .. "'"):sub(1, 10)
end

-- A payload of these ids; one that starts with "-" is a removal.
function spool_files.payload_of(...)
  local builder, payload = spooled.kit()
  for _, id in ipairs { ... } do
    local remove = id:sub(1, 1) == "-"
    assert(builder:add(payload,
      { external_id = id, remove = remove, hashed_email = not remove and spool_files.HASH or nil }))
  end
  return payload
end

function spool_files.keep(spool, ...)
  return assert(spool:keep(spool_files.payload_of(...), 1, select("#", ...)))
end

function spool_files.ids(spool)
  local found = {}
  for i, member in ipairs(spooled.read(spool)) do
    found[i] = member[1]
  end
  return found
end

-- A closed spool that holds these ids: its path and its bytes.
function spool_files.made(...)
  local path = world.path(".spool")
  local spool = assert(core.spool(path, { capacity = 4096 }))
  spool_files.keep(spool, ...)
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

-- Byte by byte, because 5.1 has no xor: XOR[a][b] of two bytes, and of each byte the sum's four, the lowest first.
local XOR, SUMS = {}, {}

local function make_tables()
  for a = 0, 255 do
    XOR[a] = {}
    for b = 0, 255 do
      XOR[a][b] = a == 0 and b or xor(math.floor(a / 16), math.floor(b / 16)) * 16 + xor(a % 16, b % 16)
    end
  end
  for byte = 0, 255 do
    local sum = byte
    for _ = 1, 8 do
      sum = sum % 2 == 1 and xor(math.floor(sum / 2), 2197175160) or math.floor(sum / 2)
    end
    SUMS[byte] = { sum % 256, math.floor(sum / 256) % 256, math.floor(sum / 65536) % 256, math.floor(sum / 16777216) }
  end
end

function spool_files.crc32c(bytes, crc)
  if not SUMS[0] then
    make_tables()
  end
  crc = 4294967295 - (crc or 0)
  local a, b, c, d = crc % 256, math.floor(crc / 256) % 256, math.floor(crc / 65536) % 256, math.floor(crc / 16777216)
  for i = 1, #bytes do
    local sum = SUMS[XOR[a][bytes:byte(i)]]
    a, b, c, d = XOR[b][sum[1]], XOR[c][sum[2]], XOR[d][sum[3]], sum[4]
  end
  return 4294967295 - (a + b * 256 + c * 65536 + d * 16777216)
end

-- A spool of this machine shows its order of bytes.
spool_files.little = true

function spool_files.u32(bytes, at)
  local a, b, c, d = bytes:byte(at + 1, at + 4)
  if not spool_files.little then
    a, b, c, d = d, c, b, a
  end
  return a + b * 256 + c * 65536 + d * 16777216
end

function spool_files.to_u32(n)
  local bytes = ""
  for _ = 1, 4 do
    bytes = spool_files.little and bytes .. string.char(n % 256) or string.char(n % 256) .. bytes
    n = math.floor(n / 256)
  end
  return bytes
end

-- A number of the header with its check.
local function numbered(number, at, seed)
  local low = spool_files.to_u32(number)
  local high = number == 0 and spool_files.to_u32(0)
    or spool_files.to_u32(spool_files.crc32c(spool_files.to_u32(number) .. spool_files.to_u32(at), seed))
  return spool_files.little and low .. high or high .. low
end

-- The header of a generation.
function spool_files.header(bytes, generation, kept, released)
  local seed = spool_files.crc32c(bytes:sub(1, 16) .. spool_files.to_u32(generation))
  local first = bytes:sub(1, 16) .. spool_files.to_u32(seed % 65536 * 65536 + generation) .. spool_files.to_u32(0)
  return first .. numbered(kept or 0, 24, seed) .. numbered(released or 0, 32, seed), seed
end

--- Kilobytes of a file in the memory of this process; nil where the system does not say.
function spool_files.resident(path)
  local file, ours, sum = io.open "/proc/self/smaps", false, 0
  for line in file and file:lines() or function() end do
    ours = line:find "^%x+%-%x+ " and line:find(path, 1, true) ~= nil or not line:find "^%x+%-%x+ " and ours
    sum = sum + (ours and tonumber(line:match "^Rss:%s+(%d+)") or 0)
  end
  return file and file:close() and sum or nil
end

--- Lines of members of an audience "a", as a spool gives them.
---@param list string[]  as packed_lines has them
function spool_files.lines(list)
  local payload, lines = core.payload { max_members = 1000, max_bytes = 10000000 }, core.lines()
  payload:take(packed_lines.of(list), 1)
  local spool = assert(core.spool(world.path(".spool")))
  assert(spool:keep(payload, 1, payload:count(), 0, "a"))
  spool:entries("", 1000, 10000000, 10000000)(lines)
  assert(spool:remove())
  payload:close()
  return lines
end

return spool_files
