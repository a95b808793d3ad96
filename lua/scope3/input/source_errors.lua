--- The errors of sources, in words for people. No message holds a value of a row.
local core = require "scope3.core"
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local file_kinds = require "scope3.input.file_kinds"
local plural = require "scope3.util.plural"

local source_errors = {}

--- What to do about rows that stand in an array inside one object.
---@param path string|boolean  the names that lead to it; true where they may be personal data
---@return string
function source_errors.array_advice(path)
  if path == true then
    return ", in an array: take them out of it first"
  end
  return (", in an array under '%s': take them out first (jq -c '.%s[]')"):format(path,
    path:find("^[A-Za-z_][A-Za-z0-9_.]*$") and path or '"' .. path:gsub("%.", '"."') .. '"')
end

-- What to say of a fault of the parser, and its code.
local function explain(source, fatal)
  local code = fatal.reason
  if code == "json_wrapped" then
    return fatal.message .. source_errors.array_advice(source.handle:wrapped()), code
  elseif code == "empty" and source.shape.skip_lines then
    return ("the file is empty after %s passed over"):format(
      plural.of(source.shape.skip_lines, "line that is", "lines that are")), code
  end
  local message = encodings.explain(fatal, source.shape.encoding)
  if message then
    return message, code
  end
  local kind
  message, kind = file_kinds.explain(code, source.path, source.packed ~= nil)
  return message or fatal.message, kind or code
end

--- The error of a source that cannot be read further.
---@param source scope3.Source
---@param fatal {reason: string, message: string, row: integer?, what: string?}  as the parser gives it
---@return scope3.Error  kind "source"
function source_errors.fatal(source, fatal)
  local message, code = explain(source, fatal)
  return errors.new("source", source.name .. ": " .. message, { code = code })
end

--- The error of a row that cannot be read. The rows after it can.
---@param source scope3.Source
---@param fault {row: integer, line: integer, column: integer?, reason: string, lines: integer?}  as the parser gives it
---@return scope3.Error  kind "source"
function source_errors.row(source, fault)
  local column = fault.column and (", column %d"):format(fault.column) or ""
  local inside = fault.lines and ("; %s inside it (lines %d to %d)"):format(
    plural.of(fault.lines, "further line lies", "further lines lie"), fault.line, fault.line + fault.lines) or ""
  local reason = core.reasons[fault.reason] or fault.reason
  return errors.new("source", ("%s: row %d%s: %s%s"):format(source.name, fault.row, column, reason, inside),
    { code = fault.reason, row = fault.row, line = fault.line, lines = fault.lines })
end

--- The error of a row that should be a member already.
---@param source scope3.Source
---@param row integer
---@param line integer
---@param reason string  a key
---@param field? string  of a member, where one is to blame
---@return scope3.Error  kind "source", code "not_prepared"
function source_errors.unprepared(source, row, line, reason, field)
  return errors.new("source", ("%s: line %.0f is no member as scope3 prepare writes them: %s"):format(
    source.name or "the input", line, core.reasons[reason]),
    { code = "not_prepared", row = row, line = line, reason = reason, field = field })
end

--- The error of a source that goes beyond its bounds; nil while it does not.
---@param source scope3.Source
---@return scope3.Error?  kind "source", code "too_many_bytes" or "too_many_rows"
function source_errors.beyond_bounds(source)
  local bounds, handle = source.bounds or {}, source.handle
  if bounds.bytes and handle:bytes() > bounds.bytes then
    return errors.new("source", ("%s: it has more than %.0f bytes%s"):format(source.name, bounds.bytes,
      source.packed and " when it is unpacked" or ""), { code = "too_many_bytes" })
  elseif bounds.rows and handle:rows() + handle:lines().blank > bounds.rows then
    return errors.new("source", ("%s: it has more than %s, empty lines included"):format(
      source.name, plural.of(bounds.rows, "row")), { code = "too_many_rows" })
  end
end

return source_errors
