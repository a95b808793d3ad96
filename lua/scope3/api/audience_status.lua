--- What the end of a wait says of the audiences: a status that is an end, but not the one that was hoped for.
local core = require "scope3.core"
local problems = require "scope3.api.problems"
local result = require "scope3.result"
local visible = require "scope3.util.visible"

local audience_status = {}

local MEANING = {
  TOO_SMALL = "it has too few matched members to be targeted",
  SUSPENDED = "the service has suspended it, so it cannot be targeted; its consent may have expired, "
    .. "or an audit failed",
  ERROR = "the service could not process it, so it cannot be targeted",
}

-- The codes of warnings that audience_status.warn() gives.
local OURS = {
  audience_warning = true, audience_too_small = true, audience_suspended = true, audience_error = true,
  audience_unmatched = true,
}

local SHOWN_MAX = 20 -- problems of an audience that are reported

--- What an audience's row gives reason to warn of.
---@param audience scope3.AudienceRow
---@return string? code  "audience_too_small", "audience_suspended", "audience_error" or "audience_unmatched"
---@return string? message
function audience_status.of(audience)
  local id, word = audience.audience_id, type(audience.status) == "string" and core.upper(audience.status) or nil
  if word and MEANING[word] then
    local needed = word == "TOO_SMALL" and audience.minimum_size
    return "audience_" .. core.lower(word), ("The audience %s is %s: %s%s."):format(id, word, MEANING[word],
      needed and (", at least %.0f are needed"):format(needed) or "")
  elseif audience.matched_count == 0
    and math.max(audience.uploaded_count or 0, audience.total_uploaded_count or 0) > 0 then
    return "audience_unmatched",
      ("No member of the audience %s was matched: are these the identifiers that you meant?"):format(id)
  end
end

-- Problems that the service states in an audience's row. They were redacted when the row was read.
local function stated_in(audience)
  local list = problems.list(audience.errors or audience.error)
  for _, problem in ipairs(problems.list(audience.warnings)) do
    list[#list + 1] = problem
  end
  return list
end

--- Warns of audiences that have ended otherwise than READY and matched. Warnings of an earlier wait are replaced.
---@param res scope3.Result
function audience_status.warn(res)
  for i = #res.warnings, 1, -1 do
    if OURS[res.warnings[i].code] then
      table.remove(res.warnings, i)
    end
  end
  for _, audience in ipairs(res.audiences) do
    local fields = { audience_id = audience.audience_id }
    local code, message = audience_status.of(audience)
    if code then
      result.warn(res, code, message, fields)
    end
    local stated = stated_in(audience)
    for i = 1, math.min(#stated, SHOWN_MAX) do
      result.warn(res, "audience_warning", ("the service says of the audience %s: %s"):format(
        visible.text(audience.audience_id), problems.sentence(stated[i])), fields)
    end
  end
end

return audience_status
