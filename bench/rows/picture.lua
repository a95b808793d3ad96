-- The picture of the cost of a row beside peers: horizontal bars on a logarithmic scale, cheapest first, as SVG.
--
-- It is readable on light and dark pages, because it has a background of its own, and takes that of the reader's
-- choice where the viewer knows it. Bars are filled where phones are validated, so that colour says nothing alone. All
-- coordinates are whole numbers: the same figures give the same bytes, whatever the interpreter and the locale.
local picture = {}

local LEFT, DECADE, RIGHT = 292, 130, 130 -- pixels: of the names, of ten times the cost, of the last label
local TOP, STEP, BAR = 92, 28, 16 -- above the first bar, from bar to bar, of a bar
local BOTTOM = 44
local UNITS = { "1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms" }

local STYLE = [[
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .page { fill: #ffffff; stroke: #d0d7de }
  .title { font-size: 16px; font-weight: 600 }
  .small { font-size: 12px; fill: #57606a }
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  .line { stroke: #d8dee4 }
  .peer { fill: #8c959f; stroke: #6e7781; stroke-width: 1.5 }
  .ours { fill: #0969da; stroke: #0969da; stroke-width: 1.5 }
  .hollow { fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117; stroke: #30363d }
    .small { fill: #9198a1 }
    .value { stroke: #0d1117 }
    .line { stroke: #30363d }
    .peer { fill: #6e7681; stroke: #8b949e }
    .ours { fill: #4493f8; stroke: #4493f8 }
    .hollow { fill: none }
  }
]]

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function escaped(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

local function whole(x)
  return math.floor(x + 0.5)
end

-- n / 10^places, rounded, without the decimal point of a locale.
local function decimal(n, places)
  local unit = 10 ^ places
  local scaled = whole(n * unit)
  if places == 0 then
    return ("%d"):format(scaled)
  end
  return ("%d.%0" .. places .. "d"):format(math.floor(scaled / unit), scaled % unit)
end

-- Three digits, as far as they are known.
local function short(x)
  return decimal(x, x >= 99.5 and 0 or x >= 9.95 and 1 or 2)
end

local function time(ns)
  return ns < 1000 and ("%d ns"):format(ns) or short(ns / 1000) .. " µs"
end

local function log10(x)
  return math.log(x) / math.log(10)
end

-- The figures, cheapest first; those that cost the same as they stand in the file.
local function sorted(list)
  local order = {}
  for i, figure in ipairs(list) do
    order[i] = { figure = figure, at = i }
  end
  table.sort(order, function(a, b)
    if a.figure.ns ~= b.figure.ns then
      return a.figure.ns < b.figure.ns
    end
    return a.at < b.at
  end)
  return order
end

local function class_of(figure)
  return (figure.name:find "^scope3," and "ours" or "peer") .. (figure.phones == "validated" and "" or " hollow")
end

--- The picture as the text of an SVG.
---@param list scope3.bench.Figures
---@return string
function picture.draw(list)
  local order = sorted(list)
  local first = math.floor(log10(order[1].figure.ns) + 1e-9) -- the power of ten at the left
  local last = math.ceil(log10(order[#order].figure.ns) - 1e-9)
  last = math.max(last, first + 1)
  local floor = TOP + #order * STEP
  local width, height = LEFT + (last - first) * DECADE + RIGHT, floor + BOTTOM
  local out = {}
  local function put(...)
    out[#out + 1] = string.format(...)
  end
  put('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img"', width, height,
    width, height)
  put('  aria-labelledby="title what">')
  put '<title id="title">CPU time a row, from CSV to request bodies</title>'
  put('<desc id="what">Horizontal bars on a logarithmic scale, cheapest first. %s.</desc>', escaped(list.rows))
  put("<style>\n%s</style>", STYLE)
  put('<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>', width - 1, height - 1)
  put '<text class="title" x="20" y="32">CPU time a row, from CSV to request bodies</text>'
  put('<text class="small" x="20" y="52">%s; each line is ten times the one before</text>', escaped(list.rows))
  put('<rect class="peer" x="20" y="64" width="18" height="10"/><text class="small" x="44" y="73">%s</text>',
    "validates phones")
  put('<rect class="peer hollow" x="160" y="64" width="18" height="10"/><text class="small" x="184" y="73">%s</text>',
    "does not")
  for power = first, last do
    local x = LEFT + (power - first) * DECADE
    put('<line class="line" x1="%d" y1="%d" x2="%d" y2="%d"/>', x, TOP - 6, x, floor)
    put('<text class="small" x="%d" y="%d" text-anchor="middle">%s</text>', x, floor + 18, UNITS[power + 1])
  end
  for i, one in ipairs(order) do
    local figure, y = one.figure, TOP + (i - 1) * STEP
    local length = math.max(1, whole((log10(figure.ns) - first) * DECADE))
    put('<text x="%d" y="%d" text-anchor="end">%s</text>', LEFT - 8, y + BAR - 3, escaped(figure.name))
    put('<rect class="%s" x="%d" y="%d" width="%d" height="%d"/>', class_of(figure), LEFT, y, length, BAR)
    put('<text class="value" x="%d" y="%d">%s, %s×</text>', LEFT + length + 8, y + BAR - 3, time(figure.ns),
      short(figure.ns / list[1].ns))
  end
  put '</svg>'
  return table.concat(out, "\n") .. "\n"
end

return picture
