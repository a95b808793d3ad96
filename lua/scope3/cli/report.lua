--- A result for people.
local core = require "scope3.core"
local matching = require "scope3.cli.matching"
local result_of = require "scope3.result"
local text = require "scope3.cli.text"

local report = {}

-- Reasons with their numbers, the most frequent first.
local function by_reason(counts)
  local rows = {}
  for reason, n in pairs(counts) do
    rows[#rows + 1] = { reason = reason, n = n }
  end
  table.sort(rows, function(a, b)
    if a.n ~= b.n then
      return a.n > b.n
    end
    return a.reason < b.reason
  end)
  return rows
end

local function list_reasons(out, title, counts)
  if next(counts) == nil then
    return
  end
  out[#out + 1] = "\n" .. title .. "\n"
  local rows = {}
  for i, row in ipairs(by_reason(counts)) do
    rows[i] = { text.count(row.n), core.reasons[row.reason] or core.repairs[row.reason] or row.reason }
  end
  out[#out + 1] = text.columns(rows, { true }, "  ")
end

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
  for _, part in ipairs(matching.parts(audience)) do
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

-- Members that were added and those that were removed: the label of the line, and its words. A removal is never called
-- accepted.
local function describe_members(n, removed, add_word, remove_word, removes)
  if removes or removed > 0 and removed == n then
    return remove_word, text.plural(removed, "member")
  end
  local also = remove_word == "removed" and remove_word or "to remove"
  return add_word, text.plural(n - removed, "member") .. (removed > 0 and (" · %s %s"):format(text.count(removed), also) or "")
end

-- The rows of what did not get through, so that somebody can look at them.
local function list_lost(out, res)
  local rows = {}
  local function more()
    return #rows < 20
  end
  for _, member in ipairs(res.quarantine) do
    if more() then
      rows[#rows + 1] = { member.row and ("row %.0f"):format(member.row) or "-", "rejected by the service",
        (member.field and member.field .. " " or "") .. member.message }
    end
  end
  for _, request in ipairs(res.requests) do
    local failed = (request.state == "failed" or request.state == "partly failed") and not request.sent_again
    local lost = failed or request.state == "unknown"
      or request.state == "not sent" and not res.would_send
    if lost and request.rows and more() then
      rows[#rows + 1] = { ("rows %.0f to %.0f"):format(request.rows.first, request.rows.last), request.state,
        text.plural(failed and request.failed or request.members, "member")
          .. (request.error and ": " .. request.error or "") }
    end
  end
  if #rows > 0 then
    out[#out + 1] = "\nNot in the audience, or not for certain:\n" .. text.columns(rows, nil, "  ")
  end
end

local DOUBTS = {
  { "absent", "blank or missing" }, { "not_a_number", "not a number" }, { "not_a_date", "not a date" },
  { "not_yes_or_no", "not a yes or no" }, { "other_case", "in another case" },
}

-- Rows skipped, by the condition that they did not meet first, and what of it may be no wish of the script's author.
local function list_conditions(out, res)
  local rows = {}
  for _, condition in ipairs(res.conditions) do
    local parts = {}
    for _, count in ipairs(DOUBTS) do
      if condition[count[1]] > 0 then
        parts[#parts + 1] = text.count(condition[count[1]]) .. " " .. count[2]
      end
    end
    if condition.skipped > 0 or #parts > 0 then
      rows[#rows + 1] = { text.count(condition.skipped), ("%s %s"):format(condition.column, condition.operator)
        .. (#parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or "") }
    end
  end
  if #rows > 0 then
    out[#out + 1] = "\nRows skipped, by the first condition that they did not meet:\n"
      .. text.columns(rows, { true }, "  ")
  end
end

local function list_warnings(out, res)
  for i, warning in ipairs(res.warnings) do
    out[#out + 1] = (i == 1 and "\n" or "") .. "Warning: " .. text.visible(warning.message) .. "\n"
  end
end

local SHOWN = 8 -- requests of the timeline

-- What was built and sent when. One request has no timeline, and many are shown by the first ones.
local function timeline(out, res)
  local rows = { { "request", "members", "built", "on the wire" } }
  local function span(from, to)
    return from and to and ("%s - %s s"):format(text.fixed(from, 2), text.fixed(to, 2)) or "-"
  end
  for i, request in ipairs(res.requests) do
    if i > SHOWN then
      rows[#rows + 1] = { ("and %d more"):format(#res.requests - SHOWN), "", "", "" }
      break
    end
    rows[#rows + 1] = { tostring(i), text.count(request.members), span(request.build_start, request.build_end),
      span(request.send_start, request.send_end) }
  end
  if #res.requests > 1 and res.requests[1].send_start then
    out[#out + 1] = "\nTimeline:\n" .. text.columns(rows, nil, "  ")
  end
end

--- The report of a job.
---@param res scope3.Result
---@param about {title: string, waited: number?, sandbox: boolean?, options: string?}  `options`: of the command that
---  follows the tasks
---@return string
function report.of(res, about)
  local out = { about.title .. "\n\n" }
  local rate = res.seconds > 0 and res.rows > 0 and (" · %s rows a second"):format(text.count(res.rows / res.seconds)) or ""
  local rows = {
    { "rows", text.count(res.rows) .. " in " .. text.seconds(res.seconds) .. rate },
  }
  if res.skipped > 0 then
    rows[#rows + 1] = { "skipped", res.child_rows == 0 and text.count(res.skipped) .. " by the script"
      or ("%s by the script · %s that belong to other rows"):format(text.count(res.skipped - res.child_rows), text.count(res.child_rows)) }
  end
  local rejected = result_of.total(res.rejected)
  if rejected > 0 then
    rows[#rows + 1] = { "rejected", text.count(rejected) }
  end
  if res.swallowed_lines > 0 then
    rows[#rows + 1] = { "lines", ("%s · %s of them inside rows that a quote holds together"):format(text.count(res.lines.total),
      text.count(res.swallowed_lines)) }
  end
  rows[#rows + 1] = { "members", text.count(res.members)
    .. (res.replaced > 0 and (" · %s replaced by a later row of the same id"):format(text.count(res.replaced)) or "") }
  local ids = res.identifiers
  local kinds = { text.plural(ids.hashed_email, "email"), text.plural(ids.hashed_phone, "phone") }
  if ids.uids > 0 then
    kinds[#kinds + 1] = text.plural(ids.uids, "universal id")
  end
  if res.prehashed > 0 then
    kinds[#kinds + 1] = text.count(res.prehashed) .. " of them hashed already"
  end
  rows[#rows + 1] = { "identifiers", table.concat(kinds, " · ") }
  rows[#rows + 1] = { "requests", describe_requests(res)
    .. (res.bytes_sent > 0 and " · " .. text.bytes(res.bytes_sent) or "")
    .. (res.retries > 0 and " · " .. text.plural(res.retries, "retry", "retries") or "") }
  if res.would_send then
    local label, words = describe_members(res.would_send, res.would_remove or 0, "would send", "would remove")
    rows[#rows + 1] = { label, words }
  else
    local label, words = describe_members(res.accepted, res.removed, "accepted", "removed", only_removes(res))
    rows[#rows + 1] = { label, words
      .. (res.resumed > 0 and (" · %s of them by an earlier run"):format(text.count(res.resumed)) or "")
      .. (res.failed > 0 and (" · %s failed"):format(text.count(res.failed)) or "")
      .. (res.rejected_by_service > 0 and (" · %s rejected by the service"):format(text.count(res.rejected_by_service)) or "")
      .. (res.possibly_twice > 0 and (" · %s possibly twice (an answer was lost)"):format(text.count(res.possibly_twice)) or "")
      .. (res.unknown > 0 and (" · %s sent, but never answered"):format(text.count(res.unknown)) or "") }
  end
  if res.deferred > 0 then
    rows[#rows + 1] = { "deferred", ("%s until the tasks of their ids' earlier members had ended · %s"):format(text.plural(res.deferred, "member"),
      text.plural(res.epochs, "epoch")) }
  end
  if res.repeats == "request" and #res.requests > 1 then
    rows[#rows + 1] = { "repeats", "looked for in each request only; --unique looks through all of them" }
  end
  local going = res.deleted or res.would_delete
  if going then
    local named = {}
    for i = 1, math.min(#going, 20) do
      named[i] = going[i].audience_id
    end
    rows[#rows + 1] = { res.deleted and "deleted" or "would delete", text.plural(#going, "audience")
      .. (#named > 0 and ": " .. table.concat(named, ", ") or "") .. (#going > #named and ", …" or "") }
  end
  if #res.tasks > 0 then
    rows[#rows + 1] = { "tasks", describe_tasks(res) .. (about.waited and " · waited " .. text.seconds(about.waited) or "") }
  end
  for _, audience in ipairs(res.audiences) do
    rows[#rows + 1] = { "audience", describe_audience(audience) }
  end
  out[#out + 1] = text.columns(rows, nil, "  ")
  timeline(out, res)
  list_warnings(out, res)
  list_lost(out, res)
  list_conditions(out, res)
  list_reasons(out, "Rows rejected, by reason:", res.rejected)
  list_reasons(out, "Identifiers dropped, by reason (their members were kept if another was left):", res.dropped)
  list_reasons(out, "Regions that are not known, of the phones dropped for it:", res.unknown_regions)
  list_reasons(out, "Identifiers repaired and used:", res.repaired)
  for _, kind in ipairs { "email", "phone" } do
    local mixed = res.mixed[kind]
    if mixed then
      out[#out + 1] = ("\nThe %s column mixes raw values (%s) and hashes (%s); each was used as what it is.\n"):format(kind,
        text.count(mixed.raw), text.count(mixed.hashed))
    end
  end
  if #res.tasks > 0 and not about.waited and about.sandbox then
    out[#out + 1] = "\nThe private sandbox ended with this command, and its tasks with it. --wait follows them.\n"
  elseif #res.tasks > 0 and not about.waited then
    out[#out + 1] = ("\nThe service is still matching. Follow it with:  scope3 wait %s --audience %s%s\n"):format(
      res.tasks[#res.tasks].task_id, text.word(res.audience.audience_id), about.options or "")
  end
  return table.concat(out)
end

return report
