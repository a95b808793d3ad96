-- Members that are sent again, because their task failed for a
-- passing reason, never go after newer members of the same ids.
local core = require "scope3.core"
local model = require "spec.support.model"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }
local ROWS = "id,email\nA,old@example.com\nB,b@example.com\nC,c@example.com\nA,new@example.com\n"

local function hash(name)
  return core.sha256(name .. "@example.com")
end

describe("members of a failed task, sent again after newer ones", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client
  before_each(function()
    sandbox:configure { clock = "manual", task_seconds = 1 }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  local function hashes()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = member.hashedEmail
    end
    return found
  end

  it("go without those that a later request replaced, which are counted", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local res = assert(assert(client:run(SCRIPT, world.file(ROWS), { max_members = 2 })):wait())
    assert.same({ A = hash "new", B = hash "b", C = hash "c" }, hashes())
    assert.same({ 4, 3, 1, 0, 3 }, { res.members, res.accepted, res.replaced, res.failed, #res.requests })
    assert.same({ 1, true }, { res.requests[3].members, res.requests[1].sent_again })
    world.assert_sums(res)
  end)

  it("are not sent at all where all of them were replaced", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local res = assert(assert(client:run(SCRIPT,
      world.file "id,email\nA,old@example.com\nA2,x@example.com\nA,new@example.com\nA2,y@example.com\n",
      { max_members = 2 })):wait())
    assert.same({ A = hash "new", A2 = hash "y" }, hashes())
    assert.same({ 2, 2, 2 }, { res.accepted, res.replaced, #res.requests })
    world.assert_sums(res)
  end)

  it("go in the order of their rows where the newer ones failed too", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient", "failed:transient" } }
    local res = assert(assert(client:run(SCRIPT, world.file(ROWS), { max_members = 2 })):wait())
    assert.same({ A = hash "new", B = hash "b", C = hash "c" }, hashes())
    assert.same({ 4, 0 }, { res.accepted, res.replaced })
    world.assert_sums(res)
  end)

  it("are not taken for replaced by members that the service refused", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    sandbox:fault {
      on = "sync", after = 1, act = "issues",
      issues = { { path = "audiences[0].add[1].hashedEmail", message = "is odd" } },
    }
    local res = assert(assert(client:run(SCRIPT, world.file(ROWS), { max_members = 2 })):wait())
    assert.same({ A = hash "old", B = hash "b", C = hash "c" }, hashes())
    assert.same({ 3, 1, 0 }, { res.accepted, res.rejected_by_service, res.replaced })
    world.assert_sums(res)
  end)

  it("do not bring a removed member back in a job that only removes, or only adds, whatever the pieces", function()
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    sandbox:fault { on = "sync", act = "status", status = 413 }
    local lines = { "id,email" }
    for i = 1, 40 do
      lines[#lines + 1] = ("u%d,%s%d@example.com"):format(i % 30, i <= 30 and "old" or "new", i)
    end
    local res = assert(assert(client:run(SCRIPT, world.file(table.concat(lines, "\n")), { max_members = 30 })):wait())
    local found = hashes()
    for i = 11, 40 do
      assert.equal(hash((i <= 30 and "old" or "new") .. i), found["u" .. i % 30])
    end
    world.assert_sums(res)
  end)

  it("go at the end of a run that resumes the job, also without a wait, and without what was replaced", function()
    for _, waits in ipairs { false, true } do
      sandbox:reset()
      sandbox:configure { clock = "manual", task_seconds = 1, task_outcomes = json.array { "failed:transient" } }
      local file, path = world.file(ROWS), world.path ".journal"
      local opts = { journal = path, max_members = 2 }
      local resending = false
      local waited = assert(client:run(SCRIPT, file, opts)):wait {
        cancel = function() return resending end,
        on_event = function(event)
          resending = resending or event.event == "resend"
        end,
      }
      assert.is_nil(waited)
      local res = assert(client:run(SCRIPT, file, opts))
      if waits then
        assert(res:wait())
      else
        client.loop.sleep(2)
      end
      assert.same({ A = hash "new", B = hash "b", C = hash "c" }, hashes())
      assert.same({ 3, 1, 0, 2, 3 }, { res.accepted, res.replaced, res.failed, res.resumed, #sandbox:requests "sync" })
      world.assert_sums(res)
      res = assert(client:run(SCRIPT, file, opts))
      assert.same({ 3, 1, 3, 3 }, { res.accepted, res.replaced, res.resumed, #sandbox:requests "sync" })
      world.assert_sums(res)
    end
  end)

  it("leave what the last rows say, over random files and tasks that fail at random", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    local roll = model.dice(seed % 100000 + 1)
    for round = 1, world.thorough and 12 or 3 do
      sandbox:reset()
      sandbox:configure {
        clock = "manual", task_seconds = 1, seed = seed % 1000 + round, task_shares = { ["failed:transient"] = 0.3 },
      }
      local lines, expected = { "id,email" }, {}
      for i = 1, 300 do
        local id = "u" .. roll(120)
        lines[#lines + 1] = ("%s,v%d@example.com"):format(id, i)
        expected[id] = { row = i, hash = hash("v" .. i) }
      end
      local res = assert(client:run(SCRIPT, world.file(table.concat(lines, "\n")), { max_members = 20 }))
      res:wait()
      world.assert_sums(res)
      local missing, found = {}, hashes()
      for _, request in ipairs(res.requests) do
        for row = request.rows.first, request.state == "failed" and not request.sent_again and request.rows.last or 0 do
          missing[row] = true
        end
      end
      for id, last in pairs(expected) do
        assert.is_true(missing[last.row] or found[id] == last.hash,
          ("round %d: row %d is not what is left"):format(round, last.row))
      end
    end
  end)
end)
