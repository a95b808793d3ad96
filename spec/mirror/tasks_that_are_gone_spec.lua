-- A task of an earlier night that the service does not find: after a while its members go again, exactly as they were.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local core = require "scope3.core"
local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local PEOPLE = { a = "a@example.org", b = "b@example.org", c = "c@example.org" }

describe("a night after one whose task is gone", function()
  local sandbox = world.around(setup, teardown, before_each)
  local time, season = core.time, nil

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  after_each(function()
    core.time = time
  end)

  local function later(seconds)
    core.time = function()
      return time() + seconds
    end
  end

  -- The first night's task is not found from now on; what it was to do was done, or is lost.
  local function begin(outcome)
    sandbox:configure { clock = "manual", task_outcomes = world.json.array { outcome } }
    assert(season:night(PEOPLE, { wait = false }))
    sandbox:configure { clock = "manual", task_outcomes = world.json.array {}, faults = world.json.array {
      { on = "task", act = "status", status = 404, times = 1 } } }
  end

  local function counts(res, ...)
    local found = {}
    for i, name in ipairs { ... } do
      found[i] = res.mirror[name]
    end
    return found
  end

  for _, outcome in ipairs { "completed", "never" } do
    it("sends what it was to do again, and is exact: the task was " .. outcome, function()
      begin(outcome)
      later(24 * 3600)
      local res = assert(season:night(PEOPLE))
      assert.same({ 3, 3, 0, 3 }, { res.mirror.under_way, res.mirror.sent_again, res.mirror.added, res.accepted })
      assert.same(nights.hashed(PEOPLE), season:membership())
      assert.equal(2, #sandbox:requests "sync")
      later(74 * 3600) -- the lost one may have been carried out until then
      res = assert(season:night(PEOPLE))
      assert.same({ 0, 0 }, counts(res, "under_way", "deferred"))
      assert(season:night(PEOPLE))
      res = assert(season:night(PEOPLE))
      assert.same({ 0, 0, 0, 3 }, counts(res, "under_way", "deferred", "changed", "unchanged"))
      assert.same(nights.hashed(PEOPLE), season:membership())
    end)
  end

  it("holds back whoever has changed since, and says so", function()
    begin "never"
    later(24 * 3600)
    local now = { a = "new@example.org", b = PEOPLE.b }
    local res = assert(season:night(now))
    assert.same({ 1, 1, 2, 0, 0 }, counts(res, "under_way", "sent_again", "deferred", "added", "removed"))
    later(74 * 3600)
    assert(season:night(now, { max_removed = 1 }))
    assert.same(nights.hashed(now), season:membership())
    res = assert(season:night(now, { max_removed = 1 }))
    assert.same({ 0, 0, 0, 2 }, counts(res, "under_way", "deferred", "changed", "unchanged"))
  end)

  it("waits for a task that is new: the service may not find it yet", function()
    begin "completed"
    later(600)
    local res = assert(season:night(PEOPLE))
    assert.same({ 3, 0 }, counts(res, "under_way", "sent_again"))
    assert.equal(1, #sandbox:requests "sync")
    sandbox:control("PUT", "clock", { advance = 600 })
    res = assert(season:night(PEOPLE))
    assert.same({ 0, 3 }, counts(res, "under_way", "unchanged"))
  end)
end)
