--- What one would write without scope3: the same request over nginx's own sockets, kept alive.
--- No pacing, no retries, no hashing: the least that a client in nginx can cost.
local cjson = require "cjson.safe"

local cosocket = {}

--- Posts a sync.
---@param port integer
---@param account string
---@param body string
---@return table? reply  decoded
---@return string? message
function cosocket.post(port, account, body)
  local sock = ngx.socket.tcp()
  sock:settimeouts(10000, 60000, 60000)
  local ok, message = sock:connect("127.0.0.1", port)
  if not ok then
    return nil, message
  end
  local sent
  sent, message = sock:send {
    "POST /api/v2/buyer/advertisers/", account, "/audiences/sync HTTP/1.1\r\nHost: 127.0.0.1:", tostring(port),
    "\r\nAuthorization: Bearer scope3_key\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
      .. "Content-Length: ",
    tostring(#body), "\r\n\r\n", body,
  }
  if not sent then
    return nil, message
  end
  local line
  line, message = sock:receive "*l"
  local status = line and tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
  if not status then
    return nil, message or "not HTTP"
  end
  local length = 0
  repeat
    line, message = sock:receive "*l"
    if not line then
      return nil, message
    end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name and name:lower() == "content-length" then
      length = tonumber(value)
    end
  until line == ""
  local text
  text, message = sock:receive(length)
  if not text then
    return nil, message
  end
  sock:setkeepalive(60000, 256)
  local reply = cjson.decode(text)
  if status ~= 202 or not reply then
    return nil, "the service answered " .. status
  end
  return reply
end

return cosocket
