-- Connections to Redis inside nginx: they wait without holding up others, and end with a request that is dropped.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local servers = require "spec.support.redis"
local served = require "spec.support.served"
local world = require "spec.support.world"

describe("a connection to Redis in nginx", function()
  local sandbox = world.around(setup, teardown, before_each)
  local redis, server

  setup(function()
    redis = servers.start()
    server = served.start(sandbox, {
      init = ([[
        core, redis = require "scope3.core", require "scope3.redis"
        redis_url = "%s"
      ]]):format(redis.url),
      server = [[
        location = /pop {
          lua_check_client_abort on;
          content_by_lua_block {
            local connection = assert(redis.open { url = redis_url, call_seconds = 30 })
            inside.kept = connection
            local reply = assert(connection:call("BLPOP", ngx.var.arg_key, 0))
            inside.say(reply)
          }
        }
        location = /push {
          content_by_lua_block {
            local connection = assert(redis.open { url = redis_url, call_seconds = 30 })
            local text = ("x"):rep(4 * 1024 * 1024)
            local replies = assert(connection:pipeline { { "SET", "large", text }, { "GET", "large" } })
            local n = assert(connection:script("return redis.call('RPUSH', KEYS[1], ARGV[1])", { ngx.var.arg_key },
              { "here" }))
            connection:close()
            inside.say { n, replies[2] == text }
          }
        }
        location = /timer {
          content_by_lua_block {
            assert(ngx.timer.at(0, function()
              local connection = assert(redis.open { url = redis_url, call_seconds = 30 })
              inside.popped = assert(connection:call("BLPOP", "of_timer", 0))[2]
              connection:close()
            end))
            inside.say { 1 }
          }
        }
        location = /popped {
          content_by_lua_block { inside.say { inside.popped or false } }
        }
        location = /looks {
          content_by_lua_block {
            assert(ngx.timer.at(0, function()
              local connection, sleep = assert(redis.open { url = redis_url, call_seconds = 30 }), ngx.sleep
              local looks, n = {}, 0
              function ngx.sleep(seconds)
                n = n + 1
                sleep(seconds)
              end
              for i = 1, 21 do
                n = 0
                local began = core.now()
                assert(connection:call("BLPOP", "never", "0.008") == false)
                looks[i] = n - math.floor((core.now() - began) / 0.01) -- a long answer has a look each 10 ms
              end
              ngx.sleep = sleep
              connection:close()
              table.sort(looks)
              inside.looks = looks[11]
            end))
            inside.say { 1 }
          }
        }
        location = /looked {
          content_by_lua_block { inside.say { inside.looks or false } }
        }
        location = /late {
          content_by_lua_block {
            local connection = assert(redis.open { url = redis_url, call_seconds = 0.1 })
            local _, err = connection:call("BLPOP", "never", 0)
            inside.say { err.kind, connection:is_open() }
          }
        }
        location = /kept {
          content_by_lua_block { inside.say { inside.kept and inside.kept:is_open() or false } }
        }
        location = /log {
          content_by_lua_block { inside.say { 1 } }
          log_by_lua_block {
            local connection, err = redis.open { url = redis_url }
            ngx.shared.scope3:set("barred", connection == nil and err.kind)
          }
        }
      ]],
    })
  end)
  teardown(function()
    redis:close() -- first: what nginx wrote into its log fails the other
    server:close()
  end)

  it("waits for others, and none is held up", function()
    local waiting = served.begin(served.urls(8, function(i)
      return server.url .. "/pop?key=q" .. i
    end))
    local url = server.url
    assert.same({ "timeout", false }, served.get(server, "/late"))
    for i = 1, 8 do
      assert.same({ 1, true }, served.get(server, "/push?key=q" .. i), url)
    end
    local popped = {}
    for _, reply in ipairs(served.bodies(waiting:all())) do
      assert.equal("here", reply[2])
      popped[reply[1]] = true
    end
    for i = 1, 8 do
      assert.is_true(popped["q" .. i])
    end
  end)

  local function ask(...)
    local probe = redis:open()
    local reply = assert(probe:call(...))
    probe:close()
    return reply
  end

  local function blocked()
    return select(2, ask("CLIENT", "LIST"):gsub(" flags=b ", ""))
  end

  it("waits in a timer, which others that come meanwhile outlast", function()
    assert.same({ 1 }, served.get(server, "/timer"))
    nginx.until_true("the timer waits", function()
      return blocked() == 1
    end)
    local waiting = served.begin { server.url .. "/pop?key=of_request" }
    nginx.until_true("a request waits", function()
      return blocked() == 2
    end)
    assert.same({ false }, served.get(server, "/popped"))
    ask("RPUSH", "of_timer", "here")
    nginx.until_true("the timer is over", function()
      return served.get(server, "/popped")[1] == "here"
    end)
    ask("RPUSH", "of_request", "here")
    assert.same({ { "of_request", "here" } }, served.bodies(waiting:all()))
  end)

  it("looks in a timer for an answer when the one before was there, and seldom before", function()
    assert.same({ 1 }, served.get(server, "/looks"))
    local looks = nginx.until_true("the timer is over", function()
      return served.get(server, "/looked")[1]
    end)
    assert.is_true(looks < 2, looks .. " looks for most answers, beside those of each 10 ms")
  end)

  it("is closed when the request that waits for it is dropped", function()
    local leaving = served.connect(server, "/pop?key=nobody")
    nginx.until_true("the request waits", function()
      return blocked() == 1
    end)
    leaving:close()
    -- Only what steps the engine finds those that are gone.
    nginx.until_true("the connection is closed", function()
      served.get(server, "/late")
      return blocked() == 0
    end)
    assert.same({ false }, served.get(server, "/kept"))
  end)

  it("cannot be opened in a phase that cannot wait", function()
    served.get(server, "/log")
    nginx.until_true("the phase has run", function()
      return served.get(server, "/kept") and world.http("GET", server.url .. "/said?key=barred").body == "cannot_wait"
    end)
  end)
end)
