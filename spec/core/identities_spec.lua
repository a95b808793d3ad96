-- Hashes, emails, placeholders and universal ids: what the core accepts, repairs and rejects.
local core = require "scope3.core"
local reason_of = require "spec.support.reason_of"
local scope3 = require "scope3"

local function vectors()
  -- docs/contract.md section 7: normalised input -> SHA-256
  return {
    ["user@example.com"] = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    ["jane.saoirse@example.com"] = "b196432c7b989a2ca91c83799957c515da53e6c13abf20b78fea94f117e90bf8",
    ["janesaoirse+work@example.com"] = "28aaee4815230cd3b4ebd88c515226550666e91ac019929e3adac3f66c288180",
    ["jane.saoirse@gmail.com"] = "58bad64ae1c94e2bfdcf592ca545bea6201cbe1a87f8bef0cb88388f88009649",
    ["alexz@example.com"] = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
    ["john_smith@gmail.com"] = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
    ["tëst@example.com"] = "53c726841ce68f224bf077731224c5ece92829cfaa6171beacf340ac25a3f46d",
    ["σας@example.com"] = "1ed7028b213616b3db141fdd3f4a7adbbaf522f3486f7a831cea10e65ab19515",
    ["+12065551234"] = "f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca",
    ["+12345678901"] = "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee",
    ["+18005550100"] = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
  }
end

describe("SHA-256", function()
  it("gives FIPS 180-4's digests", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", core.sha256(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", core.sha256("abc"))
    assert.equal("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      core.sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", core.sha256(("a"):rep(1000000)))
  end)

  it("pads right at the edges of its blocks", function()
    local digests = {
      [55] = "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
      [56] = "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
      [63] = "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
      [64] = "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
      [65] = "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0",
      [119] = "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb",
      [120] = "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c",
    }
    for n, digest in pairs(digests) do
      assert.equal(digest, core.sha256(("a"):rep(n)))
    end
  end)

  it("gives the contract's vectors for normalised input", function()
    for input, hash in pairs(vectors()) do
      assert.equal(hash, core.sha256(input))
    end
  end)
end)

