--- What a night came to: the difference that its result tells, and the counts that the state keeps.
local entries = require "scope3.util.entries"

local night_result = {}

---@class scope3.AudienceDifference  people, but for `rows`
---@field rows integer  that were compared
---@field before integer  who was in the audience, as the state has it
---@field added integer
---@field changed integer
---@field unchanged integer
---@field noted integer  of `changed`: who comes out as before, so nothing is sent
---@field removed integer
---@field held_back? integer  who would have been removed, had a guard not refused it
---@field rejected_before integer
---@field deferred integer
---@field under_way integer
---@field sent_again integer  of `under_way`: sent once more, because an earlier night knows of no task
---@field excluded integer
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

-- What a night found of one audience.
local function of_audience(mirror, i, of)
  local rows, is_dry, several = mirror.rows, mirror.opts.dry_run, #mirror.audiences > 1
  local built = rows.builder:built(i)
  local told = {
    before = of.before, noted = built.note, sent_again = built.add_again + built.remove_again,
    removed = is_dry and not mirror.is_held_back and of.leavers or rows.removals[i],
    held_back = mirror.is_held_back and of.leavers or nil,
    samples = is_dry and mirror.night.core:samples()[i] or nil,
    audience_id = several and mirror.audiences[i].id or nil, rows = several and rows.builder:wanted(i) or nil,
  }
  for _, name in ipairs(NAMES) do
    told[name] = of[name] or 0
  end
  -- Those whose rows come to another member than the one that is open.
  told.under_way, told.deferred = told.under_way - built.deferred, told.deferred + built.deferred
  return told
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
  local sum = list[2] and sum_of(list) or list[1]
  sum.mode, sum.night = mirror.opts.mode, mirror.run > 0 and mirror.run or nil
  sum.rows, sum.replaced = all.rows, all.replaced
  return sum
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
---@param err? scope3.Error  that ended it
---@return table<string, number>
function night_result.counts(work, err)
  local kept, res = {}, work.result
  for key, value in entries(res.mirror or {}) do
    if type(value) == "number" then
      kept[key] = value
    end
  end
  kept.night, kept.failed = nil, err and 1 or nil
  kept.accepted, kept.sent_bytes, kept.seconds = res.accepted, res.bytes_sent, work.seconds()
  -- As it was before the night.
  kept.uploaded = said_of(res.audiences, "total_uploaded_count", "uploaded_count")
  kept.matched = said_of(res.audiences, "matched_count")
  return kept
end

return night_result
