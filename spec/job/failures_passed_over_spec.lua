-- What a job with keep_going went on past is tried again by a run that takes it up: last, and without members of which
-- newer rows were sent since. That holds in epochs, too: a later epoch may have been carried out already.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

local function hash(name)
  return core.sha256(name .. "@example.com")
end

-- An email that is none removes the member.
local SCRIPT = {
  audience = "a",
  member = function(row)
    return { external_id = row.id, hashed_email = row.mail ~= "-" and hash(row.mail) or nil, remove = row.mail == "-" }
  end,
}

local REFUSED = { on = "sync", act = "status", status = 422 }

describe("what an earlier run went on past", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client
  before_each(function()
    sandbox:configure { clock = "manual", task_seconds = 1 }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  -- Each row as "id=mail".
  local function file_of(text)
    return world.file("id,mail\n" .. text:gsub("=", ","):gsub(" ", "\n") .. "\n", ".csv")
  end

  local function members()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = member.hashedEmail
    end
    return found
  end

  -- Runs a job once with what goes wrong, and twice more without.
  local function run_again(text, opts, wrong)
    local file, results = file_of(text), {}
    opts.journal, opts.keep_going, opts.max_members = world.path ".journal", true, 2
    sandbox:configure(wrong)
    for i = 1, 3 do
      local res, err = client:run(SCRIPT, file, opts)
      results[i] = res or err.result
      results[i]:wait()
      world.assert_sums(results[i])
      sandbox:configure { faults = json.array {}, task_outcomes = json.array {} }
    end
    return results[1], results[2], results[3]
  end

  local function counts(res)
    return { res.accepted, res.replaced, res.failed }
  end

  -- The first epoch has requests for A and X, for B and C, and for D.
  local IN_EPOCHS = "A=a X=old B=b C=c X=new D=d"

  it("brings no older row back where its request was refused and a later epoch went", function()
    local first, second, third = run_again(IN_EPOCHS, { unique = true }, { faults = json.array { REFUSED } })
    assert.same({ 4, 0, 2 }, counts(first))
    assert.same({ A = hash "a", B = hash "b", C = hash "c", D = hash "d", X = hash "new" }, members())
    assert.same({ 5, 1, 0 }, counts(second))
    assert.same({ 5, 1, 0 }, counts(third))
    assert.equal(5, third.resumed)
  end)

  it("brings no older row back where its task had failed time and again and a later epoch went", function()
    local first, second, third = run_again(IN_EPOCHS, { unique = true }, {
      task_outcomes = json.array { "failed:transient", "completed", "completed", "failed:transient",
        "failed:transient" },
    })
    assert.same({ 4, 0, 2 }, counts(first))
    assert.same({ A = hash "a", B = hash "b", C = hash "c", D = hash "d", X = hash "new" }, members())
    assert.same({ 5, 1, 0 }, counts(second))
    assert.same({ 5, 1, 0 }, counts(third))
  end)

  it("leaves the newest row where those of several epochs were refused", function()
    local first, second, third = run_again("X=old A=a B=b C=c X=new D=d", { unique = true },
      { faults = json.array { REFUSED, { on = "sync", act = "status", status = 422, after = 2 } } })
    assert.same({ 3, 0, 3 }, counts(first))
    assert.same({ A = hash "a", B = hash "b", C = hash "c", D = hash "d", X = hash "new" }, members())
    assert.same({ 5, 1, 0 }, counts(second))
    assert.same({ 5, 1, 0 }, counts(third))
  end)

  it("brings no older row back where the job came to its epochs later", function()
    local first, second, third = run_again("A=a X=old B=b C=c E=- F=- X=new D=d", {},
      { faults = json.array { REFUSED } })
    assert.equal(2, first.failed)
    assert.same({ A = hash "a", B = hash "b", C = hash "c", D = hash "d", X = hash "new" }, members())
    assert.same({ 7, 1, 0 }, counts(second))
    assert.same({ 7, 1, 0 }, counts(third))
  end)

  it("goes in its own epoch where no later one has begun", function()
    local first, second = run_again("A=a X=x B=b C=c", { unique = true }, { faults = json.array { REFUSED } })
    assert.same({ 2, 0, 2 }, counts(first))
    assert.same({ 4, 0, 0 }, counts(second))
  end)
end)
