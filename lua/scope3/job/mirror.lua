--- A mirror: the rows of files are compared with a state, and what differs goes into its audiences.
---
---     files ─► night_rows ─► night ─► night_rows ─► job ─► service
---            (every row)  (compares)  (what differs)  └─► state: what was sent, and what became of it
---
--- One process is one night. What an earlier one left open stands in the state: it is asked for at the beginning, and
--- its members wait where it may still be carried out. Removals go last.
local blank_files = require "scope3.job.blank_files"
local core = require "scope3.core"
local earlier_requests = require "scope3.job.earlier_requests"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local files = require "scope3.job.files"
local folding = require "scope3.mirror.folding"
local guard = require "scope3.util.guard"
local identity = require "scope3.identity"
local job = require "scope3.job"
local journal = require "scope3.mirror.journal"
local journal_header = require "scope3.job.journal_header"
local left_out = require "scope3.job.left_out"
local missing_keys = require "scope3.input.missing_keys"
local night_checks = require "scope3.job.night_checks"
local night_keeping = require "scope3.job.night_keeping"
local night_of = require "scope3.mirror.night"
local night_result = require "scope3.job.night_result"
local night_rows = require "scope3.job.night_rows"
local rows = require "scope3.job.rows"
local shape = require "scope3.job.shape"
local store_of = require "scope3.mirror.store"
local task = require "scope3.job.task"

---@class scope3.MirrorJob
---@field context scope3.Context
---@field opts table  checked
---@field audiences {id: string, name: string?, consent_basis: string?}[]
---@field work scope3.Job
---@field files scope3.JobFiles
---@field store scope3.MirrorStore
---@field run integer  number of the night; 0 in a dry run
---@field is_held_back boolean  a guard refused that anybody is removed
---@field night? scope3.Night
---@field rows? scope3.NightRows
---@field blank? scope3.BlankFiles
---@field looks_at_all? boolean  who stays as before is built, too: an email or a phone may be excluded

local mirror = {}

