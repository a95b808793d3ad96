--- Compares what a state has with what the service says of its audiences, before a night sends anything.
---
--- Somebody may have deleted the audience, or emptied it: then the state is wrong, and sending only what differs from
--- it would leave the others out for ever.
local audience_status = require "scope3.api.audience_status"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local plural = require "scope3.util.plural"
local result = require "scope3.result"
local target_check = require "scope3.job.target_check"

local service_view = {}

local FEWER = 0.9 -- share of the state's members below which the service has too few

local FULL = "full = true (--full) sends every row again"

local function refused(code, message)
  return errors.new("guard", message, { code = code })
end

-- How many members the service says that it was given; nil where it does not say.
local function count_of(row)
  return row.total_uploaded_count or row.uploaded_count
end

-- Warns where the service has far fewer members than the state.
local function compare_counts(res, row, known)
  local count = count_of(row)
  if type(count) == "number" and count < FEWER * known then
    result.warn(res, "audience_differs", ("The service says that the audience %s has %s, and the state has %.0f. "
      .. "Where others have removed them, %s."):format(row.audience_id, plural.of(count, "member"), known, FULL),
      { audience_id = row.audience_id, members = count, before = known })
  end
end

-- Why an audience cannot be compared, or nil. Its row goes into the result.
local function look(res, at, row, seen)
  local known = res.audiences[at]
  if not row or row.deleted then
    local id = known.audience_id
    return refused("audience_missing", ("%s, and the state has %s of it. Nothing was sent. %s"):format(
      row and ("the audience %s is deleted"):format(id) or ("the account has no audience %s"):format(id),
      plural.of(seen.known, "member"), FULL))
  end
  for key, value in entries(row) do
    known[key] = value
  end
end

---@class scope3.AudienceInState
---@field known integer  members of which the state knows that they are there
---@field is_settled boolean  nothing of an earlier night is under way

-- The rows of those audiences of a result of which the state knows members, by id.
local function find(context, res, seen, limits)
  local rows = {}
  for i, audience in ipairs(res.audiences) do
    if seen[i].known > 0 then
      rows[audience.audience_id] = false
    end
  end
  local ok, err = target_check.find(context, rows, limits)
  return ok and rows, err
end

--- Looks at the audiences of which the state knows members. Their rows go into the result, with warnings of what they
--- show.
---@param context scope3.Context
---@param res scope3.Result
---@param seen scope3.AudienceInState[]  of each audience of the result
---@param limits table  as for transport:drive()
---@return scope3.Error? err  kind "guard": an audience is gone
function service_view.problem(context, res, seen, limits)
  local rows, err = find(context, res, seen, limits)
  if not rows then
    return err
  end
  for i, audience in ipairs(res.audiences) do
    err = seen[i].known > 0 and look(res, i, rows[audience.audience_id], seen[i]) or nil
    if err then
      return err
    end
  end
  audience_status.warn(res)
  for i, audience in ipairs(res.audiences) do
    if seen[i].known > 0 and seen[i].is_settled then
      compare_counts(res, audience, seen[i].known)
    end
  end
end

return service_view
