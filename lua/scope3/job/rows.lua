--- Reads the rows of an input into a batcher, in slices. Between two slices the network moves on.
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local line_counts = require "scope3.input.line_counts"
local missing_keys = require "scope3.input.missing_keys"
local rare = require "scope3.util.rare"
local redact = require "scope3.util.redact"
local result = require "scope3.result"
local source_errors = require "scope3.input.source_errors"

---@class scope3.RowReader  reads into a batcher
---@field batcher scope3.Batcher|scope3.RowTaker
---@field pause fun(bytes: integer?, size: integer?): scope3.Error?  called between two slices, with what was read of
---  the file and its size; an error ends reading
---@field rest? fun(): false?  lets others run between two slices; false where there are none
---@field is_whole? boolean  who has no row in these files is missed: a file written to meanwhile is an error
---@field report? scope3.RowReport  nil where an input is read once more: it was reported then
---@field keeping? scope3.NightKeeping  what keeps the rows of a night

---@class scope3.RowTaker  what rows of files go into
---@field builder table
---@field step fun(self, handle: table, bytes: number, seconds: number): string, ...  takes rows; "fault" with an error
---  ends reading
---@field turn_to fun(self, shape: table, file: string?, number: integer)
---@field report_rejections fun(self)
---@field make_room? fun(self, why: string): true?, scope3.Error?

---@class scope3.RowReport
---@field result scope3.Result
---@field missing table  keys that no row had, for missing_keys

local rows = {}

-- A slice ends after so much input or time; then the engine, progress and cancellation have their turn. Where nobody
-- else has to run, it may be longer.
local SLICE_BYTES, SLICE_SECONDS, SLICE_ROWS = 256 * 1024, 0.001, 256
local LONGER = 5

--- What lets others run between two slices, where the loop can. One of the host's own may raise, which stops the job.
---@param context scope3.Context
---@param job_guard scope3.Guard
---@return (fun(): false?)?
function rows.rest_of(context, job_guard)
  local rest = context.loop.rest
  if not rest or not context.foreign_loop then
    return rest
  end
  return function()
    local ok, problem = guard.call(rest)
    if not ok then
      job_guard:blame("the loop", problem)
    end
  end
end

local function script_failed(message, row, line)
  local at = line and (" (line %.0f)"):format(line) or ""
  return errors.new("script", ("the script failed at row %.0f%s: %s"):format(row, at, redact.patterns(message)),
    { code = "script_error" })
end

local function feed(src)
  local called, ok, err = guard.call(src.feed, src)
  if not called then
    return guard.error(src.name .. ": the reader", ok, "source")
  end
  return not ok and err or nil
end

-- Sends what the builder has, which is full, or whose next member begins another epoch.
local function make_room(why)
  return function(reader)
    local made, err = reader.batcher:make_room(why)
    return not made and err or nil
  end
end

-- What to do for a state in which the builder stopped; each gives an error that ends reading, or nil.
local ON_STATE = { full = make_room "full", turn = make_room "turn" }

function ON_STATE.need(_, src)
  return feed(src)
end

function ON_STATE.fatal(reader, src, detail)
  local ok, err = src:recover(detail)
  if ok and reader.keeping and reader.report then
    reader.keeping:turn_to(src) -- it is packed
  end
  return not ok and err or nil
end

function ON_STATE.script(_, _, detail, row, line)
  return script_failed(detail, row, line)
end

function ON_STATE.fault(_, _, err)
  return err
end

-- The error of a row that should be a member already and is none, or nil. Nothing after it may be sent.
local function unprepared(batcher, src)
  local row, line, reason, field = batcher.builder:unprepared()
  return row and source_errors.unprepared(src, row, line, reason, field) or nil
end

local function read_source(reader, src)
  local batcher, longer = reader.batcher, reader.rest and 1 or LONGER
  while true do
    local state, detail, row, line = batcher:step(src.handle, rare.number("slice_bytes", SLICE_BYTES * longer),
      rare.number("slice_seconds", SLICE_SECONDS * longer))
    local err = unprepared(batcher, src) or reader.pause(src:progress())
    if not err and reader.rest then
      longer = reader.rest() == false and LONGER or 1
    end
    if not err and state == "end" then
      return nil
    end
    local act = not err and ON_STATE[state]
    err = err or act and act(reader, src, detail, row, line)
    if err then
      return err
    end
  end
end

-- Reports what the rows of a source were like.
local function report_source(reader, src, failed)
  local res, builder = reader.report.result, reader.batcher.builder
  local wrapped = src.handle:rows() == 1 and src.handle:wrapped() or nil
  line_counts.add(res, src)
  encodings.report(res, src)
  missing_keys.add(reader.report.missing, builder, src.name, src.handle:keys(), wrapped)
  if wrapped and not failed and builder:counts().used_rows == 0 then
    result.warn(res, "wrapped_rows", ("%s: its only row is an object with others inside%s"):format(
      src.name, source_errors.array_advice(wrapped)), { file = src.name })
  end
end

--- Reads rows of a parser in C: CSV and JSON Lines.
---@param reader scope3.RowReader
---@param src scope3.Source
---@return scope3.Error? err
function rows.from_source(reader, src)
  if reader.keeping and reader.report then
    reader.keeping:turn_to(src)
  end
  local err = read_source(reader, src)
  if reader.report then
    report_source(reader, src, err ~= nil)
  end
  return err
end

-- The next row of an iterator: a table, or nil with the error where there is one.
local function next_row(iterate, number)
  local called, row, why = guard.call(iterate)
  if not called then -- one that reads a source raises the error of that
    return nil, errors.is(row) and row or guard.error("the iterator", row, "source")
  elseif row == nil and why ~= nil then
    return nil, errors.is(why) and why or errors.new("source", "the iterator failed: " .. guard.text(why))
  elseif row ~= nil and type(row) ~= "table" then
    return nil, errors.new("source",
      ("the iterator gave a %s as row %d; rows must be tables"):format(type(row), number))
  end
  return row
end

local function pause(reader)
  local err = reader.pause()
  if not err and reader.rest then
    reader.rest()
  end
  return err
end

local function read_iterator(reader, iterate)
  local batcher, count, slice = reader.batcher, 0, rare.number("slice_rows", SLICE_ROWS)
  while true do
    local row, err = next_row(iterate, count + 1)
    if not row then
      return err
    end
    count = count + 1
    local state, detail, number = batcher.builder:take(batcher.payload, row)
    if state ~= "more" then
      err = ON_STATE[state](reader, nil, detail, number)
    end
    if not err and count % slice == 0 then
      err = pause(reader)
    end
    if err then
      return err
    end
  end
end

--- Reads rows of any Lua iterator of tables.
---@param reader scope3.RowReader
---@param iterate fun(): table?
---@return scope3.Error? err
function rows.from_iterator(reader, iterate)
  local err = read_iterator(reader, iterate)
  missing_keys.add(reader.report.missing, reader.batcher.builder, "the rows")
  return err
end

return rows
