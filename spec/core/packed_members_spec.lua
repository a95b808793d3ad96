-- Members that are packed, in spools and in queues: what comes out again is what went in, byte for byte.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local seed = require "spec.support.seed"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local HASH = ("0123456789abcdef"):rep(4)
local OTHER = ("fedcba9876543210"):rep(4)
local UIDS = '{"type":"uid2","value":"a\\"b"},{"type":"é","value":"\\u001f"}'
local MUCH = 4000000

local function new_payload()
  return core.payload { max_members = 10000, max_bytes = MUCH }
end

-- The JSON of a member by its parts.
local function json_of(parts)
  return '{"externalId":"' .. parts.id .. '"' .. (parts.email and ',"hashedEmail":"' .. parts.email .. '"' or "")
    .. (parts.phone and ',"hashedPhone":"' .. parts.phone .. '"' or "")
    .. (parts.uids and ',"uids":[' .. parts.uids .. "]" or "") .. "}"
end

-- Every combination of parts, for this id, or for ids that a number tells apart.
local function combinations(id, numbered)
  local list = {}
  for bits = 1, 7 do
    list[bits] = json_of { id = numbered and bits .. id or id, email = bits % 2 == 1 and HASH or nil,
      phone = math.floor(bits / 2) % 2 == 1 and OTHER or nil, uids = bits >= 4 and UIDS or nil }
  end
  return list
end

