--- The service of these measurements: an nginx of its own, so that what it does is not done by the worker that
--- is measured. It reads a sync whole, waits, and answers as the service does (docs/contract.md section 2).
local service = {}

local REPLY = '{"success":true,"accountId":"%s","operationId":"%s","taskId":"%s"}'

local n = 0

--- Serves one request. Its account id is the delay in milliseconds.
function service.serve()
  ngx.req.read_body()
  local account = ngx.var.uri:match("/advertisers/(%d+)/") or "0"
  if account ~= "0" then -- nginx warns of each sleep of no time
    ngx.sleep(tonumber(account) / 1000)
  end
  n = n + 1
  local id = ("0b1f9a52-0000-4000-8000-%012d"):format(n)
  local body = REPLY:format(account, id, id)
  ngx.status = 202
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

--- What stands in its http block.
---@param certificates {cert: string, key: string}
---@param tls_port integer
---@return string
function service.http(certificates, tls_port)
  return ([[
    keepalive_requests 1000000;
    keepalive_timeout 600s;
    client_max_body_size 64m;
    client_body_buffer_size 64m;
    server {
      listen 127.0.0.1:PORT backlog=1024;
      listen 127.0.0.1:%d ssl;
      ssl_certificate %s;
      ssl_certificate_key %s;
      location = /ping { return 200 "pong"; }
      location / { content_by_lua_block { require("bench.nginx.service").serve() } }
    }
  ]]):format(tls_port, certificates.cert, certificates.key)
end

return service
