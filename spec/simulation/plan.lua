-- What a simulation is to be, by its seed: its jobs, its network, its service.
local dice_of = require "spec.simulation.dice"
local network_faults = require "spec.simulation.network_faults"
local rows = require "spec.simulation.rows"
local twins = require "spec.simulation.twins"

local plan = {}

local HOUR, FOREVER = 3600, math.huge

-- Faults that a request survives where they are few: nothing among them is final.
local PASSING = { "refused", "unreachable", "lost_before", "cut_inside", "refused_stream",
  "lost_in_buffers", "rewind_lost", "swallowed", "lost_reply", "half_reply", "silent", "garbage", "gateway",
  "mangled", "late" }

-- Faults after which nobody knows whether a request was carried out.
local DOUBTS = { "lost_reply", "half_reply", "silent", "gateway", "mangled", "late" }

local function some_of(dice, list)
  local chosen = {}
  for _, name in ipairs(list) do
    if dice:happens(0.4) then
      chosen[#chosen + 1] = name
    end
  end
  return chosen[1] and chosen or { dice:one_of(list) }
end

local LATENCIES = { { 0.01, 0.01 }, { 0.001, 0.3 }, { 0.01, 20 } }

-- How the network is: what goes wrong, how often, and until when.
local function profile_of(dice)
  local kind = dice:one_of { "calm", "bounded", "bounded", "unlimited", "unlimited" }
  local made = { kind = kind, latency = dice:one_of(LATENCIES), most_faults = FOREVER, calm_from = FOREVER }
  if kind == "calm" then
    made.share, made.network, made.most_faults = 0, { false }, 0
  elseif kind == "bounded" then
    made.share, made.network, made.most_faults = dice:one_of { 0.1, 0.5 }, some_of(dice, PASSING), dice:whole(1, 2)
  else
    made.share, made.network = dice:one_of { 0.02, 0.1, 0.3, 0.6 }, some_of(dice, network_faults.NAMES)
    made.full_disk = dice:happens(0.1) and 0.02 or 0
  end
  made.torn_writes = dice:happens(0.3) and 0.02 or 0
  if kind == "unlimited" and dice:happens(0.2) then
    made.doubtful, made.share, made.network = true, 0.15, DOUBTS
  end
  return made
end

local PASSING_RULES = {
  { on = "sync", act = "status", status = 429, retry_after = 3 }, { on = "any", act = "status", status = 429 },
  { on = "any", act = "status", status = 503 }, { on = "any", act = "status", status = 503, retry_after = 20 },
  { on = "sync", act = "status", status = 502, html = true },
  { on = "sync", act = "status", status = 504, empty = true }, { on = "any", act = "delay", seconds = 2 },
  { on = "any", act = "cut_before" }, { on = "sync", act = "cut_after" }, { on = "any", act = "lost_reply" },
  { on = "sync", act = "half_reply" }, { on = "any", act = "garbage" },
}
-- Those that a request does not survive, or not more than once.
local FINAL_RULES = {
  { on = "any", act = "hang" }, { on = "sync", act = "status", status = 500 },
  { on = "sync", act = "status", status = 413 }, { on = "any", act = "status", status = 401 },
  { on = "any", act = "status", status = 403 }, { on = "any", act = "status", status = 404 },
  { on = "sync", act = "echo", status = 400 }, { on = "sync", act = "echo", status = 409 },
  { on = "sync", act = "status", status = 422 }, { on = "any", act = "redirect" },
  { on = "any", act = "wrong_envelope" }, { on = "any", act = "wrong_types" }, { on = "any", act = "not_json" },
  { on = "sync", act = "status", status = 501 }, { on = "any", act = "stall", seconds = 300 },
}

local function rule_from(dice, rule, times, share)
  local made = { times = times, share = share, after = dice:whole(0, 6) }
  for key, value in pairs(rule) do
    made[key] = value
  end
  return made
end

-- A service that changes its mind: it has taken a request whose answer was lost, and then finds the copy too large, and
-- refuses the halves.
local function changes_of_mind(dice)
  return {
    { on = "sync", act = "status", status = 413, times = -1, share = dice:one_of { 0.1, 0.4 } },
    { on = "sync", act = "status", status = dice:one_of { 403, 409, 422 }, times = -1,
      share = dice:one_of { 0.02, 0.1 } },
  }
end

local function rules_of(dice, kind, is_doubtful)
  local rules = {}
  if kind == "calm" then
    return rules
  elseif is_doubtful and dice:happens(0.4) then
    return changes_of_mind(dice)
  end
  for _ = 1, dice:whole(0, kind == "unlimited" and 2 or 1) do
    local share = kind == "unlimited" and dice:one_of { 0.05, 0.3, 1 } or nil
    rules[#rules + 1] = rule_from(dice, dice:one_of(PASSING_RULES), share and -1 or 1, share)
  end
  if kind == "unlimited" and dice:happens(0.5) then
    rules[#rules + 1] = rule_from(dice, dice:one_of(FINAL_RULES), dice:one_of { 1, 1, -1 },
      dice:one_of { 0.05, 0.2 })
  end
  return rules
end

local SHARES = { "failed:transient", "failed:correctable", "failed:terminal", "canceled", "input-required", "never" }

-- The first tasks complete, and then one fails for a reason that passes.
local function one_fails(before)
  local outcomes = {}
  for i = 1, before do
    outcomes[i] = "completed"
  end
  outcomes[before + 1] = "failed:transient"
  return outcomes
end

-- How tasks end. One that never does is asked for rarely.
local function task_ends(dice, made, kind)
  if kind == "bounded" then
    made.task_outcomes = dice:happens(0.5) and one_fails(dice:whole(0, 4)) or nil
  elseif kind == "unlimited" and dice:happens(0.5) then
    made.task_shares = {}
    for _, name in ipairs(some_of(dice, SHARES)) do
      made.task_shares[name] = dice:one_of { 0.02, 0.1, 0.3 }
    end
    made.retry_after = made.task_shares.never and HOUR or made.retry_after
  end
end

-- How the service is.
local function service_of(dice, kind, is_doubtful)
  local slow = dice:happens(is_doubtful and 0.7 or 0.1) -- what was lost takes effect days later
  local made = {
    seed = dice:whole(1, 1000000),
    task_order = slow and is_doubtful and "in" or dice:one_of { "strict", "in", "reversed" },
    task_seconds = slow and HOUR or dice:one_of { 0, 0.2, 3 },
    task_jitter = slow and 40 * HOUR or dice:one_of { 0, 1, 30, 300 },
    retry_after = slow and HOUR or dice:one_of { 0.1, 1, false },
    task_shows_after = dice:happens(0.2) and 2 or 0, audience_seconds = dice:one_of { 0, 0.1, 40 },
    envelope = dice:one_of { "bare", "data" }, pagination = dice:one_of { "body", "meta" },
    page_repeats = dice:happens(0.2) and 1 or 0, min_size = dice:one_of { 0, 100 },
    issues_listed = dice:one_of { 1, 100 }, faults = rules_of(dice, kind, is_doubtful), log_bodies = false,
    max_body = dice:happens(0.25) and dice:whole(1100, 3000) or nil,
    rate_limit = dice:happens(0.2) and dice:whole(20, 60) or nil, rate_form = dice:one_of { "fields", "single" },
    retry_after_form = dice:one_of { "seconds", "date" },
  }
  if made.task_order == "reversed" then -- it knows no jitter, and tasks would last longer with each that follows
    made.task_jitter, made.task_seconds = 0, math.min(made.task_seconds, 3)
  end
  task_ends(dice, made, kind)
  if slow then -- an epoch has no time for two tasks that last so long
    made.task_outcomes = nil
  end
  return made
end

-- Options of a job that change nothing of what it has to do.
local function limits_of(dice)
  return {
    max_members = dice:one_of { 1, 2, 3, 5, 8, 12, 40 }, concurrency = dice:one_of { 1, 1, 1, 2, 3, 5 },
    unique = dice:happens(0.3) or nil, keep_going = dice:happens(0.3) or nil,
    max_bytes = dice:happens(0.2) and dice:whole(4096, 5000) or nil,
  }
end

-- A function that says once that the job is to stop.
local function cancel_at(n)
  local calls = 0
  return function()
    calls = calls + 1
    return calls == n
  end
end

-- Options by which a job may end before its time.
local function endings_of(dice, opts, is_slow)
  opts.deadline = dice:happens(is_slow and 0.1 or 0.3) and dice:time(0.5, 5000) or nil
  opts.in_doubt_timeout = dice:happens(0.5) and 72 * HOUR or nil
  opts.patience = dice:happens(0.3) and dice:time(1, 2000) or nil
  opts.timeout = dice:happens(0.2) and dice:time(1, 60) or nil
  if not opts.in_doubt_timeout and not is_slow and dice:happens(0.2) then -- it is called four times a second
    opts.cancel = cancel_at(dice:whole(1, 30))
  end
end

-- Whether a job may look for repeats of an id in each request only: before it first both adds and removes.
local function is_plain(pattern, opts)
  return (pattern == "repeats" or pattern == "mixed") and not opts.unique and opts.concurrency == 1
end

-- Whether the network keeps the order: no copy of a request arrives after one that was sent later.
local function keeps_order(profile)
  for _, name in ipairs(profile.network) do
    if name == "late" then
      return false
    end
  end
  return profile.latency[2] < 1
end

-- Whether the service carries out a request after its sender has given it up, and has sent it again.
local function stalls(faults)
  for _, rule in ipairs(faults) do
    if rule.act == "stall" then
      return true
    end
  end
  return false
end

-- Whether the library promises the order of such a job: a plain one needs a service that works strictly in order, and a
-- network that keeps it.
local function is_ordered(pattern, opts, order, profile)
  return not is_plain(pattern, opts) or order == "strict" and keeps_order(profile)
end

local KINDS = { "member", "member", "member", "map", "iterator", "stream", "stream", "sync" }

local function pattern_of(dice, kind, opts, order, profile)
  while true do
    local pattern = kind == "map" and dice:one_of { "adds", "repeats" } or dice:one_of(rows.PATTERNS)
    if is_ordered(pattern, opts, order, profile) then
      return pattern
    end
  end
end

-- The audiences of a job and their operations.
local function audiences_of(dice, job, number, order, profile)
  local list = {}
  for i = 1, job.kind == "sync" and dice:whole(1, 3) or 1 do
    local key = number * 8 + i
    local pattern = pattern_of(dice, job.kind, job.opts, order, profile)
    list[i] = { id = "a" .. key, number = key, pattern = pattern,
      operations = rows.make(dice, key, pattern, dice:whole(1, dice:one_of { 6, 20, 60 })) }
  end
  return list
end

-- When the process of a job is killed: at some of its events, and once at an event of one kind.
local function kills_of(dice, job, settings)
  job.kills = {}
  for i = 1, dice:one_of { 0, 1, 1, 2, 3 } do
    job.kills[i] = dice:whole(1, 60)
  end
  if dice:happens(0.3) then
    job.kills_at_first = settings.max_body and "split" or dice:one_of { "accepted", "request", "resend", "quarantined" }
  end
end

local function job_of(dice, number, profile, settings)
  local job = { number = number, kind = dice:one_of(KINDS), opts = limits_of(dice), rate = dice:one_of { 100000,
    100000, 300, 60, 30 }, starts_at = dice:happens(0.5) and 0 or dice:time(0.1, 100) }
  if profile.kind == "unlimited" then
    endings_of(dice, job.opts, settings.retry_after == HOUR)
  else
    job.opts.in_doubt_timeout = 72 * HOUR
  end
  if job.kind == "sync" then
    job.opts.unique = nil
  end
  if settings.max_body and dice:happens(0.6) then -- so that its requests are too large
    job.opts.max_members = 40
  end
  job.audiences = audiences_of(dice, job, number, stalls(settings.faults) and "in" or settings.task_order, profile)
  if is_plain(job.audiences[1].pattern, job.opts) then
    job.opts.timeout, job.is_plain = nil, true
  end
  if (job.kind == "member" or job.kind == "map") and dice:happens(0.5) then
    job.journal = "job" .. number .. ".journal"
    kills_of(dice, job, settings)
  end
  job.syndicates = dice:happens(0.3)
  job.input_raises_at = profile.kind == "unlimited" and dice:happens(0.2) and dice:whole(1, 40) or nil
  job.raises_at = profile.kind == "unlimited" and dice:happens(0.05) and dice:whole(1, 60) or nil
  return job
end

local ONLY_ADDS = { adds = true, repeats = true }

-- Audiences of nobody, for a job that deletes what it does not name. Only one that is alone may do that.
local function strangers_of(dice, jobs, kind)
  local list, opts = {}, jobs[1].opts
  if #jobs > 1 or not dice:happens(0.25) then
    return list
  end
  for i = 1, dice:whole(1, 3) do
    list[i] = { id = "x" .. i, number = 1000 + i, operations = {}, before = { [rows.id(1000 + i, 1)] =
      rows.hash(1000 + i, 1) } }
  end
  opts.delete_missing = dice:happens(0.5) and "all" or { "x1", "x2", "x3" }
  if kind == "unlimited" and dice:happens(0.2) then
    opts.delete_missing = { "x1" }
  end
  return list
end

-- Audiences that are there before. Where everything is to arrive, those must be that members are removed from.
local function before_of(dice, jobs, kind)
  local list = strangers_of(dice, jobs, kind)
  for _, job in ipairs(jobs) do
    for _, audience in ipairs(job.audiences) do
      local is_needed = not ONLY_ADDS[audience.pattern] and (kind ~= "unlimited" or dice:happens(0.8))
      if (is_needed or dice:happens(0.2)) and not audience.before then
        list[#list + 1] = audience
        audience.before = {}
        for n = 1, dice:whole(1, 10) do
          audience.before[rows.id(audience.ids or audience.number, n)] = rows.hash(audience.number, 60000 + n)
        end
        if audience.twin then
          audience.twin.before = audience.before
        end
      end
    end
  end
  return list
end

-- A job whose input cannot be read again, and is not kept, fails with its first task. So does one that deletes.
local function forgives_tasks(jobs)
  for _, job in ipairs(jobs) do
    if job.kind == "iterator" or job.kind == "stream" or job.opts.delete_missing then
      return false
    end
  end
  return true
end

-- Some ids of an audience.
local function some_ids(dice, audience)
  local ids = {}
  for i = 1, dice:whole(1, 3) do
    ids[i] = dice:one_of(audience.operations).id
  end
  return ids
end

-- When the key changes: seldom enough that one request meets one change.
local function key_changes(dice, jobs, kind)
  local times, at = {}, 0
  if not dice:happens(0.15) then
    return times
  end
  for i = 1, dice:whole(1, 2) do
    at = at + dice:time(i == 1 and 0.1 or 200, 400)
    times[i] = at
  end
  for _, job in ipairs(jobs) do
    job.follows_key = kind ~= "unlimited" or dice:happens(0.7)
  end
  return times
end

-- Another process with the same limits, which asks for something now and then. The rates are such that they matter.
local function neighbour_of(dice, jobs)
  local made = { rate = dice:one_of { 30, 60, 300 }, pauses = {} }
  for i = 1, dice:whole(1, 60) do
    made.pauses[i] = dice:time(0.01, 10)
  end
  for _, job in ipairs(jobs) do
    job.rate = dice:one_of { 30, 60, 300 }
  end
  return made
end

--- Makes the plan of a seed.
function plan.of(seed, trace)
  local dice = dice_of.new(seed * 16)
  local profile = profile_of(dice)
  local settings = service_of(dice, profile.kind, profile.doubtful)
  if profile.kind == "bounded" and #settings.faults > 0 then
    profile.most_faults = 1 -- a request that fails for the third time in one way is given up, by rule
  end
  local jobs = {}
  for i = 1, dice:one_of { 1, 1, 1, 2, 3 } do
    jobs[i] = job_of(dice, i, profile, settings)
  end
  if profile.kind ~= "bounded" and dice:happens(0.15) then -- half of a rejection names nobody, and is final
    settings.refuse = some_ids(dice, jobs[1].audiences[1])
  end
  -- The task of one job that fails leaves the audience in ERROR or PROCESSING for the other. One that lasts for days
  -- would have the other look at the audience every half minute.
  local apart = settings.task_outcomes or settings.task_shares or settings.retry_after == HOUR
  if #jobs > 1 and dice:happens(0.4) and not apart then
    twins.join(jobs)
  end
  local before = before_of(dice, jobs, profile.kind)
  settings.task_outcomes = forgives_tasks(jobs) and settings.task_outcomes or nil
  local changes = key_changes(dice, jobs, profile.kind)
  local shares = dice:one_of { "nothing", "nothing", "nothing", "limiter", "limiter", "store" }
  return { seed = seed, profile = profile, service = settings, jobs = jobs, trace = trace, before = before,
    key_changes = changes, shares_limiter = shares == "limiter",
    neighbour = shares == "store" and neighbour_of(dice, jobs) or nil,
    refuses_audiences = profile.kind == "unlimited" and dice:happens(0.5) and 0.3 or 0 }
end

return plan
