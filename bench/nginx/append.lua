-- What a queue costs a worker of nginx: processor time to add a member alone, with a spool, and with a spool that is
-- appended to a stream of Redis.   make bench-append
-- All three in turns, in one worker. What a collector without a stream sends is not counted. One with a stream appends
-- by itself, when it has the members of a round, as in use. All that the worker does until that is over is counted: the
-- timer, and the files of rounds before that are freed then. Files linger for less than three seconds, because rounds
-- follow one another sooner than flushes do: a handful of files is there, as usual.
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local redis = require "spec.support.redis"
local stand_in = require "bench.stand_in"
local world = require "spec.support.world"

local ROUNDS, LINGER = tonumber(arg[1]) or 100, 1
local SIZES = { 1000, 10000 } -- members of a flush

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local function make(more)
      local opts = { audience = "crm", flush_members = 100000, flush_seconds = 3600, max_members = 100000000 }
      for key, value in pairs(more) do
        opts[key] = value
      end
      if not opts.stream then
        opts.account_id, opts.api_key, opts.base_url, opts.rate = "25", "scope3_test_key", "%s/api/v2/buyer", 100000
      end
      return require("scope3.nginx").collector(opts)
    end
    alone, spool = make {}, make { spool = "%s" }
    stream = {}
    for _, n in ipairs { %s } do
      stream[n] = make { spool = "%s", flush_members = n,
        stream = { url = "%s", queue = "bench" .. n, linger_seconds = 0.2 } }
    end
    row = { phone = "+1 206 555 1234" }
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /pid { content_by_lua_block { ngx.print(ngx.worker.pid()) } }
    location = /round { content_by_lua_block {
      local n = tonumber(ngx.var.arg_n)
      for _, collector in ipairs { alone, spool, stream[n] } do
        local from = os.clock()
        for i = 1, n do
          row.external_id, row.email = ("C%%015d"):format(i), ("Some.Body%%d@Example.com"):format(i)
          assert(collector:add(row))
        end
        local added, ended = os.clock(), nil
        if collector == stream[n] then
          repeat
            ngx.sleep(0.1)
            ended = os.clock()
          until collector:status().held == 0
        else
          assert(collector:flush())
          ended = os.clock()
        end
        ngx.print(("%%.9f %%.9f "):format((added - from) / n * 1e6, (ended - added) / n * 1e6))
      end
    } }
  }
]]

local service = stand_in.start(2 ^ 28)
local server = redis.start { conf = "appendonly yes\nappendfsync everysec\n" }
local folders = { world.path(), world.path() }
os.execute("mkdir -m 700 " .. table.concat(folders, " "))
local host = nginx.start { http = HTTP:format(service.url, folders[1], table.concat(SIZES, ", "), folders[2],
  server.url) }

local function median(list)
  table.sort(list)
  return (list[math.floor((#list + 1) / 2)] + list[math.ceil((#list + 1) / 2)]) / 2
end

print("us of the worker a member, medians                add   and spool, beyond   and append, beyond   in all")
for _, n in ipairs(SIZES) do
  local add, spooled, appended, all = {}, {}, {}, {}
  -- First for as long as a file lingers: from then on files are used again.
  local began, i = core.now(), 0
  while i < ROUNDS do
    i = core.now() - began > LINGER and i + 1 or 0
    local figures = {}
    for figure in world.http("GET", ("%s/round?n=%d"):format(host.url, n)).body:gmatch "%S+" do
      figures[#figures + 1] = tonumber(figure)
    end
    assert(#figures == 6, host:log():sub(-2000))
    if i > 0 then
      add[i], spooled[i], appended[i] = figures[1], figures[3] - figures[1], figures[5] + figures[6] - figures[3]
      all[i] = spooled[i] + appended[i]
    end
  end
  print(("%6d members a flush                     %8.2f            %8.2f             %8.2f %8.2f"):format(n,
    median(add), median(spooled), median(appended), median(all)))
end
host:close "TERM"
server:close()
service:close "TERM"
os.execute("rm -rf " .. table.concat(folders, " "))
world.clean()
