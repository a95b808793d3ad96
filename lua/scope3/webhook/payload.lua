--- Reads the body of a verified callback: one unambiguous JSON object, with the fields that every callback has.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local rejection = require "scope3.webhook.rejection"

local payload = {}

---@class scope3.Callback
---@field idempotency_key string  the same for every delivery of one event
---@field task_id string
---@field status string  of the task, as client:task() gives it
---@field task_type? string  "sync_audiences" (AdCP) or "audience_sync" (Scope3) for an audience
---@field operation_id? string  as it was registered
---@field timestamp? string
---@field message? string
---@field token? string
---@field result? any

-- Decoded JSON without its nulls; those in arrays stay, for what follows them to keep its place.
local function without_nulls(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in entries(value) do
    if item ~= json.null or type(key) == "number" then
      out[key] = without_nulls(item)
    end
  end
  return out
end

-- The names of duplicate keys, redacted: the sender chose them.
local function list_names(names, count)
  local told = {}
  for i, name in ipairs(names) do
    told[i] = name == "" and "(not printable)" or redact.patterns(name)
  end
  local more = count - #names
  return table.concat(told, ", ") .. (more > 0 and (" and %d more"):format(more) or "")
end

local REQUIRED = { idempotency_key = true, task_id = true, status = true }
local STRINGS = { "idempotency_key", "task_id", "status", "task_type", "operation_id", "timestamp", "message", "token" }

-- What is wrong with the fields.
local function problems(fields)
  local issues = {}
  for _, name in ipairs(STRINGS) do
    local value = fields[name]
    if value == nil and REQUIRED[name] then
      issues[#issues + 1] = { path = name, message = "is missing" }
    elseif value ~= nil and type(value) ~= "string" then
      issues[#issues + 1] = { path = name, message = "must be a string" }
    elseif value == "" and REQUIRED[name] then
      issues[#issues + 1] = { path = name, message = "is empty" }
    end
  end
  local key = fields.idempotency_key
  if type(key) == "string" and key ~= "" and (#key < 16 or #key > 255 or key:find("[^A-Za-z0-9_.:-]")) then
    issues[#issues + 1] = { path = "idempotency_key", message = "must be 16 to 255 of A-Z a-z 0-9 _ . : -" }
  end
  return issues
end

--- Reads a body.
---@param body string
---@param token? string  what the payload must carry
---@return scope3.Callback?
---@return scope3.Error? err
function payload.read(body, token)
  local fine, names, count = core.check_json_object(body)
  if names then
    return rejection.new("webhook_body_malformed",
      "an object of its body has a key more than once: " .. list_names(names, count))
  end
  local decoded = fine and json.decode(body, true)
  if not decoded then
    return rejection.new("webhook_body_malformed", "its body is no JSON object")
  end
  local fields = without_nulls(decoded)
  if token and not (type(fields.token) == "string" and core.equal_secret(fields.token, token)) then
    return rejection.new("webhook_token_invalid", "its token is not the one that was registered")
  end
  local issues = problems(fields)
  if issues[1] then
    return rejection.new("webhook_payload_invalid", ("its %s %s"):format(issues[1].path, issues[1].message),
      { field = issues[1].path, issues = issues })
  end
  return fields
end

return payload
