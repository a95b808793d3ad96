--- The label of an audience in a spool file or a queue: it says whose the members are that follow.
local codec = require "scope3.api.codec"
local json = require "scope3.util.json"
local validate = require "scope3.api.validate"

local audience_label = {}

--- The label of an audience.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return string
function audience_label.write(audience)
  return codec.audience_head(audience) .. "}"
end

--- The audience of a label. Nil where it is not readable, or not valid.
---@param label string
---@return {id: string, name: string?, consent_basis: string?}?
function audience_label.read(label)
  local value = json.decode(label)
  if type(value) ~= "table" or type(value.audienceId) ~= "string" then
    return nil
  end
  local audience = { id = value.audienceId, name = value.name, consent_basis = value.consentBasis }
  local issues = {}
  validate.audience(issues, audience, "audience")
  return #issues == 0 and audience or nil
end

return audience_label
