-- A configuration of nginx that cannot work is told so by what makes it, with the option and what to do.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local nginx = require "scope3.nginx"
    said = {}
    local function note(what, fine, value, err)
      said[#said + 1] = what .. ": " .. (fine and (value and "made" or err.message) or tostring(value))
    end
    local function with(opts, key, value)
      local all = { account_id = "25", api_key = "scope3_k", base_url = "http://127.0.0.1:9", audience = "a" }
      for k, v in pairs(opts) do
        all[k] = v
      end
      all[key] = value
      return all
    end
    note("no dictionary to ask", pcall(nginx.notified, "nowhere"))
    note("no dictionary of callbacks", pcall(nginx.webhook, { mode = "bearer", credentials = ("c"):rep(32),
      shared = "nowhere", on_payload = print }))
    note("callbacks", pcall(nginx.collector, with({}, "push_notification_config", { url = "not a url" })))
    note("callbacks that go", pcall(nginx.collector, with({}, "push_notification_config", {
      url = "https://x.example/hook", operation_id = "op",
      authentication = { schemes = { "Bearer" }, credentials = ("c"):rep(32) } })))
    note("a map with nothing in it", pcall(nginx.gateway, with({}, "map", {})))
    note("a delimiter of two bytes", pcall(nginx.gateway, with({ map = { external_id = "id", email = "mail" } },
      "delimiter", ";;")))
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /said { content_by_lua_block { ngx.print(table.concat(said, "\n"), "\n") } }
  }
]]

describe("a configuration of nginx that cannot work", function()
  it("is told at once what is wrong with it", function()
    local server = nginx.start { http = HTTP }
    local body = "\n" .. world.http("GET", server.url .. "/said").body
    server:close()
    for what, why in pairs {
      ["no dictionary to ask"] = "there is no lua_shared_dict nowhere",
      ["no dictionary of callbacks"] = "add lua_shared_dict nowhere 10m;",
      ["callbacks"] = "push_notification_config",
      ["a map with nothing in it"] = "map",
      ["a delimiter of two bytes"] = "delimiter",
    } do
      local line = body:match("\n" .. what .. ": ([^\n]*)\n")
      assert.truthy(line and line:find(why, 1, true), what .. ":\n" .. body)
      assert.is_nil(line:find "^made", body)
    end
    assert.truthy(body:find("\ncallbacks that go: made\n", 1, true), body)
  end)
end)
