--- Counts of what a client did since it was made. They only grow, so that what reads them now and then loses nothing.
local entries = require "scope3.util.entries"

---@class scope3.ClientMetrics  counts since the client was made; they only grow
---@field requests table<string, integer>  that ended, by outcome: "ok", or the kind of the error
---@field retries integer  attempts that were planned after one that failed
---@field throttled_seconds number  for which requests waited for their turn under the rate
---@field bytes_sent integer  of bodies
---@field attempts integer  that were answered, or failed on the wire
---@field attempt_seconds number  that they took, together
---@field attempt_buckets integer[]  of them, those that took no longer than each of `attempt_bounds`
---@field attempt_bounds number[]  seconds
---@field members scope3.MemberMetrics
---@field tasks_accepted integer  tasks that the service began
---@field tasks_ended table<string, integer>  that were seen to have ended, by their status

---@class scope3.MemberMetrics  sums over the results of jobs; one member may fail after it was accepted
---@field accepted integer
---@field removed integer  of `accepted`
---@field rejected integer  rows and members that gave none
---@field rejected_by_service integer
---@field failed integer
---@field unknown integer

---@class scope3.Counters
local Counters = {}
Counters.__index = Counters

local counters = {}

local BOUNDS = { 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, math.huge } -- seconds
local FATES = { "accepted", "removed", "rejected", "rejected_by_service", "failed", "unknown" }

--- Makes counters at zero.
---@return scope3.Counters
function counters.new()
  return setmetatable({
    ok = 0, kinds = {}, retries = 0, throttled = 0, bytes = 0, seconds = 0, took = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    sums = { accepted = 0, removed = 0, rejected = 0, rejected_by_service = 0, failed = 0, unknown = 0, tasks = 0 },
    ended = {},
  }, Counters)
end

-- A sync of one member is some 600,000 instructions, of which these steps may be one in a hundred. So what is common is
-- counted without a loop or a table of its own.

--- A request has ended.
---@param err scope3.Error?
function Counters:request_ended(err)
  if err then
    self.kinds[err.kind] = (self.kinds[err.kind] or 0) + 1
  else
    self.ok = self.ok + 1
  end
end

--- Another attempt is planned.
function Counters:retried()
  self.retries = self.retries + 1
end

--- A request waits longer than was known.
---@param seconds number
function Counters:throttle(seconds)
  self.throttled = self.throttled + seconds
end

--- An attempt has ended that was on the wire.
---@param seconds number?
---@param bytes integer?  that were sent
function Counters:attempt_ended(seconds, bytes)
  seconds = seconds or 0
  local took, i = self.took, 1
  while seconds > BOUNDS[i] do
    i = i + 1
  end
  took[i] = took[i] + 1
  self.seconds, self.bytes = self.seconds + seconds, self.bytes + (bytes or 0)
end

local function rejected_of(result)
  local n = 0
  for _, of_reason in entries(result.rejected) do
    n = n + of_reason
  end
  return n
end

--- A job has ended. A dry run does nothing that counts.
---@param result scope3.Result
function Counters:job_ended(result)
  if result.would_send then
    return
  end
  local sums, accepted = self.sums, result.accepted
  sums.accepted = sums.accepted + accepted
  sums.removed = sums.removed + result.removed
  sums.tasks = sums.tasks + #result.tasks
  if accepted ~= result.members then
    for _, fate in ipairs { "rejected_by_service", "failed", "unknown" } do
      sums[fate] = sums[fate] + result[fate]
    end
  end
  if next(result.rejected) then
    sums.rejected = sums.rejected + rejected_of(result)
  end
end

local function counts_of(result)
  local told = { rejected = rejected_of(result), tasks = #result.tasks }
  for _, fate in ipairs(FATES) do
    told[fate] = told[fate] or result[fate]
  end
  return told
end

-- result -> what was counted of it, once it is waited for
local counted = setmetatable({}, { __mode = "k" })

--- The result of a job that has ended is to be waited for.
---@param result scope3.Result|false  none while the job goes on
function counters.expect(result)
  if result then
    counted[result] = counted[result] or counts_of(result)
  end
end

--- Tasks of an expected result may have ended since. What became less stays.
---@param result scope3.Result
function Counters:job_went_on(result)
  local told = counted[result]
  for key, n in entries(told and counts_of(result) or {}) do
    self.sums[key] = self.sums[key] + math.max(0, n - told[key])
    told[key] = n
  end
end

--- A task was seen to have ended.
---@param status string
function Counters:task_ended(status)
  self.ended[status] = (self.ended[status] or 0) + 1
end

local function copy(counts)
  local same = {}
  for key, n in entries(counts) do
    same[key] = n
  end
  return same
end

--- The counts as they are now.
---@return scope3.ClientMetrics
function Counters:snapshot()
  local requests, members, buckets, bounds, attempts = copy(self.kinds), {}, {}, {}, 0
  requests.ok = self.ok
  for _, fate in ipairs(FATES) do
    members[fate] = self.sums[fate]
  end
  for i, n in ipairs(self.took) do
    attempts = attempts + n
    if BOUNDS[i] < math.huge then
      buckets[i], bounds[i] = attempts, BOUNDS[i]
    end
  end
  return {
    requests = requests, retries = self.retries, throttled_seconds = self.throttled, bytes_sent = self.bytes,
    attempts = attempts, attempt_seconds = self.seconds, attempt_buckets = buckets, attempt_bounds = bounds,
    members = members, tasks_accepted = self.sums.tasks, tasks_ended = copy(self.ended),
  }
end

return counters
