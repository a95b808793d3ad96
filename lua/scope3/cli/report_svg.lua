--- Charts of a report: SVG without scripts, fonts or colours of its own. The style of the page colours them.
---
--- A chart is as wide as a phone, so that its words stay legible there. Whoever cannot see it has its title, its
--- description, and the table beside it.
local text = require "scope3.cli.text"
local visible = require "scope3.util.visible"

local report_svg = {}

local WIDTH = 360
local ROW, BAR = 36, 10 -- heights of a row, and of its bar
local MOST_WORDS = 44 -- columns of a label beside its number

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- A text of others inside of HTML or SVG. Nothing in it ends an element or a value, or turns the reading direction.
---@param words string
---@return string
function report_svg.escape(words)
  return (visible.text(words):gsub("[&<>\"']", ENTITIES))
end

local escape = report_svg.escape

-- A label that leaves room for its number. Letters of three bytes and more may be twice as wide.
local function fitted(label)
  local kept, columns = {}, 0
  for character in visible.text(label):gmatch("[%z\1-\127\192-\255][\128-\191]*") do
    columns = columns + (#character > 2 and 2 or 1)
    if columns > MOST_WORDS then
      kept[#kept + 1] = "…"
      break
    end
    kept[#kept + 1] = character
  end
  return table.concat(kept)
end

local function number(n)
  return text.fixed(n, 1)
end

local function open(id, title, words, height)
  return ('<svg viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %s-d" xmlns="http://www.w3.org/2000/svg">'
    .. '<title id="%s-t">%s</title><desc id="%s-d">%s</desc>'):format(WIDTH, height, id, id, id, escape(title), id,
      escape(words))
end

---@class scope3.cli.ChartRow
---@field label string
---@field n number
---@field words? string  in place of the number
---@field tone? string  good, doubtful, bad or quiet

-- The rows in words, for the description.
local function told(rows)
  local parts = {}
  for i, row in ipairs(rows) do
    parts[i] = row.label .. ": " .. (row.words or text.count(row.n))
  end
  return table.concat(parts, "; ") .. "."
end

--- A bar for each row, beside each other of the same scale.
---@param id string
---@param title string
---@param rows scope3.cli.ChartRow[]
---@param whole? number  that a full bar is
---@return string
function report_svg.bars(id, title, rows, whole)
  local most = whole or 0
  for _, row in ipairs(rows) do
    most = math.max(most, row.n)
  end
  local parts = { open(id, title, told(rows), #rows * ROW) }
  for i, row in ipairs(rows) do
    local top = (i - 1) * ROW
    local width = most > 0 and row.n > 0 and math.max(WIDTH * row.n / most, 2) or 0
    parts[#parts + 1] = ('<text x="0" y="%d">%s</text><text class="n" x="%d" y="%d">%s</text>'
      .. '<rect class="track" x="0" y="%d" width="%d" height="%d" rx="3"/>'
      .. '<rect class="%s" x="0" y="%d" width="%s" height="%d" rx="3"/>'):format(top + 13, escape(fitted(row.label)),
        WIDTH, top + 13, escape(row.words or text.count(row.n)), top + 19, WIDTH, BAR, row.tone or "plain", top + 19,
        number(width), BAR)
  end
  return table.concat(parts) .. "</svg>"
end

---@class scope3.cli.ChartSlice  of time
---@field n number

local FLOOR, TOP = 132, 20 -- of the columns

--- A column for each slice of time.
---@param id string
---@param title string
---@param slices scope3.cli.ChartSlice[]
---@param axis {unit: string, from: string, to: string}
---@return string
function report_svg.columns(id, title, slices, axis)
  local most = 0
  for _, slice in ipairs(slices) do
    most = math.max(most, slice.n)
  end
  local step = WIDTH / #slices
  local parts = { open(id, title, ("At most %s in one of %d slices of time, from %s to %s."):format(
    text.plural(most, axis.unit), #slices, axis.from, axis.to), FLOOR + 22) }
  parts[2] = ('<text x="0" y="12">%s</text><rect class="track" x="0" y="%d" width="%d" height="1"/>'):format(
    escape(text.plural(most, axis.unit)), TOP - 2, WIDTH)
  for i, slice in ipairs(slices) do
    local height = most > 0 and (FLOOR - TOP) * slice.n / most or 0
    if slice.n > 0 then
      height = math.max(height, 2)
      parts[#parts + 1] = ('<rect class="plain" x="%s" y="%s" width="%s" height="%s" rx="1"/>'):format(
        number((i - 1) * step + 1), number(FLOOR - height), number(step - 2), number(height))
    end
  end
  parts[#parts + 1] = ('<rect class="axis" x="0" y="%d" width="%d" height="1"/><text x="0" y="%d">%s</text>'
    .. '<text class="n" x="%d" y="%d">%s</text></svg>'):format(FLOOR, WIDTH, FLOOR + 17, escape(axis.from), WIDTH,
      FLOOR + 17, escape(axis.to))
  return table.concat(parts)
end

return report_svg
