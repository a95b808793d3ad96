--- Waits for an audience's row after its task has ended (docs/contract.md section 3).
local errors = require "scope3.error"
local listing = require "scope3.api.listing"
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

-- What it means that an audience was not found: the end of one that is to be deleted. A new one may not be listed yet.
local function not_found(id, err, expect)
  if err.kind ~= "not_found" or err.status then
    return nil, err
  elseif expect.deleting then
    return { audience_id = id, deleted = true }, true
  end
  return { audience_id = id }, false
end

--- Waits until an audience's row, changed since `since`, has a final status. A row that stays as it was also counts in
--- the end: a sync that changes nothing need not touch it.
---@param context scope3.Context
---@param id string
---@param since number?  seconds since 1970 by the service's clock
---@param limits table  as for transport:drive()
---@param opts {interval: number?}
---@param on_event fun(event: scope3.Event)
---@param expect? {deleting: boolean?, unchanged: boolean?}  it is to be deleted; its task says that nothing has changed
---@return table? row
---@return scope3.Error? err  "task_failed" where it ended as ERROR or is deleted; why the wait ended
---@return boolean|table|nil old  with a row: that it was not updated since; with such an error: the row
function audience_wait.wait(context, id, since, limits, opts, on_event, expect)
  expect = expect or {}
  local now = context.loop.now
  local still, last, old = setmetatable({}, Still), nil, nil
  local function ask(one)
    local row, why = listing.find(context, id, one)
    if not row then
      local instead, done = not_found(id, why, expect)
      if instead and not done then
        last = "the service does not list the audience yet"
        still:reset()
        on_event { event = "audience", audience_id = id, status = "not listed yet" }
      end
      return instead, done
    end
    last = "the audience was last seen as " .. (row.deleted and "deleted" or audience_wait.shown(row.status))
    on_event { event = "audience", audience_id = id, status = row.deleted and "deleted" or row.status }
    local done
    done, old = is_end(row, since, expect, still, now())
    return row, done
  end
  local row, err = polling.poll(context, limits, opts.interval, { ask = ask, last = function()
    return last
  end })
  if not row then
    return nil, err
  end
  err = failure(id, row, expect)
  if err then
    return nil, err, row
  end
  return row, nil, old or false
end

return audience_wait
