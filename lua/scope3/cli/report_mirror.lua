--- What a report says of a night with a state: what differed, what was done of it, and what was not.
local plural = require "scope3.util.plural"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local report_mirror = {}

-- The counts of a list of names with words, as one text; nil where all are 0.
local function counted(difference, words)
  local parts = {}
  for _, one in ipairs(words) do
    local n = difference[one[1]] or 0
    if n > 0 or one.always then
      parts[#parts + 1] = text.count(n) .. " " .. one[2]
    end
  end
  return parts[1] and table.concat(parts, " · ") or nil
end

-- Whether something differs, and nothing of it was begun.
local function is_untouched(res)
  local of = res.mirror
  return res.would_send == nil and #res.requests == 0
    and (of.to_remove > 0 or of.added + of.changed - of.noted - result.total(res.rejected) > 0)
end

--- How many people the state had, and which night this is.
---@param res scope3.Result  of a job with a state, as below
---@return string label
---@return string words
function report_mirror.state(res)
  local of = res.mirror
  -- Of several audiences the sum counts who is in two of them twice.
  local people = of.audiences and text.plural(of.before, "member") or text.plural(of.before, "person", "people")
  if of.before == 0 then
    people = of.night and "nobody" or "nobody yet"
  end
  return "state", of.night and ("night %s · %s before it"):format(text.count(of.night), people) or people
end

-- What differs of an audience, or of all together.
local function words_of(of, mode)
  local noted = of.noted > 0 and ("changed (%s the same member)"):format(of.noted == of.changed and "all give"
    or text.count(of.noted) .. " of them " .. plural.words(of.noted, "gives", "give")) or "changed"
  local removes = mode == "remove"
  return counted(of, {
    { "added", "added", always = not removes }, { "changed", noted, always = not removes },
    { "removed", "removed", always = mode ~= "upsert" and of.to_remove == 0 }, { "to_remove", "to remove" },
    { "removed_excluded", "of them excluded" },
    { "unchanged", "unchanged", always = not removes },
  })
end

--- What differs.
---@param res scope3.Result
---@return string? label
---@return string? words
---@return string[][]? rows  of each audience, where there are several: a label and words
function report_mirror.difference(res)
  local of, rows = res.mirror, {}
  for i, one in ipairs(of.audiences or {}) do
    rows[i] = { "of " .. one.audience_id, words_of(one, of.mode) }
  end
  return (res.would_send or is_untouched(res)) and "would differ" or "difference", words_of(of, of.mode), rows
end

--- Whom a guard kept from being removed, and what became of the others.
---@param res scope3.Result
---@return string? label
---@return string? words
function report_mirror.held_back(res)
  local of = res.mirror
  if not of.held_back then
    return nil
  end
  local others = is_untouched(res) and "nothing was sent" or "what is new or has changed was sent"
  return "held back", ("%s, by a guard%s"):format(text.plural(of.held_back, "removal"),
    res.would_send and "" or ": " .. others)
end

--- Who waits for requests of earlier nights.
---@param res scope3.Result
---@return string? label
---@return string? words
function report_mirror.waiting(res)
  local of = res.mirror
  local again = of.sent_again == 0 and "" or of.sent_again == of.under_way and ", and sent again"
    or (", %s of them sent again"):format(text.count(of.sent_again))
  local words = counted(of, {
    { "under_way", "under way since an earlier night" .. again }, { "deferred", "deferred to a later night" },
  })
  return words and "waiting", words
end

--- Who else the night saw.
---@param res scope3.Result
---@return string? label
---@return string? words
function report_mirror.besides(res)
  local words = counted(res.mirror, {
    { "rejected_before", "rejected as before" }, { "excluded", "excluded" }, { "kept", "kept without a row" },
    { "not_there", "not in the state, so not removed" }, { "replaced", "replaced by a later row of the same id" },
  })
  return words and "besides", words
end

--- Why nothing was sent; nil where something was.
---@param res scope3.Result
---@return string?
function report_mirror.nothing(res)
  local of = res.mirror
  if res.members > 0 or #res.requests > 0 then
    return nil
  elseif is_untouched(res) or of.held_back then
    return "nothing"
  elseif of.under_way + of.deferred > 0 then
    return "nothing: what differs waits for requests of earlier nights"
  elseif of.rows == 0 then
    return "nothing: no row could be compared"
  elseif result.total(res.rejected) > 0 then
    return "nothing: no row that differs gives a member"
  end
  return "nothing: no member differs"
end

--- What a night came to, for one line: nil where that is no more than what was accepted.
---@param res scope3.Result
---@return string?
function report_mirror.subject(res)
  local of = res.mirror
  if res.would_send then
    return nil
  elseif of.held_back then
    return ("%s held back, %s accepted"):format(text.plural(of.held_back, "removal"), text.count(res.accepted))
  elseif res.accepted ~= res.members or is_untouched(res) or result.total(res.rejected) > 0 then
    return nil -- who was found is not who was sent
  end
  return counted(of, { { "added", "added" }, { "changed", "changed" }, { "removed", "removed" } })
    or report_mirror.nothing(res)
end

-- Kinds of rows that a dry run gives examples of.
local SAMPLED = {
  { "added", "added" }, { "changed", "changed" }, { "unchanged", "unchanged" }, { "deferred", "deferred" },
  { "under_way", "under way" }, { "rejected_before", "rejected as before" }, { "excluded", "excluded" },
  { "not_there", "not in the state, so not removed" },
}

local function place_of(spot, several)
  return several and ("row %.0f of file %d"):format(spot.row, spot.file + 1) or ("%.0f"):format(spot.row)
end

-- The lists of samples, each with the name of its audience where there are several.
local function lists_of(difference)
  local lists = {}
  for i, of in ipairs(difference.audiences or { difference }) do
    lists[i] = { samples = of.samples or {}, name = of.audience_id and of.audience_id .. " · " or "" }
  end
  return lists
end

-- Whether samples are of several files.
local function are_of_several(lists)
  for _, list in ipairs(lists) do
    for _, kind in ipairs(SAMPLED) do
      for _, spot in ipairs(list.samples[kind[1]] or {}) do
        if spot.file > 0 then
          return true
        end
      end
    end
  end
  return false
end

--- Examples of a dry run: the first rows of each kind.
---@param res scope3.Result
---@return scope3.cli.ReportTable
function report_mirror.samples(res)
  local lists, rows = lists_of(res.mirror), {}
  local several = are_of_several(lists)
  for _, list in ipairs(lists) do
    for _, kind in ipairs(SAMPLED) do
      local places = {}
      for i, spot in ipairs(list.samples[kind[1]] or {}) do
        places[i] = place_of(spot, several)
      end
      if places[1] then
        rows[#rows + 1] = { list.name .. kind[2], table.concat(places, ", ") }
      end
    end
  end
  return { title = "The first rows of each kind, by their numbers:", rows = rows }
end

return report_mirror
