-- A program that uses the library for one job of a plan, in a coroutine of its own: as users write them.
local rows = require "spec.simulation.rows"
local scope3 = require "scope3"
local world_of = require "spec.simulation.world"

local program = {}

local MOST_RUNS = 12 -- of one job with its journal, in all of its lives, before it has to have come to its end
local MOST_WAITS = 2 -- of 60 hours, which a task that never ends outlasts
local HOUR = 3600

--- The client of a job. With a store each run has a limiter of its own over it, as processes have.
function program.client_of(world, job)
  local process, shares = world:process(), job.limiter or job.store
  process.has_been_answered, process.client = nil, world.rates:client(job.rate, shares and world.shared)
  return assert(scope3.client {
    api_key = job.follows_key and world.key_now or world.key_now(), account_id = "25",
    base_url = "http://127.0.0.1:9", rate = job.rate, loop = world_of.loop,
    limiter = job.limiter or scope3.limiter(job.store), on_event = job.on_event,
  })
end

local runners = {}

local function run_file(script)
  return function(client, job)
    script.audience, script.max_members = job.audiences[1].id, job.opts.max_members
    return client:run(script, job.file, job.opts)
  end
end

runners.member = run_file { member = rows.read }
runners.map = run_file { map = { external_id = "id", hashed_email = "hash" } }

function runners.iterator(client, job)
  local operations, i = job.audiences[1].operations, 0
  return client:run({ audience = job.audiences[1].id, member = rows.read }, function()
    i = i + 1
    assert(i ~= job.input_raises_at, "the input fails")
    local one = operations[i]
    return one and { id = one.invalid and "" or one.id, hash = one.hash or "" }
  end, job.opts)
end

function runners.stream(client, job)
  local stream, err = client:stream(job.audiences[1].id, job.opts)
  if not stream then
    return nil, err
  end
  for _, one in ipairs(job.audiences[1].operations) do
    local ok, why = stream[one.hash and "add" or "remove"](stream, rows.member_of(one))
    if not ok and why.kind ~= "invalid" then
      break
    end
  end
  return stream:finish()
end

function runners.sync(client, job)
  local list = {}
  for i, audience in ipairs(job.audiences) do
    local made = assert(scope3.audience { id = audience.id })
    for _, one in ipairs(audience.operations) do
      made[one.hash and "add" or "remove"](made, rows.member_of(one))
    end
    list[i] = made
  end
  return client:sync(list, job.opts)
end

-- Runs the job once, and waits for its tasks.
local function run_once(world, job)
  local client = program.client_of(world, job)
  world:run_begins()
  job.run_began = world.now
  local res, err = runners[job.kind](client, job)
  if res then
    local _
    _, err = res:wait { on_event = job.on_event, timeout = 60 * HOUR }
    if job.syndicates then
      world:process().may_be_done = nil
      client:syndicate { audience_id = job.audiences[1].id, adcp_agent_ids = { "7" } }
    end
  end
  return res or err.result, err
end

-- Whether another run of the same journal cannot change anything.
local function is_final(err)
  return not err or err.kind == "task_failed" and not err.retryable or err.code == "in_doubt"
end

local function waited_in_vain(err)
  return err ~= nil and err.kind == "timeout" and err.message:find("the time to wait is over", 1, true) ~= nil
end

local function main(world, job)
  return function()
    local res, err
    local waits = 0
    while true do
      res, err = run_once(world, job)
      job.runs, job.was_whole = job.runs + 1, job.was_whole or res ~= nil and res.failed + res.unknown == 0
      world:log("run ends: %s", tostring(err))
      waits = waits + (waited_in_vain(err) and 1 or 0)
      if is_final(err) or waits == MOST_WAITS or job.runs >= (job.journal and MOST_RUNS or 1) then
        break
      end
      coroutine.yield(world.now + 10)
    end
    job.result, job.err, job.ended = res, err, true
  end
end

--- Starts a job. One that is killed starts again a while later.
function program.start(world, job, after)
  local started = world:start(function()
    coroutine.yield(world.now + after)
    main(world, job)()
  end)
  started.job = job
  function started.on_death()
    job.deaths = job.deaths + 1
    program.start(world, job, job.next_start())
  end
end

return program
