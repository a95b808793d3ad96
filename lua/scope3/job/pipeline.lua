--- A transformation: rows of a source through a script into an audience, in slices between which the network moves on.
local conditions_of = require "scope3.input.filter"
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local guard_of = require "scope3.util.guard"
local identity = require "scope3.identity"
local batcher = require "scope3.job.batcher"
local job = require "scope3.job"
local journal = require "scope3.job.journal"
local keys_of = require "scope3.input.missing_keys"
local line_counts = require "scope3.input.line_counts"
local loops = require "scope3.loop"
local mapping = require "scope3.input.map"
local prune = require "scope3.job.prune"
local redact = require "scope3.util.redact"
local completion = require "scope3.job.completion"
local part_files = require "scope3.input.part_files"
local rebuilding = require "scope3.job.rebuild"
local script_of = require "scope3.input.script"
local result = require "scope3.result"
local source_errors = require "scope3.input.source_errors"
local source_of = require "scope3.input.source"

local run = {}

-- A slice of building ends after so much input or time; then the engine, progress and cancellation have their turn.
local SLICE_BYTES, SLICE_SECONDS = 256 * 1024, 0.001

-- What happens between two slices; an error stops the job.
local function between(self, bytes, size)
  self.job:pump()
  self.batcher:report_rejections()
  local rows, skipped, rejected, members = self.batcher.builder:sums()
  self.on_event { event = "progress", bytes = bytes, size = size, rows = rows, skipped = skipped, rejected = rejected,
    members = members, result = self.job.result, file = self.file }
  if self.job:is_to_stop() then
    return self.job.guard.fault or errors.new("cancelled", "stopped before the end of the input")
  end
  local deadline = self.job.limits.deadline
  if deadline and self.job.client.loop.now() >= deadline then
    return errors.new("timeout", "the deadline passed before the end of the input")
  end
  return self.job.failure
end

local function script_failed(message, row)
  return errors.new("script", ("the script failed at row %.0f: %s"):format(row, redact.patterns(message)), { code = "script_error" })
end

-- What lets others run between two slices, where the loop can: one of the host's own may raise.
local function rest_of(self)
  local loop, guard = self.job.client.loop, self.job.guard
  if not loop.rest or not loops.is_foreign(loop) then
    return loop.rest
  end
  return function()
    local ok, problem = guard_of.call(loop.rest)
    if not ok then
      guard.fault = guard.fault or guard_of.error("the loop", problem)
    end
  end
end

-- Rows of a parser in C: CSV and JSON Lines.
local function read_source(self, source)
  local builder, rest = self.batcher.builder, rest_of(self)
  while true do
    local state, detail, row = builder:fill(self.batcher.payload, source.handle, SLICE_BYTES, SLICE_SECONDS)
    local err = between(self, source:progress())
    if not err and rest then
      rest()
    end
    if err then
      return err
    elseif state == "full" or state == "turn" then
      local ok, why = self.batcher:make_room(state)
      if not ok then
        return why
      end
    elseif state == "need" then
      local called, ok, why = guard_of.call(source.feed, source)
      if not called then
        return guard_of.error(source.name .. ": the reader", ok, "source")
      elseif not ok then
        return why
      end
    elseif state == "fatal" then
      local ok, why = source:recover(detail)
      if not ok then
        return why
      end
    elseif state == "script" then
      return script_failed(detail, row)
    elseif state == "end" then
      return nil
    end
  end
end

local function from_source(self, source)
  local err = read_source(self, source)
  if self.missing then -- a job, and not its input read once more
    local wrapped = source.handle:rows() == 1 and source.handle:wrapped() or nil
    line_counts.add(self.job.result, source)
    encodings.report(self.job.result, source)
    keys_of.add(self.missing, self.batcher.builder, source.name, source.handle:keys(), wrapped)
    if wrapped and not err and self.batcher.builder:counts().used_rows == 0 then
      result.warn(self.job.result, "wrapped_rows", ("%s: its only row is an object with others inside%s"):format(
        source.name, source_errors.array_advice(wrapped)), { file = source.name })
    end
  end
  return err
