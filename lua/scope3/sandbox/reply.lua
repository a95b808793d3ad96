--- Replies as the service makes them: data in either envelope, and rejections (docs/contract.md section 4).
local core = require "scope3.core"
local json = require "scope3.sandbox.json"
local plural = require "scope3.util.plural"

local null = json.null

local reply = {}

local CODES = {
  [400] = "BAD_REQUEST", [401] = "UNAUTHORIZED", [404] = "NOT_FOUND", [405] = "METHOD_NOT_ALLOWED",
  [413] = "PAYLOAD_TOO_LARGE",
  [429] = "RATE_LIMITED", [500] = "INTERNAL_ERROR", [501] = "NOT_IMPLEMENTED", [502] = "SERVICE_UNAVAILABLE",
  [503] = "SERVICE_UNAVAILABLE", [504] = "SERVICE_UNAVAILABLE",
}

local function of(status, value)
  return { status = status, headers = { { "Content-Type", "application/json" } }, body = json.encode(value) }
end

--- An error reply.
---@param status integer
---@param message string
---@param extra? {code: string?, field: string?, details: table?}
---@return table
function reply.refuse(status, message, extra)
  extra = extra or {}
  return of(status, { data = null, error = {
    code = extra.code or CODES[status] or "ERROR", message = message, field = extra.field, details = extra.details,
  } })
end

--- The rejection of a request that is not valid.
---@param issues {path: string, message: string}[]  one or more
---@param code? string
---@return table
function reply.invalid(issues, code)
  local message = "The request is not valid: " .. plural.of(#issues, "problem")
  return reply.refuse(400, message, {
    code = code or "VALIDATION_ERROR", field = issues[1].path, details = { issues = json.array(issues) },
  })
end

--- The body of a request as a value, or the reply that says why it means none: no JSON, or an object that parsers read
--- in two ways.
---@param body string
---@return any value
---@return table? refused
function reply.decode(body)
  local fine, names = core.check_json_object(body)
  if names then
    return nil, reply.invalid({ { path = "", message = "has a key more than once: " .. table.concat(names, ", ") } },
      "BAD_REQUEST")
  end
  local value, why = json.decode(body)
  if fine or value ~= nil and type(value) ~= "table" or json.is_array(value) then
    return value
  end
  return nil, reply.invalid({ { path = "", message = why or "is not UTF-8, or no JSON by RFC 8259" } }, "BAD_REQUEST")
end

--- Data, bare or in an envelope.
---@param config table
---@param status integer
---@param data table
---@return table
function reply.data(config, status, data)
  return of(status, config.envelope == "data" and { data = data, error = null } or data)
end

--- A whole number of a query, written as one.
---@param query table<string, string>
---@param name string
---@param default integer
---@param least integer
---@param most integer
---@param issues table[]  gets a problem
---@return integer
function reply.whole(query, name, default, least, most, issues)
  local text = query[name]
  if text == nil then
    return default
  end
  local n = text:find("^[0-9]+$") and #text < 16 and tonumber(text)
  if not n or n < least or n > most then
    issues[#issues + 1] = { path = name, message = ("must be a whole number from %d to %d"):format(least, most) }
    return default
  end
  return n
end

return reply
