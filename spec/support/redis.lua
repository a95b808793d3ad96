-- A real redis-server in a folder of its own, on a free port, stopped by its pid.
local base_url = require "scope3.http.base_url"
local core = require "scope3.core"
local ports = require "spec.support.ports"
local redis = require "scope3.redis"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local servers = {}

local Server = {}
Server.__index = Server

local function sh(command)
  local pipe = assert(io.popen("unset LD_PRELOAD; " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

assert(sh("command -v redis-server") ~= "", "redis-server is not installed: run 'make deps'")

local function lives(self)
  return sh(("kill -0 %s 2>/dev/null && ps -o stat= -p %s"):format(self.pid, self.pid)):find "^[^Z]" ~= nil
end

local function launch(self)
  sh(("cd '%s' && { nohup redis-server conf >>log 2>&1 </dev/null & echo $! >pid; }"):format(self.folder))
  self.pid = assert(world.read(self.folder .. "/pid"):match "%d+")
  local deadline = core.now() + 30
  repeat
    core.sleep(0.01)
    local log = world.read(self.folder .. "/log")
    assert(lives(self) and core.now() < deadline, log)
    local _, starts = log:gsub("Ready to accept connections", "")
  until starts > self.starts
  self.starts = self.starts + 1
end

--- Starts one. `conf` has further lines of its configuration; with `tls`, from spec.support.tls, its port speaks TLS.
---@param options? {conf: string?, login: string?, tls: table?}  `login` stands in the URL: "user:password@"
function servers.start(options)
  options = options or {}
  local folder, port = world.path ".redis", ports.free()
  sh(("mkdir -m 700 '%s'"):format(folder))
  local files = options.tls and ("port 0\ntls-port %d\ntls-auth-clients no\ntls-cert-file %s\ntls-key-file %s\n"
    .. "tls-ca-cert-file %s\n"):format(port, options.tls.cert, options.tls.key, options.tls.ca)
  world.write(folder .. "/conf", ("bind 127.0.0.1\nsave ''\ndaemonize no\n%s%s\n"):format(
    files or ("port %d\n"):format(port), options.conf or ""))
  local self = setmetatable({ folder = folder, port = port, starts = 0, url = ("%s://%s127.0.0.1:%d"):format(
    options.tls and "rediss" or "redis", options.login or "", port) }, Server)
  launch(self)
  return self
end

--- A connection to it, which has to come about.
function Server:open(options)
  local all = { url = self.url, call_seconds = 30 }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return assert(redis.open(all))
end

--- Has it be as if it gave places to a host for a while: one that was just started gives none for a minute.
---@param url string  of the service; or a host
function Server:in_use(url)
  local host = url:find("://", 1, true) and base_url.host(url) or url
  local connection = self:open()
  local time = connection:call "TIME"
  assert(connection:call("HSET", "{scope3:limit:" .. host .. "}:host", "last",
    ("%.0f"):format(time[1] * 1000 + math.floor(time[2] / 1000)), "run",
    connection:call("INFO", "server"):match "run_id:(%w+)"))
  connection:close()
end

--- Ends it with a signal, "TERM" unless given, and waits for that.
function Server:stop(signal)
  sh(("kill -%s %s"):format(signal or "TERM", self.pid))
  if signal ~= "STOP" and signal ~= "CONT" then
    until_true(function()
      return not lives(self)
    end, "the end of redis-server")
  end
end

--- Starts it again, on the same port and folder.
function Server:restart()
  launch(self)
end

function Server:close()
  if lives(self) then
    self:stop "KILL"
  end
  sh(("rm -rf '%s'"):format(self.folder))
end

return servers
