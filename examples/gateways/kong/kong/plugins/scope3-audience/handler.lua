-- A plugin of Kong (3.x): visitors of a service or route become members of an audience.
local members = require "scope3_members"

local ngx = ngx

local Plugin = { PRIORITY = 9, VERSION = "0.1.0" } -- after the plugins that know who a consumer is

-- Kong gives all configurations of this plugin whenever one has changed, or nil where there are none.
function Plugin:configure(configurations) -- luacheck: ignore 212
  members.keep_only(configurations or {})
end

function Plugin:log(conf) -- luacheck: ignore 212
  members.add(conf, ngx.var)
end

return Plugin
