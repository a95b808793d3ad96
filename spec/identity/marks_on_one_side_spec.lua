-- A quote, an = or a Markdown mark on one side of an address is removed and counted, or the address is refused.
-- It is never hashed with the address.
local core = require "scope3.core"
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

describe("an address with a mark on one side", function()
  teardown(world.clean)

  it("is freed of it, counted, and refused where nothing may be repaired", function()
    for _, raw in ipairs { "'jane@x.example", "=jane@x.example", "`jane@x.example", "*jane@x.example",
      "**jane@x.example**", "\"jane@x.example", "|jane@x.example", "{jane@x.example",
      "~jane@x.example", "<jane@x.example", "jane@x.example'", 'jane@x.example"', "jane@x.example*",
        "jane@x.example`", "\226\128\156jane@x.example", "jane@x.example\226\128\157",
      "\194\171jane@x.example", "\194\180jane@x.example", "\226\128\152jane@x.example", "''jane@x.example'",
        "' jane@x.example", '="jane@x.example"', "='Jane@X.example'",
      "b'jane@x.example'", "u'Jane@x.example'", 'N"jane@x.example"',
      "|jane@x.example|", "'jane@x.example\226\128\153" } do
      local normal, repairs = scope3.email.normalize(raw)
      assert.equal("jane@x.example", normal, raw)
      assert.truthy(table.concat(repairs, " "):find("email_marks", 1, true), raw)
      assert.is_nil(scope3.email.normalize(raw, { repair = false }), raw)
    end
    assert.same({ "jane@x.example", { "email_mailto", "email_marks" } },
      { scope3.email.normalize "'mailto:jane@x.example" })
    local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email" } },
      { world.file("id,email\n1,'jane@x.example\n2,=jo@x.example\n3,o'neil@x.example\n") }, { dry_run = true }))
    assert.same({ 3, { email_marks = 2 } }, { res.members, res.repaired })
  end)

  it("is refused where the mark may be the address's own, or nobody can say", function()
    for raw, why in pairs { ["jane'@x.example"] = "email_character", ["'jane'@x.example"] = "email_character",
      ["jane*@x.example"] = "email_character",
      ["jane@'x.example"] = "email_character", ["\226\128\162jane@x.example"] = "email_character",
        ["\194\183jane@x.example"] = "email_character",
      ["jane\226\128\157@x.example"] = "email_character",
        ["=HYPERLINK(\"mailto:jane@x.example\")"] = "email_character" } do
      assert.same({ nil, why }, { (scope3.email.normalize(raw)), reason_of(scope3.email.normalize(raw)) }, raw)
    end
  end)

  it("is left as it is where the character is an address's own", function()
    for _, raw in ipairs { "_jane@x.example", "+jane@x.example", "-jane@x.example", "#jane@x.example",
      "!jane@x.example", "o'neil@x.example", "a=b@x.example", "a*b@x.example", "jane~@x.example",
      "jane_@x.example", "jane-@x.example" } do
      assert.same({ raw }, { scope3.email.normalize(raw) })
      assert.same({ raw }, { scope3.email.normalize(raw, { repair = false }) })
    end
  end)
end)

describe("an address whose domain is none", function()
  it("is refused: a hyphen at an end of a label, and names of no public network", function()
    for _, domain in ipairs { "x.org-", "-x.org", "x-.org", "x.-org", "a.-b.org", "a.b-.org" } do
      for _, behind in ipairs { "", "\t" } do
        assert.same({ nil, "email_domain" }, {
          (scope3.email.normalize("jane@" .. domain .. behind)),
          reason_of(scope3.email.normalize("jane@" .. domain .. behind)),
        }, domain)
      end
    end
    for _, domain in ipairs { "x.invalid", "x.INVALID", "acme.com.invalid", "x.localhost", "corp.local",
      "x.internal", "x.invalid." } do
      for _, behind in ipairs { "", "\t" } do
        assert.same({ nil, "email_nowhere" }, {
          (scope3.email.normalize("jane@" .. domain .. behind)),
          reason_of(scope3.email.normalize("jane@" .. domain .. behind)),
        }, domain)
      end
    end
    for _, domain in ipairs { "x.example", "x.test", "invalid.org", "local.example", "a-b.org",
      "xn--bcher-kva.example", "locals.example", "x.mylocal" } do
      assert.equal("jane@" .. domain, (scope3.email.normalize("jane@" .. domain)))
    end
  end)
end)

describe("a hash of one digit over and over", function()
  it("is nobody's, as text, in base64 and as a uid", function()
    for _, digit in ipairs { "0", "1", "f", "F", "a" } do
      assert.equal("hash_placeholder", reason_of(scope3.email.hash(digit:rep(64))))
      assert.equal("hash_placeholder", reason_of(scope3.phone.hash(digit:rep(64))))
      assert.equal("hash_placeholder", reason_of(scope3.uid.check("hashed_email", digit:rep(64))))
    end
    assert.equal("hash_placeholder", reason_of(scope3.email.hash(("A"):rep(43) .. "=")))
    local builder, payload = core.builder { max_member = 1000 }, core.payload { max_members = 10, max_bytes = 1000 }
    assert.same({ nil, "no_identifier" }, { builder:add(payload, { external_id = "1",
      hashed_email = ("0"):rep(64) }) })
    assert.same({ hash_placeholder = 1 }, builder:counts().dropped)
  end)
end)
