-- Which words of a service's sentence are shown about members that are not in hand.
local redact = require "scope3.util.redact"
local words = require "scope3.util.redact.words"

describe("a path of an issue", function()
  for path, shown in pairs {
    ["audiences[0].add[12].uids[0].type"] = true, ["add[123456].name"] = true, ["add[1234567].name"] = false,
    ["9"] = false, ["[0].add"] = false, ["add.jane"] = false, ["add jane"] = false, [""] = false,
    ["add" .. (".add"):rep(49)] = true, ["add" .. (".add"):rep(50)] = false,
  } do
    it(("is %s: %s"):format(shown and "shown" or "hidden", path:sub(1, 40)), function()
      assert.equal(shown, redact.is_path(path))
    end)
  end
end)

describe("a code", function()
  for code, shown in pairs {
    TOO_SMALL = true, invalid_request = true, ["E.1"] = true, ["a b"] = false, ["jane12"] = false, ["a-1"] = false,
    ["X1234"] = false, ["9lives"] = false, [("x"):rep(64)] = true, [("x"):rep(65)] = false,
  } do
    it(("is %s: %s"):format(shown and "shown" or "hidden", code:sub(1, 20)), function()
      assert.equal(shown, words.is_code(code))
    end)
  end
end)

describe("a word", function()
  for _, case in ipairs {
    { "AB_C", true }, { "A_B", false }, { "externalId", true }, { "5.5%", true }, { "O'Brien", false },
    { "Brien's", true }, { "x9", false },
    { "co-operation", true }, { "502", true, "", "Bad" }, { "502", false, "the", "Bad" }, { "502", false, "", "" },
    { "12", true, "", "members" }, { "12", true, "line", "" }, { "12", false, "of the", "jane" }, { "-", true },
  } do
    it(("'%s' is %s"):format(case[1], case[2] and "shown" or "hidden"), function()
      assert.equal(case[2], words.is_harmless(case[1], case[3] or "", case[4] or ""))
    end)
  end

  for text, told in pairs {
    ["(member anna)"] = "(member [redacted])", ["the member was"] = "the member was",
    ["customer: anna is"] = "customer: [redacted] is", ["customer: external_id is"] = "customer: external_id is",
    ["member: externalId"] = "member: externalId", ["note: anna"] = "note: anna",
  } do
    it("that may be a name is hidden: " .. text, function()
      assert.equal(told, redact.strict(text))
    end)
  end

  for word, announces in pairs {
    ["id="] = true, ["uid#"] = true, ["(Member:"] = true, ["external_id:"] = true, id = false, ["note:"] = false,
    ["members"] = false, ["idea:"] = false,
  } do
    it(("%s a name: %s"):format(announces and "announces" or "does not announce", word), function()
      assert.equal(announces, words.announces_name(word))
    end)
  end
end)
