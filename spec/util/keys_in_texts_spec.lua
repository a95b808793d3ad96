-- An API key in a text is found whole, in pieces of eight bytes and encoded, and no shorter piece is.
local key = require "scope3.util.redact.key"
local patterns = require "scope3.util.redact.patterns"
local redact = require "scope3.util.redact"

local KEY = "scope3_Ab1-Cd2_Ef3.Gh4"

describe("an API key", function()
  for what, case in pairs {
    ["whole"] = { "key " .. KEY .. "!", true },
    ["in other case"] = { KEY:upper(), true },
    ["without its prefix"] = { "x Ab1-Cd2_Ef3.Gh4", true },
    ["a piece of eight bytes inside a text"] = { "a " .. KEY:sub(9, 16) .. " b", true },
    ["its last eight bytes at the end"] = { "a " .. KEY:sub(-8), true },
    ["its first eight bytes at the beginning"] = { KEY:sub(1, 8) .. " b", true },
    ["in base64"] = { "Basic c2NvcGUzX0FiMS1DZDJfRWYzLkdoNA", true },
    ["seven bytes at the end"] = { "a " .. KEY:sub(9, 15), false },
    ["seven bytes inside"] = { "a " .. KEY:sub(9, 15) .. " b", false },
    ["nothing of it"] = { "no key", false },
  } do
    it(("is %s in a text: %s"):format(case[2] and "found" or "not found", what), function()
      assert.equal(case[2], redact.holds_key(case[1], KEY))
    end)
  end

  it("is hidden where it stands, and the rest is kept", function()
    assert.equal("a [redacted] b", key.hide("a " .. KEY .. " b", KEY))
    assert.equal("a [redacted] b [redacted]", key.hide("a onetwothree b fourfivesix", { "onetwothree", "fourfivesix" }))
    assert.equal("ab is short", key.hide("ab is short", "ab"))
  end)

  it("that is shorter than a piece is found whole, wherever it stands", function()
    for length = 3, 8 do
      local short = ("abcdefgh"):sub(1, length)
      for before = 0, 8 do
        assert.equal(("."):rep(before) .. "[redacted].", key.hide(("."):rep(before) .. short .. ".", short))
      end
    end
  end)

  it("of many that were looked for leaves nothing behind", function()
    local function look(first, last)
      for i = first, last do
        key.hide("a text", ("%d "):format(i) .. ("k"):rep(1000))
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = look(1, 100)
    assert.is_true(look(101, 500) - before < 500) -- KiB, of 400 keys with forms of 4 KiB
  end)
end)

describe("a text of others", function()
  it("loses what may be a token: 32 letters, digits and marks in a row", function()
    local token = "gZ+/_-=_9uvwxyz-GHIJKLMNOPQRSTUV"
    assert.equal("a [redacted] b", redact.patterns("a " .. token .. " b"))
    assert.equal("a " .. token:sub(2) .. " b", redact.patterns("a " .. token:sub(2) .. " b"))
  end)

  it("loses control characters, and shows 500 bytes without half a character", function()
    assert.equal("a b c", redact.patterns("a\1\2b\127c"))
    assert.equal(("é "):rep(166) .. "é…", redact.patterns(("é "):rep(200)))
    assert.same({ "", true }, { patterns.cut(("\128"):rep(10), 5) })
    assert.same({ "é", true }, { patterns.cut("éé", 3) })
    assert.same({ "éé", false }, { patterns.cut("éé", 4) })
  end)

  it("is looked at for 2000 bytes, of which the last 255 are not shown where more follow", function()
    local ending = " fault in it"
    for bytes, shown in pairs { [2000] = "[redacted] fault in it", [2001] = "[redacted]…" } do
      assert.equal(shown, redact.text(("x"):rep(bytes - #ending) .. ending))
    end
    assert.equal("[redacted] ab cd ef gh ij…", redact.text(("x"):rep(1730) .. " ab cd ef gh ij kl mn op"
      .. (" qr"):rep(200))) -- 1745 bytes of it
  end)

  for hidden, texts in pairs {
    [true] = {
      "jane&#64;example.org", "jane&#0064;example.org", "jane&#x40;example.org", "jane&#X000040;example.org",
      "jane%40example.org", "jane\\u0040example.org",
    },
    [false] = { "jane&#164;example", "jane&#x140;example", "jane&#9;example" },
  } do
    for _, text in ipairs(texts) do
      it(("is searched for emails %s: %s"):format(hidden and "behind escapes" or "only", text), function()
        assert.equal(hidden, redact.text(text):find("jane", 1, true) == nil)
      end)
    end
  end
end)
