--- Warnings of a job while it sends: what held its requests back, and what the service warns of. Each kind once.
local problems = require "scope3.api.problems"
local redact = require "scope3.util.redact"
local result = require "scope3.result"
local visible = require "scope3.util.visible"

---@class scope3.JobWarnings
---@field private of_tasks integer  warnings that the service gave
---@field private told table<string, boolean>  events that stand in the result
local Warnings = {}
Warnings.__index = Warnings

local warnings = {}

local LISTED = 20 -- warnings of tasks that a result holds

---@param res scope3.Result
---@return scope3.JobWarnings
function warnings.new(res)
  return setmetatable({ result = res, of_tasks = 0, told = {} }, Warnings)
end

--- Adds what was wrong with what held requests back, where an event tells of such a thing.
---@param event scope3.Event
function Warnings:of_event(event)
  local name = event.event
  if self.told[name] then
    return
  elseif name == "limiter" and event.problem == "back" then
    return
  elseif name == "limiter" and event.problem == "away" then
    result.warn(self.result, "limiter_away",
      "the limiter's Redis did not answer for a while: meanwhile requests went by their process's share of the rate",
      { problem = event.problem })
  elseif name == "limiter" then
    result.warn(self.result, "limiter_lost",
      ("the limiter's file was %s, and its counts were lost: requests wait for a minute"):format(event.problem),
      { problem = event.problem })
  elseif name == "cut_short" then
    result.warn(self.result, "wait_cut_short",
      ("the service asked for a wait of %.0f s (%s); after %.0f s it was asked again"):format(event.said, event.field,
        event.seconds),
      { field = event.field, said = event.said, seconds = event.seconds })
  else
    return
  end
  self.told[name] = true
end

-- The id of an audience that a stranger named: it may be anything.
local function shown_id(id)
  return id and visible.text(redact.patterns(id))
end

--- Adds what the service warns of.
---@param task_id string
---@param found? scope3.Problem[]  as problems.redacted() gives them
function Warnings:of_service(task_id, found)
  for _, problem in ipairs(found or {}) do
    self.of_tasks = self.of_tasks + 1
    if self.of_tasks <= LISTED then
      local id = shown_id(problem.audience_id)
      local of = id and " of the audience " .. id or ""
      result.warn(self.result, "task_warning", "the service warns" .. of .. ": " .. problems.sentence(problem),
        { task_id = task_id, audience_id = id, reason = problem.code })
    elseif self.of_tasks == LISTED + 1 then
      result.warn(self.result, "task_warnings",
        "more warnings of tasks are not shown: ask for a task to see its own")
    end
  end
end

--- Another job was at an audience at the same time.
---@param id string
function Warnings:of_contention(id)
  result.warn(self.result, "audience_contended",
    ("another job was at the audience %s at the same time, and one of them adds while the other "
    .. "removes: the service may take their requests in any order"):format(id), { audience_id = id })
end

return warnings
