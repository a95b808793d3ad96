-- What a job knows of its tasks: which go again and after which pause, what an earlier run left, and what was taken.
local task_list = require "scope3.job.task_list"

-- Work whose task failed for a reason that may pass.
local function failed(more)
  local work = { ended = true, transient = true, entry = { state = "failed" }, sendings = 1, parts = {},
    audiences = { "a" } }
  for key, value in pairs(more or {}) do
    work[key] = value
  end
  return work
end

describe("the tasks of a job", function()
  for i, case in ipairs {
    { 1, {} }, { 5, { retry_after = 5 } }, { 0, { retry_after = 0 } }, { false, { transient = false } },
    { 1, { sendings = 2 } }, { false, { sendings = 3 } }, { false, { parts = false } }, { false, { ended = false } },
  } do
    it(("go again after the pause that was asked for, or a second, in case %d"):format(i), function()
      local list, task = task_list.new(), {}
      list:add(task, failed(case[2]))
      local again, pause = list:retryable(false)
      assert.same(case[1] and { 1, case[1] } or { 0, 0 }, { #again, pause })
    end)
  end

  it("take over what an earlier run left, once", function()
    local list = task_list.new()
    list:add_leftover({}, failed())
    assert.same({ true, 1 }, { list:take_leftover(), #list.pending })
    assert.same({ false, 1 }, { list:take_leftover(), #list.pending })
  end)

  it("tell the last batch of which something was taken, or goes in any order", function()
    local list, task = task_list.new(), {}
    list:add(task, failed { batch = 2, first = 1, entry = { state = "accepted" } })
    local going = failed { batch = 5 }
    assert.same({ 2, { [2] = { list.work[task] } } }, { select(2, list:accepted_ranges({ task })),
      (list:accepted_ranges({ task })) })
    local ranges, last = list:accepted_ranges({ task }, { [5] = { going } })
    assert.same({ 5, { [2] = { list.work[task] }, [5] = { going } } }, { last, ranges })
  end)
end)
