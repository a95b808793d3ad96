-- Exports that are packed by gzip: they are read twice like any other, and unpacked each time.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function packed(text)
  local path = world.file(text)
  assert(os.execute("gzip -nf " .. path))
  world.forget(path .. ".gz")
  return world.read(path .. ".gz")
end

local LINES = '{"id":"a","mail":"%s@example.org"}\n{"id":"b","mail":"b@example.org"}\n'

describe("a mirror of a packed export", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  it("is sent where it is JSON Lines, and its changes after that", function()
    assert(season:night(packed(LINES:format "a"), { suffix = ".jsonl.gz" }))
    assert.same(nights.hashed { a = "a@example.org", b = "b@example.org" }, season:membership())
    local res = assert(season:night(packed(LINES:format "other"), { suffix = ".jsonl.gz" }))
    assert.equal(1, res.accepted)
    assert.same(nights.hashed { a = "other@example.org", b = "b@example.org" }, season:membership())
  end)

  it("is sent where it is CSV without a header", function()
    local opts = { suffix = ".csv.gz", header = false, script = { map = { external_id = 1, email = 2 } } }
    assert(season:night(packed "a,a@example.org\nb,b@example.org\n", opts))
    assert.same(nights.hashed { a = "a@example.org", b = "b@example.org" }, season:membership())
  end)
end)
