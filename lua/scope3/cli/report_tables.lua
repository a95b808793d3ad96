--- The tables of a job's report: what needs a look, with reasons. Each has no rows where there is nothing to show.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local text = require "scope3.cli.text"

local report_tables = {}

---@class scope3.cli.ReportTable
---@field title string
---@field rows string[][]
---@field drawn? boolean  a page has it beside a chart
---@field right? table<integer, boolean>  columns of numbers

---@return scope3.cli.ReportTable
local function section(title, rows, right)
  return { title = title, rows = rows, right = right }
end

--- A table of nothing.
---@return scope3.cli.ReportTable
function report_tables.none()
  return section("", {})
end

--- Reasons with their numbers, the most frequent first.
---@param counts table<string, integer>
---@return {reason: string, n: integer, words: string}[]
function report_tables.by_reason(counts)
  local rows = {}
  for reason, n in entries(counts) do
    rows[#rows + 1] = { reason = reason, n = n, words = core.reasons[reason] or core.repairs[reason] or reason }
  end
  table.sort(rows, function(a, b)
    if a.n ~= b.n then
      return a.n > b.n
    end
    return a.reason < b.reason
  end)
  return rows
end

--- Counts by reason, the most frequent first.
---@param title string
---@param counts table<string, integer>
---@return scope3.cli.ReportTable
function report_tables.reasons(title, counts)
  local rows = {}
  for i, row in ipairs(report_tables.by_reason(counts)) do
    rows[i] = { text.count(row.n), row.words }
  end
  return section(title, rows, { true })
end

local MAX_LOST = 20 -- rows of the list of lost members

-- Members that the service refused, one by one.
local function rejected_rows(res)
  local rows = {}
  for i = 1, math.min(#res.quarantine, MAX_LOST) do
    local member = res.quarantine[i]
    rows[i] = { member.row and ("row %.0f"):format(member.row) or "-", "rejected by the service",
      (member.field and member.field .. " " or "") .. member.message }
  end
  return rows
end

-- Whether members of a request failed, and were not sent again.
local function has_failed(request)
  return (request.state == "failed" or request.state == "partly failed") and not request.sent_again
end

local function is_lost(request, res)
  return has_failed(request) or request.state == "unknown" or request.state == "not sent" and not res.would_send
end

local function lost_row(request)
  local members = text.plural(has_failed(request) and request.failed or request.members, "member")
  return { ("rows %.0f to %.0f"):format(request.rows.first, request.rows.last), request.state,
    members .. (request.error and ": " .. request.error or "") }
end

--- The rows of the input whose members did not get through.
---@param res scope3.Result
---@return scope3.cli.ReportTable
function report_tables.lost(res)
  local rows = rejected_rows(res)
  for _, request in ipairs(res.requests) do
    if #rows < MAX_LOST and request.rows and is_lost(request, res) then
      rows[#rows + 1] = lost_row(request)
    end
  end
  return section("Not in the audience, or not for certain:", rows)
end

local DOUBTS = {
  { "absent", "blank or missing" }, { "not_a_number", "not a number" }, { "not_a_date", "not a date" },
  { "not_yes_or_no", "not a yes or no" }, { "other_case", "in another case" },
}

--- Rows skipped, by the first condition that they did not meet, with values that it may not have been meant for.
---@param res scope3.Result
---@return scope3.cli.ReportTable
function report_tables.conditions(res)
  local rows = {}
  for _, condition in ipairs(res.conditions) do
    local parts = {}
    for _, doubt in ipairs(DOUBTS) do
      if condition[doubt[1]] > 0 then
        parts[#parts + 1] = text.count(condition[doubt[1]]) .. " " .. doubt[2]
      end
    end
    if condition.skipped > 0 or #parts > 0 then
      rows[#rows + 1] = { text.count(condition.skipped), ("%s %s"):format(condition.column, condition.operator)
        .. (condition.audience_id and " of " .. condition.audience_id or "")
        .. (#parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or "") }
    end
  end
  return section("Rows skipped, by the first condition that they did not meet:", rows, { true })
end

local MAX_TIMELINE = 8 -- requests

local function span(from, to)
  return from and to and ("%s - %s s"):format(text.fixed(from, 2), text.fixed(to, 2)) or "-"
end

--- When each request was built and sent. One request needs no timeline.
---@param res scope3.Result
---@return scope3.cli.ReportTable
function report_tables.timeline(res)
  if #res.requests < 2 or not res.requests[1].send_start then
    return report_tables.none()
  end
  local rows = { { "request", "members", "built", "on the wire" } }
  for i = 1, math.min(#res.requests, MAX_TIMELINE) do
    local request = res.requests[i]
    rows[#rows + 1] = { tostring(i), text.count(request.members), span(request.build_start, request.build_end),
      span(request.send_start, request.send_end) }
  end
  if #res.requests > MAX_TIMELINE then
    rows[#rows + 1] = { ("and %d more"):format(#res.requests - MAX_TIMELINE), "", "", "" }
  end
  return section("Timeline:", rows)
end

return report_tables
