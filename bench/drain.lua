-- What a queue costs: memory of a real Redis for each member that waits, and of one core the members that a drain sends
-- a second, to a service that does nothing.   make bench-drain
--   lua bench/drain.lua 1000000 1,10,100,2000 1000000    (members, members an entry, members of the longest queue)
-- The processor time is this process's own: Redis and the service have others. Of entries of one member a tenth of the
-- members is drained.
local members, longest = tonumber(arg[1]) or 1000000, tonumber(arg[3]) or 1000000
local sizes = arg[2] or "1,10,100,2000"

local checks = require "scope3.fleet.checks"
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local scope3 = require "scope3"
local stand_in = require "bench.stand_in"
local world = require "spec.support.world"

local ROUNDS = 3
local FILE = "0123456789abcdef-1796083007981189-1796083007936821-4711-6038393378598692." -- a name as a spool gives

local server, service = redis.start { conf = "appendonly yes\nappendfsync everysec\n" }, stand_in.start(2 ^ 28)
local connection = server:open()
local q = queue.new(connection, "bench", assert(checks.look(connection)).run)
local client = assert(scope3.client { api_key = "scope3_bench", account_id = "25", rate = 100000000,
  base_url = service.url .. "/api/v2/buyer" })

local function used()
  return tonumber(assert(connection:call("INFO", "memory")):match "used_memory:(%d+)")
end

-- Memory of this process: its peak since the last call.
local function peak()
  local kilobytes = tonumber(world.read("/proc/self/status"):match "VmHWM:%s*(%d+)")
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write "5"
  file:close()
  return kilobytes / 1024
end

-- Members as a collector appends them: ids of 16 bytes, one email and one phone each.
local runs = 0
local function fill(n, each)
  runs = runs + 1
  for first = 1, n, each do
    local lines = { '@{"audienceId":"crm"}' }
    for i = first, first + each - 1 do
      lines[#lines + 1] = ('+{"externalId":"C%015d","hashedEmail":"%s","hashedPhone":"%s"}'):format(i,
        core.sha256("e" .. i), core.sha256("p" .. i))
    end
    assert(q:append(FILE .. runs .. "." .. first, each, packed_lines.of(lines)))
  end
end

local function drain()
  assert(q:release("x", assert(q:lease("x", 30)).epoch))
  collectgarbage()
  collectgarbage()
  peak()
  local clock = os.clock()
  local res = assert(client:drain { redis = server.url, queue = "bench", once = true })
  assert(q:figures().entries == 0)
  return res.members / (os.clock() - clock), peak()
end

print "members an entry   of Redis, MB a million members   members a second of processor time, the best of three"
for each in sizes:gmatch "%d+" do
  each = tonumber(each)
  local n = math.floor((each > 1 and members or members / 10) / each) * each
  local best, bytes = 0, nil
  for _ = 1, ROUNDS do
    local before = used()
    fill(n, each)
    bytes = bytes or used() - before
    best = math.max(best, (drain()))
  end
  print(("%16d %32.0f %54.0f"):format(each, bytes / n, best))
end
print "\nmembers that wait   peak of the drain, MB"
for _, n in ipairs { 2000, longest / 10, longest } do
  n = math.ceil(n / 2000) * 2000
  fill(n, 2000)
  print(("%17d %23.1f"):format(n, select(2, drain())))
end
connection:close()
server:close()
service:close "TERM"
world.clean()
