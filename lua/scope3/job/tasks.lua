--- Waits for what the service makes of a request: first its task, then the audience's row (docs/contract.md section 3).
local audience_wait = require "scope3.job.audience_wait"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local polling = require "scope3.job.polling"
local result = require "scope3.result"
local task = require "scope3.job.task"
local time = require "scope3.util.time"

local tasks = {}

-- Seconds between two polls that a service may ask for (docs/contract.md section 3).
local SHORTEST_WISH, LONGEST_WISH = 1, 3600
-- A service may not find a task at once that it has just made: seconds from its acceptance, from the beginning of a
-- wait, and from when it was seen.
local NEW, STRANGE, GONE = 60, 3, 10

-- Entries of a result's tasks hold data only. What belongs to each is kept here.
local accepted = setmetatable({}, { __mode = "k" }) -- when it was accepted, and of which members it is
local actions = setmetatable({}, { __mode = "k" }) -- what became of its audiences
local failures = setmetatable({}, { __mode = "k" }) -- why it failed, so that a second wait gives the same error

tasks.ended = task.ended
tasks.wait_audience = audience_wait.wait

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

--- Reads a task.
---@param context scope3.Context
---@param id string
---@param limits? table  as for transport:drive()
---@return scope3.Task? task  of its error, response and metadata what may be told
---@return scope3.Error? err
function tasks.get(context, id, limits)
  local seen, err = task.fetch(context, id, limits)
  return seen, err
end

-- The error of a wait that ended before the task.
local function unfinished(err, id)
  local message = err.message
  if err.status == 401 then
    message = ("%s. The task %s goes on at the service: scope3 wait %s follows it with the new key"):format(
      message, id, id)
  end
  return errors.with(err, { task_id = err.task_id or id, message = message })
end

-- Seconds that the service asks to wait, where the caller says nothing.
local function wish_of(seen, interval)
  local wish = not interval and seen.retry_after_seconds or nil
  return wish and math.max(SHORTEST_WISH, math.min(wish, LONGEST_WISH)) or nil
end

--- Waits until one task has ended.
---@param context scope3.Context
---@param id string
---@param limits table  as for transport:drive()
---@param opts {interval: number?, notified: (fun(task_id: string): boolean?)?, is_old: boolean?}  `is_old`: a task that
---  is not found is gone, because it was made long ago
---@param on_event fun(event: scope3.Event)
---@param begun? {at: number, body: table?}  when the task was accepted, by the loop's clock, and the pieces of its
---  request
---@return table? task  the task, which completed
---@return scope3.Error? err  "task_failed", "needs_action", or why the wait ended
---@return table? task  the task where it ended otherwise
---@return table? actions  what became of its audiences, by id
function tasks.wait_one(context, id, limits, opts, on_event, begun)
  local now = context.loop.now
  local patient = opts.is_old and 0 or math.max(begun and begun.at + NEW or 0, now() + STRANGE)
  local found, last
  local function ask(one)
    local seen, why, said = task.fetch(context, id, one, begun and begun.body)
    if not seen and why.kind == "not_found" and now() < patient then
      last = "the service does not find the task yet"
      on_event { event = "task", task_id = id, status = "not found yet" }
      return { task_id = id }, false
    elseif not seen then
      return nil, why
    end
    found, last = said, "the task was last seen as " .. audience_wait.shown(seen.status)
    patient = math.max(patient, now() + GONE)
    on_event { event = "task", task_id = id, status = seen.status }
    return seen, task.ended(seen.status) or task.needs_action(seen.status), wish_of(seen, opts.interval)
  end
  local seen, err = polling.poll(context, limits, opts.interval,
    { ask = ask, came = polling.notice(opts.notified, id), last = function()
      return last
    end })
  if not seen then
    return nil, unfinished(err, id)
  end
  err = task.failure(seen, found)
  if err then
    return nil, err, seen
  end
  return seen, nil, nil, found.actions
end

-- Brings the entry of a task up to date that has ended, or that waits for a person. Gives the error where it failed.
local function update(entry, seen, err, done, on_ended)
  -- A task that is completed without having done its work counts as failed.
  entry.status = err and seen.status == "completed" and "failed" or seen.status
  actions[entry] = done
  entry.created_at, entry.updated_at = seen.created_at, seen.updated_at
  if err then
    entry.error = err.message
  end
  local told = on_ended and on_ended(entry, err, seen.warnings)
  if err then
    failures[entry] = told or err
  end
  return err and failures[entry]
end

