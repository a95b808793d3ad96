--- What is looked at before a night sends, and before it removes anybody: each of its audiences.
local night_guard = require "scope3.job.night_guard"
local service_view = require "scope3.job.service_view"

local night_checks = {}

--- How many of each audience leave, where nobody may be removed: then none of any audience is.
---@param mirror scope3.MirrorJob
---@return scope3.Error?  kind "guard"; nil where all may
function night_checks.guard_problem(mirror)
  if mirror.opts.mode ~= "mirror" then
    return nil
  end
  local counts, builder, several = mirror.night.core:counts(), mirror.rows.builder, #mirror.audiences > 1
  for i, audience in ipairs(mirror.audiences) do
    local of = counts[i]
    local err = night_guard.problem({
      before = of.before, leavers = of.leavers - of.leavers_excluded, rejected = of.leavers_rejected,
      rows = builder:counts().rows, taken = several and builder:wanted(i) or counts.rows,
      unusable = mirror.unusable, unusable_before = mirror.unusable_before,
      blank = mirror.blank.first, blank_others = mirror.blank.others, files = mirror.blank.count,
      sent = #mirror.work.result.requests > 0, audience = several and audience.id or nil,
    }, mirror.opts)
    if err then
      return err
    end
  end
end

--- Whether the service has what the state says. It is not asked where the state knows of nobody there. Whoever only may
--- be there, because a request had no end, is sent again. An audience that this request was to make is made then.
---@param mirror scope3.MirrorJob
---@return scope3.Error?
function night_checks.service_problem(mirror)
  local seen, some, counts = {}, false, mirror.night.core:counts()
  for i in ipairs(mirror.audiences) do
    local of = counts[i]
    some = some or of.known > 0
    seen[i] = { known = of.known, is_settled = of.under_way + of.deferred == 0 }
  end
  if not some or mirror.opts.dry_run or mirror.opts.full then
    return nil
  end
  return service_view.problem(mirror.context, mirror.work.result, seen, mirror.work:limits())
end

return night_checks
