-- A collector under load while nginx is reloaded and its workers are killed, and then for a while in peace:
--   make bench-endure [RELOADS=200] [KILLS=50] [MINUTES=10]
-- With a spool every member that was acknowledged must arrive;
-- no worker may crash; and the memory of the workers must stay what it was.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local RELOADS, KILLS, MINUTES = tonumber(arg[1]) or 200, tonumber(arg[2]) or 50, tonumber(arg[3]) or 10
local CONNECTIONS, IDS, WARM = 8, 50000, 60

local HTTP = [[
  lua_shared_dict scope3 4m;
  init_by_lua_block {
    collector = require("scope3.nginx").collector {
      account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = "endured",
      rate = 100000, shared = "scope3", flush_members = 500, flush_seconds = 0.5, spool = "%s",
    }
  }
  init_worker_by_lua_block { collector:start() }
  exit_worker_by_lua_block { require("scope3.nginx").exit() }
  server {
    listen 127.0.0.1:PORT reuseport;
    keepalive_requests 1000000;
    location = /ping { return 200 "pong"; }
    location = /take { content_by_lua_block {
      local ok, err = collector:add { external_id = ngx.var.arg_id, email = ngx.var.arg_id .. "@example.com",
        phone = "+12065551234" }
      ngx.print(ok and "taken" or tostring(err))
    } }
    location = /status { content_by_lua_block { ngx.print(require("cjson").encode(collector:status())) } }
  }
]]

local sandbox = world.sandbox { task_seconds = 0 }
local folder = world.path()
os.execute("mkdir -m 700 " .. folder)
local server = nginx.start { http = HTTP:format(sandbox.url, folder), workers = 2 }

local queue, running, paused, in_peace = cqueues.new(), true, false, false
local acknowledged, count, requests, broken = {}, 0, 0, 0

-- One connection after the other, one request after the other.
local function visit()
  while running do
    local connection = socket.connect("127.0.0.1", server.port)
    connection:onerror(function(_, _, code)
      return code
    end)
    connection:setmode("b", "bf")
    while running do
      while paused do
        cqueues.sleep(0.05)
      end
      requests = requests + 1
      local id = in_peace and "m" .. requests % IDS or "k" .. requests
      connection:write(("GET /take?id=%s HTTP/1.1\r\nHost: x\r\n\r\n"):format(id))
      connection:flush()
      local length, line
      repeat
        line = connection:read "*L"
        length = line and line:match "^Content%-Length: (%d+)" or length
      until not line or line == "\r\n"
      local chunked = line and not length
      local body = line and (chunked and connection:read "*L" and connection:read "*L"
        or connection:read(tonumber(length)))
      if chunked and body then
        connection:read "*L"
        connection:read "*L"
        body = body:gsub("%s+$", "")
      end
      if body ~= "taken" then
        broken = broken + 1
        break
      elseif not acknowledged[id] then
        acknowledged[id] = true
        count = count + 1
      end
      cqueues.sleep(0.002)
    end
    connection:close()
    cqueues.sleep(0.01)
  end
end

local function resident()
  local sum = 0
  for _, pid in ipairs(server:workers()) do
    local text = world.exists(("/proc/%d/status"):format(pid)) and world.read(("/proc/%d/status"):format(pid)) or ""
    sum = sum + (tonumber(text:match "VmRSS:%s+(%d+)") or 0)
  end
  return sum
end

local function say(...)
  print(((...)):format(select(2, ...)))
  io.stdout:flush()
end

local function missing()
  local there, n = {}, 0
  for _, id in ipairs(sandbox:ids "endured") do
    there[id] = true
  end
  for id in pairs(acknowledged) do
    n = n + (there[id] and 0 or 1)
  end
  return n
end

local failed, lost = false, 0
for _ = 1, CONNECTIONS do
  queue:wrap(visit)
end
queue:wrap(function()
  local kills, every = 0, math.max(1, math.floor(RELOADS / math.max(1, KILLS)))
  for i = 1, RELOADS do
    server:signal "HUP"
    cqueues.sleep(0.25)
    if kills < KILLS and i % every == 0 then
      local workers = nginx.until_true("workers", function()
        local list = server:workers()
        return #list > 0 and list
      end)
      server:signal("KILL", workers[i % #workers + 1])
      kills = kills + 1
      cqueues.sleep(0.1)
    end
  end
  say("%d reloads and %d kills: %d requests, %d of them without an answer, %d members acknowledged", RELOADS, kills,
    requests, broken, count)
  paused = true
  cqueues.sleep(15) -- the files of the dead are looked for now and then
  local before = nginx.until_true("nothing waits", function()
    local all = world.json.decode(world.http("GET", server.url .. "/status").body).all
    return all.held == 0 and all
  end)
  lost = missing()
  say("adopted %d, lost %d; of the members acknowledged %d are missing at the service", before.adopted,
    before.lost, lost)
  paused, in_peace = false, true -- ids were each used once; now they come again and again

  local from, first = cqueues.monotime(), nil
  while cqueues.monotime() - from < WARM + MINUTES * 60 do
    cqueues.sleep(math.min(30, WARM))
    first = first or cqueues.monotime() - from >= WARM and resident() or nil
    say("  after %4.0f s: %.1f MB of %d workers, %d requests", cqueues.monotime() - from, resident() / 1024,
      #server:workers(), requests)
  end
  local last = resident()
  say("memory of the workers: %.1f MB after a minute, %.1f MB %g minutes later (%+.1f %%)", first / 1024,
    last / 1024, MINUTES,
    (last / first - 1) * 100)
  failed = failed or last > first * 1.05
  running = false
end)
assert(queue:loop())

local log = server:log()
server:close()
cqueues.sleep(1)
lost = lost + missing()
local crashed = select(2, log:gsub("exited on signal 11", ""))
say("members acknowledged %d, missing at the service %d; workers crashed %d", count, lost, crashed)
os.execute("rm -rf " .. folder)
sandbox:close()
os.exit((failed or lost > 0 or crashed > 0) and 1 or 0)
