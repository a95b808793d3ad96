--- Collects members from requests that must not wait: they are gathered in the worker, and sent by a timer when there
--- are enough of them, or after a while.
---
--- add() hashes and touches only memory, so it may be called in any phase. Members that the service does not take wait
--- in the worker, up to a bound; then new ones are refused. With a spool they wait in mapped files instead. Another
--- worker adopts these when this one dies, before it sends anything of its own. So the last operation on an external id
--- is the last that the service gets.
local arguments = require "scope3.util.arguments"
local audience = require "scope3.audience"
local collector_worker = require "scope3.nginx.collector_worker"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local host_client = require "scope3.nginx.host_client"
local identity = require "scope3.identity"
local options = require "scope3.util.options"
local payload_pool = require "scope3.nginx.payload_pool"
local request = require "scope3.api.request"
local shutdown = require "scope3.nginx.shutdown"
local spool_name = require "scope3.nginx.spool_name"
local spool_strangers = require "scope3.nginx.spool_strangers"
local validate = require "scope3.api.validate"

local ngx = ngx

---@class scope3.Collector
local Collector = {}
Collector.__index = Collector
Collector.__name = "scope3.collector"

local collector = {}

---@class scope3.CollectorOptions
---@field audience? string|integer|scope3.AudienceMeta  of members that come without one
---@field max_audiences? integer  of how many audiences members may wait in a worker's memory, or in the file that it
---  fills (1000)
---@field account_id? string|integer  these four as in scope3.client
---@field api_key? string|fun(): string?, any
---@field base_url? string
---@field ca_file? string
---@field flush_members? integer  a request is sent when so many are there (1000, with a stream 10,000; at most 100,000)
---@field flush_seconds? number  or when the first of them has waited so long (5)
---@field max_members? integer  how many may wait in a worker's memory, those on their way included (100,000); what
---  waits in files is bounded by its bytes
---@field max_bytes? integer  of a request's body (8 MiB)
---@field max_waiting_bytes? integer  how much of memory, and as much of the spool's disk, the members that wait in a
---  worker may take (64 MiB)
---@field spool? string  a folder for what waits; it must exist, be writable by the workers, and on a disk of this
---  machine
---@field stream? scope3.CollectorStream  members are appended to a queue in Redis for `scope3 drain`, in place of being
---  sent; needs `spool`, and no account_id and api_key
---@field shared? string  a lua_shared_dict: workers share one rate, and status() speaks for all of them
---@field limiter? string  the URL of a Redis through which nginx of several machines share one rate
---@field rate? integer  requests a minute (100)
---@field exit_seconds? number  how long a worker that ends goes on sending (10)
---@field region? string  these four as in scope3.StreamOptions
---@field repair? boolean
---@field ids? "refuse"|"hash"|"as_is"
---@field phone_repairs? "all"|string[]
---@field push_notification_config? scope3.PushNotificationConfig
---@field on_event? fun(event: scope3.Event)  as in scope3.SyncOptions
local OPTIONS = options.merge(identity.options, {
  audience = "any", account_id = "id", api_key = "key", base_url = "string", ca_file = "string", rate = "count",
  stream = "table",
  flush_members = "count", flush_seconds = "seconds", max_members = "count", max_bytes = "count",
  max_waiting_bytes = "count", max_audiences = "count", spool = "string", shared = "string", exit_seconds = "seconds",
  limiter = "string",
  push_notification_config = "table", on_event = "function",
})
local MEMBER_OPTIONS = { audience = "any" }

local APPENDED = 10000 -- members that are gathered for a stream: a flush costs as much as many of them
local DEFAULTS = {
  flush_members = 1000, flush_seconds = 5, max_members = 100000, max_bytes = 8388608, max_waiting_bytes = 67108864,
  exit_seconds = 10, max_audiences = 1000,
}
-- Seconds to send in when nginx stops at once: its master kills the workers after a second.
local FAST_EXIT = 0.8
local newproxy = rawget(_G, "newproxy") -- nginx has LuaJIT or Lua 5.1, whose tables have no __gc

-- The handle that a user has of a collector. The worker does not refer to it, so the handle's end is noticed.
local function handle(worker)
  local sentinel = newproxy(true)
  getmetatable(sentinel).__gc = function()
    worker:drop()
  end
  return setmetatable({ worker = worker, sentinel = sentinel }, Collector)
end

