-- What earlier runs of a job did in rows that its last run did not come to. That run may have ended before them: where
-- it sent again what had failed, and this was refused.
local earlier_runs = {}

local function value_of(operation)
  return operation.hash or "none"
end

-- What the rows that the last run did not read do to a member.
local function values_unread(audience, res, id)
  local values = {}
  for _, one in ipairs(audience.operations) do
    if one.id == id and not one.invalid and one.row > res.rows then
      values[value_of(one)] = true
    end
  end
  return values
end

-- When the requests left whose tasks gave a member a value.
local function times_of(world, audience, id, value)
  local times = {}
  for _, record in pairs(world.service.accepted) do
    for _, one in ipairs(record.task.status == "completed" and record.operations or {}) do
      if one.audience == audience.id and one.id == id and value_of(one) == value then
        times[#times + 1] = record.transfer.started
      end
    end
  end
  table.sort(times)
  return times
end

--- Whether an earlier run gave a member its value, by a row that the last run did not read, after the last row that it
--- did read.
function earlier_runs.went_further(world, job, audience, last, actual)
  local value = actual or "none"
  if not values_unread(audience, job.result, last.id)[value] then
    return false
  end
  local since = times_of(world, audience, last.id, value_of(last))[1]
  for _, sent in ipairs(since and times_of(world, audience, last.id, value) or {}) do
    if sent > since and sent < job.run_began then
      return true
    end
  end
  return false
end

return earlier_runs
