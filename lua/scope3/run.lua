--- A transformation: rows of a source through a script into an audience, in slices between which the network moves on.
local errors = require "scope3.error"
local intake = require "scope3.intake"
local job = require "scope3.job"
local mapping = require "scope3.mapping"
local redact = require "scope3.redact"

local run = {}

-- A slice of building ends after so much input or time; then the engine, progress and cancellation have their turn.
local SLICE_BYTES, SLICE_SECONDS = 256 * 1024, 0.001

-- What happens between two slices; an error stops the job.
local function between(self, bytes, size)
  self.job:pump()
  self.intake:report_refusals()
  self.on_event { event = "progress", bytes = bytes, size = size, builder = self.intake.builder, result = self.job.result }
  if self.opts.cancel and self.opts.cancel() then
    return errors.new("cancelled", "stopped before the end of the input")
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

-- Rows of a parser in C: CSV and JSON Lines.
local function from_source(self, source)
  local builder, handle = self.intake.builder, source.handle
  while true do
    local state, detail, row = builder:fill(self.intake.payload, handle, SLICE_BYTES, SLICE_SECONDS)
    local err = between(self, handle:bytes(), handle:size())
    if err then
      return err
    elseif state == "full" then
      local ok, why = self.intake:make_room()
      if not ok then
        return why
      end
    elseif state == "need" then
      local ok, why = source:feed()
      if not ok then
        return why
      end
    elseif state == "fatal" then
      return source:fatal(detail)
    elseif state == "script" then
      return script_failed(detail, row)
    elseif state == "end" then
      return nil
    end
  end
end

local ROWS_A_SLICE = 256

-- Rows of any Lua iterator of tables.
local function from_iterator(self, iterate)
  local rows = 0
  while true do
    local row, why = iterate()
    if row == nil then
      if why ~= nil then
        return errors.is(why) and why or errors.new("source", "the iterator failed: " .. redact.text(tostring(why)))
      end
      return nil
    elseif type(row) ~= "table" then
      return errors.new("source", ("the iterator gave a %s as row %d; rows must be tables"):format(type(row), rows + 1))
    end
    rows = rows + 1
    local state, detail, number = self.intake.builder:take(self.intake.payload, row)
    if state == "script" then
      return script_failed(detail, number)
    elseif state == "full" then
      local ok, err = self.intake:make_room()
      if not ok then
        return err
      end
    end
    if rows % ROWS_A_SLICE == 0 then
      local err = between(self)
      if err then
        return err
      end
    end
  end
end

-- What a script looks at: its targets and conditions, as `wanted` columns in one list, targets first.
local function wanted_of(script)
  local targets = script.map and mapping.targets(script.map) or nil
  local conditions = type(script.where) == "table" and mapping.conditions(script.where) or {}
  local wanted = {}
  for _, target in ipairs(targets or {}) do
    wanted[#wanted + 1] = target
  end
  for _, condition in ipairs(conditions) do
    wanted[#wanted + 1] = { path = "where", column = condition.column }
  end
  return targets, conditions, wanted
end

-- What the builder is told, with the columns that were found for what is wanted.
local function shape_of(script, targets, conditions, columns)
  local shape = { where = type(script.where) == "function" and script.where or nil, member = script.member, conditions = {}, columns = {} }
  if targets then
    shape.targets = {}
    for i, target in ipairs(targets) do
      shape.targets[i] = { target.role, columns[i], target.uid_type }
    end
  end
  for i, condition in ipairs(conditions) do
    shape.conditions[i] = { condition.operator, columns[(targets and #targets or 0) + i], condition.values }
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

--- Runs a script over a source.
---@param client table
---@param script scope3.Script
---@param source scope3.Source|fun(): table?  a source, or an iterator of tables
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked
---@return scope3.Result?
---@return scope3.Error? err  with `result` once the job had begun
function run.run(client, script, source, audience, opts)
  local targets, conditions, wanted = wanted_of(script)
  local from, shape, columns, err
  if type(source) == "function" then
    local keys
    from = from_iterator
    columns, keys = number_keys(wanted)
    shape = shape_of(script, targets, conditions, columns)
    shape.columns, shape.keys = keys, keys
  else
    from = from_source
    columns, err = source:resolve(wanted, opts.cancel)
    if not columns then
      return nil, err
    end
    shape = shape_of(script, targets, conditions, columns)
    shape.columns, err = source:columns(opts.cancel)
    if not shape.columns then
      return nil, err
    end
  end

  local work = job.new(client, { audience }, opts)
  local self = { job = work, opts = opts, on_event = opts.on_event or client.on_event,
    intake = intake.new(work, audience, opts, shape) }
  err = from(self, source)
  if not err then
    local ok
    ok, err = self.intake:cut()
    if ok then
      work:await()
    end
  end
  if err and err ~= work.failure then
    work:stop(err)
  end
  self.intake:abandon()
  self.intake:close()
  return work:finish()
end

return run
