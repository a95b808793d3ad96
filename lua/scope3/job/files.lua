--- The files of a job: the header of each is read before anything is sent, and the rows of all after that.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local part_files = require "scope3.input.part_files"
local result = require "scope3.result"
local rows = require "scope3.job.rows"
local shape = require "scope3.job.shape"
local source = require "scope3.input.source"

---@class scope3.JobFiles
---@field paths string[]
---@field shape table  of the first file that has rows
---@field private plan scope3.Plan
---@field private opts table
---@field private open table<string, scope3.Source>  what can be read once only, such as a pipe
---@field private stamps table<string, string>  of the other files
local Files = {}
Files.__index = Files

local files = {}

local function changed(path)
  return errors.new("source",
    path .. ": the file was changed, or replaced, after its header was looked at; run the job again",
    { code = "changed_input" })
end

-- Reads the header of a file. Gives its shape, nil and an error, or nil alone where the file is to be left out.
local function check(self, path)
  if part_files.is_mark(path, #self.paths) then
    return nil
  end
  local src, err = source.open(path, self.opts)
  local found
  if src then
    self.stamps[path] = src:stamp()
    found, err = shape.for_source(self.plan, src, self.opts)
  end
  local left_out = not found and part_files.is_empty(src, err, #self.paths)
  if src and (src:once() or path == "-") then
    self.open[path], self.stamps[path] = src, nil
  elseif src then
    src:close()
  end
  return found, not left_out and err or nil
end

--- Reads the header of every file before anything is sent. Files are closed again, because there may be many; what can
--- be read once only, such as a pipe, stays open.
---@param plan scope3.Plan
---@param paths string[]
---@param opts table  checked options of the job
---@return scope3.JobFiles?
---@return scope3.Error? err
function files.check(plan, paths, opts)
  local self = setmetatable({ plan = plan, paths = paths, opts = opts, open = {}, stamps = {} }, Files)
  for _, path in ipairs(paths) do
    local found, err = check(self, path)
    if err then
      self:close()
      return nil, part_files.empty_pipe(err, #paths)
    end
    self.shape = self.shape or found
  end
  if not self.shape then
    return nil, part_files.none(paths[1])
  end
  return self
end

--- Whether every file can be read again.
---@return boolean
function Files:can_be_read_again()
  return next(self.open) == nil
end

--- Closes what stayed open.
function Files:close()
  for _, src in entries(self.open) do
    src:close()
  end
end

-- The source of a path, as its header was read.
local function reopen(self, path)
  if self.open[path] then
    return self.open[path]
  end
  local src, err = source.open(path, self.opts)
  if src and src:stamp() ~= self.stamps[path] then
    src:close()
    return nil, changed(path)
  end
  return src, err
end

-- Takes the rows of a source.
local function take(self, reader, src, found, path, number)
  reader.batcher:turn_to(found, #self.paths > 1 and path or nil, number)
  local err = rows.from_source(reader, src)
  reader.batcher:report_rejections()
  return err
end

-- Reads the rows of one open file.
local function read(self, reader, src, path, number)
  local found, err = shape.for_source(self.plan, src, self.opts)
  if not found then
    return err
  end
  err = take(self, reader, src, found, path, number)
  if reader.keeping and reader.report then
    reader.keeping:ended(src, found, number)
  end
  local has_changed = self.stamps[path] and src:stamp() ~= self.stamps[path]
  if has_changed and reader.is_whole then
    return err or changed(path)
  elseif has_changed and reader.report then
    result.warn(reader.report.result, "changed_input",
      path .. ": the file was written to while it was read, so rows may be missing or cut", { file = path })
  end
  return err
end

-- Reads one file. Gives an error, and whether the file was left out.
local function read_path(self, reader, path, number)
  if part_files.is_mark(path, #self.paths) then
    return nil, true
  end
  local kept = reader.keeping and not reader.report and reader.keeping:file(number)
  if kept then
    return take(self, reader, kept, kept.shape, path, number), false
  end
  local src, err = reopen(self, path)
  if src then
    err = read(self, reader, src, path, number)
  end
  local left_out = part_files.is_empty(src, err, #self.paths)
  if src then
    src:close()
  end
  return not left_out and err or nil, left_out
end

--- Reads the rows of all files, one after the other. Empty files are left out, unless all are empty.
---@param reader scope3.RowReader
---@param on_file? fun(file: {path: string, number: integer, count: integer}?)  called before each file
---@return scope3.Error? err
function Files:read(reader, on_file)
  local count, left_out = #self.paths, 0
  for i, path in ipairs(self.paths) do
    if on_file then
      on_file(count > 1 and { path = path, number = i, count = count } or nil)
    end
    local err, is_left_out = read_path(self, reader, path, i)
    if is_left_out then
      left_out = left_out + 1
      if reader.report then
        part_files.report(reader.report.result, path, part_files.is_mark(path, count))
      end
    end
    if err then
      return err
    end
  end
  return left_out == count and part_files.none(self.paths[1]) or nil
end

return files
