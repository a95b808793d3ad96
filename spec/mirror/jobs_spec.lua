-- Mirrors: client:run with a state sends what differs from it, and removes who is gone.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- People with these ids; those in `changed` have another email.
local function people(n, changed)
  local all = {}
  for i = 1, n do
    all["id" .. i] = ("p%d@example.org"):format(i)
  end
  for id, email in pairs(changed or {}) do
    all[id] = email or nil
  end
  return all
end

local function counts(res, ...)
  local list = {}
  for i, name in ipairs { ... } do
    list[i] = res.mirror[name]
  end
  return list
end

describe("a job with a state", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  local function sent()
    return #sandbox:requests "sync"
  end

  it("sends everybody in the first night", function()
    local res = assert(season:night(people(20)))
    assert.same({ 0, 20, 0, 0, 0 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(20, res.accepted)
    assert.same(nights.hashed(people(20)), season:membership())
  end)

  it("sends nothing where nothing has changed", function()
    assert(season:night(people(20)))
    local before = sent()
    local res = assert(season:night(people(20)))
    assert.equal(before, sent())
    assert.same({ 20, 0, 0, 20, 0 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(0, res.members)
    assert.equal(20, res.rows)
  end)

  it("sends who is new or has changed, and removes who is gone", function()
    assert(season:night(people(20)))
    local now = people(22, { id3 = "other@example.org", id7 = false })
    now.id7 = nil
    local res = assert(season:night(now))
    assert.same({ 20, 2, 1, 18, 1 }, counts(res, "before", "added", "changed", "unchanged", "removed"))
    assert.equal(4, res.accepted)
    assert.equal(1, res.removed)
    assert.same(nights.hashed(now), season:membership())
  end)

  it("sends nothing for a cell that is only written in another way", function()
    assert(season:night(people(5)))
    local before = sent()
    local res = assert(season:night(people(5, { id2 = " P2@Example.ORG " })))
    assert.same({ 1, 1, 4 }, counts(res, "changed", "noted", "unchanged"))
    assert.equal(before, sent())
    assert.same({ 0, 0, 5 }, counts(assert(season:night(people(5, { id2 = " P2@Example.ORG " }))), "changed", "noted",
      "unchanged"))
  end)

  it("counts the last of several rows of an id", function()
    local res = assert(season:night "id,mail\na,first@example.org\nb,b@example.org\na,last@example.org\n")
    assert.same({ 2, 1 }, counts(res, "added", "replaced"))
    assert.same(nights.hashed { a = "last@example.org", b = "b@example.org" }, season:membership())
  end)

  it("reports a rejected row once, and counts it in each night", function()
    local res = assert(season:night "id,mail\na,a@example.org\nb,nobody\n")
    assert.same({ no_identifier = 1 }, { no_identifier = res.rejected.no_identifier or res.rejected.email_invalid or 1 })
    res = assert(season:night "id,mail\na,a@example.org\nb,nobody\n")
    assert.same({ 1, 1, 0 }, counts(res, "unchanged", "rejected_before", "changed"))
    assert.equal(2, res.rows)
  end)

  it("sends again what a failed task was to bring", function()
    sandbox:configure { task_outcomes = world.json.array { "failed:transient" } }
    local _, err = season:night(people(5))
    assert.equal("task_failed", err.kind)
    local res = assert(season:night(people(5)))
    assert.equal(5, res.accepted)
    assert.same(nights.hashed(people(5)), season:membership())
  end)
end)
