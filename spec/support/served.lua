-- An nginx whose locations use a client that was made in its master, and requests to it.
local curl = require "scope3.engine"
local nginx = require "spec.support.nginx"
local socket = require "cqueues.socket"
local world = require "spec.support.world"

local served = {}

-- The http block of all: a client made in the master, and locations that use it.
local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    inside = require "spec.support.in_nginx"
    inside.init "SANDBOX"
    %s
  }
  %s
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync { content_by_lua_block { inside.serve_sync() } }
    location = /state { content_by_lua_block { inside.serve_state() } }
    location = /say { content_by_lua_block { ngx.shared.scope3:set(ngx.var.arg_key, true) } }
    location = /said { content_by_lua_block { ngx.print(ngx.shared.scope3:get(ngx.var.arg_key) or "") } }
    %s
  }
]]

-- Starts an nginx: `init` stands in init_by_lua, `http` in the http block, `server` in the server.
function served.start(sandbox, options)
  options = options or {}
  return nginx.start {
    http = HTTP:format(options.init or "", options.http or "", options.server or ""):gsub("SANDBOX", sandbox.url),
    workers = options.workers,
  }
end

function served.get(server, path)
  local reply = world.http("GET", server.url .. path)
  assert(reply.status == 200, reply.body)
  return world.json.decode(reply.body)
end

-- Requests under way at once, answered by and by.
local Requests = {}
Requests.__index = Requests

function served.begin(urls)
  local self = setmetatable({ engine = assert(curl.engine { connect_timeout = 30 }), replies = {}, count = #urls },
    Requests)
  for _, url in ipairs(urls) do
    assert(self.engine:submit { method = "GET", url = url, headers = {}, timeout = 120 })
  end
  self:step()
  return self
end

function Requests:step()
  self.engine:step()
  for reply in self.engine.result, self.engine do
    self.replies[#self.replies + 1] = reply
  end
  return #self.replies == self.count
end

function Requests:all()
  nginx.until_true("every request is answered", function()
    self.engine:wait(0.05)
    return self:step()
  end, 120)
  self.engine:close()
  return self.replies
end

-- The bodies of replies that must all be 200, decoded.
function served.bodies(replies)
  local list = {}
  for i, reply in ipairs(replies) do
    assert(reply.status == 200, tostring(reply.status) .. " " .. tostring(reply.message or reply.body))
    list[i] = world.json.decode(reply.body)
  end
  return list
end

function served.urls(n, make)
  local list = {}
  for i = 1, n do
    list[i] = make(i)
  end
  return list
end

-- A client that can leave: sends the head of a request.
function served.connect(server, path)
  local connection = assert(socket.connect("127.0.0.1", server.port))
  connection:setmode("b", "bn")
  assert(connection:connect(10))
  assert(connection:write(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path)))
  return connection
end

function served.count(sandbox, audience)
  local n = 0
  for _, request in ipairs(sandbox:requests("sync")) do
    for _, one in ipairs(request.audiences or {}) do
      n = n + (one.audienceId == audience and 1 or 0)
    end
  end
  return n
end

return served
