-- The plugins for APISIX and Kong, in a real nginx that plays these gateways: they call a plugin with a configuration,
-- give it a new table after each change, and end it in their own ways.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local json = world.json

local ROOT = (nginx.sh "pwd"):gsub("%s+$", "")

-- What the gateways give to plugins, as far as these ask for it. `conf` is the configuration of now.
local INIT = [[
  for _, name in ipairs { "lib", "apisix", "kong" } do
    package.path = ROOT .. "/examples/gateways/" .. name .. "/?.lua;" .. package.path
  end
  package.loaded["apisix.core"] = { schema = { check = function(schema, value)
    local rules = {}
    for keyword, rule in pairs(schema) do
      if keyword ~= "encrypt_fields" then -- a word of APISIX's own
        rules[keyword] = rule
      end
    end
    local problems = require("spec.support.json_schema").told(rules, value)
    return #problems == 0, problems[1]
  end } }
  package.loaded["kong.db.schema.typedefs"] = { no_consumer = { eq = "null" },
    protocols_http = { default = { "http" } } }
  apisix = require "apisix.plugins.scope3-audience"
  kong = require "kong.plugins.scope3-audience.handler"
  conf = false
  function configure(more)
    conf = { account_id = "25", api_key = "scope3_test_key", base_url = BASE, audience = "visitors",
      shared = "scope3", rate = 100000, flush_seconds = 0.1, spool = SPOOL,
      fields = { external_id = "$http_x_user", email = "$arg_email" } }
    for key, value in pairs(more or {}) do
      conf[key] = value or nil
    end
  end
]]

local LOCATIONS = [[
    location = /run { content_by_lua_block {
      ngx.req.read_body()
      ngx.print(tostring((assert(loadstring(ngx.req.get_body_data()))())))
    } }
    location = /apisix { return 200 "seen"; log_by_lua_block { apisix.log(conf, { var = ngx.var }) } }
    location = /kong { return 200 "seen"; log_by_lua_block { kong:log(conf) } }
    location = /state { content_by_lua_block {
      collectgarbage()
      collectgarbage()
      local mine = 0
      for _, key in ipairs(ngx.shared.scope3:get_keys(0)) do
        mine = mine + (key:find("^collector:") and 1 or 0)
      end
      ngx.print(mine)
    } }
]]

