-- What a queue costs a worker of nginx: processor time to add a member alone, with a spool, and to append it to a
-- stream of Redis.   make bench-append
-- Each in a worker of its own, as in use. What a collector without a stream sends is not counted. One with a stream
-- appends by itself, when it has the members of a round: all is counted that the worker does from its last add() until
-- then, the timer and the files of rounds before that are freed meanwhile included. It is not the difference of two
-- sums: which traces LuaJIT finds is a matter of luck, of 0.5 us a member with a spool. So workers are started anew
-- several times. Files linger for less than three seconds, because rounds follow one another sooner than flushes do: a
-- handful of files is there, as usual.
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local redis = require "spec.support.redis"
local stand_in = require "bench.stand_in"
local world = require "spec.support.world"

local STARTS, ROUNDS, LINGER = tonumber(arg[1]) or 7, tonumber(arg[2]) or 25, 1
local SIZES = { 1000, 10000 } -- members of a flush

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    collector = require("scope3.nginx").collector { audience = "crm", flush_seconds = 3600, max_members = 100000000,
      %s
    }
    row = { phone = "+1 206 555 1234" }
  }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /round { content_by_lua_block {
      local n, appends = tonumber(ngx.var.arg_n), ngx.var.arg_appends
      local from = os.clock()
      for i = 1, n do
        row.external_id, row.email = ("C%%015d"):format(i), ("Some.Body%%d@Example.com"):format(i)
        assert(collector:add(row))
      end
      local added = os.clock()
      if appends then
        repeat
          ngx.sleep(0.1)
        until collector:status().held == 0
      end
      local ended = os.clock()
      if not appends then
        assert(collector:flush())
      end
      ngx.print((added - from) / n * 1e6, " ", (ended - added) / n * 1e6)
    } }
  }
]]

local service = stand_in.start(2 ^ 28)
local server = redis.start { conf = "appendonly yes\nappendfsync everysec\n" }
local SENDS = ([[flush_members = 100000, account_id = "25", api_key = "scope3_test_key", rate = 100000,
  base_url = "%s/api/v2/buyer",]]):format(service.url)

local function start(options)
  return nginx.start { http = HTTP:format(options) }
end

-- Us a member: added, and after that.
local function round(host, n, more)
  local body = world.http("GET", ("%s/round?n=%d%s"):format(host.url, n, more or "")).body
  local add, rest = body:match "^(%S+) (%S+)$"
  return assert(tonumber(add), body), tonumber(rest)
end

local function median(list)
  table.sort(list)
  return (list[math.floor((#list + 1) / 2)] + list[math.ceil((#list + 1) / 2)]) / 2
end

-- Of some rounds in turn, medians: alone, with a spool, with a stream, and appended after that.
local function measure(n)
  local folders = { world.path(), world.path() }
  os.execute("mkdir -m 700 " .. table.concat(folders, " "))
  local alone, spool = start(SENDS), start(SENDS .. ("spool = '%s'"):format(folders[1]))
  local stream = start(([[flush_members = %d, spool = '%s',
    stream = { url = "%s", queue = "bench", linger_seconds = 0.2 }]]):format(n, folders[2], server.url))
  local lists = { {}, {}, {}, {} }
  -- First for as long as a file lingers: from then on files are used again.
  local began, i = core.now(), 0
  while i < ROUNDS do
    i = core.now() - began > LINGER and i + 1 or 0
    local at = math.max(1, i)
    lists[1][at], lists[2][at] = round(alone, n), round(spool, n)
    lists[3][at], lists[4][at] = round(stream, n, "&appends=1")
  end
  for _, host in ipairs { alone, spool, stream } do
    host:close "TERM"
  end
  os.execute("rm -rf " .. table.concat(folders, " "))
  local medians = {}
  for k, list in ipairs(lists) do
    medians[k] = median(list)
  end
  return medians
end

print "us of the worker a member, medians     add   with a spool   with a stream   append"
for _, n in ipairs(SIZES) do
  local lists = { {}, {}, {}, {} }
  for i = 1, STARTS do
    for k, one in ipairs(measure(n)) do
      lists[k][i] = one
    end
  end
  local of = {}
  for k, list in ipairs(lists) do
    of[k] = ("%.2f (%.2f to %.2f)"):format(median(list), list[1], list[#list]) -- sorted by now
  end
  print(("%6d members a flush: %s"):format(n, table.concat(of, "   ")))
end
server:close()
service:close "TERM"
world.clean()
