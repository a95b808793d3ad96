--- Finds out how a file is written, by reading its first rows in one way after the other.
local cells = require "scope3.input.look.cells"
local header = require "scope3.input.look.header"
local options = require "scope3.util.options"
local source = require "scope3.input.source"

local dialects = {}

local TRIED = 200 -- rows of an attempt
local SKIPPED_MAX = 12 -- lines before a header that are looked for
local GOOD = 0.9 -- of rows that can be read, where a way is right
local DELIMITERS = { "\1", "\31", "^", "~", ":" } -- those that are not found by themselves

local function attempt(opening, opts, rows)
  local src, err = opening:source(opts)
  if not src then
    return nil, err
  end
  return cells.read(src, rows, opening.stopped)
end

-- A way with more options: the way and what it reads, where that is better than before. `is_better` compares the two.
local function try(self, more, is_better)
  local opts = options.merge(self.opts, more)
  local found = attempt(self.opening, opts, TRIED)
  if found and is_better(found, self.found) then
    self.opts, self.found = opts, found
    return true
  end
  return false
end

local function is_wider(found, before)
  return #found.columns > #before.columns and cells.good(found) >= GOOD and found.rows > 0
end

local function reads_more(found, before)
  return cells.good(found) > cells.good(before) and #found.columns > 1
end

-- Lines such as a title, which stand before the header: behind them the rows have more columns.
local function find_header_line(self)
  if self.given.skip_lines or self.given.header == false then
    return
  elseif #self.found.columns > 1 and cells.good(self.found) >= GOOD then
    return
  end
  for lines = 1, SKIPPED_MAX do
    if try(self, { skip_lines = lines }, is_wider) then
      return
    end
  end
end

-- A delimiter that nobody looks for, where all seems to be one column.
local function find_delimiter(self)
  if self.given.delimiter or #self.found.columns > 1 then
    return
  end
  for _, delimiter in ipairs(DELIMITERS) do
    if try(self, { delimiter = delimiter }, is_wider) then
      return
    end
  end
end

local function is_in_single_quotes(text)
  return text:find("^'.*'$") ~= nil
end

local function find_single_quotes(self)
  local quoted = 0
  for _, name in ipairs(self.found.header or {}) do
    quoted = quoted + (is_in_single_quotes(name) and 1 or 0)
  end
  if not self.given.quote and (quoted > #self.found.columns / 2
    or cells.share(self.found, is_in_single_quotes) > 0.5) then
    try(self, { quote = "'", delimiter = self.found.delimiter }, function(found)
      return cells.good(found) >= GOOD
    end)
  end
end

local function find_no_quotes(self)
  if self.given.quote or self.opts.quote then
    return
  elseif cells.count_faults(self.found, "stray_quote") > 0 or self.found.broken then
    try(self, { quote = "none" }, reads_more)
  end
end

local function is_escaped_null(text)
  return text == "\\N"
end

local function is_null_word(text)
  return text == "NULL"
end

-- What databases write for no value.
local function find_nulls(self)
  if self.given.escape or self.given.null then
    return
  elseif cells.share(self.found, is_escaped_null) > 0 then
    try(self, { escape = "backslash" }, function(found)
      return cells.good(found) >= GOOD
    end)
  elseif cells.share(self.found, is_null_word) > 0 then
    try(self, { null = "NULL" }, function()
      return true
    end)
  end
end

local function find_header(self)
  if self.given.header == nil and header.is_row(self.found) then
    try(self, { header = false }, function()
      return true
    end)
  end
end

local function find_csv(self)
  find_single_quotes(self)
  find_delimiter(self)
  find_header_line(self)
  find_no_quotes(self)
  find_nulls(self)
  find_header(self)
end

-- What an error says of another way to read the file; nil where it says nothing.
local function way_out(err, opts, given)
  if err.code == "json" and not given.format then
    return { format = "jsonl" }
  elseif err.code == "no_json" and not given.format then
    return { format = "csv" }
  elseif err.code == "utf16" and not given.encoding then
    return { encoding = err.message:match("%-%-encoding ([a-z0-9-]+)") }
  elseif err.code == "binary" and not given.delimiter and opts.format == "csv" and not opts.delimiter then
    return { delimiter = "\1" }
  elseif (err.code == "bad_header" or err.code == "unclosed_quote") and not given.quote and not opts.quote then
    return { quote = "none" }
  end
end

-- The first attempt, and those that its errors lead to. The first error counts.
local function begin(self)
  local found, err = attempt(self.opening, self.opts, TRIED)
  local first = err
  for _ = 1, 3 do
    local more = err and way_out(err, self.opts, self.given)
    if found or not more then
      break
    end
    self.opts = options.merge(self.opts, more)
    found, err = attempt(self.opening, self.opts, TRIED)
  end
  self.found = found
  return found ~= nil, first
end

local CONTROL = "[\1-\8\11\12\14-\31\127]"

-- Whether a delimiter that was tried for control characters in the first line explains them: it parts the line, and
-- none is left.
local function explains_controls(found)
  for _, name in ipairs(found.header or {}) do
    if name:find(CONTROL) then
      return false
    end
  end
  return #found.columns > 1
end

-- The encoding in which bytes that are not UTF-8 would be text; nil where that is not one.
local function likely_encoding(seen)
  if seen.name or seen.rows == 0 or seen.good > 0 then
    return nil
  end
  return seen.not_1252 == 0 and "windows-1252" or seen.not_1250 == 0 and "windows-1250" or "cp850"
end

-- Reads all the rows that are asked for, once more in the encoding that they seem to have.
local function read_all(self, rows)
  local found, err = attempt(self.opening, self.opts, rows)
  local encoding = found and not self.given.encoding and likely_encoding(found.encoding)
  if encoding then
    self.opts = options.merge(self.opts, { encoding = encoding })
    self.guessed_encoding = encoding
    found, err = attempt(self.opening, self.opts, rows)
  end
  return found, err
end

---@class scope3.LookWritten  how a file is written
---@field opts table  the options that read it, without defaults
---@field found scope3.LookCells
---@field guessed_encoding? string  one that only the bytes speak for
---@field doubtful_header boolean  the names of the columns may be a row

--- Finds out how a file is written, and reads its first rows.
---@param opening scope3.LookOpening
---@param given table  options that are known
---@param rows integer
---@return scope3.LookWritten?
---@return scope3.Error? err
function dialects.find(opening, given, rows)
  local opts = options.merge(given, { format = source.format_of(opening.path, given) })
  local self = { opening = opening, given = given, opts = opts }
  local ok, err = begin(self)
  if not ok then
    return nil, err
  end
  if self.opts.format == "csv" then
    find_csv(self)
    if err and err.code == "binary" and not explains_controls(self.found) then
      return nil, err
    end
  end
  self.found, err = read_all(self, rows)
  if not self.found then
    return nil, err
  end
  return { opts = self.opts, found = self.found, guessed_encoding = self.guessed_encoding,
    doubtful_header = self.opts.format == "csv" and self.opts.header ~= false and header.is_doubtful(self.found) }
end

return dialects
