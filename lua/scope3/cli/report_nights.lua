--- What a report shows of the nights before: size, what came and went, match rate, and who was deferred.
local nights = require "scope3.cli.nights"
local report_svg = require "scope3.cli.report_svg"
local text = require "scope3.cli.text"

local report_nights = {}

local FEWEST = 2 -- points that make a chart
local MANY = 9 -- rows from which on a table scrolls
local LISTED = 7 -- nights in a text
local BEYOND = 10 -- times the usual night, from where on a column is cut: a first night would flatten all others

local count = nights.count

---@class scope3.cli.Point
---@field at string  when it was: a day, a minute, or "now"
---@field value any  nil where the night says nothing
---@field night? scope3.cli.Night

-- How much of a time tells each night from the others: its day, or its minute where two began on one day.
local function length_of(list)
  for i = 2, #list do
    if list[i].began:sub(1, 10) == list[i - 1].began:sub(1, 10) then
      return 16
    end
  end
  return 10
end

local function shown(iso, length)
  return (iso:sub(1, length):gsub("T", " "))
end

-- A point for each night, and how many have a value.
local function points_of(list, value)
  local points, known, length = {}, 0, length_of(list)
  for i, night in ipairs(list) do
    points[i] = { at = shown(night.began, length), night = night, value = value(night) }
    known = known + (points[i].value and 1 or 0)
  end
  return points, known
end

-- When a point was, and what is to be said of its night.
local function told(point)
  local note = point.night and nights.note(point.night)
  return point.at .. (note and " · " .. note or "")
end

local MARKED = "The mark on the axis: a night that failed, or was interrupted."

