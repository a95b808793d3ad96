-- nginx in the place of a service: it reads bodies, throws them away, and names a task for each, which has completed.
local nginx = require "spec.support.nginx"

local stand_in = {}

local CONF = [[
client_max_body_size %d;
client_body_timeout 600;
keepalive_requests 100000000;
server {
  listen 127.0.0.1:PORT;
  %s
  default_type application/json;
  location = /ping { return 200 "pong"; }
  location ~ /audiences/sync$ { return 202 '{"success":true,"taskId":"$request_id"}'; }
  location ~ /audiences$ {
    return 200 '{"audiences":[{"audienceId":"crm","name":"crm","status":"READY"}],"total":1,"take":50,"skip":0}';
  }
  location ~ /tasks/(?<task>[^/]+)$ { return 200 '{"task":{"taskId":"$task","status":"completed"}}'; }
}
]]

--- Starts one that takes bodies up to a size. It is one of spec.support.nginx.
---@param most integer  bytes
---@param tls? string  the lines of its server that listen for TLS, too
function stand_in.start(most, tls)
  return nginx.start { http = CONF:format(most, tls or "") }
end

return stand_in