end

local ROWS_A_SLICE = 256

-- Rows of any Lua iterator of tables.
local function read_iterator(self, iterate)
  local rows, rest = 0, rest_of(self)
  while true do
    local called, row, why = guard_of.call(iterate)
    if not called then -- one that reads a source raises the error of that
      return errors.is(row) and row or guard_of.error("the iterator", row, "source")
    elseif row == nil then
      if why ~= nil then
        return errors.is(why) and why or errors.new("source", "the iterator failed: " .. guard_of.text(why))
      end
      return nil
    elseif type(row) ~= "table" then
      return errors.new("source", ("the iterator gave a %s as row %d; rows must be tables"):format(type(row), rows + 1))
    end
    rows = rows + 1
    local state, detail, number = self.batcher.builder:take(self.batcher.payload, row)
    if state == "script" then
      return script_failed(detail, number)
    elseif state == "full" or state == "turn" then
      local ok, err = self.batcher:make_room(state)
      if not ok then
        return err
      end
    end
    if rows % ROWS_A_SLICE == 0 then
      local err = between(self)
      if err then
        return err
      end
      if rest then
        rest()
      end
    end
  end
end

local function from_iterator(self, iterate)
  local err = read_iterator(self, iterate)
  keys_of.add(self.missing, self.batcher.builder, "the rows")
  return err
end

