--- Every metric that this library writes: its name, its type, its labels, and what it counts. Names follow Prometheus'
--- conventions. docs/operating.md has the same table.

---@class scope3.MetricFamily
---@field name string
---@field type "counter"|"gauge"|"histogram"
---@field help string  one line, without a backslash
---@field label? string  that tells its samples apart

local families = {}

local function family(name, kind, help, label)
  local one = { name = name, type = kind, help = help, label = label }
  families[#families + 1], families[name] = one, one
end

-- Of client:metrics().
family("scope3_client_requests_total", "counter", "Requests that ended, by outcome: ok, or the kind of the error.",
  "outcome")
family("scope3_client_retries_total", "counter", "Attempts that were planned after one that failed.")
family("scope3_client_throttled_seconds_total", "counter", "Seconds that requests waited for their turn.")
family("scope3_client_sent_bytes_total", "counter", "Bytes of bodies that were sent.")
family("scope3_client_attempt_duration_seconds", "histogram", "Seconds that attempts took on the wire.", "le")
family("scope3_client_members_accepted_total", "counter", "Members that the service accepted.")
family("scope3_client_members_removed_total", "counter", "Accepted members that were removed from their audience.")
family("scope3_client_rows_rejected_total", "counter", "Rows and members that were rejected before they were sent.")
family("scope3_client_members_rejected_by_service_total", "counter", "Members that the service refused one by one.")
family("scope3_client_members_failed_total", "counter", "Members that were not accepted, or whose task failed.")
family("scope3_client_members_unknown_total", "counter", "Members of requests that were sent and never answered.")
family("scope3_client_tasks_accepted_total", "counter", "Tasks that the service began.")
family("scope3_client_tasks_ended_total", "counter", "Tasks that were seen to have ended, by their status.", "status")

-- Of collector:status(): of all workers where they share a dictionary, else of the one that answers.
family("scope3_collector_held_members", "gauge", "Members that wait.")
family("scope3_collector_members_accepted_total", "counter", "Members that the service accepted.")
family("scope3_collector_members_refused_total", "counter", "Members that were refused because too many waited.")
family("scope3_collector_members_rejected_total", "counter", "Members that were none.")
family("scope3_collector_members_rejected_by_reason_total", "counter", "Members that were none, by reason.", "reason")
family("scope3_collector_members_rejected_by_service_total", "counter", "Members that the service refused one by one.")
family("scope3_collector_members_failed_total", "counter", "Members of requests that the service refused for good.")
family("scope3_collector_members_adopted_total", "counter", "Members from files of dead workers.")
family("scope3_collector_members_appended_total", "counter", "Members that were appended to a queue.")
family("scope3_collector_members_unkept_total", "counter", "Members that could not be written to the spool.")
family("scope3_collector_members_lost_total", "counter", "Members that a worker or a damaged file held, and are lost.")
-- Of the worker that answers. Its counters are left out: the next scrape meets another worker, which would look like a
-- counter that began anew.
family("scope3_collector_worker_held_members", "gauge", "Members that wait in the worker that answers.")
family("scope3_collector_worker_audiences", "gauge", "Audiences of which members wait in the worker that answers.")
family("scope3_collector_worker_failing", "gauge", "1 where the last request of the worker was not accepted, else 0.")

-- Of a run of the command with --metrics.
family("scope3_job_last_run_timestamp_seconds", "gauge", "When the last run ended.")
family("scope3_job_last_success_timestamp_seconds", "gauge", "When the last run with exit code 0 ended.")
family("scope3_job_exit_code", "gauge", "The exit code of the last run.")
family("scope3_job_duration_seconds", "gauge", "Seconds that the last run took.")
family("scope3_job_rows", "gauge", "Rows that the last run read.")
family("scope3_job_rows_skipped", "gauge", "Rows that the script left out.")
family("scope3_job_rows_rejected", "gauge", "Rows that gave no member.")
family("scope3_job_rows_rejected_by_reason", "gauge", "Rows that gave no member, by reason.", "reason")
family("scope3_job_identifiers_dropped_by_reason", "gauge", "Identifiers that could not be used, by reason.", "reason")
family("scope3_job_members", "gauge", "Members that the last run built, by what became of them.", "fate")
family("scope3_job_retries", "gauge", "Attempts that followed one that failed.")
-- Of a run with a state.
family("scope3_job_night_before", "gauge", "People that the state had before the last run.")
family("scope3_job_night_people", "gauge", "People that the last run compared, by what it found.", "fate")
family("scope3_job_night_held_back", "gauge", "People whom a guard kept from being removed.")

-- Of scope3 drain with --metrics.
family("scope3_drain_queue_entries", "gauge", "Entries that wait in the queue.")
family("scope3_drain_queue_oldest_seconds", "gauge", "Seconds that the first of them waits; 0 where none does.")
family("scope3_drain_active", "gauge", "1 where this drainer has the lease, else 0.")
family("scope3_drain_total", "counter", "Entries and members of the queue, by what became of them.", "fate")
family("scope3_drain_leases_lost_total", "counter", "Times that the lease went to another drainer, or ran out.")
family("scope3_drain_last_timestamp_seconds", "gauge", "When the drainer looked at the queue last.")

return families
