--- What a report says of a night with a state: what was added, changed and removed, and what stayed.
local text = require "scope3.cli.text"

local report_mirror = {}

-- The counts in their order: the field, its words, and whether it is named although it is 0.
local WORDS = {
  { "added", "added", true }, { "changed", "changed", true }, { "removed", "removed", true },
  { "unchanged", "unchanged", true }, { "noted", "sent nothing new" }, { "rejected_before", "rejected as before" },
  { "under_way", "under way already" }, { "deferred", "deferred to another night" }, { "sent_again", "sent again" },
  { "excluded", "excluded" }, { "kept", "kept without a row" }, { "not_there", "not in the audience" },
}

-- A difference in words.
local function words_of(difference, mode)
  local parts = {}
  for _, one in ipairs(WORDS) do
    local n = difference[one[1]] or 0
    if n > 0 or one[3] and mode ~= "remove" or one[1] == "removed" then
      parts[#parts + 1] = text.count(n) .. " " .. one[2]
    end
  end
  return table.concat(parts, " · ")
end

--- The difference in words, for the summary.
---@param difference table  res.mirror
---@param is_dry boolean
---@return string label
---@return string words
---@return string[][] rows  of each audience, where there are several: a label and words
function report_mirror.rows(difference, is_dry)
  local rows = {}
  for i, of in ipairs(difference.audiences or {}) do
    rows[i] = { "of " .. of.audience_id, words_of(of, difference.mode) }
  end
  return is_dry and "would differ" or "difference", words_of(difference, difference.mode), rows
end

-- Kinds of rows that a dry run gives examples of.
local SAMPLED = { "added", "changed", "unchanged", "deferred", "under_way", "rejected_before", "excluded", "not_there" }
local TITLES = {}
for _, one in ipairs(WORDS) do
  TITLES[one[1]] = one[2]
end

local function place_of(spot, several)
  return several and ("row %.0f of file %d"):format(spot.row, spot.file + 1) or ("%.0f"):format(spot.row)
end

-- The lists of samples, each with the name of its audience where there are several.
local function lists_of(difference)
  local lists = {}
  for i, of in ipairs(difference and (difference.audiences or { difference }) or {}) do
    lists[i] = { samples = of.samples or {}, name = of.audience_id and of.audience_id .. " · " or "" }
  end
  return lists
end

-- Whether samples are of several files.
local function are_of_several(lists)
  for _, list in ipairs(lists) do
    for _, kind in ipairs(SAMPLED) do
      for _, spot in ipairs(list.samples[kind] or {}) do
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
      for i, spot in ipairs(list.samples[kind] or {}) do
        places[i] = place_of(spot, several)
      end
      if places[1] then
        rows[#rows + 1] = { list.name .. TITLES[kind], table.concat(places, ", ") }
      end
    end
  end
  return { title = "Rows that are first of their kind:", rows = rows }
end

return report_mirror
