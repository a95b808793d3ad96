--- Sources of rows: CSV and JSON Lines from a path, standard input or a reader function, compressed with gzip or not.
local arguments = require "scope3.util.arguments"
local column_finder = require "scope3.input.column_finder"
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local errors = require "scope3.error"
local gunzip = require "scope3.input.gunzip"
local open_sources = require "scope3.input.open_sources"
local options = require "scope3.util.options"
local redact = require "scope3.util.redact"
local source_errors = require "scope3.input.source_errors"
local visible = require "scope3.util.visible"

---@class scope3.Row  a row of a source. In CSV a key is a column's name, in any spelling, or its number; an unknown key
---  raises an error
---@field [string|integer] any

---@class scope3.Source
---@overload fun(): scope3.Row?  a fault raises its error
---@field name string  what to call it in messages
local Source = {}
Source.__index = Source
Source.__name = "scope3.source_of_rows"

local source = {}

local OPTIONS = {
  csv = options.merge(dialect.OPTIONS, { header = "boolean" }),
  jsonl = { encoding = "string" },
}

local INPUT = "a path, an open file or a function that gives chunks"
local READ_SIZE = 65536

-- A function that gives chunks of what the caller gave; nil for a path.
local function reader_of(format, input, level)
  if type(input) == "string" then
    return nil
  elseif type(input) == "function" then
    return input
  elseif io.type(input) == "file" then
    return function()
      return input:read(READ_SIZE)
    end
  end
  local closed = io.type(input) == "closed file" and ("input must be %s, not a closed file"):format(INPUT)
  error(("scope3.%s: "):format(format) .. (closed or arguments.problem("input", INPUT, input)), level + 1)
end

-- Checks the options of scope3.csv() or scope3.jsonl().
local function check_options(format, opts, level)
  opts = options.check("scope3." .. format, opts, OPTIONS[format], level + 1)
  return opts
end

local function check_dialect(format, opts, level)
  local problem = dialect.problem(opts)
  if problem then
    error(("scope3.%s: %s"):format(format, problem), level + 1)
  end
end

local function shape_of(format, opts)
  local decode = format == "jsonl" and core.json_decode or nil
  return options.merge(dialect.of(opts), { format = format, header = opts.header, decode = decode })
end

-- The parser of a shape, which opens the file of a path.
local function open_handle(shape, path)
  if path then
    open_sources.collect()
  end
  local handle, message = core.source(options.merge(shape, { path = path }))
  if not handle then
    return nil, errors.new("source", message)
  end
  return handle
end

local function name_of(path)
  return path == nil and "the input" or path == "-" and "standard input" or path
end

-- A source, or nil and an error. Misuse is blamed on the function at `level`.
local function open(format, input, opts, level)
  opts = check_options(format, opts, level)
  local reader = reader_of(format, input, level)
  check_dialect(format, opts, level)
  local shape, path = shape_of(format, opts), not reader and input or nil
  local handle, err = open_handle(shape, path)
  if not handle then
    return nil, err
  end
  local self = setmetatable({
    handle = handle, -- the parser
    shape = shape, -- for another parser, should this be gzip
    reader = reader, -- nil where the parser reads the file itself
    format = format,
    path = path ~= "-" and path or nil, name = name_of(path),
    has_header = format == "csv" and opts.header ~= false,
  }, Source)
  if path then
    open_sources.add(self)
  end
  return self
end

-- From Lua 5.4 on a generic `for` closes its fourth value when it is left.
local FOR_CLOSES = not rawget(_G, "jit") and not _VERSION:find "5%.[123]$"

-- The results of scope3.csv() and scope3.jsonl(): values that `for` takes.
local function results(self, err)
  if self and FOR_CLOSES then
    return self, nil, nil, self
  end
  return self, err
end

--- Rows of a CSV file (RFC 4180). Comma, semicolon, tab or pipe is found by itself. Iterate it
--- (`for row in source do … end`; a fault raises its error), call `source:next()` where rows after a faulty one are
--- wanted too, or give it to client:run(). From Lua 5.4 on, a loop over `scope3.csv(…)` closes the file when it ends,
--- also early.
---@param input string|file*|fun(): string?  a path ("-" is standard input), an open file, or a function that gives
---  chunks and nil at the end
---@param opts? scope3.CsvOptions
---@return scope3.Source?
---@return scope3.Error? err  kind "source"
function source.csv(input, opts)
  local made, err = open("csv", input, opts, 3) -- no tail call: misuse is blamed on the third function
  return results(made, err)
