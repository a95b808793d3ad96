--- Which failures are tried again, and when. Only replies that say that nothing was done are repeated: 429 and 503.
local retry = {}

local ATTEMPTS = 6
local FIRST, LONGEST = 0.5, 30
local AGAIN = { [429] = true, [503] = true }

--- Seconds to wait before the next attempt, or nil when the failure is final. `Retry-After` is always honoured in full.
---@param err scope3.Error
---@param attempts integer  made so far
---@param random? fun(): number
---@return number?
function retry.delay(err, attempts, random)
  if not AGAIN[err.status] or err.code == "BAD_REPLY" or attempts >= ATTEMPTS then
    return nil
  end
  if err.retry_after then
    return err.retry_after
  end
  local most = math.min(LONGEST, FIRST * 2 ^ (attempts - 1))
  return most * (0.5 + 0.5 * (random or math.random)())
end

return retry
