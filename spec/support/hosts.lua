-- Programs of others that run Lua in a loop of their own: what they do with a client, on free ports, stopped by pid.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local socket = require "cqueues.socket"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local hosts = { sh = nginx.sh, until_true = until_true }

--- Whether a program can be tried here: what preloads a sanitizer does not suit foreign programs.
---@return string? why  it cannot
function hosts.lacks(program)
  if (os.getenv "LD_PRELOAD" or "") ~= "" then
    return "under the sanitizers"
  elseif nginx.sh("command -v " .. program) == "" then
    return "without " .. program
  end
end

local PATHS = [[
package.path, package.cpath = %q .. ";" .. package.path, %q .. ";" .. package.cpath
]]

-- What stands before the text of a host. `say` tells the spec something, `health` what a client found, `sync`
-- how the sync of an audience of one member ended, and `send_rows` how many rows of a file were accepted.
local PRELUDE = [[
local scope3 = require "scope3"
local function say(...)
  local words = { ... }
  for i = 1, select("#", ...) do
    words[i] = tostring(words[i])
  end
  local file = assert(io.open(%q, "ab"))
  file:write(table.concat(words, " "), "\n")
  file:close()
end
local function client_of(opts)
  opts.api_key, opts.account_id = "scope3_test_key", "25"
  opts.base_url, opts.rate = opts.base_url or %q, opts.rate or 100000
  return assert(scope3.client(opts))
end
local function health(where, client)
  local ok, err = client:health()
  say(where, ok, err and err.kind)
end
local function sync(client, id, opts)
  local audience = assert(scope3.audience { id = id })
  assert(audience:add { external_id = id .. "-1", email = id .. "@example.com" })
  local result, err = client:sync(audience, opts)
  say(id, result and result.accepted, err and err.kind)
end
local function send_rows(client, id, rows)
  local lines = { "id,mail" }
  for i = 1, rows do
    lines[i + 1] = ("r%%d,r%%d@example.com"):format(i, i)
  end
  local text = table.concat(lines, "\n")
  local reader = assert(scope3.csv(function()
    local chunk = text
    text = nil
    return chunk
  end))
  local script = { audience = id, map = { external_id = "id", email = "mail" } }
  local result, err = client:run(script, reader, { max_members = 10000 })
  say(id, result and result.accepted, err)
  return result
end
]]

local Host = {}
Host.__index = Host

local running = {}

--- A host that does not run yet: a folder, and where its Lua says something.
---@param url string  of the service
function hosts.new(url)
  local self = setmetatable({ folder = world.path(), said_path = world.path ".said", url = url }, Host)
  assert(os.execute("mkdir -p " .. nginx.quote(self.folder) .. " && chmod 777 " .. nginx.quote(self.folder)))
  world.write(self.said_path, "")
  hosts.sh("chmod 666 " .. nginx.quote(self.said_path))
  return self
end

--- The recipe of docs/hosts.md for a host, which finds these modules and the service.
function Host:recipe(heading)
  local text = world.read("docs/hosts.md"):match("\n## " .. heading .. "\n.-```lua\n(.-)```")
  return self:paths() .. assert(text, heading)
end

--- Writes a file into its folder; gives its path.
function Host:write(name, text)
  world.write(self.folder .. "/" .. name, text)
  return self.folder .. "/" .. name
end

--- Sets the paths of these modules.
function Host:paths() -- luacheck: ignore self
  local root = nginx.sh("pwd"):gsub("%s+$", "")
  return PATHS:format(root .. "/lua/?.lua;" .. root .. "/lua/?/init.lua", package.cpath:match "[^;]*/build/[^;]*")
end

--- The text of Lua that a host runs: what PRELUDE has is there.
function Host:lua(text)
  return self:paths() .. PRELUDE:format(self.said_path, self.url) .. text
end

--- Starts it in its folder.
function Host:start(command)
  local env = "SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. self.url
  nginx.sh(("cd %s && { env %s %s >log 2>&1 </dev/null & echo $! >pid; }"):format(nginx.quote(self.folder), env,
    command))
  self.pid = world.read(self.folder .. "/pid"):match "%d+"
  running[self] = true
