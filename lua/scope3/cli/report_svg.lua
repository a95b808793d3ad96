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

---@class scope3.cli.Stack  a column of several parts, above and below the axis
---@field up {n: number, tone: string}[]
---@field down {n: number, tone: string}[]
---@field failed? boolean  is marked

local WIDEST = 36 -- of a column
local GAP = 4 -- in a column that is cut
local LEGEND_STEP = 84

-- Rectangles of the parts, from the axis on. What is higher than there is room for ends at the edge, with a gap.
local function add_stack(parts, stack, at)
  local sum, drawn = 0, 0
  for _, part in ipairs(stack) do
    sum = sum + part.n
  end
  local is_cut = sum > at.most
  local scale = at.room / (is_cut and sum or math.max(at.most, 1))
  for _, part in ipairs(stack) do
    if part.n > 0 then
      local height = math.max(part.n * scale, 2)
      parts[#parts + 1] = ('<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>'):format(part.tone, number(at.x),
        number(at.sign > 0 and at.floor - drawn - height or at.floor + drawn), number(at.width), number(height))
      drawn = drawn + height
    end
  end
  if is_cut then
    parts[#parts + 1] = ('<rect class="gap" x="%s" y="%s" width="%s" height="%d"/>'):format(number(at.x - 1),
      number(at.floor - at.sign * at.room * 0.85 - GAP / 2), number(at.width + 2), GAP)
  end
end

local function add_legend(parts, legend)
  for i, entry in ipairs(legend) do
    local x = (i - 1) * LEGEND_STEP
    parts[#parts + 1] = ('<rect class="%s" x="%d" y="2" width="10" height="10" rx="2"/><text x="%d" y="12">%s</text>')
      :format(entry.tone, x, x + 15, escape(entry.words))
  end
end

---@class scope3.cli.StackAxis
---@field from string
---@field to string
---@field most number  that has room above the axis
---@field least? number  and below it
---@field label string
---@field legend? {tone: string, words: string}[]  in the place of the label
---@field top? string  beside the legend

--- A column of several parts for each slice of time.
---@param id string
---@param title string
---@param words string  for the description
---@param stacks scope3.cli.Stack[]
---@param axis scope3.cli.StackAxis
---@return string
function report_svg.stacks(id, title, words, stacks, axis)
  local step, least = WIDTH / #stacks, axis.least or 0
  local width = math.min(WIDEST, step - (step > 8 and 2 or 1))
  local room = FLOOR - TOP
  local up = least == 0 and room or room * math.min(0.8, math.max(0.2, axis.most / (axis.most + least)))
  local floor = TOP + up
  local parts = { open(id, title, words, FLOOR + 22) }
  if axis.legend then
    add_legend(parts, axis.legend)
    parts[#parts + 1] = ('<text class="n" x="%d" y="12">%s</text>'):format(WIDTH, escape(axis.top or ""))
  else
    parts[2] = ('<text x="0" y="12">%s</text>'):format(escape(axis.label))
  end
  parts[#parts + 1] = ('<rect class="track" x="0" y="%d" width="%d" height="1"/>'):format(TOP - 2, WIDTH)
  for i, stack in ipairs(stacks) do
    local x = (i - 0.5) * step - width / 2
    add_stack(parts, stack.up, { x = x, width = width, floor = floor, sign = 1, most = axis.most, room = up })
    add_stack(parts, stack.down, { x = x, width = width, floor = floor + 1, sign = -1, most = least,
      room = room - up })
    if stack.failed then
      parts[#parts + 1] = ('<rect class="bad" x="%s" y="%s" width="%s" height="4"/>'):format(number(x),
        number(floor - 1.5), number(width))
    end
  end
  parts[#parts + 1] = ('<rect class="axis" x="0" y="%s" width="%d" height="1"/><text x="0" y="%d">%s</text>'
    .. '<text class="n" x="%d" y="%d">%s</text></svg>'):format(number(floor), WIDTH, FLOOR + 17, escape(axis.from),
      WIDTH, FLOOR + 17, escape(axis.to))
  return table.concat(parts)
end

return report_svg
