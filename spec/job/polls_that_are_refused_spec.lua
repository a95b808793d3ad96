-- A task whose state could not be asked for has not ended: nothing that depends on its end is sent.
local world = require "spec.support.world"

describe("a refused question for a task", function()
  local sandbox = world.around(setup, teardown, before_each)

  for _, status in ipairs { 400, 409, 413, 422 } do
    local name = ("ends a job that keeps going (%d): the next epoch waits for the end of the task"):format(status)
    it(name, function()
      sandbox:configure {
        task_seconds = 60, faults = world.json.array { { on = "task", act = "status", status = status, times = -1 } },
      }
      local stream = assert(sandbox:client():stream("a", { keep_going = true, unique = true, max_members = 1 }))
      assert(stream:add { external_id = "1", email = "jane@example.com" })
      assert(stream:add { external_id = "2", email = "joe@example.com" })
      stream:remove { external_id = "1" }
      local res, err = stream:finish()
      assert.is_nil(res)
      assert.equal(status, err.status)
      assert.equal(2, #sandbox:requests "sync")
      assert.same({ 2, 1 }, { err.result.accepted, err.result.failed })
      world.assert_sums(err.result)
    end)
  end
end)
