--- Callbacks that prove themselves by a shared secret: HMAC-SHA256, or Bearer credentials (docs/contract.md section 6).
local core = require "scope3.core"
local headers = require "scope3.webhook.headers"
local rejection = require "scope3.webhook.rejection"

local shared_secret = {}

-- What says that a header of this mode is missing, or there twice.
local function lacks(fields, what)
  if fields["signature-input"] then
    return rejection.new("webhook_mode_mismatch",
      "it has a signature of RFC 9421, and " .. what .. " is what this mode verifies")
  end
  return rejection.new("webhook_signature_header_malformed", what .. " is missing, or there twice")
end

--- HMAC-SHA256 over the timestamp, a dot and the raw body.
---@param fields table<string, string[]>
---@param body string
---@param config table  secrets, max_skew
---@param now integer
---@return true?
---@return scope3.Error? err
function shared_secret.hmac(fields, body, config, now)
  local timestamp, code = headers.one(fields, "x-adcp-timestamp"), headers.one(fields, "x-adcp-signature")
  if not timestamp or not code then
    return lacks(fields, "X-ADCP-Timestamp or X-ADCP-Signature")
  elseif not timestamp:find("^%d+$") then
    return rejection.new("webhook_signature_header_malformed", "X-ADCP-Timestamp is no number of seconds")
  elseif math.abs(now - tonumber(timestamp)) > (config.max_skew or 300) then
    return rejection.new("webhook_signature_window_invalid", "its timestamp is too far from this clock")
  end
  local holds = false
  for _, key in ipairs(config.secrets) do -- all of them, so that the time does not show which it was
    holds = core.equal_secret(code, "sha256=" .. core.hmac_sha256(key, timestamp, ".", body)) or holds
  end
  if not holds then
    return rejection.new("webhook_signature_invalid", "the code does not hold")
  end
  return true
end

--- Bearer credentials. They say who sent it, and nothing about what was sent.
---@param fields table<string, string[]>
---@param config table  credentials
---@return true?
---@return scope3.Error? err
function shared_secret.bearer(fields, config)
  local given = headers.one(fields, "authorization")
  if not given then
    return lacks(fields, "Authorization")
  elseif not core.equal_secret(given, "Bearer " .. config.credentials) then
    return rejection.new("webhook_signature_invalid", "the credentials do not hold")
  end
  return true
end

return shared_secret
