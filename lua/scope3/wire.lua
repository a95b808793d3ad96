--- Names on the wire and names in Lua: camelCase there, AdCP's snake_case here. The only place that knows both.
local core = require "scope3.core"
local json = require "scope3.json"

local wire = {}

local function snake(key)
  return (key:gsub("[A-Z]", function(c) -- not %u and lower(), which ask the locale: in Turkish taskId is no task_id
    return "_" .. core.lower(c)
  end))
end

-- A count is an integer where Lua has them, whatever the JSON library made of it.
local integer = math.tointeger or function() end

--- A decoded value of a reply as Lua users see it: snake_case keys, nulls gone, ids as strings.
---@param value any
---@return any
function wire.read(value)
  if value == json.null then
    return nil
  elseif type(value) == "number" then
    return integer(value) or value
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in pairs(value) do
    local name = type(key) == "string" and snake(key) or key
    item = wire.read(item)
    if type(item) == "number" and type(name) == "string" and name:find("_id$") then
      -- the second would round an integer of 64 bits
      item = integer(item) and ("%d"):format(item) or ("%.0f"):format(item)
    end
    out[name] = item
  end
  return out
end

if jit then
  -- LuaJIT of March 2022, as Debian 12 has it, skips entries of such a loop once it was compiled and left often: a reply without its status.
  jit.off(wire.read, true)
end

--- Percent-encodes one segment of a path (RFC 3986 section 2.3).
---@param text string
---@return string
function wire.escape(text)
  return (text:gsub("[^A-Za-z0-9%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- The text before the members of one audience in a request (docs/contract.md section 2): everything but `add` and `remove`.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return string
function wire.audience_head(audience)
  local head = '{"audienceId":' .. json.encode(audience.id)
  if audience.name then
    head = head .. ',"name":' .. json.encode(audience.name)
  end
  if audience.consent_basis then
    head = head .. ',"consentBasis":' .. json.encode(audience.consent_basis)
  end
  return head
end

--- The end of a request after its audiences.
---@param push table?  push notification config, checked
---@param delete_missing? boolean
---@return string
function wire.request_tail(push, delete_missing)
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

wire.request_head = '{"audiences":['
wire.delete = ',"delete":true}'
wire.add_open, wire.remove_open, wire.list_close = ',"add":[', ',"remove":[', "]"
wire.audience_close = "}"

--- The body of a syndication (docs/contract.md section 3).
---@param audience_id string
---@param agent_ids string[]
---@param enabled boolean
---@return string
function wire.syndicate(audience_id, agent_ids, enabled)
  local body = json.encode({
    resourceType = "AUDIENCE", resourceId = audience_id, adcpAgentIds = agent_ids, enabled = enabled,
  })
  return body
end

return wire
