--- Why a callback is refused: the error that verify() gives, with a code of docs/contract.md section 6.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"

local rejection = {}

-- The status that a host answers, where it is not 401.
-- A 401 with "WWW-Authenticate: Signature error=<code>" makes an AdCP sender give up.
local STATUS = {
  webhook_body_too_large = 413, webhook_payload_invalid = 400, webhook_delivery_conflict = 409,
  webhook_unavailable = 503,
}

--- The error; `fields` may hold further ones of scope3.Error. Its message holds nothing of what was sent.
---@param code string
---@param message string
---@param fields? table
---@return nil
---@return scope3.Error err  kind "webhook", with `code`, and in `status` what to answer
function rejection.new(code, message, fields)
  local all = { status = STATUS[code] or 401 }
  for key, value in entries(fields or {}) do
    all[key] = value
  end
  all.code = code
  return nil, errors.new("webhook", "the callback is refused: " .. message, all)
end

return rejection
