--- What to do about error codes that say more than the status (docs/contract.md section 4).
local core = require "scope3.core"

local advice = {}

local BY_CODE = {
  CAPABILITY_NOT_SUPPORTED =
    "the destination takes no customer audiences: choose one that does, or ask the service which do",
  PRICING_NOT_CONFIGURED =
    "the account has no pricing for this yet: ask the service to set it up; sending again changes nothing",
  INSUFFICIENT_MEDIA_BUDGET = "the media budget is too small for this: raise it, then send again",
  CURRENCY_MISMATCH = "the currency is not the account's: use the account's",
  FEATURE_NOT_ENABLED = "the account does not have this feature: ask the service to enable it",
}

--- What to do about a code of the service.
---@param code any  in upper or lower case
---@return string?  nil where the code is not known
function advice.of(code)
  return type(code) == "string" and BY_CODE[core.upper(code)] or nil
end

return advice
