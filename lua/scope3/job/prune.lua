--- Deleting the audiences that a job did not name (`delete_missing`; docs/contract.md section 5). The service deletes whatever one request does
--- not name, also what other tools made: so what would go is listed first, and has to be named.
local core = require "scope3.core"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local past = require "scope3.job.history"
local result = require "scope3.result"
local visible = require "scope3.util.visible"

local prune = {}

local LONGEST = 48 * 3600 -- seconds that the tasks of a job may take (docs/contract.md section 3)

--- The audiences of the account that a job does not name, in the order of their ids.
---@param client scope3.Client
---@param keep table[]  audiences of the job
---@param limits table
---@return {audience_id: string, name: string?}[]?
---@return scope3.Error? err
function prune.list(client, keep, limits)
  local kept, found = {}, json.array {}
  for _, audience in ipairs(keep) do
    kept[audience.id] = true
  end
  local next_row = listing.rows(client, limits)
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

--- Looks whether all that would be deleted is named.
---@param found {audience_id: string}[]
---@param named "all"|string[]
---@return true?
---@return scope3.Error? err  names what is not
function prune.check(found, named)
  if named == "all" then
    return true
  end
  local expected, others = {}, {}
  for _, id in ipairs(named) do
    expected[id] = true
  end
  for _, row in ipairs(found) do
    if not expected[row.audience_id] then
      others[#others + 1] = row.audience_id
    end
  end
  if #others == 0 then
    return true
  end
  local shown = {}
  for i = 1, math.min(#others, 20) do
    shown[i] = visible.text(others[i])
  end
  return nil, errors.new("invalid", ("delete_missing would delete %d audiences that it does not name: %s%s. Name them, or give \"all\""):format(
    #others, table.concat(shown, ", "), #others > #shown and (", and %d more"):format(#others - #shown) or ""), { code = "unnamed_audiences" })
end

-- Whether an earlier run of the same journal has done it: what others made since is not to go.
local function is_done(job)
  return job.past ~= nil and job.past:deleted()
end

--- The first look, before anything is sent.
---@param job scope3.Job
---@param keep table[]
---@param named "all"|string[]
---@return true?
---@return scope3.Error? err
function prune.prepare(job, keep, named)
  if is_done(job) then
    return true
  end
  local found, err = prune.list(job.client, keep, job.limits)
  if not found then
    return nil, err
  end
  job.result.would_delete = found
  return prune.check(found, named)
end

-- The error with more to say, which is the job's own failure too where that is the same.
local function amended(job, err, more)
  local told = errors.with(err, { message = err.message .. more })
  if job.failure == err then
    job.failure = told
  end
  return told
end

--- The end of a job: when every task has ended well, one request names what is to stay, and the service deletes the rest.
---@param job scope3.Job
---@param keep table[]
---@param named "all"|string[]
---@return true?
---@return scope3.Error? err
function prune.delete(job, keep, named)
  local limits = job:limits_within(job.opts.delete_timeout or LONGEST, "the time to wait is over")
  local ok, err = job:turn(limits)
  if ok and (job.lost_before or job.passed_over) then
    ok, err = nil, job.lost_before or job.passed_over
  end
  if not ok then
    return nil, amended(job, err, " (so nothing was deleted)")
  end
  if job.result.accepted == 0 and job.result.members + job.result.rejected_by_service > 0 then
    result.warn(job.result, "nothing_deleted", "delete_missing deleted nothing: no member was accepted")
    job.result.would_delete = nil
    return true
  end
  local found
  if not is_done(job) then
    -- Others may have made audiences meanwhile.
    found, err = prune.list(job.client, keep, limits)
    if found then
      ok, err = prune.check(found, named)
    end
    if not ok or not found then
      return nil, amended(job, err, " (nothing was deleted)")
    end
  end
  local parts = {}
  for i, audience in ipairs(keep) do
    parts[i] = { audience = audience, adds = 0, removes = 0, delete = audience.deleted or nil }
  end
  job.limits = limits -- of what is left
  ok, err = job:send { number = past.PRUNE, parts = parts, delete_missing = true }
  if ok then
    ok, err = job:await()
  end
  job.result.would_delete = nil
  if not ok then
    return nil, err
  end
  job.result.deleted = found
  return true
end

--- The end of a job that reads rows. Where these gave no member, nothing is deleted: an input that came empty by mistake says nothing of the
--- audiences that are to stay.
---@param job scope3.Job
---@param keep table[]
---@param named "all"|string[]
---@param cuts integer  requests' worth of members that the rows gave
---@return true?
---@return scope3.Error? err
function prune.after(job, keep, named, cuts)
  if cuts > 0 then
    return prune.delete(job, keep, named)
  end
  if job.result.would_delete then
    result.warn(job.result, "nothing_deleted", "delete_missing deleted nothing: no row gave a member")
    job.result.would_delete = nil
  end
  return true
end

return prune
