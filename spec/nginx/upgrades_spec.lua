-- The master of nginx keeps the C modules of before an upgrade until it ends; a reload reads the new Lua files.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local version = require "scope3.version"
local world = require "spec.support.world"

local HTTP = [[
  init_by_lua_block {
    package.path = "FOLDER/?.lua;" .. package.path
    scope3 = require "scope3"
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /version { content_by_lua_block { ngx.print(require("scope3")._VERSION) } }
  }
]]

describe("a reload of nginx after an upgrade", function()
  after_each(nginx.close_all)

  it("fails and names both versions, while the workers that run go on", function()
    local server = nginx.start { http = HTTP }
    local before = server:workers()
    assert(os.execute("mkdir " .. nginx.quote(server.folder .. "/scope3")))
    world.write(server.folder .. "/scope3/version.lua", 'return "99.0.1"\n')
    local words = ("scope3.core is of version %s, and its Lua files are of 99.0.1"):format(version)
    server:expect(words, "stack traceback", "[C]:", "in function 'require'", "in main chunk")
    server:signal "HUP"
    nginx.until_true("the log has it", function()
      return server:log():find(words, 1, true)
    end)
    assert.same(before, server:workers())
    assert.equal(version, world.http("GET", server.url .. "/version").body)
  end)
end)
