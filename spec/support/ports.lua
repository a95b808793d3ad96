-- Ports for servers, none twice in a run of specs. The kernel soon gives a closed server's port to another one,
-- and the library remembers of an address for minutes that HTTP/2 failed there, or how large a request it took.

local ports = {}

local had = {}

-- Takes what start() gives and `port_of` tells the port of, until the port is new. The others end only then, so that
-- their ports are not given once more.
local function fresh(start, port_of)
  local others = {}
  local server, port
  repeat
    server = start()
    port = port_of(server)
    local again = had[port]
    had[port] = true
    if again then
      others[#others + 1] = server
    end
  until not again
  for _, other in ipairs(others) do
    other:close()
  end
  return server, port
end

--- A listener on 127.0.0.1 within this process, and its port.
---@return table listener
---@return integer port
function ports.listen()
  local socket = require "cqueues.socket" -- not before: within nginx there is none
  return fresh(function()
    local listener = socket.listen { host = "127.0.0.1", port = 0 }
    assert(listener:listen())
    return listener
  end, function(listener)
    return (select(3, listener:localname()))
  end)
end

--- A port that was free a moment ago, for a program that takes it from its configuration.
---@return integer
function ports.free()
  local listener, port = ports.listen()
  listener:close()
  return port
end

--- A server that a program chose the port of: start() starts one, which has `url` and close().
---@generic T
---@param start fun(): T
---@return T
function ports.server(start)
  return (fresh(start, function(server)
    return assert(tonumber(server.url:match ":(%d+)"))
  end))
end

return ports
