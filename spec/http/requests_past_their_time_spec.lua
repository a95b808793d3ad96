-- A request that would be given up at once is not begun.
-- Its outcome would be unknown, and its members would be in doubt for days.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a request whose job's time is over", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function audience()
    local made = assert(scope3.audience "a")
    assert(made:add { external_id = "x", email = "jane@example.com" })
    return made
  end

  -- Rows of which each takes so long.
  local function slow(count, seconds)
    local n = 0
    return function()
      n = n + 1
      if n <= count then
        core.sleep(seconds)
        return { id = "m" .. n, email = "jane@example.com" }
      end
    end
  end

  -- None of its members is unknown, and all are told as not sent.
  local function assert_not_begun(least, res, err)
    assert.equal("timeout", res == nil and err.kind)
    assert.truthy(err.message:find("the deadline passed before ", 1, true), err.message)
    assert.is_nil(err.uncertain)
    assert.same({ 0, err.result.members, 0 }, { err.result.accepted, err.result.failed, err.result.unknown })
    assert.is_true(err.result.members >= least, err.result.members)
    assert.same({}, sandbox:requests "sync")
  end

  local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }

  it("is not begun where there never was any", function()
    assert_not_begun(1, sandbox:client():sync(audience(), { deadline = 0 }))
  end)

  it("is not begun where building it took longer", function()
    assert_not_begun(6, sandbox:client():run(SCRIPT, slow(6, 0.05), { deadline = 0.2 }))
  end)

  it("is not begun where building the first of several took longer", function()
    assert_not_begun(2, sandbox:client():run(SCRIPT, slow(6, 0.05), { deadline = 0.01, max_members = 2 }))
  end)

  it("is not begun where asking for the key took longer", function()
    local client = sandbox:client { api_key = function()
      core.sleep(0.3)
      return "scope3_test_key"
    end }
    assert_not_begun(1, client:sync(audience(), { deadline = 0.2 }))
  end)

  it("goes in the next run of its journal, which does not doubt it", function()
    local csv, journal = world.file("id,email\na,jane@example.com\n", ".csv"), world.file("", ".journal")
    assert(os.remove(journal))
    local opts = { journal = journal, deadline = 0 }
    assert_not_begun(0, sandbox:client():run(SCRIPT, csv, opts))
    opts.deadline = 60
    local res = assert(sandbox:client():run(SCRIPT, csv, opts))
    assert.same({ 1, 0, 0 }, { res.accepted, res.possibly_twice, res.resumed })
  end)
end)
