-- In a server whose event loop the library does not know, a call is refused, because it would block the server.
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("in a server that has no loop here", function()
  teardown(world.clean)

  for name, globals in pairs {
    HAProxy = { core = { register_action = print } }, lighttpd = { lighty = { r = {} } },
    Tarantool = { box = { cfg = print } }, Prosody = { prosody = { hosts = {} } },
    ["Knot Resolver"] = { event = { after = print } }, ["Apache httpd"] = { apache2 = { version = "2.4" } },
  } do
    it("a call says so instead of blocking it (" .. name .. ")", function()
      for key, value in pairs(globals) do
        rawset(_G, key, value)
      end
      local client = assert(scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1" })
      local found, why = client:health()
      for key in pairs(globals) do
        rawset(_G, key, nil)
      end
      assert.same({ nil, "cannot_wait" }, { found, why.kind })
      assert.truthy(why.message:find(name, 1, true) and why.message:find('loop = "blocking"', 1, true), why.message)
    end)
  end

  it("a loop that is named is taken", function()
    rawset(_G, "core", { register_action = print })
    local kinds = {}
    local own = {
      name = "own", now = core.now, sleep = core.sleep, wait = function(engine, seconds) engine:wait(seconds) end,
    }
    for i, loop in ipairs { "blocking", own } do
      local client = assert(scope3.client {
        api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1", loop = loop,
      })
      kinds[i] = select(2, client:health()).kind
    end
    rawset(_G, "core", nil)
    assert.same({ "network", "network" }, kinds)
  end)

  -- The Lua that HAProxy was built with, where it is the one that runs the specs.
  local built_with = nginx.sh("haproxy -vv"):match "Built with Lua version : Lua (%d%.%d)"
  if built_with == os.getenv "SCOPE3_LUA" and not os.getenv("LD_PRELOAD") then
    it("a real HAProxy goes on serving", function()
      local script = world.file(([[
        package.path, package.cpath = %q, %q
        local scope3 = require "scope3"
        local client = scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1" }
        core.register_service("ask", "http", function(applet)
          local answer, err = client:health()
          local text = tostring(answer) .. " " .. err.kind
          applet:set_status(200)
          applet:start_response()
          applet:send(text)
        end)
      ]]):format(package.path, package.cpath), ".lua")
      local port = ports.free()
      local conf = world.file(("global\n  lua-load %s\ndefaults\n  mode http\n  timeout connect 10s\n"
        .. "  timeout client 60s\n  timeout server 60s\n" ..
        "frontend f\n  bind 127.0.0.1:%d\n  http-request use-service lua.ask\n"):format(script, port), ".cfg")
      local pid = nginx.sh(("haproxy -db -f %s >/dev/null 2>&1 </dev/null & echo $!"):format(conf)):match "%d+"
      local reply = nginx.until_true("HAProxy answers", function()
        local reply = world.http("GET", "http://127.0.0.1:" .. port .. "/")
        return reply.status and reply
      end)
      nginx.sh(("kill %s"):format(pid))
      nginx.await_end(pid)
      assert.equal("nil cannot_wait", reply.body)
    end)
  end
end)
