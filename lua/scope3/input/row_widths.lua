--- Warns once per file of CSV rows that have more or fewer fields than their header.
local plural = require "scope3.util.plural"
local result = require "scope3.result"

local row_widths = {}

local function warn_of_short(res, name, counts)
  local at = {}
  for i, row in ipairs(counts.short_at) do
    at[i] = ("%.0f (line %.0f)"):format(row, counts.short_lines[i])
  end
  local is_all = counts.short_rows <= #at
  local words = "%s: %.0f %s fewer cells than the header, as spreadsheets cut empty ones at the end: "
    .. "what is missing counts as empty: %s %s"
  result.warn(res, "short_rows", words:format(name, counts.short_rows,
    plural.words(counts.short_rows, "row has", "rows have"),
    is_all and #at == 1 and "row" or is_all and "rows" or "the first are rows", table.concat(at, ", ")),
    { file = name, rows = counts.short_rows, row = counts.short_at[1], line = counts.short_lines[1] })
end

local function warn_of_trailing(res, name, counts)
  result.warn(res, "trailing_delimiters", ("%s: %.0f %s with delimiters behind the last column, which are left out")
    :format(name, counts.trailing_rows, plural.words(counts.trailing_rows, "row ends", "rows end")),
    { file = name, rows = counts.trailing_rows })
end

local UNNAMED = "%s: each row has one field more than the header. Either its first column has no name, as R writes the "
  .. "names of rows: write it without them (row.names = FALSE), or pass over the header and give columns by number "
  .. "(--skip-lines 1 --no-header --map email=#3; skip_lines = 1, header = false). "
  .. "Or a value holds the delimiter and is not quoted."

--- Warns of the rows of a source that was read.
---@param res scope3.Result
---@param name string  of the source
---@param counts table  as handle:lines() gives them
---@param rows integer  read from it
function row_widths.report(res, name, counts, rows)
  if counts.short_rows > 0 then
    warn_of_short(res, name, counts)
  end
  if counts.trailing_rows > 0 then
    warn_of_trailing(res, name, counts)
  end
  if counts.longer_rows > 0 and counts.longer_rows == rows then
    result.warn(res, "unnamed_column", UNNAMED:format(name), { file = name, rows = counts.longer_rows })
  end
end

return row_widths
