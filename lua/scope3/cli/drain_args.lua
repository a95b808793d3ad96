--- The options of `scope3 drain`, and those that contradict each other.
local core = require "scope3.core"

local drain_args = {}

--- Adds the options.
---@param command table  of argparse
function drain_args.add(command)
  command:option("--redis",
    "The Redis or Valkey that has the queue: redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// for TLS; a password "
    .. "belongs into SCOPE3_REDIS_URL, which no list of processes shows."):argname("URL")
  command:option("--redis-ca-file", "CA certificates to trust for it instead of the system's."):argname("FILE")
  command:option("--queue", "The name of the queue."):argname("NAME")
  command:flag("--once", "End when the queue is empty.")
  command:option("--lease", "Seconds for which one drainer has the queue to itself; after a crash the next one begins "
    .. "within two of them (30)."):argname("SECONDS"):convert(tonumber)
  command:option("--every", "Seconds between two looks into a queue that was empty (5)."):argname("SECONDS")
    :convert(tonumber)
  command:option("--max-members", "Members a request (100000)."):argname("N"):convert(tonumber)
  command:option("--max-bytes", "Bytes of a request's body, at most (8388608)."):argname("N"):convert(tonumber)
  command:option("--timeout", "Seconds for one request (60, and 1 for each 100 kB), within the lease.")
    :argname("SECONDS"):convert(tonumber)
  command:option("--metrics",
    "Write what waits and what went into FILE (*.prom) now and then, for node_exporter's textfile collector.")
    :argname("FILE")
end

--- The URL: an argument, or the environment.
---@param args table
---@return string?
function drain_args.url(args)
  local from_environment = os.getenv "SCOPE3_REDIS_URL"
  return args.redis or from_environment ~= "" and from_environment or nil
end

--- What is wrong with the arguments, or nil.
---@param args table
---@return string?
function drain_args.problem(args)
  if args.sandbox then
    return "--sandbox has no effect on drain: what a queue holds is for a service that stays"
  elseif not drain_args.url(args) then
    return "--redis is missing: the URL of the Redis that has the queue (or SCOPE3_REDIS_URL)"
  elseif not args.queue then
    return "--queue is missing: the name of the queue"
  elseif args.events == "-" and args.json then
    return "--events - has no effect with --json: standard output takes the one or the other"
  elseif args.metrics and not args.metrics:find "[^/]%.prom$" then
    return "--metrics takes the name of a file that ends in .prom: node_exporter reads no others"
  elseif args.metrics and core.file_kind(args.metrics) == "fifo" then
    return "--metrics takes the name of a file"
  end
end

return drain_args
