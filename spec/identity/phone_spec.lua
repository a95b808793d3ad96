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
    for _, raw in ipairs {
      "+12065551234", "+1 (206) 555-1234", " +1.206.555.1234 ", "+1/206/555/1234",
      "+1\194\160206\226\128\147555\226\128\1471234", "+1 206-555-1234 ext. 7",
      "+１２０６５５５１２３４", "tel:+1-206-555-1234", "+1 206 555 1234 (x)",
    } do
      assert.equal("+12065551234", (scope3.phone.normalize(raw)))
      assert.equal("f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca", (scope3.phone.hash(raw)))
    end
  end)

  it("in national form is read by its region, given as code or name", function()
    local cases = {
      { "(206) 555-1234", "US", "+12065551234" }, { "0113 496 0123", "GB", "+441134960123" },
      { "030 23125 123", "DEU", "+493023125123" }, { "01 99 00 12 34", "France", "+33199001234" },
      { "02 1234 5678", "Italy", "+390212345678" }, { "40 12 34 56", "norway", "+4740123456" },
      { "011 15-2345-6789", "Argentina", "+5491123456789" },
      { "00 44 113 496 0123", "de", "+441134960123" }, { "1-800-FLOWERS", "us", "+18003569377" },
      { "+44 (0)113 496 0123", nil, "+441134960123" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[3], (scope3.phone.normalize(case[1], case[2])), case[1])
      assert.equal(case[3], (scope3.phone.normalize(case[1], case[2] and { region = case[2] })), case[1])
    end
  end)

  it("that cannot be used is refused with its reason, and never guessed at", function()
    local cases = {
      { "0206 555 1234", nil, "phone_national" }, { "0206 555 1234", "Atlantis", "phone_region" },
      { "call me", "US", "phone_letters" }, { "+999 1234567", "US", "phone_country_code" },
      { "+49 30", nil, "phone_too_short" }, { "+1 206 555 123", nil, "phone_too_short" },
      { "+1 206 555 12345", nil, "phone_too_long" }, { "+1 106 555 1234", nil, "phone_invalid" },
      { "030 23125 123", "NO", "phone_too_long" }, { "+1", nil, "phone_too_short" }, { "12", "US", "phone_too_short" },
      { "+1234567890123456789012", nil, "phone_too_long" }, { ("1"):rep(251), "US", "phone_too_long" },
      { "4.4771E+11", "GB", "phone_spreadsheet" },
      { "4,4771e+11", "GB", "phone_spreadsheet" }, { " '4.4771E+11 ", "GB", "phone_spreadsheet" },
      { "+4.4771E+11", "GB", "phone_spreadsheet" },
      -- without a sign, as Java and Python write it, libphonenumber takes it for a number: +49390612349
      { "3.9061234E9", "DE", "phone_spreadsheet" }, { "4.915112345678E12", "DE", "phone_spreadsheet" },
      { "3.9061234E-9", "IT", "phone_spreadsheet" },
      { "4.4E+12345", "GB", "phone_character" },
      { "030 23125123 / 030 23125124", "DE", "phone_several" },
      { "030 23125123/030 23125124", "DE", "phone_several" }, { "+12065551234, +12065551235", nil, "phone_several" },
      { "(206) 555-1234; (206) 555-1235", "US", "phone_several" },
      { "555-1234; 206-555-1235", "US", "phone_several" }, { "555-123; 206-555-1235", "US", "phone_character" },
      { "206-555-1234 or 206-555-1235", "US", "phone_several" },
      { "+1 206 555 1234 +1 206 555 1235", nil, "phone_several" },
      { "206-555-1234\n206-555-1235", "US", "phone_several" },
      { "030/23125123/12345678901", "DE", "phone_several" }, { "555-1234/12", "US", "phone_too_short" },
      { "unknown", "US", "phone_placeholder" }, { "+1206555\2551234", nil, "phone_utf8" },
      { "tel:206-555-1234;phone-context=", "US", "phone_context" },
      { "tel:206-555-1234;phone-context=+1x", "US", "phone_context" },
      { "040 1234567", "Antarctica", "phone_no_plan" }, { "3@4@5@6@7@8@9", "US", "phone_character" },
    }
    for _, case in ipairs(cases) do
      local hash, err = scope3.phone.hash(case[1], case[2])
      assert.is_nil(hash, case[1])
      assert.equal(case[3], err.code, case[1])
      assert.is_string(err.message)
    end
  end)

  it("of a tel: URI is read by its phone-context (RFC 3966)", function()
    for _, raw in ipairs {
      "tel:206-555-1234;phone-context=+1", "tel:+1-206-555-1234;phone-context=example.com",
      "tel:555-1234;phone-context=+1-206", "tel:206-555-1234;ext=7;phone-context=+1",
    } do
      assert.equal("+12065551234", (scope3.phone.normalize(raw)), raw)
    end
  end)

  it("may have a plus and an unknown region", function()
    assert.equal("+12065551234", (scope3.phone.normalize("+1 206 555 1234", "Atlantis")))
  end)

  it("is the same in the digits of every script", function()
    -- zeros of Arabic-Indic, Devanagari, Bengali, Thai, Tibetan, Khmer, full-width, Osmanya, mathematical bold, Adlam
    for _, zero in ipairs { "\217\160", "\224\165\166", "\224\167\166", "\224\185\144", "\224\188\160",
      "\225\159\160", "\239\188\144", "\240\144\146\160", "\240\157\159\142", "\240\158\165\144" } do
      local raw = ("+1 206-555-1234"):gsub("%d", function(d)
        return zero:sub(1, -2) .. string.char(zero:byte(-1) + d)
      end)
      assert.equal("+12065551234", (scope3.phone.normalize(raw)))
    end
    assert.is_nil((scope3.phone.normalize("+1 206 555 123\194\178"))) -- a superscript two is no decimal digit
  end)

  it("loses letters that are not ASCII after it, as Google's JavaScript has it", function()
    for _, raw in ipairs {
      "030 23125123 \208\188\208\190\208\177", "030 23125123 \195\169",
      "030 23125123\239\188\136\232\135\170\229\174\133\239\188\137",
    } do
      assert.equal("+493023125123", (scope3.phone.normalize(raw, "DE")))
    end
  end)

  describe("that libphonenumber refuses or misreads", function()
    -- repair, text, region, what libphonenumber makes of it, what the repair makes of it
    local CASES = {
      { "plus", "4915112345678", "DE", "+494915112345678", "+4915112345678" },
      { "plus", "38348123456", "XK", "+38338348123456", "+38348123456" },
      { "decimal", "+493023125123.0", "DE", "+4930231251230", "+493023125123" },
      { "decimal", "+4366412345670.00", "AT", "+436641234567000", "+4366412345670" },
      { "mexico", "+52 1 55 1234 5678", "MX", nil, "+525512345678" },
      { "mexico", "044 55 1234 5678", "MX", nil, "+525512345678" },
      { "mexico", "045 55 1234 5678", "MX", nil, "+525512345678" },
      { "mexico", "01 55 1234 5678", "MX", nil, "+525512345678" },
      { "words", "030 23125123 privat", "DE", nil, "+493023125123" },
      { "trunk_zero", "+34 (0) 612 345 678", nil, nil, "+34612345678" },
      { "trunk_zero", "+39 (0) 312 345 6789", nil, "+3903123456789", "+393123456789" },
      { "double_zero", "00 44 20 7946 0018", "US", nil, "+442079460018" },
      { "first", "206-555-0142 ::: 206-555-0143", "US", nil, "+12065550142" },
      { "first", "+12065550142; +12065550143", nil, nil, "+12065550142" },
      { "benin", "97 12 34 56", "BJ", nil, "+2290197123456" },
      { "benin", "+229 21 30 12 34", nil, nil, "+2290121301234" },
      { "ivory_coast", "08060709", "CI", nil, "+2250708060709" },
      { "ivory_coast", "+22506060709", nil, nil, "+2250506060709" },
      { "ivory_coast", "03-060-701", "CI", nil, "+2250103060701" },
      { "ivory_coast", "+225 20 20 40 50", nil, nil, "+2252720204050" },
      { "brazil", "(11) 8765-4321", "BR", nil, "+5511987654321" },
      { "brazil", "+55 21 6123-4567", nil, nil, "+5521961234567" },
    }

    it("is repaired by the one repair that is for it, and by no other, and only when that was asked for", function()
      local core_repairs = core.phone_repairs
      assert.same({
        "decimal", "plus", "mexico", "words", "trunk_zero", "double_zero", "first", "benin", "ivory_coast", "brazil",
      }, core_repairs)
      for _, case in ipairs(CASES) do
        local name, raw, region, google, repaired = case[1], case[2], case[3], case[4], case[5]
        assert.equal(google, (scope3.phone.normalize(raw, region)), raw)
        for _, repair in ipairs(core_repairs) do
          local want = repair == name and repaired or google
          local got, repairs = scope3.phone.normalize(raw, { region = region, phone_repairs = { repair } })
          assert.equal(want, got, repair .. ": " .. raw)
          assert.same(want ~= google and { "phone_" .. repair } or nil, got and repairs or nil)
        end
        local got, repairs = scope3.phone.normalize(raw, { region = region, phone_repairs = "all" })
        assert.equal(repaired, got, raw)
        assert.is_true(#repairs >= 1)
      end
    end)

    it("may need several repairs, and gets no more than it needs", function()
      local cases = {
        { "4915112345678.0", "DE", "+4915112345678", { "phone_decimal", "phone_plus" } },
        { "00 44 (0) 20 7946 0018 home", "US", "+442079460018", { "phone_words", "phone_double_zero" } },
        { "00 34 (0) 612 345 678", "US", "+34612345678", { "phone_trunk_zero", "phone_double_zero" } },
        {
          "00 34 (0) 612 345 678 casa", "US", "+34612345678",
          { "phone_words", "phone_trunk_zero", "phone_double_zero" },
        },
      }
      for _, case in ipairs(cases) do
        local got, repairs = scope3.phone.normalize(case[1], { region = case[2], phone_repairs = "all" })
        assert.equal(case[3], got, case[1])
        assert.same(case[4], repairs, case[1])
      end
    end)

    it("stays as it is where a repair would be a guess", function()
      for _, case in ipairs {
        { "01.42.68.53.00", "FR", "+33142685300" }, { "(206) 555-1234", "US", "+12065551234" },
        { "0151 12345678", "DE", "+4915112345678" }, { "+44 (0)20 7946 0018", nil, "+442079460018" },
        { "1-800-FLOWERS", "US", "+18003569377" }, { "030 23125123 ext. 5", "DE", "+493023125123" },
        { "+39 (0)55 947 36464", nil, "+3905594736464" },
      } do -- a landline: the zero belongs to it
        local got, repairs = scope3.phone.normalize(case[1], { region = case[2], phone_repairs = "all" })
        assert.equal(case[3], got)
        assert.is_nil(repairs)
      end
      -- another country's code
      assert.is_nil((scope3.phone.normalize("447911123456", { region = "US", phone_repairs = "all" })))
      -- and what is too short to cut anything off
      assert.equal("+29022158", (scope3.phone.normalize("22158", { region = "SH", phone_repairs = "all" })))
      for _, raw in ipairs { "22158 home", "22158.0" } do
        assert.is_nil((scope3.phone.normalize(raw, { region = "SH", phone_repairs = "all" })))
      end
    end)

    it("keeps every answer of Google's that is not repaired, over 24,000 inputs", function()
      local changed, repaired = {}, 0
      for line in io.lines("spec/oracle/phones.tsv") do
        local region, text, want = line:match("^(.-)\t(.-)\t(.*)$")
        text = text:gsub("\\x(%x%x)", function(hex)
          return string.char(tonumber(hex, 16))
        end)
        local got, repairs = core.phone_normalize(text, region ~= "" and region or nil, core.phone_repairs)
        if got and repairs then
          repaired = repaired + 1
        -- a decimal that is no number without its zeros is refused
        elseif (got or "") ~= want and not text:find("^%+?%d+%.0+[ \194\160]*$") then
          changed[#changed + 1] = line
        end
      end
      assert.same({}, changed)
      assert.is_true(repaired > 100)
    end)

    it("has its repairs counted in a job, and their names checked", function()
      local client = assert(scope3.client {})
      local audience = assert(scope3.audience({ id = "a" }, { region = "DE", phone_repairs = { "plus", "words" } }))
      assert.is_true(audience:add { external_id = "1", phone = "4915112345678" })
      assert.is_true(audience:add { external_id = "2", phone = "030 23125123 privat" })
      assert.is_true(audience:add { external_id = "3", phone = "030 23125123" })
      local res = assert(client:sync(audience, { dry_run = true }))
      assert.same({ phone_plus = 1, phone_words = 1 }, res.repaired)
      assert.has_error(function()
        scope3.phone.normalize("1", { phone_repairs = { "pluss" } })
      end, 'scope3.phone.normalize: phone_repairs must be "all" or a list of decimal, plus, mexico, words, trunk_zero, '
        .. "double_zero, first, benin, ivory_coast, brazil (did you mean 'plus'?)")
    end)
  end)

  it("says which metadata it goes by", function()
    assert.equal("9.0.40", scope3.phone.metadata_version)
  end)
end)

describe("a region", function()
  it("is known by alpha-2, alpha-3 and the names that exports have, in any case", function()
    for _, name in ipairs {
      "us", "USA", "United States", "united states of america", "Norway", "Antigua and Barbuda",
      "Antigua & Barbuda", "Korea", "South Korea", "Ivory Coast", "Côte d'Ivoire", "COTE D'IVOIRE", "Congo",
      "Slovakia (Slovak Republic)", "Libyan Arab Jamahiriya", "Holy See (Vatican City State)", "Réunion",
      "Åland Islands", "The Netherlands", "Gambia", "Gambia, The", "Bahamas, The", "St. Vincent and the Grenadines",
      "Saint Kitts & Nevis", "UK", "EL", "Hong Kong SAR", "Congo, Dem. Rep.", "Federal Republic of Germany",
      "Republic of India", "French Republic", "United Kingdom of Great Britain and Northern Ireland",
      "Iran, Islamic Rep.", "Lao PDR", "the Bahamas", "Russian Federation", "Swaziland",
      "Viet Nam", "Türkiye", "Curaçao", "U.S.A.", "Cocos (Keeling) Islands", "Kosovo",
    } do
      assert.is_string(core.region(name), name)
    end
    for _, name in ipairs { "", " ", "Atlantis", "U", "XX", "Lake Harold", "001", ("x"):rep(500), "\255" } do
      assert.is_nil(core.region(name), name)
    end
  end)

  it("is known for every country of ISO 3166, by alpha-2, alpha-3 and English short name", function()
    -- These have no plan of their own in libphonenumber's metadata.
    local without = { AQ = true, BV = true, GS = true, HM = true, PN = true, TF = true, UM = true }
    local count, wrong = 0, {}
    for code, alpha3, names in require("spec.support.countries"):gmatch("(%u%u) (%u%u%u) ([^\n]+)") do
      count = count + 1
      local want = not without[code] and code
      for _, name in ipairs { code, code:lower(), alpha3, alpha3:lower() } do
        if core.region(name) ~= want then
          wrong[#wrong + 1] = name
        end
      end
      for name in (names .. "; "):gmatch("(.-); ") do
        if core.region(name) ~= want or core.region(" " .. name:upper() .. " ") ~= want then
          wrong[#wrong + 1] = name
        end
      end
    end
    assert.same({}, wrong)
    assert.equal(249, count)
  end)

  it("is known by its names in six other languages, with and without their accents", function()
    for code, names in pairs {
      DE = { "Deutschland", "DEUTSCHLAND", "Allemagne", "Alemania", "Germania", "Duitsland", "Alemanha", "BRD" },
      AT = { "Österreich", "Oesterreich", "OSTERREICH", "Autriche", "Oostenrijk" },
      CH = { "Schweiz", "Suisse", "Svizzera", "Zwitserland", "Suiza" },
      GB = { "Großbritannien", "Grossbritannien", "Vereinigtes Königreich", "Royaume-Uni", "Reino Unido" },
      US = { "Vereinigte Staaten", "États-Unis", "EE. UU.", "Stati Uniti", "Estados Unidos" },
      ES = { "España", "Espagne", "Spanien" }, FR = { "Frankreich", "França", "Francia" },
      NL = { "Niederlande", "Pays-Bas", "Países Bajos" }, CZ = { "Tschechien", "Tchéquie", "República Checa" },
      SE = { "Sverige", "Schweden" }, DK = { "Danmark", "Dänemark", "Daenemark" }, PL = { "Polska", "Polen" },
    } do
      for _, name in ipairs(names) do
        assert.equal(code, core.region(name), name)
      end
    end
    for _, name in ipairs { "Kongo", "Irland (Nord)", "Irlanda (del Nord)", "Irlande (du Nord)", "Ierland (Noord)" } do
      assert.is_nil(core.region(name), name)
    end
  end)

  it("whose name is shared by several is none of them, unless what stands in brackets decides", function()
    assert.equal("KP", core.region("Korea (the Democratic People's Republic of)"))
    assert.equal("KR", core.region("Korea (the Republic of)"))
    assert.equal("SX", core.region("Saint Martin (Dutch part)"))
    for _, name in ipairs { "Korea (somewhere)", "Congo (Leopoldville)", "China (Hong Kong)", "Ireland (Northern)" } do
      assert.is_nil(core.region(name), name)
    end
  end)

  it("that is not known is counted by name where ten rows have it, and never where it looks like no name", function()
    local client = assert(scope3.client {})
    local rows = {}
    for land, times in pairs {
      Atlantis = 10, ["Erika Mustermann"] = 9, ["jane@example.com"] = 10, ["+1 206 555 1234"] = 10,
      N0rway = 10, Norway = 10, Antarctica = 10, ["٠٣٠٢٣١٢٥"] = 10, ["ｊａｎｅ＠example"] = 10,
    } do
      for _ = 1, times do
        local i = #rows + 1
        rows[i] = { id = tostring(i), tel = "40 12 34 56", mail = i .. "@example.com", land = land }
      end
    end
    local i = 0
    local res = assert(client:run({
      map = { external_id = "id", phone = "tel", email = "mail", region = "land" }, audience = "a",
    }, function()
      i = i + 1
      return rows[i]
    end, { dry_run = true }))
    assert.same({ Atlantis = 10, ["(other)"] = 59 }, res.unknown_regions)
    assert.same({ phone_region = 69, phone_no_plan = 10 }, res.dropped)
  end)

  it("of the row counts before the one of the job, which must be known", function()
    local client = assert(scope3.client {})
    local rows = {
      { id = "1", tel = "40 12 34 56", land = "Norway" }, { id = "2", tel = "(206) 555-1234" },
      { id = "3", tel = "030 23125 123", land = "Nowhere" },
    }
    local i = 0
    local function iterate()
      i = i + 1
      return rows[i]
    end
    local res = assert(client:run({
      map = { external_id = "id", phone = "tel", region = "land" }, audience = "a", region = "US",
    }, iterate, { dry_run = true }))
    assert.same({ 2, { phone_region = 1 } }, { res.identifiers.hashed_phone, res.dropped })
    local _, err = client:run({ map = { external_id = "id", phone = "tel" }, audience = "a" }, iterate,
      { dry_run = true, region = "Nowhere" })
    assert.equal("region", err.issues[1].path)
    assert.is_nil(scope3.audience({ id = "a" }, { region = "Nowhere" }))
    local audience = assert(scope3.audience({ id = "a" }, { region = "Germany" }))
    assert.is_true(audience:add { external_id = "1", phone = "030 23125 123" })
  end)
end)
