--- A collector of members from requests that must not wait: gathered in the worker, and sent by a timer when there
--- are enough of them, or after a while.
---
--- add() hashes and touches nothing but memory, so it may be called in any phase. What the service does not take waits in the worker, up to a bound;
--- over it the newest are refused. With a spool members are in a mapped file too, from which a later worker takes them when this one dies, before it
--- sends anything of its own: so the last operation on an external id is the last that the service gets.
local audience_of = require "scope3.audience"
local client_of = require "scope3.client"
local core = require "scope3.core"
local door = require "scope3.util.arguments"
local ending = require "scope3.nginx.ending"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local lanes = require "scope3.nginx.lanes"
local limiter = require "scope3.http.limiter"
local options = require "scope3.util.options"
local request = require "scope3.api.request"
local rules = require "scope3.api.validate"
local works_of = require "scope3.nginx.works"

local ngx = ngx

---@class scope3.Collector
local Collector = {}
Collector.__index = Collector
Collector.__name = "scope3.collector"

local collector = {}

---@class scope3.CollectorOptions
---@field audience? string|integer|scope3.AudienceMeta  of members that come without one
---@field max_audiences? integer  of how many audiences members may wait in a worker (1000)
---@field account_id? string|integer  these four as in scope3.client
---@field api_key? string|fun(): string?, any
---@field base_url? string
---@field ca_file? string
---@field flush_members? integer  a request is sent when so many are there (1000, at most 100,000)
---@field flush_seconds? number  or when the first of them has waited so long (5)
---@field max_members? integer  how many may wait in a worker, those on their way included (100,000)
---@field max_bytes? integer  of a request's body (8 MiB)
---@field max_waiting_bytes? integer  how much of memory, and as much of the spool's disk, what waits in a worker may take (64 MiB)
---@field spool? string  a folder for what waits; it must exist, be writable by the workers and on a disk of this machine
---@field shared? string  a lua_shared_dict: workers share one rate, and status() speaks for all of them
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
  flush_members = "count", flush_seconds = "seconds", max_members = "count", max_bytes = "count", max_waiting_bytes = "count",
  max_audiences = "count", spool = "string", shared = "string", exit_seconds = "seconds",
  push_notification_config = "table", on_event = "function",
})
local MEMBER_OPTIONS = { audience = "any" }

local DEFAULTS = { flush_members = 1000, flush_seconds = 5, max_members = 100000, max_bytes = 8388608, max_waiting_bytes = 67108864,
  exit_seconds = 10, max_audiences = 1000 }
local AT_ONCE = 0.8 -- seconds to send in when nginx was told to stop at once: its master kills after a second
local newproxy = rawget(_G, "newproxy") -- nginx has LuaJIT or Lua 5.1, whose tables have no __gc

-- What a user has of a collector. The works do not refer to it, so it is known when nobody has it any more.
local function handle(works)
  local sentinel = newproxy(true)
  getmetatable(sentinel).__gc = function()
    works:drop()
  end
  return setmetatable({ works = works, sentinel = sentinel }, Collector)
end

