-- Stands in for the engine of csrc/engine/engine.c: the same calls, over a network that is simulated. Results are such
-- as the real one gives (lua/scope3/http/engines.lua).
local current = require "spec.simulation.current"

local engine = {}

local Engine = {}
Engine.__index = Engine

--- One for a whole run of simulations: the product keeps its engines as long as its Lua state.
function engine.new()
  return setmetatable({}, Engine)
end

-- The bytes of a request's body, as the real engine would send them at this moment.
local function bytes_of(body)
  if type(body) ~= "table" then
    return body
  end
  local parts = {}
  for i, piece in ipairs(body) do
    parts[i] = type(piece) == "string" and piece or piece[1]:text(piece[2], piece[3], piece[4])
  end
  return table.concat(parts)
end

-- The request's header lines by their names in lowercase.
local function headers_of(lines)
  local headers = {}
  for _, line in ipairs(lines) do
    local name, value = line:match "^([^:]+):%s*(.*)$"
    headers[name:lower()] = value
  end
  return headers
end

function Engine:submit(request) -- luacheck: ignore self
  local world = current.world
  local text = bytes_of(request.body)
  local headers = headers_of(request.headers)
  headers["content-length"] = text and tostring(#text)
  return world.network:send {
    method = request.method, target = request.url:match "^%a+://[^/]+(.*)$", headers = headers, body = request.body,
    text = text, timeout = request.timeout or 60, process = world:process(), started = world.now,
  }
end

--- Whether the bytes of a transfer under way are still those that were submitted: it reads them until it ends.
function engine.is_intact(transfer)
  return transfer.text == bytes_of(transfer.body)
end

function Engine:step() -- luacheck: ignore self
  local network = current.world.network
  local moved = network.moved
  network.moved = false
  return network.ended[1] ~= nil, moved
end

function Engine:result() -- luacheck: ignore self
  return current.world.network:take()
end

function Engine:cancel(id) -- luacheck: ignore self
  return current.world.network:cancel(id)
end

function Engine:count() -- luacheck: ignore self
  return current.world.network.count
end

function Engine:wait() -- luacheck: ignore self
  error "a simulation waits in its loop, and nowhere else"
end

function Engine:pollfd() -- luacheck: ignore self
  return nil
end

function Engine:events() -- luacheck: ignore self
  return "r"
end

function Engine:timeout() -- luacheck: ignore self
  return nil
end

function Engine:close() end -- luacheck: ignore self

return engine
