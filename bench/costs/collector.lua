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
    spooled = require("scope3.nginx").collector {
      account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = "crm", spool = "%s",
      flush_members = 100000, flush_seconds = 3600,
    }
    count = require "bench.costs.marks"
    members = {}
    for i = 1, %d do
      members[i] = { external_id = i, email = "Anna.Smith" .. i .. "@example.com", phone = "+1 206 555 1234" }
    end
    function add_to(one)
      return function(n)
        for i = 1, n do
          assert(one:add(members[i]))
        end
      end
    end
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /count { content_by_lua_block {
      local add = add_to(collector)
      count("collector many", add, #members)
      count("collector one", add, 1)
      add = add_to(spooled)
      count("spooled many", add, #members)
      count("spooled one", add, 1)
      ngx.print "counted"
    } }
  }
]]

local folder = world.path()
os.execute("mkdir -m 700 " .. folder)
local server = nginx.start {
  http = HTTP:format(NOBODY, NOBODY, folder, MANY), main = "master_process off; env COSTS_MARKS;",
  before = PREFIX,
}
local reply = world.http("GET", server.url .. "/count")
server:close "QUIT"
os.execute("rm -rf " .. folder)
world.clean()
assert(reply.body == "counted", reply.body or reply.message)
