--- Names and texts of requests (docs/contract.md sections 2 and 3): camelCase on the wire, AdCP's snake_case in Lua.
--- response.lua reads the replies.
local json = require "scope3.util.json"

local codec = {}

--- Whether a text has the form of a task's id: 1 to 255 letters, digits and `. _ : ~ -`. Dots only are not an id,
--- because a path gives them another meaning.
---@param id any
---@return boolean
function codec.is_task_id(id)
  return type(id) == "string" and #id <= 255 and id:find("^[A-Za-z0-9._:~-]+$") ~= nil and id:find("[^.]") ~= nil
end

--- Percent-encodes one segment of a path (RFC 3986 section 2.3).
---@param text string
---@return string
function codec.escape(text)
  return (text:gsub("[^A-Za-z0-9%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- The text before the members of one audience in a request: everything but `add` and `remove`.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return string
function codec.audience_head(audience)
  local head = '{"audienceId":' .. json.encode(audience.id)
  if audience.name then
    head = head .. ',"name":' .. json.encode(audience.name)
  end
  if audience.consent_basis then
    head = head .. ',"consentBasis":' .. json.encode(audience.consent_basis)
  end
  return head
end

--- The end of a request, after its audiences.
---@param push table?  a push notification config that validate.push_notification_config() accepts
---@param delete_missing? boolean
---@return string
function codec.request_tail(push, delete_missing)
  local tail = delete_missing and '],"deleteMissing":true' or "]"
  if not push then
    return tail .. "}"
  end
  local auth = push.authentication
  return tail .. ',"pushNotificationConfig":' .. json.encode({
    url = push.url,
    operation_id = push.operation_id,
    token = push.token,
    authentication = auth and { schemes = { auth.scheme or auth.schemes[1] }, credentials = auth.credentials },
  }) .. "}"
end

codec.request_head = '{"audiences":['
codec.delete = ',"delete":true}'
codec.add_open, codec.remove_open, codec.list_close = ',"add":[', ',"remove":[', "]"
codec.audience_close = "}"

--- The body of a syndication.
---@param audience_id string
---@param agent_ids string[]
---@param enabled boolean
---@return string
function codec.syndicate(audience_id, agent_ids, enabled)
  local body = json.encode({
    resourceType = "AUDIENCE", resourceId = audience_id, adcpAgentIds = agent_ids, enabled = enabled,
  })
  return body
end

return codec
