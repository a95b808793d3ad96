--- Waiting for what the service makes of a request: first its task, then the audience's row (docs/contract.md section 3).
local codec = require "scope3.api.codec"
local errors = require "scope3.error"
local listing = require "scope3.api.listing"
local problems = require "scope3.api.problems"
local response = require "scope3.api.response"
local result_of = require "scope3.result"
local sanitize = require "scope3.api.sanitize"
local time = require "scope3.util.time"
local verdict = require "scope3.api.verdict"

local tasks = {}

local ENDED = { completed = true, failed = true, canceled = true, rejected = true }
local NEEDS_ACTION = { ["input-required"] = true, ["auth-required"] = true }
local KNOWN = { submitted = true, working = true, unknown = true, PROCESSING = true }
local AUDIENCE_ENDED = { READY = true, TOO_SMALL = true, ERROR = true, SUSPENDED = true }

local FIRST_POLL, LONGEST_POLL, GROWTH = 0.25, 30, 1.5
local FAILURES_IN_A_ROW = 5
-- seconds between two polls that a service may ask for (docs/contract.md section 3)
local SHORTEST_WISH, LONGEST_WISH = 1, 3600
local NOTICE = 0.2 -- seconds between two looks for a callback
-- A service may not find a task at once that it has just made: seconds from its acceptance, from the beginning of a
-- wait, and from when it was seen.
local NEW, STRANGE, GONE = 60, 3, 10
-- A row that was not updated since the task began is the end when its status is final and stays: so many polls and
-- seconds. An audience that is to be deleted is given longer.
local STILL_POLLS, STILL, STILL_THERE = 3, 3, 30

-- When the tasks of a job were accepted, and what became of the audiences of those that have ended.
local accepted, actions = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "k" })

--- Remembers when a task was accepted, and of which members it is.
---@param entry table  of a result's tasks
---@param now number  by the loop's clock
---@param parts? scope3.Part[]  of its request, where their payloads stay as they are
function tasks.remember(entry, now, parts)
  local body = parts and {}
  for i, part in ipairs(parts or {}) do
    body[i] = part.payload and { part.payload, "add", part.first, part.last } or ""
  end
  accepted[entry] = { at = now, body = body }
end

--- Whether a task's status is its last.
---@param status string
---@return boolean
function tasks.ended(status)
  return ENDED[status] == true
end

-- A wait may last for hours: a poll that fails is repeated, as long as not many fail in a row, and patience has not
-- ended.
local function survives(err, failures)
  return failures < FAILURES_IN_A_ROW and not err.outage
    and (err.kind == "network" or err.kind == "timeout" or (err.status and (err.status == 429 or err.status >= 500)))
end

-- Pauses between two polls. A callback that came, as `came` says, ends it early.
local function rest(client, transport, seconds, limits, came)
  local over = client.loop.now() + seconds
  while came and seconds > NOTICE do
    if came() then
      return true
    end
    local ok, err = transport:pause(NOTICE, limits)
    if not ok then
      return nil, err
    end
    seconds = over - client.loop.now()
  end
  return transport:pause(math.max(0, seconds), limits)
end

-- Whether a callback of a task has come since this was last asked: `notified` may go on saying so, and means the same callback then.
local function notice(notified, id)
  local before = false
  return notified and function()
    local now = notified(id) and true or false
    local news = now and not before
    before = now
    return news
  end
end

-- A status in a sentence, with a word on those that nobody here knows.
local function shown(status)
  if type(status) ~= "string" then
    return "one without a status"
  elseif ENDED[status] or NEEDS_ACTION[status] or KNOWN[status] or AUDIENCE_ENDED[status] then
    return status
  end
  return status .. ", which is no status that is known"
end

local function late(err, last)
  if err.kind == "timeout" then
    return errors.with(err, { message = err.message .. ": " .. (last() or "nothing was seen of it yet") })
  end
  return err
end

-- Limits of one question: a wait that asks once gives each a time of its own.
local function limits_of_one(client, limits)
  if not limits.once then
    return limits
  end
  local own = {}
  for key, value in pairs(limits) do
    own[key] = value
  end
  own.deadline = client.loop.now() + limits.once
  return own
