--- Opens a file that is looked at, as often as that takes. What comes once, such as a pipe, is kept and read again.
local core = require "scope3.core"
local errors = require "scope3.error"
local source = require "scope3.input.source"

local opening = {}

local CHUNK = 65536

---@class scope3.LookOpening
---@field path string  "-" is standard input
---@field once boolean  its bytes come once
---@field file? file*
---@field stopped fun(): boolean?  whether the reading is to end
---@field chunks string[]  of what comes once: those that came
---@field ended? boolean
local Opening = {}
Opening.__index = Opening

--- Begins with a path.
---@param path string
---@param stopped fun(): boolean?
---@return scope3.LookOpening
function opening.new(path, stopped)
  local kind = path ~= "-" and core.file_kind(path)
  return setmetatable({ path = path, once = path == "-" or kind == "pipe" or kind == "socket" or kind == "device",
    stopped = stopped, chunks = {} }, Opening)
end

local function next_chunk(self)
  local why
  if not self.file then
    self.file = io.stdin
    if self.path ~= "-" then
      self.file, why = io.open(self.path, "rb")
    end
  end
  if not self.file then
    return nil, errors.new("source", "cannot read " .. tostring(why))
  end
  if self.stopped() then
    return nil, errors.new("cancelled", "stopped by a signal")
  end
  local chunk
  chunk, why = self.file:read(CHUNK)
  if self.stopped() then -- it interrupted the reading, which is no fault of the file
    return nil, errors.new("cancelled", "stopped by a signal")
  elseif chunk then
    self.chunks[#self.chunks + 1] = chunk
  elseif why then
    return nil, errors.new("source", ("cannot read %s: %s"):format(self.path == "-" and "standard input" or self.path,
      tostring(why)))
  else
    self.ended = true
  end
  return chunk
end

-- A reader of what came, and then of what comes.
local function reader(self)
  local at = 0
  return function()
    at = at + 1
    if self.chunks[at] or self.ended then
      return self.chunks[at]
    end
    return next_chunk(self)
  end
end

--- A source that begins at the first row.
---@param opts table  format, and what scope3.csv() and scope3.jsonl() take
---@return scope3.Source?
---@return scope3.Error? err
function Opening:source(opts)
  local input = self.once and reader(self) or self.path
  local made, err
  if opts.format == "jsonl" then
    made, err = source.jsonl(input, { encoding = opts.encoding })
  else
    made, err = source.csv(input, { delimiter = opts.delimiter, quote = opts.quote, escape = opts.escape,
      null = opts.null, skip_lines = opts.skip_lines, header = opts.header, encoding = opts.encoding })
  end
  if made and self.once then
    made.name = self.path == "-" and "standard input" or self.path
  end
  return made, err
end

--- Whether the text begins with the byte order mark of UTF-8; nil where it is packed.
---@return boolean?
function Opening:marked()
  local first = self.chunks[1]
  if not self.once then
    local file = io.open(self.path, "rb")
    first = file and file:read(3)
    if file then
      file:close()
    end
  end
  if not first or first:sub(1, 2) == "\31\139" then
    return nil
  end
  return first:sub(1, 3) == "\239\187\191"
end

--- Closes what was opened here.
function Opening:close()
  if self.file and self.path ~= "-" then
    self.file:close()
  end
end

return opening