end

--- Rows of a JSON Lines file: one object a line. Objects may also stand in one array, or follow each other over any
--- lines.
---@param input string|file*|fun(): string?  as of scope3.csv()
---@param opts? scope3.JsonLinesOptions
---@return scope3.Source?
---@return scope3.Error? err  kind "source"
function source.jsonl(input, opts)
  local made, err = open("jsonl", input, opts, 3)
  return results(made, err)
end

---@param value any
---@return boolean
function source.is(value)
  return getmetatable(value) == Source
end

local JSON_ENDINGS = { jsonl = true, ndjson = true, json = true, jsonlines = true, ldjson = true, ["json-seq"] = true }

--- The format of a path: that of the options, else by the ending of its name.
---@param path string
---@param opts {format: string?}
---@return "csv"|"jsonl"
function source.format_of(path, opts)
  local lower = core.lower(path)
  lower = lower:gsub("%.gz$", "")
  return opts.format or JSON_ENDINGS[lower:match("%.([^./]*)$")] and "jsonl" or "csv"
end

--- The source of a path, in the format that source.format_of() gives.
---@param path string
---@param opts scope3.ScriptOptions
---@return scope3.Source?
---@return scope3.Error? err
function source.open(path, opts)
  local made, err
  if source.format_of(path, opts) == "jsonl" then
    made, err = source.jsonl(path, { encoding = opts.encoding })
  else
    made, err = source.csv(path, options.merge(dialect.options(opts), { header = opts.header }))
  end
  return made, err
end

-- Goes on with the unpacked text of a source that turned out to be gzip. Nothing of it was read before.
local function unzip(self)
  local packed, reader = self.handle, self.reader
  local function read()
    local bytes, state, why = packed:raw()
    if bytes then
      return bytes
    elseif state == nil and reader then
      return reader()
    elseif state == nil then
      return nil
    elseif state == "fatal" then
      return nil, errors.new("source", self.name .. ": " .. why, { code = "read_error" })
    end
    return "" -- nothing has come yet: the caller asks for cancellation
  end
  local text, err, taken = gunzip.reader(read, self.name)
  if not text then
    return nil, err
  end
  self.packed, self.reader, self.taken = packed, text, taken
  self.handle = core.source(self.shape)
  return true
end

---@private
--- What to do about a fatal fault of the handle: true when the source goes on after all, with another handle.
---@param fatal {reason: string, message: string, row: integer?}
---@return true?
---@return scope3.Error? err
function Source:recover(fatal)
  if fatal.reason == "gzip" and not self.packed then
    return unzip(self)
  end
  return nil, source_errors.fatal(self, fatal)
end

---@private
--- Whether its bytes come once, so that it can neither be opened again nor read twice: a pipe, a terminal, a socket.
---@return boolean
function Source:once()
  return (self.packed or self.handle):once()
end

---@private
--- A text that changes when its file does; nil where there is no file.
---@return string?
function Source:stamp()
  return (self.packed or self.handle):stamp()
end

---@private
--- Whether it is read as these options say.
---@param opts {quote: string?, escape: string?, null: string?}
---@return boolean
function Source:is_written(opts)
  local written = dialect.of(opts)
  local shape = self.shape
  return self.format == "csv" and shape.quote == written.quote and shape.escape == written.escape
    and shape.null == written.null
end

---@private
--- How far the reading is: bytes of the file, compressed ones where it is, and its size where it is known.
---@return integer bytes
---@return integer? size
function Source:progress()
  if self.packed then
    return self.taken(), self.packed:size()
  end
  return self.handle:bytes(), self.handle:size()
end

---@private
--- Limits what the upload of a stranger may cost: a small gzip file can unpack to a thousand times its size.
---@param bounds {rows: integer?, bytes: integer?}  the most rows, empty lines included, and the most bytes, unpacked
---  ones where it is gzip
function Source:bound(bounds)
  self.bounds = bounds
end

