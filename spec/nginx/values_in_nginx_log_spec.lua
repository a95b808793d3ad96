-- The library writes no request line to the error log of nginx: it would hold emails and ids of visitors.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local LOCATIONS = [[
    location = /hog { content_by_lua_block {
      while ngx.timer.at(1, function() end) do
      end
    } }
    location = /full { content_by_lua_block {
      visit(ngx.var.arg_id)
      local ok, err = collector:flush()
      ngx.print(tostring(ok), " ", tostring(err))
    } }
    location = /flood { content_by_lua_block {
      local log = require "scope3.util.nginx_log"
      for i = 1, 150 do
        log.say(ngx.WARN, "scope3: line " .. i .. ";")
      end
    } }
    location = /timer { content_by_lua_block {
      ngx.timer.at(0, function()
        require("scope3.util.nginx_log").say(ngx.WARN, "scope3: said in a timer")
        ngx.log(ngx.WARN, "scope3: and after it")
      end)
    } }
    location = /callback { content_by_lua_block { callback() } }
]]

local INIT = [[
  callback = require("scope3.nginx").webhook { mode = "bearer", credentials = ("t"):rep(32), on_payload = function() error("own fault") end }
]]

local QUERY = "?id=jane-4711&email=jane.doe%40example.com&phone=%2B12065551234"

describe("the error log of nginx", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server
  local of = collecting.of(sandbox, function()
    return server
  end)

  after_each(function()
    if server then
      server:close "TERM"
      server = nil
    end
  end)

  local function until_said(text)
    nginx.until_true("it says " .. text, function()
      of.status()
      return server:log():find(text, 1, true)
    end)
    for _, value in ipairs { "jane", "2065551234", "GET /", "POST /" } do
      assert.is_nil(server:log():find(value, 1, true), server:log())
    end
    assert.is_nil(server:leak())
  end

  it("has what the collector says of a folder that cannot be written, and no request", function()
    server = of.start("spool = '/nowhere', flush_seconds = 3600,")
    of.get("/take" .. QUERY)
    until_said "cannot be kept in the spool"
  end)

  it("has what the collector says of the service, and no request, also where it has no timers", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 401, times = -1 } } }
    server = of.start("flush_seconds = 3600,", { http = "lua_max_pending_timers 2;\n", locations = LOCATIONS })
    of.get "/hog"
    assert.truthy(of.get("/full" .. QUERY):find("SCOPE3_API_KEY", 1, true))
    until_said "1 member waits"
    until_said "no timer can be made"
  end)

  it("has one line for each callback that was refused, and no request", function()
    server = of.start("", { init = INIT, locations = LOCATIONS })
    for _ = 1, 3 do
      assert.is_true(world.http("POST", server.url .. "/callback" .. QUERY, "{}").status >= 400)
    end
    until_said "a callback was refused"
    nginx.until_true("three lines", function()
      return select(2, server:log():gsub("a callback was refused", "")) == 3
    end)
  end)

  it("has a hundred lines of a request at most, and counts the others", function()
    server = of.start("", { init = INIT, locations = LOCATIONS })
    of.get "/flood"
    until_said "50 further lines were left out of this log"
    assert.truthy(server:log():find("line 100;", 1, true))
    assert.is_nil(server:log():find("line 101;", 1, true))
  end)

  it("has what a timer says at once", function()
    server = of.start("", { init = INIT, locations = LOCATIONS })
    of.get "/timer"
    until_said "and after it"
    assert.truthy(server:log():find "said in a timer.*and after it")
  end)
end)
