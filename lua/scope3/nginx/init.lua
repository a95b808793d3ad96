--- What nginx and OpenResty are given beside the client itself (which waits there without blocking): see docs/embedding.md.
local collector = require "scope3.nginx.collector"
local gateway = require "scope3.nginx.gateway"

return {
  collector = collector.new,
  gateway = gateway.new,
  exit = collector.exit,
}
