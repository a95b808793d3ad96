-- A server of one purpose: it keeps the raw heads and bodies of what it is sent.
-- Runs as a child process; they land in files.
local core = require "scope3.core"
local ports = require "spec.support.ports"
local world = require "spec.support.world"

local capture = {}

local PROGRAM = [[
package.path, package.cpath = %q, %q
local cqueues, socket = require "cqueues", require "cqueues.socket"
local listener = socket.listen { host = "127.0.0.1", port = 0 }
listener:listen()
local _, _, port = listener:localname()
local queue, n, running = cqueues.new(), 0, true
local function serve(connection)
  connection:onerror(function(_, _, code) return code end)
  connection:setmode("b", "bf")
  while true do
    local length, head = 0, {}
    repeat
      local line = connection:read("*l")
      length = tonumber(line and line:lower():match("^content%%-length: (%%d+)")) or length
      head[#head + 1] = line
    until not line or line == "\r" or line == ""
    local body = length > 0 and connection:read(length)
    if not body then break end
    n = n + 1
    local heads = io.open(%q .. "." .. n .. ".head", "wb")
    heads:write(table.concat(head, "\n"), "\n")
    heads:close()
    local file = io.open(%q .. "." .. n .. ".new", "wb")
    file:write(body)
    file:close()
    os.rename(%q .. "." .. n .. ".new", %q .. "." .. n)
    local reply = '{"success":true,"accountId":"25","operationId":"t' .. n .. '","taskId":"t' .. n .. '"}'
    connection:write("HTTP/1.1 202 Accepted\r\nContent-Length: " .. #reply .. "\r\n\r\n" .. reply)
    connection:flush()
  end
  connection:close()
end
queue:wrap(function() while running do queue:wrap(serve, (listener:accept())) end end)
queue:wrap(function() local input = socket.fdopen(0) repeat until not input:read("*l") running = false end)
local file = io.open(%q .. ".new", "w")
file:write(port, "\n")
file:close()
os.rename(%q .. ".new", %q)
while running do queue:step() end
]]

local function start()
  local base, port_file = world.path(".body"), world.path(".port")
  local program = world.file(PROGRAM:format(package.path, package.cpath, base, base, base, base, port_file,
    port_file, port_file))
  local pipe = assert(io.popen(("%s %s"):format(os.getenv("SCOPE3_LUA_BIN"), program), "w"))
  local deadline = core.now() + 30
  local file
  repeat
    core.sleep(0.02)
    file = io.open(port_file)
  until file or core.now() > deadline
  assert(file, "the capturing server did not start")
  local port = file:read("*n")
  file:close()
  local i = 1
  return {
    url = ("http://127.0.0.1:%d"):format(port),
    bodies = function()
      local found, requests = {}, {}
      while true do
        local body = io.open(base .. "." .. i, "rb")
        if not body then
          return found, requests
        end
        local request = { body = body:read("*a") or "", headers = {} }
        body:close()
        os.remove(base .. "." .. i)
        local head = io.open(base .. "." .. i .. ".head", "rb")
        request.method, request.target = head:read("*l"):match("^(%S+) (%S+)")
        for line in head:lines() do
          local name, value = line:match("^([^:]+):%s*(.-)\r?$")
          if name then
            request.headers[name] = value
          end
        end
        head:close()
        os.remove(base .. "." .. i .. ".head")
        found[#found + 1], requests[#requests + 1] = request.body, request
        i = i + 1
      end
    end,
    close = function()
      pipe:close()
    end,
  }
end

--- Starts it: url, bodies() (the raw bodies since the last call, and the requests:
--- method, target, headers, body), close().
function capture.start()
  return ports.server(start)
end

return capture
