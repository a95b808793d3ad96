--- What the end of a wait says of the audiences: a status that is an end, and is not what one waits for.
local core = require "scope3.core"
local result = require "scope3.result"
local verdict = require "scope3.api.verdict"
local visible = require "scope3.util.visible"

local status = {}

local MEANING = {
  TOO_SMALL = "it has too few matched members to be targeted",
  SUSPENDED = "the service has suspended it, so it cannot be targeted; its consent may have expired, or an audit failed",
  ERROR = "the service could not process it, so it cannot be targeted",
}

local OURS = { audience_warning = true, audience_too_small = true, audience_suspended = true, audience_error = true, audience_unmatched = true }

local LISTED = 20 -- problems of an audience that are told

--- What is to be warned of in an audience's row.
---@param audience scope3.AudienceRow
---@return string? code  "audience_too_small", "audience_suspended", "audience_error" or "audience_unmatched"
---@return string? message
function status.of(audience)
  local word = type(audience.status) == "string" and core.upper(audience.status) or nil
  if word and MEANING[word] then
    local needed = word == "TOO_SMALL" and audience.minimum_size
    return "audience_" .. core.lower(word), ("The audience %s is %s: %s%s."):format(audience.audience_id, word,
      MEANING[word], needed and (", at least %.0f are needed"):format(needed) or "")
  elseif audience.matched_count == 0
    and math.max(audience.uploaded_count or 0, audience.total_uploaded_count or 0) > 0 then
    return "audience_unmatched",
      ("No member of the audience %s was matched: are these the identifiers that you meant?"):format(audience.audience_id)
  end
end

--- Warns of audiences that have ended otherwise than READY and matched. What an earlier wait warned of is said anew.
---@param res scope3.Result
function status.warn(res)
  for i = #res.warnings, 1, -1 do
    if OURS[res.warnings[i].code] then
      table.remove(res.warnings, i)
    end
  end
  for _, audience in ipairs(res.audiences) do
    local code, message = status.of(audience)
    if code then
      result.warn(res, code, message, { audience_id = audience.audience_id })
    end
    -- What its row tells of problems; the texts were cleaned when the row was read.
    local said = verdict.beside { errors = audience.errors or audience.error, warnings = audience.warnings }
    for i = 1, math.min(#said, LISTED) do
      result.warn(res, "audience_warning", ("the service says of the audience %s: %s"):format(
        visible.text(audience.audience_id), verdict.sentence(said[i])), { audience_id = audience.audience_id })
    end
  end
end

return status