end

-- Polls `ask` until it gives a second value, the end. `ask` gives what it saw, whether that is the end, and seconds to
-- wait. `last` says what was seen last, for the error of a wait whose time is over.
local function poll(client, limits, opts, ask, last, came)
  local transport = client:transport()
  local pause, failures = opts.interval or FIRST_POLL, 0
  while true do
    local seen, done, wish = ask(limits_of_one(client, limits))
    if seen ~= nil then
      failures = 0
      if done then
        return seen
      end
    else
      failures = failures + 1
      if done.kind == "cancelled" or (limits.deadline and client.loop.now() >= limits.deadline)
        or not survives(done, failures) then
        return nil, late(done, last)
      end
    end
    if limits.once then
      return nil, seen == nil and late(done, last) or late(errors.new("timeout", "the wait asked once"), last)
    end
    local ok, err = rest(client, transport, wish or pause, limits, came)
    if not ok then
      return nil, late(err, last)
    end
    if not opts.interval then
      pause = math.min(LONGEST_POLL, pause * GROWTH)
    end
  end
end

-- A task, and what it says of its work, of which the task itself tells no more than may be told.
local function fetch(client, id, limits, body)
  local data, err = client:transport():request(
    { method = "GET", path = "/tasks/" .. codec.escape(id), timeout = 60, poll = true }, limits)
  if not data then
    return nil, err
  end
  local answer, problem = response.task(data, id)
  if not answer then
    return nil, problem
  end
  local known = { key = client.secret(), body = body }
  local found = verdict.of(answer.task, answer.envelope)
  local more
  found.failures = problems.redacted(found.failures, known)
  found.warnings, more = problems.redacted(found.warnings, known)
  if more > 0 then
    found.warnings[#found.warnings + 1] = { message = ("%d more warnings of this task are not shown"):format(more) }
  end
  local task = sanitize.task(answer.task, known)
  if #found.warnings > 0 then
    task.warnings = found.warnings
  end
  return task, nil, found
end

--- Reads a task.
---@param client table
---@param id string
---@param limits? table
---@return table? task  snake_case, nulls gone; of its error, response and metadata what may be told
---@return scope3.Error? err
function tasks.get(client, id, limits)
  local task, err = fetch(client, id, limits)
  return task, err
end

-- The audiences that failed, where that can be told of each.
local function failed_audiences(failures)
  local ids, seen = {}, {}
  for _, problem in ipairs(failures) do
    local id = problem.audience_id
    if not id or id:find("@", 1, true) then -- an address is no audience of anybody, and must not be repeated
      return nil
    elseif not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  return ids
end

-- Why a task did not end well; nil where it did.
local function failure(task, found)
  local message
  if NEEDS_ACTION[task.status] then
    message = ("the task waits for a person (%s)"):format(task.status)
  elseif task.status ~= "completed" then
    message = ("the task ended as %s"):format(task.status)
  elseif #found.failures > 0 then
    message = "the task is completed, but what it was to do failed"
  else
    return nil
  end
  local said = found.failures[1] or {}
  if said.message or said.suggestion or task.status == "completed" then
    message = message .. ": " .. problems.sentence(task.status == "completed" and said
      or { message = said.message, suggestion = said.suggestion, about = said.code })
  end
  if #found.failures > 1 then
    message = message .. (" (and %d more problems)"):format(#found.failures - 1)
  end
  return errors.new(NEEDS_ACTION[task.status] and "needs_action" or "task_failed", message, {
    task_id = task.task_id,
    code = said.code,
    field = said.field,
    audiences = task.status == "completed" and failed_audiences(found.failures) or nil,
    retryable = said.recovery == "transient" or nil,
    retry_after = said.retry_after,
  })
end

--- Waits until one task has ended.
---@param client table
---@param id string
---@param limits {cancel: function?, deadline: number?}
---@param opts {interval: number?, notified: (fun(task_id: string): boolean?)?}
---@param on_event fun(event: table)
---@param begun? {at: number, body: table?}  when the task was accepted, by the loop's clock, and the pieces of its
---  request
---@return table? task  the task, which completed
---@return scope3.Error? err  "task_failed", "needs_action", or why the wait ended
---@return table? task  the task where it ended otherwise
---@return table? actions  what became of its audiences, by id
function tasks.wait_one(client, id, limits, opts, on_event, begun)
  local now = client.loop.now
  local patient = math.max(begun and begun.at + NEW or 0, now() + STRANGE)
  local found, last
  local task, err = poll(client, limits, opts, function(one)
    local seen, why, said = fetch(client, id, one, begun and begun.body)
    if not seen then
      if why.kind == "not_found" and now() < patient then
        last = "the service does not find the task yet"
        on_event { event = "task", task_id = id, status = "not found yet" }
        return { task_id = id }, false
      end
      return nil, why
    end
    found, last, patient = said, "the task was last seen as " .. shown(seen.status), math.max(patient, now() + GONE)
    on_event { event = "task", task_id = id, status = seen.status }
    local wish = not opts.interval and seen.retry_after_seconds or nil
    return seen, ENDED[seen.status] or NEEDS_ACTION[seen.status] or false,
      wish and math.max(SHORTEST_WISH, math.min(wish, LONGEST_WISH)) or nil
  end, function()
    return last
  end, notice(opts.notified, id))
  if not task then
    local message = err.message
    if err.status == 401 then
      message = ("%s. The task %s goes on at the service: scope3 wait %s follows it with the new key"):format(
        message, id, id)
    end
    return nil, errors.with(err, { task_id = err.task_id or id, message = message })
  end
  err = failure(task, found)
  if not err then
    return task, nil, nil, found.actions
  end
  return nil, err, task
end

-- Why a task of a list failed, so that a second wait says it again.
local failures = setmetatable({}, { __mode = "k" })

--- Waits for all of a list of { task_id, status }, which it brings up to date, the oldest first. The first failure is returned after all have ended.
---@param client table
---@param list {task_id: string, status: string}[]
---@param limits table
---@param opts table
---@param on_event fun(event: table)
---@param on_ended? fun(entry: table, err: scope3.Error?, warnings: scope3.Problem[]?): scope3.Error?  called as each
---  has
---  ended, or waits for a person; may give the error with more of what is known
---@return boolean? ok
---@return scope3.Error? err
function tasks.wait(client, list, limits, opts, on_event, on_ended)
  local first, going
  for _, entry in ipairs(list) do
    if not ENDED[entry.status] then
      local task, err, ended, done = tasks.wait_one(client, entry.task_id, limits, opts, on_event, accepted[entry])
      task = task or ended
      if not task and limits.once and err.kind == "timeout" then
        going = going or err -- and the others are asked for, too
      elseif not task then
        return nil, err
      else
        -- Completed is said of those alone whose work was done.
        entry.status = err and task.status == "completed" and "failed" or task.status
        actions[entry] = done
        entry.created_at, entry.updated_at = task.created_at, task.updated_at
        if err then
          entry.error = err.message
        end
        local told = on_ended and on_ended(entry, err, task.warnings)
        if err then
          failures[entry] = told or err
          first = first or failures[entry]
        end
      end
    elseif entry.status ~= "completed" then
      first = first or failures[entry] or errors.new("task_failed", "the task ended as " .. entry.status, { task_id = entry.task_id })
    end
  end
  if first or going then
    return nil, going or first
  end
  return true
end

-- Why an audience's end is none that was hoped for; nil where it is.
local function audience_failure(id, row, expect)
  if row.deleted and not expect.deleting then
    return errors.new("task_failed", ("the audience %s is marked as deleted at the service"):format(id), { code = "audience_deleted" })
  elseif expect.deleting and not row.deleted then
    return errors.new("task_failed", ("the audience %s was to be deleted, and is still there"):format(id),
      { code = "audience_not_deleted" })
  elseif row.status == "ERROR" and not row.deleted then
    return errors.new("task_failed", ("the audience %s ended as ERROR: nothing more is known of why"):format(id),
      { code = "audience_error" })
  end
end

--- Waits until an audience's row, changed since `since`, has a final status. A row that stays as it was is taken in the
--- end too: a sync that changes nothing need not touch it.
---@param client table
---@param id string
---@param since number?  seconds since 1970 by the service's clock
---@param limits table
---@param opts table
---@param on_event fun(event: table)
---@param expect? {deleting: boolean?, unchanged: boolean?}  it is to be deleted; its task says that nothing has changed
---@return table? row
---@return scope3.Error? err  "task_failed" where it ended as ERROR or is deleted; why the wait ended
---@return boolean|table|nil old  with a row: that it was not updated since; with such an error: the row
function tasks.wait_audience(client, id, since, limits, opts, on_event, expect)
  expect = expect or {}
  local now = client.loop.now
  local last, before, still, polls, old
  local row, err = poll(client, limits, opts, function(one)
    local seen, why = listing.find(client, id, one)
    if not seen then
      if why.kind ~= "not_found" or why.status then
        return nil, why
      elseif expect.deleting then
        return { audience_id = id, deleted = true }, true
      end
      -- A new audience may not be listed yet.
      last, before = "the service does not list the audience yet", nil
      on_event { event = "audience", audience_id = id, status = "not listed yet" }
      return { audience_id = id }, false
    end
    last = "the audience was last seen as " .. (seen.deleted and "deleted" or shown(seen.status))
    on_event { event = "audience", audience_id = id, status = seen.deleted and "deleted" or seen.status }
    if expect.deleting and seen.deleted then
      return seen, true
    end
    local updated = time.iso(seen.updated_at)
    local fresh = not since or seen.updated_at == nil or updated ~= nil and updated >= since or expect.unchanged
    if not (seen.deleted or AUDIENCE_ENDED[seen.status]) then
      before = nil
      return seen, false
    elseif fresh and not expect.deleting then
      return seen, true
    end
    local state = ("%s %s %s"):format(tostring(seen.deleted), seen.status, tostring(seen.updated_at))
    if state ~= before then
      before, still, polls = state, now(), 0
    end
    polls = polls + 1
    old = polls > STILL_POLLS and now() - still >= (expect.deleting and STILL_THERE or STILL)
    return seen, old
  end, function()
    return last
  end)
  if not row then
    return nil, err
  end
  err = audience_failure(id, row, expect)
  if err then
    return nil, err, row
  end
  return row, nil, old or false
end

-- Whether every task that speaks of an audience says that nothing has changed.
local function is_unchanged(list, id)
  local all
  for _, entry in ipairs(list) do
    local said = actions[entry]
    if not said or next(said) == nil then
      return false
    elseif said[id] then
      all = said[id] == "unchanged" and all ~= false
    end
  end
  return all or false
end

--- Both stages for a result: its tasks end, then each of its audiences has a final status. Brings tasks and audiences
--- up to date.
---@param client table
---@param res scope3.Result
---@param limits table
---@param opts table
---@param on_event fun(event: table)
---@param wait_tasks fun(): boolean?, scope3.Error?  the first stage
---@return boolean? ok
---@return scope3.Error? err
function tasks.wait_result(client, res, limits, opts, on_event, wait_tasks)
  local ok, why = wait_tasks()
  if not ok then
    return nil, why
  end
  local since
  for _, task in ipairs(res.tasks) do
    local at = time.iso(task.created_at)
    since = at and math.max(since or at, at) or since
  end
  local job = result_of.job(res)
  local bad
  for _, audience in ipairs(res.audiences) do
    local id = audience.audience_id
    local row, err, more = tasks.wait_audience(client, id, since, limits, opts, on_event,
      { deleting = job and job.deleting[id], unchanged = is_unchanged(res.tasks, id) })
    local seen = row or more
    if not seen then
      return nil, err
    end
    for key, value in pairs(seen) do
      audience[key] = value
    end
    bad = bad or err
    if row and more then
      result_of.warn(res, "audience_not_updated", ("the audience %s does not show that it was updated since its task "
        .. "began, and has stayed %s: nothing had changed, or the service has not begun to match"):format(id, row.status),
        { audience_id = id })
    end
  end
  return bad == nil, bad
end

return tasks
