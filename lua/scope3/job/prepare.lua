--- Rows become members, which are written as lines of JSON and sent later: hashing apart from sending.
---
---     input ── rows ──► lines ──► write()
---
--- Of one external id all members are written, in the order of their rows: a job over the lines replaces those that one
--- over the rows would. So both make the same requests.
local batcher = require "scope3.job.batcher"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local inputs = require "scope3.job.inputs"
local left_out = require "scope3.job.left_out"
local missing_keys = require "scope3.input.missing_keys"
local result = require "scope3.result"
local rows = require "scope3.job.rows"
local shape = require "scope3.job.shape"

---@class scope3.Preparation: scope3.RowTaker
---@field private payload table  of lines
---@field private operation "add"|"remove"
local Preparation = {}
Preparation.__index = Preparation

local prepare = {}

local LINE_MAX = 1048576 -- bytes of a member with what follows it: no longer line is read again
local TEXT_MAX = LINE_MAX -- bytes that are written at once

-- Nothing is sent, so there is nothing to wait for.
local NOBODY = { follow = function(_, res)
  return res
end }

local function new(opts, found, res)
  return setmetatable({
    opts = opts, result = res, write = opts.write, operation = opts.mode == "remove" and "remove" or "add",
    columns = found.columns or {}, conditions = found.plan or {}, where = found.where,
    builder = batcher.builder(opts, found, LINE_MAX),
    payload = core.payload { lines = true, max_bytes = TEXT_MAX },
  }, Preparation)
end

--- Fills the lines with members of a source's rows.
---@param handle table  the parser
---@param bytes number  after which it returns
---@param seconds number
---@return string state
---@return any ...
function Preparation:step(handle, bytes, seconds)
  return self.builder:fill(self.payload, handle, bytes, seconds)
end

--- Goes on with another source, whose columns may lie elsewhere.
---@param found {targets: table?, conditions: table, columns: table}
---@param file? string  its path, for rejections
function Preparation:turn_to(found, file)
  self.builder:columns(found.targets, found.conditions)
  self.columns, self.file = found.columns, file
end

Preparation.report_rejections = batcher.report_rejections

-- Writes the lines that there are.
local function put(self)
  local count = self.payload:count()
  if count == 0 then
    return true
  end
  local called, ok, why = guard.call(self.write, self.payload:lines(self.operation))
  if not called then
    return nil, guard.error("write", ok)
  elseif not ok then
    return nil, errors.new("source", "the members could not be written" .. (why and ": " .. guard.text(why) or ""),
      { code = "unwritten" })
  end
  self.payload:reset()
  self.result.prepared = self.result.prepared + count
  return true
end

--- Writes lines until the builder's waiting members have room.
---@return true?
---@return scope3.Error? err
function Preparation:make_room()
  local ok, err
  repeat
    ok, err = put(self)
  until not ok or self.builder:flush(self.payload)
  return ok, err
end

-- Adds the counts to the result, and frees what is held.
local function close(self)
  self:report_rejections()
  local counts = self.builder:counts()
  batcher.report(self, self.result, counts)
  self.result.failed = counts.members - self.result.prepared
  self.builder:close()
  self.payload:close()
end

-- What happens between two slices of the input. An error ends the reading.
local function pause_between(self, progress, bytes, size)
  local opts = self.opts
  self:report_rejections()
  local count, skipped, rejected, members = self.builder:sums()
  opts.on_event { event = "progress", bytes = bytes, size = size, rows = count, skipped = skipped,
    rejected = rejected, members = members, result = self.result, file = progress.file }
  if opts.guard.fault or opts.cancel and opts.cancel() or opts.guard.fault then
    return opts.guard.fault or errors.new("cancelled", "stopped before the end of the input")
  end
end

local function read_all(self, input, plan, rest)
  local progress, missing = {}, {}
  local err = input.read({
    batcher = self, rest = rest, report = { result = self.result, missing = missing },
    pause = function(bytes, size)
      return pause_between(self, progress, bytes, size)
    end,
  }, function(file)
    progress.file = file
  end)
  input.close()
  if not err then
    local ok
    ok, err = put(self)
    err = not ok and err or missing_keys.report(missing, plan, self.result, self.builder:counts(), self.opts.mode)
  end
  return err
end

-- What a job has that reads lists of people who are left out.
local function job_of(opts, res)
  return { guard = opts.guard, report = function(_, field, value)
    res[field] = value
  end }
end

-- The options with callbacks that cannot raise.
local function with_callbacks(given)
  local callbacks, opts = guard.new(), {}
  for key, value in entries(given) do
    opts[key] = value
  end
  opts.guard, opts.on_event = callbacks, callbacks:wrap("on_event", given.on_event) or function() end
  opts.on_reject, opts.cancel = callbacks:wrap("on_reject", given.on_reject), callbacks:wrap("cancel", given.cancel)
  return opts
end

--- Prepares the members of an input.
---@param loop scope3.Loop
---@param is_foreign boolean  the loop may raise
---@param script scope3.Script  with a map
---@param input scope3.Source|(fun(): table?)|string[]
---@param given table  checked options, and `write`
---@return scope3.Result?
---@return scope3.Error? err  with `result` once rows were read
function prepare.run(loop, is_foreign, script, input, given)
  local opts, plan, res = with_callbacks(given), shape.plan(script), result.new(NOBODY, {})
  local context, began = { loop = loop, foreign_loop = is_foreign }, loop.now()
  res.prepared = 0
  local opened, err = inputs.open(plan, input, opts)
  if not opened or opts.guard.fault then
    return nil, opts.guard.fault or err
  end
  local ok
  ok, err = left_out.of_job(context, job_of(opts, res), opts, plan.members)
  if not ok then
    opened.close()
    return nil, err
  end
  local self = new(opts, opened.shape, res)
  err = read_all(self, opened, plan, rows.rest_of(context, opts.guard))
  close(self)
  left_out.close(opts)
  err = opts.guard.fault or err
  res.seconds = loop.now() - began
  if err then
    return nil, errors.with(err, { result = res })
  end
  return res
end

return prepare
