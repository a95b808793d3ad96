--- The charts of a report, and the tables beside them: fates of rows and members, identifiers, reasons, requests over
--- time, and what was matched.
local report_excluded = require "scope3.cli.report_excluded"
local report_summary = require "scope3.cli.report_summary"
local report_svg = require "scope3.cli.report_svg"
local report_tables = require "scope3.cli.report_tables"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local report_charts = {}

---@class scope3.cli.Figure
---@field title string
---@field svg string
---@field head string[]
---@field rows string[][]  the first column is of words, the others are of numbers
---@field tall? boolean  its table scrolls
---@field aside? string  what is said below the chart

local MOST_REASONS = 12 -- that have a bar
local MOST_SLICES = 20 -- of time
local MOST_AUDIENCES = 12

local function share(n, whole)
  return whole > 0 and text.fixed(100 * n / whole, 1) .. " %" or "-"
end

-- Rows that are not nought.
local function without_noughts(rows)
  local kept = {}
  for _, row in ipairs(rows) do
    if row.n > 0 then
      kept[#kept + 1] = row
    end
  end
  return kept
end

-- Bars of rows, and a table of them with their shares of a whole.
local function parts_of(id, title, rows, whole, unit)
  local cells = {}
  for i, row in ipairs(rows) do
    cells[i] = { row.label, text.count(row.n), share(row.n, whole) }
  end
  return #rows > 0 and {
    title = title, svg = report_svg.bars(id, title, rows, whole), head = { "What", unit, "Share" }, rows = cells,
  } or nil
end

local function rows_by_fate(res, about)
  local rejected = result.total(res.rejected)
  return parts_of("rows", "Rows, by what became of them", without_noughts {
    { label = res.mirror and "taken" or "gave a member", n = res.rows - res.skipped - rejected, tone = "good" },
    { label = "skipped " .. report_summary.skipped_by(about), n = report_excluded.by_script(res),
      tone = "quiet" },
    { label = "excluded", n = res.excluded_rows, tone = "quiet" },
    { label = "belong to other rows", n = res.child_rows, tone = "quiet" },
    { label = "rejected", n = rejected, tone = "bad" },
  }, res.rows, "Rows")
end

local function members_by_fate(res)
  local removed, would_remove = res.removed, res.would_remove or 0
  return parts_of("members", "Members, by what became of them", without_noughts {
    { label = "accepted", n = res.accepted - removed, tone = "good" },
    { label = "removed", n = removed, tone = "good" },
    { label = "prepared", n = res.prepared or 0, tone = "good" },
    { label = "would be sent", n = (res.would_send or 0) - would_remove, tone = "plain" },
    { label = "would be removed", n = would_remove, tone = "plain" },
    { label = "replaced by a later row", n = res.replaced, tone = "quiet" },
    { label = "rejected by the service", n = res.rejected_by_service, tone = "bad" },
    { label = "failed", n = res.failed, tone = "bad" },
    { label = "sent, but never answered", n = res.unknown, tone = "doubtful" },
  }, res.members, "Members")
end

local function identifiers_by_kind(res)
  local ids = res.identifiers
  local all = ids.hashed_email + ids.hashed_phone + ids.uids
  return parts_of("identifiers", "Identifiers, by kind", without_noughts {
    { label = "emails", n = ids.hashed_email }, { label = "phones", n = ids.hashed_phone },
    { label = "universal ids", n = ids.uids },
  }, all, "Identifiers")
end

-- Counts by reason: a bar for each of the most frequent ones, and one for the others.
local function by_reason(id, title, counts, unit, tone)
  local rows, others = {}, 0
  for i, row in ipairs(report_tables.by_reason(counts)) do
    if i <= MOST_REASONS then
      rows[i] = { label = row.words, n = row.n, tone = tone }
    else
      others = others + row.n
    end
  end
  if others > 0 then
    rows[#rows + 1] = { label = "other reasons", n = others, tone = "quiet" }
  end
  local figure = parts_of(id, title, rows, result.total(counts), unit)
  if figure then
    figure.svg = report_svg.bars(id, title, rows) -- a bar of the whole would leave the others too short to compare
  end
  return figure
end

local function rejected_by_reason(res)
  return by_reason("rejected", "Rows rejected, by reason", res.rejected, "Rows", "bad")
end

local function dropped_by_reason(res)
  return by_reason("dropped", "Identifiers dropped, by reason", res.dropped, "Identifiers", "doubtful")
end

local function repaired_by_reason(res)
  return by_reason("repaired", "Identifiers repaired and used", res.repaired, "Identifiers", "good")
end

-- Members and requests that were answered, by slices of the time that sending took.
local function slices_of(requests, finish)
  local n = math.min(MOST_SLICES, math.max(#requests, 2))
  local slices = {}
  for i = 1, n do
    slices[i] = { n = 0, requests = 0 }
  end
  for _, request in ipairs(requests) do
    local slice = slices[math.min(n, math.floor(request.send_end / finish * n) + 1)]
    slice.n, slice.requests = slice.n + request.members, slice.requests + 1
  end
  return slices
end

-- One request needs no chart of time.
local function requests_over_time(res)
  local sent, finish = {}, 0
  for _, request in ipairs(res.requests) do
    if request.send_end then
      sent[#sent + 1] = request
      finish = math.max(finish, request.send_end)
    end
  end
  if #sent < 2 or finish <= 0 then
    return nil
  end
  local slices, rows, places = slices_of(sent, finish), {}, finish < 10 and 3 or 1
  for i, slice in ipairs(slices) do
    if slice.requests > 0 then
      rows[#rows + 1] = { ("%s - %s s"):format(text.fixed((i - 1) * finish / #slices, places),
        text.fixed(i * finish / #slices, places)), text.count(slice.requests), text.count(slice.n) }
    end
  end
  local title = "Requests over time, by when they were answered"
  return { title = title, head = { "Time", "Requests", "Members" }, rows = rows,
    svg = report_svg.columns("time", title, slices,
      { unit = "member", from = "0 s", to = text.fixed(finish, places) .. " s" }),
  }
end

-- What the service says of an audience, from uploaded to matched; nil where it says nothing.
local function funnel_of(audience, i)
  local uploaded, all, matched = audience.uploaded_count, audience.total_uploaded_count, audience.matched_count
  if not (uploaded or all) or not matched then
    return nil
  end
  local rows = {}
  local function add(label, n, tone)
    rows[#rows + 1] = n and { label = label, n = n, tone = tone } or nil
  end
  add("uploaded in all", all, "plain")
  add(all and "uploaded in the last upload" or "uploaded", uploaded, "plain")
  add("matched", matched, "good")
  add("needed at least", audience.minimum_size, "quiet")
  local title = "What was matched: " .. (audience.name or audience.audience_id)
  return parts_of("match" .. i, title, rows, all or uploaded, "Members")
end

local FIGURES = { rows_by_fate, members_by_fate, identifiers_by_kind, rejected_by_reason, dropped_by_reason,
  repaired_by_reason, requests_over_time }

--- The figures of a result, in their order.
---@param res scope3.Result
---@param about {command: string?}
---@return scope3.cli.Figure[]
function report_charts.of(res, about)
  local figures = {}
  for _, make in ipairs(FIGURES) do
    figures[#figures + 1] = make(res, about) or nil
  end
  for i = 1, math.min(#res.audiences, MOST_AUDIENCES) do
    figures[#figures + 1] = funnel_of(res.audiences[i], i) or nil
  end
  return figures
end

return report_charts
