-- A field may hold several addresses, a link, a wrapped id or a longer country code.
-- What is certain is read, and the rest is refused.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- The form that is hashed, and what was repaired, in one line; the reason of a rejection.
local function email(raw, opts)
  local normal, repairs = scope3.email.normalize(raw, opts)
  return normal and normal .. (repairs and " " .. table.concat(repairs, " ") or "") or repairs.code
end

describe("a field with several addresses", function()
  teardown(world.clean)

  it("gives the first that can be used, counted, and with repair = false none", function()
    for _, raw in ipairs {
      "a@x.org ::: b@x.org", "a@x.org:::b@x.org", "a@x.org;b@x.org", "a@x.org, b@x.org", "a@x.org,b@x.org",
      "A@X.org b@x.org", "a@x.org|b@x.org", "a@x.org/b@x.org",
      "a@x.org\nb@x.org", "a@x.org\tb@x.org", "a@x.org or b@x.org", "a@x.org and b@x.org", "a@x.org & b@x.org",
      "a@x.org ;; b@x.org", "a@x.org,b@", "n/a; a@x.org; b@x.org",
      "bad@, a@x.org", "bad@x|a@x.org|", "a@x.org;a@x.org", "a@x.org ::: b@x.org ::: c@x.org",
      "X500:/o=x;a@x.org;b@x.org", "a@x.org  b@x.org",
    } do
      assert.equal("a@x.org", email(raw):match "^%S+", raw)
      assert.truthy(email(raw):find("email_first_of_several", 1, true), raw)
      assert.is_nil((scope3.email.normalize(raw, { repair = false })), raw)
    end
    for raw, repair in pairs {
      ["Jane <a@x.org>, Bob <b@x.org>"] = "email_name", ['"Doe, Jane" <a@x.org>; b@x.org'] = "email_name",
      ["<a@x.org>, <b@x.org>"] = "email_name",
      ["SMTP:a@x.org;smtp:b@x.org"] = "email_label", ['["a@x.org","b@x.org"]'] = "email_quotes",
      ["mailto:a@x.org,b@x.org"] = "email_mailto",
      ["<mailto:a@x.org|a@x.org>"] = "email_mailto", ["a@x.org; b@x.org;"] = "email_trailing",
    } do
      local said = email(raw)
      assert.equal("a@x.org", said:match "^%S+", raw)
      assert.truthy(said:find("email_first_of_several", 1, true) and said:find(repair, 1, true), raw .. ": " .. said)
    end
  end)

  it("is refused where the parts are not certain, and none of them is an address by itself", function()
    for raw, reason in pairs {
      ["a@x.org <b@x.org>"] = "email_several", ["jane,doe@x.org, b@x.org"] = "email_several",
      ["a@x.org <a@x.org.uk>"] = "email_several", ["a@x.org.uk <a@x.org>"] = "email_several",
      ["jane doe@x.org b@x.org"] = "email_several", ["a@b@x.org"] = "email_two_ats",
      ["a@@x.org"] = "email_two_ats", ["a@x@y; c@d"] = "email_several", ["a@; b@"] = "email_several",
      ["n/a@n/a.com|a@x.org"] = "email_several", ["foo/bar@x.org; b@x.org"] = "email_several",
      ["mailto:a%2Bb@x.org,c@x.org"] = "email_several",
      ["a b@x.org"] = "email_space", ["a,b@x.org"] = "email_character", ["a@x.org and co"] = "email_space",
    } do
      assert.equal(reason, email(raw), raw)
    end
    assert.equal("foo/bar|x@x.org", email "foo/bar|x@x.org")
  end)

  it("is counted in the report of a job", function()
    local path = world.file('Name,Id,E-mail 1 - Value\nJ,1,jane@x.org ::: j@y.org\nK,2,"[k@x.org](mailto:k@x.org)"\n'
      .. 'L,3,acct:l@x.org\n', ".csv")
    local code, out, err = world.command { "sync", path, "--dry-run", "--audience", "a", "--map", "external_id=Id",
      "--map", "email=E-mail 1 - Value" }
    assert.equal(0, code, err)
    assert.truthy(out:find("would send   3 members", 1, true)
      and out:find("1  email: of several addresses in one field the first was taken", 1, true), out)
    code, out = world.command { "sync", path, "--dry-run", "--audience", "a", "--map", "external_id=Id", "--map",
      "email=E-mail 1 - Value", "--no-repair" }
    assert.equal(3, code, out)
  end)
end)

describe("an address in a link or after a scheme", function()
  it("is taken out, unless the link shows another", function()
    for raw, want in pairs {
      ["[a@x.org](mailto:a@x.org)"] = "a@x.org email_link",
      ["[Jane](mailto:a@x.org?subject=x)"] = "a@x.org email_link", ["[A@x.org](a@x.org)"] = "a@x.org email_link",
      ['<a href="mailto:a@x.org">a@x.org</a>'] = "a@x.org email_link",
        ["<A HREF='MAILTO:a@x.org?cc=b@y.org' class=x>write</A>"] = "a@x.org email_link",
      ["[b@x.org](mailto:a@x.org)"] = "email_two_ats", ["SMTP:a@x.org"] = "a@x.org email_label",
      ["smtp: a@x.org"] = "a@x.org email_label", ["acct:a@x.org"] = "a@x.org email_label",
      ["a@x.org <A@X.org>"] = "a@x.org email_name", ['"a@x.org" <a@x.org>'] = "a@x.org email_name",
      ["[x](y)"] = "email_no_at", ["<a "] = "email_no_at",
      ["smtp@x.org"] = "smtp@x.org", ["[a@x.org]("] = "email_character",
    } do
      assert.equal(want, email(raw), raw)
    end
  end)
end)

