--- client:drain: checks its options, and hands them to the drainer.
local context = require "scope3.job.context"
local drainer = require "scope3.fleet.drainer"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local job_check = require "scope3.client.job_check"
local link = require "scope3.fleet.link"
local queue = require "scope3.fleet.queue"
local url = require "scope3.redis.url"

local drain = {}

local LEASE, SHORTEST_LEASE, LONGEST_LEASE, EVERY, MAX_BYTES = 30, 1, 86400, 5, 8388608

local function issues_of(opts)
  local issues = {}
  local function issue(path, message)
    issues[#issues + 1] = { path = path, message = message }
  end
  for _, key in ipairs { "redis", "queue" } do
    if opts[key] == nil then
      issue(key, "is missing")
    end
  end
  local _, wrong = nil, nil
  if opts.redis then
    _, wrong = url.parse(opts.redis)
  end
  if wrong then
    issue("redis", wrong.issues[1].message)
  end
  local misnamed = opts.queue and queue.problem(opts.queue)
  if misnamed then
    issue("queue", misnamed)
  end
  if opts.lease and (opts.lease < SHORTEST_LEASE or opts.lease > LONGEST_LEASE) then
    issue("lease", ("must be between %d and %d s"):format(SHORTEST_LEASE, LONGEST_LEASE))
  end
  return issues
end

-- Options of its jobs.
local function job_options(client, opts)
  local own = {}
  for _, key in ipairs { "timeout", "patience", "rate", "max_members", "max_bytes", "push_notification_config",
    "on_event", "on_reject", "concurrency" } do
    own[key] = opts[key]
  end
  own.max_bytes = own.max_bytes or MAX_BYTES
  return job_check.check(client, "client:drain", own, {})
end

--- Drains a queue.
---@param client scope3.Client
---@param opts scope3.DrainOptions  of the right types
---@return scope3.Drained?
---@return scope3.Error? err
function drain.run(client, opts)
  local issues = issues_of(opts)
  local checked, err = job_options(client, opts)
  for _, issue in ipairs(err and err.issues or {}) do
    issues[#issues + 1] = issue
  end
  if #issues > 0 then
    return nil, errors.invalid("client:drain", issues)
  elseif err then
    return nil, err
  end
  local callbacks = guard.new()
  local cancel = callbacks:wrap("cancel", opts.cancel)
  local on_event = callbacks:wrap("on_event", opts.on_event or client.on_event)
  checked.guard, checked.cancel, checked.on_event = callbacks, cancel, on_event
  local lease = opts.lease or LEASE
  return drainer.new(context.of(client), {
    place = { url = opts.redis, ca_file = opts.redis_ca_file, queue = opts.queue, client = "scope3-drain",
      seconds = math.min(link.SECONDS, lease / 3) },
    lease = lease, every = opts.every or EVERY, once = opts.once, patience = opts.patience, cancel = cancel,
    on_event = on_event, guard = callbacks, max_members = checked.max_members, max_bytes = checked.max_bytes,
    push_notification_config = checked.push_notification_config, job = checked,
  }):run()
end

return drain
