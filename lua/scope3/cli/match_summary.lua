--- How much of an audience was matched, for people. Each share says of what it is one: a service's `uploadedCount` may
--- be that of the last upload alone.
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

--- The types of identifiers, and how much of each was matched; nil where nothing is told of them.
---@param audience scope3.AudienceRow
---@return string?
function match_summary.by_type(audience)
  local parts = {}
  for i, entry in ipairs(audience.match_breakdown or {}) do
    parts[i] = describe_type(entry)
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

--- The service's own rate; nil where it tells none.
---@param audience scope3.AudienceRow
---@return string?
function match_summary.rate(audience)
  return audience.effective_match_rate and percent(audience.effective_match_rate)
end

--- What is told of an audience, one text for each: uploaded, matched and of what that is a share, and what the service
--- says besides.
---@param audience scope3.AudienceRow
---@return string[]
function match_summary.parts(audience)
  local parts = {}
  local total, uploaded, matched = audience.total_uploaded_count, audience.uploaded_count, audience.matched_count
  if uploaded then
    parts[#parts + 1] = text.count(uploaded) .. (total and " in the last upload" or " uploaded")
  end
  if total then
    parts[#parts + 1] = text.count(total) .. " uploaded in all"
  end
  local whole = total or uploaded
  if matched and whole and whole > 0 and matched <= whole then
    parts[#parts + 1] = ("%s matched (%.0f %% of %s uploaded)"):format(text.count(matched), 100 * matched / whole,
      total and "all" or "those")
  elseif matched then
    parts[#parts + 1] = text.count(matched) .. " matched"
  end
  local rate, types = match_summary.rate(audience), match_summary.by_type(audience)
  if rate then
    parts[#parts + 1] = "match rate " .. rate .. " by the service"
  end
  if types then
    parts[#parts + 1] = "by type: " .. types
  end
  if audience.minimum_size then
    parts[#parts + 1] = "at least " .. text.count(audience.minimum_size) .. " needed"
  end
  if audience.last_synced_at then
    parts[#parts + 1] = "synced " .. audience.last_synced_at
  end
  return parts
end

return match_summary
