--- The option `stream` of a collector: which queue of which Redis.
local link = require "scope3.fleet.link"
local options = require "scope3.util.options"
local queue = require "scope3.fleet.queue"
local url = require "scope3.redis.url"

local stream_place = {}

local MOST_BYTES = 8 * 2 ^ 20 -- of a member, or of those that no file took: Redis needs room for an entry in one piece
local LINGER = 3 -- seconds: Redis writes to its disk each second, or two where that is slow

---@class scope3.CollectorStream
---@field url string  redis://user:password@host:port/db, or rediss:// for TLS
---@field queue string  1 to 64 of A-Z a-z 0-9 . _ -
---@field ca_file? string  for rediss://
---@field linger_seconds? number  how long a file is kept after Redis has taken it (3)
local KNOWN = { url = "string", queue = "string", ca_file = "string", linger_seconds = "seconds" }

-- What only a collector that sends has a use for.
local OF_SERVICE = { "base_url", "ca_file", "rate", "push_notification_config", "on_event" }

---@class scope3.StreamPlace
---@field queue string
---@field linger_seconds number
---@field open fun(loop: scope3.Loop, cancel: fun(): boolean): scope3.OpenQueue?, scope3.Error?, string?  the third
---  warns

---@class scope3.OpenQueue
---@field connection scope3.RedisConnection
---@field queue scope3.Queue

-- A function that opens the queue. The password is only in it, where no dump shows it.
local function opener(given)
  local place = { url = given.url, ca_file = given.ca_file, queue = given.queue, client = "scope3-collector" }
  return function(loop, cancel)
    local connection, found, warning = link.open(loop, place, cancel)
    if not connection then
      return nil, found
    end
    return { connection = connection, queue = found }, nil, warning and warning.message
  end
end

--- Reads it. Misuse is blamed on the caller of the function that calls this.
---@param opts table  of the collector
---@return scope3.StreamPlace?
---@return {path: string, message: string}[] issues
function stream_place.read(opts)
  local given = options.check("scope3.nginx.collector: stream", opts.stream, KNOWN, 3)
  if opts.spool == nil then
    error("scope3.nginx.collector: stream needs spool: members wait there until Redis has them", 3)
  end
  local issues = {}
  local function note(path, message)
    issues[#issues + 1] = { path = path, message = message }
  end
  if given.url == nil then
    note("stream.url", "is missing")
  else
    local _, err = url.parse(given.url)
    for _, issue in ipairs(err and err.issues or {}) do
      note("stream.url", issue.message)
    end
  end
  local problem = queue.problem(given.queue)
  if problem then
    note("stream.queue", given.queue == nil and "is missing" or problem)
  end
  for _, name in ipairs(OF_SERVICE) do
    if opts[name] ~= nil then
      note(name, "has no effect with stream: what drains the queue sends")
    end
  end
  if (opts.max_bytes or 0) > MOST_BYTES then
    note("max_bytes", ("must be at most %d with stream"):format(MOST_BYTES))
  end
  return { queue = given.queue, linger_seconds = given.linger_seconds or LINGER, open = opener(given) }, issues
end

return stream_place
