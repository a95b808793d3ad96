--- What GET /sandbox/requests shows of each request: all but keys, and bodies only where `log_bodies` is set.
local entries = require "scope3.util.entries"
local json = require "scope3.sandbox.json"

local request_log = {}

local SECRET = { authorization = true, ["x-scope3-api-key"] = true }

--- An entry of the log.
---@param call table  { n, at, request, kind, account, connection (its number) }
---@return table entry
function request_log.entry(call)
  local request, headers = call.request, {}
  for name, value in entries(request.headers) do
    if not SECRET[name] then
      headers[name] = value
    end
  end
  return {
    n = call.n, at = call.at, method = request.method, path = request.path, target = request.target,
    kind = call.kind or json.null, account = call.account or json.null,
    connection = call.connection, expect = request.headers.expect or json.null, http_headers = headers,
    bytes = 0, body_complete = false, fault = json.null, status = json.null,
  }
end

--- The audiences of a sync request, with counts in place of members.
---@param decoded table  the body
---@return table[] audiences  an array
function request_log.audiences(decoded)
  local audiences = json.array()
  for i, audience in ipairs(decoded.audiences) do
    audiences[i] = {
      audienceId = audience.audienceId, name = audience.name, consentBasis = audience.consentBasis,
      delete = audience.delete,
      add = type(audience.add) == "table" and #audience.add or 0,
      remove = type(audience.remove) == "table" and #audience.remove or 0,
    }
  end
  return audiences
end

return request_log
