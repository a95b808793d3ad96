-- Emails of every script: lowercased as Unicode has it, trimmed as the contract has it.
local scope3 = require "scope3"
local core = require "scope3.core"

local function utf8_of(cp)
  if cp < 0x80 then
    return string.char(cp)
  elseif cp < 0x800 then
    return string.char(0xc0 + math.floor(cp / 0x40), 0x80 + cp % 0x40)
  elseif cp < 0x10000 then
    return string.char(0xe0 + math.floor(cp / 0x1000), 0x80 + math.floor(cp / 0x40) % 0x40, 0x80 + cp % 0x40)
  end
  return string.char(0xf0 + math.floor(cp / 0x40000), 0x80 + math.floor(cp / 0x1000) % 0x40,
    0x80 + math.floor(cp / 0x40) % 0x40, 0x80 + cp % 0x40)
end

-- A million strings are made; all Luas call the same C, so one does. Others look at the first plane.
local ALL = os.getenv "SCOPE3_THOROUGH" ~= ""

-- Every code point but the surrogates; of the planes 4 to 13, in which Unicode 17 has no character, each `step`-th.
local function each_code_point(visit, step)
  local cp, last = 0, ALL and 0x10ffff or 0xffff
  while cp <= last do
    if cp < 0xd800 or cp > 0xdfff then
      visit(cp, utf8_of(cp))
    end
    cp = cp + (cp >= 0x40000 and cp < 0xe0000 - step and step or 1)
  end
end

describe("lowercasing", function()
  local it_where_all = ALL and it or function() end
  it_where_all("is that of Node with Unicode 17, for every code point, alone, in words and next to a sigma", function()
    local sigma = utf8_of(0x3a3)
    local digest, block = "", {}
    local function close_block()
      digest = core.sha256(digest .. table.concat(block, "\n"))
      block = {}
    end
    each_code_point(function(cp, c)
      if cp == 9 or cp == 10 then
        return
      end
      block[#block + 1] = core.lowercase(c .. "\ta" .. c .. "B\ta" .. sigma .. c .. "\ta" .. sigma .. c .. "b\ta" .. c
        .. sigma .. "\t" .. c .. sigma)
      if #block == 4096 then
        close_block()
      end
    end, 1)
    close_block()
    -- What `make oracle` prints.
    assert.equal("b82136bedd176205b6383b98a7fd01b6c09b42f0ed4d920695d3772e09ced537", digest)
    assert.equal("17.0.0", core.unicode_version)
  end)
end)

-- The code points of ranges, as a set; added to `set` where one is given.
local function set_of(ranges, set)
  set = set or {}
  for _, range in ipairs(ranges) do
    for cp = range[1], range[2] or range[1] do
      set[cp] = true
    end
  end
  return set
end

local TRIMMED = {
  { 0x09, 0x0d }, { 0x1c, 0x20 }, { 0x85 }, { 0xa0 }, { 0x1680 }, { 0x2000, 0x200a },
  { 0x2028, 0x2029 }, { 0x202f }, { 0x205f }, { 0x3000 }, { 0xfeff },
}
-- DerivedCoreProperties.txt of Unicode 17: Default_Ignorable_Code_Point
local INVISIBLE = {
  { 0xad }, { 0x34f }, { 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
  { 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x206f }, { 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff },
  { 0xffa0 }, { 0xfff0, 0xfff8 }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
}

-- C0, DEL and C1: at the ends of a value they are as invisible.
-- And quotes, and marks of spreadsheets and Markdown, of which one side is enough.
local CONTROLS = { { 0, 0x1f }, { 0x7f, 0x9f } }
local MARKS = {
  { 0x22 }, { 0x27 }, { 0x2a }, { 0x3d }, { 0x60 }, { 0x7b, 0x7e }, { 0xab }, { 0xb4 },
  { 0xbb }, { 0x2018, 0x201f }, { 0x2032, 0x2033 }, { 0x2039, 0x203a }, { 0xff02 }, { 0xff07 },
}

describe("trimming", function()
  it("takes off the characters of the contract's list and no other", function()
    local listed = set_of(TRIMMED)
    local wrong = {}
    each_code_point(function(cp, c)
      local before = core.email_normalize(c .. "a@b.co", false) == "a@b.co"
      local behind = core.email_normalize("a@b.co" .. c, false) == "a@b.co"
      if before ~= (listed[cp] or false) or behind ~= (listed[cp] or false) then
        wrong[#wrong + 1] = ("U+%04X"):format(cp)
      end
    end, 64)
    assert.same({}, wrong)
  end)

  it("removes invisible characters too where that is allowed, and reports it; inside they are refused", function()
    local listed, invisible = set_of(MARKS, set_of(CONTROLS, set_of(INVISIBLE, set_of(TRIMMED)))), set_of(INVISIBLE)
    local wrong = {}
    each_code_point(function(cp, c)
      local before = core.email_normalize(c .. "a@b.co", true) == "a@b.co"
      local behind, repairs = core.email_normalize("a@b.co" .. c, true)
      local inside, why = core.email_normalize("a" .. c .. "c@b.co", true)
      -- Punctuation behind an address is another repair, and so is what parts it from an empty one.
      local trailing = cp < 0x80 and string.char(cp):find("[.,;>/]") ~= nil
      local leading = cp < 0x80 and string.char(cp):find("[,;<]") ~= nil
      if before ~= (listed[cp] or leading) or (behind == "a@b.co") ~= (listed[cp] or trailing)
        or (invisible[cp] and (inside or not (why == "email_invisible" or why == "email_space")))
        or (invisible[cp] and cp ~= 0xfeff and not (repairs and repairs[1] == "email_edges")) then
        wrong[#wrong + 1] = ("U+%04X"):format(cp)
      end
    end, 64)
    assert.same({}, wrong)
  end)
end)

describe("an email", function()
  it("that is not valid UTF-8 is never hashed, wherever the fault is", function()
    for _, bad in ipairs { "\255", "\192\175", "\237\160\128", "\244\144\128\128", "\195", "\226\130", "\128" } do
      for _, text in ipairs { bad .. "a@b.co", "a" .. bad .. "@b.co", "a@b" .. bad .. ".co", "a@b.co" .. bad } do
        local hash, err = scope3.email.hash(text)
        assert.is_nil(hash)
        assert.equal("email_utf8", err.code)
      end
    end
  end)

  it("gives the same by the short way of plain addresses as by the long one", function()
    -- A tab is trimmed by the long way alone, and so forces it.
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local letters = "aZ09._+-@ @.aB"
    for _ = 1, 20000 do
      local text = {}
      for i = 1, math.random(1, 24) do
        local at = math.random(#letters)
        text[i] = letters:sub(at, at)
      end
      text = table.concat(text)
      for _, repair in ipairs { true, false } do
        local short, short_why = core.email_normalize(text, repair)
        local long, long_why = core.email_normalize(text .. "\t", repair)
        if text:find("%S") then
          assert.equal(long, short, text)
          assert.same(long_why, short_why, text)
        end
      end
    end
    local long = ("a"):rep(250)
    assert.equal(long .. "@b.c", (scope3.email.normalize(long:upper() .. "@b.c")))
    local _, err = scope3.email.normalize(long .. "@b.co")
    assert.equal("email_too_long", err.code)
  end)

  it("takes emails of other scripts of up to 254 bytes", function()
    local longest = "É" .. ("A"):rep(248) .. "@b.c"
    assert.equal("é" .. ("a"):rep(248) .. "@b.c", (scope3.email.normalize(longest)))
    local _, err = scope3.email.normalize(longest .. "o")
    assert.equal("email_too_long", err.code)
  end)
end)
