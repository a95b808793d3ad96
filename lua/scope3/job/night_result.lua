--- What a night came to: the difference that its result tells, and the counts that the state keeps.
local entries = require "scope3.util.entries"
local result = require "scope3.result"

local night_result = {}

---@class scope3.MirrorDifference  people, but for `rows` and `replaced`
---@field mode "mirror"|"upsert"|"remove"
---@field night? integer  its number; none in a dry run
---@field rows integer  that were compared
---@field replaced integer  of these, rows that a later one of the same id replaced
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

local NAMES = { "added", "changed", "unchanged", "deferred", "under_way", "rejected_before", "excluded", "kept",
  "not_there" }

--- The difference that a night found.
---@param mirror scope3.MirrorJob
---@return scope3.MirrorDifference
function night_result.difference(mirror)
  local night, rows, is_dry = mirror.night.core, mirror.rows, mirror.opts.dry_run
  local all, built = night:counts(), rows.builder:built()
  local of = all[1]
  local told = {
    mode = mirror.opts.mode, night = mirror.run > 0 and mirror.run or nil, rows = all.rows, replaced = all.replaced,
    before = of.before, noted = built.note, sent_again = built.add_again + built.remove_again,
    removed = is_dry and not mirror.held_back and of.leavers or rows.removals, held_back = mirror.held_back,
    removed_excluded = not mirror.held_back and of.leavers_excluded or 0,
    to_remove = is_dry and not mirror.held_back and 0
      or math.max(0, of.leavers - (rows.removals - built.remove_again)),
    samples = is_dry and night:samples()[1] or nil,
  }
  for _, name in ipairs(NAMES) do
    told[name] = of[name] or 0
  end
  -- Those whose rows come to another member than the one that is open.
  told.under_way, told.deferred = told.under_way - built.deferred, told.deferred + built.deferred
  return told
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
  local row = res.audience -- as it was before the night
  kept.night, kept.failed, kept.unusable = nil, err and 1 or nil, unusable
  kept.accepted, kept.sent_bytes, kept.seconds = res.accepted, res.bytes_sent, work.seconds()
  kept.uploaded, kept.matched = row.total_uploaded_count or row.uploaded_count, row.matched_count
  return kept
end

return night_result
