--- Whether a client can talk to the service, here and now.
local errors = require "scope3.error"

local preflight = {}

--- Why the caller cannot wait here and now, such as in a phase of nginx that must not yield.
---@param client scope3.Client
---@return scope3.Error?  kind "cannot_wait"
function preflight.barred(client)
  local why = client.loop.bar and client.loop.bar()
  return why and errors.new("cannot_wait", why) or nil
end

--- What the client lacks for talking to the service.
---@param client scope3.Client
---@param without_account? boolean  for calls that need no account
---@return scope3.Error?  kind "cannot_wait", or "invalid" with an issue for each setting that is missing
function preflight.lacks(client, without_account)
  local err = preflight.barred(client)
  if err then
    return err
  end
  local issues = {}
  if not client.has_key then
    issues[#issues + 1] = { path = "api_key", message = "is missing: give it, or set SCOPE3_API_KEY" }
  end
  if not without_account and not client.account_id then
    issues[#issues + 1] = { path = "account_id", message = "is missing: give it, or set SCOPE3_ACCOUNT_ID" }
  end
  return #issues > 0 and errors.invalid("client", issues) or nil
end

return preflight
