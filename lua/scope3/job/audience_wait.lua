--- Waits for an audience's row after its task has ended (docs/contract.md section 3).
local errors = require "scope3.error"
local listing = require "scope3.api.listing"
local plural = require "scope3.util.plural"
local polling = require "scope3.job.polling"
local task = require "scope3.job.task"
local time = require "scope3.util.time"

local audience_wait = {}

local ENDED = { READY = true, TOO_SMALL = true, ERROR = true, SUSPENDED = true }

-- A row that was not updated since the task began is the end when its status is final and stays: so many polls and
-- seconds. An audience that is to be deleted is given longer.
local STILL_POLLS, STILL, STILL_THERE = 3, 3, 30

--- A status in a sentence, with a word on those that are not known.
---@param status any
---@return string
function audience_wait.shown(status)
  if type(status) ~= "string" then
    return "one without a status"
  elseif ENDED[status] or status == "PROCESSING" or task.is_status(status) then
    return status
  end
  return status .. ", which is no status that is known"
end

-- Why an audience's end is none that was hoped for; nil where it is.
local function failure(id, row, expect)
  local message, code
  if row.deleted and not expect.deleting then
    message, code = "the audience %s is marked as deleted at the service", "audience_deleted"
  elseif expect.deleting and not row.deleted then
    message, code = "the audience %s was to be deleted, and is still there", "audience_not_deleted"
  elseif row.status == "ERROR" and not row.deleted then
    message, code = "the audience %s ended as ERROR: nothing more is known of why", "audience_error"
  else
    return nil
  end
  return errors.new("task_failed", message:format(id), { code = code })
end

-- Whether a row shows what was done since `since`.
local function is_fresh(row, since, expect)
  local updated = time.iso(row.updated_at)
  return not since or row.updated_at == nil or updated ~= nil and updated >= since or expect.unchanged
end

-- How long a row has stayed as it is.
local Still = {}
Still.__index = Still

function Still:reset()
  self.state = nil
end

function Still:is_long(row, now, expect)
  local state = ("%s %s %s"):format(tostring(row.deleted), row.status, tostring(row.updated_at))
  if state ~= self.state then
    self.state, self.since, self.polls = state, now, 0
  end
  self.polls = self.polls + 1
  return self.polls > STILL_POLLS and now - self.since >= (expect.deleting and STILL_THERE or STILL)
end

-- Whether a row is the end of the wait, and then whether it was not updated.
local function is_end(row, since, expect, still, now)
  if expect.deleting and row.deleted then
    return true
  elseif not (row.deleted or ENDED[row.status]) then
    still:reset()
    return false
  elseif is_fresh(row, since, expect) and not expect.deleting then
    return true
  end
  local old = still:is_long(row, now, expect)
  return old, old
end

---@class scope3.AwaitedAudience
---@field id string
---@field since number?  seconds since 1970 by the service's clock: a row that was updated before is an old one
---@field deleting? boolean  it is to be deleted
---@field unchanged? boolean  its task says that nothing has changed

---@class scope3.AudienceEnd
---@field row table
---@field err scope3.Error?  "task_failed" where it ended as ERROR or is deleted
---@field old boolean?  the row was not updated since

-- The end of an audience that the account has not: where it is to be deleted. A new one may not be listed yet.
local function unlisted(one)
  if one.deleting then
    return { row = { audience_id = one.id, deleted = true } }
  end
  return nil, "not listed yet", "the service does not list the audience yet"
end

-- What a row says of an audience: its end, where it is one; the status to tell, and what it was last seen as.
local function judge(one, row, still, now)
  if not row then
    if not one.deleting then
      still:reset()
    end
    return unlisted(one)
  end
  local status = row.deleted and "deleted" or row.status
  local done, old = is_end(row, one.since, one, still, now)
  return done and { row = row, old = old, err = failure(one.id, row, one) } or nil, status,
    "the audience was last seen as " .. (row.deleted and "deleted" or audience_wait.shown(row.status))
end

-- What a wait whose time is over says of those that it still waited for.
local function last_of(waiting, seen)
  local one = waiting[1]
  local last = one and seen[one.id]
  if not last or #waiting == 1 then
    return last
  end
  return ("%s: %s; %s not ended either"):format(one.id, last, plural.of(#waiting - 1, "more has", "more have"))
end

--- Waits until the rows of audiences, changed since `since`, have final statuses. A row that stays as it was counts too
--- in the end: a sync that changes nothing need not touch it. One listing of the account serves all of them.
---@param context scope3.Context
---@param list scope3.AwaitedAudience[]
---@param limits table  as for transport:drive()
---@param opts {interval: number?}
---@param on_event fun(event: scope3.Event)
---@param on_end fun(one: scope3.AwaitedAudience, seen: scope3.AudienceEnd)  called as each has ended
---@return boolean? ok
---@return scope3.Error? err  why the wait ended before they did
function audience_wait.wait_all(context, list, limits, opts, on_event, on_end)
  local waiting, stills, seen = list, {}, {}
  for _, one in ipairs(list) do
    stills[one] = setmetatable({}, Still)
  end
  local function ids()
    local all = {}
    for i, one in ipairs(waiting) do
      all[i] = one.id
    end
    return all
  end
  local function ask(limits_of_one)
    local rows, err = listing.find_all(context, ids(), limits_of_one)
    if not rows then
      return nil, err
    end
    local left = {}
    for _, one in ipairs(waiting) do
      local ended, status
      ended, status, seen[one.id] = judge(one, rows[one.id], stills[one], context.loop.now())
      if status then
        on_event { event = "audience", audience_id = one.id, status = status, ended = #list - #waiting,
          audiences = #list }
      end
      if ended then
        on_end(one, ended)
      else
        left[#left + 1] = one
      end
    end
    waiting = left
    return true, #left == 0
  end
  local ok, err = polling.poll(context, limits, opts.interval, { ask = ask, last = function()
    return last_of(waiting, seen)
  end })
  return ok, err
end

--- Waits for one audience.
---@param context scope3.Context
---@param one scope3.AwaitedAudience
---@param limits table
---@param opts {interval: number?}
---@param on_event fun(event: scope3.Event)
---@return scope3.AudienceEnd? ended
---@return scope3.Error? err  why the wait ended before
function audience_wait.wait(context, one, limits, opts, on_event)
  local ended
  local ok, err = audience_wait.wait_all(context, { one }, limits, opts, on_event, function(_, seen)
    ended = seen
  end)
  return ok and ended or nil, err
end

return audience_wait
