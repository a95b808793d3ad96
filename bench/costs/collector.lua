-- collector:add in a real nginx that runs under callgrind, with LuaJIT's compiler off: what it compiles depends on the
-- processor, and callgrind does not see which function machine code belongs to.
--   luajit collector.lua MEMBERS PREFIX-OF-THE-COMMAND
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local MANY, PREFIX = tonumber(arg[1]), arg[2]
-- Nothing is sent: the collector would wait for more members.
local NOBODY = "http://127.0.0.1:9"

local HTTP = [[
  init_by_lua_block {
    jit.off()
    collector = require("scope3.nginx").collector {
      account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = "crm",
      flush_members = 100000, flush_seconds = 3600,
    }
    count = require "bench.costs.marks"
    members = {}
    for i = 1, %d do
      members[i] = { external_id = i, email = "Anna.Smith" .. i .. "@example.com", phone = "+1 206 555 1234" }
    end
    function add(n)
      for i = 1, n do
        assert(collector:add(members[i]))
      end
    end
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /count { content_by_lua_block {
      count("collector many", add, #members)
      count("collector one", add, 1)
      ngx.print "counted"
    } }
  }
]]

local server = nginx.start {
  http = HTTP:format(NOBODY, MANY), main = "master_process off; env COSTS_MARKS;",
  before = PREFIX,
}
local reply = world.http("GET", server.url .. "/count")
server:close "QUIT"
world.clean()
assert(reply.body == "counted", reply.body or reply.message)
