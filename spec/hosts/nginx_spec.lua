-- The client inside a real nginx. It has one Lua, so this runs with LuaJIT alone.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local scope3 = require "scope3"
    client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = "%s", rate = 100000 })
    function audience(id, n)
      local made = assert(scope3.audience { id = id })
      for i = 1, n or 1 do
        assert(made:add { external_id = id .. "-" .. i, email = id .. i .. "@example.com" })
      end
      return made
    end
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync {
      content_by_lua_block {
        local res, err = client:sync(audience(ngx.var.arg_id or "a", 3))
        if res and ngx.var.arg_wait then
          res, err = res:wait { timeout = 30 }
        end
        ngx.say(res and res.sent or tostring(err))
      }
    }
    location = /log {
      return 200 "logged";
      log_by_lua_block {
        local res, err = client:sync(audience("log"))
        ngx.shared.scope3:set("log", res and "sent" or err.kind .. ": " .. err.message)
      }
    }
    location = /logged { content_by_lua_block { ngx.say(ngx.shared.scope3:get "log") } }
  }
]]

describe("in nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  setup(function()
    server = nginx.start { http = HTTP:format(sandbox.url) }
  end)
  teardown(function()
    server:close()
  end)

  it("a client made in the master syncs and waits in a worker", function()
    local reply = world.http("GET", server.url .. "/sync?wait=1")
    assert.same({ 200, "3\n" }, { reply.status, reply.body })
    assert.equal(3, #sandbox:ids "a")
    assert.equal("", server:trouble())
  end)

  it("a phase that cannot wait gets an error that names the ways out", function()
    world.http("GET", server.url .. "/log")
    local said = world.http("GET", server.url .. "/logged").body
    assert.truthy(said:find("^cannot_wait: nothing can wait in nginx's log phase: .*collector.*ngx%.timer%.at"), said)
    assert.equal(0, #sandbox:requests("sync"))
  end)
end)