local function random_of(list)
  return list[math.random(#list)]
end

local function random_digits()
  local digits = {}
  for i = 1, 64 do
    digits[i] = random_of { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f" }
  end
  return table.concat(digits)
end

local function random_text(most)
  local text = {}
  for i = 1, math.random(most) do
    text[i] = random_of { "a", "7", "-", "{", "}", "[", "]", ",", ":", '\\"', "\\\\", "\\n", "\\u0001", "\\u001f", "é",
      "€", "😀", "\127", "/" }
  end
  return table.concat(text)
end

-- A random member whose id begins with its number, so that no two are one.
local function random_json(i)
  local uids
  if math.random(3) == 1 then
    uids = {}
    for j = 1, math.random(4) do
      uids[j] = ('{"type":"%s","value":"%s"}'):format(random_text(10), random_text(60))
    end
    uids = table.concat(uids, ",")
  end
  local email = (not uids or math.random(2) == 1) and random_digits() or nil
  return json_of { id = i .. random_text(20), email = email, phone = math.random(2) == 1 and random_digits() or nil,
    uids = uids }
end

describe("a packed member", function()
  after_each(world.clean)

  -- What a spool gives of a payload: its members' JSON, and the lines of its entries.
  local function through_spool(payload)
    local spool, lines = assert(core.spool(world.path ".spool")), core.lines()
    assert(spool:keep(payload, 1, payload:count()))
    local list, again, texts = {}, new_payload(), {}
    for json in spooled.members(spool) do
      list[#list + 1] = json
    end
    assert.equal(#list, (spool:reader()(again)))
    for _ in spool:entries("", 100, MUCH, MUCH), lines do
      texts[#texts + 1] = lines:text()
    end
    assert(spool:remove())
    lines:close()
    return list, again:text("add", 1, again:count()), packed_lines.read(table.concat(texts))
  end

  -- Holds that members come out of lines and of a spool as they are.
  local function assert_same(list, where)
    local readable, payload = {}, new_payload()
    for i, json in ipairs(list) do
      readable[i] = "+" .. json
    end
    local lines = packed_lines.of(readable)
    local at, members, bad, unfit = payload:take(lines, 1)
    assert.same({ #lines + 1, #list, 0, 0 }, { at, members, bad, unfit }, where)
    assert.equal(table.concat(list, ","), payload:text("add", 1, payload:count()), where)
    assert.is_true(lines == payload:as_lines(), where)
    local kept, again, entries = through_spool(payload)
    assert.same(list, kept, where)
    assert.equal(table.concat(list, ","), again, where)
    local found = {}
    for _, line in ipairs(entries) do
      found[#found + 1] = line:sub(1, 1) == "+" and line or nil
    end
    assert.same(readable, found, where)
    payload:close()
  end

  it("has any of the parts that a member may have", function()
    for _, id in ipairs { "1", "-1", 'a\\"b', "\\\\", '\\\\\\"', "\\u0000", "\\b\\f\\n\\r\\t", "é€😀" } do
      for _, json in ipairs(combinations(id)) do
        assert_same({ json }, json)
      end
    end
  end)

  it("has ids of all lengths, and ends where they end", function()
    for n = 1, 200 do
      assert_same(combinations(("x"):rep(n - 1), true), n .. " bytes")
    end
    assert_same { json_of { id = ('\\"'):rep(5000), phone = HASH }, json_of { id = ("é"):rep(40000), uids = UIDS } }
  end)

  it("comes out as it went in, whatever it is", function()
    math.randomseed(seed)
    for round = 1, world.thorough and 40 or 5 do
      local list = {}
      for i = 1, 200 do
        list[i] = random_json(i)
      end
      assert_same(list, ("seed %d, round %d"):format(seed, round))
    end
  end)

  it("is what the rows of a job become", function()
    local builder, payload = core.builder { max_member = 4096 }, new_payload()
    local uids = { { type = "t", value = "é" }, { type = "u", value = "7" } }
    assert(builder:add(payload, { external_id = 'a"\\b', email = "jane@example.com", phone = "+4915112345678",
      uids = uids }))
    assert(builder:add(payload, { external_id = "2", hashed_phone = HASH:upper() }))
    assert(builder:add(payload, { external_id = "3", remove = true }))
    assert.same({
      "+" .. json_of { id = [[a\"\\b]], email = core.sha256 "jane@example.com", phone = core.sha256 "+4915112345678",
        uids = '{"type":"t","value":"é"},{"type":"u","value":"7"}' },
      "+" .. json_of { id = "2", phone = HASH }, '-{"externalId":"3"}',
    }, packed_lines.read(payload:as_lines()))
    builder:close()
  end)

  it("has less than half the bytes of its JSON where it is an id of 16 bytes, an email and a phone", function()
    local json = json_of { id = "C000000000000001", email = HASH, phone = OTHER }
    local payload = new_payload()
    payload:take(packed_lines.of { "+" .. json }, 1)
    assert.is_true(2 * #payload:as_lines() < #json)
  end)

  -- Only who forges the file makes such a record: its checksum holds.
  it("is passed over and counted where a record of a spool holds none", function()
    local path, bytes = spool_files.made("one", "two")
    spool_files.little = bytes:byte(9) == 4
    local _, seed_of_file = spool_files.header(bytes, 0, 2)
    local at = spool_files.HEADER
    local size = spool_files.u32(bytes, at)
    local stop = at + spool_files.record(size)
    for _, packed in ipairs {
      { id = "one", email = HASH, kind = 8 }, { id = "one", email = HASH, id_length = 2 ^ 24 - 1 },
      { id = "one", email = HASH, id_length = 36 }, { id = "one", email = HASH, kind = 0 },
      { id = "one", email = HASH, kind = 3 },
    } do
      local body = bytes:sub(at + 9, at + 20) .. packed_lines.member(packed) .. bytes:sub(at + 21 + size, stop)
      local sum = spool_files.crc32c(spool_files.to_u32(size) .. body, seed_of_file)
      spool_files.write(path, bytes:sub(1, at + 4) .. spool_files.to_u32(sum) .. body .. bytes:sub(stop + 1))
      local spool, payload, lines = assert(core.spool(path)), new_payload(), core.lines()
      assert.same({ 2, 0 }, { spool:count(), spool:damaged() })
      local members, number, _, full, unfit = spool:reader()(payload)
      assert.same({ 1, 2, false, 1 }, { members, number, full, unfit })
      assert.equal(json_of { id = "two", email = HASH }, payload:text("add", 1, 1))
      local _, n, passed = spool:entries("a", 9, MUCH, MUCH)(lines)
      assert.same({ 1, 1 }, { n, passed })
      assert.same({ "@a", "+" .. json_of { id = "two", email = HASH } }, packed_lines.read(lines:text()))
      lines:close()
      spool:close()
    end
  end)

  describe("by the C code", function()
    -- What a build gives of members: their packed forms and what they are unpacked to.
    local function packed_by(flags, members)
      local texts = {}
      for i, json in ipairs(members) do
        texts[i] = packed_lines.line("", json)
      end
      local program = compile.program(flags .. " spec/support/packed_members.c csrc/core/members/packed.c")
      local pipe = assert(io.popen(("unset LD_PRELOAD; %s %s && echo ended"):format(program,
        world.file(table.concat(texts)))))
      local out, list, at = pipe:read("*a"), {}, 1
      pipe:close()
      assert.equal("ended\n", out:sub(-6))
      while at < #out - 5 do
        local a, b, c = out:byte(at, at + 2)
        local n = a + b * 256 + c * 65536
        list[#list + 1] = out:sub(at + 4, at + 3 + n)
        at = at + 4 + n
      end
      assert.equal(2 * #members, #list)
      return list
    end

    -- What it should give: nothing of what is no member.
    local function expected(members, is_one)
      local list = {}
      for i, json in ipairs(members) do
        local fine = not is_one or is_one(i)
        list[2 * i - 1] = fine and packed_lines.of({ "+" .. json }):sub(6) or ""
        list[2 * i] = fine and json or ""
      end
      return list
    end

    for name, flags in pairs { ["of this machine"] = "", ["without its instructions"] = "-DSC3_PORTABLE",
      ["under sanitizers"] = "-fsanitize=address,undefined -fno-sanitize-recover=all",
      ["without them under sanitizers"] = "-DSC3_PORTABLE -fsanitize=address,undefined -fno-sanitize-recover=all",
    } do
      it(name .. " is the same", function()
        math.randomseed(seed)
        local members = combinations "1"
        for i = 1, 500 do
          members[#members + 1] = random_json(i)
        end
        assert.same(expected(members), packed_by(flags, members), "seed " .. seed)
      end)

      it(name .. " has each digit at every place", function()
        local members = {}
        for at = 1, 64 do
          for digit in ("0123456789abcdef"):gmatch "." do
            local hash = HASH:sub(1, at - 1) .. digit .. HASH:sub(at + 1)
            members[#members + 1] = json_of { id = "1", [at % 2 == 0 and "email" or "phone"] = hash }
          end
        end
        assert.same(expected(members), packed_by(flags, members))
      end)

      it(name .. " is none of what ends too early, or has another form", function()
        local members, whole = {}, combinations "a\\\"b"
        for _, json in ipairs(whole) do
          for n = 0, #json - 1 do
            members[#members + 1] = json:sub(1, n)
          end
          members[#members + 1] = json .. "}"
          members[#members + 1] = json:gsub("hashed", "Hashed", 1) .. " "
        end
        members[#members + 1] = '{"externalId":"' .. ("x"):rep(2 ^ 24) .. '"}' -- an id that no three bytes measure
        for i, text in ipairs(packed_by(flags, members)) do
          assert.equal("", text, members[math.ceil(i / 2)])
        end
      end)
    end
  end)
end)
