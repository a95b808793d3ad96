-- The location of metrics that the example has, in a real nginx of two workers.
if not require("spec.support.nginx").here() then
  return
end

local exposition = require "spec.support.exposition"
local json = require "scope3.util.json"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local world = require "spec.support.world"

describe("nginx's location of metrics", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server
  local textfiles = ports.free() -- for what node_exporter would serve

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
      server {
        listen 127.0.0.1:%d;
        location = /metrics { default_type text/plain; alias FOLDER/night.prom; }
      }
    ]]):format(sandbox.url, location, textfiles) }
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

  it("is scraped by a Prometheus with the configuration and the rules of the example", function()
    if not exposition.has "prometheus" then
      return pending "prometheus is missing: make deps installs it"
    end
    local rows = world.file("id,mail\n1,a@example.com\n2,nobody\n", ".csv")
    assert.equal(1, (world.command { "sync", rows, "--sandbox", "--audience", "a", "--map", "external_id=id",
      "--map", "email=mail", "--strict", "--metrics", server.folder .. "/night.prom" }))
    nginx.sh("chmod 644 " .. server.folder .. "/night.prom")
    local folder, port = server.folder .. "/prometheus", ports.free()
    nginx.sh(("mkdir %s && cp examples/observability/rules.yml %s"):format(folder, folder))
    world.write(folder .. "/prometheus.yml", (world.read("examples/observability/prometheus.yml")
      :gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. server.port):gsub("127%.0%.0%.1:9100", "127.0.0.1:" .. textfiles)
      :gsub("interval: 30s", "interval: 1s")))
    nginx.sh(("cd %s && prometheus --config.file=prometheus.yml --storage.tsdb.path=data "
      .. "--web.listen-address=127.0.0.1:%d >log 2>&1 & echo $! >%s/pid"):format(folder, port, folder))
    local pid = tonumber((world.read(folder .. "/pid"):match "%d+"))
    finally(function()
      os.execute(("kill -9 %d 2>/dev/null"):format(pid))
    end)

    local function ask(path)
      local reply = world.http("GET", ("http://127.0.0.1:%d/api/v1/%s"):format(port, path))
      return reply.status == 200 and json.decode(reply.body).data or nil
    end
    local function query(words)
      local data = ask("query?query=" .. words:gsub("[^%w_]", function(c)
        return ("%%%02X"):format(c:byte())
      end))
      return data and data.result[1] and tonumber(data.result[1].value[2]) or nil
    end

    assert.equal("no_identifier\n", world.http("GET", server.url .. "/add?id=other&email=a-word").body)
    local page = scrape()
    for words, expected in pairs {
      ['scope3_collector_members_accepted_total{job="scope3-nginx",collector="subscribers"}'] =
        page['scope3_collector_members_accepted_total{collector="subscribers"}'],
      ['scope3_collector_members_rejected_by_reason_total{reason="no_identifier"}'] =
        page['scope3_collector_members_rejected_by_reason_total{reason="no_identifier",collector="subscribers"}'],
      ['scope3_job_exit_code{job="node",name="night"}'] = 1,
      ['scope3_job_members{fate="added"}'] = 1,
      ['time() - scope3_job_last_run_timestamp_seconds < 3600 > bool 0'] = 1,
      ['sum(up{job=~"scope3-nginx|node"})'] = 2,
    } do
      nginx.until_true(words .. " is there: " .. world.read(folder .. "/log"), function()
        return query(words) == expected
      end)
    end
    local _, rules = world.read("examples/observability/rules.yml"):gsub("\n *%- alert:", "")
    nginx.until_true("rules were evaluated, and the job's failure is an alert", function()
      local data, fine, firing = ask "rules", 0, false
      for _, group in ipairs(data and data.groups or {}) do
        for _, rule in ipairs(group.rules) do
          assert.equal("", rule.lastError or "")
          fine = fine + (rule.health == "ok" and 1 or 0)
          firing = firing or rule.name == "Scope3JobFailed" and rule.state == "firing"
        end
      end
      return rules > 0 and fine == rules and firing
    end)
  end)
end)
