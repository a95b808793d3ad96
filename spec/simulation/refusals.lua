-- A service that refuses one audience of a request: the task completes, and names it as failed.
local json = require "scope3.sandbox.json"

local refusals = {}

-- The audiences of a request without one.
local function without(audiences, id)
  local others = json.array()
  for _, audience in ipairs(audiences) do
    if audience.audienceId ~= id then
      others[#others + 1] = audience
    end
  end
  return others
end

--- Lets a task refuse an audience, which stays as it was.
function refusals.refuse_one(state, task, dice)
  local work = task.work
  local id = dice:one_of(work.audiences).audienceId
  task.work = { audiences = without(work.audiences, id) }
  task.refuses, task.recovery = id, dice:one_of { "transient", "terminal" }
  local audience = state:audience(task.account_id, id)
  audience.status, audience.ready_at = "READY", nil
end

--- Adds to what a task shows which audience it refused.
function refusals.show(task, shown)
  if task.refuses and task.status == "completed" then
    shown.response = { audiences = json.array { { audienceId = task.refuses, action = "failed", errors = json.array {
      { code = "AUDIENCE_REFUSED", message = "The audience is not accepted", recovery = task.recovery } } } } }
  end
  return shown
end

return refusals