describe("a plugin of a gateway", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server

  local function stop()
    if server then
      server:close "QUIT"
      server = nil
    end
  end
  after_each(stop)
  local folder = collecting.folder(before_each, after_each, stop)

  local function start(exit)
    server = nginx.start { workers = 1, http = ("lua_shared_dict scope3 2m;\n"
      .. "init_by_lua_block {\nROOT = '%s'\nBASE = '%s'\nSPOOL = '%s'\n%s\n}\nexit_worker_by_lua_block { %s }\n"
      .. "server {\nlisten 127.0.0.1:PORT;\nlocation = /ping { return 200 'pong'; }\n%s\n}\n"):format(
        ROOT, sandbox.url, folder.path, INIT, exit or "", LOCATIONS) }
    server:expect(collecting.SAYS)
    server:expect "scope3%-audience: "
  end

  local function run(code)
    local reply = world.http("POST", server.url .. "/run", code, { timeout = 60 })
    assert(reply.status == 200, tostring(reply.status) .. " " .. tostring(reply.body) .. server:log():sub(-2000))
    return reply.body
  end

  local function visit(gateway, id, email, headers)
    headers = headers or {}
    headers[#headers + 1] = id and "X-User: " .. id or nil
    local url = ("%s/%s?email=%s"):format(server.url, gateway, email or id .. "%40example.com")
    assert.equal("seen", world.http("GET", url, nil, { headers = headers }).body)
  end

  local function arrive(expected)
    nginx.until_true("these are there: " .. expected, function()
      local ok, ids = pcall(sandbox.ids, sandbox, "visitors")
      return ok and table.concat(ids, " ") == expected
    end)
  end

  for _, gateway in ipairs { "apisix", "kong" } do
    it("takes members by the variables that its configuration names (" .. gateway .. ")", function()
      start()
      run [[configure { consent = "${http_x_consent}",
        fields = { external_id = "shop-$http_x_user", email = "$arg_email" } }]]
      visit(gateway, "a", nil, { "X-Consent: yes" })
      visit(gateway, "b", nil, { "X-Consent: no" })
      visit(gateway, "c")
      visit(gateway, nil, "d%40example.com", { "X-Consent: yes" })
      visit(gateway, "e", "nobody", { "X-Consent: yes" })
      visit(gateway, "f", nil, { "X-Consent: ja" })
      arrive "shop-a shop-f"
    end)

    it("has one collector for each configuration, which goes with it (" .. gateway .. ")", function()
      start()
      for round = 1, 3 do
        run "configure()"
        visit(gateway, "r" .. round)
        visit(gateway, "s" .. round)
      end
      arrive "r1 r2 r3 s1 s2 s3"
      if gateway == "kong" then
        run "kong:configure { conf }"
      end
      nginx.until_true("the replaced ones are gone", function()
        return tonumber(world.http("GET", server.url .. "/state").body) <= 3
      end)
      run(gateway == "kong" and "kong:configure(nil)" or "apisix.destroy()")
      run "conf = false"
      nginx.until_true("all are gone", function()
        return world.http("GET", server.url .. "/state").body == "0"
      end)
    end)

    it("loses nothing when its worker ends while the service is away (" .. gateway .. ")", function()
      sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 503, times = -1 } } }
      start(gateway == "apisix" and "apisix.destroy()" or nil)
      run "configure { flush_seconds = 60 }"
      visit(gateway, "late")
      stop()
      sandbox:configure { faults = json.array {} }
      start()
      run "configure()"
      visit(gateway, "next")
      arrive "late next"
    end)

    it("has a schema that takes what it needs and nothing else (" .. gateway .. ")", function()
      start()
      if gateway == "apisix" then
        for more, said in pairs {
          [""] = "true | nil", ["account_id = false"] = "false | .+account_id", ["spool = false"] = "false | .+spool",
          ["fields = { external_id = '$a' }"] = "false | fields needs one of email, phone",
          ["fields = { email = '$a' }"] = "false | .+external_id", ["other = 1"] = "false | .+other",
        } do
          local told = run(("configure { %s } local ok, why = apisix.check_schema(conf) "
            .. "return tostring(ok) .. ' | ' .. tostring(why)"):format(more))
          assert.truthy(told:find("^" .. said), more .. ": " .. told)
        end
      end
      assert.equal("", run [[
        local known, missing = {}, {}
        for _, field in ipairs(require("kong.plugins.scope3-audience.schema").fields[3].config.fields) do
          local name, rule = next(field)
          known[name] = rule.type
        end
        for name, rule in pairs(apisix.schema.properties) do
          local same = known[name] == (rule.type == "object" and "record" or rule.type)
          missing[#missing + 1] = not same and name or nil
          known[name] = nil
        end
        missing[#missing + 1] = next(known)
        return table.concat(missing, " ")
      ]])
    end)

    it("refuses a key that its gateway has not resolved, and says so once (" .. gateway .. ")", function()
      start()
      local reference = gateway == "kong" and "{vault://env/scope3}" or "$secret://vault/1/x"
      run(('configure { api_key = "%s" }'):format(reference))
      visit(gateway, "a")
      visit(gateway, "b")
      nginx.until_true("it says so", function()
        return server:log():find("scope3-audience: ", 1, true)
      end)
      visit(gateway, "c")
      local log = server:log()
      local _, lines = log:gsub("scope3%-audience: ", "")
      assert.equal(1, lines, log)
      assert.truthy(log:find("is a reference of a gateway", 1, true), log)
      assert.equal(0, #sandbox:requests "sync")
    end)
  end
end)
