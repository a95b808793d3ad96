-- Phones: read and validated as Google's libphonenumber does, by its own answers.
local scope3 = require "scope3"
local core = require "scope3.core"

describe("a phone", function()
  it("is what libphonenumber makes of it, for 24,000 inputs of all regions", function()
    local lines, valid, wrong = 0, 0, {}
    for line in io.lines("spec/oracle/phones.tsv") do
      local region, text, want = line:match("^(.-)\t(.-)\t(.*)$")
      text = text:gsub("\\x(%x%x)", function(hex)
        return string.char(tonumber(hex, 16))
      end)
      lines, valid = lines + 1, valid + (want ~= "" and 1 or 0)
      local got = core.phone_normalize(text, region ~= "" and region or nil) or ""
      -- A blank text has no answer here, and none at Google.
      if got ~= want then
        wrong[#wrong + 1] = line .. " ours: " .. got
      end
    end
    assert.same({}, wrong)
    assert.is_true(lines >= 20000 and valid > 8000)
  end)

  it("in international form hashes with its plus, whatever the punctuation", function()
    for _, raw in ipairs { "+12065551234", "+1 (206) 555-1234", " +1.206.555.1234 ", "+1/206/555/1234", "+1\194\160206\226\128\147555\226\128\1471234",
      "+1 206-555-1234 ext. 7", "+１２０６５５５１２３４", "tel:+1-206-555-1234", "+1 206 555 1234 (x)" } do
      assert.equal("+12065551234", (scope3.phone.normalize(raw)))
      assert.equal("f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca", (scope3.phone.hash(raw)))
    end
  end)

  it("in national form is read by its region, given as code or name", function()
    local cases = {
      { "(206) 555-1234", "US", "+12065551234" }, { "0113 496 0123", "GB", "+441134960123" }, { "030 23125 123", "DEU", "+493023125123" },
      { "01 99 00 12 34", "France", "+33199001234" }, { "02 1234 5678", "Italy", "+390212345678" }, { "40 12 34 56", "norway", "+4740123456" },
      { "011 15-2345-6789", "Argentina", "+5491123456789" }, { "00 44 113 496 0123", "de", "+441134960123" }, { "1-800-FLOWERS", "us", "+18003569377" },
      { "+44 (0)113 496 0123", nil, "+441134960123" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[3], (scope3.phone.normalize(case[1], case[2])), case[1])
      assert.equal(case[3], (scope3.phone.normalize(case[1], case[2] and { region = case[2] })), case[1])
    end
  end)

  it("that cannot be used is refused with its reason, and never guessed at", function()
    local cases = {
      { "0206 555 1234", nil, "phone_national" }, { "0206 555 1234", "Atlantis", "phone_region" }, { "call me", "US", "phone_letters" },
      { "+999 1234567", "US", "phone_country_code" }, { "+49 30", nil, "phone_invalid" }, { "+1 206 555 123", nil, "phone_invalid" }, { "+1", nil, "phone_too_short" },
      { "12", "US", "phone_invalid" }, { "+1234567890123456789012", nil, "phone_too_long" }, { ("1"):rep(251), "US", "phone_too_long" },
      { "4.4771E+11", "GB", "phone_spreadsheet" },
      { "4,4771e+11", "GB", "phone_spreadsheet" }, { "unknown", "US", "phone_placeholder" }, { "+1206555\2551234", nil, "phone_utf8" },
      { "tel:206-555-1234;phone-context=+1", "US", "phone_context" }, { "3@4@5@6@7@8@9", "US", "phone_character" },
    }
    for _, case in ipairs(cases) do
      local hash, why, text = scope3.phone.hash(case[1], case[2])
      assert.is_nil(hash, case[1])
      assert.equal(case[3], why, case[1])
      assert.is_string(text)
    end
  end)

  it("says which metadata it goes by", function()
    assert.equal("9.0.40", scope3.phone.metadata_version)
  end)
end)

describe("a region", function()
  it("is known by alpha-2, alpha-3 and the names that exports have, in any case", function()
    for _, name in ipairs { "us", "USA", "United States", "united states of america", "Norway", "Antigua and Barbuda", "Antigua & Barbuda", "Korea", "South Korea",
      "Ivory Coast", "Côte d'Ivoire", "COTE D'IVOIRE", "Congo", "Slovakia (Slovak Republic)", "Libyan Arab Jamahiriya", "Holy See (Vatican City State)", "Réunion", "Åland Islands",
      "The Netherlands", "Gambia", "the Bahamas", "Russian Federation", "Swaziland", "Viet Nam", "Türkiye", "Curaçao", "U.S.A.", "Cocos (Keeling) Islands", "Kosovo" } do
      assert.is_true(core.region_known(name), name)
    end
    for _, name in ipairs { "", " ", "Atlantis", "U", "XX", "Lake Harold", "001", ("x"):rep(500), "\255" } do
      assert.is_false(core.region_known(name), name)
    end
  end)

  it("of the row counts before the one of the job, which must be known", function()
    local client = assert(scope3.client {})
    local rows = { { id = "1", tel = "40 12 34 56", land = "Norway" }, { id = "2", tel = "(206) 555-1234" }, { id = "3", tel = "030 23125 123", land = "Nowhere" } }
    local i = 0
    local function iterate()
      i = i + 1
      return rows[i]
    end
    local res = assert(client:run({ map = { external_id = "id", phone = "tel", region = "land" }, audience = "a", region = "US" }, iterate, { dry_run = true }))
    assert.same({ 2, { phone_region = 1 } }, { res.identifiers.hashed_phone, res.dropped })
    local _, err = client:run({ map = { external_id = "id", phone = "tel" }, audience = "a" }, iterate, { dry_run = true, region = "Nowhere" })
    assert.equal("region", err.issues[1].path)
    assert.is_nil(scope3.audience({ id = "a" }, { region = "Nowhere" }))
    local audience = assert(scope3.audience({ id = "a" }, { region = "Germany" }))
    assert.is_true(audience:add { external_id = "1", phone = "030 23125 123" })
  end)
end)
