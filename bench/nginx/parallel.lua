-- So many syncs at once in one thread, in cqueues or luv:
-- prints the seconds of one, and of all together, several times.
--   lua bench/nginx/parallel.lua cqueues http://127.0.0.1:PORT 200 5
local host, url, n, runs = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local core = require "scope3.core"
local scope3 = require "scope3"

local client = assert(scope3.client {
  api_key = "scope3_key", account_id = "300", base_url = url, rate = 100000, loop = host,
})

local function sync()
  local audience = assert(scope3.audience { id = "crm" })
  assert(audience:add { external_id = "customer-000001", email = "customer000001@example.com", phone = "+12065550001" })
  assert(client:sync(audience))
end

local RUN = {}

function RUN.cqueues(count)
  local queue = require("cqueues").new()
  for _ = 1, count do
    queue:wrap(sync)
  end
  assert(queue:loop())
end

function RUN.luv(count)
  for _ = 1, count do
    coroutine.wrap(sync)()
  end
  require("luv").run()
end

local function seconds(count)
  local started = core.now()
  RUN[host](count)
  return core.now() - started
end

for _ = 1, runs do
  print(seconds(1), seconds(n))
end
