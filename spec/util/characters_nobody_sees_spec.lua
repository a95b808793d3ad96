-- What moves the cursor, gives a terminal orders or turns the reading direction is written out, and nothing else is.
local json = require "scope3.util.json"
local visible = require "scope3.util.visible"

-- Ranges of code points that are hidden (Unicode 15: Cc, and Cf without the joiners that names need).
local HIDDEN = {
  { 0x80, 0x9F }, { 0xAD, 0xAD }, { 0x61C, 0x61C }, { 0x180E, 0x180E }, { 0x200B, 0x200B }, { 0x200E, 0x200F },
  { 0x2028, 0x202E }, { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F },
}

local function utf8_of(code)
  if code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

-- How a JSON text without characters outside ASCII writes one.
local function escaped(code)
  if code < 0x10000 then
    return ("\\u%04x"):format(code)
  end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
end

describe("a character that nobody sees", function()
  for _, range in ipairs(HIDDEN) do
    it(("is written out from U+%04X to U+%04X, and its neighbours are not"):format(range[1], range[2]), function()
      for _, code in ipairs(range) do
        local character = utf8_of(code)
        assert.equal(("a\\u{%x}b"):format(code), visible.text("a" .. character .. "b"))
        assert.equal('"a' .. escaped(code) .. 'b"', json.pretty("a" .. character .. "b"))
      end
      for _, code in ipairs { range[1] - 1, range[2] + 1 } do
        if code >= 0x80 then
          local character = utf8_of(code)
          assert.equal(character, visible.text(character))
          assert.equal('"' .. character .. '"', json.pretty(character))
        end
      end
    end)
  end

  it("is written out where bytes are no UTF-8", function()
    assert.equal("a\\xff\\x80b", visible.text "a\255\128b")
    assert.equal("\\x1b[2J\\x7f", visible.text "\27[2J\127")
    assert.equal("a\239\191\189\239\191\189b", visible.lossy "a\255\128b")
  end)

  it("is no part of names and emoji", function()
    for _, text in ipairs { "Zoë Müller", "\224\164\149\226\128\141\224\164\183", "👩‍💻", "plain" } do
      assert.equal(text, visible.text(text))
    end
  end)
end)

describe("a whole number of 2^53 and more in JSON", function()
  it("stays the text that it is where it may be an id, and only there", function()
    assert.equal("9007199254740993", json.decode("9007199254740993", true))
    assert.equal("number", type(json.decode "9007199254740993"))
    assert.equal(5, json.decode("5", true))
  end)
end)
