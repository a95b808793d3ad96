-- What the end of a task means for the members of its request.
local completion = require "scope3.job.completion"
local errors = require "scope3.error"

-- A task of a request with the members of some audiences: { id, adds, removes } each.
local function work_of(audiences, retained)
  local work = { entry = { members = 0, removes = 0 }, shares = #audiences > 1 and {} or nil }
  local parts = {}
  for i, one in ipairs(audiences) do
    parts[i] = { audience = { id = one[1] }, adds = one[2], removes = one[3] }
    work.entry.members = work.entry.members + one[2] + one[3]
    work.entry.removes = work.entry.removes + one[3]
    if work.shares then
      work.shares[i] = { id = one[1], adds = one[2], removes = one[3], part = parts[i] }
    end
  end
  work.parts = retained and parts
  return work, parts
end

local function failed(audiences)
  return errors.new("task_failed", "it failed", { audiences = audiences })
end

local ONE, TWO = { { "a", 3, 2 } }, { { "a", 3, 2 }, { "b", 4, 0 } }
local THREE = { { "a", 3, 2 }, { "b", 4, 0 }, { "c", 0, 6 } }

describe("a task", function()
  it("that completed fails nobody, whatever was said beside it", function()
    for _, audiences in ipairs { ONE, TWO, THREE } do
      assert.same({ state = "completed" }, completion.of(work_of(audiences), "completed"))
      assert.same({ state = "completed" }, completion.of(work_of(audiences), "completed", failed { "a" }))
    end
  end)

  -- Audiences of the request, those that the error names; then the state, members and removals that failed, and the
  -- parts that they are in.
  for what, case in pairs {
    ["of one audience fails all of it"] = { ONE, nil, "failed", 5, 2, { 1 } },
    ["of one audience fails all of it, named or not"] = { ONE, { "a" }, "failed", 5, 2, { 1 } },
    ["fails everybody where nobody is named"] = { TWO, nil, "failed", 9, 2, { 1, 2 } },
    ["fails everybody where an empty list is given"] = { TWO, {}, "failed", 9, 2, { 1, 2 } },
    ["fails everybody where only strangers are named"] = { TWO, { "z" }, "failed", 9, 2, { 1, 2 } },
    ["fails everybody where all are named"] = { TWO, { "b", "a" }, "failed", 9, 2, { 1, 2 } },
    ["fails the first where it is named"] = { TWO, { "a" }, "partly failed", 5, 2, { 1 } },
    ["fails the last where it is named"] = { TWO, { "b" }, "partly failed", 4, 0, { 2 } },
    ["fails the one that is named beside a stranger"] = { TWO, { "z", "b" }, "partly failed", 4, 0, { 2 } },
    ["counts one that is named twice once"] = { TWO, { "a", "a" }, "partly failed", 5, 2, { 1 } },
    ["fails two of three"] = { THREE, { "c", "a" }, "partly failed", 11, 8, { 1, 3 } },
    ["fails all of three"] = { THREE, { "c", "b", "a" }, "failed", 15, 8, { 1, 2, 3 } },
  } do
    it(what, function()
      for _, status in ipairs { "failed", "rejected", "canceled", "input-required", "auth-required" } do
        for _, retained in ipairs { true, false } do
          local work, parts = work_of(case[1], retained)
          local outcome = completion.of(work, status, failed(case[2]))
          assert.same({ case[3], case[4], case[5] }, { outcome.state, outcome.members, outcome.removes })
          local expected = {}
          for i, number in ipairs(case[6]) do
            expected[i] = parts[number]
          end
          assert.same(retained and expected or false, outcome.parts)
        end
      end
    end)
  end

  it("hands on the reason, whether it passes, and how long to wait", function()
    local work = work_of(ONE)
    local err = errors.new("task_failed", "the matching is down", { retryable = true, retry_after = 30 })
    local outcome = completion.of(work, "failed", err)
    assert.same({ "the matching is down", true, 30 }, { outcome.error, outcome.transient, outcome.retry_after })
    outcome = completion.of(work, "failed", errors.new("task_failed", "no", {}))
    assert.same({ "no", nil, nil }, { outcome.error, outcome.transient, outcome.retry_after })
    assert.same({ "failed", 5, 2 }, (function(one)
      return { one.state, one.members, one.removes }
    end)(completion.of(work, "canceled")))
  end)
end)
