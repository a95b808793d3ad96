-- SHA-256: every implementation that this machine has, against published digests, against OpenSSL, in pairs, and up to
-- nine messages at once.
local core = require "scope3.core"
local digest = require "openssl.digest"

local unpack = table.unpack or unpack -- luacheck: ignore
local FASTEST = core.sha256_use()

local implementations = {}
for _, name in ipairs { "portable", "neon", "avx2", "sha-ni", "armv8" } do
  if core.sha256_with(name, "") then
    implementations[#implementations + 1] = name
  end
end

local function by_openssl(text)
  return (digest.new("sha256"):final(text):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local function random_text(length)
  local bytes = {}
  for i = 1, length do
    bytes[i] = string.char(math.random(0, 255))
  end
  return table.concat(bytes)
end

-- 24 texts of the lengths that people have and of all sorts of others.
local function random_texts()
  local texts = {}
  for i = 1, 24 do
    texts[i] = random_text(i <= 12 and math.random(0, 60) or i <= 22 and math.random(0, 400) or math.random(0, 5000))
  end
  return texts
end

describe("SHA-256", function()
  after_each(function()
    core.sha256_use(FASTEST)
  end)

  it("is portable on every machine, and uses the best that this one has", function()
    assert.equal("portable", implementations[1])
    assert.equal(implementations[#implementations], FASTEST)
  end)

  it("knows no implementation that the machine lacks", function()
    assert.is_nil(core.sha256_with("md5", "abc"))
    assert.is_nil(core.sha256_with("md5", "a", "b", "c"))
    assert.is_nil(core.sha256_use("md5"))
    assert.equal(FASTEST, core.sha256_use())
  end)

  it("takes no text of two blocks among several, and no more than nine", function()
    for _, texts in ipairs { { "a", "b", ("x"):rep(56) }, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, {} } do
      assert.has_error(function()
        core.sha256_with("portable", unpack(texts))
      end)
    end
  end)

  it("uses the implementation that is named", function()
    for _, name in ipairs(implementations) do
      assert.equal(name, core.sha256_use(name))
      assert.equal(name, core.sha256_use())
      assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", core.sha256("abc"))
    end
  end)

  for _, name in ipairs(implementations) do
    describe("(" .. name .. ")", function()
      it("gives the digests that NIST published", function()
        local published = {
          [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          ["abc"] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"] = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2"
            .. "167f6ecedd419db06c1",
          ["abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnop"
            .. "qrstu"] =
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
          [("a"):rep(1000000)] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        }
        for text, hex in pairs(published) do
          assert.equal(hex, (core.sha256_with(name, text)))
        end
      end)

      it("agrees with OpenSSL at every length from 0 to 300", function()
        local seed = require "spec.support.seed"
        math.randomseed(seed)
        for length = 0, 300 do
          local text = random_text(length)
          assert.equal(by_openssl(text), core.sha256_with(name, text), ("length %d, seed %d"):format(length, seed))
        end
      end)

      it("gives a pair the digests of its two messages, whatever their lengths", function()
        local alone = {}
        for length = 0, 130 do
          alone[length] = by_openssl(("\255"):rep(length))
        end
        for a = 0, 130 do
          for b = 0, 130 do
            local a_hex, b_hex = core.sha256_with(name, ("\255"):rep(a), ("\255"):rep(b))
            if a_hex ~= alone[a] or b_hex ~= alone[b] then
              error(("wrong for %d and %d bytes"):format(a, b))
            end
          end
        end
      end)

      it("gives each of three to nine messages of one block its own digest", function()
        local alone = {}
        for length = 0, 55 do
          alone[length] = by_openssl(("\255"):rep(length))
        end
        for count = 3, 9 do
          for first = 0, 55 do
            local texts, wanted = {}, {}
            for i = 1, count do
              local length = (first + i * 7) % 56
              texts[i], wanted[i] = ("\255"):rep(length), alone[length]
            end
            assert.same(wanted, { core.sha256_with(name, unpack(texts)) })
          end
        end
      end)

      it("agrees with OpenSSL on random messages of one block, up to nine at once", function()
        local seed = require "spec.support.seed"
        math.randomseed(seed)
        for _ = 1, 300 do
          local texts, wanted = {}, {}
          for i = 1, math.random(3, 9) do
            texts[i] = random_text(math.random(0, 55))
            wanted[i] = by_openssl(texts[i])
          end
          assert.same(wanted, { core.sha256_with(name, unpack(texts)) }, "seed " .. seed)
        end
      end)

      it("agrees with OpenSSL on random messages, alone and in pairs", function()
        local seed = require "spec.support.seed"
        math.randomseed(seed)
        local texts, hexes = random_texts(), {}
        for i, text in ipairs(texts) do
          hexes[i] = by_openssl(text)
          assert.equal(hexes[i], core.sha256_with(name, text), "seed " .. seed)
        end
        for i, a in ipairs(texts) do
          for j, b in ipairs(texts) do
            assert.same({ hexes[i], hexes[j] }, { core.sha256_with(name, a, b) }, "seed " .. seed)
          end
        end
      end)
    end)
  end
end)
