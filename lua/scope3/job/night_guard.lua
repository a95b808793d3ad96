--- Decides whether a night may remove those who leave. An export that broke must not empty an audience: what is
--- removed by mistake is sent again for days.
local errors = require "scope3.error"
local plural = require "scope3.util.plural"

local night_guard = {}

night_guard.MOST = 0.3 -- share of an audience that one night may remove, unless told otherwise

-- Of a share: what rounding makes of it. 0.57 of 100 is below 57, for a computer.
local ROUNDING = 1e-9

local UNUSABLE = 0.001 -- share of the audience: more rows than these that became unusable since the last night

local function refused(code, seen, message)
  return errors.new("guard", (seen.audience and "audience " .. seen.audience .. ": " or "") .. message,
    { code = code, audience_id = seen.audience })
end

local function percent(share)
  return ("%g%%"):format(math.floor(share * 1000 + 0.5) / 10)
end

-- Whether more people leave than a share of all.
local function is_over(seen, share)
  return seen.leavers > (share + ROUNDING) * seen.before
end

-- The least share in whole percent that allows all who would leave.
local function share_needed(seen)
  return math.ceil(seen.leavers / seen.before * 100 - ROUNDING) / 100
end

---@class scope3.NightLeavers
---@field before integer  people that the audience has
---@field leavers integer  of them, who leaves
---@field rejected integer  of the leavers, whose row gives no member
---@field rows integer  of the input
---@field taken integer  rows that were compared
---@field unusable integer  rows and lines of which nobody knows whose they are
---@field unusable_before integer  those of the last night
---@field blank? string  the first of several files that had no row
---@field blank_others? integer  how many had none beside it
---@field files? integer  of the input
---@field sent boolean  what is new or has changed was sent by now
---@field audience? string  its id, where there are several

-- What is told of an input that may have broken.
local function about_input(seen)
  if seen.rows == 0 then
    return "the input has no rows"
  elseif seen.taken == 0 then
    return ("none of %s could be taken"):format(plural.of(seen.rows, "row"))
  end
  local rejected = seen.rejected > 0 and ("%.0f of them %s a row that was rejected, and "):format(seen.rejected,
    plural.words(seen.rejected, "has", "have")) or ""
  return ("%sthe input has %s"):format(rejected, plural.of(seen.rows, "row"))
end

-- What was not done, and what was.
local function about_night(seen)
  return seen.sent and "Nobody was removed; what is new or has changed was sent"
    or "Nothing was sent, and nobody was removed"
end

-- Rows that nobody can read any more may be those of people who seem to be gone.
local function unusable_problem(seen)
  local more = seen.unusable - seen.unusable_before
  if seen.leavers > 0 and more > UNUSABLE * seen.before then
    return refused("rows_unusable", seen, ("%s could not be told whose %s, %.0f more than in the last night, and may "
      .. "be of the %s who would be removed. %s. If that is meant, allow it: "
      .. "remove_rejected = true (--remove-rejected)"):format(plural.of(seen.unusable, "row or line", "rows or lines"),
      plural.words(seen.unusable, "it is", "they are"), more, plural.of(seen.leavers, "person", "people"),
      about_night(seen)))
  end
end

-- Who seems to be gone may be in the rows that a file should have had.
local function blank_problem(seen, opts)
  if seen.leavers > 0 and seen.blank and not opts.allow_empty then
    local others = seen.blank_others > 0 and (" and %s"):format(plural.of(seen.blank_others, "other")) or ""
    return refused("file_without_rows", seen, ("%.0f of %s would be removed, and %s%s of %.0f files %s no rows: "
      .. "an export may have broken. %s. If that is meant, allow it: allow_empty = true (--allow-empty)"):format(
      seen.leavers, plural.of(seen.before, "member"), seen.blank, others, seen.files,
      plural.words(seen.blank_others + 1, "has", "have"), about_night(seen)))
  end
end

--- Why nobody may be removed; nil where all may.
---@param seen scope3.NightLeavers
---@param opts {max_removed: number?, remove_rejected: boolean?, allow_empty: boolean?}
---@return scope3.Error?  kind "guard"
function night_guard.problem(seen, opts)
  local most = opts.max_removed or night_guard.MOST
  local blank = blank_problem(seen, opts)
  if blank then
    return blank
  elseif is_over(seen, most) then
    local needed = share_needed(seen)
    return refused("too_many_leave", seen, ("%.0f of %s would be removed, which is over %s: %s. %s. "
      .. "If that is meant, allow it: max_removed = %g (--max-removed %s)"):format(seen.leavers,
      plural.of(seen.before, "member"), percent(most), about_input(seen), about_night(seen), needed, percent(needed)))
  elseif seen.leavers > 0 and seen.rejected == seen.leavers and not opts.remove_rejected then
    return refused("only_rejected_leave", seen, ("%.0f of %s would be removed, and each of them has a row "
      .. "that was rejected, so nobody is gone: a column may have broken. %s. If that is meant, allow it: "
      .. "remove_rejected = true (--remove-rejected)"):format(seen.leavers, plural.of(seen.before, "member"),
      about_night(seen)))
  end
  return not opts.remove_rejected and unusable_problem(seen) or nil
end

return night_guard
