--- Which errors end a drain: those that no other try would mend. All others may pass.
local final = {}

-- Of Redis: another server, user or setting is needed (redis/refusal, redis/server, fleet/checks).
local OF_REDIS = { OLD_REDIS = true, SENTINEL = true, EVICTS = true, WRONGPASS = true, NOAUTH = true,
  NO_PASSWORD = true, NOPERM = true, UNKNOWN_COMMAND = true, DATABASE = true, DENIED = true, MOVED = true,
  WRONGTYPE = true, LATER_FORM = true }
local KINDS = { cancelled = true, limiter = true, cannot_wait = true, config = true }
local STATUS = { [401] = true, [402] = true, [403] = true }

---@param err scope3.Error
---@return boolean
function final.is(err)
  return KINDS[err.kind] or err.kind == "redis" and OF_REDIS[err.code] or err.code == "callback_error"
    or STATUS[err.status] or false
end

--- Whether the first connection to a Redis is tried again. What does not even answer may be the wrong host or port.
---@param err scope3.Error
---@return boolean
function final.answers(err)
  return err.kind == "redis" and err.retryable == true
end

return final
