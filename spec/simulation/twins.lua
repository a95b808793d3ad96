-- Two jobs on one audience, each with rows of its own for the same ids. Which of them comes last is not told, so a
-- member that both have may be what either says.
local rows = require "spec.simulation.rows"

local twins = {}

--- Lets the second job of a plan write to the audience of the first.
function twins.join(jobs)
  local first, second = jobs[1].audiences[1], jobs[2].audiences[1]
  for _, one in ipairs(second.operations) do
    one.id = rows.id(first.number, one.id:match "x(%d+)$")
  end
  second.id, second.ids = first.id, first.number
  first.twin, second.twin = second, first
end

--- Whether another job has an operation on the same member.
function twins.has(audience, id)
  for _, one in ipairs(audience.twin and audience.twin.operations or {}) do
    if one.id == id then
      return true
    end
  end
  return false
end

return twins
