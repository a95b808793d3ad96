-- Ways that grow at a service: a sandbox in a process of its own, which is not counted.
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local json = require "scope3.sandbox.json"
local limiter = require "scope3.http.limiter"
local memory = require "bench.costs.growth.memory"
local scope3 = require "scope3"
local world = require "spec.support.world"

local service = {}

local URL = os.getenv "COSTS_SANDBOX"

local function control(method, path, value)
  local result = world.http(method, URL .. "/sandbox/" .. path, json.encode(value))
  assert(result.status == 200, result.body or result.message)
end

-- A client of the sandbox, which has forgotten everything and has these settings.
local function fresh(settings, loop)
  control("POST", "reset", {})
  control("PUT", "config", settings or {})
  return assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = URL, rate = 1000000, limiter = limiter.new(),
    loop = loop,
  })
end

local function sync_audiences(deleted)
  return function(n)
    local client, list = fresh(), memory.audiences(n, deleted)
    return function()
      assert(client:sync(list))
    end
  end
end

-- An audience of n members. Long ids let few fill a request.
local function audience_of(n, length)
  local audience = assert(scope3.audience "crm")
  local long = ("x"):rep(length or 1)
  for i = 1, n do
    assert(audience:add { external_id = long .. i, email = "a@example.com" })
  end
  return audience
end

-- A service that takes a few members at once.
local function parts(n)
  local client, audience = fresh { max_body = 1100 }, audience_of(n, 200)
  return function()
    assert(client:sync(audience))
  end
end

local function requests(n)
  local client, audience = fresh(), audience_of(n)
  return function()
    assert(client:sync(audience, { max_members = 1 }))
  end
end

local function waited(result)
  return function()
    assert(result:wait { timeout = 600 })
  end
end

local function tasks(n)
  return waited(assert(fresh():sync(audience_of(n), { max_members = 1 })))
end

-- Tasks that fail once for a reason that passes.
local function resent(n)
  local outcomes = {}
  for i = 1, n do
    outcomes[i] = "failed:transient"
  end
  return waited(assert(fresh { task_outcomes = json.array(outcomes) }:sync(audience_of(n), { max_members = 1 })))
end

-- A job of many requests, and the same once more, which goes by the journal.
local function journaled(n)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[#lines + 1] = ("x%d,a@example.com"):format(i)
  end
  local client, rows, opts = fresh(), world.file(table.concat(lines, "\n"), ".csv"),
    { journal = world.path ".journal", max_members = 1 }
  return function()
    for _ = 1, 2 do
      local result = assert(client:run({ audience = "crm", map = { external_id = "id", email = "mail" } }, rows, opts))
      assert(result.accepted == n)
    end
  end
end

local function audiences_waited(n)
  return waited(assert(fresh():sync(memory.audiences(n))))
end

-- Rejections that list so many issues, until all members are found that the service refuses.
local function refused(n, listed)
  local ids = {}
  for i = 1, n do
    ids[i] = "x" .. i
  end
  local client, audience = fresh { refuse = json.array(ids), issues_listed = listed }, audience_of(n)
  assert(audience:add { external_id = "good", email = "a@example.com" })
  return function()
    local result = assert(client:sync(audience))
    assert(result.rejected_by_service == n, result.rejected_by_service)
  end
end

local function issues(n)
  return refused(n, n)
end

local function issues_cut(n)
  return refused(n, 20)
end

local function listed(n)
  local client = fresh()
  assert(client:sync(memory.audiences(n)))
  return function()
    local seen = 0
    for _ in client:audiences() do
      seen = seen + 1
    end
    assert(seen == n)
  end
end

-- Runs as many coroutines as there are tasks.
local function in_one_loop(run, list)
  local queue = cqueues.new()
  for _, one in ipairs(list) do
    queue:wrap(run, one)
  end
  assert(queue:loop())
end

local function sync_at_once(client, list)
  return function()
    in_one_loop(function(one)
      assert(client:sync(one))
    end, list)
  end
end

local function at_once(n)
  return sync_at_once(fresh(), memory.audiences(n))
end

local function at_once_to_one(n)
  local list = {}
  for i = 1, n do
    list[i] = audience_of(1)
  end
  return sync_at_once(fresh(), list)
end

-- A loop whose clock moves when it is told, and whose coroutines go on when they are told.
local function standing_loop()
  local loop, clock = { name = "standing", waiters = {} }, 0
  function loop.now()
    return clock
  end
  function loop.sleep(seconds)
    clock = clock + seconds
  end
  function loop.wait(_, _, waiter)
    loop.waiters[#loop.waiters + 1] = waiter
    coroutine.yield()
  end
  return loop
end

local HANGING = { faults = json.array { { on = "sync", act = "hang", times = -1 } } }

-- Requests that are on the wire, each of a coroutine of its own.
local function hanging(loop, n)
  local client, list, threads = fresh(HANGING, loop), memory.audiences(n), {}
  local stop = { said = false }
  for i, one in ipairs(list) do
    threads[i] = coroutine.create(function()
      return client:sync(one, { cancel = function()
        return stop.said
      end })
    end)
    assert(coroutine.resume(threads[i]))
  end
  return threads, stop
end

-- All are told to stop, and their grace ends.
local function cancelled(n)
  local loop = standing_loop()
  return function()
    local threads, stop = hanging(loop, n)
    stop.said = true
    for _, seconds in ipairs { 0, 3600 } do
      loop.sleep(seconds)
      for _, thread in ipairs(threads) do
        assert(coroutine.resume(thread))
      end
    end
    assert(coroutine.status(threads[n]) == "dead")
  end
end

-- The host drops all coroutines.
local function dropped(n)
  local loop = standing_loop()
  return function()
    hanging(loop, n)
    for _, waiter in ipairs(loop.waiters) do
      waiter:abandon()
    end
  end
end

-- Transfers that are cancelled, the oldest first. All but one wait for a connection, so that so many may be there.
local function withdrawn(n)
  return function()
    local engine, ids = curl.engine { max_host_connections = 1 }, {}
    for i = 1, n do
      ids[i] = assert(engine:submit { method = "GET", url = URL .. "/sandbox/config" })
    end
    for _, id in ipairs(ids) do
      assert(engine:cancel(id))
    end
    engine:close()
  end
end

service.WAYS = {
  { "audiences", 500, sync_audiences(false), "audiences of a client:sync" },
  { "audiences_waited", 250, audiences_waited, "audiences of a result that is waited for" },
  { "deletions", 500, sync_audiences(true), "deletions of a client:sync" },
  { "requests", 100, requests, "requests of a client:sync" },
  { "parts", 300, parts, "members of a request that is divided, to a few each" },
  { "tasks", 100, tasks, "tasks of a result that is waited for" },
  { "resent", 25, resent, "tasks that fail once, and whose members go again" },
  { "journaled", 100, journaled, "requests of a job with a journal, and as many of its resume" },
  { "issues", 200, issues, "members that a service refuses in one reply" },
  { "issues_cut", 200, issues_cut, "members that a service refuses in replies of 20 issues" },
  { "listed", 500, listed, "audiences of an account that are listed" },
  { "at_once", 50, at_once, "syncs at once in one loop" },
  { "at_once_to_one", 100, at_once_to_one, "syncs at once of one audience" },
  { "cancelled", 100, cancelled, "syncs at once that are cancelled" },
  { "dropped", 100, dropped, "syncs at once whose coroutines are dropped" },
  { "withdrawn", 500, withdrawn, "transfers of one engine that are cancelled, the oldest first" },
}

return service
