-- What a drain costs: members a second of one core, from a real Redis to a service that does nothing.
--   lua bench/drain.lua 1000000 1000        (members, members an entry)
-- The processor time is this process's own: Redis and the service have others.
local members, each = tonumber(arg[1]) or 1000000, tonumber(arg[2]) or 1000

local checks = require "scope3.fleet.checks"
local core = require "scope3.core"
local entry = require "scope3.fleet.entry"
local queue = require "scope3.fleet.queue"
local redis = require "spec.support.redis"
local scope3 = require "scope3"
local stand_in = require "bench.stand_in"
local world = require "spec.support.world"

local ROUNDS = 3

local function text_of(first)
  local payload, lines = core.payload { max_members = each, max_bytes = 2 ^ 26 }, {}
  for i = 1, each do
    lines[i] = ('+{"externalId":"C%d","hashedEmail":"%s","hashedPhone":"%s"},\n'):format(first + i,
      core.sha256("e" .. first + i), core.sha256("p" .. first + i))
  end
  payload:take(table.concat(lines), 1)
  return entry.write { { audience = { id = "crm" }, payload = payload } }
end

local server, service = redis.start { conf = "appendonly yes\nappendfsync everysec\n" }, stand_in.start(2 ^ 28)
local connection = server:open()
local q = queue.new(connection, "bench", assert(checks.look(connection)).run)
local client = assert(scope3.client { api_key = "scope3_bench", account_id = "25", rate = 100000000,
  base_url = service.url .. "/api/v2/buyer" })

local texts = {}
for i = 1, members / each do
  texts[i] = text_of(i * each)
end
for round = 1, ROUNDS do
  for i = 1, members / each do
    assert(q:append(round .. "." .. i, each, texts[i]))
  end
  assert(q:release("x", assert(q:lease("x", 30)).epoch))
  local began, clock = core.now(), os.clock()
  local res = assert(client:drain { redis = server.url, queue = "bench", once = true })
  local seconds, cpu = core.now() - began, os.clock() - clock
  print(("%d members, %d an entry: %.2f s, %.2f s of processor, %.0f members a second of it, %d requests"):format(
    res.members, each, seconds, cpu, res.members / cpu, res.requests))
  assert(res.members == members / each * each and q:figures().entries == 0)
end
server:close()
service:close "TERM"
world.clean()
