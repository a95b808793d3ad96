-- A task that waits for a person may still take effect. Whatever became of the tasks beside it: nothing that depends on
-- its end is sent, members of failed tasks go again, and the error says that somebody must act.
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json

describe("a task that waits for a person", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client
  before_each(function()
    sandbox:configure { clock = "manual", task_seconds = 1 }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  -- Adds two members in a request each, whose tasks end so, and a third one. Then removes the first two.
  local function add_and_remove(outcomes)
    sandbox:configure { task_outcomes = json.array(outcomes) }
    local stream = assert(client:stream("a", { keep_going = true, unique = true, max_members = 1 }))
    for i = 1, 3 do
      assert(stream:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
    end
    stream:remove { external_id = "m1" }
    stream:remove { external_id = "m2" } -- there is room for one that waits for the end of the epoch
    local res, err = stream:finish()
    assert.is_nil(res)
    world.assert_sums(err.result)
    return err
  end

  for _, status in ipairs { "input-required", "auth-required" } do
    for _, failed in ipairs { "failed:terminal", "canceled", "rejected" } do
      local name = ("(%s) ends a job that keeps going over one that is %s, whichever came first"):format(status, failed)
      it(name, function()
        for _, outcomes in ipairs { { failed, status }, { status, failed } } do
          sandbox:reset()
          sandbox:configure { clock = "manual", task_seconds = 1 }
          local err = add_and_remove(outcomes)
          assert.same({ "needs_action", 3, 1 }, { err.kind, #sandbox:requests "sync", err.result.epochs })
          assert.same({ 2, 3 }, { err.result.accepted, err.result.failed })
        end
      end)
    end
  end

  -- Only adds, so that the tasks are waited for at the end of the job.
  local function add(outcomes)
    sandbox:reset()
    sandbox:configure { clock = "manual", task_seconds = 1, task_outcomes = json.array(outcomes) }
    local lines = { "id,email" }
    for i = 1, #outcomes do
      lines[i + 1] = ("m%d,m%d@example.com"):format(i, i)
    end
    local res = assert(client:run({ audience = "a", map = { external_id = "id", email = "email" } },
      world.file(table.concat(lines, "\n")), { max_members = 1 }))
    return res, res:wait()
  end

  it("does not keep members from going again whose task failed for a passing reason", function()
    for _, outcomes in ipairs { { "failed:transient", "input-required" }, { "input-required", "failed:transient" } } do
      local res, ok, err = add(outcomes)
      assert.same({ nil, "needs_action", 3 }, { ok, err.kind, #sandbox:requests "sync" })
      assert.same({ 2, 0 }, { res.accepted, res.failed })
      assert.same({ outcomes[1] == "input-required" and "m2" or "m1" }, sandbox:ids "a")
      world.assert_sums(res)
    end
  end)

  it("is what the error of a wait names, and not a task that failed for good", function()
    for _, outcomes in ipairs { { "failed:terminal", "input-required" }, { "input-required", "failed:terminal" } } do
      local res, ok, err = add(outcomes)
      assert.same({ nil, "needs_action" }, { ok, err.kind })
      assert.equal(res.tasks[outcomes[1] == "input-required" and 1 or 2].task_id, err.task_id)
      assert.same({ 1, 1 }, { res.accepted, res.failed })
    end
    local res, _, err = add { "input-required", "auth-required" }
    assert.equal(res.tasks[1].task_id, err.task_id) -- of two the first
  end)
end)
