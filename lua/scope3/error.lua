--- The one shape of every runtime failure.

---@class scope3.Error
---@field kind "network"|"timeout"|"http"|"rate_limited"|"invalid"|"not_found"|"source"|"script"|"task_failed"|"needs_action"|"cancelled"|"journal"
---  |"cannot_wait"|"full"|"spool"|"webhook"|"limiter"|"config"|"closed"
---@field message string  a sentence for people; holds no personal data and no key
---@field status? integer  HTTP status of the reply; of a refused callback: what to answer
---@field code? string  the service's own code, or libcurl's name of a network failure
---@field field? string  the field that the service blames
---@field issues? {path: string?, message: string}[]  every problem found, when there is more than one
---@field retryable? boolean  the same call may succeed later
---@field retry_after? number  seconds that the service asked to wait, at most an hour
---@field asked? number  the seconds that it asked for, where these were more
---@field uncertain? boolean  the request was sent completely and no answer came: it may have been carried out
---@field request? {method: string, path: string, attempts: integer, history: table[]}  `history`: every attempt that failed, in order, as
---  { kind, status, code, seconds (that it took), waited (seconds until the next) }
---@field task_id? string
---@field kept? integer  of a collector that was closed: members that wait in its spool
---@field lost? integer  and those that nobody has any more
---@field audiences? string[]  of a task that is completed: ids of the audiences that failed, where that can be told of
---  each
---@field result? scope3.Result  what was achieved before
local Error = {}
Error.__index = Error
Error.__name = "scope3.error"

local LISTED = 100 -- problems that a text names; a service may send as many as a request has members

function Error:__tostring()
  local issues = self.issues
  if not issues or #issues < 2 then
    return "scope3: " .. self.message
  end
  local lines = { "scope3: " .. self.message }
  for i = 1, math.min(#issues, LISTED) do
    lines[i + 1] = "  - " .. (issues[i].path and issues[i].path .. ": " or "") .. issues[i].message
  end
  if #issues > LISTED then
    lines[#lines + 1] = ("  - and %d more"):format(#issues - LISTED)
  end
  return table.concat(lines, "\n")
end

local M = {}

---@param kind string
---@param message string
---@param fields? table  further fields of scope3.Error
---@return scope3.Error
function M.new(kind, message, fields)
  local err = { kind = kind, message = message }
  for key, value in pairs(fields or {}) do
    err[key] = value
  end
  return setmetatable(err, Error)
end

--- A list of problems as one error; its message is the problem itself when there is only one.
---@param what string  what was checked
---@param issues {path: string?, message: string}[]
---@return scope3.Error
function M.invalid(what, issues)
  local message
  if #issues == 1 then
    message = what .. ": " .. (issues[1].path and issues[1].path .. " " or "") .. issues[1].message
  else
    message = ("%s: %d problems"):format(what, #issues)
  end
  return M.new("invalid", message, { issues = issues })
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Error
end

return M
