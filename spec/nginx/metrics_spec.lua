-- The location of metrics that the example has, in a real nginx of two workers.
if not require("spec.support.nginx").here() then
  return
end

local exposition = require "spec.support.exposition"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

describe("nginx's location of metrics", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server

  setup(function()
    local location = assert(world.read("examples/nginx/nginx.conf"):match "location = /metrics (%b{})")
    server = nginx.start { workers = 2, http = ([[
      lua_shared_dict scope3 10m;
      init_by_lua_block {
        scope3 = require "scope3"
        subscribers = require("scope3.nginx").collector {
          audience = "readers", account_id = "25", api_key = "scope3_test_key", base_url = "%s", shared = "scope3",
          flush_members = 2, flush_seconds = 3600,
        }
      }
      init_worker_by_lua_block { subscribers:start() }
      server {
        listen 127.0.0.1:PORT reuseport;
        location = /ping { return 204; }
        location = /add {
          content_by_lua_block {
            local ok, err = subscribers:add { external_id = ngx.var.arg_id, email = ngx.var.arg_email }
            ngx.say(ok and "taken" or err.code)
          }
        }
        location = /metrics %s
      }
    ]]):format(sandbox.url, location) }
  end)
  teardown(nginx.close_all)

  local function scrape()
    local reply = world.http("GET", server.url .. "/metrics")
    assert.equal(200, reply.status)
    return exposition.read(reply.body), reply
  end

  local function value(name)
    return scrape()[("scope3_collector_%s{collector=\"subscribers\"}"):format(name)]
  end

  it("counts for all workers, whichever answers, and names nobody", function()
    for i = 1, 8 do
      local reply = world.http("GET", ("%s/add?id=visitor%d&email=visitor%d@example.com"):format(server.url, i, i))
      assert.equal("taken\n", reply.body)
    end
    assert.equal("no_identifier\n", world.http("GET", server.url .. "/add?id=somebody&email=a-word").body)
    -- Two members are a request. A worker may keep a last one.
    nginx.until_true("nearly all were accepted", function()
      return value "members_accepted_total" >= 6 and value "held_members" <= 2
        and value "members_accepted_total" + value "held_members" == 8
    end)
    local found, reply = scrape()
    assert.equal("text/plain; version=0.0.4", reply.headers["content-type"])
    assert.equal(1, value "members_rejected_total")
    local by_reason = "scope3_collector_members_rejected_by_reason_total"
    assert.equal(1, found[by_reason .. '{reason="no_identifier",collector="subscribers"}'])
    assert.is_true(value "worker_held_members" <= 1)
    for _, word in ipairs { "visitor", "body", "a-word", "example", "readers", "scope3_test_key" } do
      assert.is_nil(reply.body:find(word, 1, true), word)
    end
    exposition.check(reply.body)
  end)

  it("answers nobody but the machine itself", function()
    local curl = "curl -s -o /dev/null -w '%%{http_code}' --interface %s " .. server.url .. "/metrics"
    assert.same({ "200", "403" }, { nginx.sh(curl:format "127.0.0.1"), nginx.sh(curl:format "127.0.0.2") })
    server:expect "access forbidden by rule"
  end)
end)
