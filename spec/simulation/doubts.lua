-- Which jobs had a request in doubt: its answer was lost, or its process was killed before the journal said what came
-- of it. A job without one must not say that anything is unknown, or may have been carried out twice.
local doubts = {}

-- Statuses that say that a request was not carried out.
local CERTAIN = { [302] = true, [400] = true, [401] = true, [403] = true, [404] = true, [409] = true, [413] = true,
  [422] = true, [429] = true, [501] = true, [503] = true }

local function names_its_task(transfer, result)
  local record = transfer.tasks and transfer.tasks[1]
  return record ~= nil and result.body:find(record.task.id, 1, true) ~= nil
end

local function is_certain(transfer, result)
  if result.code then
    return not result.body_sent
  end
  return CERTAIN[result.status] or result.status == 202 and names_its_task(transfer, result)
end

--- A result is read.
function doubts.answered(transfer)
  if transfer.text and not is_certain(transfer, transfer.result) then
    doubts.arise(transfer.process)
  end
end

--- A request is given up while it is under way.
function doubts.cancelled(transfer)
  if transfer.text then
    doubts.arise(transfer.process)
  end
end

--- A program is killed.
function doubts.killed(program)
  if next(program.open or {}) then
    doubts.arise(program)
  end
end

--- Something of a program's job is in doubt.
function doubts.arise(program)
  if program.job then
    program.job.was_in_doubt = true
  end
end

--- Checks what the result of a job says.
function doubts.check(world, job)
  local res = job.result
  if not job.was_in_doubt and (res.unknown > 0 or res.possibly_twice > 0) then
    world:fail(("job %d: %d unknown, %d possibly twice, and no answer was lost"):format(job.number, res.unknown,
      res.possibly_twice))
  end
end

return doubts
