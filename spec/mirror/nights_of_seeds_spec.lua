-- Whatever a service does with the requests of a mirror, and wherever its nights end: what the state calls known is
-- what the service has and will have. When all is quiet again the audiences are those of the export.
local nights_of = require "spec.mirror.nights.nights_of"
local rules = require "spec.mirror.nights.rules"
local season = require "spec.mirror.nights.season"
local world = require "spec.support.world"

-- Mutants that some hundred nights find, by any seed.
local FREQUENT = { "confirm at 202", "send while a chunk is open", "an old chunk sent again", "record after sending",
  "failed = unchanged", "no settling", "settling 1 h", "chunks applied out of order", "completed = applied at once",
  "missing = ended", "refused content = unchanged", "one try for two sendings", "the envelope is believed",
  "an unsure add keeps flags" }

describe("the state of a mirror", function()
  local function shown(found)
    return found.first and ("season %.0f: %s; lua5.4 spec/mirror/nights/run.lua trace %.0f shows it"):format(
      found.first.season, found.first.problem, found.first.season)
  end

  it("is never wrong in thousands of nights", function()
    local seed = require "spec.support.seed"
    print("   nights of seed " .. seed)
    local found = nights_of.seed(seed, world.thorough and 10000 or 2000, rules.right())
    assert.is_nil(found.first, shown(found))
  end)

  it("is the same for the same seed", function()
    for number = 1, 5 do
      local first, again = season.run(number, rules.right()), season.run(number, rules.right())
      assert.is_true(first.nights > 8 and next(first.totals) ~= nil)
      assert.same({ first.nights, first.totals, first.service.now }, { again.nights, again.totals, again.service.now })
    end
  end)

  for _, name in ipairs(FREQUENT) do
    it("becomes wrong by the mutant: " .. name, function()
      assert.is_true(nights_of.seed(1, 20000, rules.broken(name), nil, true).wrong == 1)
    end)
  end
end)

describe("a mutant of the rules", function()
  it("is listed, so that the program of the nights tries it", function()
    local names = {}
    for name in pairs(rules.mutants) do
      names[#names + 1] = name
    end
    local listed = {}
    for i, name in ipairs(rules.ORDER) do
      listed[i] = name
    end
    table.sort(names)
    table.sort(listed)
    assert.same(names, listed)
  end)
end)