-- Waits for the task of one entry. Gives the error of one that failed; or nil and an error that ends the wait, or that
-- leaves the task going (`once`).
local function wait_entry(context, entry, limits, opts, on_event, on_ended)
  if task.ended(entry.status) then
    return entry.status ~= "completed" and (failures[entry]
      or errors.new("task_failed", "the task ended as " .. entry.status, { task_id = entry.task_id })) or nil
  end
  local seen, err, ended, done = tasks.wait_one(context, entry.task_id, limits, opts, on_event, accepted[entry])
  seen = seen or ended
  if not seen then
    return nil, err
  end
  local failure = update(entry, seen, err, done, on_ended)
  if task.ended(entry.status) then
    context.counters:task_ended(entry.status)
  end
  return failure
end

-- The failure that counts: the first one. A task that waits for a person counts before one that failed, because it may
-- still take effect.
local function first_of(first, failure)
  local waits = failure and failure.kind == "needs_action"
  return (not first or waits and first.kind ~= "needs_action") and failure or first
end

--- Waits for all of a list of { task_id, status }, which it brings up to date, the oldest first. The first failure is
--- returned after all have ended. One that waits for a person counts before one that failed.
---@param context scope3.Context
---@param list {task_id: string, status: string}[]
---@param limits table  as for transport:drive()
---@param opts table
---@param on_event fun(event: scope3.Event)
---@param on_ended? fun(entry: table, err: scope3.Error?, warnings: scope3.Problem[]?): scope3.Error?  called as each
---  has ended, or waits for a person; may give the error with more of what is known
---@return boolean? ok
---@return scope3.Error? err
function tasks.wait(context, list, limits, opts, on_event, on_ended)
  local first, going
  local ended = 0
  local function tell(event)
    event.ended, event.tasks = ended, #list
    on_event(event)
  end
  for _, entry in ipairs(list) do
    local failure, err = wait_entry(context, entry, limits, opts, tell, on_ended)
    ended = ended + (task.ended(entry.status) and 1 or 0)
    if err and not (limits.once and err.kind == "timeout") then
      return nil, err
    end
    going = going or err -- the others are also asked for
    first = first_of(first, failure)
  end
  if first or going then
    return nil, going or first
  end
  return true
end

-- The audiences of which every task that speaks of them says that nothing has changed. A task that says nothing may
-- have changed any.
local function unchanged_audiences(list)
  local unchanged = {}
  for _, entry in ipairs(list) do
    local said = actions[entry]
    if not said or next(said) == nil then
      return {}
    end
    for id, action in entries(said) do
      unchanged[id] = action == "unchanged" and unchanged[id] ~= false
    end
  end
  return unchanged
end

-- The time from which rows show what the tasks of a result did: the last of them began then.
local function last_begin(list)
  local since
  for _, entry in ipairs(list) do
    local at = time.iso(entry.created_at)
    since = at and math.max(since or at, at) or since
  end
  return since
end

-- Brings an audience of a result up to date that has ended.
local function audience_ended(res, audience, ended)
  for key, value in entries(ended.row) do
    audience[key] = value
  end
  if ended.old and not ended.err then
    local id = audience.audience_id
    result.warn(res, "audience_not_updated", ("the audience %s does not show that it was updated since its task "
      .. "began, and has stayed %s: nothing had changed, or the service has not begun to match"):format(id,
      ended.row.status), { audience_id = id })
  end
end

-- Whether the service took something for an audience. One for which it took nothing need not exist.
local function was_reached(res, audience)
  local job = result.job(res)
  return not job or job.state.tasks.audiences[audience.audience_id] or false
end

-- The audiences of a result that are waited for.
local function awaited_audiences(res)
  local since, unchanged, job, list = last_begin(res.tasks), unchanged_audiences(res.tasks), result.job(res), {}
  for _, audience in ipairs(res.audiences) do
    if was_reached(res, audience) then
      local id = audience.audience_id
      list[#list + 1] = { id = id, since = since, audience = audience, unchanged = unchanged[id],
        deleting = job and job.deleting[id] }
    end
  end
  return list
end

--- Both stages for a result: its tasks end, then each of its audiences has a final status. Brings tasks and audiences
--- up to date. An audience for which the service took nothing is not waited for.
---@param context scope3.Context
---@param res scope3.Result
---@param limits table  as for transport:drive()
---@param opts table
---@param on_event fun(event: scope3.Event)
---@param wait_tasks fun(): boolean?, scope3.Error?  the first stage
---@return boolean? ok
---@return scope3.Error? err
function tasks.wait_result(context, res, limits, opts, on_event, wait_tasks)
  local ok, why = wait_tasks()
  if not ok then
    return nil, why
  end
  local awaited, ends = awaited_audiences(res), {}
  if #awaited == 0 then
    return true
  end
  ok, why = audience_wait.wait_all(context, awaited, limits, opts, on_event, function(one, ended)
    ends[one] = ended
    audience_ended(res, one.audience, ended)
  end)
  for _, one in ipairs(ok and awaited or {}) do
    why = why or ends[one].err
  end
  return why == nil, why
end

return tasks
