-- The check of the order: what the service takes never contradicts a task that may still be carried out.
local order = require "spec.simulation.order"

local HOUR = 3600

-- Problems that the check finds where a task adds a member, and a later request does something else to it.
local function problems_of(task, later, hash, plain)
  local count = 0
  local world = { fail = function()
    count = count + 1
  end }
  local function request(of, at, what)
    return { task = of, at = at, transfer = { started = at },
      operations = { { audience = "a", id = "m", hash = what } } }
  end
  local listen = order.listener(world, plain or {})
  listen(request(task, 0, "one"))
  listen(request({ id = "later", work = {}, ends = later + 1 }, later, hash))
  return count
end

describe("a request contradicts", function()
  local WORKING, ENDLESS = { id = "t", work = {}, ends = 100 * HOUR }, { id = "t", work = {}, ends = math.huge }
  local PERSON, DONE = { id = "t", status = "input-required", ends = 1 }, { id = "t", status = "completed", ends = 1 }
  local CASES = {
    ["a task that goes on, whenever it ends"] = { 1, WORKING, 99 * HOUR, "two" },
    ["a task that waits for a person"] = { 1, PERSON, 71 * HOUR, "two" },
    ["a task that never ends"] = { 1, ENDLESS, 71 * HOUR, "two" },
    ["what is to be removed as well"] = { 1, PERSON, 1, nil },
    ["no task that has ended"] = { 0, DONE, 1, "two" },
    ["no task that does the same"] = { 0, WORKING, 1, "one" },
    ["no task that waits for a person for longer than a request is in doubt"] = { 0, PERSON, 72 * HOUR, "two" },
    ["nothing of an audience whose job looks for repeats in one request only"] = { 0, WORKING, 1, "two", { a = true } },
  }
  for name, case in pairs(CASES) do
    it(name, function()
      assert.equal(case[1], problems_of(case[2], case[3], case[4], case[5]))
    end)
  end
end)
