--- Finds the columns of a source that a map or a condition names, by name or by number.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local redact = require "scope3.util.redact"

local column_finder = {}

local NAMES_MAX = 40 -- of a header that a message shows

---@class scope3.WantedColumn
---@field path string  what the column is for, in messages
---@field column string|integer
---@field by? "name"|"number"  what a text turned out to be in an earlier file

-- The number that a text is, "4" or "#4", where no column has that name.
local function number_of(name)
  return tonumber(name:match("^#?([1-9]%d?%d?%d?)$"))
end

-- What is wrong with a text that is a column's number in one file and a column's name in another, or nil. Notes in
-- `want` which of them it is in this file.
local function one_meaning(want, by)
  if want.by and want.by ~= by then
    return ("'%s' is the name of a column in one file and the number of one in another: name it otherwise")
      :format(want.column)
  end
  want.by = by
end

-- The number of the column that a name means, or what is wrong. The exact name counts first, then the only name that
-- differs in case and spacing, then a number.
local function find_name(source, names, want)
  local name = want.column
  local column, why, first, second = source.handle:find(name)
  if column then
    why = one_meaning(want, "name")
    return not why and column or nil, why
  elseif why == "twice" then
    return nil, ("the column '%s' stands twice, as %d and %d: give its number, #%d or #%d"):format(
      name, first, second, first, second)
  elseif why == "none" and number_of(name) then
    why = one_meaning(want, "number")
    return number_of(name), why
  elseif why == "none" or #names == 0 then
    return nil, ("there is no column '%s'"):format(redact.people(name))
  end
  return nil, ("'%s' may be the column '%s' or '%s': name the one you mean"):format(name, names[first], names[second])
end

-- The column that a text means: a number for CSV, the name itself for JSON Lines.
local function find_text(source, names, want)
  if source.format ~= "csv" then
    return want.column
  elseif source.has_header then
    return find_name(source, names, want)
  end
  local number = number_of(want.column)
  return number or want.column, not number and "without a header columns are given by number" or nil
end

-- Whether the first line has one of these names. Then it is a header, whatever its other names look like.
local function has_name(source, wanted)
  for _, want in ipairs(wanted) do
    if type(want.column) == "string" and source.has_header and source.handle:find(want.column) then
      return true
    end
  end
  return false
end

-- What is wrong with a column's number, or nil.
local function number_problem(source, number, is_header)
  if source.format == "jsonl" then
    return "JSON Lines have names, not column numbers"
  elseif source.width and number > source.width then
    local first = source.has_header and "the header" or "the first row"
    return ("there is no column %d; %s has %d"):format(number, first, source.width)
  elseif source.advice and not is_header and source.shape.header == nil then
    return "the first row would be lost" -- as a header, although the caller did not say that there is one
  end
end

-- The column that is wanted, and what is wrong with it.
local function find(source, names, want, is_header)
  local column, why = want.column, nil
  if type(column) == "string" then
    column, why = find_text(source, names, want)
  end
  if type(column) == "number" and not why and want.by ~= "name" then
    why = number_problem(source, column, is_header)
  end
  return column, why
end

-- A header as a line for people. A wide one is cut.
local function list_names(names)
  local shown = {}
  for i = 1, math.min(#names, NAMES_MAX) do
    shown[i] = names[i]:gsub("[\r\n].*", "…") -- where a quote is missing, rows follow
  end
  return table.concat(shown, ", ") .. (#names > NAMES_MAX and (", and %d more"):format(#names - NAMES_MAX) or "")
end

local DELIMITERS = { [","] = "a comma", [";"] = "a semicolon", ["\t"] = "a tab", ["|"] = "a pipe" }

-- Which delimiter was taken where the caller named none, and what else may be wrong with a header.
local function guess_of(source)
  local taken = not source.shape.delimiter and DELIMITERS[source.handle:delimiter()]
  return (taken and ("; the delimiter was taken to be %s (--delimiter names another)"):format(taken) or "")
    .. (source.shape.skip_lines and ""
      or "; where other lines stand before the header, --skip-lines N passes over them")
    .. "; scope3 look says what each column holds"
end

local function is_unknown(issues)
  for _, issue in ipairs(issues) do
    if issue.message:find("^there is no column") then
      return true
    end
  end
  return false
end

local HELD_MIN = 4 -- letters and digits of a name that a longer one may hold

-- In lowercase letters, digits and bytes outside ASCII.
local function plain(name)
  return (core.lower(name):gsub("[%z\1-\47\58-\96\123-\127]+", ""))
end

-- The only column whose name holds the wanted one: "Email" means 'E-Mail-Adresse'.
local function holder(wanted, names)
  local only
  wanted = type(wanted) == "string" and plain(wanted) or ""
  for _, name in ipairs(#wanted >= HELD_MIN and names or {}) do
    if plain(name):find(wanted, 1, true) then
      if only then
        return nil
      end
      only = name
    end
  end
  return only
end

-- The error of columns that were not found.
local function failure(source, names, issues, meant)
  local err = errors.invalid("map for " .. source.name, issues)
  local message = err.message
  if #issues == 1 then
    message = ("map for %s: %s: %s"):format(source.name, issues[1].path, issues[1].message)
  end
  local encoding = encodings.of_header(source.handle)
  if encoding then
    message = message .. "; " .. encoding
  end
  if source.advice then
    message = message .. "; " .. source.advice
  elseif #names > 0 then
    message = message .. "; the columns are: " .. list_names(names) .. (is_unknown(issues) and guess_of(source) or "")
      .. (#meant > 0 and ("; did you mean %s?"):format(table.concat(meant, ", ")) or "")
  end
  return errors.with(err, { message = message })
end

--- The columns of a source that names or numbers mean. In CSV a text "#4" or "4" is the fourth column, unless a column
--- has that name.
---@param source scope3.Source  whose header was read
---@param names string[]  of its header
---@param wanted scope3.WantedColumn[]
---@return (string|integer)[]? found  in the same order: numbers, or names for JSON Lines
---@return scope3.Error? err  kind "invalid": names every column that is missing, and those there are
function column_finder.resolve(source, names, wanted)
  local found, issues, meant = {}, {}, {}
  local is_header = source.format == "csv" and has_name(source, wanted)
  for i, want in ipairs(wanted) do
    local column, why = find(source, names, want, is_header)
    if why then
      issues[#issues + 1] = { path = want.path, message = why }
      local like = arguments.meant(want.column, names) or holder(want.column, names)
      meant[#meant + 1] = like and why:find("^there is no column") and ("'%s'"):format(like) or nil
    end
    found[i] = column or false
  end
  if #issues > 0 then
    return nil, failure(source, names, issues, meant)
  end
  return found
end

return column_finder
