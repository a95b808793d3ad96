--- Completion callbacks (docs/contract.md section 6): HMAC-SHA256, Bearer, or signed by the sandbox's key where no
--- authentication was named.
local json = require "scope3.sandbox.json"
local signing = require "scope3.sandbox.signing"

local callback = {}

local function hex(bytes)
  return (bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

--- HMAC-SHA256 (RFC 2104) as AdCP signs: over the timestamp, a dot and the raw body.
local function sign(secret, timestamp, body)
  local hmac = require("openssl.hmac").new(secret, "sha256")
  return "sha256=" .. hex(hmac:final(timestamp .. "." .. body))
end

--- The request that reports the end of a task.
---@param task table
---@param state table
---@param now number
---@param purpose "webhook-signing"|"request-signing"  of the key that signs, where no authentication was named
---@return table  { host, port, path, headers, body }, or nil when the URL does not point to this machine
function callback.build(task, state, now, purpose)
  local push = task.push
  local host, port, path = push.url:match("^http://([%w%.%-]+):(%d+)(.*)$")
  if not host or path:find("#", 1, true) or not (host == "localhost" or host:find("^127%.")) then
    return nil
  end
  path = path:sub(1, 1) == "/" and path or "/" .. path
  local body = json.encode {
    idempotency_key = "sandbox-" .. task.id, operation_id = push.operation_id or task.id, task_id = task.id,
    task_type = "audience_sync", status = task.status, timestamp = state.timestamp(now), token = push.token,
  }
  local headers = {
    { "Host", host .. ":" .. port }, { "Content-Type", "application/json" }, { "Content-Length", #body },
    { "Connection", "close" },
  }
  local auth = type(push.authentication) == "table" and push.authentication
  if auth and auth.schemes[1] == "Bearer" then
    headers[#headers + 1] = { "Authorization", "Bearer " .. auth.credentials }
  elseif auth then
    local timestamp = ("%d"):format(math.floor(now))
    headers[#headers + 1] = { "X-ADCP-Timestamp", timestamp }
    headers[#headers + 1] = { "X-ADCP-Signature", sign(auth.credentials, timestamp, body) }
  else -- the path is taken to be canonical as it stands
    local authority = tonumber(port) == 80 and host:lower() or host:lower() .. ":" .. port
    for _, pair in ipairs(signing.headers(authority, path, body, now, purpose)) do
      headers[#headers + 1] = pair
    end
  end
  return { host = host, port = tonumber(port), path = path, headers = headers, body = body }
end

--- Sends it once; the status of the answer, or nil. Runs inside a cqueue.
function callback.send(built)
  local socket = require("cqueues.socket").connect { host = built.host, port = built.port }
  socket:onerror(function(_, _, code)
    return code
  end)
  socket:setmode("b", "bf")
  socket:settimeout(10)
  local lines = { ("POST %s HTTP/1.1"):format(built.path) }
  for _, pair in ipairs(built.headers) do
    lines[#lines + 1] = pair[1] .. ": " .. pair[2]
  end
  socket:write(table.concat(lines, "\r\n"), "\r\n\r\n", built.body)
  socket:flush()
  local line = socket:read("*l")
  socket:close()
  return line and tonumber(line:match("^HTTP/1%.[01] (%d+)"))
end

return callback
