--- Sources of rows: CSV and JSON Lines from a path, standard input or a reader function, compressed with gzip or not.
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local door = require "scope3.util.arguments"
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local file_kinds = require "scope3.input.file_kinds"
local gunzip = require "scope3.input.gunzip"
local options = require "scope3.util.options"
local redact = require "scope3.util.redact"
local visible = require "scope3.util.visible"

---@class scope3.CsvOptions  how a CSV file is written
---@field delimiter? string  what separates columns (found by itself): one character, its name (tab, comma, semicolon,
---  pipe, space) or its code (\x01)
---@field skip_lines? integer  lines that stand before the header (none)
---@field quote? string  the character that encloses values ("), or "none"
---@field escape? "backslash"|"none"  what escapes a character of a value (none)
---@field null? string  what stands for no value where it is not quoted (nothing; \N where a backslash escapes)
---@field header? boolean  false where the file has none
---@field encoding? string  "utf-8" (default), "windows-1252", "utf-16le" or another of docs/report.md

---@class scope3.JsonLinesOptions
---@field encoding? string  as of scope3.CsvOptions

---@class scope3.Row  a row of a source: of CSV it finds columns by name or number, in any spelling, and raises for
---  others
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

-- A function that gives chunks of text, from what the caller has.
local function reader_of(input)
  if type(input) == "function" then
    return input
  elseif io.type(input) == "file" then
    return function()
      return input:read(65536)
    end
  end
end

-- Sources that a loop left early have a descriptor until the collector finds them: it is run when there are so many.
local FIRST_LIMIT = 16
local open_sources = setmetatable({}, { __mode = "k" })
local open_count, open_limit = 0, FIRST_LIMIT

local function note_open(self)
  open_sources[self] = true
  open_count = open_count + 1
end

local function note_closed(self)
  if open_sources[self] then
    open_sources[self] = nil
    open_count = open_count - 1
  end
end

local function collect_left_ones()
  if open_count < open_limit then
    return
  end
  collectgarbage()
  open_count = 0
  for _ in pairs(open_sources) do
    open_count = open_count + 1
  end
  open_limit = math.max(FIRST_LIMIT, 2 * open_count)
end

-- What a generic for closes when it is left, from Lua 5.4 on: the fourth value.
local CLOSES = not rawget(_G, "jit") and not _VERSION:find "5%.[123]$"

local function give(self, err)
  if self and CLOSES then
    return self, nil, nil, self
  end
  return self, err
end

local function open(format, input, opts, level)
  opts = options.check("scope3." .. format, opts, OPTIONS[format], level)
  local reader
  if type(input) ~= "string" then
    reader = reader_of(input)
    if not reader then
      local expected = "a path, an open file or a function that gives chunks"
      local closed = io.type(input) == "closed file" and ("input must be %s, not a closed file"):format(expected)
      error(("scope3.%s: "):format(format) .. (closed or door.problem("input", expected, input)), level)
    end
  end
  local problem = dialect.problem(opts)
  if problem then
    error(("scope3.%s: %s"):format(format, problem), level)
  end
  local shape = options.merge(dialect.of(opts), { format = format, header = opts.header, decode = format == "jsonl" and core.json_decode or nil,
    path = not reader and input or nil })
  if not reader then
    collect_left_ones()
  end
  local handle, message = core.source(shape)
  if not handle then
    return nil, errors.new("source", message)
  end
  shape.path = nil
  local self = setmetatable({
    handle = handle,
    shape = shape, -- for another handle, should this one be gzip
    reader = reader,
    format = format,
    path = not reader and input ~= "-" and input or nil,
    name = reader and "the input" or input == "-" and "standard input" or input,
    has_header = format == "csv" and opts.header ~= false,
  }, Source)
  if not reader then
    note_open(self)
  end
  return self
end

--- Rows of a CSV file (RFC 4180): comma, semicolon, tab or pipe is found by itself. Iterate it
--- (`for row in source do … end`; a fault raises its error), ask `source:next()` where the rows behind a faulty one are
--- wanted too, or give it to client:run(). A loop over `scope3.csv(…)` itself closes the file when it is left, from
--- Lua 5.4 on.
---@param input string|file*|fun(): string?  a path ("-" is standard input), an open file, or a function that gives chunks and nil at the end
---@param opts? scope3.CsvOptions
---@return scope3.Source?
---@return scope3.Error? err  kind "source"
function source.csv(input, opts)
  local made, err = open("csv", input, opts, 3) -- no tail call: misuse is blamed on the third function
  return give(made, err)
end

--- Rows of a JSON Lines file: one object a line. Objects may also stand in one array, or one behind the other over
--- any lines.
---@param input string|file*|fun(): string?
---@param opts? scope3.JsonLinesOptions
---@return scope3.Source?
---@return scope3.Error? err
function source.jsonl(input, opts)
  local made, err = open("jsonl", input, opts, 3)
  return give(made, err)
end

---@param value any
---@return boolean
function source.is(value)
  return getmetatable(value) == Source
end

local JSON_ENDINGS = { jsonl = true, ndjson = true, json = true, jsonlines = true, ldjson = true, ["json-seq"] = true }

--- The format of a path: as told, else by the ending of its name.
---@param path string
---@param opts {format: string?}
---@return "csv"|"jsonl"
function source.format_of(path, opts)
  local lower = core.lower(path)
  lower = lower:gsub("%.gz$", "")
  return opts.format or JSON_ENDINGS[lower:match("%.([^./]*)$")] and "jsonl" or "csv"
end

--- The source for a path, by the ending of its name unless the format is told.
---@param path string
---@param opts {format: string?, header: boolean?, delimiter: string?, quote: string?, escape: string?, null: string?, encoding: string?}
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

--- What to do about rows that stand in an array inside one object.
---@param path string|boolean  the names that lead to it, true where they may be somebody's data
---@return string
function source.advice_for(path)
  if path == true then
    return ", in an array: take them out of it first"
  end
  return (", in an array under '%s': take them out first (jq -c '.%s[]')"):format(path,
    path:find("^[A-Za-z_][A-Za-z0-9_.]*$") and path or '"' .. path:gsub("%.", '"."') .. '"')
end

---@private
--- The error of a source that cannot be read further.
---@param fatal {reason: string, message: string, row: integer?, what: string?}
---@return scope3.Error
function Source:fatal(fatal)
  local code = fatal.reason
  local message = encodings.explain(fatal, self.shape.encoding)
  if code == "json_wrapped" then
    message = fatal.message .. source.advice_for(self.handle:wrapped())
  elseif code == "empty" and self.shape.skip_lines then
    message = ("the file is empty after the %.0f lines that are passed over"):format(self.shape.skip_lines)
  elseif not message then
    local kind
    message, kind = file_kinds.explain(code, self.path, self.packed ~= nil)
    code = kind or code
  end
  return errors.new("source", self.name .. ": " .. (message or fatal.message), { code = code })
end

-- Goes on with the text of a source that turned out to be gzip before anything of it was read. True when it did.
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
    return "" -- nothing has come yet: whoever asked looks for cancellation
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
  return nil, self:fatal(fatal)
end

---@private
--- Whether its bytes come once, so that it can neither be opened again nor read twice: a pipe, a terminal, a socket.
---@return boolean
function Source:once()
  return (self.packed or self.handle):once()
end

---@private
--- A text that changes when the file behind it does; nil where there is none.
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
  return self.format == "csv" and self.shape.quote == written.quote and self.shape.escape == written.escape and self.shape.null == written.null
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
--- Bounds what a stranger's upload may cost: a small file of gzip data can unpack to a thousand times its size.
---@param bounds {rows: integer?, bytes: integer?}  the most rows, empty lines included; the most bytes, unpacked ones where it is gzip
function Source:bound(bounds)
  self.bounds = bounds
end

-- The error of a source that goes beyond its bounds; nil while it does not.
local function beyond(self)
  local bounds = self.bounds
  if bounds and bounds.bytes and self.handle:bytes() > bounds.bytes then
    return errors.new("source", ("%s: it has more than %.0f bytes%s"):format(self.name, bounds.bytes, self.packed and " when it is unpacked" or ""),
      { code = "too_many_bytes" })
  elseif bounds and bounds.rows and self.handle:rows() + self.handle:lines().blank > bounds.rows then
    return errors.new("source", ("%s: it has more than %.0f rows, empty lines included"):format(self.name, bounds.rows), { code = "too_many_rows" })
  end
end

local CHUNK = 256 * 1024 -- the parser takes no more at once

---@private
--- Gives the next chunk of a reader to the parser.
---@return true?
---@return scope3.Error? err
function Source:feed()
  local chunk, why = self.chunk, beyond(self)
  if why then
    return nil, why
  elseif not chunk then
    chunk, why = self.reader()
    self.at = 1
  end
  if chunk == nil then
    if why ~= nil then
      return nil, errors.is(why) and why or errors.new("source", self.name .. ": the reader failed: " .. redact.text(tostring(why)))
    end
    self.handle:finish()
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

---@private
--- The names in the header; an empty list where there is none to know, or where it looks like data of people, which is told to nobody.
---@param cancel? fun(): boolean?  asked when a signal interrupts the reading
---@return string[]?
---@return scope3.Error? err
function Source:columns(cancel)
  if self.format ~= "csv" then
    return {}
  end
  while true do
    local columns, state, fatal = self.handle:columns()
    if columns then
      self.width, self.advice = state, self.handle:advice()
      for i, name in ipairs(columns) do
        columns[i] = core.utf8_valid(name) and name or visible.lossy(name)
      end
      return self.advice and {} or columns
    elseif state == "need" then
      local ok, err = self:feed()
      if not ok then
        return nil, err
      end
    elseif state == "fatal" then
      local ok, err = self:recover(fatal)
      if not ok then
        return nil, err
      end
    end
    if cancel and cancel() then
      return nil, errors.new("cancelled", "stopped before the first row")
    end
  end
end

--- The next row as a table, nil at the end. Nil and an error stand for a row that cannot be read, after which the next
--- call goes on, and come once where the input breaks.
---@return scope3.Row? row
---@return scope3.Error? err
function Source:next()
  door.self(source.is(self), "source:next", "scope3.source_of_rows", self)
  while not self.ended do
    local row, state, fatal = self.handle:read()
    if row then
      return row
    elseif row == false then
      return nil, errors.new("source", ("%s: row %d%s: %s%s"):format(self.name, state.row,
        state.column and (", column %d"):format(state.column) or "", core.reasons[state.reason] or state.reason,
        state.lines and ("; %d further lines lie inside it (lines %d to %d)"):format(state.lines, state.line, state.line + state.lines) or ""),
        { code = state.reason, row = state.row, line = state.line, lines = state.lines })
    elseif state == "need" then
      local ok, err = self:feed()
      if not ok then
        self.ended = true
        return nil, err
      end
    elseif state == "fatal" then
      local ok, err = self:recover(fatal)
      if not ok then
        self.ended = true
        return nil, err
      end
    elseif state ~= "again" then
      self.ended = true
    end
  end
end

-- For `for`, which ends at nil: an error is raised, so that a loop is never short without a word.
function Source:__call()
  local row, err = self:next()
  if err then
    error(err, 0)
  end
  return row
end

--- Closes the file. Idempotent; an ended source may be closed too.
function Source:close()
  door.self(source.is(self), "source:close", "scope3.source_of_rows", self)
  self.ended = true
  note_closed(self)
  self.handle:close()
  if self.packed then
    self.packed:close()
  end
end

--- Closes it where a variable of it is left (Lua 5.4).
function Source:__close()
  self:close()
end

-- The number that a text is, "4" or "#4", where no column is called so.
local function number_of(name)
  return tonumber(name:match("^#?([1-9]%d?%d?%d?)$"))
end

-- What is wrong with a text that is the number of a column in one file and the name of one in another, or nil.
local function one_meaning(want, by)
  if want.by and want.by ~= by then
    return ("'%s' is the name of a column in one file and the number of one in another: name it otherwise")
      :format(want.column)
  end
  want.by = by
end

-- The number of the column that a name means, or what is wrong: the very name, else the one name that is the same but
-- for case and spacing, else
-- a number.
local function find_column(self, columns, want)
  local name = want.column
  local column, why, first, second = self.handle:find(name)
  if column then
    why = one_meaning(want, "name")
    return not why and column or nil, why
  elseif why == "twice" then
    return nil, ("the column '%s' stands twice, as %d and %d: give its number, #%d or #%d"):format(
      name, first, second, first, second)
  elseif why == "none" and number_of(name) then
    why = one_meaning(want, "number")
    return number_of(name), why
  elseif why == "none" or #columns == 0 then
    return nil, ("there is no column '%s'"):format(name)
  end
  return nil, ("'%s' may be the column '%s' or '%s': name the one you mean"):format(name, columns[first], columns[second])
end

-- Whether the first line has one of these names, and so is a header, whatever its other names look like.
local function has_name(self, wanted)
  for _, want in ipairs(wanted) do
    if type(want.column) == "string" and self.has_header and self.handle:find(want.column) then
      return true
    end
  end
  return false
end

-- What is wrong with a column's number, or nil.
local function number_problem(self, column, named)
  if self.format == "jsonl" then
    return "JSON Lines have names, not column numbers"
  elseif self.width and column > self.width then
    return ("there is no column %d; %s has %d"):format(column, self.has_header and "the header" or "the first row", self.width)
  elseif self.advice and not named and self.shape.header == nil then
    return "the first row would be lost" -- taken for a header that nobody said there is
  end
end

-- A header as a line for people; a wide one is cut.
local function list_columns(columns)
  local shown = {}
  for i = 1, math.min(#columns, 40) do
    shown[i] = columns[i]:gsub("[\r\n].*", "…") -- behind a quote that is missing stand rows
  end
  return table.concat(shown, ", ") .. (#columns > 40 and (", and %d more"):format(#columns - 40) or "")
end

local DELIMITERS = { [","] = "a comma", [";"] = "a semicolon", ["\t"] = "a tab", ["|"] = "a pipe" }

-- What was taken to separate columns where nobody said it, and what else may have gone wrong with a header.
local function guess_of(self)
  local taken = not self.shape.delimiter and DELIMITERS[self.handle:delimiter()]
  return (taken and ("; the delimiter was taken to be %s (--delimiter names another)"):format(taken) or "")
    .. (self.shape.skip_lines and "" or "; where other lines stand before the header, --skip-lines N passes over them")
end

---@private
--- The columns of this source that names or numbers mean. Of CSV a text "#4" or "4" that no column is called is the
--- fourth column.
---@param wanted {path: string, column: string|integer}[]  what each is for, in messages
---@param cancel? fun(): boolean?
---@return (string|integer)[]? columns  in the same order: numbers, or names for JSON Lines
---@return scope3.Error? err  names every column that is missing, and those there are
function Source:resolve(wanted, cancel)
  local columns, err = self:columns(cancel)
  if not columns then
    return nil, err
  end
  local found, issues, unknown = {}, {}, false
  local named = self.format == "csv" and has_name(self, wanted)
  for i, want in ipairs(wanted) do
    local column, why = want.column, nil
    if type(column) == "string" and self.format == "csv" then
      if self.has_header then
        column, why = find_column(self, columns, want)
      elseif number_of(column) then
        column = number_of(column)
      else
        why = "without a header columns are given by number"
      end
    end
    if type(column) == "number" and not why and want.by ~= "name" then
      why = number_problem(self, column, named)
    end
    if why then
      unknown = unknown or why:find("^there is no column") ~= nil
      issues[#issues + 1] = { path = want.path, message = why }
    end
    found[i] = column or false
  end
  if #issues > 0 then
    local problem = errors.invalid("map for " .. self.name, issues)
    local message = problem.message
    if #issues == 1 then
      message = ("map for %s: %s: %s"):format(self.name, issues[1].path, issues[1].message)
    end
    local encoding = encodings.of_header(self.handle)
    if encoding then
      message = message .. "; " .. encoding
    end
    if self.advice then
      message = message .. "; " .. self.advice
    elseif #columns > 0 then
      message = message .. "; the columns are: " .. list_columns(columns) .. (unknown and guess_of(self) or "")
    end
    return nil, errors.with(problem, { message = message })
  end
  return found
end

return source
