-- Members as lines, as machines hand them to one another.
local core = require "scope3.core"
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
      uids = { { type = "uid2", value = "VWlkMi1leGFtcGxlLXZhbHVlLW9mLTQ0LWJ5dGVzLTAxMjM=" } } })
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
      local list = {}
      for line in lines:gmatch "[^\n]+" do
        list[#list + 1] = line
      end
      table.sort(list)
      return list
    end
    assert.same(sorted(text), sorted(p:as_lines()))
    local emails, phones, uids = p:identifiers() -- which came hashed does not stand in a line
    assert.same({ 2, 1, 0 }, { emails, phones, uids })
  end)

  it("end before an @, and let the last of one id win", function()
    local text = '+{"externalId":"1","hashedEmail":"' .. HASH
      .. '"},\n-{"externalId":"1"},\n@x\n-{"externalId":"2"},\n'
    local p, said = take(text)
    assert.same({ next = text:find "@", members = 2, bad = 0, unfit = 0, full = false }, said)
    assert.equal('-{"externalId":"1"},\n', p:as_lines())
    p, said = take(text, text:find "@" + 3)
    assert.equal('-{"externalId":"2"},\n', p:as_lines())
    assert.equal(#text + 1, said.next)
  end)

  it("are read no further than there is room", function()
    local p = payload(45)
    local text = '-{"externalId":"1"},\n-{"externalId":"2"},\n-{"externalId":"3"},\n'
    local at, members, _, _, full = p:take(text, 1)
    assert.same({ 43, 2, true }, { at, members, full })
    p:reset()
    assert.equal(#text + 1, (p:take(text, at)))
    p = payload(15)
    local _, none, _, unfit = p:take(text, 1)
    assert.same({ 0, 3 }, { none, unfit })
  end)

  for what, line in pairs {
    ["an empty line"] = "", ["another operation"] = '*{"externalId":"1"},', ["no id"] = '-{"externalId":""},',
    ["no comma"] = '-{"externalId":"1"}', ["what follows"] = '-{"externalId":"1"},{}',
    ["an add without identifier"] = '+{"externalId":"1"},',
    ["a removal with one"] = '-{"externalId":"1","hashedEmail":"' .. HASH .. '"},',
    ["a raw email"] = '+{"externalId":"1","email":"jane@example.com"},',
    ["a hash of capitals"] = '+{"externalId":"1","hashedEmail":"' .. HASH:upper() .. '"},',
    ["a short hash"] = '+{"externalId":"1","hashedEmail":"' .. HASH:sub(2) .. '"},',
    ["no uid in its list"] = '+{"externalId":"1","uids":[]},',
    ["half a uid"] = '+{"externalId":"1","uids":[{"type":"uid2"}]},',
    ["a comma behind the last uid"] = '+{"externalId":"1","uids":[{"type":"a","value":"b"},]},',
    ["half a surrogate pair"] = '-{"externalId":"\\ud83d"},', ["an escape of one's own"] = '-{"externalId":"\\x"},',
    ["an escape at the end"] = '-{"externalId":"\\', ["a control character"] = '-{"externalId":"a\0b"},',
    ["what is no UTF-8"] = '-{"externalId":"\255"},', ["no end"] = '-{"externalId":"1',
    ["a text that goes on"] = '-{"externalId":"1"},"x":"2"},',
  } do
    it("are no members with " .. what, function()
      local p, said = take(line .. '\n-{"externalId":"9"},\n')
      assert.same({ 1, 1 }, { said.members, said.bad })
      assert.equal('-{"externalId":"9"},\n', p:as_lines())
    end)
  end
end)