local CHUNK = 256 * 1024 -- the parser takes no more at once

-- The error of a reader that failed. One of this library goes on as it is.
local function reader_error(self, why)
  return errors.is(why) and why
    or errors.new("source", self.name .. ": the reader failed: " .. redact.text(tostring(why)))
end

---@private
--- Gives the next chunk of a reader to the parser.
---@return true?
---@return scope3.Error? err
function Source:feed()
  local chunk, why = self.chunk, source_errors.beyond_bounds(self)
  if why then
    return nil, why
  elseif not chunk then
    chunk, why = self.reader()
    self.at = 1
  end
  if chunk == nil then
    if why ~= nil then
      return nil, reader_error(self, why)
    end
    self.handle:finish()
  elseif type(chunk) == "userdata" and self.packed then -- a view of what was unpacked, which is no larger than CHUNK
    self.handle:feed(chunk)
  elseif type(chunk) ~= "string" then
    error("the reader must give strings and nil at the end, not a " .. type(chunk), 0)
  elseif #chunk > CHUNK then
    self.handle:feed(chunk:sub(self.at, self.at + CHUNK - 1))
    self.at = self.at + CHUNK
    self.chunk = self.at <= #chunk and chunk or nil
  elseif chunk ~= "" then
    self.handle:feed(chunk)
  end
  return true
end

-- Gives the parser what its state asks for: the next chunk, or another parser after a fault. True when reading goes on.
local function serve(self, state, fatal)
  if state == "need" then
    return self:feed()
  elseif state == "fatal" then
    return self:recover(fatal)
  end
  return true
end

---@private
--- The names in the header. An empty list where there is no header, or where it looks like data of people, which no
--- message may show.
---@param cancel? fun(): boolean?  asked when a signal interrupts the reading
---@return string[]?
---@return scope3.Error? err
function Source:columns(cancel)
  if self.format ~= "csv" then
    return {}
  end
  while true do
    local names, state, fatal = self.handle:columns()
    if names then
      self.width, self.advice = state, self.handle:advice()
      for i, name in ipairs(names) do
        names[i] = core.utf8_valid(name) and name or visible.lossy(name)
      end
      return self.advice and {} or names
    end
    local ok, err = serve(self, state, fatal)
    if not ok then
      return nil, err
    elseif cancel and cancel() then
      return nil, errors.new("cancelled", "stopped before the first row")
    end
  end
end

local GOES_ON = { need = true, fatal = true, again = true } -- states of the parser before the end

--- The next row as a table, nil at the end. Nil and an error stand for a row that cannot be read; the next call goes on
--- after it. Where the input breaks, they come once.
---@return scope3.Row? row
---@return scope3.Error? err
function Source:next()
  arguments.self(source.is(self), "source:next", "scope3.source_of_rows", self)
  while not self.ended do
    local row, state, fatal = self.handle:read()
    if row then
      return row
    elseif row == false then
      return nil, source_errors.row(self, state)
    end
    local ok, err = serve(self, state, fatal)
    self.ended = not ok or not GOES_ON[state]
    if not ok then
      return nil, err
    end
  end
end

-- The iterator of `for`. It raises an error, because nil would end the loop like the end of the rows.
function Source:__call()
  local row, err = self:next()
  if err then
    error(err, 0)
  end
  return row
end

--- Closes the file. Idempotent; an ended source may be closed too.
function Source:close()
  arguments.self(source.is(self), "source:close", "scope3.source_of_rows", self)
  self.ended = true
  open_sources.remove(self)
  self.handle:close()
  if self.packed then
    self.packed:close()
  end
end

--- Closes it where a variable of it is left (Lua 5.4).
function Source:__close()
  self:close()
end

---@private
--- Reads the header and finds the columns that names or numbers mean.
---@param wanted scope3.WantedColumn[]
---@param cancel? fun(): boolean?  asked when a signal interrupts the reading
---@return (string|integer)[]? columns  in the same order: numbers, or names for JSON Lines
---@return scope3.Error? err  names every column that is missing, and those there are
function Source:resolve(wanted, cancel)
  local names, err = self:columns(cancel)
  if not names then
    return nil, err
  end
  return column_finder.resolve(self, names, wanted)
end

return source
