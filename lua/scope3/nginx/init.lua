--- For nginx and OpenResty: a collector, a gateway for uploads, and a location for webhooks. See docs/embedding.md.
---
--- The client itself also works there, and waits without blocking. These three are made while nginx reads its
--- configuration. A wrong one raises, with every problem in the message; nginx does not show an error that is a table.
---
---     init_by_lua_block { visitors = require("scope3.nginx").collector { account_id = "25", audience = "visitors" } }
---     exit_worker_by_lua_block { require("scope3.nginx").exit() }
---     # in a location:
---     log_by_lua_block { visitors:add { external_id = ngx.var.cookie_id, email = ngx.var.arg_email } }
local collector = require "scope3.nginx.collector"
local gateway = require "scope3.nginx.gateway"
local webhook = require "scope3.nginx.webhook"

-- Now, in the master: a worker may not be able to read the files any more.
require "scope3.engine"

-- Raises errors at the caller's line. Under pcall() misuse has no position.
local function or_raise(make)
  return function(opts)
    local fine, made, err = pcall(make, opts)
    if not fine or not made then
      error(tostring(not fine and made or err), 2)
    end
    return made
  end
end

return {
  ---@type fun(opts: scope3.CollectorOptions): scope3.Collector
  collector = or_raise(collector.new),
  ---@type fun(opts: scope3.GatewayOptions): fun()
  gateway = or_raise(gateway.new),
  ---@type fun(opts: scope3.WebhookLocation): fun()
  webhook = or_raise(webhook.new),
  ---@type fun(shared: string): fun(task_id: string): boolean
  notified = webhook.notified,
  ---@type fun()
  exit = collector.exit,
}
