-- Builds an audience in memory, sends it, and waits until the service has matched it.
--   SCOPE3_API_KEY=… SCOPE3_ACCOUNT_ID=25 lua examples/sync.lua
local scope3 = require "scope3"

local client = scope3.assert(scope3.client {})
local vips = scope3.assert(scope3.audience { id = "vips", name = "VIPs", consent_basis = "consent" })

scope3.assert(vips:add { external_id = "4711", email = " Jane.Doe@Example.com ", phone = "+1 (206) 555-0142" })
scope3.assert(vips:add { external_id = "4712", uids = {
  { type = "uid2", value = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=" },
} })
scope3.assert(vips:remove { external_id = "4713" })

local result = scope3.assert(client:sync(vips))
scope3.assert(result:wait { timeout = 3600 })
print(result.accepted .. " members accepted, audience " .. result.audience.status)
