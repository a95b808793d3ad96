-- Nights of the command, a process each, against a service that misbehaves, and that are killed: what a clean night
-- leaves is the export, nobody else is touched, and nothing is sent twice without a reason. `make seasons` runs more.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local dice_of = require "spec.mirror.seasons.dice"
local kills_of = require "spec.mirror.seasons.kills"
local season_of = require "spec.mirror.seasons.season"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

describe("a season of the command", function()
  local season

  after_each(function()
    season:close()
  end)

  it("ends each clean night with the audience that the export has", function()
    local nights = world.in_full and 200 or world.thorough and 24 or 6
    print("   season of seed " .. seed)
    season = season_of.new(seed)
    local problem = season:run(nights)
    assert.is_nil(problem, problem and ("%s; SEED=%d NIGHTS=%d make seasons shows it"):format(problem, seed, nights))
    assert.is_true(season.tally.clean >= 2)
  end)
end)

describe("a night that is killed", function()
  local kills

  setup(function()
    kills = kills_of.new(seed % 2 == 0) -- with two audiences
  end)

  teardown(function()
    kills:close()
  end)

  it("is made good by the next one, or by the first after the settling time", function()
    local points, dice = kills:points(), dice_of.new(seed)
    local step = world.in_full and 1 or math.floor(points / (world.thorough and 12 or 3))
    for point = dice:whole(1, step), points, step do
      local what, call = kills:at(point, dice:happens(0.3))
      assert.is_true(kills_of.GOOD[what], ("killed at %s, point %d of seed %d: %s"):format(call, point, seed, what))
    end
  end)
end)
