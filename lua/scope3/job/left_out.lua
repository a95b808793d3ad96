--- Who a job leaves out: the lists of its option `exclude`, read before anything is sent.
local exclusions = require("scope3.util.late").require "scope3.input.exclusions" -- most jobs leave nobody out
local rows = require "scope3.job.rows"

local left_out = {}

--- Which list is not there, before anything else is done.
---@param opts table
---@return scope3.Error? err
function left_out.missing(opts)
  return opts.exclude and exclusions.missing(opts.exclude) or nil
end

local function read(work, opts, taker)
  local err
  opts.exclusions, err = exclusions.read(opts.exclude, opts, taker)
  if not err then
    work:report("exclusions", opts.exclusions:counts())
  end
  return err
end

--- Reads them for a job without a state: `opts.exclusions` is for its builders.
---@param context scope3.Context
---@param work scope3.Job
---@param opts table  checked options of the job
---@param members integer  that a row may give
---@return true?
---@return scope3.Error? err
function left_out.of_job(context, work, opts, members)
  local err = opts.exclude and read(work, opts, { members = members, rest = rows.rest_of(context, work.guard) }) or nil
  return not err and true or nil, err
end

--- Gives the ids to a night, and keeps the others for its builder.
---@param mirror scope3.MirrorJob
---@param failed fun(message: any, code: string?): scope3.Error  the error of a night that failed
---@param members integer  that a row may give
---@return scope3.Error? err
---@return boolean looks_at_all  who stays as before is built, too: an email or a phone of theirs may be excluded
function left_out.of_night(mirror, failed, members)
  local opts = mirror.opts
  local err = opts.exclude and read(mirror.work, opts, { night = mirror.night.core, failed = failed,
    members = members, rest = mirror.rest }) or nil
  if err or not opts.exclude or not opts.exclusions:has_contacts() then
    return err, false
  end
  err = select(2, mirror.night:look_at_all())
  return err, true
end

--- Frees what a night read. Builders of other jobs may be made anew while their result is waited for.
---@param opts table
function left_out.close(opts)
  if opts.exclusions then
    opts.exclusions:close()
  end
end

return left_out
