--- The samples of each kind of counts.
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

local COUNTED = { "accepted", "refused", "rejected", "rejected_by_service", "failed", "adopted", "unkept", "lost" }

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

return samples
