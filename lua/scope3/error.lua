--- The one shape of every runtime failure.
---
--- An error is made once and never changed, because several callers may hold the same one. errors.with() makes a copy
--- with other fields. The fields are the table's own, so that pairs(), JSON and a debugger see them on every Lua.
local entries = pairs -- as scope3.util.entries, which is on a floor above

---@alias scope3.ErrorKind
---| "network"
---| "timeout"
---| "http"
---| "rate_limited"
---| "invalid"
---| "not_found"
---| "source"
---| "script"
---| "task_failed"
---| "needs_action"
---| "cancelled"
---| "journal"
---| "guard"
---| "cannot_wait"
---| "full"
---| "spool"
---| "webhook"
---| "limiter"
---| "redis"
---| "config"
---| "closed"

---@class scope3.Issue  one problem of several
---@field path? string  where it is
---@field message string
---@field row? integer  of the source, where the service names a member

---@class scope3.Attempt  an attempt of a request that failed
---@field kind scope3.ErrorKind
---@field status? integer
---@field code? string
---@field seconds? number  that it took
---@field waited? number  seconds until the next attempt

---@class scope3.ErrorRequest
---@field method string
---@field path string
---@field attempts integer
---@field history scope3.Attempt[]  every attempt that failed, in order

---@class scope3.Error
---@field kind scope3.ErrorKind
---@field message string  a sentence for people; holds no personal data and no key
---@field status? integer  HTTP status of the reply; for a refused callback: the status to answer
---@field code? string  the service's own code, libcurl's name of a network failure, or the key of a reason
---  (docs/results-and-errors.md)
---@field reason? string  why a certificate was not taken: CERT_EXPIRED, CERT_WRONG_HOST and others
---@field outage? boolean  the service was away for longer than `patience`
---@field field? string  the field that the service blames
---@field because? string  for a member without any identifier left: why its first one was dropped
---@field issues? scope3.Issue[]  every problem found, when there is more than one
---@field retryable? boolean  the same call may succeed later
---@field retry_after? number  seconds that the service asked to wait, at most an hour
---@field asked? number  the seconds that it asked for, where that is more
---@field uncertain? boolean  the request was sent completely and no answer came: it may have been carried out
---@field request? scope3.ErrorRequest
---@field row? integer  (of a source) the row that cannot be read
---@field line? integer  the line of the text on which it begins
---@field lines? integer  further lines that lie inside it
---@field rows? scope3.RowRange  the rows of the source whose members were not accepted
---@field task_id? string
---@field retained? integer  of a collector that was closed: members that wait in its spool
---@field lost? integer  of such a collector: members that are lost
---@field audiences? string[]  of a completed task: the ids of the audiences that failed, where they are known
---@field result? scope3.Result  what was achieved before
local Error = {}
Error.__index = Error
Error.__name = "scope3.error"

local LISTED = 100 -- problems that a text names: a service may send one for each member of a request

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

-- Catches new fields only: Lua calls this for none that is there already.
function Error.__newindex(_, key)
  error(("an error of scope3 is made once: its field '%s' cannot be set"):format(tostring(key)), 2)
end

local M = {}

--- In the fields of errors.with(): the copy does not have this field.
M.NOTHING = {}

--- Makes an error.
---@param kind scope3.ErrorKind
---@param message string  for people; without personal data and keys
---@param fields? table  further fields of scope3.Error
---@return scope3.Error
function M.new(kind, message, fields)
  local err = { kind = kind, message = message }
  for key, value in entries(fields or {}) do
    err[key] = value
  end
  return setmetatable(err, Error)
end

--- A copy of an error with other fields.
---@param err scope3.Error
---@param fields table  that differ
---@return scope3.Error
function M.with(err, fields)
  local copy = {}
  for key, value in entries(err) do
    copy[key] = value
  end
  for key, value in entries(fields) do
    if value == M.NOTHING then
      value = nil
    end
    copy[key] = value
  end
  return setmetatable(copy, Error)
end

--- A list of problems as one error; its message is the problem itself when there is only one.
---@param what string  what was checked
---@param issues scope3.Issue[]
---@param fields? table  further fields of scope3.Error
---@return scope3.Error
function M.invalid(what, issues, fields)
  local message
  if #issues == 1 then
    message = what .. ": " .. (issues[1].path and issues[1].path .. " " or "") .. issues[1].message
  else
    message = ("%s: %d problems"):format(what, #issues)
  end
  local all = { issues = issues }
  for key, value in entries(fields or {}) do
    all[key] = value
  end
  return M.new("invalid", message, all)
end

--- Returns what a function of scope3 returned, or raises the text of its error:
---
---     local client = scope3.assert(scope3.client())
---
--- Lua's own assert() raises the error as a table. Lua 5.1 then shows "(error object is not a string)", and nginx
--- shows nothing.
---@generic T
---@param value T?
---@param err? any
---@param ... any
---@return T value
---@return any ...
function M.assert(value, err, ...)
  if not value then
    error(err == nil and "scope3.assert: there is no value" or tostring(err), 0)
  end
  return value, err, ...
end

--- Whether a value is an error of scope3.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Error
end

return M
