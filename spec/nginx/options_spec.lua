-- Options without effect, in a real nginx: they keep it from starting, as every misuse does.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local SECRET = ("s"):rep(32)
    said = {}
    local function try(kind, opts)
      local ok, why = pcall(function() local _ = require("scope3.nginx")[kind](opts) end)
      said[#said + 1] = tostring(ok) .. " " .. tostring(why)
    end
    local function gateway(more)
      local opts = { account_id = "25", api_key = "scope3_k", base_url = "http://127.0.0.1:9", audience = "a", map = { external_id = "id", email = "mail" } }
      for key, value in pairs(more) do
        opts[key] = value
      end
      try("gateway", opts)
    end
    gateway { region = "US", ids = "as_is" }
    gateway { phone_repairs = "all" }
    gateway { mode = "remove", phone_repairs = "all" }
    gateway { format = "jsonl", delimiter = ";" }
    gateway { format = "jsonl", header = true }
    local function webhook(opts)
      opts.shared, opts.on_payload = "scope3", print
      try("webhook", opts)
    end
    webhook { mode = "hmac", secrets = { SECRET }, origin = "https://hooks.example.com" }
    webhook { mode = "hmac", secrets = { SECRET }, credentials = SECRET }
    webhook { mode = "bearer", credentials = SECRET, max_skew = 5 }
    gateway { repair = false, delimiter = ";", header = true }
    webhook { mode = "rfc9421", keys = {}, origin = "https://hooks.example.com" }
    webhook { mode = "bearer", credentials = SECRET, horizon = 3600 }
    webhook { mode = "bearer", credentials = SECRET, horizon = 7 * 86400 }
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /said { content_by_lua_block { ngx.print(table.concat(said, "\n")) } }
  }
]]

describe("options of nginx", function()
  it("that would have no effect raise, and those that have one do not", function()
    local server = nginx.start { http = HTTP }
    local body = world.http("GET", server.url .. "/said").body
    server:close()
    local lines = {}
    for line in body:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.equal(12, #lines, body)
    assert.truthy(table.remove(lines, 11):find("^false .*horizon must be 86400 to 604800 seconds"))
    for i, line in ipairs(lines) do
      assert.equal(i <= 8, line:find("^false .*has no effect") ~= nil, line)
      assert.equal(i > 8, line:find("^true ") ~= nil, line)
    end
    world.clean()
  end)
end)
