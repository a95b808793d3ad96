-- What has to be true after a job, whatever went wrong: safety. And where the faults were few: liveness.
local earlier_runs = require "spec.simulation.earlier_runs"
local engines = require "scope3.http.engines"
local rows = require "spec.simulation.rows"
local twins = require "spec.simulation.twins"
local world_of = require "spec.simulation.world"

local checks = {}

local function sum(counts)
  local n = 0
  for _, one in pairs(counts) do
    n = n + one
  end
  return n
end

-- --- counts ----------------------------------------------------------------------------------------------------------

-- Members by what the entries of requests say.
local function members_by_state(res)
  local by = { accepted = 0, failed = 0, unknown = 0 }
  for _, entry in ipairs(res.requests) do
    local state = entry.state
    if state == "accepted" or state == "completed" then
      by.accepted = by.accepted + entry.members
    elseif state == "unknown" then
      by.unknown = by.unknown + entry.members
    elseif state == "partly failed" then
      by.accepted = by.accepted + entry.members - entry.failed
      by.failed = by.failed + (entry.sent_again and 0 or entry.failed)
    elseif (state == "failed" or state == "not sent") and not entry.sent_again then
      by.failed = by.failed + entry.members
    end
  end
  return by
end

-- The ids of an audience by the rows of their operations.
local function ids_by_row(audience)
  local ids = {}
  for _, one in ipairs(audience.operations) do
    ids[one.row] = one.id
  end
  return ids
end

