--- The samples of each kind of counts.
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"

local samples = {}

local FATES = { "accepted", "removed", "rejected_by_service", "failed", "unknown" }

--- Adds what client:metrics() gave.
---@param text scope3.MetricText
---@param labels string
---@param counts scope3.ClientMetrics
function samples.client(text, labels, counts)
  text:add_each("scope3_client_requests_total", labels, counts.requests)
  text:add("scope3_client_retries_total", labels, counts.retries)
  text:add("scope3_client_throttled_seconds_total", labels, counts.throttled_seconds)
  text:add("scope3_client_sent_bytes_total", labels, counts.bytes_sent)
  local duration = "scope3_client_attempt_duration_seconds"
  for i, bound in ipairs(counts.attempt_bounds) do
    text:add(duration, labels, counts.attempt_buckets[i], "_bucket", json.encode(bound))
  end
  text:add(duration, labels, counts.attempts, "_bucket", "+Inf")
  text:add(duration, labels, counts.attempt_seconds, "_sum")
  text:add(duration, labels, counts.attempts, "_count")
  for _, fate in ipairs(FATES) do
    text:add(("scope3_client_members_%s_total"):format(fate), labels, counts.members[fate])
  end
  text:add("scope3_client_rows_rejected_total", labels, counts.members.rejected)
  text:add("scope3_client_tasks_accepted_total", labels, counts.tasks_accepted)
  text:add_each("scope3_client_tasks_ended_total", labels, counts.tasks_ended)
end

local COUNTED = { "accepted", "refused", "rejected", "rejected_by_service", "failed", "adopted", "unkept", "lost",
  "appended" }

--- Adds what collector:status() gave. A collector that was closed may have no counts left.
---@param text scope3.MetricText
---@param labels string
---@param status scope3.CollectorStatus
function samples.collector(text, labels, status)
  local whole = type(status.all) == "table" and status.all or status
  text:add("scope3_collector_held_members", labels, whole.held)
  for _, key in ipairs(COUNTED) do
    text:add(("scope3_collector_members_%s_total"):format(key), labels, whole[key])
  end
  text:add_each("scope3_collector_members_rejected_by_reason_total", labels, whole.reasons)
  text:add("scope3_collector_worker_held_members", labels, status.held)
  text:add("scope3_collector_worker_audiences", labels, status.audiences)
  text:add("scope3_collector_worker_failing", labels, status.error and 1 or 0)
end

-- Counts by reason. A script's own words may be anything, so they are one reason together.
local function known(counts, reasons)
  local by_reason, sum = {}, 0
  for reason, n in entries(counts) do
    local key = reasons[reason] and reason or "rejected_by_script"
    by_reason[key], sum = (by_reason[key] or 0) + n, sum + n
  end
  return by_reason, sum
end

local FOUND = { "added", "changed", "unchanged", "removed", "rejected_before", "under_way", "deferred", "excluded",
  "kept", "not_there" }

-- What a run with a state found. Nothing where it failed before it had compared.
local function add_night(text, labels, difference)
  local found = {}
  for _, fate in ipairs(FOUND) do
    found[fate] = difference[fate] or 0
  end
  text:add("scope3_job_night_before", labels, difference.before)
  text:add_each("scope3_job_night_people", labels, found)
  text:add("scope3_job_night_held_back", labels, difference.held_back or 0)
end

---@class scope3.JobRun  a run of the command
---@field ended number  second of the day of Unix
---@field succeeded? number  the same of the last run that did
---@field seconds number  that it took
---@field exit_code integer
---@field result? scope3.Result  none where it failed before there was one

--- Adds a run of the command.
---@param text scope3.MetricText
---@param labels string
---@param run scope3.JobRun
---@param reasons table<string, any>  all that there are
function samples.job(text, labels, run, reasons)
  text:add("scope3_job_last_run_timestamp_seconds", labels, run.ended)
  text:add("scope3_job_last_success_timestamp_seconds", labels, run.succeeded)
  text:add("scope3_job_exit_code", labels, run.exit_code)
  text:add("scope3_job_duration_seconds", labels, run.seconds)
  local res = run.result
  if not res then
    return
  end
  local rejected, sum = known(res.rejected, reasons)
  text:add("scope3_job_rows", labels, res.rows)
  text:add("scope3_job_rows_skipped", labels, res.skipped)
  text:add("scope3_job_rows_rejected", labels, sum)
  text:add_each("scope3_job_rows_rejected_by_reason", labels, rejected)
  text:add_each("scope3_job_identifiers_dropped_by_reason", labels, (known(res.dropped, reasons)))
  text:add_each("scope3_job_members", labels, {
    added = res.accepted - res.removed, removed = res.removed, replaced = res.replaced,
    rejected_by_service = res.rejected_by_service, failed = res.failed, unknown = res.unknown,
  })
  text:add("scope3_job_retries", labels, res.retries)
  if res.mirror then
    add_night(text, labels, res.mirror)
  end
end

local DRAINED = { "entries", "members", "accepted", "repeated", "failed", "rejected_by_service", "unreadable",
  "too_large" }

--- Adds what a drain came to until now.
---@param text scope3.MetricText
---@param labels string
---@param res scope3.Drained
---@param ended? boolean  so this drainer has nothing any more
function samples.drain(text, labels, res, ended)
  text:add("scope3_drain_queue_entries", labels, res.waiting)
  text:add("scope3_drain_queue_oldest_seconds", labels, res.waiting and (res.oldest or 0))
  text:add("scope3_drain_active", labels, res.active and not ended and 1 or 0)
  for _, key in ipairs(DRAINED) do
    text:add_each("scope3_drain_total", labels, { [key] = res[key] })
  end
  text:add("scope3_drain_leases_lost_total", labels, res.lost)
  text:add("scope3_drain_last_timestamp_seconds", labels, res.looked)
end

return samples
