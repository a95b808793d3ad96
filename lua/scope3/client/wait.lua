--- client:wait and result:wait: follow tasks and audiences to their end.
local audience_status = require "scope3.api.audience_status"
local codec = require "scope3.api.codec"
local context = require "scope3.job.context"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local options = require "scope3.util.options"
local preflight = require "scope3.api.preflight"
local result = require "scope3.result"
local tasks = require "scope3.job.tasks"
local time = require "scope3.util.time"

local wait = {}

local LONGEST = 48 * 3600 -- seconds; docs/contract.md section 3
local ONE_LOOK = 20 -- seconds for each question of a wait that asks once

--- The limits of a listing, by the loop's clock.
---@param client scope3.Client
---@param given scope3.Limits  of the right types
---@return scope3.DriveLimits
function wait.limits(client, given)
  local callbacks = guard.new()
  return {
    guard = callbacks, cancel = callbacks:wrap("cancel", given.cancel),
    deadline = given.deadline and client.loop.now() + given.deadline or nil,
  }
end

--- The error of an id that cannot be a task's. The service is not asked for one.
---@param what string  the function, for the message
---@param id string
---@return scope3.Error?
function wait.malformed(what, id)
  if not codec.is_task_id(id) then
    return errors.new("invalid", what .. ": the id has not the form of a task's: 1 to 255 of A-Z a-z 0-9 . _ : ~ -")
  end
end

-- When a wait ends. A wait without time asks once, and each question has a time of its own.
local function limits_of(client, what, opts)
  local timeout, callbacks = opts.timeout or LONGEST, guard.new()
  local job = result.is(what) and result.job(what) or nil
  return {
    guard = callbacks, cancel = callbacks:wrap("cancel", opts.cancel), once = timeout == 0 and ONE_LOOK or nil,
    deadline = timeout > 0 and client.loop.now() + timeout or nil, over = "the time to wait is over",
    pace = job and job.pace, patience = opts.patience or timeout == 0 and 0 or job and job.opts.patience,
  }
end

-- Waits for a task, and then for an audience where one is named.
local function wait_for_task(client, id, opts, limits, on_event)
  local missing = wait.malformed("client:wait", id) or preflight.lacks(client, opts.audience == nil)
  if missing then
    return nil, missing
  end
  local task, err, _, actions = tasks.wait_one(context.of(client), id, limits, opts, on_event)
  if not task then
    return nil, err
  elseif opts.audience then
    local audience = options.id(opts.audience)
    local ended, why = tasks.wait_audience(context.of(client), { id = audience, since = time.iso(task.created_at),
      unchanged = actions[audience] == "unchanged" }, limits, opts, on_event)
    why = why or ended.err
    if why then
      return nil, why
    end
    task.audience = ended.row
  end
  return task
end

local function wait_for_result(client, res, opts, limits, on_event)
  if res.would_send or #res.tasks == 0 then
    return res
  end
  local barred = preflight.barred(client)
  if barred then
    return nil, barred
  end
  local job = result.job(res)
  local function await_tasks()
    return job:await_tasks(limits, opts, on_event)
  end
  local ok, err
  if opts.tasks_only then
    ok, err = await_tasks()
  else
    ok, err = tasks.wait_result(context.of(client), res, limits, opts, on_event, await_tasks)
  end
  audience_status.warn(res)
  if not ok then
    return nil, errors.with(err, { result = res })
  end
  return res
end

--- Waits for a result, or for a task by its id.
---@param client scope3.Client
---@param what scope3.Result|string
---@param opts scope3.ClientWaitOptions  of the right types; `tasks_only` does not wait for the audiences of a result
---@return scope3.Result|scope3.Task|nil
---@return scope3.Error? err
function wait.follow(client, what, opts)
  local limits, is_result = limits_of(client, what, opts), result.is(what)
  local callbacks = limits.guard
  local guarded = { interval = opts.interval, audience = opts.audience, tasks_only = opts.tasks_only,
    notified = callbacks:wrap("notified", opts.notified) }
  local on_event = callbacks:wrap("on_event", opts.on_event or client.on_event)
  local follow = is_result and wait_for_result or wait_for_task
  local done, err = follow(client, what, guarded, limits, on_event)
  if callbacks.fault then
    return nil, is_result and errors.with(callbacks.fault, { result = what }) or callbacks.fault
  end
  return done, err
end

return wait
