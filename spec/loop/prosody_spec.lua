-- A client in a real Prosody, by the module of docs/hosts.md: its runners wait, while Prosody serves others. Without
-- the loop of that module a call is refused, because it would block Prosody.
local hosts = require "spec.support.hosts"
local world = require "spec.support.world"

local lacks = hosts.lacks "prosody"
if not lacks and hosts.sh("head -n 1 $(command -v prosody)"):match "lua(5%.%d)" ~= os.getenv "SCOPE3_LUA" then
  return -- the specs run on another Lua
end

local CONF = [[
run_as_root = true
daemonize = false
pidfile = "prosody.pid"
data_path = "."
plugin_paths = { "." }
log = { info = "*console" }
c2s_ports, s2s_ports, https_ports = {}, {}, {}
http_ports, http_interfaces = { @PORT@ }, { "127.0.0.1" }
modules_enabled = { "http" }
VirtualHost "localhost"
  modules_enabled = { %q }
]]

-- The loop of the recipe, and a text that uses it.
local function with_loop(host, text)
  local loop = assert(host:recipe("Prosody"):match "^(.-)\nlocal client")
  return "do\n" .. loop .. "\nreturn_loop = loop\nend\nlocal async, loop = require 'util.async', return_loop\n"
    .. host:lua(text)
end

local function start(host, module, text)
  host:write("mod_" .. module .. ".lua", text)
  local port = host:serve("prosody -F --config %s", "prosody.cfg.lua", CONF:format(module))
  return function()
    return world.http("GET", "http://127.0.0.1:" .. port .. "/").status == 404
  end
end

describe("in a real Prosody a client", lacks and function()
  pending(lacks)
end or function()
  after_each(hosts.close_all)

  describe("of a service that takes its time", function()
    local service = hosts.withholding(setup, teardown)

    it("lets others be served while it waits, and gives errors back", function()
      service:withhold()
      local host = hosts.new(service.url)
      local ping = start(host, "held", with_loop(host, [[
        async.runner(function()
          sync(client_of { loop = loop }, "held")
          health("error", client_of { loop = loop, base_url = "http://127.0.0.1:1" })
        end):run(true)
      ]]))
      hosts.serves_meanwhile(host, service, ping)
      host:says "error nil network"
    end)
  end)

  describe("of a sandbox", function()
    local sandbox = world.around(setup, teardown, before_each)

    it("sends what the module of the page holds", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      start(host, "scope3", host:recipe "Prosody")
      host:sends_as_the_page_says(sandbox)
    end)

    it("gets each of many answers to the one who asked, and rests between the slices of a file", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      local ping = start(host, "many", with_loop(host, [[
        local client = client_of { loop = loop }
        for i = 1, 60 do
          async.runner(function()
            sync(client, "many" .. i)
          end):run(true)
        end
        async.runner(function()
          send_rows(client, "f", 30000)
        end):run(true)
      ]]))
      host:says_of_many(60)
      host:says "f 30000 nil"
      host:answers(ping)
      assert.equal(30000, #sandbox:ids "f")
    end)

    it("is refused without the loop, and outside a runner", function()
      local host = hosts.new(sandbox.url)
      start(host, "refused", with_loop(host, [[
        require("util.timer").add_task(0, function()
          health("outside", client_of { loop = loop })
        end)
        async.runner(function()
          health("without", client_of {})
          health("within", client_of { loop = loop })
        end):run(true)
      ]]))
      host:says("outside nil cannot_wait", "without nil cannot_wait", "within true nil")
    end)
  end)
end)
