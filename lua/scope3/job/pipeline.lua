--- A transformation: the rows of an input go through a script into an audience.
---
---     input ── rows ──► batcher ── batches ──► job ── requests ──► service
---
--- `rows` and `files` read, `shape` says which columns, and `rebuild` reads the files once more where tasks fail.
local batcher = require "scope3.job.batcher"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local inputs = require "scope3.job.inputs"
local job = require "scope3.job"
local journal = require "scope3.job.journal"
local journal_header = require "scope3.job.journal_header"
local left_out = require "scope3.job.left_out"
local missing_keys = require "scope3.input.missing_keys"
local prune = require "scope3.job.prune"
local rebuild = require "scope3.job.rebuild"
local rows = require "scope3.job.rows"
local shape = require "scope3.job.shape"

local pipeline = {}

-- Opens the journal, where there is to be one.
local function keep_journal(work, context, audience, opts, script)
  if not opts.journal or opts.dry_run then
    return true
  end
  local keeper = type(opts.journal) == "string" and journal.file(opts.journal) or opts.journal
  return work:keep(keeper, journal_header.of(context, audience, opts, script))
end

-- The options with which an input is read once more: nothing is reported again.
local function quiet_options(opts)
  local quiet = {}
  for key, value in entries(opts) do
    quiet[key] = value
  end
  quiet.on_reject, quiet.on_event, quiet.cancel = nil, nil, nil
  return quiet
end

-- Lets members of failed tasks be built once more, where all of the input can be read again.
local function allow_rebuild(work, input, audience, opts, rest)
  if not input.files or opts.dry_run or not input.files:can_be_read_again() then
    return
  end
  local quiet = quiet_options(opts)
  work:rebuild_from(rebuild.files(work.seconds, function(collector)
    local again = batcher.new(collector, audience, quiet, input.shape)
    local err = input.read { batcher = again, rest = rest, pause = function()
      return collector:pause()
    end }
    if not err then
      again:finish()
    end
    again:free_all()
    return err
  end))
end

-- What happens between two slices of the input. An error ends the reading.
local function pause_between(work, filler, progress, bytes, size)
  work:pump()
  filler:report_rejections()
  local count, skipped, rejected, members = filler.builder:sums()
  work.on_event { event = "progress", bytes = bytes, size = size, rows = count, skipped = skipped, rejected = rejected,
    members = members, result = work.result, file = progress.file }
  if work:is_to_stop() then
    return work.guard.fault or errors.new("cancelled", "stopped before the end of the input")
  elseif work:is_late() then
    return errors.new("timeout", "the deadline passed before the end of the input")
  end
  return work:failed()
end

-- Reads the whole input.
local function read_all(work, input, filler, plan, opts, rest)
  local progress, missing = {}, {}
  local err = input.read({
    batcher = filler, rest = rest, report = { result = work.result, missing = missing },
    pause = function(bytes, size)
      return pause_between(work, filler, progress, bytes, size)
    end,
  }, function(file)
    progress.file = file
  end)
  input.close()
  return err or missing_keys.report(missing, plan, work.result, filler.builder:counts(), opts.mode)
end

-- Sends what is left when the input has ended.
local function finish(work, filler, audience, opts)
  local ok, err = filler:finish()
  if ok then
    ok, err = work:await()
  end
  if ok then
    ok, err = work:check_history(filler.cuts)
  end
  if ok then
    ok, err = work:send_leftovers()
  end
  if ok and opts.delete_missing and not opts.dry_run then
    return prune.after(work, { audience }, opts.delete_missing, filler.cuts)
  end
  return not ok and err or nil
end

-- What has to be done before the first row may be read.
local function prepare(work, context, plan, audience, opts)
  work:report("repeats", batcher.repeats(opts))
  local ok, err = left_out.of_job(context, work, opts, plan.members)
  if ok then
    ok, err = keep_journal(work, context, audience, opts, plan.script)
  end
  if ok and opts.delete_missing then
    ok, err = prune.prepare(work, { audience }, opts.delete_missing)
  end
  return ok, err
end

-- The job, from its journal to its result.
local function work_off(work, context, plan, opened, audience, opts)
  local ok, err = prepare(work, context, plan, audience, opts)
  if not ok then
    return nil, work:refuse(err)
  end
  local rest = rows.rest_of(context, work.guard)
  allow_rebuild(work, opened, audience, opts, rest)
  local filler = batcher.new(work, audience, opts, opened.shape)
  err = read_all(work, opened, filler, plan, opts, rest) or finish(work, filler, audience, opts)
  if err and err ~= work:failed() then
    work:stop(err)
  end
  filler:abandon(function(part)
    work:abandon(part)
  end)
  filler:close(work.result)
  return work:finish()
end

-- Ends a job that raised an error: its requests are cancelled, and its journal is free for the next run.
local function drop(work)
  if work.waiter then
    pcall(work.waiter.abandon, work.waiter)
  end
  work:refuse()
end

--- Runs a script over its input.
---@param context scope3.Context
---@param script scope3.Script
---@param input scope3.Source|(fun(): table?)|string[]  a source, an iterator of tables, or paths
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked
---@return scope3.Result?
---@return scope3.Error? err  with `result` once the job had begun
function pipeline.run(context, script, input, audience, opts)
  local ok, err
  if opts.journal then
    ok, err = journal_header.check_input(input)
    if not ok then
      return nil, err
    end
  end
  local plan = shape.plan(script)
  local opened
  opened, err = inputs.open(plan, input, opts)
  if not opened or opts.guard.fault then
    return nil, opts.guard.fault or err
  end
  local work = job.new(context, { audience }, opts)
  local fine, result
  fine, result, err = guard.call(work_off, work, context, plan, opened, audience, opts)
  if not fine then -- memory has run out
    drop(work)
    error(result, 0)
  end
  return result, err
end

return pipeline
