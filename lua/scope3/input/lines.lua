--- Lines of a file that are no rows of their own: they are put into the result, and those that should have been rows are warned of.
local result = require "scope3.result"
local widths = require "scope3.input.widths"

local lines = {}

local KINDS = { "header", "blank", "quoted", "swallowed" }
local SHOWN = 3 -- places in a message

local function places(spots)
  local shown = {}
  for i = 1, math.min(#spots, SHOWN) do
    shown[i] = ("row %.0f (lines %.0f to %.0f)"):format(spots[i].row, spots[i].line, spots[i].line + spots[i].lines)
  end
  return table.concat(shown, ", ")
end

local ADVICE = 'Where quotes are only text, say quote = "none" (--quote none)'

local function warn(res, name, code, count, spots, sum, rest)
  local message = count == 1 and ("%s: %s %s"):format(name, places(spots), rest.one:format(sum))
    or ("%s: %.0f rows %s; the first are %s"):format(name, count, rest.many:format(sum), places(spots))
  result.warn(res, code, message .. ". " .. ADVICE, { file = name, rows = count, lines = sum, row = spots[1].row, first_line = spots[1].line,
    last_line = spots[1].line + spots[1].lines })
end

--- Adds the lines of a source that was read, as far as it was.
---@param res scope3.Result
---@param source scope3.Source
function lines.add(res, source)
  local handle = source.handle
  local counts = handle:lines()
  local total = handle:rows()
  for _, kind in ipairs(KINDS) do
    res.lines[kind] = res.lines[kind] + counts[kind]
    total = total + counts[kind]
  end
  res.lines.total = res.lines.total + total - counts.shared
  res.lines.shared = res.lines.shared + counts.shared
  res.swallowed_lines = res.swallowed_lines + counts.swallowed
  widths.report(res, source.name, counts, handle:rows())
  local refused, odd, inside = {}, {}, { refused = 0, odd = 0 }
  for _, spot in ipairs(counts) do
    table.insert(spot.refused and refused or odd, spot)
    local kind = spot.refused and "refused" or "odd"
    inside[kind] = inside[kind] + spot.lines
  end
  if #refused > 0 then
    warn(res, source.name, "swallowed_lines", counts.refused_rows, refused, inside.refused, {
      one = "was rejected with further lines inside it (%.0f), between a quote that opens and the next one: what stands in them is in no row",
      many = "were rejected with further lines inside them (%.0f at the places named here), between a quote that opens and the next one",
    })
  end
  if #odd > 0 then
    warn(res, source.name, "suspicious_quote", counts.odd_rows, odd, inside.odd, {
      one = "was taken as one row, but further lines inside its quotes (%.0f) look like rows: a quote may be missing, or be too many",
      many = "were taken as one row each, though further lines inside their quotes (%.0f at the places named here) look like rows",
    })
  end
  if counts.odd_header then
    result.warn(res, "suspicious_quote", ("%s: the header takes up %.0f lines, and some look like rows: a quote may be missing, or be too many. %s")
      :format(source.name, counts.header, ADVICE), { file = source.name, row = 0, first_line = 1, last_line = counts.header })
  end
  if counts.marks > 0 then
    result.warn(res, "joined_files", ("%s: byte order marks stand inside it (%.0f), as in joined files; a header among the rows is read as a row")
      :format(source.name, counts.marks), { file = source.name, marks = counts.marks })
  end
end

return lines