local function append(issues, more)
  for _, issue in ipairs(more) do
    issues[#issues + 1] = issue
  end
end

-- What is wrong with the values of the options.
local function value_issues(config, default)
  local issues = {}
  -- max_members is another thing here, and may be more than a request holds.
  validate.options(issues, { max_bytes = config.max_bytes, region = config.region })
  if default then
    validate.audience(issues, default, "audience")
  end
  if config.flush_members > validate.MAX_MEMBERS then
    append(issues, { { path = "flush_members", message = ("must be at most %d"):format(validate.MAX_MEMBERS) } })
  end
  if config.push_notification_config then
    validate.push_notification_config(issues, config.push_notification_config)
  end
  return issues
end

-- The options with their defaults. The client has the key, where no dump shows it.
local function config_of(opts)
  local config = setmetatable({}, { __index = DEFAULTS })
  for key, value in entries(opts) do
    config[key] = key ~= "api_key" and key ~= "stream" and value or nil
  end
  config.flush_members = opts.flush_members or opts.stream and APPENDED or nil
  return config
end

-- What files of one collector have in their names: what goes elsewhere is not adopted.
local function name_of(default, client, stream)
  local goal = stream and "queue\0" .. stream.queue or client.account_id
  return core.sha256(goal .. "\0" .. (default and default.id or "")):sub(1, 16)
end

local function worker_of(config, default, client, dict, stream)
  local push = config.push_notification_config
  return collector_worker.new {
    config = config, audience = default, client = client, dict = dict, stream = stream,
    new_pool = function()
      return payload_pool.new(config.max_bytes, push)
    end,
    max_member = config.max_bytes - request.frame(push) - (default and request.overhead(default) or 0),
    name = name_of(default, client, stream),
  }
end

--- Makes a collector. In nginx's configuration that is done once, in init_by_lua; each worker then has its own members.
---@param opts scope3.CollectorOptions
---@return scope3.Collector?
---@return scope3.Error? err  kind "invalid": every problem at once
function collector.new(opts)
  arguments.argument(opts ~= nil, "scope3.nginx.collector", "opts", "a table", opts)
  opts = options.check("scope3.nginx.collector", opts, OPTIONS, 2)
  local default
  if opts.audience ~= nil then
    default = audience.meta("scope3.nginx.collector", opts.audience, 2)
  end
  local stream, unfit
  if opts.stream ~= nil then
    stream, unfit = require("scope3.nginx.stream_place").read(opts)
  end
  local config = config_of(opts)
  local issues = value_issues(config, default)
  local dict, undeclared = host_client.dict(config.shared, "1m")
  append(issues, { undeclared })
  local client, missing = host_client.new(opts, dict, stream and {} or { "account_id", "api_key" })
  append(issues, missing)
  append(issues, unfit or {})
  if #issues > 0 then
    return nil, errors.invalid("scope3.nginx.collector", issues)
  end
  local worker = worker_of(config, default, client, dict, stream)
  spool_strangers.know(worker.name)
  if config.spool and ngx.get_phase() == "init" then
    spool_name.begin(config.spool, worker.name)
  end
  return handle(worker)
end

---@class scope3.CollectorMemberOptions
---@field audience? string|integer|scope3.AudienceMeta  whose member it is; the collector's own
---  unless given

local function closed()
  return errors.new("closed", "the collector was closed")
end

-- The audience that came with a member. Misuse is blamed on the caller of the function that calls this.
local function given_audience(self, opts)
  local given
  if opts ~= nil then
    opts = options.check("scope3.nginx.collector", opts, MEMBER_OPTIONS, 3)
    given = opts.audience
  end
  if given ~= nil then
    local meta = audience.meta("scope3.nginx.collector", given, 3) -- no tail call: its level counts this function
    return meta
  elseif not self.worker.audience then
    error("scope3.nginx.collector: audience is missing: this collector has none of its own, so each member needs "
      .. "one", 3)
  end
end

--- Adds a member; the fields are those of audience:add(). It never waits and touches no network, so it may be called in
--- every phase.
---@param member scope3.Member
---@param opts? scope3.CollectorMemberOptions
---@return true?
---@return scope3.Error? err  kind "invalid": the member was rejected (`code` says why); "full": too many wait
---  already, and this one was refused; "closed": after close()
function Collector:add(member, opts)
  arguments.self(getmetatable(self) == Collector, "collector:add", "scope3.collector", self)
  if self.worker.closing then
    return nil, closed()
  end
  -- No tail call: misuse is blamed on the third function.
  local added, err = self.worker:put(member, given_audience(self, opts))
  return added, err
end

--- Removes a member, of which only `external_id` is used. Of an add and a removal of one id the later one counts.
---@param member scope3.Member
---@param opts? scope3.CollectorMemberOptions
---@return true?
---@return scope3.Error? err  as add()
function Collector:remove(member, opts)
  arguments.self(getmetatable(self) == Collector, "collector:remove", "scope3.collector", self)
  if self.worker.closing then
    return nil, closed()
  end
  local added, err = self.worker:put(member, given_audience(self, opts), true)
  return added, err
end

--- Begins in this worker: adopts members that dead workers left. For init_worker_by_lua; without it that is done at the
--- first member.
---@return true?
---@return scope3.Error? err  kind "closed"
function Collector:start()
  arguments.self(getmetatable(self) == Collector, "collector:start", "scope3.collector", self)
  if self.worker.closing then
    return nil, closed()
  end
  self.worker:start()
  return true
end

--- Sends what waits, and waits for that. Where nothing can wait (see scope3.nginx) it returns an error.
---
--- A timer sends: nginx drops the thread of a request whose client leaves, with everything it has under way.
---@return true?
---@return scope3.Error? err  why something still waits; with true, the last rejection for good
function Collector:flush()
  arguments.self(getmetatable(self) == Collector, "collector:flush", "scope3.collector", self)
  if self.worker.closing then
    return nil, closed()
  end
  local loop = self.worker.client.loop
  local why = loop.bar and loop.bar()
  if why then
    return nil, errors.new("cannot_wait", why)
  end
  local ok, err = self.worker:flush()
  return ok, err
end

---@class scope3.CollectorStatus
---@field held integer  members that wait, of this worker; the same of all workers in `all`
---@field refused integer  because too many waited
---@field rejected integer  because they were no members
---@field reasons table<string, integer>  of `rejected`: how many for each reason, by its key; "audience" where that was
---  none
---@field accepted integer  by the service
---@field appended integer  to the queue of `stream`
---@field rejected_by_service integer  set aside, because the service refused them
---@field failed integer  of requests that the service refused for good
---@field adopted integer  from files of workers that were no more
---@field unkept integer  that could not be written to the spool
---@field lost integer  that a worker held when it ended, and no file, or one that somebody has removed; of damaged
---  files, those that cannot be read
---@field audiences integer  of which members wait
---@field error? string  why the last request was not accepted
---@field closed? boolean  true after close(): then `held` is what stayed in the spool
---@field all? scope3.CollectorStatus  of all workers since nginx started, where there is a `shared` dict

--- The counts of the collector.
---@return scope3.CollectorStatus
function Collector:status()
  arguments.self(getmetatable(self) == Collector, "collector:status", "scope3.collector", self)
  local closing = self.worker.closing
  if closing and closing.done then
    return closing.counts or { held = 0, closed = true }
  end
  return self.worker:status()
end

--- Ends it: sends what it has, and gives back its timers, files, descriptors, memory and keys of the dict.
---
--- A timer does that, as with flush(). Members that the service does not take in time stay in the spool, for the next
--- collector of the account and audience over the same folder. Without a spool they are lost, counted, and logged.
--- Calling it again gives the same.
---@param seconds? number  for sending (`exit_seconds`)
---@return true?  everything was delivered; with "later" where nothing can wait, as in the log phase: then a timer
---  does it, and the log reports what is left
---@return scope3.Error|"later"|nil err  it is closed all the same; `err.retained` members are in the spool, `err.lost`
---  members are lost
function Collector:close(seconds)
  arguments.self(getmetatable(self) == Collector, "collector:close", "scope3.collector", self)
  arguments.argument(seconds == nil or options.is_number(seconds) and seconds >= 0, "collector:close", "seconds",
    "a number of seconds, 0 or more", seconds)
  local worker = self.worker
  local closing = worker:begin_closing(seconds)
  local phase, loop = ngx.get_phase(), worker.client.loop
  if phase == "init" or phase == "exit_worker" then
    worker:close()
  elseif not worker:close_soon() then
    return nil, errors.new("cannot_wait", "no timer can be made to close the collector: call it again")
  end
  if not closing.done and loop.bar() then
    return true, "later"
  end
  while not closing.done do
    worker:close_soon()
    loop.sleep(0.01)
  end
  return closing.ok or nil, closing.err
end

--- Sends what all collectors of a worker still have. For exit_worker_by_lua.
function collector.exit()
  shutdown.exit(FAST_EXIT)
end

return collector
