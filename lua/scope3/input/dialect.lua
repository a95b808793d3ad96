--- How a file is written: its encoding, and for CSV the delimiter, the quote, the escape and what stands for no value.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local encodings = require "scope3.input.encodings"

local dialect = {}

---@class scope3.CsvOptions  how a CSV file is written
---@field delimiter? string  what separates columns (found by itself): one character, its name (tab, comma, semicolon,
---  pipe, space) or its code (\x01)
---@field skip_lines? integer  lines before the header (none)
---@field quote? string  the character that encloses values ("), or "none"
---@field escape? "backslash"|"none"  what escapes a character of a value (none)
---@field null? string  what stands for no value where it is not quoted (nothing; \N where a backslash escapes)
---@field header? boolean  false where the file has none
---@field encoding? string  "utf-8" (default), "windows-1252", "utf-16le" or another of docs/input.md

---@class scope3.JsonLinesOptions
---@field encoding? string  as of scope3.CsvOptions

--- These options, as options.problem() takes them.
dialect.OPTIONS = { delimiter = "string", quote = "string", escape = "string", null = "string", skip_lines = "count",
  encoding = "string" }

--- The names of the options that only CSV has.
dialect.NAMES = { "delimiter", "quote", "escape", "null", "skip_lines", "header" }

local QUOTES = { none = "", double = '"', single = "'" }
local ESCAPES = { none = "", backslash = "\\", ["\\"] = "\\" }
local FOUND = { [","] = true, [";"] = true, ["\t"] = true, ["|"] = true } -- delimiters that are looked for
local DELIMITERS = { tab = "\t", comma = ",", semicolon = ";", pipe = "|", space = " ", ["\\t"] = "\t" }
local NULL_MAX = 64 -- as csrc/core/rows/csv_scan.h has it

-- Characters that a keyboard has no key for, as programs write them: \x01 and 0x01, \u0001, \001 (octal) and ^A.
local CODES = {
  { "^\\x(%x%x?)$", 16 }, { "^0x(%x%x?)$", 16 }, { "^\\u00(%x%x)$", 16 }, { "^\\([0-7][0-7]?[0-7]?)$", 8 },
}

local function of_code(name)
  for _, code in ipairs(CODES) do
    local digits = name:match(code[1]) -- pattern: each is anchored and of few characters
    local byte = digits and tonumber(digits, code[2])
    if byte and byte < 256 then
      return string.char(byte)
    end
  end
  local letter = name:match("^%^([A-Z%[%]\\^_])$")
  return letter and string.char(letter:byte() - 64)
end

--- The character that a delimiter's name stands for, and any other text as it is.
---@param name string?  one character; tab, comma, semicolon, pipe or space; \x1f, 0x1f, \037 or ^_
---@return string?
function dialect.delimiter(name)
  return name and (DELIMITERS[name] or DELIMITERS[core.lower(name)] or of_code(name) or name)
end

---@class scope3.Dialect  as core.source() takes it
---@field delimiter? string  one byte; nil: it is found
---@field quote string  one byte, "" for none
---@field escape? string  a backslash, or nil
---@field null? string  what an unquoted field holds where it has no value
---@field skip_lines? integer  lines before the header
---@field encoding? string  one of core.encodings; nil: UTF-8, or what a byte order mark says

--- Names that people know; the others are for those who write them already.
dialect.DELIMITERS, dialect.ESCAPES = { "tab", "comma", "semicolon", "pipe", "space" }, { "backslash", "none" }

local LINE_END = "[\r\n%z]"

-- Whether a text is not a single character that can separate or enclose values.
local function is_no_mark(text)
  return #text ~= 1 or text:find(LINE_END) ~= nil
end

local function delimiter_problem(written)
  local delimiter = written.delimiter
  if delimiter and (is_no_mark(delimiter) or delimiter == written.quote) then
    return "delimiter must be one character (or tab, comma, semicolon, pipe, space, or a code such as \\x01), "
      .. "not a quote or a line end" .. arguments.remark(delimiter, dialect.DELIMITERS)
  end
end

local function quote_problem(opts, written)
  if written.quote ~= "" and is_no_mark(written.quote) then
    return 'quote must be one character, or "none"'
  elseif not opts.delimiter and FOUND[written.quote] then
    return "quote is a character that may separate columns: give delimiter too, which is not looked for then"
  end
end

local function escape_problem(opts, written)
  if opts.escape and not ESCAPES[opts.escape] then
    return 'escape must be "backslash" or "none"' .. arguments.remark(opts.escape, dialect.ESCAPES)
  elseif written.escape and (written.escape == written.delimiter or written.escape == written.quote) then
    return "delimiter, quote and escape must be different characters"
  end
end

local function null_problem(opts)
  if opts.null and (opts.null == "" or #opts.null > NULL_MAX or opts.null:find(LINE_END)) then
    return ("null must be a text of 1 to %d bytes without line ends: what stands for no value"):format(NULL_MAX)
  end
end

--- What is wrong with the options, or nil.
---@param opts scope3.ScriptOptions
---@return string?
function dialect.problem(opts)
  local problem = encodings.problem(opts)
  if problem then
    return problem
  elseif opts.format == "jsonl" and (opts.quote or opts.escape or opts.null) then
    return "quote, escape and null are of CSV: JSON Lines have their own"
  end
  local written = dialect.of(opts)
  return delimiter_problem(written) or quote_problem(opts, written) or escape_problem(opts, written)
    or null_problem(opts)
end

--- The options in the form that core.source() takes. Where a backslash escapes, `\N` is no value, unless `null` names
--- something else.
---@param opts scope3.CsvOptions
---@return scope3.Dialect
function dialect.of(opts)
  local escape = ESCAPES[opts.escape or "none"]
  escape = escape ~= "" and escape or nil
  return {
    delimiter = dialect.delimiter(opts.delimiter), quote = QUOTES[opts.quote or "double"] or opts.quote,
    escape = escape, null = opts.null or escape and "\\N" or nil, skip_lines = opts.skip_lines,
    encoding = opts.encoding and encodings.canonical(opts.encoding) or nil,
  }
end

-- One spelling of each option's value: tab and \t are one delimiter. The default is nil.
---@type table<string, fun(value: any): any>
local SPELLINGS = {}

function SPELLINGS.delimiter(value)
  value = dialect.delimiter(value)
  return value and value:find("%c") and ("\\x%02x"):format(value:byte()) or value -- a journal shows it
end

function SPELLINGS.quote(value)
  value = QUOTES[value or "double"] or value
  return value ~= '"' and (value == "" and "none" or value) or nil
end

function SPELLINGS.escape(value)
  return ESCAPES[value or "none"] ~= "" and "backslash" or nil
end

function SPELLINGS.encoding(value)
  return value and encodings.canonical(value)
end

--- The value of an option as journals note it: in one spelling, nil for the default.
---@param key string
---@param value any
---@return any
function dialect.noted(key, value)
  if SPELLINGS[key] then
    return SPELLINGS[key](value)
  end
  return value
end

--- These options out of a table that has others too.
---@param opts table
---@return table
function dialect.options(opts)
  return { delimiter = opts.delimiter, quote = opts.quote, escape = opts.escape, null = opts.null,
    skip_lines = opts.skip_lines, encoding = opts.encoding }
end

return dialect
