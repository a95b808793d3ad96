--- Waiting for what the service makes of a request: first its task, then the audience's row (docs/contract.md section 3).
local core = require "scope3.core"
local errors = require "scope3.error"
local redact = require "scope3.redact"
local reply = require "scope3.reply"
local wire = require "scope3.wire"

local tasks = {}

local ENDED = { completed = true, failed = true, canceled = true, rejected = true }
local NEEDS_ACTION = { ["input-required"] = true, ["auth-required"] = true }

local FIRST_POLL, LONGEST_POLL, GROWTH = 0.25, 30, 1.5
local FAILURES_IN_A_ROW = 5
local NOTICE = 0.2 -- seconds between two looks for a callback

--- Whether a task's status is its last.
---@param status string
---@return boolean
function tasks.ended(status)
  return ENDED[status] == true
end

-- A wait may last for hours: a poll that fails is repeated, as long as not many fail in a row.
local function survives(err, failures)
  return failures < FAILURES_IN_A_ROW
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

-- Polls `ask` until it gives a second value, the end. `ask` gives what it saw, whether that is the end, and seconds to wait.
local function poll(client, limits, opts, ask, came)
  local transport = client:transport()
  local pause, failures = opts.interval or FIRST_POLL, 0
  while true do
    local seen, done, wish = ask()
    if seen ~= nil then
      failures = 0
      if done then
        return seen
      end
    else
      failures = failures + 1
      if done.kind == "cancelled" or (limits.deadline and client.loop.now() >= limits.deadline)
        or not survives(done, failures) then
        return nil, done
      end
    end
    local ok, err = rest(client, transport, wish or pause, limits, came)
    if not ok then
      return nil, err
    end
    if not opts.interval then
      pause = math.min(LONGEST_POLL, pause * GROWTH)
    end
  end
end

--- Reads a task.
---@param client table
---@param id string
---@param limits? table
---@return table? task  snake_case, nulls gone
---@return scope3.Error? err
function tasks.get(client, id, limits)
  local data, err = client:transport():request({ method = "GET", path = "/tasks/" .. wire.escape(id), timeout = 60, poll = true }, limits)
  if not data then
    return nil, err
  end
  local task = type(data.task) == "table" and data.task or data
  if type(task.status) ~= "string" then
    return nil, errors.new("http", "the service answered a task without a status", { code = "BAD_REPLY", status = 200 })
  end
  return wire.read(task)
end

-- A number of seconds that a reply names, or nil.
local function seconds_of(value)
  value = type(value) == "string" and core.number(value) or value
  return type(value) == "number" and value >= 0 and value < math.huge and value or nil
end

-- Why a task did not end well.
local function failure(task)
  local said = type(task.error) == "table" and task.error or {}
  local function text(value)
    return type(value) == "string" and redact.text(value) or nil
  end
  local message = NEEDS_ACTION[task.status]
    and ("the task waits for a person (%s)"):format(task.status)
    or ("the task ended as %s"):format(task.status)
  if text(said.message) then
    message = message .. ": " .. text(said.message)
  end
  if text(said.suggestion) then
    message = message .. "; the service suggests: " .. text(said.suggestion)
  end
  return errors.new(NEEDS_ACTION[task.status] and "needs_action" or "task_failed", message, {
    task_id = task.task_id,
    code = text(said.code),
    field = text(said.field),
    retryable = said.recovery == "transient" or nil,
    retry_after = type(said.retry_after) == "number" and said.retry_after or nil,
  })
end

--- Waits until one task has ended.
---@param client table
---@param id string
---@param limits {cancel: function?, deadline: number?}
---@param opts {interval: number?, notified: (fun(task_id: string): boolean?)?}
---@param on_event fun(event: table)
---@return table? task  the task, which completed
---@return scope3.Error? err  "task_failed", "needs_action", or why the wait ended
---@return table? task  the task where it ended otherwise
function tasks.wait_one(client, id, limits, opts, on_event)
  local task, err = poll(client, limits, opts, function()
    local seen, why = tasks.get(client, id, limits)
    if not seen then
      return nil, why
    end
    on_event { event = "task", task_id = id, status = seen.status }
    local wish = not opts.interval and seconds_of(seen.retry_after_seconds) or nil
    return seen, ENDED[seen.status] or NEEDS_ACTION[seen.status] or false, wish
  end, notice(opts.notified, id))
  if not task then
    err.task_id = err.task_id or id
    return nil, err
  end
  task.task_id = task.task_id or id
  if task.status == "completed" then
    return task
  end
  return nil, failure(task), task
end

-- Why a task of a list failed, so that a second wait says it again.
local failures = setmetatable({}, { __mode = "k" })

--- Waits for all of a list of { task_id, status }, which it brings up to date, the oldest first. The first failure is returned after all have ended.
---@param client table
---@param list {task_id: string, status: string}[]
---@param limits table
---@param opts table
---@param on_event fun(event: table)
---@param on_ended? fun(task: table, err: scope3.Error?)  called as each has ended, or waits for a person
---@return boolean? ok
---@return scope3.Error? err
function tasks.wait(client, list, limits, opts, on_event, on_ended)
  local first
  for _, entry in ipairs(list) do
    if not ENDED[entry.status] then
      local task, err, ended = tasks.wait_one(client, entry.task_id, limits, opts, on_event)
      task = task or ended
      if not task then
        return nil, err
      end
      entry.status = task.status
      entry.created_at, entry.updated_at = task.created_at, task.updated_at
      if err then
        entry.error = err.message
        failures[entry] = err
        first = first or err
      end
      if on_ended then
        on_ended(entry, err)
      end
    elseif entry.status ~= "completed" then
      first = first or failures[entry] or errors.new("task_failed", "the task ended as " .. entry.status, { task_id = entry.task_id })
    end
  end
  if first then
    return nil, first
  end
  return true
end

--- Waits until an audience's row, changed since `since`, has left PROCESSING.
---@param client table
---@param id string
---@param since number?  seconds since 1970 by the service's clock
---@param limits table
---@param opts table
---@param on_event fun(event: table)
---@return table? row
---@return scope3.Error? err
function tasks.wait_audience(client, id, since, limits, opts, on_event)
  return poll(client, limits, opts, function()
    local row, err = client:audience(id, limits)
    if not row then
      if err.kind == "not_found" then
        -- A new audience may not be listed yet.
        return { audience_id = id }, false
      end
      return nil, err
    end
    on_event { event = "audience", status = row.status }
    local updated = reply.iso_time(row.updated_at)
    local fresh = not since or not updated or updated >= since
    return row, fresh and row.status ~= "PROCESSING" and row.status ~= nil
  end)
end

--- Both stages for a result: its tasks end, then each of its audiences leaves PROCESSING. Brings tasks and audiences up to date.
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
    local at = reply.iso_time(task.created_at)
    since = at and math.max(since or at, at) or since
  end
  local bad
  for _, audience in ipairs(res.audiences) do
    local row, err = tasks.wait_audience(client, audience.audience_id, since, limits, opts, on_event)
    if not row then
      return nil, err
    end
    for key, value in pairs(row) do
      audience[key] = value
    end
    if row.status == "ERROR" then
      bad = bad or errors.new("task_failed", "the audience ended as ERROR: nothing more is known of why")
    end
  end
  return bad == nil, bad
end

return tasks
