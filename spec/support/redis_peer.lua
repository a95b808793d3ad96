-- A server that answers commands as a spec says, byte by byte, within the loop of the client: cqueues.
local broken = require "spec.support.broken"
local cqueues = require "cqueues"
local ports = require "spec.support.ports"

local peers = {}

--- Runs `work(url, queue)` beside a server that runs `serve(peer, nth)` for each connection.
function peers.run(serve, work)
  broken.run(function(queue)
    local listener, port = ports.listen()
    local running, nth = true, 0
    queue:wrap(function()
      while running do
        local peer = listener:accept(0.05)
        if peer then
          nth = nth + 1
          local number = nth
          queue:wrap(function()
            peer:setmode("b", "bn")
            peer:onerror(function(_, _, code)
              return code
            end)
            serve(peer, number)
            peer:close()
          end)
        end
      end
      listener:close()
    end)
    work(("redis://127.0.0.1:%d"):format(port), queue)
    running = false
  end)
end

--- Reads a command: its words. nil where the client has left.
function peers.command(peer)
  local head = peer:read "*L"
  local n = head and tonumber(head:match "^%*(%d+)\r\n$")
  local words = {}
  for i = 1, n or 0 do
    local length = peer:read "*L"
    local text = length and peer:read(tonumber(length:match "^%$(%d+)\r\n$") + 2)
    if not text then
      return nil
    end
    words[i] = text:sub(1, -3)
  end
  return n and words
end

--- Answers what a connection begins with, CLIENT SETNAME, and then does `next_step(peer)` for each command.
function peers.greeted(next_step)
  return function(peer)
    if peers.command(peer) then
      peer:write "+OK\r\n"
      while peers.command(peer) and next_step(peer) ~= false do end
    end
  end
end

--- Silence until the client has left.
function peers.silence(peer)
  while peer:read(-4096) do
    cqueues.sleep(0)
  end
  return false
end

return peers
