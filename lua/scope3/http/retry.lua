--- Which failures are tried again, and when (docs/contract.md section 4).
local core = require "scope3.core"

local retry = {}

local ATTEMPTS = 8
local FIRST, LONGEST = 0.5, 30
local BUDGET = 40 -- retries that a job may make at once
local EARNED = 0.5 -- of a retry, for each request that goes through

-- How often a request may fail in one way.
local BY_STATUS = { [429] = ATTEMPTS, [500] = 2, [502] = ATTEMPTS, [503] = ATTEMPTS, [504] = ATTEMPTS }
local BY_CODE = {
  BAD_REPLY = 3, BAD_CONTENT_ENCODING = 3, OPERATION_TIMEDOUT = 3, UNSUPPORTED_PROTOCOL = 3, WEIRD_SERVER_REPLY = 3,
  PEER_FAILED_VERIFICATION = 1, SSL_CACERT_BADFILE = 1, SSL_CLIENTCERT = 1, TOO_LARGE = 1, REDIRECT = 1, FORKED = 1,
  NOT_TLS = 1, PROXY_REFUSED = 1,
}
-- For a request of no job: a host that never answered is more likely misspelt than away.
local UNREACHED = 3

-- In which way a request failed, and how often it may fail so.
local function way(err, reached)
  local most = BY_CODE[err.code] or not reached and err.kind == "network" and not err.uncertain and UNREACHED
  if most then
    return err.code, most
  elseif err.kind == "network" then -- whatever the status of an answer that broke off
    return err.kind, ATTEMPTS
  elseif BY_STATUS[err.status] then
    return err.status, BY_STATUS[err.status]
  end
  return err.kind, 1
end

--- The retries that the requests of a job share, so that a service in trouble is not kept there.
---@return {left: number}
function retry.budget()
  return { left = BUDGET }
end

--- A request of the job went through.
---@param budget {left: number}
function retry.earn(budget)
  budget.left = math.min(BUDGET, budget.left + EARNED)
end

-- The service is away for a while. A host that takes a request and does not answer it is no outage.
local OUTAGE = { [502] = true, [503] = true, [504] = true }

--- Whether a failure is one of an outage, which `patience` outlasts.
---@param err scope3.Error
---@return boolean
function retry.is_outage(err)
  if err.kind == "network" then
    return err.retryable == true and BY_CODE[err.code] ~= 1
  end
  return OUTAGE[err.status] or err.code == "CONNECT_TIMEDOUT"
end

-- Whether one more attempt is allowed. It is taken from the budget then.
local function allowed(attempts, failures, kind, most, budget)
  if attempts - (failures.patient or 0) >= ATTEMPTS or failures[kind] >= most then
    return false
  elseif budget then
    if budget.left < 1 then
      return false
    end
    budget.left = budget.left - 1
  end
  return true
end

---@class scope3.RetryOptions
---@field reached? boolean  the host has answered before, or is taken for one that will
---@field budget? {left: number}  retries that the requests of the job share
---@field left? number  seconds of patience in an outage, which decide in place of the attempts
---@field random? fun(): number  from 0 to 1

--- Seconds to wait before the next attempt: a random pause, up to twice as long as the one before ("full jitter"), and
--- at least `Retry-After`. Many clients must not come back at once; those who share a limit and always come back after
--- the same second would take its places from each other until one gives up. The system gives the random numbers,
--- because those of some Luas are the same in every process, and belong to the host.
---@param err scope3.Error
---@param attempts integer  made so far
---@param failures table<string|integer, integer>  how often the request failed in each way; counted here
---@param how? scope3.RetryOptions
---@return number?  nil when the failure is final
function retry.delay(err, attempts, failures, how)
  how = how or {}
  local kind, most = way(err, how.reached)
  failures[kind] = (failures[kind] or 0) + 1
  local pause = math.min(LONGEST, FIRST * 2 ^ (attempts - 1)) * (how.random or core.random)()
  if how.left then
    if how.left <= 0 then
      return nil
    end
    failures.patient = (failures.patient or 0) + 1
    pause = math.min(pause, how.left) -- the last attempt is made when the time is over
  elseif not allowed(attempts, failures, kind, most, how.budget) then
    return nil
  end
  return math.max(err.retry_after or 0, pause)
end

return retry
