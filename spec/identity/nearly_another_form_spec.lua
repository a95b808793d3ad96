-- A value that begins like a form which is repaired, or holds a byte that ends texts elsewhere, is judged as it stands.
local scope3 = require "scope3"

local LONG_I = "\196\176" -- the I with a dot, which lowercase makes longer

-- The form that is kept and its repairs, in one line; the reason of a rejection.
local function read(kind, raw, opts)
  local normal, repairs = scope3[kind].normalize(raw, opts)
  return normal and normal .. (repairs and " " .. table.concat(repairs, " ") or "") or repairs.code
end

local function check(kind, expected, opts)
  for raw, outcome in pairs(expected) do
    assert.equal(outcome, read(kind, raw, opts), raw)
  end
end

describe("a value that is nearly in another form", function()
  it("is an email as it stands, or none", function()
    check("email", {
      ["a%zz@x.org"] = "a%zz@x.org", ["a%4x@x.org"] = "a%4x@x.org", -- no percent codes
      ["jane(at)x.org"] = "email_escaped", ["jane [at] x.org"] = "email_escaped",
      ["mailto:a%zz@x.org"] = "a%zz@x.org email_mailto", ["mailto:a%4x@x.org"] = "a%4x@x.org email_mailto",
      ["bad@; noemail@x.org"] = "email_several", ["#REF!"] = "email_placeholder", ["   "] = "email_placeholder",
      ["a@b-.org"] = "email_domain",
      ["noemail@x.org; a@x.org"] = "email_placeholder", [("bad@;"):rep(40) .. "a@x.org"] = "email_several",
      ["Jane <a@x>.org>"] = "email_space", ["[x@y.org)"] = "email_character",
      ["<a href=x@y.org>"] = "email_space", ["<a href=mailto:x@y.org>"] = "email_space",
      [("mailto:"):rep(3) .. "a@x.org"] = "a@x.org email_mailto",
      [("mailto:"):rep(20) .. "a@x.org"] = "email_character",
      [("Ab"):rep(10) .. "\206\163@x.org"] = ("ab"):rep(10) .. "\207\130@x.org", -- a sigma at the end of a word
      ["ab'\206\163@x.org"] = "ab'\207\130@x.org", ["'\206\163@x.org"] = "\207\131@x.org email_marks",
    })
  end)

  it("is a phone number with its extension, or none", function()
    check("phone", {
      ["+12065550142 extensi\195\179n 5"] = "+12065550142", ["+12065550142 extensio\204\129n 5"] = "+12065550142",
      ["+12065550142 extensi\195\179 5"] = "+12065550142", ["+12065550142 extensio 5"] = "+12065550142",
      ["+12065550142 extensix 5"] = "phone_too_long", ["+12065550142 extensi"] = "phone_too_long",
      ["+12065550142 extensio"] = "phone_too_long", ["+12065550142 ext"] = "phone_too_long",
      ["+12065550142 \239\189\133\239\189\152\239\189\148\239\189\142 5"] = "+12065550142",
      ["+12065550142 \239\188\165\239\188\184\239\188\180\239\188\142 5"] = "+12065550142",
      ["+12065550142 \239\189\133\239\189\152\239\189\148"] = "+12065550142",
      ["+12065550142 / x 5"] = "+12065550142", ["+12065550142 /"] = "+12065550142",
      ["+12065550142;isub=5"] = "+12065550142", [";isub=12"] = "phone_national",
      ["+"] = "phone_letters", ["+99"] = "phone_too_short", ["tel:"] = "phone_letters",
      ["+1206555FILM"] = "+12065553456", ["tel:;isub=12;phone-context=example.com"] = "phone_too_short",
      ["  "] = "phone_placeholder", ["#REF!"] = "phone_placeholder",
      ["+12065550142 or +12065550143"] = "phone_several", ["+12065550142 and +12065550143"] = "phone_several",
    })
    check("phone", { -- an old form of its country that gives no number
      ["+52 1 0000000000"] = "phone_too_long", ["+52 1 55 1234 5678"] = "+525512345678 phone_mexico",
      ["+225 31612345"] = "+2252731612345 phone_ivory_coast", ["+225 12345678"] = "phone_too_short",
    }, { phone_repairs = "all" })
  end)

  it("names a region, or none", function()
    local known = { ["-US"] = true, ["USA-DE"] = true }
    for _, region in ipairs { "-US", "USA-DE", "en--US", "a-b-c-d-e-f-g-h-i-j", "US-x-y", "US-abcd", "BR-PA-x",
      "Foo (Germany)", "(Nowhere)", ("x"):rep(100) } do
      local normal, err = scope3.phone.normalize("2065550142", region)
      assert.equal(known[region] and "+12065550142" or "phone_region", normal or err.code, region)
    end
    assert.equal("+491711234567", (scope3.phone.normalize("01711234567", "(Germany)")))
    for region, is_american in pairs { ["ZM-US"] = false, ["ZA-US"] = false, ["zu-US"] = true } do
      assert.equal(is_american, scope3.phone.normalize("2065550142", region) ~= nil, region)
    end
  end)

  it("is an id, or none", function()
    check("external_id", {
      ["a\226\128\168b"] = "id_control", ["a\226\128\169b"] = "id_control", -- separators of lines and of paragraphs
      ['("x"y")'] = '("x"y")', ['{a"b}'] = '{a"b}', ["100%zz"] = "100%zz", ["-1.0"] = "-1 id_decimal",
      ['NumberLong("1"2")'] = 'NumberLong("1"2")', ["' @x.org'"] = "@x.org id_marks",
      ["#REF!"] = "id_placeholder", ["#REF 1!"] = "#REF 1!", ["#a@b!"] = "#a@b!", ["#R1!"] = "#R1!", ["#0!"] = "#0!",
      ["00000000-0000-0000-0000x000000000000"] = "00000000-0000-0000-0000x000000000000",
      ["00000000-0000-0000x0000-000000000000"] = "00000000-0000-0000x0000-000000000000",
    })
    check("external_id", { -- digits that are laid out like a phone's, or nearly
      ["()1234567"] = "()1234567", ["(123456) 5550142"] = "(123456) 5550142", ["(20655) 50"] = "(20655) 50",
      ["(12) 34567"] = "id_phone", ["0049 171" .. (" "):rep(70) .. "1234567"] = "id_phone",
      ["%2b" .. ("1"):rep(200)] = "%2b" .. ("1"):rep(200),
      ["00" .. (" "):rep(300) .. "491711234567"] = "00" .. (" "):rep(300) .. "491711234567",
    })
  end)

  it("is a universal id of its type, or none", function()
    local function judge(type_, value)
      local ok, what = scope3.uid.check(type_, value)
      return ok and (what and what[1] or "fine") or what.code
    end
    local raw = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="
    for _, case in ipairs {
      { "uid2", "%zz", "uid_malformed" }, { "uid2", "%4z", "uid_malformed" }, { "uid2", "%4", "uid_malformed" },
      { "uid2", "%4a", "uid_escaped" }, { "foo", "{x", "fine" },
      { "foo", "a\194\173b", "uid_control" }, { "uid2", ("A"):rep(50), "uid_token" },
      { "uid2", raw, "fine" }, { "uid2", raw:gsub("B", "_"), "uid_base64" },
      { "uid2", raw:gsub("B", "-"), "uid_base64" },
      { "rampid_derived", "Xi" .. ("a"):rep(68), "fine" }, { "rampid_derived", "Yi" .. ("a"):rep(68), "uid_malformed" },
      { "rampid_derived", "Xi" .. ("a"):rep(67), "uid_malformed" },
      { "rampid_derived", "Xi" .. ("+"):rep(68), "uid_malformed" },
      { "hashed_email", "x", "hash_malformed" }, { "hashed_email", ("/+//"):rep(21) .. "/w==", "hash_malformed" },
      { "hashed_email", ("QUFB"):rep(21) .. "QQ==", "hash_base64_of_hex" },
      { "iud2", raw, "uid_type_close" }, { "ui2d", raw, "uid_type_close" }, { "pairix", raw, "uid_type_close" },
      { ("a"):rep(50), raw, "fine" },
      { "\239\189\160id2", raw, "fine" }, -- a full-width bracket is no letter
    } do
      assert.equal(case[3], judge(case[1], case[2]), case[1] .. " " .. case[2])
    end
  end)

  it("is no yes and no no where its lowercase form is longer than all of these", function()
    assert.is_nil(scope3.yes(LONG_I:rep(9)))
    assert.is_nil(scope3.yes(LONG_I:rep(12)))
  end)

  it("is another person's than the same digits in a phone, where they are far more", function()
    local vips = assert(scope3.audience "vips")
    assert.is_true(vips:add { external_id = ("1"):rep(200), phone = "+12065550142" })
    assert.is_nil((vips:add { external_id = "12065550142", phone = "+12065550142" }))
  end)

  it("is read on behind a zero byte", function()
    check("email", { ["ja\0ne@x.org"] = "email_space", ["jane@x\0.org"] = "email_space",
      ["jane@x.org\0"] = "jane@x.org email_edges" })
    check("phone", { ["+1 206\000555 0142"] = "phone_character", ["+12065550142 ext\0 5"] = "phone_character",
      ["+1 206 555 0142\0"] = "+12065550142" })
    check("external_id", { ["a\0b"] = "id_control", ["null\0null"] = "id_control",
      ["'\0abc'"] = "id_control", ["'abc\0'"] = "id_control", ["'\0'abc''"] = "id_control" })
    check("phone", { ["\0;+12065550143"] = "+12065550143",
      ["+12065550142\0;+12065550143"] = "+12065550142 phone_first" },
      { phone_repairs = "all" })
    for type_, value in pairs { foo = "206\000555 0142", uid2 = ("A"):rep(30) .. "\0" .. ("A"):rep(30) } do
      local ok, err = scope3.uid.check(type_, value)
      assert.same({ nil, "uid_control" }, { ok, not ok and err.code })
    end
  end)
end)
