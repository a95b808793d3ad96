-- A client in a real Knot Resolver: it waits in worker.coroutine, which is cqueues, while Knot answers others.
-- Elsewhere a call is refused, because it would block the worker.
if not rawget(_G, "jit") then
  return -- the specs run on another Lua
end
local hosts = require "spec.support.hosts"
local world = require "spec.support.world"

local lacks = hosts.lacks "kresd"

-- It answers from its hints alone.
local CONF = [[
net.listen("127.0.0.1", @PORT@, { kind = "dns" })
cache.size = 1 * MB
modules = { "hints > iterate" }
hints["here.example"] = "127.0.0.9"
]]

local QUERY = "\18\52\1\0\0\1\0\0\0\0\0\0\4here\7example\0\0\1\0\1" -- the address of here.example
local ADDRESS = "\127\0\0\9"

local function start(host, text)
  local port = host:serve("kresd -n -c %s " .. host.folder, "kresd.conf", CONF .. text)
  return function()
    return hosts.exchange(port, require("cqueues.socket").SOCK_DGRAM, function(peer)
      peer:settimeout(1) -- a datagram may come before it listens
      peer:setmode("bn", "bn")
      peer:write(QUERY)
      peer:flush()
      local reply = peer:read(-512)
      return reply and reply:sub(1, 2) == QUERY:sub(1, 2) and reply:find(ADDRESS, 1, true)
    end)
  end
end

describe("in a real Knot Resolver a client", lacks and function()
  pending(lacks)
end or function()
  after_each(hosts.close_all)

  describe("of a service that takes its time", function()
    local service = hosts.withholding(setup, teardown)

    it("lets others be answered while it waits, and gives errors back", function()
      service:withhold()
      local host = hosts.new(service.url)
      local ping = start(host, host:lua [[
        worker.coroutine(function()
          sync(client_of {}, "held")
          health("error", client_of { base_url = "http://127.0.0.1:1" })
        end)
      ]])
      hosts.serves_meanwhile(host, service, ping)
      host:says "error nil network"
    end)
  end)

  describe("of a sandbox", function()
    local sandbox = world.around(setup, teardown, before_each)

    it("sends what the configuration of the page holds", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      start(host, host:recipe "Knot Resolver")
      host:sends_as_the_page_says(sandbox)
    end)

    it("gets each of many answers to the one who asked", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      local ping = start(host, host:lua [[
        local client = client_of {}
        for i = 1, 60 do
          worker.coroutine(function()
            sync(client, "many" .. i)
          end)
        end
      ]])
      host:says_of_many(60)
      host:answers(ping)
    end)

    it("is refused in the configuration and in callbacks of events", function()
      local host = hosts.new(sandbox.url)
      local ping = start(host, host:lua [[
        local client = client_of {}
        health("configuration", client)
        event.after(1, function()
          local _, err = client:health()
          say("event", err.kind, err.message:match "worker%.coroutine")
        end)
        health("blocking", client_of { loop = "blocking" })
      ]])
      host:says("configuration nil cannot_wait", "event cannot_wait worker.coroutine", "blocking true nil")
      host:answers(ping)
    end)
  end)
end)