--- Makes a collector. In nginx's configuration that is done once, in init_by_lua; each worker then has its own members.
---@param opts scope3.CollectorOptions
---@return scope3.Collector?
---@return scope3.Error? err  kind "invalid": every problem at once
function collector.new(opts)
  door.argument(opts ~= nil, "scope3.nginx.collector", "opts", "a table", opts)
  opts = options.check("scope3.nginx.collector", opts, OPTIONS, 2)
  local audience = opts.audience ~= nil and audience_of.meta("scope3.nginx.collector", opts.audience, 2) or nil
  local issues = {}
  local config = setmetatable({}, { __index = DEFAULTS })
  for key, value in pairs(opts) do
    config[key] = key ~= "api_key" and value or nil -- the client has it, where no dump shows it
  end
  rules.options(issues, { -- max_members is another thing here, and may be more than a request holds
    max_bytes = config.max_bytes, region = config.region,
  })
  if audience then
    rules.audience(issues, audience, "audience")
  end
  if config.flush_members > rules.MAX_MEMBERS then
    issues[#issues + 1] = { path = "flush_members", message = ("must be at most %d"):format(rules.MAX_MEMBERS) }
  end
  if config.push_notification_config then
    rules.push_notification_config(issues, config.push_notification_config)
  end
  local dict
  if config.shared then
    dict = ngx.shared[config.shared]
    if not dict then
      issues[#issues + 1] = { path = "shared", message = "is not declared: add lua_shared_dict " .. config.shared .. " 1m; to the http block" }
    end
  end
  local client, err = client_of.new {
    account_id = opts.account_id, api_key = opts.api_key, base_url = opts.base_url, ca_file = opts.ca_file, rate = opts.rate,
    limiter = dict and limiter.new(dict) or nil, on_event = opts.on_event,
  }
  for _, issue in ipairs(err and err.issues or {}) do
    issues[#issues + 1] = issue
  end
  if client and not client.account_id then
    issues[#issues + 1] = { path = "account_id", message = "is missing: give it, or set SCOPE3_ACCOUNT_ID" }
  end
  if client and not client.has_key then
    issues[#issues + 1] = { path = "api_key", message = "is missing: give it, or set SCOPE3_API_KEY (nginx needs `env SCOPE3_API_KEY;` for that)" }
  end
  if #issues > 0 then
    return nil, errors.invalid("scope3.nginx.collector", issues)
  end
  local push = config.push_notification_config
  return handle(works_of.new {
    config = config, audience = audience, client = client, dict = dict,
    pool = function()
      return lanes.pool(config.max_bytes, push)
    end,
    max_member = config.max_bytes - request.frame(push) - (audience and request.overhead(audience) or 0),
    name = core.sha256(client.account_id .. "\0" .. (audience and audience.id or "")):sub(1, 16),
  })
end

---@class scope3.CollectorMemberOptions
---@field audience? string|integer|scope3.AudienceMeta  whose member it is; the collector's own
---  unless given

-- Why nothing can be done any more.
local function closed()
  return errors.new("closed", "the collector was closed")
end

-- The audience that came with a member; misuse is blamed on whoever called the function that calls this.
local function given_audience(self, opts)
  local audience
  if opts ~= nil then
    opts = options.check("scope3.nginx.collector", opts, MEMBER_OPTIONS, 3)
    audience = opts.audience
  end
  if audience ~= nil then
    local meta = audience_of.meta("scope3.nginx.collector", audience, 3) -- no tail call: its level counts this function
    return meta
  elseif not self.works.audience then
    error("scope3.nginx.collector: audience is missing: this collector has none of its own, so each member needs "
      .. "one", 3)
  end
end

--- Adds a member; the fields are those of audience:add(). Never waits and touches no network, so it may be called in every phase.
---@param member scope3.Member
---@param opts? scope3.CollectorMemberOptions
---@return true?
---@return scope3.Error? err  kind "invalid": the member was rejected (`code` says why); "full": too many wait
---  already, and this one was refused; "closed": after close()
function Collector:add(member, opts)
  door.self(getmetatable(self) == Collector, "collector:add", "scope3.collector", self)
  if self.works.closing then
    return nil, closed()
  end
  -- No tail call: misuse is blamed on the third function.
  local added, err = self.works:put(member, given_audience(self, opts))
  return added, err
end

--- Removes a member, of which only `external_id` is looked at. As add(); of an add and a removal of one id the later one counts.
---@param member scope3.Member
---@param opts? scope3.CollectorMemberOptions
---@return true?
---@return scope3.Error? err  as add()
function Collector:remove(member, opts)
  door.self(getmetatable(self) == Collector, "collector:remove", "scope3.collector", self)
  if self.works.closing then
    return nil, closed()
  end
  local added, err = self.works:put(member, given_audience(self, opts), true)
  return added, err
end

--- Begins in this worker: looks for members that dead workers left. For init_worker_by_lua; without it that is done at the first member.
---@return true?
---@return scope3.Error? err  kind "closed"
function Collector:start()
  door.self(getmetatable(self) == Collector, "collector:start", "scope3.collector", self)
  if self.works.closing then
    return nil, closed()
  end
  self.works:start()
  return true
end

--- Has sent what waits, now, and waits for that. A timer sends: nginx drops the thread of a request whose client leaves, and would drop what that had
--- under way. Where nothing can wait (see scope3.nginx) it returns an error.
---@return true?
---@return scope3.Error? err  why something still waits; beside true, the last rejection for good
function Collector:flush()
  door.self(getmetatable(self) == Collector, "collector:flush", "scope3.collector", self)
  if self.works.closing then
    return nil, closed()
  end
  local loop = self.works.client.loop
  local why = loop.bar and loop.bar()
  if why then
    return nil, errors.new("cannot_wait", why)
  end
  local ok, err = self.works:flush()
  return ok, err
end

---@class scope3.CollectorStatus
---@field held integer  members that wait, of this worker; the same of all workers in `all`
---@field refused integer  because too many waited
---@field rejected integer  because they were no members
---@field reasons table<string, integer>  of `rejected`: how many for each reason, by its key; "audience" where that was
---  none
---@field accepted integer  by the service
---@field rejected_by_service integer  set aside, because the service refused them
---@field failed integer  of requests that the service refused for good
---@field adopted integer  from files of workers that were no more
---@field unkept integer  that could not be written to the spool
---@field lost integer  that a worker held when it ended, and no file; of damaged files, those that cannot be read
---@field audiences integer  of which members wait
---@field error? string  why the last request was not accepted
---@field closed? boolean  true after close(): then `held` is what stayed in the spool
---@field all? scope3.CollectorStatus  of all workers since nginx started, where there is a `shared` dict

--- What it has and what became of it.
---@return scope3.CollectorStatus
function Collector:status()
  door.self(getmetatable(self) == Collector, "collector:status", "scope3.collector", self)
  local closing = self.works.closing
  if closing and closing.done then
    return closing.counts or { held = 0, closed = true }
  end
  return self.works:status()
end

--- Ends it: sends what it has, and gives back its timers, files, descriptors, memory and keys of the dictionary. A
--- timer does that, as with flush(). What
--- the service does not take in time stays in the spool, for the next collector of the account and audience over the
--- same folder; without a spool it is lost,
--- counted, and the log says so. Calling it again gives the same.
---@param seconds? number  for sending (`exit_seconds`)
---@return true?  everything was delivered; with "later" where nothing can wait, as in the log phase: then a timer
---  does it, and the log tells of what is left
---@return scope3.Error|"later"|nil err  it is closed all the same; `err.retained` members are in the spool, `err.lost`
---  members are lost
function Collector:close(seconds)
  door.self(getmetatable(self) == Collector, "collector:close", "scope3.collector", self)
  door.argument(seconds == nil or options.is_number(seconds) and seconds >= 0, "collector:close", "seconds",
    "a number of seconds, 0 or more", seconds)
  local works = self.works
  local closing = works.closing or { seconds = seconds or works.config.exit_seconds }
  works.closing = closing
  local phase, loop = ngx.get_phase(), works.client.loop
  if phase == "init" or phase == "exit_worker" then
    ending.shut(works)
  elseif not works:close_soon() then
    return nil, errors.new("cannot_wait", "no timer can be made to close the collector: call it again")
  end
  if not closing.done and loop.bar() then
    return true, "later"
  end
  while not closing.done do
    works:close_soon()
    loop.sleep(0.01)
  end
  return closing.ok, closing.err
end

--- Sends what all collectors of a worker still have. For exit_worker_by_lua.
function collector.exit()
  works_of.exit(AT_ONCE)
end

return collector