-- All that makes a member of a row's cells.
local function version_of(plan, opts)
  local parts = { tostring(identity.version) }
  for key in entries(identity.options) do
    parts[#parts + 1] = ("%s=%s"):format(key, tostring(journal_header.noted(key, opts[key])))
  end
  for _, target in ipairs(plan.targets) do
    parts[#parts + 1] = ("%s%s:%s"):format(target.path, target.member and "#" .. target.member or "",
      tostring(target.column))
  end
  table.sort(parts)
  return table.concat(parts, "\n")
end

local function about_of(self, version)
  return {
    service = self.context.base, account = self.context.account_id, audiences = self.audiences,
    identity = tostring(identity.version), script = core.sha256(version),
  }
end

-- --- what comes before the rows ------------------------------------------------------------------------------------

-- Asks what became of requests of earlier nights. Of those that wait for a person nobody else would tell.
local function settle(self, chunks)
  local work, waiting = self.work, {}
  local ok, err = earlier_requests.settle(self.context, self.store, chunks, work:limits(), function(event)
    work.on_event(event)
    if event.event == "task" and task.needs_action(event.status) then
      waiting[#waiting + 1] = event.task_id
    end
  end)
  night_result.warn_of_waiting(work.result, waiting)
  return ok, err
end

-- Brings the state up to date with what is known of earlier nights.
local function bring_up_to_date(self)
  local store = self.store
  local ok, err = folding.finish(store)
  local chunks
  if ok then
    chunks, err = store:open_chunks()
  end
  if chunks then
    ok, err = settle(self, chunks)
  end
  if chunks and ok then
    chunks, err = store:open_chunks()
  end
  if chunks and ok then
    ok, err = folding.fold(store, chunks)
  end
  return chunks and ok and true or nil, err
end

-- The journal of the night: what the job notes goes into the state.
local function keep_journal(self, about)
  local store, path = self.store, self.opts.state
  local keeper = journal.of(store, self.run, function(batch)
    local operations = self.operations[batch]
    self.operations[batch] = nil
    return operations
  end, function()
    return store_of.open(path, about, { seen = true })
  end)
  return self.work:keep(keeper, {})
end

local function begin(self, version)
  local about = about_of(self, version)
  if self.opts.dry_run then
    return true
  end
  local ok, err = bring_up_to_date(self)
  if not ok then
    return nil, err
  end
  self.run, err = self.store:begin_night(core.time())
  if not self.run then
    return nil, err
  end
  return keep_journal(self, about)
end

-- --- reading the rows ----------------------------------------------------------------------------------------------

-- What happens between two slices of the input. An error ends the reading.
local function pause_between(self, progress, bytes, size)
  local work, filler = self.work, self.rows
  work:pump()
  filler:report_rejections()
  local count, skipped, rejected, members = filler.builder:sums()
  work.on_event { event = "progress", bytes = bytes, size = size, rows = count, skipped = skipped, rejected = rejected,
    members = members, result = work.result, file = progress.file, phase = progress.phase }
  if work:is_to_stop() then
    return work.guard.fault or errors.new("cancelled", "stopped before the end of the input")
  elseif work:is_late() then
    return errors.new("timeout", "the deadline passed before the end of the input")
  end
  return work:failed()
end

-- Reads all files, for what the rows go into now.
local function read(self, phase, report)
  local progress = { phase = phase }
  self.pause = function(bytes, size)
    return pause_between(self, progress, bytes, size)
  end
  return self.files:read({ batcher = self.rows, keeping = self.keeping, rest = self.rest, report = report,
    pause = self.pause, is_whole = report ~= nil }, function(file)
    progress.file = file
    if report then
      self.blank:turn_to(file)
    end
  end)
end

-- Every row goes into the night. Keys that no row has are found here: without them everybody would leave.
local function survey(self, plan)
  local report = { result = self.work.result, missing = {} }
  self.rows:survey()
  self.blank = blank_files.watch(self.rows.builder)
  local err = read(self, "compare", report)
  self.blank:turn_to(nil)
  if err then
    return err
  end
  local counts = self.rows.builder:counts()
  self.unusable = night_result.unusable(self.work.result, counts)
  counts.used_rows = self.night.core:counts().rows
  return missing_keys.report(report.missing, plan, self.work.result, counts, self.opts.mode, true)
end

-- --- what is sent --------------------------------------------------------------------------------------------------

-- What takes the batches of the night.
local function sink_of(self)
  local work, is_dry = self.work, self.opts.dry_run
  self.operations = {} -- of batches that were not begun
  return {
    seconds = work.seconds,
    send = function(_, batch)
      return work:send(batch)
    end,
    keep = function(batch, operations)
      self.operations[batch] = not is_dry and operations or nil
    end,
    note = function(operations)
      local n, err = is_dry and 0, nil
      if not is_dry then
        n, err = self.store:cut(self.run, 0, operations)
      end
      return n and true or nil, err
    end,
  }
end

-- Why those who leave may not be removed; nil where they may.
local function guard_problem(self)
  local err = night_checks.guard_problem(self)
  self.is_held_back = err ~= nil
  return err
end

-- Builds and sends rows of one kind, where there are any.
local function send_rows(self, count)
  if count == 0 then
    return nil
  end
  local err = read(self, "send")
  if not err then
    local ok
    ok, err = self.rows:cut()
    err = not ok and err or nil
  end
  return err
end

-- A count of all audiences together.
local function sum_of(counts, name)
  local sum = 0
  for _, of in ipairs(counts) do
    sum = sum + of[name]
  end
  return sum
end

-- Sends what an earlier night sent without an end, and then what is new or has changed.
local function send_candidates(self)
  local counts = self.night.core:counts()
  local again, wanted = sum_of(counts, "again"), sum_of(counts, "added") + sum_of(counts, "changed")
  self.rows.pool:expect(again + wanted)
  self.rows:build_again()
  local err = send_rows(self, again)
  if err then
    return err
  end
  self.rows:build()
  return send_rows(self, wanted
    + (self.looks_at_all and sum_of(counts, "unchanged") + sum_of(counts, "rejected_before") or 0))
end

local function send_all(self)
  local err = night_checks.service_problem(self) or guard_problem(self) or send_candidates(self) or guard_problem(self)
  if err then
    return err
  end
  local ok
  ok, err = self.rows:remove_leavers(self.pause)
  if ok then
    ok, err = self.work:await()
  end
  return not ok and err or nil
end

-- --- the whole night -----------------------------------------------------------------------------------------------

local function compare_and_send(self, plan, version)
  local since = self.opts.refresh_after and core.time() - self.opts.refresh_after or nil
  local members = plan.members
  local err
  self.night, err = night_of.new(self.store, { mode = self.opts.mode, version = version, since = since,
    full = self.opts.full, members = members, cipher = night_keeping.cipher(self.opts.mode) })
  if not self.night then
    return err
  end
  self.unusable_before, err = night_result.unusable_before(self.store)
  if not self.unusable_before then
    return err
  end
  err, self.looks_at_all = left_out.of_night(self, night_of.failure, members)
  if err then
    return err
  end
  self.keeping = night_keeping.new(self.night, self.store, self.opts, self.looks_at_all)
  self.rows = night_rows.new(self.night, sink_of(self), self.audiences, self.opts, self.files.shape, self.run)
  err = survey(self, plan)
  if not err then
    local ok
    ok, err = self.night:compare(self.pause)
    if ok then -- half a comparison would pass for a difference
      err = send_all(self)
      self.work:report("mirror", night_result.difference(self))
    end
  end
  return err
end

-- Ends the job after an error: what is under way is waited for, and the rest is given up.
local function stop(self, err)
  if err and err ~= self.work:failed() then
    self.work:stop(err)
  end
  if self.rows then
    self.rows:abandon(function(part)
      self.work:abandon(part)
    end)
  end
end

local function end_run(self, err)
  if self.run > 0 then
    local ok, why = self.store:end_run(self.run, core.time(), night_result.counts(self.work, self.unusable, err))
    if not ok and not self.work:failed() then
      self.work:stop(why)
    end
  end
end

-- The job, from its state to its result.
local function work_off(self, plan)
  local version = version_of(plan, self.opts)
  night_result.warn_of_rules(self.work.result, self.store)
  local ok, err = begin(self, version)
  if not ok then
    return nil, self.work:refuse(err)
  end
  self.rest = rows.rest_of(self.context, self.work.guard)
  err = compare_and_send(self, plan, version)
  stop(self, err)
  if self.rows then
    self.rows:close(self.work.result)
  end
  end_run(self, err)
  return self.work:finish()
end

-- Frees all that is held, however the job ended.
local function close(self)
  if self.rows then
    self.rows:close()
  end
  if self.night then
    self.night:close()
  end
  left_out.close(self.opts)
  self.files:close()
  self.store:close()
end

local function open_store(self, plan)
  local opts = self.opts
  local about = about_of(self, version_of(plan, opts))
  if opts.dry_run and not core.file_kind(opts.state) then
    return store_of.empty(#self.audiences)
  end
  return store_of.open(opts.state, about, { create = not opts.dry_run, read_only = opts.dry_run })
end

--- Runs a mirror.
---@param context scope3.Context
---@param script scope3.Script  with a map
---@param paths string[]
---@param audiences {id: string, name: string?, consent_basis: string?}[]
---@param opts table  checked
---@return scope3.Result?
---@return scope3.Error? err  with `result` once the job had begun
function mirror.run(context, script, paths, audiences, opts)
  local ok, err = journal_header.check_input(paths, "state")
  if not ok then
    return nil, err
  end
  local plan = shape.plan(script)
  local self = { context = context, opts = opts, audiences = audiences, run = 0, is_held_back = false }
  self.files, err = files.check(plan, paths, opts)
  if not self.files or opts.guard.fault then
    return nil, opts.guard.fault or err
  end
  self.store, err = open_store(self, plan)
  if not self.store then
    self.files:close()
    return nil, err
  end
  self.work = job.new(context, audiences, opts)
  local fine, result
  fine, result, err = guard.call(work_off, self, plan)
  if not fine then
    if self.work.waiter then
      pcall(self.work.waiter.abandon, self.work.waiter)
    end
    self.work:refuse()
  end
  close(self)
  if not fine then
    error(result, 0)
  end
  return result, err
end

return mirror
