-- One simulation from its seed to its verdict.
local core = require "spec.simulation.install"

local checks = require "spec.simulation.checks"
local doubts = require "spec.simulation.doubts"
local lineage = require "spec.simulation.lineage"
local neighbour = require "spec.simulation.neighbour"
local order = require "spec.simulation.order"
local plan_of = require "spec.simulation.plan"
local program = require "spec.simulation.program"
require "spec.simulation.probe"
local rows = require "spec.simulation.rows"
local scope3 = require "scope3"
local store = require "spec.simulation.store"
local world_of = require "spec.simulation.world"

local DAYS = 4 * 86400 -- after which nothing that was sent can still take effect

local simulate = {}

-- Puts the members of an audience into the service before anything begins.
local function populate(world, audience)
  local state = world.service.instance.state
  local made = state:audience("25", audience.id)
  made.status = "READY"
  for id, hash in pairs(audience.before) do
    made.members[id], made.count = hash .. " - -", made.count + 1
  end
end

-- Whether a text of an event names nobody. Most texts come again and again.
local function is_clean(world, text)
  local known = world.clean_texts
  if known[text] == nil then
    known[text] = not checks.names_somebody(text)
  end
  return known[text]
end

-- What a job tells its user: each event is noted, and may be the last thing that its program does.
local function listener_of(world, job)
  return function(event)
    job.events = job.events + 1
    world:log("event: job %d %s %s", job.number, event.event, tostring(event.request or event.status))
    for _, value in pairs(event) do
      if type(value) == "string" and not is_clean(world, value) then
        world:fail(("an event %s names somebody"):format(event.event))
      end
    end
    if job.events == job.raises_at then
      job.raises_at = nil
      error "the listener fails"
    end
    if event.event == job.kills_at_first then
      job.kills_at_first = nil
      world:die()
    elseif job.events == job.kills_at then
      job.events, job.kills_at = 0, table.remove(job.kills)
      world:die()
    end
  end
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Changes the key now and then: the service takes the last one only.
local function change_keys(world, plan)
  local number = 1
  function world.key_now()
    return "sim_key_" .. number
  end
  for _, at in ipairs(plan.key_changes) do
    world.events:at(at, function()
      number = number + 1
      world.service.instance.config.keys = { world.key_now() }
    end)
  end
end

-- Starts the programs of the plan.
local function start_jobs(world, plan, folder)
  local limiter = plan.shares_limiter and scope3.limiter() or nil
  local shared_store = plan.neighbour and store.new()
  for _, job in ipairs(plan.jobs) do
    job.events, job.runs, job.deaths = 0, 0, 0
    job.kills_at = job.kills and table.remove(job.kills)
    job.on_event, job.limiter, job.store = listener_of(world, job), limiter, shared_store
    job.opts.journal, job.opts.on_event = job.journal, job.on_event
    if job.kind == "member" or job.kind == "map" then
      job.file = folder .. "/rows" .. job.number .. ".csv"
      write_file(job.file, rows.csv(job.audiences[1].operations))
    end
    function job.next_start()
      return world.turn_dice:time(2, 3600)
    end
    program.start(world, job, job.starts_at)
  end
  if plan.neighbour then
    neighbour.start(world, plan.neighbour, shared_store)
  end
end

-- Notes what the service takes, and when requests leave, for the checks.
local function watch(world)
  world.launches, world.tasks_of_body, world.possible, world.shared = {}, {}, {}, {}
  local plain = {}
  for _, job in ipairs(world.plan.jobs) do
    plain[job.audiences[1].id] = job.is_plain or job.audiences[1].twin ~= nil
  end
  local follow = order.listener(world, plain)
  function world.listener(record)
    follow(record)
    local body = record.transfer.body
    world.tasks_of_body[body] = world.tasks_of_body[body] or {}
    table.insert(world.tasks_of_body[body], record)
  end
end

-- Takes a member out of an audience behind the client's back: what the checks are to notice.
local function lose_a_member(world)
  for _, job in ipairs(world.plan.jobs) do
    for _, audience in ipairs(job.audiences) do
      local members = world.service.instance.state:account("25").by_id[audience.id]
      local id = members and next(members.members)
      if id then
        members.members[id] = nil
        return
      end
    end
  end
end

local function check_job(world, job)
  if not job.ended then
    return world:fail(("job %d did not end"):format(job.number))
  end
  if job.result then
    checks.sums(world, job)
    checks.requests(world, job)
    checks.quarantine(world, job)
    lineage.check(world, job)
    doubts.check(world, job)
  end
  for _, audience in ipairs(job.audiences) do
    checks.audience(world, job, audience)
  end
  checks.strangers(world, job)
  checks.texts(world, job)
  if world.profile.kind ~= "unlimited" then
    checks.all_arrived(world, job)
  end
end

--- Runs one. Gives the world as it was at the end, with its failures.
function simulate.run(seed, folder, trace)
  local plan = plan_of.of(seed, trace)
  local world = world_of.new(seed, plan)
  watch(world)
  for _, audience in ipairs(plan.before) do
    populate(world, audience)
  end
  change_keys(world, plan)
  start_jobs(world, plan, folder)
  world:run()
  world.ended_at = world.now
  if not world.failures[1] then
    world:advance(world.now + DAYS)
    world.service:settle()
    if simulate.is_broken then
      lose_a_member(world)
    end
    for _, job in ipairs(plan.jobs) do
      check_job(world, job)
    end
    world.rates:check()
    checks.nothing_left(world)
  end
  return world
end

simulate.core = core

return simulate