--- Only members that the service refuses are set aside.
function checks.quarantine(world, job)
  local ids, refused = ids_by_row(job.audiences[1]), {}
  for _, id in ipairs(world.plan.service.refuse or {}) do
    refused[id] = true
  end
  for _, member in ipairs(#job.audiences == 1 and job.result.quarantine or {}) do
    if not refused[ids[member.row]] and not world.faults["service: echo 400"] then
      world:fail(("row %d was set aside, and nothing is wrong with it"):format(member.row))
    end
  end
end

--- Each row and each member is in exactly one count.
function checks.sums(world, job)
  local res = job.result
  local rest = res.accepted + res.replaced + res.rejected_by_service + res.failed + res.unknown
  if res.members ~= rest then
    world:fail(("members built %d, accounted for %d"):format(res.members, rest))
  end
  local used = res.rows - res.skipped - sum(res.rejected)
  if used ~= res.members then
    world:fail(("rows that gave members %d, members built %d"):format(used, res.members))
  end
  local by = members_by_state(res)
  for state, n in pairs(by) do
    if res[state] ~= n then
      world:fail(("%s: the result says %d, its requests %d"):format(state, res[state], n))
    end
  end
end

-- --- requests against what was done ----------------------------------------------------------------------------------

-- The tasks that the service made of a request's attempts.
local function tasks_of(world, launch)
  return launch and world.tasks_of_body[launch.body or ""] or {}
end

-- Whether one of the requests that went instead of an entry says that it may have been carried out twice, or is lost.
local function says_so(res, entry)
  for i = entry.request + 1, #res.requests do
    local other = res.requests[i]
    local is_part = other.epoch == entry.epoch and other.rows and other.rows.first >= entry.rows.first
      and other.rows.last <= entry.rows.last
    if is_part and (other.possibly_twice or other.state ~= "completed" and other.state ~= "accepted") then
      return true
    end
  end
  return false
end

-- What is wrong with what the result says of a request that was not carried out. One that was refused may have been
-- taken before, where the service changes its mind.
local function check_undone(res, entry, tasks)
  local state = entry.state
  if #tasks > 0 and (state == "not sent" or state == "split" and not says_so(res, entry)) then
    return ("request %d counts as %s, and the service took it"):format(entry.request, state)
  end
end

local function check_entry(world, res, entry, tasks)
  local named = entry.task_id and world.service.accepted[entry.task_id]
  if entry.task_id and not named then
    return ("request %d names a task that the service does not know"):format(entry.request)
  elseif entry.state == "completed" and named.task.status ~= "completed" then
    return ("request %d counts as completed, and its task is %s"):format(entry.request, named.task.status)
  elseif entry.state == "completed" and #named.operations ~= entry.members then
    return ("request %d has %d members, and the service got %d"):format(entry.request, entry.members,
      #named.operations)
  elseif entry.state == "partly failed" and entry.failed ~= #named.refused then
    return ("%d members of request %d count as failed, and the service refused %d"):format(entry.failed,
      entry.request, #named.refused)
  elseif entry.state == "completed" and #tasks > 1 and not entry.possibly_twice then
    return ("request %d was carried out %d times, and nobody says so"):format(entry.request, #tasks)
  elseif entry.state == "failed" and named and named.task.status == "completed" then
    return ("request %d counts as failed, and its task completed"):format(entry.request)
  elseif entry.state == "failed" and not named and #tasks > 0 then
    return ("request %d counts as failed, and the service took it"):format(entry.request)
  end
  return check_undone(res, entry, tasks)
end

--- What the result says of each request is compared with what the service did.
function checks.requests(world, job)
  for _, entry in ipairs(job.result.requests) do
    local launch = world.launches[entry]
    local problem = check_entry(world, job.result, entry, tasks_of(world, launch))
    if problem then
      world:fail(problem)
    end
  end
end

-- --- audiences -------------------------------------------------------------------------------------------------------

-- The last operation of each id among the rows that were read.
local function last_operations(audience, res)
  local last = {}
  for _, one in ipairs(audience.operations) do
    if not one.invalid and (not res or one.row <= res.rows or #res.audiences > 1) then
      last[one.id] = one
    end
  end
  return last
end

-- The rows that the result says were carried out: by hash those that add, and by id the last one that removes.
local function carried_out(world, audience, res)
  local added, removed = {}, {}
  for _, entry in ipairs(res.requests) do
    local is_done = entry.state == "completed" or entry.state == "partly failed"
    local record = is_done and world.service.accepted[entry.task_id]
    for _, one in ipairs(record and record.operations or {}) do
      if one.audience == audience.id and one.hash then
        added[one.hash] = true
      elseif one.audience == audience.id then
        removed[one.id] = math.max(removed[one.id] or 0, entry.rows.last)
      end
    end
  end
  return added, removed
end

local function add_values(values, operations)
  for _, one in ipairs(operations) do
    values[one.id] = values[one.id] or {}
    values[one.id][one.hash or "none"] = true
  end
end

-- The values that an id may have where nothing is sure: what was before, and what any of its rows means.
local function possible_values(audience)
  local values = {}
  for id, hash in pairs(audience.before or {}) do
    values[id] = { [hash] = true }
  end
  add_values(values, audience.operations)
  add_values(values, audience.twin and audience.twin.operations or {})
  return values
end

-- Whether the result names a row as one that was not carried out.
local function is_named(res, row)
  for _, member in ipairs(res.quarantine) do
    if member.row == row then
      return true
    end
  end
  for _, entry in ipairs(res.requests) do
    local range = entry.rows
    local lost = entry.state ~= "completed" and entry.state ~= "split" and entry.state ~= "refused"
    if lost and range and row >= range.first and row <= range.last then
      return true
    end
  end
  return false
end

-- Whether others than the rows that a job read may have given a member what it has.
local function came_from_others(world, job, audience, last, actual)
  return twins.has(audience, last.id) or earlier_runs.went_further(world, job, audience, last, actual)
end

local function check_id(world, job, audience, last, actual, sure)
  local id, res = last.id, job.result
  if sure and actual ~= last.hash and not came_from_others(world, job, audience, last, actual) then
    world:fail(("audience %s, row %d (%s): carried out, and there is %s"):format(audience.id, last.row,
      last.hash and "add" or "remove", actual and "row " .. rows.row_of(actual) or "nothing"))
  elseif not sure and res and not is_named(res, last.row) then
    world:fail(("audience %s, row %d: not carried out, and no request says so"):format(audience.id, last.row))
  end
  local values = world.possible[audience.id][id]
  if actual and not values[actual] then
    world:fail(("audience %s has a value for %s that nobody gave it"):format(audience.id, id))
  elseif not actual and (audience.before or {})[id] and not values.none then
    world:fail(("audience %s has lost %s, which nobody removed"):format(audience.id, id))
  end
end

--- The audience is what its rows meant, for each row that the result says was carried out.
function checks.audience(world, job, audience)
  local res, actual = job.result, world.service:members(audience.id)
  world.possible[audience.id] = possible_values(audience)
  local added, removed = {}, {}
  if res then
    added, removed = carried_out(world, audience, res)
  end
  for id, last in pairs(last_operations(audience, res)) do
    local sure
    if last.hash then
      sure = added[last.hash]
    else
      sure = (removed[id] or 0) >= last.row
    end
    check_id(world, job, audience, last, actual[id], sure)
  end
  for id, hash in pairs(actual) do
    local values = world.possible[audience.id][id]
    if not values or not values[hash] then
      world:fail(("audience %s has a member that nobody added"):format(audience.id))
    end
  end
end

-- --- deletion --------------------------------------------------------------------------------------------------------

local function names_all(named, audiences)
  local set = {}
  for _, id in ipairs(named ~= "all" and named or {}) do
    set[id] = true
  end
  for _, audience in ipairs(audiences) do
    if named ~= "all" and #audience.operations == 0 and not set[audience.id] then
      return false
    end
  end
  return true
end

-- Whether a run of the job may have come to what it deletes: one that lost nothing, or whose end nobody knows.
local function may_have_deleted(job)
  local res = job.result
  return job.was_whole or not res and job.deaths > 0
end

--- Other audiences are deleted only where the job was told to, named them all, and lost nothing. Where it says that it
--- deleted them, they are.
function checks.strangers(world, job)
  local named, res, account = job.opts.delete_missing, job.result, world.service.instance.state:account "25"
  for _, audience in ipairs(world.plan.before) do
    local is_deleted = account.by_id[audience.id].deleted
    local is_stranger = #audience.operations == 0
    if is_deleted and not (is_stranger and named and names_all(named, world.plan.before)) then
      world:fail(("the audience %s is deleted, and nobody said so"):format(audience.id))
    elseif is_deleted and not may_have_deleted(job) then
      world:fail(("the audience %s is deleted by a job that lost members"):format(audience.id))
    elseif is_stranger and not is_deleted and res and res.deleted and not job.err then
      world:fail(("the audience %s is said to be deleted, and is there"):format(audience.id))
    end
  end
end

-- --- people ----------------------------------------------------------------------------------------------------------

--- Whether a text holds an id or a hash of somebody, or the key.
function checks.names_somebody(text)
  return text:find(rows.HASH_MARK, 1, true) or text:find(rows.ID_MARK) or text:find("sim_key_", 1, true)
end

--- No text of a job names anybody.
function checks.texts(world, job)
  local texts = { journal = job.journal and world.disk:text(job.journal), error = job.err and job.err.message,
    result = job.result and job.result:json() }
  for what, text in pairs(texts) do
    if checks.names_somebody(text) then
      world:fail(("the %s of job %d names somebody"):format(what, job.number))
    end
  end
end

-- --- the end ---------------------------------------------------------------------------------------------------------

--- Nobody waits for a request any more, and none is kept.
function checks.nothing_left(world)
  local calls = engines.get(world_of.loop).calls
  if world.network.count > 0 or next(calls) ~= nil then
    world:fail(("%d requests are left, and nobody waits for them"):format(world.network.count))
  end
end

-- --- liveness --------------------------------------------------------------------------------------------------------

-- Whether the task of a copy that nobody follows may have failed. Its audience is ERROR then, whatever the job did.
local function may_be_of_a_copy(job)
  return job.err.code == "audience_error" and job.result ~= nil and job.result.possibly_twice > 0
end

-- Whether the service's limit was used up by clients that do not share a limiter. They may take each place that comes
-- free from each other, until one has been refused eight times.
local function lost_its_places(world, job)
  return job.err.status == 429 and not (job.limiter or job.store) and world.plan.service.rate_limit ~= nil
    and #world.plan.jobs > 1
end

--- Where faults were few everything has arrived.
function checks.all_arrived(world, job)
  local res = job.result
  if job.err and (may_be_of_a_copy(job) or lost_its_places(world, job)) then
    return
  elseif job.err then
    world:fail(("job %d failed, although the faults were few: %s"):format(job.number, tostring(job.err)))
  elseif res.failed + res.unknown > 0 or res.rejected_by_service > 0 and not world.plan.service.refuse then
    world:fail(("job %d: %d failed, %d unknown, although the faults were few"):format(job.number, res.failed,
      res.unknown))
  end
end

return checks
