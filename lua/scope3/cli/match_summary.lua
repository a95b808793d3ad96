--- How much of an audience was matched, for people.
---
--- Each share says of what it is one: the service's `uploadedCount` may be that of the last upload only.
local text = require "scope3.cli.text"

local match_summary = {}

-- Of a rate, or of counts: a rate up to 1 is a part of 1, as AdCP gives it, else it is one of 100.
local function percent(rate)
  if rate > 100 then
    return nil
  end
  return ("%.0f %%"):format(rate <= 1 and rate * 100 or rate)
end

-- "hashed_email 61 %", "id5 300 of 500"
local function describe_type(entry)
  local rate = entry.rate and percent(entry.rate)
  local counts = entry.matched and text.count(entry.matched)
  if counts and entry.uploaded then
    counts = counts .. " of " .. text.count(entry.uploaded)
  end
  return entry.id_type .. " " .. (counts and rate and counts .. " (" .. rate .. ")" or counts or rate or "-")
end

--- The types of identifiers, and how much of each was matched; nil where the service reports none.
---@param audience scope3.AudienceRow
---@return string?
function match_summary.by_type(audience)
  local parts = {}
  for i, entry in ipairs(audience.match_breakdown or {}) do
    parts[i] = describe_type(entry)
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

--- The service's own rate; nil where it reports none.
---@param audience scope3.AudienceRow
---@return string?
function match_summary.rate(audience)
  return audience.effective_match_rate and percent(audience.effective_match_rate)
end

-- "700 matched (70 % of those uploaded)"
local function matched_part(audience)
  local total, uploaded, matched = audience.total_uploaded_count, audience.uploaded_count, audience.matched_count
  local whole = total or uploaded
  if matched and whole and whole > 0 and matched <= whole then
    return ("%s matched (%.0f %% of %s uploaded)"):format(text.count(matched), 100 * matched / whole,
      total and "all" or "those")
  end
  return matched and text.count(matched) .. " matched"
end

-- The parts in their order. Each gives a text, or nil where the service does not report it.
local PARTS = {
  function(audience)
    local uploaded = audience.uploaded_count
    return uploaded and text.count(uploaded) .. (audience.total_uploaded_count and " in the last upload" or " uploaded")
  end,
  function(audience)
    return audience.total_uploaded_count and text.count(audience.total_uploaded_count) .. " uploaded in all"
  end,
  matched_part,
  function(audience)
    local rate = match_summary.rate(audience)
    return rate and "match rate " .. rate .. " by the service"
  end,
  function(audience)
    local types = match_summary.by_type(audience)
    return types and "by type: " .. types
  end,
  function(audience)
    return audience.minimum_size and "at least " .. text.count(audience.minimum_size) .. " needed"
  end,
  function(audience)
    return audience.last_synced_at and "synced " .. audience.last_synced_at
  end,
}

--- What the service reports of an audience, a text for each number.
---@param audience scope3.AudienceRow
---@return string[]
function match_summary.parts(audience)
  local parts = {}
  for _, part in ipairs(PARTS) do
    parts[#parts + 1] = part(audience) or nil
  end
  return parts
end

return match_summary
