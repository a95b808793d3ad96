-- refresh_after: what was accepted long ago goes again, also where a clock was wrong in one of the nights.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local core = require "scope3.core"
local nights = require "spec.support.nights"
local rows = require "scope3.mirror.rows"
local schema = require "scope3.mirror.schema"
local store = require "scope3.mirror.store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local DAY = 86400
local PEOPLE = { id1 = "p1@example.org", id2 = "p2@example.org", id3 = "p3@example.org" }

describe("what was accepted long ago", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  -- Nights that began so many days ago, each over all people. What a night of now sends anew after 30 days.
  local function sent_after(...)
    for _ = 1, select("#", ...) do
      assert(season:night(PEOPLE))
    end
    local kept = assert(store.open(season.state))
    for n, days in ipairs { ... } do
      local run = assert(rows.get(kept.db, schema.tables.run, n))
      run.began = math.floor(core.time() - days * DAY)
      assert(rows.put(kept.db, schema.tables.run, run))
    end
    kept:close()
    return assert(season:night(PEOPLE, { refresh_after = 30 * DAY })).mirror.changed
  end

  it("goes again after the time that is given, and not before", function()
    assert.equal(3, sent_after(31))
    assert.equal(0, sent_after(29, 28))
  end)

  it("goes again where later nights sent nothing of it", function()
    assert.equal(3, sent_after(40, 10, 1))
  end)

  it("goes again where the clock of its night was years ahead", function()
    assert.equal(3, sent_after(-3650, 40, 10))
  end)

  it("goes again where the clock of a night between was years ahead, once those after it are long ago", function()
    assert.equal(3, sent_after(50, -3650, 40, 10))
  end)
end)