-- A chart of the points, and a table of them, the newest first.
local function figure_of(title, about, points, stacks)
  local axis = { from = points[1].at, to = points[#points].at, most = about.most, least = about.least,
    label = "at most " .. about.label, legend = about.legend, top = about.top }
  local rows, failed = {}, false
  for i = #points, 1, -1 do
    rows[#rows + 1] = about.cells(points[i])
    stacks[i].failed = points[i].night and nights.has_failed(points[i].night)
    failed = failed or stacks[i].failed
  end
  local asides = { about.aside }
  asides[#asides + 1] = failed and MARKED or nil
  local words = ("At most %s, from %s to %s."):format(about.label, axis.from, axis.to)
  return { title = title, svg = report_svg.stacks(about.id, title, words, stacks, axis), head = about.head, rows = rows,
    tall = #rows >= MANY, aside = asides[1] and table.concat(asides, " ") }
end

-- A figure of one number for each point.
local function figure_of_one(title, about, points)
  local stacks, most = {}, 0
  for i, point in ipairs(points) do
    stacks[i] = { up = { { n = point.value or 0, tone = about.tone } }, down = {} }
    most = math.max(most, point.value or 0)
  end
  about.most, about.label = about.most or most, about.words(most)
  function about.cells(point)
    return { told(point), point.value and about.cell(point.value) or "-" }
  end
  return figure_of(title, about, points, stacks)
end

local function people(n)
  return text.plural(n, "person", "people")
end

local function size_over_time(seen, res)
  local points, known = points_of(seen.list, function(night)
    return count(night, "before")
  end)
  points[#points + 1] = seen.people and { at = "now", value = seen.people } or nil
  local title = #res.audiences > 1 and "People in the audiences, each in each of theirs, when each night began"
    or "People in the audience, when each night began"
  return known > 0 and #points >= FEWEST and figure_of_one(title,
    { id = "size", head = { "Night", "People" }, tone = "plain", words = people, cell = text.count }, points)
end

local NO_MOVES = { added = 0, changed = 0, removed = 0 }

-- What a night sent. Where it failed before it had sent anything, that is nothing.
local function moves_of(night)
  if not count(night, "added") then
    return nil
  elseif nights.has_failed(night) and (count(night, "accepted") or 0) == 0 then
    return NO_MOVES
  end
  return { added = count(night, "added"), changed = count(night, "changed") or 0,
    removed = count(night, "removed") or 0 }
end

-- The highest of some numbers that is not far beyond the usual one.
local function highest(values)
  table.sort(values)
  local usual, most = values[math.floor((#values + 1) / 2)] or 0, 0
  for _, value in ipairs(values) do
    most = value <= BEYOND * usual and value or most
  end
  return most
end

local function moves_over_time(seen)
  local points = points_of(seen.list, moves_of)
  local stacks, ups, downs = {}, {}, {}
  for i, point in ipairs(points) do
    local of = point.value or NO_MOVES
    stacks[i] = { up = { { n = of.added, tone = "good" }, { n = of.changed, tone = "plain" } },
      down = { { n = of.removed, tone = "doubtful" } } }
    ups[#ups + 1] = of.added + of.changed > 0 and of.added + of.changed or nil
    downs[#downs + 1] = of.removed > 0 and of.removed or nil
  end
  if #points < FEWEST or #ups + #downs == 0 then
    return nil
  end
  local up, down = highest(ups), highest(downs)
  local is_cut = (ups[#ups] or 0) > up or (downs[#downs] or 0) > down
  return figure_of("Added, changed and removed, night by night", {
    id = "moves", head = { "Night", "Added", "Changed", "Removed" }, most = up, least = down,
    top = "at most " .. text.count(up),
    label = ("%s added or changed and %s removed in a night"):format(text.count(up), text.count(down)),
    legend = { { tone = "good", words = "added" }, { tone = "plain", words = "changed" },
      { tone = "doubtful", words = "removed" } },
    aside = is_cut and "A column with a gap is higher than there is room for. The table has its number." or nil,
    cells = function(point)
      local of = point.value
      return of and { told(point), text.count(of.added), text.count(of.changed), text.count(of.removed) }
        or { told(point), "-", "-", "-" }
    end,
  }, points, stacks)
end

local function rate_of(uploaded, matched)
  return uploaded and matched and uploaded > 0 and matched <= uploaded and 100 * matched / uploaded or nil
end

local function percent(n)
  return text.fixed(n, 1) .. " %"
end

local function match_rate(seen, res)
  local points, known = points_of(seen.list, function(night)
    return rate_of(count(night, "uploaded"), count(night, "matched"))
  end)
  local uploaded, matched = 0, 0
  for _, row in ipairs(res.audiences) do
    local whole = row.total_uploaded_count or row.uploaded_count
    uploaded = uploaded and whole and uploaded + whole
    matched = matched and row.matched_count and matched + row.matched_count
  end
  local rate = rate_of(uploaded, matched)
  points[#points + 1] = rate and { at = "now", value = rate } or nil
  return known + (rate and 1 or 0) >= FEWEST and figure_of_one("Match rate by the service, when each night began",
    { id = "rate", head = { "Night", "Matched" }, tone = "good", most = 100, words = percent, cell = percent },
    points)
end

local function deferred(seen)
  local most = 0
  local points, known = points_of(seen.list, function(night)
    most = math.max(most, count(night, "deferred") or 0)
    return count(night, "deferred")
  end)
  return most > 0 and known >= FEWEST and figure_of_one("Deferred to a later night",
    { id = "deferred", head = { "Night", "People" }, tone = "quiet", words = people, cell = text.count }, points)
end

local FIGURES = { size_over_time, moves_over_time, match_rate, deferred }

--- The figures of the last nights, in their order; none where there are too few.
---@param seen scope3.cli.NightsSeen?
---@param res scope3.Result
---@return scope3.cli.Figure[]
function report_nights.figures(seen, res)
  local figures = {}
  for _, make in ipairs(seen and FIGURES or {}) do
    figures[#figures + 1] = make(seen, res) or nil
  end
  return figures
end

--- A short table of the last nights, for a text.
---@param seen scope3.cli.NightsSeen?
---@return scope3.cli.ReportTable
function report_nights.table(seen)
  local list, rows = seen and seen.list or {}, {}
  local length = length_of(list)
  for i = math.max(1, #list - LISTED + 1), #list do
    local night = list[i]
    local before, moves = count(night, "before"), moves_of(night)
    local row = { shown(night.began, length), before and text.count(before) or "-" }
    for k, name in ipairs { "added", "changed", "removed" } do
      row[k + 2] = moves and text.count(moves[name]) or "-"
    end
    row[#row + 1] = nights.note(night)
    rows[#rows + 1] = row
  end
  if rows[1] then
    table.insert(rows, 1, { "night", "before", "added", "changed", "removed" })
  end
  return { title = "The last nights:", rows = rows, right = { false, true, true, true, true } }
end

return report_nights
