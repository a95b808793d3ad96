-- What the result says of each request, compared with what the service did with its members: also in another request,
-- which this one replaced, or which an earlier run had sent.
local rows = require "spec.simulation.rows"

local lineage = {}

-- The tasks that were carried out, by the hashes that they add.
local function completed_by_hash(world)
  local by_hash = {}
  for _, record in pairs(world.service.accepted) do
    for _, one in ipairs(record.task.status == "completed" and record.operations or {}) do
      if one.hash then
        by_hash[one.hash] = by_hash[one.hash] or {}
        table.insert(by_hash[one.hash], { id = record.task.id, sent = record.transfer.started })
      end
    end
  end
  return by_hash
end

-- The tasks that a result names as carried out, or as going on.
local function named_tasks(res)
  local named = {}
  for _, entry in ipairs(res.requests) do
    if entry.task_id and entry.state ~= "failed" then
      named[entry.task_id] = true
    end
  end
  return named
end

-- A task that took a member, of a request that was sent since a time, and that the result does not name.
local function stray_task(tasks, named, since)
  for _, one in ipairs(tasks or {}) do
    if not named[one.id] and one.sent >= since then
      return one.id
    end
  end
end

-- Members that are not sent were not sent in this run: it ended before it had come to what its journal says of them.
local function problem_of(entry, tasks, named, run_began)
  local is_failed = (entry.state == "failed" or entry.state == "not sent") and not entry.sent_again
    and not entry.possibly_twice
  local stray = stray_task(tasks, named, entry.state == "not sent" and run_began or 0)
  if is_failed and stray then
    return ("counts as %s, and the task %s carried it out"):format(entry.state, stray)
  elseif entry.state == "completed" and #(tasks or {}) > 1 and not entry.possibly_twice then
    return ("was carried out %d times, and nobody says so"):format(#tasks)
  end
end

local function check_entry(world, entry, by_hash, named, run_began)
  for hash in world.launches[entry].added:gmatch('"hashedEmail":"(%x+)"') do
    local problem = problem_of(entry, by_hash[hash], named, run_began)
    if problem then
      return world:fail(("request %d: row %d %s"):format(entry.request, rows.row_of(hash), problem))
    end
  end
end

-- An error says whether its request may have been carried out.
local function check_error(world, entry)
  local launch = world.launches[entry]
  local err, tasks = launch.err, world.tasks_of_body[launch.body or ""] or {}
  if err and not err.uncertain and #tasks > 0 then
    world:fail(("request %d: its error does not say that it may have been carried out, and it was"):format(
      entry.request))
  end
end

--- Checks the result of a job.
function lineage.check(world, job)
  local by_hash, named = completed_by_hash(world), named_tasks(job.result)
  for _, entry in ipairs(job.result.requests) do
    check_entry(world, entry, by_hash, named, job.run_began)
    check_error(world, entry)
  end
end

return lineage
