-- Makes wrk print what the measurements read: requests, p50 and p99 in microseconds, errors.
function done(summary, latency) -- luacheck: ignore
  local e = summary.errors
  io.write(("RESULT %d %d %d %d\n"):format(summary.requests, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
