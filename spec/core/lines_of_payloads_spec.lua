-- Members as lines, as machines hand them to one another.
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local scope3 = require "scope3"

local HASH = ("0123456789abcdef"):rep(4)

local function payload(bytes)
  return core.payload { max_members = 1000, max_bytes = bytes or 100000 }
end

-- What is taken of a text: the payload, and what was said.
local function take(text, at)
  local p = payload()
  local next_at, members, bad, unfit, full = p:take(text, at or 1)
  return p, { next = next_at, members = members, bad = bad, unfit = unfit, full = full }
end

describe("lines of members", function()
  it("give the same payload again", function()
    local audience = assert(scope3.audience "crm")
    assert(audience:add { external_id = 'a"\\é', email = "jane@example.com", phone = "+4915112345678",
      uids = { { type = "t", value = "x" } } })
    assert(audience:add { external_id = "17", hashed_phone = HASH })
    assert(audience:add { external_id = "19", hashed_email = HASH })
    assert(audience:remove { external_id = "18" })
    assert(audience:remove { external_id = "17" })
    audience:count()
    local from = audience.payloads[1] or audience.payload
    local text = from:as_lines()
    local p, said = take(text)
    assert.same({ next = #text + 1, members = 4, bad = 0, unfit = 0, full = false }, said)
    local function sorted(lines)
      local list = packed_lines.read(lines)
      table.sort(list)
      return list
    end
    local there = sorted(text)
    assert.same(there, sorted(p:as_lines()))
    assert.same({ '+{"externalId":"19","hashedEmail":"' .. HASH .. '"}', '-{"externalId":"17"}',
      '-{"externalId":"18"}' }, { there[1], there[3], there[4] })
    local first = [[+{"externalId":"a\"\\é","hashedEmail":"]] .. core.sha256 "jane@example.com"
    assert.truthy(there[2]:find(first, 1, true))
    local emails, phones, uids = p:identifiers() -- which came hashed does not stand in a line
    assert.same({ 2, 1, 1 }, { emails, phones, uids })
  end)

  it("end before an @, and let the last of one id win", function()
    local first = packed_lines.of { '+{"externalId":"1","hashedEmail":"' .. HASH .. '"}', '-{"externalId":"1"}' }
    local label = packed_lines.of { "@x" }
    local text = first .. label .. packed_lines.of { '-{"externalId":"2"}' }
    local p, said = take(text)
    assert.same({ next = #first + 1, members = 2, bad = 0, unfit = 0, full = false }, said)
    assert.same({ '-{"externalId":"1"}' }, packed_lines.read(p:as_lines()))
    p, said = take(text, #first + #label + 1)
    assert.same({ '-{"externalId":"2"}' }, packed_lines.read(p:as_lines()))
    assert.equal(#text + 1, said.next)
  end)

  it("are read behind a label where that very line stands, else not at all", function()
    local label, one = packed_lines.of { "@x" }, packed_lines.of { '-{"externalId":"1"}' }
    local text = one .. label .. one
    local p = payload()
    local other = packed_lines.of { "@xy" }
    for _, wrong in ipairs { { text, 1 }, { other .. one, 1 }, { label:sub(1, -2), 1 }, { "", 1 }, { text, #text + 1 },
      { text, #text + 2 }, { text, 2 ^ 32 - 1 },
    } do
      assert.same({ false }, { p:take(wrong[1], wrong[2], label) })
    end
    assert.same({ 0, 0 }, { p:measure() })
    assert.same({ #text + 1, 1, 0, 0, false }, { p:take(text, #one + 1, label) })
    assert.same({ #label + 1, 0, 0, 0, false }, { p:take(label, 1, label) })
    assert.same({ #label + 1, 0, 0, 0, false }, { p:take(label .. label, 1, label) })
    assert.has_error(function()
      p:take(text, 1, 5)
    end)
    assert.same({ 1, p:bytes() }, { p:measure() })
  end)

  it("are read no further than there is room", function()
    local p = payload(45)
    local text = packed_lines.of { '-{"externalId":"1"}', '-{"externalId":"2"}', '-{"externalId":"3"}' }
    local at, members, _, _, full = p:take(text, 1)
    assert.same({ 2 * #text / 3 + 1, 2, true }, { at, members, full })
    p:reset()
    assert.equal(#text + 1, (p:take(text, at)))
    p = payload(15)
    local _, none, _, unfit = p:take(text, 1)
    assert.same({ 0, 3 }, { none, unfit })
  end)

  local member, line = packed_lines.member, packed_lines.line
  local UID = '{"type":"uid2","value":"b"}'

  local function add(parts)
    parts.id = parts.id or "1"
    return line("+", member(parts))
  end

  local function remove(id)
    return line("-", member { id = id })
  end

  for what, bad in pairs {
    ["no byte"] = line("-", ""), ["half a head"] = line("-", "\0\1\0"),
    ["another operation"] = line("*", member { id = "1" }), ["no operation"] = line("\0", member { id = "1" }),
    ["no id"] = remove "", ["no id, and an email"] = add { id = "", email = HASH },
    ["what follows its id"] = line("-", member { id = "1" } .. "x"),
    ["what follows its hash"] = line("+", member { id = "1", email = HASH } .. "x"),
    ["an add without identifier"] = add {},
    ["a removal with an email"] = line("-", member { id = "1", email = HASH }),
    ["a removal with a phone"] = line("-", member { id = "1", phone = HASH }),
    ["a removal with uids"] = line("-", member { id = "1", uids = UID }),
    ["a removal with none in a list"] = line("-", member { id = "1", uids = "" }),
    ["another part"] = add { email = HASH, kind = 9 }, ["a part of one's own"] = add { kind = 8 },
    ["all parts there could be"] = add { email = HASH, phone = HASH, uids = UID, kind = 255 },
    ["a raw email"] = add { id = "1jane@example.com", kind = 1, id_length = 1 },
    ["a short hash"] = add { email = HASH:sub(3) },
    ["a phone that is short"] = add { email = HASH, phone = HASH:sub(3) },
    ["an email that is not there"] = add { phone = HASH, kind = 3 },
    ["an id beyond its line"] = line("-", member { id = "1", id_length = 2 }),
    ["an id beyond any line"] = line("-", member { id = "1", id_length = 2 ^ 24 - 1 }),
    ["an id that reaches into its hash"] = add { email = HASH, id_length = 2 },
    ["no uid in its list"] = add { uids = "" }, ["half a uid"] = add { uids = '{"type":"uid2"}' },
    ["a uid of no value"] = add { uids = '{"type":"uid2","value":""}' },
    ["a uid of no type"] = add { uids = '{"type":"","value":"b"}' },
    ["a uid that is a text"] = add { uids = '"uid2"' },
    ["a comma behind the last uid"] = add { uids = UID .. "," },
    ["no comma between two uids"] = add { uids = UID .. UID },
    ["a uid that ends its list"] = add { uids = UID .. '],"x":["y"' },
    ["a control character in a uid"] = add { uids = '{"type":"uid2","value":"b\n"}' },
    ["a uid that is no UTF-8"] = add { uids = '{"type":"uid2","value":"\255"}' },
    ["half a surrogate pair"] = remove "\\ud83d", ["an escape of one's own"] = remove "\\x",
    ["an escape of capitals"] = remove "\\u001F", ["an escape that is cut short"] = remove "\\u001",
    ["an escape at the end"] = remove "\\", ["an escape of a zero byte"] = remove "\\\0",
    ["a control character"] = remove "a\0b", ["what is no UTF-8"] = remove "\255",
    ["half a character"] = remove "a\195", ["a text that goes on"] = remove '1"},"x":"2', ["a quote"] = remove '"',
  } do
    it("are no members with " .. what, function()
      local p, said = take(bad .. remove "9")
      assert.same({ 1, 1 }, { said.members, said.bad })
      assert.same({ '-{"externalId":"9"}' }, packed_lines.read(p:as_lines()))
    end)
  end

  for what, cut in pairs {
    ["its operation alone"] = "-", ["half its length"] = "-\1\0", ["no member"] = "-\1\0\0\0",
    ["half its member"] = (remove "123"):sub(1, -2),
    ["a length of 4 GiB"] = line("-", member { id = "1" }, 2 ^ 32 - 1),
    ["one of 2 GiB"] = line("-", member { id = "1" }, 2 ^ 31), ["another operation too"] = line("*", "x", 2),
  } do
    it("end with one that is cut short, which has " .. what, function()
      local p, said = take(remove "9" .. cut)
      assert.same({ next = #remove "9" + #cut + 1, members = 1, bad = 1, unfit = 0, full = false }, said)
      assert.same({ '-{"externalId":"9"}' }, packed_lines.read(p:as_lines()))
    end)
  end
end)
