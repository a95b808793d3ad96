--- Checks that an audience exists before members are removed from it. The service takes removals for any name. Without
--- this check, opt-outs for a mistyped audience would be reported as done, and the people would stay where they are.
---
--- Only a job that begins with nothing but removals is checked, once, by one listing. Adding makes an audience, so a
--- job that adds first may name a new one.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local listing = require "scope3.api.listing"

local target_check = {}

local LOOK = 10 -- seconds that a dry run gives to its look
local MOST = 3 -- names that are suggested

-- Names of the account that may have been meant, the closest first. Names that a terminal might obey are not shown.
local function close_names(wanted, rows)
  local found, most = {}, math.max(1, math.min(3, math.floor(#wanted / 4)))
  for _, row in ipairs(rows) do
    local id = row.audience_id
    if not row.deleted and type(id) == "string" and #id <= 255 and id:find("^[A-Za-z0-9_.:%-]+$") then
      local edits = arguments.distance(core.lower(wanted), core.lower(id), most)
      if edits then
        found[#found + 1] = { id = id, edits = edits }
      end
    end
  end
  table.sort(found, function(a, b)
    if a.edits ~= b.edits then
      return a.edits < b.edits
    end
    return core.before(a.id, b.id)
  end)
  local names = {}
  for i = 1, math.min(MOST, #found) do
    names[i] = found[i].id
  end
  return #names > 0 and "; did you mean " .. table.concat(names, ", ") .. "?"
    or "; one that was made a moment ago may not be listed yet"
end

--- The account's audiences, as far as they must be read to know of all that are wanted.
---@param context scope3.Context
---@param wanted table<string, scope3.AudienceRow|false>  by id; becomes the row of each that is listed
---@param limits table  as for transport:drive()
---@return scope3.AudienceRow[]? rows  that were read
---@return scope3.Error? err
function target_check.find(context, wanted, limits)
  local rows, left = {}, 0
  for _ in entries(wanted) do
    left = left + 1
  end
  local next_row = listing.rows(context, limits)
  local row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
  while row do
    rows[#rows + 1] = row
    if wanted[row.audience_id] == false then
      wanted[row.audience_id], left = row, left - 1
      if left == 0 then
        return rows
      end
    end
    row, err = next_row()
  end
  if err then
    return nil, err
  end
  return rows
end

local function missing(id, row, rows)
  if row and not row.deleted then
    return nil
  end
  return errors.new("not_found", row and ("the audience %s is deleted, so nobody can be removed from it"):format(id)
    or ("the account has no audience %s, so nobody can be removed from it%s"):format(id, close_names(id, rows)),
    { code = row and "audience_deleted" or "audience_unknown" })
end

--- The audiences of a batch that only removes; none where it also adds, which makes an audience.
---@param parts scope3.Part[]
---@return string[]
function target_check.only_removed(parts)
  local ids = {}
  for _, part in ipairs(parts) do
    if part.delete or part.adds > 0 or part.removes == 0 then
      return {}
    end
    ids[#ids + 1] = part.audience.id
  end
  return ids
end

--- When a dry run's look is to end.
---@param context scope3.Context
---@param limits table  of the job
---@return table
function target_check.dry_limits(context, limits)
  local deadline = context.loop.now() + LOOK
  return { cancel = limits.cancel, deadline = math.min(limits.deadline or deadline, deadline) }
end

--- Looks whether audiences exist.
---@param context scope3.Context
---@param ids string[]
---@param limits table  as for transport:drive()
---@return true?
---@return scope3.Error? err  kind "not_found" names the audience
---@return boolean? unlisted  the account's audiences could not be listed
function target_check.run(context, ids, limits)
  local wanted = {}
  for _, id in ipairs(ids) do
    wanted[id] = false
  end
  local rows, err = target_check.find(context, wanted, limits)
  if not rows then
    return nil, err, true
  end
  for _, id in ipairs(ids) do
    err = missing(id, wanted[id], rows)
    if err then
      return nil, err
    end
  end
  return true
end

return target_check
