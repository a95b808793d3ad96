-- A night knows how few members come before it builds them. So it takes smaller requests than a job that does not, and
-- two of these are what it has in memory.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a night", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("spreads the members that it knows of over several requests, where these are large", function()
    sandbox:configure { clock = "manual" }
    local season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
    local people = {}
    for i = 1, 16000 do
      people[("id%05d"):format(i)] = ("p%d@example.org"):format(i)
    end
    local result = assert(season:night(people))
    assert.same({ 16000, 16000 }, { result.mirror.added, result.accepted })
    assert.is_true(result.bytes_sent > 1048576)
    local requests = sandbox:requests "sync"
    assert.equal(2, #requests)
    assert.same(nights.hashed(people), season:membership())
  end)
end)
