--- What a night came to: the difference that its result tells, and the counts that the state keeps.
local entries = require "scope3.util.entries"
local plural = require "scope3.util.plural"
local result = require "scope3.result"

local night_result = {}

---@class scope3.AudienceDifference  people, but for `rows`; where a row gives several members, those
---@field rows integer  that were compared
---@field before integer  who was in the audience, as the state has it
---@field added integer
---@field changed integer
---@field unchanged integer
---@field noted integer  of `changed`: who comes out as before, so nothing is sent
---@field removed integer
---@field removed_excluded integer  of `removed`: who is excluded
---@field held_back? integer  who would have been removed, had a guard not refused it
---@field to_remove integer  who leaves, and was not begun to be removed: a guard or a failure came before
---@field rejected_before integer
---@field deferred integer
---@field under_way integer
---@field sent_again integer  of `under_way`: sent once more, because an earlier night knows of no task
---@field excluded integer  who has a row, was not in the audience, and is excluded
---@field kept integer
---@field not_there integer
---@field samples? table<string, {row: integer, file: integer, line: integer?}[]>  of a dry run
---@field audience_id? string  where there are several audiences

---@class scope3.MirrorDifference: scope3.AudienceDifference  where there are several audiences, the counts of all
---  together: who is in two counts twice. Samples are then those of each
---@field mode "mirror"|"upsert"|"remove"
---@field night? integer  its number; none in a dry run
---@field replaced integer  of `rows`, those that a later one of the same id replaced
---@field audiences? scope3.AudienceDifference[]  where there are several

local NAMES = { "added", "changed", "unchanged", "deferred", "under_way", "rejected_before", "excluded", "kept",
  "not_there" }

-- Who leaves an audience: removed, still to be removed, and held back by a guard.
local function leavers_of(mirror, of, removals, again)
  if mirror.is_held_back then
    return { removed = removals, removed_excluded = 0, to_remove = of.leavers - (removals - again),
      held_back = of.leavers }
  elseif mirror.opts.dry_run then
    return { removed = of.leavers, removed_excluded = of.leavers_excluded, to_remove = 0 }
  end
  return { removed = removals, removed_excluded = of.leavers_excluded,
    to_remove = math.max(0, of.leavers - (removals - again)) }
end

-- What a night found of one audience.
local function of_audience(mirror, i, of)
  local rows = mirror.rows
  local built = rows.builder:built(i)
  local found = leavers_of(mirror, of, rows.removals[i], built.remove_again)
  found.before, found.noted, found.sent_again = of.before, built.note, built.add_again + built.remove_again
  found.samples = mirror.opts.dry_run and mirror.night.core:samples()[i] or nil
  if #mirror.audiences > 1 then
    found.audience_id, found.rows = mirror.audiences[i].id, rows.builder:wanted(i)
  end
  for _, name in ipairs(NAMES) do
    found[name] = of[name] or 0
  end
  -- Those whose rows come to another member than the one that is open.
  found.under_way, found.deferred = found.under_way - built.deferred, found.deferred + built.deferred
  return found
end

--- Rows and lines of an input of which nobody knows whose they are.
---@param res scope3.Result
---@param counts table  of the builder that surveyed it
---@return integer
function night_result.unusable(res, counts)
  local n = res.swallowed_lines
  for _, of_reason in entries(counts.rejected) do
    n = n + of_reason
  end
  for _, of_reason in entries(counts.reasons) do
    n = n + of_reason
  end
  return n
end

--- The same of the last night that looked at its whole input.
---@param store scope3.MirrorStore
---@return integer?
---@return scope3.Error? err
function night_result.unusable_before(store)
  local runs, err = store:runs()
  if not runs then
    return nil, err
  end
  for i = #runs, 1, -1 do
    local n = runs[i].counts and runs[i].counts.unusable
    if type(n) == "number" and not runs[i].counts.failed then
      return n
    end
  end
  return 0
end

--- Warns where the cells of the state come from other rules than those of this night: none of them compares as equal.
---@param res scope3.Result
---@param store scope3.MirrorStore
function night_result.warn_of_rules(res, store)
  if store.changed then
    result.warn(res, "rules_changed", "the map, the region or the identity rules have changed since the last run of "
      .. "the state: every row was looked at anew, and is sent where its member comes out different")
  end
end

--- Warns of tasks of earlier nights that wait for a person: their members are deferred, which needs nobody otherwise.
---@param res scope3.Result
---@param waiting string[]  their ids
function night_result.warn_of_waiting(res, waiting)
  if waiting[1] then
    result.warn(res, "needs_action", ("%s of earlier runs %s for a person at the service, the first is %s: nothing "
      .. "else is sent of their members before they end, for 72 hours at most"):format(
      plural.of(#waiting, "task"), plural.words(#waiting, "waits", "wait"), waiting[1]),
      { tasks = #waiting, task_id = waiting[1] })
  end
end

-- The counts of several audiences together.
local function sum_of(list)
  local sum = {}
  for _, told in ipairs(list) do
    for key, value in entries(told) do
      sum[key] = type(value) == "number" and (sum[key] or 0) + value or nil
    end
  end
  sum.audiences = list
  return sum
end

--- The difference that a night found.
---@param mirror scope3.MirrorJob
---@return scope3.MirrorDifference
function night_result.difference(mirror)
  local all, list = mirror.night.core:counts(), {}
  for i in ipairs(mirror.audiences) do
    list[i] = of_audience(mirror, i, all[i])
  end
  local told = list[2] and sum_of(list) or list[1]
  told.mode, told.night = mirror.opts.mode, mirror.run > 0 and mirror.run or nil
  told.rows, told.replaced = all.rows, all.replaced
  return told
end

-- What a service says of all audiences together; nil where it says nothing of one.
local function said_of(audiences, name, other)
  local sum = 0
  for _, row in ipairs(audiences) do
    local n = row[name] or row[other]
    sum = sum and type(n) == "number" and sum + n or nil
  end
  return sum
end

--- What the state keeps of a night: plain numbers, and nothing of people.
---@param work scope3.Job
---@param unusable? integer  nil where the input was not read to its end
---@param err? scope3.Error  that ended it
---@return table<string, number>
function night_result.counts(work, unusable, err)
  local kept, res = {}, work.result
  for key, value in entries(res.mirror or {}) do
    if type(value) == "number" then
      kept[key] = value
    end
  end
  kept.night, kept.failed, kept.unusable = nil, err and 1 or nil, unusable
  kept.accepted, kept.sent_bytes, kept.seconds = res.accepted, res.bytes_sent, work.seconds()
  -- As it was before the night.
  kept.uploaded = said_of(res.audiences, "total_uploaded_count", "uploaded_count")
  kept.matched = said_of(res.audiences, "matched_count")
  return kept
end

return night_result
