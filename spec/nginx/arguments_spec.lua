-- Misuse in a configuration of nginx is reported at its line, with the option and the types, and without a value.
if not require("spec.support.nginx").here() then
  return
end

local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    said = {}
    local nginx = require "scope3.nginx"
    local GOOD = {
      collector = { account_id = "25", api_key = "scope3_k", base_url = "http://127.0.0.1:9", audience = "a" },
      gateway = { account_id = "25", api_key = "scope3_k", base_url = "http://127.0.0.1:9", audience = "a", map = { external_id = "id", email = "mail" } },
      webhook = { mode = "bearer", credentials = ("c"):rep(32), shared = "scope3", on_payload = print },
    }
    local line
    local function make(name, opts)
      line = debug.getinfo(1, "l").currentline + 1
      local made = nginx[name](opts)
      return made
    end
    local function try(name, opts, ...)
      local ok, why = pcall(make, name, opts)
      why = tostring(why)
      local fine = not ok and why:find("init_by_lua[^ ]*:" .. line .. ": scope3.nginx." .. name .. ": ") ~= nil and not why:find("some text", 1, true)
      for i = 1, select("#", ...) do
        fine = fine and why:find((select(i, ...)), 1, true) ~= nil
      end
      said[#said + 1] = (fine and "fine " or "wrong ") .. name .. " " .. why:gsub("\n", " ")
    end
    local function with(name, key, value)
      local opts = {}
      for k, v in pairs(GOOD[name]) do
        opts[k] = v
      end
      opts[key] = value
      return opts
    end
    local VALUES = { true, 7.5, "some text", print, coroutine.create(print), io.stdout, 0 / 0, -1 / 0, setmetatable({}, {}) }
    local KINDS = {
      account_id = "string", api_key = "string", base_url = "string", ca_file = "string", shared = "string", on_event = "function",
      flush_members = "count", flush_seconds = "seconds", max_members = "count", max_bytes = "count", rate = "count", spool = "string",
      exit_seconds = "seconds", region = "string", repair = "boolean", push_notification_config = "table",
      read_timeout = "seconds", map = "table", member = "function", token = "string", origin = "string", revoked = "function", now = "function",
      secrets = "table", max_skew = "seconds", on_payload = "function", concurrency = "count",
    }
    local OF = {
      collector = "account_id api_key base_url ca_file shared on_event flush_members flush_seconds "
        .. "max_members max_bytes rate spool exit_seconds region repair push_notification_config",
      gateway = "account_id api_key base_url ca_file shared on_event max_members max_bytes rate region repair read_timeout map member concurrency",
      webhook = "shared on_payload token origin revoked now secrets max_skew",
    }
    for name in pairs(GOOD) do
      for key in OF[name]:gmatch("%S+") do
        for _, value in ipairs(VALUES) do
          local kind = type(value)
          local right = kind == KINDS[key] or key == "api_key" and kind == "function" or KINDS[key] == "seconds" and kind == "number" and value >= 0
          if not right then
            try(name, with(name, key, value), key)
          end
        end
      end
      for _, value in ipairs { 5, true, print, "some text" } do
        try(name, value)
      end
      try(name, nil)
      try(name, with(name, "acount_id", "x"), "unknown option 'acount_id'")
      try(name, with(name, "some text", "x"), "unknown option")
    end
    for _, name in ipairs { "collector", "gateway" } do
      for _, value in ipairs { 5.5, true, -1, { id = 1.5 }, { nane = "x" }, require("scope3").audience { id = "a" } } do
        try(name, with(name, "audience", value), "audience")
      end
    end
    for _, value in ipairs { 5, true, {}, print } do
      try("notified", value, "shared must be a string")
    end
    subscribers = nginx.collector(GOOD.collector)
    numbered = nginx.collector(with("collector", "audience", 25))
    local function call(method, self, ...)
      line = debug.getinfo(1, "l").currentline + 1
      local done = subscribers[method](self, ...)
      return done
    end
    for _, method in ipairs { "add", "remove", "start", "flush", "status" } do
      for _, value in ipairs { 5, "x", {}, print } do
        local ok, why = pcall(call, method, value)
        said[#said + 1] = (not ok and why:find("init_by_lua[^ ]*:" .. line .. ": collector:" .. method .. ": ") and "fine " or "wrong ") .. tostring(why)
      end
    end
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /said { content_by_lua_block { ngx.print(table.concat(said, "\n")) } }
  }
]]

describe("misuse of nginx's side", function()
  it("raises at the configuration's line, and names the function, the option and the type", function()
    local server = nginx.start { http = HTTP }
    local body = world.http("GET", server.url .. "/said").body
    server:close()
    local n = 0
    for line in body:gmatch("[^\n]+") do
      n = n + 1
      assert.truthy(line:find "^fine ", line)
    end
    assert.is_true(n > 250, n)
  end)
end)
