-- A real redis-server, or a Valkey, in a folder of its own, on a free port, stopped by its pid.
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

-- The program, by its path: the server is started in another folder.
local given = os.getenv "SCOPE3_REDIS_SERVER"
local program = sh(("command -v '%s'"):format(given or "redis-server")):match "[^\n]+"
assert(program, given and given .. " of SCOPE3_REDIS_SERVER is no program"
  or "redis-server is not installed: run 'make deps'")

local function lives(self)
  return sh(("kill -0 %s 2>/dev/null && ps -o stat= -p %s"):format(self.pid, self.pid)):find "^[^Z]" ~= nil
end

local function launch(self)
  sh(("cd '%s' && { nohup '%s' conf %s >>log 2>&1 </dev/null & echo $! >pid; }"):format(self.folder, program,
    self.sentinel and "--sentinel" or ""))
  self.pid = assert(world.read(self.folder .. "/pid"):match "%d+")
  local deadline = core.now() + 30
  repeat
    core.sleep(0.01)
    local log = world.read(self.folder .. "/log")
    assert(lives(self) and core.now() < deadline, log)
    local _, starts = log:gsub(self.sentinel and "Sentinel ID is" or "Ready to accept connections", "")
  until starts > self.starts
  self.starts = self.starts + 1
end

--- Starts one. `conf` has further lines of its configuration; with `tls`, from spec.support.tls, its port speaks TLS.
---@param options? {conf: string?, login: string?, tls: table?, sentinel: boolean?}  `login` stands in the URL:
---  "user:password@"; a sentinel watches servers, and holds nothing
function servers.start(options)
  options = options or {}
  local folder, port = world.path ".redis", ports.free()
  sh(("mkdir -m 700 '%s'"):format(folder))
  local files = options.tls and ("port 0\ntls-port %d\ntls-auth-clients no\ntls-cert-file %s\ntls-key-file %s\n"
    .. "tls-ca-cert-file %s\n"):format(port, options.tls.cert, options.tls.key, options.tls.ca)
  world.write(folder .. "/conf", ("bind 127.0.0.1\nsave ''\ndaemonize no\n%s%s\n"):format(
    files or ("port %d\n"):format(port), options.conf or ""))
  local self = setmetatable({ folder = folder, port = port, starts = 0, sentinel = options.sentinel,
    url = ("%s://%s127.0.0.1:%d"):format(options.tls and "rediss" or "redis", options.login or "", port) }, Server)
  launch(self)
  return self
end

--- Starts two nodes of a cluster, and waits until the first one knows that a key lies on the second one.
---@param key string
---@return table first
---@return table second
function servers.cluster(key)
  local nodes, bus, connections = {}, {}, {}
  for i = 1, 2 do
    bus[i] = ports.free()
    nodes[i] = servers.start { conf = ("cluster-enabled yes\ncluster-port %d\ncluster-require-full-coverage no\n")
      :format(bus[i]) }
    connections[i] = nodes[i]:open()
  end
  assert(connections[2]:call("CLUSTER", "ADDSLOTS", assert(connections[2]:call("CLUSTER", "KEYSLOT", key))))
  assert(connections[1]:call("CLUSTER", "MEET", "127.0.0.1", nodes[2].port, bus[2]))
  until_true(function()
    return (select(2, connections[1]:call("GET", key)) or {}).code == "MOVED"
  end, "a node that knows of the other one")
  connections[1]:close()
  connections[2]:close()
  return nodes[1], nodes[2]
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
