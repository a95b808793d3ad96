--- client:sync: sends audiences that were built in memory.
local arguments = require "scope3.util.arguments"
local audience_of = require "scope3.audience"
local context = require "scope3.job.context"
local errors = require "scope3.error"
local job = require "scope3.job"
local job_check = require "scope3.client.job_check"
local late = require "scope3.util.late"
local planner = require "scope3.job.planner"
local result = require "scope3.result"

local prune = late.require "scope3.job.prune"

local sync = {}

--- What is wrong with a list of audiences.
---@param audiences any
---@return string?
function sync.problem(audiences)
  local n, hole = arguments.count(audiences)
  if hole then
    return ("audiences is a list with holes: entry %d is missing"):format(hole)
  elseif not n or n == 0 then
    return arguments.problem("audiences", "a scope3.audience or a list of them", audiences)
      .. (n == 0 and " without entries" or "")
  end
  for i = 1, n do
    if not audience_of.is(audiences[i]) then
      return arguments.problem(("entry %d of audiences"):format(i), "a scope3.audience", audiences[i])
    end
  end
end

-- Audiences that occur twice, and those that there is nothing to send of.
local function content_issues(audiences)
  local seen, issues = {}, {}
  for i, audience in ipairs(audiences) do
    local path = #audiences == 1 and "audience" or ("audiences[%d]"):format(i)
    if seen[audience.id] then
      issues[#issues + 1] = { path = path, message = ("has the same id as audiences[%d]"):format(seen[audience.id]) }
    end
    seen[audience.id] = i
    local adds, removes = audience:count() -- an earlier sync may have set members aside
    if not audience.deleted and adds + removes == 0 then
      issues[#issues + 1] = { path = path, message = "has no members, and is not to be deleted" }
    end
  end
  return issues
end

-- The options of the job, or every problem of its audiences and options.
local function check(client, audiences, opts)
  local issues = content_issues(audiences)
  local checked, err = job_check.check(client, "client:sync", opts, audiences)
  if #issues == 0 then
    return checked, err
  end
  for _, issue in ipairs(err and err.issues or {}) do
    issues[#issues + 1] = issue
  end
  return nil, errors.invalid("client:sync", issues)
end

-- What each request is to hold.
local function plan(audiences, opts)
  local requests, misfit = planner.plan(audiences, { max_members = opts.max_members, max_bytes = opts.max_bytes,
    push = opts.push_notification_config })
  if not requests then
    return nil, errors.invalid("client:sync", {
      { path = ("audiences[%d]"):format(misfit), message = "has a member that alone is over max_bytes" },
    })
  end
  return requests
end

-- The ids of audiences that members are only removed from: this job does not make them.
local function only_removing(audiences)
  local ids = {}
  for _, audience in ipairs(audiences) do
    local adds, removes = audience:count()
    if not audience.deleted and adds == 0 and removes > 0 then
      ids[#ids + 1] = audience.id
    end
  end
  return ids
end

-- Asks the service what has to be known before the first request.
local function look_up(work, audiences, delete_missing)
  local err = work:check_targets(only_removing(audiences)) -- of all audiences, whatever the first request holds
  if err or not delete_missing then
    return err == nil, err
  end
  err = late.problem(prune)
  if err then
    return nil, err
  end
  return prune.prepare(work, audiences, delete_missing)
end

-- Adds the members of the audiences to the counts.
local function count_members(res, audiences)
  for _, audience in ipairs(audiences) do
    local counts, adds, removes = audience.builder:counts(), audience:count()
    counts.replaced = audience.deleted and 0 or counts.replaced
    counts.members = audience.deleted and 0 or adds + removes + counts.replaced
    counts.hashed_email, counts.hashed_phone, counts.uids, counts.prehashed = audience_of.identifiers(audience)
    result.add_counts(res, counts)
  end
  result.warn_of_poorer(res)
end

-- Sends the requests. After the job has failed it counts their members as failed.
local function send_all(work, requests)
  local repeats = #requests > 1 and planner.repeats()
  for _, parts in ipairs(requests) do
    if repeats and not work:failed() and repeats(parts) then
      work:turn()
    end
    work:send { parts = parts, retained = true }
  end
end

--- Sends audiences.
---@param client scope3.Client
---@param audiences scope3.Audience[]
---@param opts scope3.SyncOptions  of the right types
---@param listed? boolean  the caller has seen the audiences in the account's list
---@return scope3.Result?
---@return scope3.Error? err
function sync.send(client, audiences, opts, listed)
  local checked, err = check(client, audiences, opts)
  if not checked then
    return nil, err
  end
  local requests
  requests, err = plan(audiences, checked)
  if not requests then
    return nil, err
  end
  local work = job.new(context.of(client), audiences, checked)
  if listed then
    work:skip_target_check()
  end
  local known, lookup_err = look_up(work, audiences, checked.delete_missing)
  if not known then
    return nil, work:refuse(lookup_err)
  end
  count_members(work.result, audiences)
  send_all(work, requests)
  if work:await() and checked.delete_missing and not checked.dry_run then
    local why = prune.delete(work, audiences, checked.delete_missing)
    if why and not work:failed() then
      work:stop(why)
    end
  end
  return work:finish()
end

return sync
