--- What nginx and OpenResty are given beside the client itself (which waits there without blocking): see docs/embedding.md.
local collector = require "scope3.nginx.collector"
local gateway = require "scope3.nginx.gateway"
local webhook = require "scope3.nginx.webhook"

return {
  collector = collector.new,
  gateway = gateway.new,
  webhook = webhook.new,
  notified = webhook.notified,
  exit = collector.exit,
}
