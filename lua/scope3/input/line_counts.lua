--- Lines of a file that are no rows of their own. They are counted in the result, with a warning where they should have
--- been rows.
local result = require "scope3.result"
local row_widths = require "scope3.input.row_widths"

local line_counts = {}

local KINDS = { "header", "blank", "quoted", "swallowed" }
local SHOWN_MAX = 3 -- places in a message

local function places(spots)
  local shown = {}
  for i = 1, math.min(#spots, SHOWN_MAX) do
    shown[i] = ("row %.0f (lines %.0f to %.0f)"):format(spots[i].row, spots[i].line, spots[i].line + spots[i].lines)
  end
  return table.concat(shown, ", ")
end

local ADVICE = 'Where quotes are only text, say quote = "none" (--quote none)'

-- Warns of rows that hold further lines. `words`: for one row, and for several.
local function warn(res, name, code, found, words)
  local spots, count = found.spots, found.count
  local message = count == 1 and ("%s: %s %s"):format(name, places(spots), words.one:format(found.lines))
    or ("%s: %.0f rows %s; the first are %s"):format(name, count, words.many:format(found.lines), places(spots))
  result.warn(res, code, message .. ". " .. ADVICE, {
    file = name, rows = count, lines = found.lines, row = spots[1].row,
    first_line = spots[1].line, last_line = spots[1].line + spots[1].lines,
  })
end

local SWALLOWED = {
  one = "was rejected with further lines inside it (%.0f), between a quote that opens and the next one: "
    .. "what stands in them is in no row",
  many = "were rejected with further lines inside them (%.0f at the places named here), "
    .. "between a quote that opens and the next one",
}
local SUSPICIOUS = {
  one = "was taken as one row, but further lines inside its quotes (%.0f) look like rows: "
    .. "a quote may be missing, or be too many",
  many = "were taken as one row each, though further lines inside their quotes (%.0f at the places named here) "
    .. "look like rows",
}
local ODD_HEADER = "%s: the header takes up %.0f lines, and some look like rows: "
  .. "a quote may be missing, or be too many. %s"
local JOINED = "%s: byte order marks stand inside it (%.0f), as in joined files; "
  .. "a header among the rows is read as a row"

local UNENDED = "%s: its last row (row %.0f) has no line end. A program that fails midway ends a pipe as one that is "
  .. "through: that row's last value may be cut short"

-- Adds the counts of a source to the counts of a result.
local function count(res, handle, counts)
  local total = handle:rows()
  for _, kind in ipairs(KINDS) do
    res.lines[kind] = res.lines[kind] + counts[kind]
    total = total + counts[kind]
  end
  res.lines.total = res.lines.total + total - counts.shared
  res.lines.shared = res.lines.shared + counts.shared
  res.swallowed_lines = res.swallowed_lines + counts.swallowed
end

-- The places where rows were rejected, or not, with further lines inside them.
local function spots_of(counts, is_refused)
  local spots, lines = {}, 0
  for _, spot in ipairs(counts) do
    if (spot.refused and true or false) == is_refused then
      spots[#spots + 1] = spot
      lines = lines + spot.lines
    end
  end
  return { spots = spots, lines = lines, count = is_refused and counts.refused_rows or counts.odd_rows }
end

--- Adds the lines of a source to a result, as far as it was read.
---@param res scope3.Result
---@param source scope3.Source
function line_counts.add(res, source)
  local handle, name = source.handle, source.name
  local counts = handle:lines()
  count(res, handle, counts)
  row_widths.report(res, name, counts, handle:rows())
  local refused, odd = spots_of(counts, true), spots_of(counts, false)
  if #refused.spots > 0 then
    warn(res, name, "swallowed_lines", refused, SWALLOWED)
  end
  if #odd.spots > 0 then
    warn(res, name, "suspicious_quote", odd, SUSPICIOUS)
  end
  if counts.odd_header then
    result.warn(res, "suspicious_quote", ODD_HEADER:format(name, counts.header, ADVICE),
      { file = name, row = 0, first_line = 1, last_line = counts.header })
  end
  if counts.marks > 0 then
    result.warn(res, "joined_files", JOINED:format(name, counts.marks), { file = name, marks = counts.marks })
  end
  -- Many files end so, and lie there as they were meant. Of what is packed its own sum has told that it is whole.
  if counts.unended and not source.packed and handle:once() and handle:rows() > 0 then
    result.warn(res, "unended_row", UNENDED:format(name, handle:rows()), { file = name, row = handle:rows() })
  end
end

return line_counts
