--- Which failures are tried again, and when (docs/contract.md section 4).
local core = require "scope3.core"

local retry = {}

local ATTEMPTS = 8
local FIRST, LONGEST = 0.5, 30
local BUDGET = 40 -- retries that a job may make at once; each request that goes through gives half a one back

-- How often a request may fail in one way.
local BY_STATUS = { [429] = ATTEMPTS, [500] = 2, [502] = ATTEMPTS, [503] = ATTEMPTS, [504] = ATTEMPTS }
local BY_CODE = {
  BAD_REPLY = 3, OPERATION_TIMEDOUT = 3, UNSUPPORTED_PROTOCOL = 3, WEIRD_SERVER_REPLY = 3,
  PEER_FAILED_VERIFICATION = 1, SSL_CACERT_BADFILE = 1, TOO_LARGE = 1, REDIRECT = 1, FORKED = 1,
}
local UNREACHED = 3 -- a host that never answered is more likely misspelt than away

-- In which way a request failed, and how often it may.
local function way(err, reached)
  local most = BY_CODE[err.code] or not reached and err.kind == "network" and not err.uncertain and UNREACHED
  if most then
    return err.code, most
  elseif err.status and not err.uncertain or BY_STATUS[err.status] then
    return err.status, BY_STATUS[err.status] or 1
  end
  return err.kind, err.kind == "network" and ATTEMPTS or 1
end

--- The retries that the requests of a job share, so that a service in trouble is not kept there.
---@return {left: number}
function retry.budget()
  return { left = BUDGET }
end

--- A request of the job went through.
---@param budget {left: number}
function retry.earn(budget)
  budget.left = math.min(BUDGET, budget.left + 0.5)
end

--- Seconds to wait before the next attempt, or nil when the failure is final. `Retry-After` is honoured in full; without it the time is
--- anything up to twice the time before ("full jitter"), so that many clients do not come back at once. The system's own random numbers decide:
--- Lua's are the same in every process on some Luas, and belong to the host.
---@param err scope3.Error
---@param attempts integer  made so far
---@param failures table<string|integer, integer>  how often the request failed in each way; kept here
---@param how? {reached: boolean?, budget: {left: number}?, random: (fun(): number)?}  `reached`: the host has answered before
---@return number?
function retry.delay(err, attempts, failures, how)
  how = how or {}
  local kind, most = way(err, how.reached)
  failures[kind] = (failures[kind] or 0) + 1
  if attempts >= ATTEMPTS or failures[kind] >= most then
    return nil
  elseif how.budget then
    if how.budget.left < 1 then
      return nil
    end
    how.budget.left = how.budget.left - 1
  end
  return err.retry_after or math.min(LONGEST, FIRST * 2 ^ (attempts - 1)) * (how.random or core.random)()
end

return retry
