-- What collector:add costs: microseconds a call, and processor time a request beside an empty log_by_lua. Needs wrk.
--   make bench-add
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local ROUNDS, SECONDS = tonumber(arg[1]) or 6, 2

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local function make(more)
      local opts = { account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = more.audience,
        rate = 100000, flush_members = 1000, flush_seconds = 3600, max_members = 100000000 }
      for key, value in pairs(more) do
        opts[key] = value
      end
      return require("scope3.nginx").collector(opts)
    end
    plain, shared = make { audience = "plain" }, make { audience = "shared", shared = "scope3" }
    spooled = make { audience = "spooled", spool = "%s" }
    kept = make { audience = "kept", flush_members = 100000 } -- nothing is sent while it is measured
    number = 0
  }
  server {
    listen 127.0.0.1:PORT;
    keepalive_requests 100000000;
    location = /ping { return 200 "pong"; }
    location = /empty { return 200 "x"; log_by_lua_block { } }
    location = /add {
      return 200 "x";
      log_by_lua_block {
        number = number + 1
        kept:add { external_id = number, email = "Somebody" .. number .. "@Example.com", phone = "+1 206 555 1234" }
      }
    }
    location = /time { content_by_lua_block {
      local n, rows = 100000, {}
      for i = 1, n do
        rows[i] = { external_id = "visitor-" .. i .. math.random(1e9), email = "Some.Body" .. i .. "@Example.com",
          phone = "+1 206 555 " .. string.format("%%04d", i %% 10000) }
      end
      for _, name in ipairs { "plain", "shared", "spooled", "plain", "shared", "spooled" } do
        local collector, from = _G[name], os.clock()
        for i = 1, n do
          collector:add(rows[i])
        end
        ngx.say(("  add, %%-8s %%5.2f us"):format(name, (os.clock() - from) / n * 1e6))
      end
    } }
  }
]]

local sandbox = world.sandbox { task_seconds = 0 }
local folder = world.path()
os.execute("mkdir -m 700 " .. folder)
local server = nginx.start { http = HTTP:format(sandbox.url, folder) }
io.write("processor time of a call with an email and a phone, of a hundred thousand, in LuaJIT:\n",
  world.http("GET", server.url .. "/time").body)

local worker = server:workers()[1]
local function cpu()
  local fields, i = {}, 0
  for field in world.read(("/proc/%d/stat"):format(worker)):match("%) (.*)"):gmatch "%S+" do
    i = i + 1
    fields[i] = tonumber(field)
  end
  return (fields[12] + fields[13]) / 100
end

local function run(path)
  local before = cpu()
  local out = nginx.sh(("wrk -t1 -c20 -d%ds %s%s"):format(SECONDS, server.url, path))
  local requests = tonumber(out:match "(%d+) requests in")
  return (cpu() - before) / requests * 1e6
end

local function median(list)
  table.sort(list)
  return (list[math.floor((#list + 1) / 2)] + list[math.ceil((#list + 1) / 2)]) / 2
end

run "/empty"
run "/add"
local empty, with, more = {}, {}, {}
for i = 1, ROUNDS do
  empty[i], with[i] = run "/empty", run "/add"
  more[i] = with[i] - empty[i]
end
print(("processor time of the worker a request, median of %d interleaved pairs: empty log_by_lua %.2f us, "
  .. "with add %.2f us: %.2f us more"):format(
  ROUNDS, median(empty), median(with), median(more)))
server:close "TERM"
os.execute("rm -rf " .. folder)
sandbox:close()
