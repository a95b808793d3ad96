-- nginx's master reads the Lua files, often as root, and its workers may not be allowed to.
-- All that a worker needs is loaded before it starts.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  client_max_body_size 1m; client_body_buffer_size 1m;
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local scope3 = require "scope3.nginx"
    local common = { account_id = "25", api_key = "scope3_test_key", base_url = "SANDBOX", shared = "scope3", rate = 100000 }
    local function with(more)
      for key, value in pairs(common) do
        more[key] = more[key] or value
      end
      return more
    end
    inside = require "spec.support.in_nginx"
    inside.init "SANDBOX"
    collector = scope3.collector(with { audience = "visitors", flush_members = 1, spool = "FOLDER/spool" })
    upload = scope3.gateway(with { audience = "file", map = { external_id = "id", email = "mail" } })
    signed = scope3.webhook { mode = "rfc9421", keys = function() return {} end, revoked = function() return false end, shared = "scope3",
      on_payload = function() return true end }
  }
  init_worker_by_lua_block {
    package.path, package.cpath = "", ""
    before = {}
    for name in pairs(package.loaded) do before[name] = true end
    collector:start()
  }
  exit_worker_by_lua_block { require("scope3.nginx").exit() }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync { content_by_lua_block { inside.serve_sync() } }
    location = /upload { content_by_lua_block { upload() } }
    location = /signed { content_by_lua_block { signed() } }
    location = /add { content_by_lua_block { ngx.print(tostring(collector:add { external_id = "v1", email = "v1@example.com" })) } }
    location = /accepted { content_by_lua_block { ngx.print(collector:status().accepted) } }
    location = /new { content_by_lua_block {
      for name in pairs(package.loaded) do
        if not before[name] and name:find "scope3" then ngx.say(name) end
      end
    } }
  }
]]

describe("workers of nginx that may read no Lua file", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  after_each(nginx.close_all)

  it("sync, wait, collect, take uploads and verify callbacks with what the master has loaded", function()
    local server = nginx.start { http = (HTTP:gsub("SANDBOX", sandbox.url)), before = "mkdir spool &&" }
    local reply = world.http("GET", server.url .. "/sync?wait=1&id=a")
    assert.equal("completed", world.json.decode(reply.body).status, reply.body)
    local packed = nginx.sh "printf 'id,mail\\n1,a@example.com\\n' | gzip -c"
    reply = world.http("POST", server.url .. "/upload", packed, { headers = { "Content-Type: text/csv" } })
    assert.equal(200, reply.status, reply.body)
    assert.equal("true", world.http("GET", server.url .. "/add").body)
    nginx.until_true("the member has arrived", function()
      return world.http("GET", server.url .. "/accepted").body == "1"
    end)
    reply = world.http("POST", server.url .. "/signed", "{}", { headers = {
      'Signature-Input: sig1=("@method" "@target-uri" "@authority" "content-type" "content-digest");'
        .. 'created=1;expires=2;'
        .. 'nonce="n";keyid="k";alg="ed25519";tag="adcp/webhook-signing/v1"',
      "Signature: sig1=:AAAA:", "Content-Digest: sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:",
      "Content-Type: application/json" } })
    assert.equal(401, reply.status, reply.body)
    assert.equal("", world.http("GET", server.url .. "/new").body)
    server:expect "a callback was refused"
  end)
end)
