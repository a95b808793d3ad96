-- Runs under callgrind: syncs of one member, each counted by itself.
--   sync.lua URL TIMES
local count = require "bench.costs.marks"
local scope3 = require "scope3"

local client = assert(scope3.client {
  api_key = "scope3_test_key", account_id = "25", base_url = arg[1], rate = 100000,
})

local function sync()
  local audience = assert(scope3.audience { id = "crm" })
  assert(audience:add { external_id = "x", email = "anna.smith@example.com" })
  assert(client:sync(audience))
end

for i = 1, tonumber(arg[2]) do
  count("sync " .. i, sync)
end
