-- Whether a night may remove those who leave: the share that is allowed, and the option that the refusal names.
local core = require "scope3.core"
local night_guard = require "scope3.job.night_guard"

local function seen(leavers, before)
  return { before = before, leavers = leavers, rejected = 0, rows = before - leavers, taken = before - leavers,
    unusable = 0, unusable_before = 0, sent = false }
end

-- The share of "--max-removed 57%", as the command reads it.
local function advised(err)
  return core.number(err.message:match "%(%-%-max%-removed (%d+)%%%)$") / 100
end

describe("the guard of a night", function()
  it("allows exactly the share that was given, in every whole percent", function()
    for percent = 1, 100 do
      for _, before in ipairs { 100, 700, 12300, 10000000 } do
        local leavers = before / 100 * percent
        assert.is_nil(night_guard.problem(seen(leavers, before), { max_removed = percent / 100 }))
        if percent < 100 then
          local err = night_guard.problem(seen(leavers + 1, before), { max_removed = percent / 100 })
          assert.equal("too_many_leave", err.code)
        end
      end
    end
  end)

  it("says how many of those who would be removed have a row that was rejected", function()
    local many = seen(40, 100)
    many.rejected = 39
    assert.truthy(night_guard.problem(many, {}).message:find("40 of 100 members would be removed, which is over 30%: "
      .. "39 of them have a row that was rejected, and the input has 60 rows. Nothing was sent", 1, true))
  end)

  it("speaks of one person as of many", function()
    local one = seen(1, 20)
    one.rejected = 1
    assert.truthy(night_guard.problem(one, {}).message:find("1 of 20 members would be removed, and each of them has a "
      .. "row that was rejected", 1, true))
    one.rejected, one.unusable = 0, 1
    assert.truthy(night_guard.problem(one, {}).message:find("1 row or line could not be told whose it is, 1 more than "
      .. "in the last night, and may be of the 1 person who would be removed. ", 1, true))
  end)

  it("names an option that lets the same night remove them, and no smaller one would", function()
    for before = 1, 120 do
      for leavers = 1, before do
        local err = night_guard.problem(seen(leavers, before), { max_removed = 0 })
        local share = advised(err)
        assert.is_nil(night_guard.problem(seen(leavers, before), { max_removed = share }))
        assert.is_truthy(night_guard.problem(seen(leavers, before), { max_removed = share - 0.01 }))
        assert.equal(share, core.number(err.message:match "max_removed = ([%d.]+)"))
      end
    end
  end)
end)
