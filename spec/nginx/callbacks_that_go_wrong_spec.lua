-- Callbacks to nginx with too many headers, and a function of the configuration that raises.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local socket = require "cqueues.socket"
local world = require "spec.support.world"

local SECRET = ("s3cret-"):rep(6)

local HTTP = ([[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    hook = require("scope3.nginx").webhook {
      shared = "scope3", mode = "bearer", credentials = "SECRET",
      on_payload = function(payload)
        if ngx.shared.scope3:add("failed:" .. payload.idempotency_key, true) then
          error("the first time it fails")
        end
        return true
      end,
    }
  }
  server {
    listen 127.0.0.1:PORT;
    large_client_header_buffers 8 32k;
    location = /ping { return 200 "pong"; }
    location = /hook { content_by_lua_block { hook() } }
  }
]]):gsub("SECRET", SECRET)

describe("a location for callbacks", function()
  local server

  setup(function()
    server = nginx.start { http = HTTP }
    server:expect("scope3: a callback was refused", "scope3: on_payload failed")
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  local function post()
    return world.http("POST", server.url .. "/hook", world.json.encode { idempotency_key = ("k"):rep(20), task_id = "t",
      status = "completed", timestamp = "2026-11-01T00:00:00Z" }, { timeout = 30,
      headers = { "Authorization: Bearer " .. SECRET, "Content-Type: application/json" } }).status
  end

  it("refuses one with more headers than it looks at", function()
    local lines = { "POST /hook HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 2" }
    for i = 1, 300 do
      lines[#lines + 1] = ("X-Header-%d: %d"):format(i, i)
    end
    local peer = socket.connect("127.0.0.1", tonumber(server.url:match ":(%d+)"))
    peer:setmode("b", "b")
    peer:settimeout(30)
    peer:write(table.concat(lines, "\r\n") .. "\r\n\r\n{}")
    peer:flush()
    local said = peer:read "*a"
    peer:close()
    assert.truthy(said and said:find "^HTTP/1.1 431", said)
  end)

  it("answers so that it comes again where on_payload raises, and takes it then", function()
    assert.equal(500, post())
    assert.equal(204, post())
  end)
end)