describe("an email", function()
  it("hashes to the contract's vectors, whatever its case", function()
    for input, hash in pairs(vectors()) do
      if input:find("@") then
        assert.equal(hash, scope3.email.hash("  " .. input:upper() .. "\r\n"))
      end
    end
    assert.equal(vectors()["σας@example.com"], scope3.email.hash("ΣΑΣ@EXAMPLE.com"))
    assert.equal(vectors()["tëst@example.com"], scope3.email.hash("TËST@example.com"))
  end)

  it("is lowercased as Unicode has it, without a locale", function()
    local cases = {
      ["İI@B.example"] = "i\204\135i@b.example", ["ΟΔΟΣ@B.example"] = "οδος@b.example",
      ["ΟΔΟΣ.Α@b.example"] = "οδοσ.α@b.example", ["\226\132\170@b.example"] = "k@b.example",
      ["ẞß@b.example"] = "ßß@b.example", ["ÅÉ@ÄÖ.example"] = "åé@äö.example",
      ["Жа@ПОЧТА.рф"] = "жа@почта.рф", ["ıſ@b.example"] = "ıſ@b.example",
      ["\240\144\144\128@b.example"] = "\240\144\144\168@b.example", ["Ⱥ@b.example"] = "ⱥ@b.example",
    }
    for raw, normal in pairs(cases) do
      assert.equal(normal, scope3.email.normalize(raw))
    end
    assert.equal("17.0.0", core.unicode_version)
  end)

  it("loses every character of the trim set at its edges, and none inside", function()
    local trim = {
      "\t", "\n", "\v", "\f", "\r", "\28", "\29", "\30", "\31", " ", "\194\133",
      "\194\160", "\225\154\128", "\226\128\128", "\226\128\138", "\226\128\168",
      "\226\128\169", "\226\128\175", "\226\129\159", "\227\128\128", "\239\187\191",
    }
    for _, space in ipairs(trim) do
      assert.equal("a@b.example", scope3.email.normalize(space .. "a@b.example" .. space .. space))
      assert.is_nil(scope3.email.normalize("a" .. space .. "b@c.example"))
    end
    assert.is_nil(scope3.email.normalize("\226\128\139a@b.example", { repair = false })) -- U+200B is not white space
  end)

  it("keeps dots, plus tags and double dots, and all that RFC 5322 allows", function()
    assert.equal("o'b!#$%&*+-/=?^_`{|}~@b_c-d.example", scope3.email.normalize("O'B!#$%&*+-/=?^_`{|}~@B_c-D.example"))
    assert.equal("a..b.c+d_e@gmail.com", scope3.email.normalize("A..b.C+D_e@GMAIL.com"))
  end)

  it("is refused with the reason that says what to repair", function()
    local cases = {
      ["foo"] = "email_no_at", ["a@b@c.example"] = "email_two_ats", ["@b.example"] = "email_empty_side",
      ["a@"] = "email_empty_side", ["a b@c.example"] = "email_space", ["a\0@c.example"] = "email_space",
      ["a@localhost"] = "email_domain", ["a@b..example"] = "email_domain",
      ["a@.example"] = "email_domain", ["N/A"] = "email_placeholder", ["none"] = "email_placeholder",
      ["  "] = "email_placeholder", ["a\255@b.example"] = "email_utf8",
      [("a"):rep(250) .. "@b.example"] = "email_too_long", ["a@b.example <c@d.example>"] = "email_several",
      ["a,a@b.example; c@d.example"] = "email_several", ["a@b.example\194\160c@d.example"] = "email_several",
      ["a%40b.example"] = "email_escaped", ["a&#64;b.example"] = "email_escaped",
      ["a (AT) b.example"] = "email_escaped", ["a(at)b.example"] = "email_escaped",
      ["John Smith"] = "email_no_at", ["mailto:a%2Bb@c.example"] = "email_escaped",
      ["a\226\128\139b@c.example"] = "email_invisible", ["a\227\128\128b@c.example"] = "email_space",
      ["a\239\188\160b.example"] = "email_no_at", ['"a"@b.example'] = "email_character",
      ["a,b@c.example"] = "email_character", ["a@[127.0.0.1]"] = "email_character", ["a@127.0.0.1"] = "email_domain",
      ["a@b,example"] = "email_character",
      ["a@b.example、"] = "email_character", ["a@b。example.org"] = "email_character",
      ["a@b\194\187.example"] = "email_character", ["a\239\191\189b@c.example"] = "email_lost",
      ["a@b\239\191\189.example"] = "email_lost", ["noemail@b.example"] = "email_placeholder",
      ["<NoEmail@B.example>"] = "email_placeholder", ["test@test.com"] = "email_placeholder",
      ["<none>"] = "email_placeholder", ["'n/a'"] = "email_placeholder",
    }
    for raw, reason in pairs(cases) do
      local hash, err = scope3.email.hash(raw)
      assert.is_nil(hash)
      assert.equal(reason, err.code, "for case " .. reason)
      assert.equal(core.reasons[reason], err.message)
    end
  end)

  it("is freed of what people put round it, which is reported, and which can be turned off", function()
    local cases = {
      ["mailto:A@b.example?subject=x"] = { "email_mailto" },
      ["Email: a@b.example"] = { "email_label" }, ["E-Mail:a@b.example"] = { "email_label" },
      ["Ann Bee <a@b.example>"] = { "email_name" }, ["<a@b.example>"] = { "email_name" },
      ["a@b.example (Ann)"] = { "email_comment" }, ['"a@b.example"'] = { "email_quotes" },
      ["[a@b.example]"] = { "email_quotes" }, ["(a@b.example)"] = { "email_quotes" },
      ["a@b.example."] = { "email_trailing" }, ["a@b.example ;"] = { "email_trailing" },
      ["\226\128\139a@b.example\226\128\143"] = { "email_edges" }, ["“a@b.example”"] = { "email_quotes" },
      ["„a@b.example“"] = { "email_quotes" }, ["‘a@b.example’"] = { "email_quotes" },
      ["«a@b.example»"] = { "email_quotes" }, ["（a@b.example）"] = { "email_quotes" },
      ["＂a@b.example＂"] = { "email_quotes" }, ["“Ann” <a@b.example>"] = { "email_name" },
      ['"Bee, Ann" <mailto:a@b.example>,'] = { "email_mailto", "email_name", "email_trailing" },
    }
    for raw, repairs in pairs(cases) do
      local normal, told = scope3.email.normalize(raw)
      assert.equal("a@b.example", normal, raw)
      assert.same(repairs, told)
      assert.is_nil(scope3.email.normalize(raw, { repair = false }), raw)
      assert.equal(scope3.email.hash("a@b.example"), (scope3.email.hash(raw)))
    end
    assert.is_nil(reason_of(scope3.email.normalize("a@b.example")))
    assert.has_error(function()
      scope3.email.normalize("a@b.example", { fix = false })
    end)
  end)

  it("keeps odd dots, underscores in domains, apostrophes, percent signs and letters of every script", function()
    for _, raw in ipairs { ".a.@b.example", "a..b@c_d.example", "o'neil@b.example", "_a@b.example", "+a@b.example",
      "-a@b.example", "#a@b.example", "a@gmail.con", "a%2b@c.example", "o’neil@b.example", "jürgen@büro.example",
      "用户@例子.中国", "संपर्क@डाटामेल.भारत", "a@l·l.example" } do
      assert.equal(raw, (scope3.email.normalize(raw)))
    end
  end)

  it("of 254 bytes is the longest", function()
    local domain = "@" .. ("b"):rep(60) .. ".example"
    assert.is_string(scope3.email.hash(("a"):rep(254 - #domain) .. domain))
    assert.is_nil(scope3.email.hash(("a"):rep(255 - #domain) .. domain))
  end)
end)

describe("a value that is hashed already", function()
  local hash = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"

  it("is lowercased and never hashed again", function()
    assert.equal(hash, scope3.email.hash(hash))
    assert.equal(hash, scope3.phone.hash(" " .. hash:upper() .. " "))
  end)

  it("in base64 is written as hex, and reported", function()
    -- UID2's published example: the base64 of the SHA-256 of user@example.com
    for _, raw in ipairs {
      "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf_F5HVRQ",
    } do
      assert.same({ hash, { "hash_base64" } }, { scope3.email.hash(raw) })
    end
    assert.equal("email_no_at", reason_of(scope3.email.hash("tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVR-=")))
  end)

  it("is refused when it is another hash, or the hash of nothing", function()
    assert.equal("hash_md5", reason_of(scope3.email.hash("5d41402abc4b2a76b9719d911017c592")))
    assert.equal("hash_sha1", reason_of(scope3.email.hash("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d")))
    -- Half a SHA-256, one digit too few and too many, SHA-384 and SHA-512, and what databases put before hex.
    for _, raw in ipairs {
      hash:sub(1, 63), hash .. "0", ("ab"):rep(48), ("ab"):rep(64), "0x" .. hash, "\\x" .. hash:upper(),
    } do
      assert.equal("hash_malformed", reason_of(scope3.email.hash(raw)))
      assert.equal("hash_malformed", reason_of(scope3.phone.hash(raw, "US")))
    end
    assert.equal("phone_too_long", reason_of(scope3.phone.hash(("1"):rep(60), "US"))) -- digits alone
    assert.equal("hash_of_empty", reason_of(scope3.email.hash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")))
    assert.equal("hash_base64_of_hex", reason_of(scope3.email.hash(
      "YjRjOWEyODkzMjNiMjFhMDFjM2U5NDBmMTUwZWI5YjhjNTQyNTg3ZjFhYmZkOGYwZTFjYzFmZmM1ZTQ3NTUxNA==")))
    assert.equal("hash_of_empty",
      reason_of(scope3.email.hash("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")))
  end)
end)

describe("a placeholder", function()
  local WORDS = {
    "n/a", "na", "#N/A", "n.a.", "none", "null", "nil", "nan", "unknown", "undefined", "test", "-", "--", ".", "0",
    "x", "(blank)", "blank", "empty", "tbd", "no email", "noemail", "no phone", "not available", "not provided",
    "no", "none@none", "none@none.com", "na@na.com", "n/a@n/a.com", "test@test.com", "noemail@noemail.com",
  }

  it("is refused in any case, and so is its hash in the spellings that exports have", function()
    for _, word in ipairs(WORDS) do
      local capital = word:lower():gsub("%l", string.upper, 1)
      for _, text in ipairs { word, word:upper(), word:lower(), capital } do
        assert.equal("email_placeholder", reason_of(scope3.email.hash(" " .. text .. "\t")), text)
        assert.equal("phone_placeholder", reason_of(scope3.phone.hash(text, "US")), text)
        assert.equal("hash_placeholder", reason_of(scope3.email.hash(core.sha256(text))), text)
        assert.equal("hash_placeholder", reason_of(scope3.phone.hash(core.sha256(text):upper())), text)
      end
    end
    assert.equal("hash_placeholder", reason_of(scope3.email.hash(core.sha256(" "))))
    -- sha256sum's of "none@none.com"
    assert.equal("hash_placeholder",
      reason_of(scope3.email.hash("ca871b3caae791a6a4b969195738f187bc7e993d13e98d522153a21885557fb6")))
  end)

  it("is not seen in what only begins like one", function()
    for _, raw in ipairs {
      "none@nowhere.example", "test@test.com.example", "noemails@b.example", "na@na.co", "no@b.example",
    } do
      assert.equal(raw, (scope3.email.normalize(raw)))
    end
  end)
end)

describe("a universal id", function()
  it("needs a type and a value in UTF-8, and passes as it is when nothing is known of its type", function()
    assert.is_true(scope3.uid.check("mine", "AbC="))
    assert.is_true(scope3.uid.check("uid2", " ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=\r\n"))
    assert.equal("uid_value", reason_of(scope3.uid.check("mine", " \t")))
    assert.equal("uid_type", reason_of(scope3.uid.check("", "x")))
    assert.equal("uid_type", reason_of(scope3.uid.check("external_id", "x")))
    assert.equal("uid_value", reason_of(scope3.uid.check("maid", "")))
    assert.equal("uid_utf8", reason_of(scope3.uid.check("mine", "\255")))
  end)

  it("of a known type has that type's form", function()
    local fine = {
      uid2 = { "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=", "A" .. ("b"):rep(43) },
      euid = { "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=", "E" .. ("b"):rep(43) },
      rampid = { "XY" .. ("a1_-Z"):rep(9) .. "ab", "hY" .. ("0"):rep(47) },
      rampid_derived = { "Xi" .. ("a"):rep(68) }, id5 = { "ID5*abc_-" },
      pairid = { ("AbCd"):rep(6), ("-_-a"):rep(6), ("A"):rep(21) .. "Q==", ("AbCd"):rep(500) },
      maid = { "6D92078A-8246-4BA4-AE5B-76104861E7DC", "6d92078a-8246-4ba4-ae5b-76104861e7dc" },
    }
    for type_, values in pairs(fine) do
      for _, value in ipairs(values) do
        assert.same({ true }, { scope3.uid.check(type_, value) }, type_ .. " " .. value)
      end
    end
    local refused = {
      { "uid2", ("ab"):rep(32), "uid_hash" }, { "uid2", ("A2b+"):rep(40), "uid_token" },
      { "uid2", "short", "uid_malformed" }, { "uid2", "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U-", "uid_checksum" },
      { "euid", ("!a"):rep(22), "uid_malformed" }, { "rampid", "XY" .. ("a"):rep(46), "uid_malformed" },
      { "rampid", "Xi" .. ("a"):rep(68), "uid_malformed" }, { "rampid", "XY" .. ("*"):rep(47), "uid_malformed" },
      { "rampid_derived", "XY" .. ("a"):rep(47), "uid_malformed" }, { "id5", "0", "uid_opt_out" },
      { "id5", "ID6*x", "uid_malformed" }, { "pairid", "a*b", "uid_malformed" },
      { "pairid", "+_aa", "uid_malformed" }, { "maid", "00000000-0000-0000-0000-000000000000", "uid_opt_out" },
      { "maid", "6D92078A82464BA4AE5B76104861E7DC", "uid_malformed" },
      { "maid", "6D92078A-8246-4BA4-AE5B-76104861E7DG", "uid_malformed" },
      { "maid", "ffffffff-ffff-ffff-ffff-ffffffffffff", "uid_placeholder" },
      { "maid", "11111111-1111-1111-1111-111111111111", "uid_placeholder" },
      { "uid2", ("A"):rep(44), "uid_placeholder" }, { "euid", ("A"):rep(43) .. "=", "uid_placeholder" },
      { "uid2", "E" .. ("b"):rep(43), "uid_other_type" },
      { "euid", "A" .. ("b"):rep(43), "uid_other_type" }, { "id5", "ID5*a b", "uid_malformed" },
      { "id5", "ID5*", "uid_malformed" }, { "rampid", "Xc" .. ("a"):rep(47), "uid_malformed" },
    }
    for _, case in ipairs(refused) do
      assert.equal(case[3], reason_of(scope3.uid.check(case[1], case[2])), case[1] .. " " .. case[2])
    end
  end)

  it("of UID2's fourth version ends in the XOR of its bytes", function()
    -- 0xA0 and 31 zero bytes; the last byte is their XOR, and then it is not
    assert.is_true(scope3.uid.check("uid2", "oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACg"))
    assert.equal("uid_checksum", reason_of(scope3.uid.check("uid2", "oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACh")))
    -- the same of an EUID, 0xB0
    assert.is_true(scope3.uid.check("euid", "sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACw"))
    assert.equal("uid_other_type", reason_of(scope3.uid.check("uid2", "sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACw")))
  end)
end)
