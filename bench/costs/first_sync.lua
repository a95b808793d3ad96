-- Runs under callgrind: a program that syncs one member and ends, counted from its start.
--   first_sync.lua URL
local scope3 = require "scope3"

local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = arg[1] })
local audience = assert(scope3.audience "crm")
assert(audience:add { external_id = "x", email = "anna.smith@example.com" })
assert(client:sync(audience))
