--- Deletes the audiences that a job did not name (`delete_missing`; docs/contract.md section 5). The service deletes
--- whatever one request does not name, also what other tools made. So what would go is listed first, and must be named.
local core = require "scope3.core"
local errors = require "scope3.error"
local history = require "scope3.job.history"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local plural = require "scope3.util.plural"
local result = require "scope3.result"
local visible = require "scope3.util.visible"

local prune = {}

local SHOWN = 20 -- ids that an error names
local LONGEST = 48 * 3600 -- seconds that the tasks of a job may take (docs/contract.md section 3)

--- The audiences of the account that a job does not name, in the order of their ids.
---@param context scope3.Context
---@param keep table[]  audiences of the job
---@param limits table  as for transport:drive()
---@return {audience_id: string, name: string?}[]?
---@return scope3.Error? err
function prune.list(context, keep, limits)
  local kept, found = {}, json.array {}
  for _, audience in ipairs(keep) do
    kept[audience.id] = true
  end
  local next_row = listing.rows(context, limits)
  local row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
  while row do
    if not row.deleted and not kept[row.audience_id] then
      found[#found + 1] = { audience_id = row.audience_id, name = row.name }
    end
    row, err = next_row()
  end
  if err then
    return nil, err
  end
  table.sort(found, function(a, b)
    return core.before(a.audience_id, b.audience_id)
  end)
  return found
end

-- The ids of the list that are not named.
local function unnamed(found, named)
  local expected, others = {}, {}
  for _, id in ipairs(named) do
    expected[id] = true
  end
  for _, row in ipairs(found) do
    if not expected[row.audience_id] then
      others[#others + 1] = row.audience_id
    end
  end
  return others
end

--- Checks that all that would be deleted is named.
---@param found {audience_id: string}[]
---@param named "all"|string[]
---@return true?
---@return scope3.Error? err  names what is not
function prune.check(found, named)
  local others = named ~= "all" and unnamed(found, named) or {}
  if #others == 0 then
    return true
  end
  local shown = {}
  for i = 1, math.min(#others, SHOWN) do
    shown[i] = visible.text(others[i])
  end
  local more = #others > #shown and (", and %d more"):format(#others - #shown) or ""
  return nil, errors.new("invalid",
    ("delete_missing would delete %s that it does not name: %s%s. Name them, or give \"all\""):format(
    plural.of(#others, "audience"), table.concat(shown, ", "), more), { code = "unnamed_audiences" })
end

--- The first look, before anything is sent.
---@param job scope3.Job
---@param keep table[]  audiences of the job
---@param named "all"|string[]
---@return true?
---@return scope3.Error? err
function prune.prepare(job, keep, named)
  if job:has_pruned() then
    return true
  end
  local found, err = prune.list(job.context, keep, job:limits())
  if not found then
    return nil, err
  end
  job:report("would_delete", found)
  return prune.check(found, named)
end

-- What was deleted where this run came to no deletion.
local function untouched(job)
  return job.history and job.history:began_deletion() and "this run deleted nothing, an earlier one may have"
    or "nothing was deleted"
end

-- Waits until all that was sent has ended well.
local function await_all(job, limits)
  local ok, err = job:turn(limits)
  if ok then
    err = job:lost()
  end
  return err and job:amend(err, (" (so %s)"):format(untouched(job)))
end

-- The second look: others may have made audiences meanwhile. Gives nothing where an earlier run has deleted already.
local function look_again(job, keep, named, limits)
  if job:has_pruned() then
    return nil
  end
  local found, err = prune.list(job.context, keep, limits)
  if found then
    local _
    _, err = prune.check(found, named)
  end
  return found, err and job:amend(err, (" (%s)"):format(untouched(job)))
end

-- The batch that names what is to stay.
local function batch_of(keep)
  local parts = {}
  for i, audience in ipairs(keep) do
    parts[i] = { audience = audience, adds = 0, removes = 0, delete = audience.deleted or nil }
  end
  return { number = history.DELETION, parts = parts, delete_missing = true }
end

local function skip(job, why)
  result.warn(job.result, "nothing_deleted", "delete_missing deleted nothing: " .. why)
  job:report("would_delete", nil)
end

-- Whether members were built, and the service took none of them.
local function accepted_none(res)
  return res.accepted == 0 and res.members + res.rejected_by_service > 0
end

-- Names what is to stay. What goes wrong here is the job's failure, as of any other request.
local function send_names(job, keep, found)
  local ok = job:send(batch_of(keep)) and job:await()
  job:report("would_delete", nil)
  if ok then
    job:report("deleted", found)
  end
end

--- The end of a job: when every task has ended well, one request names what is to stay, and the service deletes the
--- rest.
---@param job scope3.Job
---@param keep table[]  audiences of the job
---@param named "all"|string[]
---@return scope3.Error? err  why nothing was deleted; a failure of the request itself is in job:failed()
function prune.delete(job, keep, named)
  local limits = job:limits_within(job.opts.delete_timeout or LONGEST, "the time to wait is over")
  local err = await_all(job, limits)
  if err then
    return err
  elseif accepted_none(job.result) then
    return skip(job, "no member was accepted")
  end
  local found
  found, err = look_again(job, keep, named, limits)
  if err then
    return err
  end
  job:limit(limits) -- of what is left
  send_names(job, keep, found)
end

--- The end of a job that reads rows. Where these gave no member, nothing is deleted: an input that came empty by
--- mistake says nothing of the audiences that are to stay.
---@param job scope3.Job
---@param keep table[]  audiences of the job
---@param named "all"|string[]
---@param cuts integer  requests' worth of members that the rows gave
---@return scope3.Error? err  as of prune.delete()
function prune.after(job, keep, named, cuts)
  if cuts > 0 then
    return prune.delete(job, keep, named)
  elseif job.result.would_delete then
    skip(job, "no row gave a member")
  end
end

return prune
