--- Whether a client can talk to the service, here and now.
local errors = require "scope3.error"

local preflight = {}

--- Why nothing can be waited for here and now.
---@param client scope3.Client
---@return scope3.Error?
function preflight.barred(client)
  local why = client.loop.bar and client.loop.bar()
  return why and errors.new("cannot_wait", why) or nil
end

--- What the client lacks for talking to the service.
---@param client scope3.Client
---@param without_account? boolean  for what no account is needed
---@return scope3.Error?
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
