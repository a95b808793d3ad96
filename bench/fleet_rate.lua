-- Two commands and a worker of nginx under one rate that a real Redis holds, while that is killed, comes back, comes
-- back empty, and is away for long. It takes twelve minutes, because a place counts for 61 seconds:
--   make bench-fleet-rate
-- No minute of what the service saw may have more requests than the rate.
local core = require "scope3.core"
local most_in_a_minute = require "spec.support.minute"
local nginx = require "spec.support.nginx"
local servers = require "spec.support.redis"
local world = require "spec.support.world"

local RATE, FLEET, ROWS = 60, 3, 5000

-- What happens to Redis: after how many seconds, its name, and whether its data is gone.
local PLAN = {
  { 150, "killed" }, { 320, "back with its data" }, -- away for so long that shares begin
  { 450, "killed" }, { 453, "back and empty", empty = true },
  { 570, "killed" }, { 580, "back with its data" },
  { 720, "over" },
}

local HTTP = [[
  init_by_lua_block {
    client = require("scope3").assert(require("scope3").client { account_id = "25", api_key = "scope3_test_key",
      base_url = "%s", rate = %d, limiter = "%s?fleet=%d" })
  }
  init_worker_by_lua_block {
    ngx.timer.at(0, function()
      while not ngx.worker.exiting() do
        local _, err = client:audience "fleet1"
        if err then
          ngx.log(ngx.WARN, "audience: ", err.message)
          ngx.sleep(0.1)
        end
      end
    end)
  }
  server { listen 127.0.0.1:PORT; location = /ping { return 200 "pong"; } }
]]

local function say(...)
  print(((...)):format(select(2, ...)))
  io.stdout:flush()
end

local sandbox = world.sandbox { task_seconds = 0, rate_limit = 100000 } -- no 429 helps to keep the rate
local redis = servers.start { conf = "appendonly yes\nappendfsync always\n" }
local limiter = ("%s?fleet=%d"):format(redis.url, FLEET)

local lines = { "id,mail" }
for i = 1, ROWS do
  lines[i + 1] = ("%d,a%d@x.example"):format(i, i)
end
local rows, pids = world.file(table.concat(lines, "\n") .. "\n", ".csv"), world.path ".pids"

local began = core.now()
for i = 1, 2 do
  os.execute(("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 %s bin/scope3.in sync '%s' --audience fleet%d "
    .. "--map external_id=id --map email=mail --max-members 1 --rate %d --base-url %s --limiter '%s' --quiet "
    .. "--rejects '%s' >'%s' 2>&1 & echo $! >>'%s'"):format(os.getenv "SCOPE3_LUA_BIN", rows, i, RATE, sandbox.url,
    limiter, world.path ".rejects", world.path(".out" .. i), pids))
end
local server = nginx.start { http = HTTP:format(sandbox.url, RATE, redis.url, FLEET) }

for _, step in ipairs(PLAN) do
  while core.now() - began < step[1] do
    core.sleep(0.1)
  end
  if step[2] == "killed" then
    redis:stop "KILL"
  elseif step[2] ~= "over" then
    if step.empty then
      os.execute(("rm -rf '%s/appendonlydir'"):format(redis.folder))
    end
    redis:restart()
  end
  say("after %3.0f s: Redis %s; %d requests until now", core.now() - began, step[2], #sandbox:requests())
end
for pid in world.read(pids):gmatch "%d+" do
  os.execute("kill -TERM " .. pid)
end
server:close()

local times, kinds = {}, {}
for i, request in ipairs(sandbox:requests()) do
  times[i] = request.at
  local kind = request.kind or request.path
  kinds[kind] = (kinds[kind] or 0) + 1
end
local most = most_in_a_minute(times)
for kind, n in pairs(kinds) do
  say("  %s: %d", kind, n)
end
for from = 0, #times > 0 and times[#times] - times[1] or -1, 30 do
  local n = 0
  for _, at in ipairs(times) do
    n = n + ((at - times[1] >= from and at - times[1] < from + 30) and 1 or 0)
  end
  say("  from %3d s on, for 30 s: %d", from, n)
end
say("%d requests of %d processes; at most %d in any minute, where %d are allowed", #times, FLEET, most, RATE)
redis:close()
sandbox:close()
world.clean()
os.exit(most <= RATE and #times > RATE and 0 or 1)
