-- What must not be done twice, a syndication: it is not sent again after an attempt that may have been carried out.
local once = {}

local UNCERTAIN = { [500] = true, [502] = true, [504] = true }

local function is_once(transfer)
  return transfer.method == "POST" and transfer.target:find "/syndicate$" ~= nil
end

--- Whether a result leaves open whether its request was carried out.
local function is_uncertain(result)
  if result.code then
    return result.body_sent and not (result.status and result.status >= 300 and not UNCERTAIN[result.status])
  end
  return UNCERTAIN[result.status] == true
end

--- A request leaves.
function once.sent(world, transfer)
  if is_once(transfer) and transfer.process.may_be_done then
    world:fail "a syndication is sent again, and may have been carried out before"
  end
end

--- A result is read.
function once.answered(transfer)
  if is_once(transfer) then
    transfer.process.may_be_done = is_uncertain(transfer.result)
  end
end

return once
