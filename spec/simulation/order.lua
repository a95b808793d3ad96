-- The order of operations on one member, at the moment at which the service takes a request: no task that is still
-- open does something else to one of its members. So tasks may be carried out in any order.
local order = {}

local IN_DOUBT = 72 * 3600 -- seconds

-- The open operations on an audience's members: audience and id -> what the task does to it.
local function note(open, record)
  for _, one in ipairs(record.operations) do
    local key = one.audience .. "\0" .. one.id
    open[key] = open[key] or {}
    open[key][record] = one.hash or "remove"
  end
end

-- Whether a task may still be carried out. One that waits for a person, or never ends, is taken for open for as long as
-- a request is in doubt.
local function is_open(record, now)
  local task = record.task
  if task.work ~= nil and task.ends < math.huge then
    return true
  end
  local may_go_on = task.work ~= nil or task.status == "input-required"
  return may_go_on and now < record.transfer.started + IN_DOUBT
end

local function contradicted(open, record)
  for _, one in ipairs(record.operations) do
    for other, hash in pairs(open[one.audience .. "\0" .. one.id] or {}) do
      if other ~= record and hash ~= (one.hash or "remove") and is_open(other, record.at) then
        return one.audience, other
      end
    end
  end
end

--- Gives a listener for what the service accepts. `plain` has the audiences of jobs that look for repeats in each
--- request only.
function order.listener(world, plain)
  local open = {}
  return function(record)
    local audience, other = contradicted(open, record)
    if audience and not plain[audience] then
      world:fail(("audience %s: the task %s contradicts %s, which is open"):format(audience, record.task.id,
        other.task.id))
    end
    note(open, record)
  end
end

return order