describe("an id that MongoDB's programs wrapped", function()
  it("is the id inside, counted, or refused with repair = false", function()
    for raw, want in pairs {
      ["ObjectId(507f1f77bcf86cd799439011)"] = "507f1f77bcf86cd799439011",
      ['ObjectId("507f1f77bcf86cd799439011")'] = "507f1f77bcf86cd799439011",
      ["objectid('507f1f77bcf86cd799439011')"] = "507f1f77bcf86cd799439011", ["NumberLong(4711)"] = "4711",
      ['NumberLong("4711")'] = "4711",
      ['{"$oid":"507f1f77bcf86cd799439011"}'] = "507f1f77bcf86cd799439011", ['{"$numberLong":"4711"}'] = "4711",
        ['UUID("3b241101-e2bb-4255-8caf-4136c566a962")'] = "3b241101-e2bb-4255-8caf-4136c566a962",
    } do
      local id, repairs = scope3.external_id.normalize(raw)
      assert.same({ want, { "id_wrapped" } }, { id, repairs }, raw)
      assert.equal("id_unrepaired", select(2, scope3.external_id.normalize(raw, { repair = false })).code)
    end
    for _, raw in ipairs { "ObjectId()", "ObjectId", "Object(1)", "(1)", "ObjectId(1", "ObjectId(a(b))" } do
      assert.equal(raw, (scope3.external_id.normalize(raw)))
    end
    assert.equal("id_placeholder", select(2, scope3.external_id.normalize "ObjectId(null)").code)
    for _, several in ipairs { "a@x.org;b@x.org", "+12065550142; +12065550143" } do -- an id is one
      assert.is_nil((scope3.external_id.normalize(several, { ids = "hash", phone_repairs = "all" })))
    end
    assert.equal("id_email", select(2, scope3.external_id.normalize 'ObjectId("a@x.org")').code)
    local res = assert(scope3.client {}:run({ map = { external_id = "id", email = "mail" }, audience = "a" },
      world.file("id,mail\nObjectId(507f1f77bcf86cd799439011),a@x.org\n507f1f77bcf86cd799439011,b@x.org\n", ".csv"),
        { dry_run = true }))
    assert.same({ 2, 1, { id_wrapped = 1 } }, { res.members, res.replaced, res.repaired })
  end)
end)

describe("a country", function()
  it("is found in codes of its parts and in names of locales, and not where it may be one of two", function()
    for name, want in pairs {
      ["US-WA"] = "US", ["us-wa"] = "US", ["GB-ENG"] = "GB", ["UK-ENG"] = "GB", ["USA-WA"] = "US", ["US-CA"] = "US",
      ["BR-PA"] = "BR", ["DE-BY"] = "DE", ["CA-ON"] = "CA", ["FR-75"] = "FR",
      en_US = "US", ["en-GB"] = "GB", ["pt_BR.UTF-8"] = "BR", ["zh-Hant-TW"] = "TW", zh_Hans_CN = "CN",
        ["sr_Latn_RS@latin"] = "RS", ["de-AT"] = "AT", ["de-at"] = "AT", ["EN-US"] = "US",
      ["uk-UA"] = "UA", ["fil-PH"] = "PH", ["ca-ES"] = "ES", ["de_DE@euro"] = "DE", US_CA = "US",
      ["en-US-posix"] = "US", ["Guinea-Bissau"] = "GW", ["Timor-Leste"] = "TL",
      ["es-419"] = "none", ["en-001"] = "none", BR_PA = "none", ["C.UTF-8"] = "none", en = "none", ["X-Y"] = "none",
      ["xx-yy"] = "none", ["a-b-c-d-e"] = "none", ["--"] = "none",
    } do
      assert.equal(want, core.region(name) or "none", name)
    end
    local res = assert(scope3.client {}:run({ map = { external_id = "id", phone = "tel", region = "locale" },
      audience = "a" },
      world.file("id,tel,locale\n1,(206) 555-0142,en_US\n2,020 7946 0018,GB-ENG\n3,(206) 555-0142,es-419\n", ".csv"),
        { dry_run = true }))
    assert.same({ 2, 1 }, { res.identifiers.hashed_phone, res.dropped.phone_region })
  end)
end)

describe("numbers from before a country made them longer", function()
  it("stay refused where their operator is not certain, and valid ones stay as they are", function()
    local all = { phone_repairs = "all" }
    for _, raw in ipairs { "+22560112233", "+22580112233", "+22500112233", "+22520304", "+225 21 0012345",
      "+22910112233445" } do
      assert.is_nil((scope3.phone.normalize(raw, all)), raw)
    end
    for raw, want in pairs { ["+2250708060709"] = "+2250708060709", ["+2290197123456"] = "+2290197123456",
      ["+5511987654321"] = "+5511987654321",
      ["+552178123456"] = "+552178123456", ["+551134567890"] = "+551134567890",
      ["+225 77 11 22 33"] = "+2250777112233", ["+225 40 11 22 33"] = "+2250140112233" } do
      assert.equal(want, (scope3.phone.normalize(raw, all)), raw)
    end
    for _, raw in ipairs { "555 ::: 556", "206-555-0142, ext. 5", "1234567; 7654321" } do
      local got, repairs = scope3.phone.normalize(raw, { region = "US", phone_repairs = { "first" } })
      assert.is_true(got == nil or repairs == nil, raw)
    end
  end)
end)