-- What a script looks at: its targets and conditions, and the columns that these want in one list, targets first.
local function plan_of(script)
  local targets = script.map and mapping.targets(script.map) or nil
  local conditions = type(script.where) == "table" and conditions_of.list(script.where) or {}
  local wanted = {}
  for _, target in ipairs(targets or {}) do
    wanted[#wanted + 1] = target
  end
  for _, condition in ipairs(conditions) do
    wanted[#wanted + 1] = { path = "where", column = condition.column }
  end
  return { script = script, targets = targets, conditions = conditions, wanted = wanted }
end

-- What the builder is told, with the columns that were found for what is wanted, and the names of all where they are known.
local function shape_of(plan, columns, names)
  local script, targets, conditions = plan.script, plan.targets, plan.conditions
  local shape = {
    where = type(script.where) == "function" and script.where or nil, member = script.member, conditions = {},
    columns = {}, plan = conditions,
  }
  if targets then
    shape.targets = {}
    for i, target in ipairs(targets) do
      shape.targets[i] = { target.role, columns[i], target.uid_type, names and names[columns[i]] or target.column }
    end
  end
  for i, condition in ipairs(conditions) do
    shape.conditions[i] = {
      condition.operator, columns[(targets and #targets or 0) + i], condition.values,
      decimal = condition.decimal, ignore_case = condition.ignore_case, blank = condition.blank,
    }
  end
  return shape
end

-- The keys of rows that are tables, each once, and for what is wanted its number among them.
local function number_keys(wanted)
  local keys, numbers, columns = {}, {}, {}
  for i, want in ipairs(wanted) do
    if not numbers[want.column] then
      keys[#keys + 1] = want.column
      numbers[want.column] = #keys
    end
    columns[i] = numbers[want.column]
  end
  return columns, keys
end

-- CSV holds texts only: that true equals none of them is not what anybody means.
local function check_booleans(plan, source)
  local issues = {}
  for _, condition in ipairs(plan.conditions) do
    if condition.booleans and source.format == "csv" then
      issues[#issues + 1] = { path = conditions_of.name(condition),
        message = "compares with true or false, and CSV has texts alone: "
        .. "{ yes = true } reads the usual words (yes, true, 1, ja, oui, …), or give the text that stands in the file" }
    end
  end
  return #issues == 0 or nil, #issues > 0 and errors.invalid("the script", issues) or nil
end

-- The shape for a source: its columns are looked for, which reads its header.
local function shape_for(plan, source, opts)
  local fine, problem = check_booleans(plan, source)
  if not fine then
    return nil, problem
  end
  local columns, err = source:resolve(plan.wanted, opts.cancel)
  if not columns then
    return nil, err
  end
  local names
  names, err = source:columns(opts.cancel)
  if not names then
    return nil, err
  end
  local shape = shape_of(plan, columns, names)
  shape.columns = names
  return shape
end

local function changed(path)
  return errors.new("source", path .. ": the file was changed, or replaced, after its header was looked at; run the job again",
    { code = "changed_input" })
end

-- Looks at the header of every file before anything is sent. Files are closed again, because there may be many; what can be read
-- once, such as a pipe, stays open. Gives the shape of the first, the sources that are open, and a stamp of each of the other files.
local function check_paths(plan, paths, opts)
  local first
  local known = { open = {}, stamps = {} }
  for _, path in ipairs(paths) do
    local is_mark = part_files.is_mark(path, #paths)
    local source, shape, err
    if not is_mark then
      source, err = source_of.open(path, opts)
    end
    if source then
      known.stamps[path] = source:stamp()
      shape, err = shape_for(plan, source, opts)
    end
    local left_out = is_mark or not shape and part_files.is_empty(source, err, #paths)
    if source and source:once() or path == "-" then
      known.open[path] = source
      known.stamps[path] = nil
    elseif source then
      source:close()
    end
    if not shape and not left_out then
      for _, one in pairs(known.open) do
        one:close()
      end
      return nil, part_files.empty_pipe(err, #paths)
    end
    first = first or shape
  end
  return first, not first and part_files.none(paths[1]) or nil, known
end

-- The source of a path, as it was left by check_paths().
local function open_again(self, path, known)
  if known.open[path] then
    return known.open[path]
  end
  local source, err = source_of.open(path, self.opts)
  if source and source:stamp() ~= known.stamps[path] then
    source:close()
    return nil, changed(path)
  end
  return source, err
end

-- Rows of several files, one after the other. Empty files are left out, unless all are empty.
local function from_paths(self, paths, plan, known)
  local left_out = 0
  for i, path in ipairs(paths) do
    local is_mark = part_files.is_mark(path, #paths)
    local source, shape, err
    if not is_mark then
      source, err = open_again(self, path, known)
    end
    if source then
      shape, err = shape_for(plan, source, self.opts)
    end
    if shape then
      self.file = #paths > 1 and { path = path, number = i, count = #paths } or nil
      self.batcher:turn_to(shape, #paths > 1 and path or nil)
      err = from_source(self, source)
      self.batcher:report_rejections()
      if self.missing and known.stamps[path] and source:stamp() ~= known.stamps[path] then
        result.warn(self.job.result, "changed_input", path .. ": the file was written to while it was read, so rows may be missing or cut",
          { file = path })
      end
    end
    if is_mark or part_files.is_empty(source, err, #paths) then
      left_out, err = left_out + 1, nil
      if self.missing then -- a job, and not its input read once more
        part_files.report(self.job.result, path, is_mark)
      end
    end
    if source then
      source:close()
    end
    if err then
      return err
    end
  end
  return left_out == #paths and part_files.none(paths[1]) or nil
end

-- What must be the same when a job is resumed, apart from the rows: where the members go, what is said of their audience, and how
-- rows become members. A run may have its own callbacks, limits of time, and audiences to delete at the end.
local function header_of(client, audience, opts, script)
  local header = {
    service = client.base, account = client.account_id,
    audience = audience.id, name = audience.name or "", consent_basis = audience.consent_basis or "",
    max_members = opts.max_members, max_bytes = opts.max_bytes, mode = opts.mode or "upsert",
    by = script.map and "map" or "member", epochs = opts.unique == true or (opts.concurrency or 1) > 1, identity = identity.version,
  }
  for key in pairs(script_of.READING_OPTIONS) do
    local value = opts[key]
    if key == "repair" then
      value = value ~= false
    elseif key == "ids" then
      value = value or "refuse"
    elseif dialect.OPTIONS[key] then
      value = dialect.noted(key, value)
    elseif type(value) == "table" then
      value = table.concat(value, ",")
    end
    header[key] = value == nil and "" or value
  end
  return header
end

-- Whether an input can be read again, as resuming a job needs it.
local function check_readable_again(paths)
  if type(paths) ~= "table" or source_of.is(paths) then
    return nil, errors.new("invalid", "journal: only files can be resumed, not iterators and readers", { code = "no_file" })
  end
  for _, path in ipairs(paths) do
    local kind = core.file_kind(path)
    if path == "-" or kind and kind ~= "file" then
      return nil, errors.new("invalid", ("journal: %s cannot be read again, so the job could not be resumed; save it to a file first"):format(
        path == "-" and "standard input" or ("%s is a %s, which"):format(path, kind)), { code = "no_file" })
    end
  end
  return true
end

local function keep_journal(self, client, audience, script)
  local keeper = self.opts.journal
  if type(keeper) == "string" then
    keeper = journal.file(keeper)
  end
  return self.job:keep(keeper, header_of(client, audience, self.opts, script))
end

--- Runs a script over its input.
---@param client table
---@param script scope3.Script
---@param input scope3.Source|(fun(): table?)|string[]  a source, an iterator of tables, or paths
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked
---@return scope3.Result?
---@return scope3.Error? err  with `result` once the job had begun
function run.run(client, script, input, audience, opts)
  local plan = plan_of(script)
  local from, shape, known, ok, err, _
  if opts.journal then
    ok, err = check_readable_again(input)
    if not ok then
      return nil, err
    end
  end
  if type(input) == "function" then
    local columns, keys = number_keys(plan.wanted)
    from, shape = from_iterator, shape_of(plan, columns)
    shape.columns, shape.keys = keys, keys
  elseif source_of.is(input) then
    from = from_source
    shape, err = shape_for(plan, input, opts)
  else
    from = from_paths
    shape, err, known = check_paths(plan, input, opts)
  end
  if not shape then
    return nil, opts.guard.fault or err
  end

  if opts.guard.fault then
    return nil, opts.guard.fault
  end
  local work = job.new(client, { audience }, opts)
  local self = { job = work, opts = opts, on_event = opts.on_event or client.on_event, missing = {} }
  if opts.journal and not opts.dry_run then
    ok, err = keep_journal(self, client, audience, script)
    if not ok then
      return nil, work:refuse(err)
    end
  end
  if opts.delete_missing then
    ok, err = prune.prepare(work, { audience }, opts.delete_missing)
    if not ok then
      return nil, work:refuse(err)
    end
  end
  if from == from_paths and not opts.dry_run and not next(known.open) then
    rebuilding.allow(work, audience, input, opts, shape, function(again)
      return from_paths(again, input, plan, known)
    end)
  end
  self.batcher = batcher.new(work, audience, opts, shape)
  err = from(self, input, plan, known)
  for _, source in pairs(known and known.open or {}) do
    source:close()
  end
  err = err or keys_of.report(self.missing, plan, work.result, self.batcher.builder:counts(), opts.mode)
  if not err then
    ok, err = self.batcher:finish()
    if ok then
      ok, err = work:await()
    end
    if ok and work.past then
      ok, err = work.past:beyond(self.batcher.cuts)
    end
    if ok and work.leftover then
      ok, err = completion.send_leftovers(work)
    end
    if ok and opts.delete_missing and not opts.dry_run then
      _, err = prune.after(work, { audience }, opts.delete_missing, self.batcher.cuts)
    end
  end
  if err and err ~= work.failure then
    work:stop(err)
  end
  self.batcher:abandon()
  self.batcher:close()
  return work:finish()
end

return run
