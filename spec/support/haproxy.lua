-- A real HAProxy before a service: HTTP/2 and HTTP/1.1 over TLS, on a free port, stopped by its pid.
local core = require "scope3.core"
local ports = require "spec.support.ports"
local world = require "spec.support.world"

local haproxy = {}

local CONF = [[
global
  maxconn 200
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:%d ssl crt %s alpn h2,http/1.1
  stick-table type ip size 1k expire 10m store http_req_cnt
  http-request track-sc0 src if { method POST }
%s
  default_backend back
backend back
  server service 127.0.0.1:%d
]]

--- Starts one before the service at `port`. `rules` are lines of its frontend.
---@param options {tls: table, port: integer, rules: string}  `tls` from spec.support.tls
function haproxy.start(options)
  local port = ports.free()
  local certificate = world.file(world.read(options.tls.cert) .. world.read(options.tls.key), ".pem")
  local conf = world.file(CONF:format(port, certificate, options.rules, options.port), ".cfg")
  local log, pid_file = world.path(".log"), world.path(".pid")
  os.execute(("env -u LD_PRELOAD haproxy -db -f %s >%s 2>&1 </dev/null & echo $! >%s"):format(conf, log, pid_file))
  local self = { port = port, url = "https://127.0.0.1:" .. port }
  local pid = world.read(pid_file):match "%d+"
  function self.close()
    os.execute(("kill %s 2>/dev/null; while kill -0 %s 2>/dev/null; do sleep 0.05; done"):format(pid, pid))
  end
  local deadline = core.now() + 30
  while not world.http("GET", self.url .. "/health", nil, { ca_file = options.tls.ca }).status do
    if core.now() > deadline then
      self.close()
      error("HAProxy did not start: " .. world.read(log))
    end
    core.sleep(0.05)
  end
  return self
end

return haproxy
