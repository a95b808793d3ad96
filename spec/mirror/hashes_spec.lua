-- The keyed hash is SipHash: the reference implementation's vectors of SipHash-2-4, and those of the Rust library for
-- SipHash-1-3. Keys and texts are the bytes 0, 1, 2 and so on. Rows hash like the texts that they stand for.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local ONE_THREE = "dcc40f055801acab93ca577df39bf4c94dd4c74d029bcb82fbf7dde7b80af88b2883d388605775cf673b53492fd5f9de"
  .. "a7229fc5502b0dc54011b19b987d92d38e9a298d11959036e43d066cb38ea4257f09ff92ee85de7952c34df9c118c170"
  .. "a2d9b457b184a378a7ff29120c766f30345df9c011a15a605699512a6dd820d3668b907d1add4fcc0cd8db639068f29c"
  .. "3ee673b49c38fc8f1c7d298de59d1ff240e0cca6462fdcc044f8452bfeab92b92e8720a39b7bfe7f23c1e6da7f0e5a52"
  .. "8c9c3467b2ae64f479095b702859cd45a51399cae3353e3a353bde4a4ec71da90dd06cef02ed0bfbf4e1b14ab43cd988"
  .. "63e6c543d6110f54bcd1218c1fdd70230db6a7166c7b1581bff98f7ae5b9544d3e752a1f78129f75916b18bfbea3a1ce"
  .. "0662a2add308f52c5730c3a32d1c10b6a1363aae9674f4b39283107b54576b623115e4993236d2c144d91a3f92c17c66"
  .. "258813c8fe4f7065a64989c2d180f2246b87f8faed1ccac29621049ffc4b16c223d6b168939c6ea1fd14518b9c16fb49"
  .. "464c07dff843319fb386cc1224affdc68f09520ad149af7e9a2f299d5513f31c121ff4a2dd304ac4d01ea74389e9fa36"
  .. "e6bcf0734cb38f3180e9a77036bf7aa2756d3c24dbc0bcb41315b7fd52d8f823088a7da64d5f038f48f1e8b7e5d09cd8"
  .. "ee44a6f7bce6f4f6f237180fd89ac5aee094664b15f6b2c3a8b3bbb76290199d"
local TWO_FOUR = "310e0edd47db6f72fd67dc93c539f8745a4fa9d909806c0d2d7efbd796666785b7877127e09427cf8da699cd64557618"
  .. "cee3fe586e46c9cb37d1018bf50002ab6224939a79f5f593b0e4a90bdf82009ef3b9dd94c5bb5d7aa7ad6b22462fb3f4"
  .. "fbe50e86bc8f1e75903d84c02756ea14eef27a8e90ca23f7e545be4961ca29a1db9bc2577fcc2a3f9447be2cf5e99a69"
  .. "9cd38d96f0b3c14bbd6179a71dc96dbb98eea21af25cd6bec7673b2eb0cbf2d0883ea3e395675393c8ce5ccd8c030ca8"
  .. "94af49f6c650adb8eab8858ade92e1bcf315bb5bb835d817adcf6b0763612e2fa5c91da7acaa4dde716595876650a2a6"
  .. "28ef495c53a387ad42c341d8fa92d832ce7cf2722f512771e37859f94623f3a7381205bb1ab0e012ae97a10fd434e015"
  .. "b4a31508beff4d3181396229f09079024d0cf49ee5d4dcca5c73336a76d8bf9ad0a704536ba93e0e925958fcd6420cad"
  .. "a915c29bc8067318952b79f3bc0aa6d4f21df2e41d4535f987577519048f53a910a56cf5dfcd9adbeb75095ccd986cd0"
  .. "51a9cb9ecba312e696afadfc2ce666c772fe52975a4364ee5a1645b276d592a1b274cb8ebf87870a6f9bb4203de7b381"
  .. "eaecb2a30b22a87f9924a43cc1315724bd838d3aafbf8db70b1a2a3265d51aea135079a3231ce660932b2846e4d70666"
  .. "e1915f5cb1eca46cf325965ca16d629f575ff28e60381be5724506eb4c328a95"

local function counted(n)
  local bytes = {}
  for i = 1, n do
    bytes[i] = string.char(i - 1)
  end
  return table.concat(bytes)
end

local function hex(bytes)
  return (bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

describe("the keyed hash", function()
  teardown(world.clean)

  it("is SipHash-1-3", function()
    for n = 0, 63 do
      assert.equal(ONE_THREE:sub(16 * n + 1, 16 * n + 16), hex(core.mirror.key_hash(counted(16), counted(n))))
    end
  end)

  it("is SipHash-2-4 with other rounds, and hashes each row as the text that it stands for", function()
    print("   seed " .. seed)
    local program = compile.program "spec/support/sip_hashes.c csrc/core/mirror/siphash.c csrc/core/mirror/row_hash.c"
    local log = world.path ".log"
    assert(os.execute(("env -u LD_PRELOAD %s %d >%s 2>&1"):format(program, seed % 2 ^ 31, log)))
    local said = world.read(log)
    assert.equal(TWO_FOUR, said:match "^%x+")
    assert.equal("the rows are alike", said:match "\n(.-)\n")
  end)

  it("tells lists of cells apart that read alike", function()
    local seen = {}
    local LISTS = { { "a", "bc" }, { "ab", "c" }, { "abc" }, { "abc", "" }, { "", "abc" }, { "abc", false }, {},
      { false }, { "" }, { "\0" }, { "abcdefgh", "\0" }, { "abcdefgh\0" }, { "abc\0" }, { "a", "bc\0" } }
    for _, version in ipairs { "", "1" } do
      for _, list in ipairs(LISTS) do
        local night = assert(core.mirror.night { key = counted(16), parts = 1, version = version })
        assert(night:row("id", list, 1, 1, 0, 0))
        assert(night:merge(0))
        local _, cells = night:candidate()
        night:close()
        assert.is_nil(seen[cells])
        seen[cells] = true
      end
    end
  end)
end)
