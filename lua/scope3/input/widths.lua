--- Rows of CSV that have other fields than their header, and were taken all the same or refused for one reason: said
--- once a file.
local result = require "scope3.result"

local widths = {}

local function warn_of_short(res, name, counts)
  local at = {}
  for i, row in ipairs(counts.short_at) do
    at[i] = ("%.0f"):format(row)
  end
  local few = counts.short_rows <= #at
  result.warn(res, "short_rows", ("%s: %.0f %s fewer cells than the header, as spreadsheets cut empty ones at the end: what is missing "
    .. "counts as empty (%s %s)"):format(name, counts.short_rows, counts.short_rows == 1 and "row has" or "rows have",
    few and #at == 1 and "row" or few and "rows" or "the first are rows", table.concat(at, ", ")),
    { file = name, rows = counts.short_rows, row = counts.short_at[1] })
end

--- Warns of the rows of a source that was read.
---@param res scope3.Result
---@param name string  of the source
---@param counts table  as handle:lines() gives them
---@param rows integer  read from it
function widths.report(res, name, counts, rows)
  if counts.short_rows > 0 then
    warn_of_short(res, name, counts)
  end
  if counts.trailing_rows > 0 then
    result.warn(res, "trailing_delimiters", ("%s: %.0f %s with delimiters behind the last column, which are left out")
      :format(name, counts.trailing_rows, counts.trailing_rows == 1 and "row ends" or "rows end"),
      { file = name, rows = counts.trailing_rows })
  end
  if counts.longer_rows > 0 and counts.longer_rows == rows then
    result.warn(res, "unnamed_column", ("%s: each row has one field more than the header. Either its first column has no name, as R writes "
      .. "the names of rows: write it without them (row.names = FALSE), or pass over the header and give columns by number (--skip-lines 1 "
      .. "--no-header --map email=#3; skip_lines = 1, header = false). Or a value holds the delimiter and is not quoted."):format(name),
      { file = name, rows = counts.longer_rows })
  end
end

return widths
