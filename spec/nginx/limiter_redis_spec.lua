-- Workers of nginx under one rate that a Redis holds: none of them stands still for it.
if not require("spec.support.nginx").here() then
  return
end

local servers = require "spec.support.redis"
local served = require "spec.support.served"
local world = require "spec.support.world"

describe("a rate that a Redis holds for nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local redis, server

  setup(function()
    redis = servers.start()
    redis:in_use(sandbox.url)
    server = served.start(sandbox, {
      init = ([[
        inside.base_url, inside.limiter_url = "%s", "%s?fleet=1"
        inside.init(inside.base_url, { rate = 9, limiter = inside.limiter_url })
      ]]):format(sandbox.url, redis.url),
      server = [[
        location = /send {
          content_by_lua_block {
            local scope3 = require "scope3"
            local transport = inside.client:transport()
            local call = transport:start { method = "GET", path = "/health", root = true }
            local data, err = transport:await(call, { deadline = transport.loop.now() + tonumber(ngx.var.arg_seconds) })
            inside.say { data and "sent" or err.kind }
          }
        }
        location = /stuck {
          content_by_lua_block {
            local client = assert(require("scope3").client { api_key = "k", account_id = "25", rate = 100,
              base_url = inside.base_url, limiter = inside.limiter_url })
            inside.say { client:health() and "sent" }
          }
        }
        location = /other { content_by_lua_block { inside.say { 1 } } }
      ]],
    })
  end)
  teardown(function()
    server:close()
    redis:close()
  end)

  it("is one for all of their requests, and others are answered while Redis stands still", function()
    local replies = served.bodies(served.begin(served.urls(20, function()
      return server.url .. "/send?seconds=3"
    end)):all())
    local n = 0
    for _, reply in ipairs(replies) do
      n = n + (reply[1] == "sent" and 1 or 0)
    end
    assert.equal(9, n)
    redis:stop "STOP"
    local waiting = served.begin(served.urls(4, function()
      return server.url .. "/stuck"
    end))
    for _ = 1, 20 do
      assert.same({ 1 }, served.get(server, "/other"))
    end
    redis:stop "CONT"
    for _, reply in ipairs(served.bodies(waiting:all())) do
      assert.same({ "sent" }, reply)
    end
  end)
end)
