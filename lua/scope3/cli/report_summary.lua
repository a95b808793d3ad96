--- The first part of a job's report: rows of a label and a value, from the rows of the input to the audiences.
local match_summary = require "scope3.cli.match_summary"
local report_excluded = require "scope3.cli.report_excluded"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local report_summary = {}

local STATES = { "accepted", "completed", "failed", "partly failed", "unknown", "split", "refused", "sending",
  "not sent" }

local function describe_requests(res)
  local states = {}
  for _, request in ipairs(res.requests) do
    states[request.state] = (states[request.state] or 0) + 1
  end
  local parts = {}
  for _, state in ipairs(STATES) do
    if states[state] then
      parts[#parts + 1] = text.count(states[state]) .. " " .. state
    end
  end
  return ("%s%s"):format(text.count(#res.requests), #parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or "")
end

local function describe_tasks(res)
  local states, order = {}, {}
  for _, task in ipairs(res.tasks) do
    if not states[task.status] then
      states[task.status] = 0
      order[#order + 1] = task.status
    end
    states[task.status] = states[task.status] + 1
  end
  for i, status in ipairs(order) do
    order[i] = text.count(states[status]) .. " " .. status
  end
  return table.concat(order, ", ")
end

local function describe_audience(audience)
  local parts = { audience.audience_id .. (audience.name and " (" .. audience.name .. ")" or "") }
  if audience.deleted then
    parts[#parts + 1] = "deleted"
  elseif audience.status then
    parts[#parts + 1] = audience.status
  end
  for _, part in ipairs(match_summary.parts(audience)) do
    parts[#parts + 1] = part
  end
  return table.concat(parts, " · ")
end

-- Whether a job's requests only remove.
local function only_removes(res)
  local adds, removes = 0, 0
  for _, request in ipairs(res.requests) do
    adds, removes = adds + request.adds, removes + request.removes
  end
  return adds == 0 and removes > 0
end

-- Members that were added, and those that were removed: the label of the row, and its words. A removal is never called
-- accepted.
local function describe_members(count, removed, labels, is_removal)
  if is_removal or removed > 0 and removed == count then
    return labels.remove, text.plural(removed, "member")
  end
  local also = removed > 0 and (" · %s %s"):format(text.count(removed), labels.also) or ""
  return labels.add, text.plural(count - removed, "member") .. also
end

-- A count with its words, or nothing where it is 0.
local function also(n, words)
  return n > 0 and (" · " .. words):format(text.count(n)) or ""
end

-- Each function gives the label and the value of a row, or nil to leave the row out.
local ROWS = {}

local function add_row(row)
  ROWS[#ROWS + 1] = row
end

add_row(function(res)
  local rate = ""
  if res.seconds > 0 and res.rows > 0 then
    rate = (" · %s a second"):format(text.plural(math.floor(res.rows / res.seconds + 0.5), "row"))
  end
  return "rows", text.count(res.rows) .. " in " .. text.seconds(res.seconds) .. rate
end)

--- What left rows out, in words.
---@param about {command: string?}
---@return string
function report_summary.skipped_by(about)
  return (about.command == "sync" or about.command == "prepare") and "by --where" or "by the script"
end

add_row(function(res, about)
  return report_excluded.skipped(res, report_summary.skipped_by(about))
end)

add_row(report_excluded.lists)

add_row(function(res)
  local rejected = result.total(res.rejected)
  if rejected > 0 then
    return "rejected", text.count(rejected)
  end
end)

add_row(function(res)
  if res.swallowed_lines > 0 then
    return "lines", ("%s · %s of them inside rows that a quote holds together"):format(text.count(res.lines.total),
      text.count(res.swallowed_lines))
  end
end)

-- A night that found nothing to send needs no rows of zeros.
local function is_quiet(res)
  return res.mirror ~= nil and res.members == 0
end

for _, name in ipairs { "state", "difference", "held_back", "waiting", "besides" } do
  add_row(function(res)
    if res.mirror then
      return require("scope3.cli.report_mirror")[name](res)
    end
  end)
end

add_row(function(res)
  if not is_quiet(res) then
    local has_more = res.members > res.people and res.people > 0 and not res.mirror
    return "members", text.count(res.members)
      .. (has_more and " of " .. text.plural(res.people, "person", "people") or "")
      .. also(res.replaced, "%s replaced by a later row of the same id")
  end
end)

add_row(function(res)
  local ids = res.identifiers
  if is_quiet(res) then
    return nil
  end
  local kinds = { text.plural(ids.hashed_email, "email"), text.plural(ids.hashed_phone, "phone") }
  if ids.uids > 0 then
    kinds[#kinds + 1] = text.plural(ids.uids, "universal id")
  end
  if res.prehashed > 0 then
    kinds[#kinds + 1] = text.count(res.prehashed) .. " of them hashed already"
  end
  return "identifiers", table.concat(kinds, " · ")
end)

add_row(function(res)
  if is_quiet(res) and #res.requests == 0 then
    return nil
  end
  if res.prepared then
    return nil
  end
  return "requests", describe_requests(res)
    .. (res.bytes_sent > 0 and " · " .. text.bytes(res.bytes_sent) or "")
    .. (res.retries > 0 and " · " .. text.plural(res.retries, "retry", "retries") or "")
end)

--- What became of the members, in short: a label, and how many.
---@param res scope3.Result
---@return string label
---@return string words
function report_summary.outcome(res)
  if res.prepared then
    return "prepared", text.plural(res.prepared, "member")
  elseif res.would_send then
    return describe_members(res.would_send, res.would_remove or 0,
      { add = "would send", remove = "would remove", also = "to remove" })
  end
  return describe_members(res.accepted, res.removed,
    { add = "accepted", remove = "removed", also = "removed" }, only_removes(res))
end

add_row(function(res)
  local nothing = res.mirror and require("scope3.cli.report_mirror").nothing(res)
  local label, words = report_summary.outcome(res)
  if nothing and res.mirror.held_back and not res.would_send then
    return nil -- the row of whom a guard held back says so
  elseif nothing then
    return res.would_send and "would send" or "sent", nothing
  elseif res.would_send then
    return label, words
  end
  return label, words
    .. also(res.resumed, "%s of them by an earlier run")
    .. also(res.failed, "%s failed")
    .. also(res.rejected_by_service, "%s rejected by the service")
    .. also(res.possibly_twice, "%s possibly twice (an answer was lost)")
    .. also(res.unknown, "%s sent, but never answered")
end)

add_row(function(res)
  if res.deferred > 0 then
    return "deferred", ("%s until the tasks of their ids' earlier members had ended · %s"):format(
      text.plural(res.deferred, "member"), text.plural(res.epochs, "epoch"))
  end
end)

add_row(function(res)
  if res.repeats == "request" and #res.requests > 1 then
    return "repeats", "looked for in each request only; --unique looks through all of them"
  end
end)

--- What a job came to although a file beside it could not be written, as the end of a sentence. Nothing where there was
--- no job.
---@param res table?  the result, or its fields
---@return string
function report_summary.despite(res)
  if not (res and res.requests) then
    return ""
  end
  local label, words = report_summary.outcome(res)
  local lost = also(res.failed, "%s failed") .. also(res.unknown, "%s sent, but never answered")
  return ("; the job went on without it: %s %s"):format(label, ((words .. lost):gsub(" · ", ", ")))
end

local MAX_NAMES = 20 -- of deleted audiences that a report names

add_row(function(res)
  local audiences = res.deleted or res.would_delete
  if not audiences then
    return nil
  end
  local names = {}
  for i = 1, math.min(#audiences, MAX_NAMES) do
    names[i] = audiences[i].audience_id
  end
  return res.deleted and "deleted" or "would delete", text.plural(#audiences, "audience")
    .. (#names > 0 and ": " .. table.concat(names, ", ") or "") .. (#audiences > #names and ", …" or "")
end)

add_row(function(res, about)
  if #res.tasks > 0 then
    return "tasks", describe_tasks(res) .. (about.waited and " · waited " .. text.seconds(about.waited) or "")
  end
end)

--- The rows of the report.
---@param res scope3.Result
---@param about {waited: number?, command: string?}
---@return string[][]  a label and a value each
function report_summary.rows(res, about)
  local rows = {}
  for _, row in ipairs(ROWS) do
    local label, value, more = row(res, about)
    if label then
      rows[#rows + 1] = { label, value }
    end
    for _, further in ipairs(more or {}) do
      rows[#rows + 1] = further
    end
  end
  for _, audience in ipairs(res.audiences) do
    rows[#rows + 1] = { "audience", describe_audience(audience) }
  end
  return rows
end

return report_summary
