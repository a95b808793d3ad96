-- Members of tasks that failed for a passing reason go again from the input, which is read once more: without those
-- that the service rejected, in bounded memory, and only where the input still gives the same.
local rare = require "scope3.util.rare"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

describe("a job whose tasks failed for a passing reason", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- The outcomes of tasks in their order; all others are completed.
  local function failing(count, faults)
    local outcomes = json.array {}
    for i = 1, count do
      outcomes[i] = "failed:transient"
    end
    outcomes[count + 1] = "completed"
    sandbox:configure { task_outcomes = outcomes, faults = json.array(faults or {}) }
  end

  -- Runs a job of two members a request: how many rows became members, and how the wait ended.
  local function run(rows, change)
    local lines, made = { "id,mail" }, 0
    for i = 1, rows do
      lines[1 + i] = ("r%d,r%d@example.com"):format(i, i)
    end
    local file = world.file(table.concat(lines, "\n") .. "\n")
    local res = assert(sandbox:client():run({ audience = "a", member = function(row)
      made = made + 1
      return { external_id = row.id .. (change and made > rows and "x" or ""), email = row.mail }
    end }, file, { max_members = 2 }))
    local ok, err = res:wait { interval = 0.02 }
    world.assert_sums(res)
    return made, res, ok, err
  end

  it("does not send again whom the service rejected", function()
    failing(1, { { on = "sync", act = "issues",
      issues = { { path = "audiences[0].add[1].hashedEmail", message = "is odd" } } } })
    local _, res, ok, err = run(4)
    assert(ok, err)
    assert.same({ 3, 1 }, { res.accepted, #res.quarantine })
    assert.same({ "r1", "r3", "r4" }, sandbox:ids "a")
  end)

  it("reads the input more often where more failed than is held at once, and sends the same", function()
    failing(3)
    local made, res = run(6)
    assert.equal(6, res.accepted)
    local number = rare.number
    rare.number = function(name, usual)
      return name == "held" and 1 or usual
    end
    sandbox:reset()
    failing(3)
    local more, bounded, ok, err = run(6)
    rare.number = number
    assert(ok, err)
    assert.same({ 6, 6 }, { bounded.accepted, #sandbox:ids "a" })
    assert.is_true(more > made, ("%d rows, and %d before"):format(more, made))
  end)

  it("says so where the input has changed meanwhile", function()
    failing(2)
    local _, _, ok, err = run(4, true)
    assert.is_nil(ok)
    assert.truthy(err.message:find("or the script does not give the same members each time", 1, true), err.message)
  end)

  it("says so where a row has come to the end of a file, although what was sent is still in it", function()
    failing(1)
    local file = world.file "id,mail\nr1,r1@example.com\nr2,r2@example.com\n"
    local script = { audience = "a", map = { external_id = "id", email = "mail" } }
    local res = assert(sandbox:client():run(script, file, { max_members = 1 }))
    local out = assert(io.open(file, "a"))
    out:write "r3,r3@example.com\n"
    out:close()
    local ok, err = res:wait { interval = 0.02 }
    assert.same({ nil, "source", "changed_input" }, { ok, err and err.kind, err and err.code })
    assert.truthy(err.message:find(file .. ": the file was changed", 1, true), err.message)
    assert.same({ "r2" }, sandbox:ids "a")
    world.assert_sums(res)
  end)

  it("ends with a refusal of what goes again", function()
    failing(3, { { on = "sync", after = 3, act = "status", status = 403, times = -1 } })
    local _, res, ok, err = run(6)
    assert.same({ nil, 403, 0 }, { ok, err.status, res.accepted })
  end)
end)

describe("a job that reads its input", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("ends at its deadline", function()
    local loop, i = virtual.loop(), 0
    local script = { audience = "a", map = { external_id = "id", email = "mail" } }
    local res, err = sandbox:client({ loop = loop }):run(script, function()
      i = i + 1
      if i == 100 then
        loop.sleep(60)
      end
      return i < 1000 and { id = "r" .. i, mail = "a@example.com" } or nil
    end, { deadline = 30, dry_run = true })
    assert.same({ nil, "timeout" }, { res, err and err.kind })
    assert.truthy(err.message:find("the deadline passed before the end of the input", 1, true), err.message)
    assert.is_true(i < 500)
  end)
end)
