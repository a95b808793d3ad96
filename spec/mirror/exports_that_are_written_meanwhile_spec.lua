-- An export that is still being written while a night compares it: who seems gone may come in a moment.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function people(n)
  local all = {}
  for i = 1, n do
    all[("id%02d"):format(i)] = ("p%d@example.org"):format(i)
  end
  return all
end

describe("an export that is written to while it is compared", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
    assert(season:night(people(20)))
  end)

  -- A night over most of the people, whose last row finds the file being written to: what it came to, and its path.
  local function meanwhile(opts)
    local path, is_written
    local night = {
      script = {
        map = { external_id = "id", email = "mail" },
        where = function(row)
          if row.id == "id16" and not is_written then
            is_written = true
            local file = assert(io.open(path, "a"))
            file:write "id16,p16@example.org\n" -- what comes next is not there yet
            file:close()
          end
          return true
        end,
      },
    }
    for key, value in pairs(opts or {}) do
      night[key] = value
    end
    local file_of = world.file
    world.file = function(...)
      path = file_of(...)
      return path
    end
    local fine, res, err = pcall(season.night, season, people(16), night)
    world.file = file_of
    assert(fine, res)
    return res, err, path
  end

  it("removes nobody, although nobody is new and no row has changed", function()
    local before = #sandbox:requests "sync"
    local res, err, path = meanwhile()
    assert.is_nil(res)
    assert.same({ "source", "changed_input" }, { err.kind, err.code })
    assert.truthy(err.message:find(path, 1, true), err.message)
    assert.equal(before, #sandbox:requests "sync")
    assert.same(nights.hashed(people(20)), season:membership())
  end)

  it("is refused in a dry run, too, which would name people as gone", function()
    local res, err = meanwhile { dry_run = true }
    assert.same({ nil, "changed_input" }, { res, err.code })
  end)

  it("is compared by the next night", function()
    meanwhile()
    local res = assert(season:night(people(17)))
    assert.same({ 17, 3, 0 }, { res.mirror.unchanged, res.mirror.removed, res.mirror.changed })
    assert.same(nights.hashed(people(17)), season:membership())
  end)
end)
