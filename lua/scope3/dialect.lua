--- How a file is written: its encoding, and of CSV what separates columns, what quotes and escapes a value, what stands
--- for none.
local encodings = require "scope3.encodings"

local dialect = {}

--- The options that say it, as options.problem() takes them.
dialect.OPTIONS = { delimiter = "string", quote = "string", escape = "string", null = "string", encoding = "string" }

local QUOTES = { none = "", double = '"', single = "'" }
local ESCAPES = { none = "", backslash = "\\", ["\\"] = "\\" }
local FOUND = { [","] = true, [";"] = true, ["\t"] = true, ["|"] = true } -- delimiters that are looked for
local NULL_MAX = 64 -- as csrc/core/csv.h has it

---@class scope3.Dialect
---@field delimiter? string  one byte; nil: it is found
---@field quote string  one byte, "" for none
---@field escape? string  a backslash, or nil
---@field null? string  what a field that is not quoted holds where it has no value
---@field encoding? string  one of core.encodings; nil: UTF-8, or what a byte order mark says

--- What is wrong with the options, or nil.
---@param opts {delimiter: string?, quote: string?, escape: string?, null: string?, encoding: string?, format: string?}
---@return string?
function dialect.problem(opts)
  local written = dialect.of(opts)
  local problem = encodings.problem(opts)
  if problem then
    return problem
  elseif opts.format == "jsonl" and (opts.quote or opts.escape or opts.null) then
    return "quote, escape and null are of CSV: JSON Lines have their own"
  elseif opts.delimiter and (#opts.delimiter ~= 1 or opts.delimiter:find("[\r\n%z]") or opts.delimiter == written.quote) then
    return "delimiter must be one character, not a quote or a line end"
  elseif #written.quote > 1 or written.quote:find("[\r\n%z]") then
    return 'quote must be one character, or "none"'
  elseif not opts.delimiter and FOUND[written.quote] then
    return "quote is a character that may separate columns: give delimiter too, which is not looked for then"
  elseif opts.escape and not ESCAPES[opts.escape] then
    return 'escape must be "backslash" or "none"'
  elseif written.escape and (written.escape == opts.delimiter or written.escape == written.quote) then
    return "delimiter, quote and escape must be different characters"
  elseif opts.null and (opts.null == "" or #opts.null > NULL_MAX or opts.null:find("[\r\n%z]")) then
    return ("null must be a text of 1 to %d bytes without line ends: what stands for no value"):format(NULL_MAX)
  end
end

--- The options in the form that core.source() takes. Where a backslash escapes, `\N` is no value unless something else is said.
---@param opts {delimiter: string?, quote: string?, escape: string?, null: string?, encoding: string?}
---@return scope3.Dialect
function dialect.of(opts)
  local escape = ESCAPES[opts.escape or "none"]
  escape = escape ~= "" and escape or nil
  return {
    delimiter = opts.delimiter, quote = QUOTES[opts.quote or "double"] or opts.quote, escape = escape,
    null = opts.null or escape and "\\N" or nil, encoding = opts.encoding and encodings.canonical(opts.encoding) or nil,
  }
end

--- Those options out of a table that has others too.
---@param opts table
---@return table
function dialect.options(opts)
  return { delimiter = opts.delimiter, quote = opts.quote, escape = opts.escape, null = opts.null, encoding = opts.encoding }
end

return dialect
