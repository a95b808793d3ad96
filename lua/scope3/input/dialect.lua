--- How a file is written: its encoding, and of CSV what separates columns, what quotes and escapes a value, what stands
--- for none.
local core = require "scope3.core"
local encodings = require "scope3.input.encodings"

local dialect = {}

--- The options that say it, as options.problem() takes them.
dialect.OPTIONS = { delimiter = "string", quote = "string", escape = "string", null = "string", skip_lines = "count",
  encoding = "string" }

--- Their names, and that of the one that says whether there are names of columns.
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

---@class scope3.Dialect
---@field delimiter? string  one byte; nil: it is found
---@field quote string  one byte, "" for none
---@field escape? string  a backslash, or nil
---@field null? string  what a field that is not quoted holds where it has no value
---@field skip_lines? integer  lines before the header
---@field encoding? string  one of core.encodings; nil: UTF-8, or what a byte order mark says

--- What is wrong with the options, or nil.
---@param opts {delimiter: string?, quote: string?, escape: string?, null: string?, skip_lines: integer?, encoding: string?, format: string?}
---@return string?
function dialect.problem(opts)
  local written = dialect.of(opts)
  local delimiter = written.delimiter
  local problem = encodings.problem(opts)
  if problem then
    return problem
  elseif opts.format == "jsonl" and (opts.quote or opts.escape or opts.null) then
    return "quote, escape and null are of CSV: JSON Lines have their own"
  elseif delimiter and (#delimiter ~= 1 or delimiter:find("[\r\n%z]") or delimiter == written.quote) then
    return "delimiter must be one character (or tab, comma, semicolon, pipe, space, or a code such as \\x01), "
      .. "not a quote or a line end"
  elseif #written.quote > 1 or written.quote:find("[\r\n%z]") then
    return 'quote must be one character, or "none"'
  elseif not opts.delimiter and FOUND[written.quote] then
    return "quote is a character that may separate columns: give delimiter too, which is not looked for then"
  elseif opts.escape and not ESCAPES[opts.escape] then
    return 'escape must be "backslash" or "none"'
  elseif written.escape and (written.escape == delimiter or written.escape == written.quote) then
    return "delimiter, quote and escape must be different characters"
  elseif opts.null and (opts.null == "" or #opts.null > NULL_MAX or opts.null:find("[\r\n%z]")) then
    return ("null must be a text of 1 to %d bytes without line ends: what stands for no value"):format(NULL_MAX)
  end
end

--- The options in the form that core.source() takes. Where a backslash escapes, `\N` is no value unless something else is said.
---@param opts {delimiter: string?, quote: string?, escape: string?, null: string?, skip_lines: integer?, encoding: string?}
---@return scope3.Dialect
function dialect.of(opts)
  local escape = ESCAPES[opts.escape or "none"]
  escape = escape ~= "" and escape or nil
  return {
    delimiter = dialect.delimiter(opts.delimiter), quote = QUOTES[opts.quote or "double"] or opts.quote, escape = escape,
    null = opts.null or escape and "\\N" or nil, skip_lines = opts.skip_lines,
    encoding = opts.encoding and encodings.canonical(opts.encoding) or nil,
  }
end

--- An option in one spelling, which journals note: tab and \t are one delimiter, and what is so anyway is nothing.
---@param key string
---@param value any
---@return any
function dialect.noted(key, value)
  if key == "delimiter" then
    value = dialect.delimiter(value)
    return value and value:find("%c") and ("\\x%02x"):format(value:byte()) or value -- it is shown
  elseif key == "quote" then
    value = QUOTES[value or "double"] or value
    return value ~= '"' and (value == "" and "none" or value) or nil
  elseif key == "escape" then
    return ESCAPES[value or "none"] ~= "" and "backslash" or nil
  elseif key == "encoding" then
    return value and encodings.canonical(value)
  end
  return value
end

--- Those options out of a table that has others too.
---@param opts table
---@return table
function dialect.options(opts)
  return { delimiter = opts.delimiter, quote = opts.quote, escape = opts.escape, null = opts.null,
    skip_lines = opts.skip_lines, encoding = opts.encoding }
end

return dialect
