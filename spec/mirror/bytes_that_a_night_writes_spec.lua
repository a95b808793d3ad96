-- What a night writes into its state beside its operations: whole pages, which each of its requests touches thrice. A
-- reader keeps the log from going into the file, so all that the night wrote stands there.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local store = require "scope3.mirror.store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local REQUESTS = 20

-- Ten million rows of which 180,000 go are 22 requests, and 7.9 MB of operations, which the log and then the file get.
-- They are to write less than 20 MB. That leaves 190 kB a request. The last pages of large operations, which are not
-- full, take up to 40 of these.
local MOST = 150000

local function people(domain)
  local all = {}
  for i = 1, REQUESTS do
    all["id" .. i] = ("p%d@%s"):format(i, domain)
  end
  return all
end

describe("a night of many requests", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("writes a few small pages for each, from before it leaves until its task has ended", function()
    sandbox:configure { clock = "manual" }
    local season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
    assert(season:night(people "example.org"))
    local before = #sandbox:requests "sync"
    local reader = assert(store.open(season.state, nil, { read_only = true }))
    local chunks = reader:figures().chunks
    assert(season:night(people "example.com", { max_members = 1 }))
    local log = #world.read(season.state .. "-wal")
    reader:close()
    assert.equal(REQUESTS, #sandbox:requests "sync" - before)

    local kept = assert(store.open(season.state, nil, { read_only = true }))
    local operations = kept:figures().chunks - chunks
    for _, chunk in ipairs(kept:open_chunks()) do
      assert.equal("completed", chunk.tries[1].state)
    end
    kept:close()
    assert.is_true(operations > 0)
    local beside = (log - operations) / REQUESTS
    assert.is_true(beside > 0 and beside < MOST, ("%.0f bytes a request"):format(beside))
  end)
end)