end

--- Starts it by a file of its folder, in whose text @PORT@ is a free port: the port. `command` has %s for the file.
function Host:serve(command, name, text)
  local port = ports.free()
  local path = self:write(name, (text:gsub("@PORT@", ("%d"):format(port))))
  self:start(command:format(nginx.quote(path)))
  return port
end

function Host:log()
  return world.read(self.folder .. "/log")
end

--- Whether its Lua has said that line.
function Host:has_said(line)
  return ("\n" .. world.read(self.said_path)):find("\n" .. line .. "\n", 1, true) ~= nil
end

--- Waits until its Lua has said these lines.
function Host:says(...)
  for _, line in ipairs { ... } do
    local deadline = core.now() + 20
    while not self:has_said(line) do
      if core.now() > deadline then
        error(("never said: %s\n%s\n%s"):format(line, world.read(self.said_path), self:log()))
      end
      core.sleep(0.02)
    end
  end
end

--- How many lines it has said that fit a pattern.
function Host:count(pattern)
  local n = 0
  for line in world.read(self.said_path):gmatch "[^\n]+" do
    n = n + (line:find(pattern) and 1 or 0)
  end
  return n
end

--- Waits until the recipe of the page, which it runs, has sent its member.
function Host:sends_as_the_page_says(sandbox)
  until_true(function()
    return self:log():find("1 members accepted", 1, true)
  end, "the recipe sends: " .. self:log())
  local ids = sandbox:ids "readers"
  assert(#ids == 1 and ids[1] == "1", table.concat(ids, " "))
end

--- Waits until each of so many syncs, of audiences "many1" and so on, has had its own answer.
function Host:says_of_many(count)
  for i = 1, count do
    self:says("many" .. i .. " 1 nil")
  end
end

--- What an exchange with a socket of this machine gives. `kind` is that of cqueues; TCP unless given.
function hosts.exchange(port, kind, talk)
  local peer = socket.connect { host = "127.0.0.1", port = port, type = kind }
  peer:settimeout(5)
  peer:onerror(function(_, _, code) return code end)
  local said = talk(peer)
  peer:close()
  return said
end

--- Waits until a request to it is answered by what `ping` gives.
function Host:answers(ping)
  until_true(ping, "the host answers: " .. self:log())
end

-- Whether its process runs. One that has ended may stay in the list until somebody asks how.
local function is_alive(pid)
  local file = io.open("/proc/" .. pid .. "/stat", "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return (text:match "%)%s+(%a)" or "Z") ~= "Z"
end

function Host:close()
  if running[self] then
    running[self] = nil
    nginx.sh("kill " .. self.pid)
    until_true(function()
      return not is_alive(self.pid)
    end, "the host ends: " .. self:log())
    nginx.sh("rm -rf " .. nginx.quote(self.folder))
  end
end

function hosts.close_all()
  for host in pairs(running) do
    host:close()
  end
end

local WITHHOLDS = [[
local json = ...
local cqueues = require "cqueues"
return function(request)
  if request.path:find("/sync$") then
    repeat
      local file = io.open(%q, "rb")
      cqueues.sleep(0.01)
    until file and file:close()
    return 202, '{"success":true,"accountId":"25","operationId":"t1","taskId":"t1"}'
  end
  return 404, ""
end
]]

--- A service that withholds its answers until release().
function hosts.withholding(setup, teardown)
  local service = answering.around(setup, teardown)
  local gate
  function service:withhold()
    gate = world.path ".gate"
    self:answer(WITHHOLDS:format(gate))
  end
  function service.release()
    world.write(gate, "")
  end
  return service
end

--- The host answers others while the service withholds its answer to a sync of the audience "held", and then says how
--- that ended.
function hosts.serves_meanwhile(host, service, ping)
  until_true(function()
    return #service:requests "/sync" == 1
  end, "the request arrives")
  host:answers(ping)
  assert(not host:has_said "held 1 nil")
  service.release()
  host:says "held 1 nil"
end

return hosts
