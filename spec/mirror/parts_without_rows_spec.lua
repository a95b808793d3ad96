-- A part of an export that has no rows: who may have stood in it is not taken for gone.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local states = require "spec.support.states"
local world = require "spec.support.world"

local HEADER = "id,mail\n"

local function people(first, last)
  local all = {}
  for i = first, last do
    all["id" .. i] = ("p%d@example.org"):format(i)
  end
  return all
end

describe("a mirror of several files", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local state

  before_each(function()
    state = states.path()
  end)

  local function night(parts, opts)
    local paths = {}
    for i, part in ipairs(parts) do
      paths[i] = world.file(type(part) == "table" and nights.csv(part) or part, ".csv")
    end
    local all = { state = state, mode = "mirror", audience = "a" }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    local res, err = sandbox:client():run({ map = { external_id = "id", email = "mail" } }, paths, all)
    return res, err, paths
  end

  local function in_audience()
    return #sandbox:ids "a"
  end

  it("removes nobody where a part has no rows, and sends nothing, unless that is allowed", function()
    assert(night { people(1, 20), people(21, 22) })
    local before = #sandbox:requests "sync"
    for _, blank in ipairs { "", HEADER, "\n\n" } do
      local _, err, paths = night { people(2, 22), blank }
      assert.same({ "guard", "file_without_rows" }, { err.kind, err.code })
      assert.truthy(err.message:find(("1 of 22 members would be removed, and %s of 2 files has no rows: an export may "
        .. "have broken. Nothing was sent, and nobody was removed. If that is meant, allow it: allow_empty = true "
        .. "(--allow-empty)"):format(paths[2]), 1, true), err.message)
      assert.same({ 0, 1 }, { err.result.mirror.removed, err.result.mirror.held_back })
      assert.same({ before, 22 }, { #sandbox:requests "sync", in_audience() })
    end
    assert.equal(1, assert(night({ people(2, 22), HEADER }, { allow_empty = true })).removed)
    assert.equal(21, in_audience())
  end)

  it("names the first part without rows, and counts the others", function()
    assert(night { people(1, 20) })
    local _, err, paths = night { "", people(1, 10), HEADER, people(11, 19), "" }
    assert.truthy(err.message:find(paths[1] .. " and 2 others of 5 files have no rows", 1, true), err.message)
    _, err, paths = night { people(1, 10), HEADER, people(11, 19) }
    assert.truthy(err.message:find(paths[2] .. " of 3 files has no rows", 1, true), err.message)
  end)

  it("goes on where nobody would leave, and in a first night", function()
    assert.equal(20, assert(night { people(1, 20), "", HEADER }).accepted)
    assert.equal(1, assert(night { HEADER, people(1, 21), "" }).accepted)
  end)

  it("takes rows that no condition takes for rows, and a mark of a job for no part", function()
    assert(night { people(1, 20), people(21, 22) })
    local other, mark = world.file("id,mail\nid22,p22@elsewhere.example\n", ".csv"), world.path() .. "_dir"
    assert(os.execute("mkdir " .. mark))
    world.write(mark .. "/_SUCCESS", "")
    local script = { map = { external_id = "id", email = "mail" }, where = { mail = { ne = "p22@elsewhere.example" } } }
    local res, err = sandbox:client():run(script, { world.file(nights.csv(people(1, 21)), ".csv"), other,
      mark .. "/_SUCCESS" }, { state = state, mode = "mirror", audience = "a" })
    os.execute("rm -r " .. mark)
    assert.equal(1, assert(res, err).removed)
  end)

  it("is refused by the command, too, which takes --allow-empty for leave", function()
    local full, part = world.file(nights.csv(people(1, 20)), ".csv"), world.file(nights.csv(people(21, 22)), ".csv")
    local function command(...)
      return world.command({ "sync", "--base-url", sandbox.url, "--account", "25", "--audience", "a", "--mirror",
        "--state", state, "--map", "external_id=id", "--map", "email=mail", "--rate", "100000", ... },
        { env = "SCOPE3_API_KEY=scope3_test_key" })
    end
    assert.equal(0, (command(full, part)))
    world.write(part, "")
    local code, _, complained = command(full, part)
    assert.equal(1, code)
    assert.truthy(complained:find(part .. " of 2 files has no rows", 1, true), complained)
    assert.equal(0, (command(full, part, "--allow-empty")))
    assert.equal(20, in_audience())
  end)
end)
