--- What nginx and OpenResty are given beside the client itself (which waits there without blocking): see docs/embedding.md.
---
--- These are made while nginx reads its configuration, where a wrong one is misuse: it raises, with every problem in the message. (nginx shows
--- nothing of an error that is a table.)
local collector = require "scope3.nginx.collector"
local gateway = require "scope3.nginx.gateway"
local webhook = require "scope3.nginx.webhook"

-- Misuse has no position behind pcall(), which is no line of a file, and gets the caller's here.
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
  notified = webhook.notified,
  exit = collector.exit,
}
