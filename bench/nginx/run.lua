-- What the client costs an nginx worker, beside what a client over nginx's own sockets costs it.
-- make bench-nginx BENCH_PAIRS=12 Parts: latency (of a trivial location), cpu (of a sync),
-- late (a timer of a millisecond), parallel (200 at once). All run unless some are named.
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local service_of = require "bench.nginx.service"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local rounds = tonumber(os.getenv "BENCH_PAIRS") or 12
local CONNECTIONS, SYNCS, MANY = 50, 20, 200

local function say(...)
  io.write(string.format(...), "\n")
  io.flush()
end

local function median(list)
  local sorted = {}
  for i, value in ipairs(list) do
    sorted[i] = value
  end
  table.sort(sorted)
  local middle = math.floor(#sorted / 2)
  return #sorted % 2 == 1 and sorted[middle + 1] or (sorted[middle] + sorted[middle + 1]) / 2
end

local function load_average()
  return world.read("/proc/loadavg"):match("^%S+ %S+")
end

-- --- the two servers ---------------------------------------------------------------------------------------------

local certificates = tls.make "IP:127.0.0.1"
local tls_port = ports.free()
local service = nginx.start { http = service_of.http(certificates, tls_port) }
local conf = ([[
  keepalive_requests 100000000;
  lua_socket_pool_size 256;
  init_by_lua_block {
    worker = require "bench.nginx.worker"
    worker.init { port = %d, tls_port = %d, ca = "%s" }
  }
  server {
    listen 127.0.0.1:PORT backlog=1024;
    location = /ping { return 200 "pong"; }
    location = /scope3 { content_by_lua_block { worker.scope3() } }
    location = /cosocket { content_by_lua_block { worker.cosocket() } }
    location = /watch_begin { content_by_lua_block { worker.watch_begin() } }
    location = /watch_end { content_by_lua_block { worker.watch_end() } }
    location = /prepare { content_by_lua_block { worker.prepare() } }
    location = /upload { content_by_lua_block { worker.upload() } }
    location = /gateway { client_max_body_size 0; content_by_lua_block { worker.gateway() } }
    location = /parallel { content_by_lua_block { worker.parallel() } }
  }
]]):format(service.port, tls_port, certificates.ca)
local server, other = nginx.start { http = conf }, nginx.start { http = conf }
local process = server:workers()[1]

local function get(path, from)
  local reply = world.http("GET", (from or server).url .. path, nil, { timeout = 600 })
  assert(reply.status == 200, reply.body or reply.message)
  return reply.body
end

-- Starts wrk on a location; the function it gives waits for its end: requests, p50 and p99 in microseconds.
local function wrk(connections, seconds, path)
  local pipe = assert(io.popen(("wrk -t1 -c%d -d%gs --latency -s bench/nginx/wrk.lua '%s%s' 2>&1"):format(connections,
    seconds, server.url, path)))
  return function()
    local text = pipe:read("*a")
    pipe:close()
    local requests, p50, p99, errors = text:match("RESULT (%d+) (%d+) (%d+) (%d+)")
    assert(errors == "0", text)
    return tonumber(requests), tonumber(p50), tonumber(p99)
  end
end

-- CPU seconds of the worker so far.
local function cpu()
  local fields = {}
  for field in world.read(("/proc/%d/stat"):format(process)):gsub("^.*%) ", ""):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  return (tonumber(fields[12]) + tonumber(fields[13])) / 100
end

-- --- parts -------------------------------------------------------------------------------------------------------

local PART = {}

-- Each round measures the location idle, with our syncs and with cosockets', in an order that rotates.
function PART.latency()
  local KINDS = { "idle", "scope3", "cosocket" }
  local p99, ratio = { idle = {}, scope3 = {}, cosocket = {} }, { scope3 = {}, cosocket = {} }
  say("p99 of a trivial location (wrk -c%d, 2 s), idle and while %d syncs run against a service of 300 ms; load %s",
    CONNECTIONS, SYNCS,
    load_average())
  for i = 2, 3 do -- a worker that has lived for a while: LuaJIT has compiled what it will
    wrk(SYNCS, 4, "/" .. KINDS[i] .. "?delay=0")()
  end
  for round = 1, rounds do
    local here = {}
    for i = 1, 3 do
      local kind = KINDS[(round + i) % 3 + 1]
      local ended = kind ~= "idle" and wrk(SYNCS, 3, "/" .. kind .. "?delay=300")
      if ended then
        os.execute "sleep 0.7" -- until they are under way
      end
      local _, _, us = wrk(CONNECTIONS, 2, "/ping")()
      if ended then
        ended()
      end
      here[kind] = us
      table.insert(p99[kind], us)
    end
    for kind, list in pairs(ratio) do
      list[round] = here[kind] / here.idle
    end
    say("  round %2d: idle %5d us, scope3 %5d us (%.2f), cosocket %5d us (%.2f)", round, here.idle, here.scope3,
      ratio.scope3[round], here.cosocket,
      ratio.cosocket[round])
  end
  local ours, theirs = median(ratio.scope3), median(ratio.cosocket)
  say("  medians: idle %.0f us, scope3 %.0f us, cosocket %.0f us", median(p99.idle), median(p99.scope3),
    median(p99.cosocket))
  say("  median ratio to idle: scope3 %.2f (at most 1.5), cosocket %.2f, difference %+.2f (at most +0.20)", ours,
    theirs, ours - theirs)
end

-- CPU of the worker for one sync, the request that asks for it included.
function PART.cpu()
  say("CPU of the worker a sync; load %s", load_average())
  for _, case in ipairs { { 0, 20 }, { 300, 20 }, { 300, 200 } } do
    local used = { scope3 = {}, cosocket = {} }
    for _ = 1, 5 do
      for kind, list in pairs(used) do
        local before = cpu()
        local requests = wrk(case[2], 3, ("/%s?delay=%d"):format(kind, case[1]))()
        list[#list + 1] = (cpu() - before) / requests * 1e6
      end
    end
    say("  service of %3d ms, %3d at once: scope3 %4.0f us, cosocket %4.0f us", case[1], case[2], median(used.scope3),
      median(used.cosocket))
  end
end

local UPLOAD = "build/bench/upload.csv"

-- What a server does while a timer of a millisecond is watched.
local LOADS = {
  { name = "8 MB bodies over TLS", prepare = function()
    get "/prepare"
    get("/prepare", other)
  end, run = function(from, seconds)
    return get(("/upload?seconds=%d"):format(seconds), from) .. " (bodies, MB)"
  end },
  { name = "an upload of a million rows through a gateway", prepare = function()
    if not world.exists(UPLOAD) then
      os.execute((os.getenv "BENCH_LUA" or "lua5.4") .. " bench/make_data.lua 1000000 >" .. UPLOAD)
    end
  end, run = function(from)
    local out = nginx.sh(("curl -sS -X POST -H 'Content-Type: text/csv' -H 'Expect:' -T %s %s/gateway"):format(UPLOAD,
      from.url))
    return tostring(out:match '"accepted":(%d+)') .. " accepted"
  end },
}

-- Each round watches the worker idle, at work, and idle while the
-- worker of another server does the same work on the same machine.
function PART.late()
  local SECONDS, KINDS = 4, { "idle", "busy", "beside" }
  for _, one in ipairs(LOADS) do
    one.prepare()
    say("a timer of 1 ms: %d s idle, with %s (busy), and idle while another worker does that (beside); load %s",
      SECONDS, one.name, load_average())
    local late, worked, ticks = { idle = 0, busy = 0, beside = 0 }, { idle = 0, busy = 0, beside = 0 },
      { idle = 0, busy = 0, beside = 0 }
    for round = 1, rounds do
      local words = {}
      for i = 1, 3 do
        local kind = KINDS[(round + i) % 3 + 1]
        get "/watch_begin"
        local did = ""
        if kind == "idle" then
          os.execute("sleep " .. SECONDS)
        else
          did = "; " .. one.run(kind == "busy" and server or other, SECONDS)
        end
        local n, over, own, longest = get("/watch_end"):match("(%d+) (%d+) (%d+) (%S+)")
        late[kind], worked[kind], ticks[kind] = late[kind] + over, worked[kind] + own, ticks[kind] + n
        words[#words + 1] = ("%s %d over 10 ms (longest %s ms%s)"):format(kind, over, longest, did)
      end
      table.sort(words)
      say("  round %2d: %s", round, table.concat(words, ", "))
    end
    for _, kind in ipairs(KINDS) do
      say("  %-6s %d of %d ticks over 10 ms late, %d of them by the worker's own work", kind, late[kind],
        ticks[kind], worked[kind])
    end
  end
end

-- So many syncs at once, over one.
function PART.parallel()
  local RUNS = 7
  say("%d syncs at once over one, service of 300 ms, plain HTTP, one thread; median of %d; load %s", MANY,
    RUNS, load_average())
  local function report(host, one, all)
    say("  %-8s one %.3f s, %d at once %.3f s: %.2f (at most 1.20)", host, median(one), MANY, median(all),
      median(all) / median(one))
  end
  for _, host in ipairs { "cqueues", "luv" } do
    local pipe = io.popen(("%s bench/nginx/parallel.lua %s %s %d %d 2>&1"):format(os.getenv "BENCH_LUA" or "lua5.4",
      host, service.url, MANY, RUNS))
    local one, all = {}, {}
    for line in pipe:lines() do
      local a, b = line:match("^(%S+)%s+(%S+)$")
      assert(tonumber(b), line)
      one[#one + 1], all[#all + 1] = tonumber(a), tonumber(b)
    end
    pipe:close()
    report(host, one, all)
  end
  local one, all = {}, {}
  for i = 1, RUNS do
    one[i], all[i] = tonumber(get("/parallel?n=1")), tonumber(get("/parallel?n=" .. MANY))
  end
  report("nginx", one, all)
end

local ok, message = xpcall(function()
  for _, name in ipairs(#arg > 0 and arg or { "latency", "cpu", "late", "parallel" }) do
    PART[name]()
  end
  assert(server:trouble() .. other:trouble() == "", server:trouble() .. other:trouble())
end, debug.traceback)
nginx.close_all()
world.clean()
if not ok then
  io.stderr:write(message, "\n")
  os.exit(1)
end
