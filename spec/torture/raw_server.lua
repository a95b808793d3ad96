-- A server of one connection at a time that does to each request what a list of steps says, byte by byte.
-- It runs in a queue of cqueues, which the caller steps between two steps of its own.
local cqueues = require "cqueues"
local core = require "scope3.core"
local ports = require "spec.support.ports"

local raw_server = {}

local Server = {}
Server.__index = Server

local STEPS = {}

-- Reads the head of a request, once for each. Notes its length.
function STEPS.head(self, peer)
  local first = peer:read "*L"
  if not first then
    return false
  end
  self.heads, self.length = self.heads + 1, 0
  local line
  repeat
    line = peer:read "*L"
    self.length = line and tonumber(line:lower():match "^content%-length:%s*(%d+)") or self.length
  until not line or line == "\r\n"
  return line ~= nil
end

-- Reads so many bytes of the body, or what is left of it.
function STEPS.body(self, peer, n)
  n = math.min(n or self.length, self.length)
  self.length = self.length - n
  local text = n > 0 and peer:read(n) or ""
  return text ~= nil and #text == n
end

function STEPS.send(_, peer, text)
  return peer:write(text) and peer:flush()
end

-- Sends a byte at a time, and lets the client look at each.
function STEPS.drip(_, peer, text)
  for i = 1, #text do
    if not (peer:write(text:sub(i, i)) and peer:flush()) then
      return false
    end
    cqueues.sleep(0)
  end
  return true
end

-- Reads until the client leaves.
function STEPS.drain(_, peer)
  while peer:read(-65536) do end
  return false
end

-- Does nothing until the client leaves, or the server is closed.
function STEPS.silence(self)
  while self.running do
    cqueues.sleep(0.005)
  end
  return false
end

-- Closes while there is something that was not read: the client gets a reset.
function STEPS.reset()
  return false
end

local function serve(self, peer)
  while self.running do
    for _, step in ipairs(self.steps) do
      if not STEPS[step[1]](self, peer, step[2]) then
        return
      end
    end
    if self.once then
      self.steps, self.once = self.once, nil
    end
  end
end

--- Starts one in a queue. `steps` are done for each request; with `next_steps`, those for all after the first.
---@param queue table
---@param steps table[]
---@param next_steps? table[]
function raw_server.start(queue, steps, next_steps)
  local self = setmetatable({ steps = steps, once = next_steps, heads = 0, running = true }, Server)
  local listener, port = ports.listen()
  self.url = ("http://127.0.0.1:%d/"):format(port)
  queue:wrap(function()
    while self.running do
      local peer = listener:accept(0.01)
      if peer then
        queue:wrap(function()
          peer:setmode("b", "bf")
          peer:onerror(function(_, _, code)
            return code
          end)
          peer:settimeout(30)
          serve(self, peer)
          peer:close()
        end)
      end
    end
    listener:close()
  end)
  return self
end

--- Ends it, and waits for that.
function raw_server.close(queue, server)
  server.running = false
  local deadline = core.now() + 30
  while not queue:empty() do
    assert(core.now() < deadline, "the server did not end")
    assert(queue:step(0.01))
  end
end

return raw_server
