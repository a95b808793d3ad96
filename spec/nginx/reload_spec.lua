-- A reload or a graceful end cuts off no request that waits.
-- OpenResty's patched nginx posts a sleep of less than a millisecond without a timer.
-- A worker that is leaving ends once it has no timer.
-- Debian's nginx lacks these patches, so a stand-in makes each such sleep fail.
if not require("spec.support.nginx").here() then
  return
end

local curl = require "scope3.engine"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  client_max_body_size 0;
  init_by_lua_block {
    local sleep = ngx.sleep
    function ngx.sleep(seconds)
      if seconds * 1000 < 1 then
        error("a sleep of " .. seconds .. " seconds has no timer", 2)
      end
      return sleep(seconds)
    end
    inside = require "spec.support.in_nginx"
    inside.init "SANDBOX"
    upload = require("scope3.nginx").gateway { account_id = "25", api_key = "scope3_test_key", base_url = "SANDBOX", audience = "file", rate = 100000,
      map = { external_id = "id", email = "mail" }, max_members = 50 }
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync { content_by_lua_block { inside.serve_sync() } }
    location = /upload { content_by_lua_block { upload() } }
    location = /state { content_by_lua_block { inside.serve_state() } }
    location = /short { content_by_lua_block { ngx.sleep(0) } }
  }
]]

describe("a reload of nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  before_each(function()
    server = nginx.start { http = (HTTP:gsub("SANDBOX", sandbox.url)) }
  end)
  after_each(nginx.close_all)

  -- Forty requests that wait:
  -- for their tasks, for the service's rate, for the service's answer, and uploads of several requests each.
  local function begin()
    local engine = assert(curl.engine { connect_timeout = 30 })
    local lines = { "id,mail" }
    for i = 1, 200 do
      lines[#lines + 1] = ("u%d,u%d@example.com"):format(i, i)
    end
    local body = table.concat(lines, "\n") .. "\n"
    for i = 1, 40 do
      local upload = i % 4 == 0
      assert(engine:submit {
        method = upload and "POST" or "GET", url = server.url .. (upload and "/upload" or "/sync?wait=1&id=r" .. i),
        headers = upload and { "Content-Type: text/csv" } or {}, body = upload and body or nil, timeout = 120,
      })
    end
    local replies = {}
    local function step()
      engine:step()
      for reply in engine.result, engine do
        replies[#replies + 1] = reply
      end
      return #replies
    end
    step()
    return step, replies, engine
  end

  for name, cut in pairs { HUP = function() server:reload() end, QUIT = function() server:signal "QUIT" end } do
    it("cuts off nothing that waits, with sleeps as OpenResty has them (" .. name .. ")", function()
      sandbox:configure { task_seconds = 1, faults = world.json.array {
        { on = "sync", act = "status", status = 429, retry_after = 1, times = 5 },
        { on = "sync", act = "delay", seconds = 0.5, times = 40 } } }
      local step, replies, engine = begin()
      nginx.until_true("syncs and waits are under way", function()
        step()
        return #sandbox:requests "sync" >= 20
      end)
      local old = server:workers()[1]
      cut()
      nginx.until_true("all are answered", function()
        engine:wait(0.05)
        return step() == 40
      end)
      engine:close()
      for _, reply in ipairs(replies) do
        assert.equal(200, reply.status, tostring(reply.message or reply.body))
        local said = world.json.decode(reply.body)
        assert.is_true(said.status == "completed" and said.accepted == 1
          or said.result ~= nil and said.result.accepted == 200, reply.body)
      end
      nginx.await_end(old)
      assert.equal("", server:trouble())
    end)
  end

  it("is tried with a stand-in that notices", function()
    assert.equal(500, world.http("GET", server.url .. "/short").status)
    server:expect "has no timer"
  end)
end)
