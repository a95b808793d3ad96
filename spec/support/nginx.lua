-- A real nginx with its Lua module, in a folder of its own, on a free port, stopped by its pid.
local core = require "scope3.core"
local ports = require "spec.support.ports"
local quote = require "spec.support.quote"
local traces = require "spec.support.traces"
local world = require "spec.support.world"

local nginx = {}

local Server = {}
Server.__index = Server

-- NGINX names another program than Debian's, and NGINX_MODULES the folder of its Lua module:
-- nothing where that is built in.
local PROGRAM = os.getenv "NGINX" or "nginx"
local MODULES = os.getenv "NGINX_MODULES" or "/usr/lib/nginx/modules"

local CONF = [[
%s
daemon off;
user %s;
worker_processes %d;
worker_shutdown_timeout 60s;
pid nginx.pid;
error_log error.log notice;
env SCOPE3_API_KEY;
%s
events { worker_connections %d; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  lua_package_path '%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;';
  lua_package_cpath '%s;;';
  %s
}
]]

-- Without what the sanitizers preload: the leak checker has been seen to hang in ps.
local function sh(command)
  local pipe = assert(io.popen("unset LD_PRELOAD; " .. command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- Whether the Lua that runs the specs is nginx's own, OpenResty's LuaJIT:
--- there the specs of nginx belong. That nginx is missing is a failure.
function nginx.here()
  return rawget(_G, "jit") ~= nil and (pcall(require, "table.nkeys"))
end

local running = {} -- server -> true

-- The end of what the servers that run have written into their logs: it shows why something never comes.
local function ends_of_logs()
  local ends = {}
  for server in pairs(running) do
    ends[#ends + 1] = server:log():sub(-3000)
  end
  return table.concat(ends, "\n")
end

--- Waits until `condition` gives something, and gives it.
function nginx.until_true(what, condition, seconds)
  local deadline = core.now() + math.max(seconds or 0, 120)
  while true do
    local value = condition()
    if value then
      return value
    end
    if core.now() >= deadline then
      error(("never: %s; the log ends so:\n%s"):format(what, ends_of_logs()))
    end
    core.sleep(0.02)
  end
end

--- Ends those that a spec that failed has left.
function nginx.close_all()
  for server in pairs(running) do
    server:close "TERM"
  end
end

--- Starts one.
--- `http` is what stands in its http block, with PORT for the port and FOLDER for its folder; `main` stands above.
---@param options {http: string, main: string?, workers: integer?, connections: integer?, env: string?, before: string?}
function nginx.start(options)
  local folder, port = os.tmpname(), ports.free()
  os.remove(folder)
  assert(os.execute("mkdir -p " .. quote(folder) .. " && chmod 711 " .. quote(folder)))
  local self = setmetatable({
    folder = folder, port = port, url = "http://127.0.0.1:" .. port, options = options, seen = 0, expected = {},
  }, Server)
  self:configure(options)
  sh(("cd %s && %s %s %s -p %s -c nginx.conf >start.log 2>&1 & echo $! >%s/launcher.pid"):format(quote(folder),
    options.env or "", options.before or "", quote(PROGRAM), quote(folder), quote(folder)))
  nginx.until_true("nginx listens: " .. folder, function()
    if world.exists(folder .. "/nginx.pid") then
      local reply = world.http("GET", self.url .. "/ping")
      return reply.status
    end
    local log = world.exists(folder .. "/start.log") and world.read(folder .. "/start.log") or ""
    assert(not log:find("[emerg]", 1, true), log)
  end)
  self.pid = tonumber((world.read(folder .. "/nginx.pid"):match("%d+")))
  running[self] = true
  return self
end

--- Writes the configuration, for reload().
function Server:configure(options)
  local root = sh("pwd"):gsub("%s+$", "")
  local modules = ""
  for _, name in ipairs(MODULES ~= "" and { "ndk_http_module.so", "ngx_http_lua_module.so" } or {}) do
    if world.exists(MODULES .. "/" .. name) then
      modules = modules .. ("load_module %s/%s;\n"):format(MODULES, name)
    end
  end
  local http = options.http:gsub("PORT", tostring(self.port)):gsub("FOLDER", self.folder)
  local cpath = os.getenv("SCOPE3_NGINX_CPATH") or package.cpath:match("[^;]*/build/[^;]*")
  local file = assert(io.open(self.folder .. "/nginx.conf", "w"))
  file:write(CONF:format(modules, options.user or "root", options.workers or 1, options.main or "",
    options.connections or 4096, root, root, root, cpath, http))
  file:close()
end

function Server:signal(name, pid)
  if name == "KILL" then
    self:expect "exited on signal 9"
  end
  os.execute(("kill -%s %d 2>/dev/null"):format(name, pid or self.pid))
end

--- The process ids of the workers that are running, and of those that are only ending what they have. On a machine that
--- is short of memory ps may wait for another process: none is told then, and whoever polls asks again.
function Server:workers()
  local list, ending = {}, {}
  for pid, args in sh(("timeout -k 1 20 ps --ppid %d -o pid=,args="):format(self.pid)):gmatch("(%d+)%s+([^\n]*)") do
    if args:find("worker process is shutting down", 1, true) then
      ending[#ending + 1] = tonumber(pid)
    elseif args:find("worker process", 1, true) then
      list[#list + 1] = tonumber(pid)
    end
  end
  return list, ending
end

--- Reloads, and waits until new workers have taken over; the old ones may still be ending.
function Server:reload()
  local before = {}
  for _, pid in ipairs(self:workers()) do
    before[pid] = true
  end
  self:signal "HUP"
  nginx.until_true("new workers", function()
    local now = self:workers()
    for _, pid in ipairs(now) do
      if before[pid] then
        return false
      end
    end
    return #now > 0
  end)
end

--- Waits until a process has ended.
function nginx.await_end(pid)
  nginx.until_true("process " .. pid .. " ends", function()
    return not world.exists(("/proc/%d/stat"):format(pid))
  end, 60)
end

function Server:log()
  return world.read(self.folder .. "/error.log")
end

local LEVELS = { warn = true, error = true, alert = true, crit = true, emerg = true }

local function is_expected(self, line)
  for _, words in ipairs(self.expected) do
    if line:find(words, 1, true) then
      return true
    end
  end
end

--- Says that lines of its log that have these words are meant to be there.
function Server:expect(...)
  for _, words in ipairs { ... } do
    self.expected[#self.expected + 1] = words
  end
  return self
end

--- Lines of its log that tell of trouble, warnings too, but those that are expected.
function Server:trouble()
  local lines = {}
  for line in self:log():sub(self.seen + 1):gmatch("[^\n]+") do
    if (LEVELS[line:match("%[(%l+)%]")] or line:find("exited on signal", 1, true)) and not is_expected(self, line) then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

-- What specs send as values, and what nginx adds of a request that has them.
local VALUES = {
  "@example", "%%40example", "scope3_test_key", "externalId", "206 ?555", ("%x"):rep(64), "[?&]id=", "[?&]email=",
}

--- A line of its log that shows a value, an id or a key; nil when there is none.
---@return string?
function Server:leak()
  for line in self:log():gmatch("[^\n]+") do
    for _, value in ipairs(VALUES) do
      if line:find(value) then
        return line
      end
    end
  end
end

--- What its log says so far was meant to happen.
function Server:forget_trouble()
  self.seen = #self:log()
end

--- Ends it, gracefully unless told otherwise, and removes its folder;
--- fails where its log shows a value, or trouble that was not expected. Idempotent.
function Server:close(signal)
  if not running[self] then
    return
  end
  running[self] = nil
  self:expect "the worker has ended: " -- a spec may leave members, and a busy machine has no time for them
  self:signal(signal or "QUIT")
  nginx.await_end(self.pid)
  traces.keep_file("nginx", self.folder .. "/error.log")
  traces.keep("spool names", sh("find " .. quote(self.folder)))
  local has_log = world.exists(self.folder .. "/error.log")
  local leak, trouble = has_log and self:leak(), has_log and self:trouble() or ""
  os.execute("rm -rf " .. quote(self.folder))
  assert(not leak, leak)
  assert(trouble == "", "nginx wrote into its log:\n" .. trouble)
end

nginx.sh, nginx.quote = sh, quote

return nginx
