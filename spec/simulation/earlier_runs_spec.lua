-- The check of an audience accepts a newer value than the last run knows of only where an earlier run gave it.
local earlier_runs = require "spec.simulation.earlier_runs"

local ID = "m"
local LAST = { id = ID, row = 3, hash = "three" } -- of the rows that the last run read, which are five

-- Tasks that did something to the member: { what, when their requests left, how they ended }.
local function went_further(tasks, actual)
  local accepted = {}
  for i, task in ipairs(tasks) do
    accepted[i] = { task = { status = task[3] or "completed" }, transfer = { started = task[2] },
      operations = { { audience = "a", id = ID, hash = task[1] ~= "removal" and task[1] or nil } } }
  end
  local audience = { id = "a", operations = {
    { id = ID, row = 1 }, { id = ID, row = 2, hash = "two" }, LAST, { id = ID, row = 7, hash = "seven" },
    { id = ID, row = 8, hash = "eight", invalid = true }, { id = ID, row = 9 },
    { id = "other", row = 10, hash = "ten" },
  } }
  local job = { result = { rows = 5 }, run_began = 100 }
  return earlier_runs.went_further({ service = { accepted = accepted } }, job, audience, LAST, actual)
end

describe("what an earlier run did in rows that the last run did not read", function()
  local CASES = {
    ["is a later row of the member"] = { true, { { "three", 10 }, { "seven", 20 } }, "seven" },
    ["is a later removal"] = { true, { { "three", 10 }, { "removal", 20 } }, nil },
    ["is not a row that the last run did read"] = { false, { { "two", 20 }, { "three", 10 } }, "two" },
    ["is not a row that goes in the last run"] = { false, { { "three", 10 }, { "seven", 100 } }, "seven" },
    ["is not a task that failed"] = { false, { { "three", 10 }, { "seven", 20, "failed" } }, "seven" },
    ["is not what came before the last row that was read"] = { false, { { "removal", 5 }, { "three", 10 } }, nil },
    ["is nothing where no task did it"] = { false, { { "three", 10 } }, "seven" },
    ["is nothing where that row was not carried out"] = { false, { { "seven", 20 } }, "seven" },
    ["is not a row that is invalid"] = { false, { { "three", 10 }, { "eight", 20 } }, "eight" },
    ["is not a row of another member"] = { false, { { "three", 10 }, { "ten", 20 } }, "ten" },
  }
  for name, case in pairs(CASES) do
    it(name, function()
      assert.equal(case[1], went_further(case[2], case[3]))
    end)
  end
end)
