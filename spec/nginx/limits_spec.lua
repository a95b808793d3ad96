-- One rate for all workers of an nginx. It has one Lua, so this runs with LuaJIT alone.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local curl = require "scope3.engine"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    inside = require "spec.support.in_nginx"
    inside.init "%s"
    local scope3 = require "scope3"
    local more = { api_key = "scope3_test_key", account_id = "25", base_url = "%s", rate = 20 }
    more.limiter = %s
    limited = assert(scope3.client(more))
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /sync { content_by_lua_block {
      local args = ngx.req.get_uri_args()
      local res, err = limited:sync(inside.audience(args.id), { deadline = tonumber(args.deadline), rate = tonumber(args.rate) })
      ngx.print(res and "sent" or err.kind)
    } }
  }
]]

describe("the workers of an nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local server

  after_each(nginx.close_all)

  local function start(limiter)
    server = nginx.start { workers = 3, http = HTTP:format(sandbox.url, sandbox.url, limiter) }
  end

  -- The answers to all of these at once, counted.
  local function get(list)
    local engine, answers = assert(curl.engine { connect_timeout = 30 }), {}
    for _, path in ipairs(list) do
      assert(engine:submit { method = "GET", url = server.url .. path, headers = {}, timeout = 60 })
    end
    local left, ends = #list, core.now() + 60
    while left > 0 do
      assert(core.now() < ends)
      engine:wait(0.1)
      engine:step()
      for result in engine.result, engine do
        answers[result.body] = (answers[result.body] or 0) + 1
        left = left - 1
      end
    end
    engine:close()
    return answers
  end

  local function requests(n, query)
    local list = {}
    for i = 1, n do
      list[i] = ("/sync?id=%s%d%s"):format(query and "q" or "p", i, query or "&deadline=2")
    end
    return list
  end

  for what, limiter in pairs {
    ["a dictionary"] = "scope3.limiter(ngx.shared.scope3)", ["a file"] = '"FOLDER/limits"',
  } do
    it("stay under one rate together, which they share through " .. what, function()
      start(limiter)
      if limiter:find "FOLDER" then -- made by the master, for whoever its workers are
        os.execute(("chmod 666 %s/limits; chmod 755 %s"):format(server.folder, server.folder))
      end
      assert.same({ sent = 20, timeout = 40 }, get(requests(60)))
      assert.equal(20, #sandbox:requests "sync")
    end)
  end

  it("let a job have its own rate, and the others keep theirs", function()
    start "scope3.limiter(ngx.shared.scope3)"
    assert.same({ sent = 3 }, get(requests(3, "&rate=1")))
    assert.same({ sent = 10 }, get(requests(10, "&deadline=5")))
    assert.same({ sent = 40 }, get(requests(40, "&rate=600&deadline=20")))
  end)
end)
