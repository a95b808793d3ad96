-- What decides by the last digit of hundreds, and by names of which only so many are kept.
local scope3 = require "scope3"

local HALF_ABOVE_ONE = "1.00000000000000011102230246251565404236316680908203125" -- between 1 and the next double

describe("a number of hundreds of digits", function()
  it("is rounded by the last of them", function()
    assert.equal(1, scope3.number(HALF_ABOVE_ONE .. ("0"):rep(800)))
    assert.equal(1 + 2 ^ -52, scope3.number(HALF_ABOVE_ONE .. ("0"):rep(800) .. "1"))
    assert.equal(1, scope3.number("1." .. ("0"):rep(800) .. "1"))
  end)
end)

describe("the regions that are not known", function()
  local function unknown(regions)
    local rows, i = {}, 0
    for n, region in ipairs(regions) do
      rows[n] = { id = tostring(n), tel = "40 12 34 56", mail = n .. "@x.example", land = region }
    end
    local map = { external_id = "id", phone = "tel", email = "mail", region = "land" }
    local res = assert(scope3.client({}):run({ map = map, audience = "a" }, function()
      i = i + 1
      return rows[i]
    end, { dry_run = true }))
    return res.unknown_regions
  end

  it("are named up to 64, and counted beyond", function()
    local regions = {}
    for n = 1, 700 do
      local name = math.ceil(n / 10)
      regions[n] = "Nowhere " .. string.char(64 + math.ceil(name / 26), 65 + name % 26)
    end
    local told, names = unknown(regions), 0
    for _ in pairs(told) do
      names = names + 1
    end
    assert.same({ 65, 60 }, { names, told["(other)"] })
  end)

  it("are not named where they may be an address or hold what no name does", function()
    local regions = {}
    for n, name in ipairs { "Mordor", "a\0b", "jane\239\185\171x", "jane\239\188\160x", "fifty\194\160per cent%" } do
      for i = 1, 10 do
        regions[10 * n - 10 + i] = name
      end
    end
    assert.same({ Mordor = 10, ["(other)"] = 40 }, unknown(regions))
  end)
end)

describe("of several columns for the region of a phone", function()
  it("the first that has a value counts", function()
    local rows, i = { { id = "1", tel = "40 12 34 56", a = "NO", b = "DE" },
      { id = "2", tel = "40 12 34 56", a = "", b = "NO" }, { id = "3", tel = "40 12 34 56", a = "US", b = "NO" } }, 0
    local res = assert(scope3.client({}):run({ audience = "a",
      map = { external_id = "id", phone = "tel", region = { "a", "b" } } }, function()
      i = i + 1
      return rows[i]
    end, { dry_run = true }))
    assert.same({ 2, { no_identifier = 1 } }, { res.members, res.rejected })
  end)
end)
