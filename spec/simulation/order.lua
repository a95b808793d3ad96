-- The order of operations on one member, at the moment at which the service takes a request: no task that is still
-- open does something else to one of its members. So tasks may be carried out in any order.
local order = {}

-- The open operations on an audience's members: audience and id -> what the task does to it.
local function note(open, record)
  for _, one in ipairs(record.operations) do
    local key = one.audience .. "\0" .. one.id
    open[key] = open[key] or {}
    open[key][record] = one.hash or "remove"
  end
end

local function contradicted(open, record)
  for _, one in ipairs(record.operations) do
    for other, hash in pairs(open[one.audience .. "\0" .. one.id] or {}) do
      local is_open = other.task.work ~= nil and other.task.ends < math.huge
      if other ~= record and is_open and hash ~= (one.hash or "remove") then
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
