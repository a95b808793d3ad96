-- What is done to a fleet while it works. Each act waits until the fleet works again.
local core = require "scope3.core"

local acts = {}

-- Whether a note is of a request of another drainer than one.
local function is_of_other(name)
  return function(head)
    return head.word ~= "work" and head.name ~= name
  end
end

local function is_head(head)
  return head.word ~= "work"
end

local function is_work(head)
  return head.word == "work"
end

-- Kills a drainer, and notes how long it takes until another one sends.
local function kill_drainer(trial, name)
  local at = core.time()
  trial.drainers:kill(name, 0.2 + trial.roll(100) / 100 * trial.lease)
  local head = trial:await_head("a request of the next drainer", is_of_other(name))
  local seconds = trial.drainers:sent_after(head.name, at) or head.at - at
  table.insert(trial.takeovers, seconds)
  trial:note("drainers killed", ("%s; %s sent after %.2f s, and was heard after %.2f s"):format(name, head.name,
    seconds, head.at - at))
end

--- The drainer that sends is killed.
function acts.kill_drainer(trial)
  kill_drainer(trial, trial:await_head("a request", is_head).name)
end

--- It is killed when the service has its request. The service carries that out later than the lease ends.
function acts.kill_drainer_at_work(trial)
  trial:be_late("work", 1.4 * trial.lease)
  local name = trial:await_head("a request that waits", is_work).name
  trial:note "requests carried out after the lease of a drainer that was killed"
  kill_drainer(trial, name)
  trial:await_head("further requests", is_head, 2)
end

--- It is stopped while it sends, for longer than its lease. When it goes on, another one has sent what is newer.
function acts.stop_drainer(trial)
  trial:be_late("body", trial.lease)
  local name = trial:await_head("a request that is not read", function(head)
    return head.word == "body"
  end).name
  trial:note "drainers stopped beyond their lease"
  trial.drainers:signal(name, "STOP")
  trial:await_head("requests of another drainer", is_of_other(name), 3)
  trial.drainers:signal(name, "CONT")
  trial:pass(trial.lease / 2)
end

--- It is killed, and the next one stopped at its first request, which is a large one.
function acts.stop_the_next_drainer(trial)
  acts.kill_drainer(trial)
  acts.stop_drainer(trial)
end

--- A worker of a node is killed.
function acts.kill_worker(trial)
  local node, number = trial.nodes[trial.roll(#trial.nodes)], trial.roll(2)
  trial:await("a worker", function()
    return node:kill_worker(number)
  end)
  trial:note "workers killed"
end

--- A node is killed, and comes again.
function acts.kill_node(trial)
  local node = trial.nodes[trial.roll(#trial.nodes)]
  node:kill()
  trial:note "nodes killed"
  trial:pass(trial.roll(100) / 100)
  node:start()
end

-- Kills Redis. With `seconds` the end of its log is gone, as if it had been in no disk yet.
local function kill_redis(trial, seconds)
  trial.redis:stop "KILL"
  local at = core.now()
  if seconds then
    local bytes = trial.appends:cut(at, seconds)
    trial.bytes_cut = trial.bytes_cut + bytes
  end
  trial:note(seconds and "kills of Redis whose log lost its last second" or "kills of Redis")
end

local function restart_redis(trial)
  trial.redis:restart()
  trial:await_head("a request after Redis is back", is_head)
end

--- Redis is killed.
function acts.kill_redis(trial)
  kill_redis(trial)
  trial:pass(trial.roll(100) / 100)
  restart_redis(trial)
end

--- Redis is killed, and what it has written in the last second is not there any more.
function acts.cut_redis(trial)
  trial:pass(1.2) -- the log has been looked at for as long
  kill_redis(trial, 1)
  restart_redis(trial)
end

--- The same, where a drainer waits for an answer: the lease under which it sends is shorter than it knows. The service
--- carries its request out less than a lease after the drainer has given it up.
function acts.cut_redis_at_work(trial)
  trial:be_late("work", 1.85 * trial.lease)
  trial:await_head("a request that waits", is_work)
  kill_redis(trial, 1)
  restart_redis(trial)
  trial:await_head("further requests", is_head, 2)
end

--- While Redis is away a worker is killed: its files are another one's to append.
function acts.kill_worker_without_redis(trial)
  kill_redis(trial)
  trial:pass(1)
  acts.kill_worker(trial)
  trial:pass(0.5)
  restart_redis(trial)
end

-- How often Redis has refused something because it was full.
local function refusals(trial)
  local connection = trial.redis:open()
  local text = assert(connection:call("INFO", "errorstats"))
  connection:close()
  return tonumber(text:match "errorstat_OOM:count=(%d+)") or 0
end

--- Redis gets full while nobody drains. The drainer that had the lease is killed, and the other one takes over.
function acts.kill_drainer_of_full_redis(trial)
  local name, before = trial:await_head("a request", is_head).name, refusals(trial)
  trial.drainers:signal_all "STOP"
  trial:await("a full Redis", function()
    return refusals(trial) > before
  end)
  trial:note "times Redis was full, and the drainer killed"
  trial.drainers:kill(name, trial.lease)
  trial.drainers:signal_all "CONT"
  trial:await_head("requests of the next drainer", is_of_other(name), 2)
end

return acts
