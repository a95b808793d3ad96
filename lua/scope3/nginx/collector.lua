--- Members from requests that must not wait: gathered in the worker, and sent by a timer when there are enough of them, or after a while.
---
--- add() hashes and touches nothing but memory, so it may be called in any phase. What the service does not take waits in the worker, up to a bound;
--- over it the newest are refused. With a spool members are in a mapped file too, from which a later worker takes them when this one dies, before it
--- sends anything of its own: so the last operation on an external id is the last that the service gets.
local census_of = require "scope3.nginx.census"
local client_of = require "scope3.client"
local core = require "scope3.core"
local door = require "scope3.door"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local limiter = require "scope3.limiter"
local log = require "scope3.nginx.log"
local options = require "scope3.options"
local outbox = require "scope3.nginx.outbox"
local request = require "scope3.request"
local rules = require "scope3.rules"
local spools_of = require "scope3.nginx.spools"
local audience_of = require "scope3.audience"

local ngx = ngx

---@class scope3.Collector
local Collector = {}
Collector.__index = Collector
Collector.__name = "scope3.collector"

local collector = {}

---@class scope3.CollectorOptions
---@field audience string|integer|scope3.AudienceMeta
---@field account_id? string|integer  these four as in scope3.client
---@field api_key? string
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
---@field mend? boolean
---@field ids? "refuse"|"hash"|"as_is"
---@field phone_repairs? "all"|string[]
---@field push_notification_config? scope3.PushNotificationConfig
---@field on_event? fun(event: scope3.Event)  as in scope3.SyncOptions
local OPTIONS = options.merge(identity.options, {
  audience = "any", account_id = "id", api_key = "string", base_url = "string", ca_file = "string", rate = "count",
  flush_members = "count", flush_seconds = "seconds", max_members = "count", max_bytes = "count", max_waiting_bytes = "count",
  spool = "string", shared = "string",
  exit_seconds = "seconds", push_notification_config = "table", on_event = "function",
})

local DEFAULTS = { flush_members = 1000, flush_seconds = 5, max_members = 100000, max_bytes = 8388608, max_waiting_bytes = 67108864,
  exit_seconds = 10 }
local AT_ONCE = 0.8 -- seconds to send in when nginx was told to stop at once: its master kills after a second
local SHORTEST = 0.02 -- seconds between two turns of the timer
local OVERDUE = 5 -- seconds after which a timer that has not run is taken for dropped, as nginx does above lua_max_running_timers
local LOOK_FOR_ORPHANS = 10 -- seconds between two looks for files that nobody owns, or flush_seconds where that is less
local MOST_BATCHES = 16 -- that wait; what comes then is gathered in larger ones
local AT_A_TIME = 2000 -- members read from files before others have their turn: half a millisecond

-- All that there are in this Lua state, for nginx.exit().
local all = {}

--- Makes a collector. In nginx's configuration that is done once, in init_by_lua; each worker then has its own members.
---@param opts scope3.CollectorOptions
---@return scope3.Collector?
---@return scope3.Error? err  kind "invalid": every problem at once
function collector.new(opts)
  door.argument(opts ~= nil, "scope3.nginx.collector", "opts", "a table", opts)
  opts = options.check("scope3.nginx.collector", opts, OPTIONS, 2)
  local audience = audience_of.meta("scope3.nginx.collector", opts.audience, 2)
  local issues = {}
  local config = setmetatable({}, { __index = DEFAULTS })
  for key, value in pairs(opts) do
    config[key] = value
  end
  rules.options(issues, { -- max_members is another thing here, and may be more than a request holds
    max_bytes = config.max_bytes, region = config.region,
  })
  rules.audience(issues, audience, "audience")
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
  if client and not client.secret() then
    issues[#issues + 1] = { path = "api_key", message = "is missing: give it, or set SCOPE3_API_KEY (nginx needs `env SCOPE3_API_KEY;` for that)" }
  end
  if #issues > 0 then
    return nil, errors.invalid("scope3.nginx.collector", issues)
  end
  local frame = request.frame(config.push_notification_config) + request.overhead(audience)
  local self = setmetatable({
    config = config, audience = audience, client = client, dict = dict,
    limits = { max_members = rules.MAX_MEMBERS, max_bytes = config.max_bytes - frame },
    name = core.sha256(client.account_id .. "\0" .. audience.id):sub(1, 16),
  }, Collector)
  all[#all + 1] = self
  return self
end

-- --- the part of one worker ----------------------------------------------------------------------------------------------------------

local function take_payload(own)
  return table.remove(own.free) or core.payload(own.limits)
end

-- Members that wait: in the payload that is being filled, in the outbox, and in files that were not read yet.
local function count_held(own)
  local adds, removes = own.payload:living()
  own.held = adds + removes + own.outbox.waiting + (own.spools and own.spools.unread or 0)
  own.census:holds(own.held, math.min(own.held, own.alone + own.outbox.alone))
end

-- Closes the payload that is being filled, and begins another.
local function seal(own)
  local adds, removes = own.payload:living()
  if adds + removes > 0 then
    own.outbox:put(own.payload, own.marks, own.alone)
    own.payload, own.marks, own.alone = take_payload(own), {}, 0
    if own.spools and #own.outbox.batches == 1 then -- it is sent now: its file can go with it
      own.spools:turn()
    end
  end
  own.since, own.wanted = nil, nil
end

local function give_back(own, batch)
  batch.payload:reset()
  if #own.free < MOST_BATCHES then
    own.free[#own.free + 1] = batch.payload
  else
    batch.payload:close()
  end
end

-- Has everything that waits read from files, those of this worker too: so that it comes in one order.
local function read_all(own)
  if own.alone + own.outbox.alone > 0 then
    return -- what is in no file cannot be read: what was adopted goes first
  end
  seal(own)
  local batches = own.outbox:clear()
  own.spools:take_back(batches)
  for _, batch in ipairs(batches) do
    give_back(own, batch)
  end
end

-- Gives the files to others, who find them. False where that would lose something.
local function hand_over(own)
  if own.alone + own.outbox.alone > 0 then
    return false
  end
  seal(own)
  for _, batch in ipairs(own.outbox:clear()) do
    give_back(own, batch)
  end
  own.spools:close()
  count_held(own)
  return true
end

-- Adopts what workers left that are no more. Gives why nothing may be sent now.
local function look_for_orphans(own, rest)
  local found, wait, superseded = own.spools:look(rest)
  if superseded then
    hand_over(own)
  elseif found then
    own.census:add("adopted", found.members)
    own.census:add("lost", found.lost)
    if found.members > 0 then
      read_all(own)
      count_held(own)
    end
  end
  return wait
end

-- Makes a batch of the oldest members in files.
local function read_batch(self, own)
  local payload, marks, more, unfit = take_payload(own), {}, true, 0
  own.reading = true -- whoever is stopped in here has read what did not become a batch
  while more do
    local _, passed
    _, passed, more = own.spools:read(payload, marks, AT_A_TIME)
    unfit = unfit + passed
    if more then
      self.client.loop.rest()
    end
  end
  own.reading = nil
  if unfit > 0 then
    own.census:add("rejected", unfit)
    log.say(ngx.ERR, ("scope3: %d members of the spool are larger than a request may be (max_bytes), and were given up"):format(unfit))
  end
  if payload:count() > 0 then
    own.outbox:put(payload, marks, 0, true)
  else
    own.spools:done(marks)
    own.free[#own.free + 1] = payload
  end
  count_held(own)
end

-- What is to be sent now: the oldest that waits. Nothing where it is not time yet, or where somebody else has members that are older, and why.
local function next_batch(self, own)
  local batches, config = own.outbox.batches, self.config
  if batches[1] and batches[1].begun then
    return batches[1]
  end
  if own.spools then
    local wait = look_for_orphans(own, self.client.loop.rest)
    batches = own.outbox.batches
    while own.spools.unread > 0 and not (batches[1] and batches[1].read) do
      read_batch(self, own)
    end
    if wait and own.held > 0 then
      return nil, wait
    end
  end
  if not batches[1] and own.since and (own.wanted or own.payload:count() >= config.flush_members
    or self.client.loop.now() - own.since >= config.flush_seconds - SHORTEST) then
    seal(own)
  end
  return batches[1]
end

-- What this worker has. Made at its first use there: nothing of the master's is carried over.
local function begin(self, level)
  if ngx.get_phase() == "init" then
    error("scope3.nginx: a collector is made in init_by_lua, and used in the workers: what the master had would be lost",
      level)
  end
  local config = self.config
  local own = {
    pid = ngx.worker.pid(), limits = self.limits, free = {}, held = 0, marks = {}, alone = 0,
    builder = core.builder(options.merge(identity.reading(config), { max_member = self.limits.max_bytes })),
  }
  own.payload = take_payload(own)
  own.census = census_of.new(self.dict, self.name, own.pid, config.spool ~= nil)
  own.outbox = outbox.new(self.client, self.audience, {
    max_members = rules.MAX_MEMBERS, max_bytes = config.max_bytes, push_notification_config = config.push_notification_config,
  }, config.exit_seconds, {
    next = function()
      return next_batch(self, own)
    end,
    done = function(batch)
      if own.spools then
        own.spools:done(batch.marks)
      end
      give_back(own, batch)
    end,
    refused = function(parts)
      local ok, why = true, nil
      if own.spools then
        ok, why = own.spools:set_aside(parts)
      end
      if not ok then
        log.say(ngx.ERR, "scope3: members that the service refused could not be written to a file of their own: " .. why)
      end
    end,
  })
  if config.spool then
    own.spools = spools_of.new { folder = config.spool, name = self.name, grace = config.exit_seconds + 1 }
    look_for_orphans(own) -- now already: members that come from here on are later than those
  end
  self.own = own
  return own
end

-- `level`: the caller of the public function, as error() counts in begin().
local function own_of(self, level)
  local own = self.own
  if not own or own.pid ~= ngx.worker.pid() then
    own = begin(self, level or 4)
  end
  return own
end

local tick

-- Sees to it that tick() runs in so many seconds. At most one timer of each kind is pending; own[kind] says when it is due. A worker that is ending
-- takes none: there exit() sends what is left.
local function plan(self, own, now, kind, seconds)
  if own[kind] and now < own[kind] + OVERDUE then
    return
  end
  local able, made, why = pcall(ngx.timer.at, seconds, tick, self, kind) -- raises in exit_worker_by_lua
  own[kind] = able and made and now + seconds or nil
  if able and not made and not ngx.worker.exiting() and now >= (own.no_timer_told or 0) then
    own.no_timer_told = now + OVERDUE
    log.say(ngx.ERR, ("scope3: no timer can be made (%s): members wait for the next call of add(), flush() or status()"):format(tostring(why)))
  end
end

-- Sees to it that tick() runs at once, or when it is time to.
local function arm(self, own, at_once)
  log.retry()
  local now = self.client.loop.now()
  if at_once then
    return plan(self, own, now, "urgent", 0)
  end
  local seconds = self.config.flush_seconds
  if own.since then
    seconds = math.min(seconds, own.since + seconds - now)
  end
  if own.spools then
    seconds = math.min(seconds, LOOK_FOR_ORPHANS)
  end
  plan(self, own, now, "regular", math.max(seconds, SHORTEST))
  if own.outbox.waiting > 0 and not own.outbox.sending then -- whoever sends sees to it afterwards
    plan(self, own, now, "retry", math.max(own.outbox:pause(), SHORTEST))
  end
end

-- Whoever was sending was stopped in the middle.
local function interrupted(own, err)
  own.outbox:interrupted(err)
  if own.reading then
    own.reading = nil
    own.spools:rewind()
  end
end

-- Sends what there is. `deadline` in seconds; `now` although the service was away a moment ago.
local function flush(own, now, deadline)
  own.wanted = own.wanted or now
  local before = { accepted = own.outbox.accepted, failed = own.outbox.failed, quarantined = own.outbox.quarantined }
  local fine, ok, err = pcall(own.outbox.send, own.outbox, now, { deadline = deadline })
  if not fine then
    ok, err = false, errors.new("script", "a listener failed: " .. tostring(ok))
    interrupted(own, err)
  end
  for key, value in pairs(before) do
    own.census:add(key, own.outbox[key] - value)
  end
  count_held(own)
  if not ok then
    log.say(ngx.WARN, ("%s; %d members wait"):format(tostring(err), own.held))
  elseif err then
    log.say(ngx.ERR, tostring(err) .. "; the service refused these members for good")
  end
  return ok, err
end

function tick(premature, self, kind)
  local own = own_of(self)
  local asked = own.asked and not own.asked.taken and own.asked or nil
  own[kind] = nil
  if asked then
    asked.taken = true -- who asks meanwhile is content with the same one
    while own.outbox.sending do -- by another timer: what it is about may fail, and what was asked for is more
      self.client.loop.sleep(SHORTEST)
    end
    own.asked = nil
  end
  local fine, ok, err = pcall(flush, own, premature or asked ~= nil, premature and self.config.exit_seconds or nil)
  if asked then
    asked.done, asked.ok, asked.err = true, fine and ok, fine and err or not fine and errors.new("script", tostring(ok)) or nil
  end
  if own.spools and ngx.worker.exiting() and not own.outbox.sending then
    hand_over(own) -- it has tried; another worker need not wait for the last request of this one
  end
  if not premature and (own.held > 0 or own.spools) then
    arm(self, own)
  end
  if not fine then
    error(ok, 0)
  end
end

-- Writes the last member to a file. Where that fails (a full disk) the member is in memory alone: it is sent, but would not survive this worker.
local function keep_in_spool(own)
  local ok, why = own.spools:keep(own.payload, own.payload:count(), own.marks)
  if not ok then
    own.alone = own.alone + 1
    own.census:add("unkept", 1)
    if not own.complained then
      own.complained = true
      log.say(ngx.ERR, "scope3: members cannot be kept in the spool: " .. tostring(why))
    end
  end
end

-- Why nothing more is taken.
local function is_full(self, own)
  local config, bytes = self.config, own.outbox.bytes + own.payload:bytes()
  if own.spools then
    bytes = math.max(bytes, own.spools.bytes)
  end
  if own.held >= config.max_members then
    return ("%d members wait already (max_members): is the service away?"):format(own.held)
  elseif bytes >= config.max_waiting_bytes then
    return ("%d members wait already and take %.0f bytes (max_waiting_bytes): is the service away?"):format(own.held, bytes)
  end
end

local function put(self, member, remove)
  local own = own_of(self, 5)
  local full = is_full(self, own)
  if full then
    own.census:add("refused", 1)
    return nil, errors.new("full", full, { retryable = true })
  end
  local added, reason = own.builder:add(own.payload, member, remove, 3,
    remove and "collector:remove" or "collector:add")
  if added == false then -- no room in this request
    seal(own)
    arm(self, own, true)
    added, reason = own.builder:flush(own.payload)
  end
  if not added then
    own.census:add("rejected", 1)
    return nil, errors.new("invalid", "the member was rejected: " .. (core.reasons[reason] or tostring(reason)), { code = reason })
  end
  if own.spools then
    keep_in_spool(own)
  end
  own.since = own.since or self.client.loop.now()
  count_held(own)
  arm(self, own)
  -- While the service is away members gather in one payload, and not in one for each flush_members.
  if own.payload:count() >= self.config.flush_members and own.outbox.failures == 0 and #own.outbox.batches < MOST_BATCHES then
    seal(own)
    arm(self, own, true)
  end
  return true
end

--- Adds a member; the fields are those of audience:add(). Never waits and touches no network, so it may be called in every phase.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  kind "invalid": the member was rejected (`code` says why); "full": too many wait already, and this one was refused
function Collector:add(member)
  door.self(getmetatable(self) == Collector, "collector:add", "scope3.collector", self)
  local added, err = put(self, member) -- no tail call: misuse is blamed on the third function
  return added, err
end

--- Removes a member, of which only `external_id` is looked at. As add(); of an add and a removal of one id the later one counts.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  as add()
function Collector:remove(member)
  door.self(getmetatable(self) == Collector, "collector:remove", "scope3.collector", self)
  local added, err = put(self, member, true)
  return added, err
end

--- Begins in this worker: looks for members that dead workers left. For init_worker_by_lua; without it that is done at the first member.
function Collector:start()
  door.self(getmetatable(self) == Collector, "collector:start", "scope3.collector", self)
  arm(self, own_of(self), true)
end

--- Has sent what waits, now, and waits for that. A timer sends: nginx drops the thread of a request whose client leaves, and would drop what that had
--- under way. Where nothing can wait (see scope3.nginx) it returns an error.
---@return true?
---@return scope3.Error? err  why something still waits; beside true, the last refusal for good
function Collector:flush()
  door.self(getmetatable(self) == Collector, "collector:flush", "scope3.collector", self)
  local why = self.client.loop.bar and self.client.loop.bar()
  if why then
    return nil, errors.new("cannot_wait", why)
  end
  local own = own_of(self)
  local asked = own.asked or {}
  own.asked = asked
  while not asked.done do
    if not asked.taken then -- no timer has begun with it
      arm(self, own, true)
      if not own.urgent then -- this worker is ending, or has too many timers
        local ok, err = flush(own, true)
        return ok or nil, err
      end
    end
    self.client.loop.sleep(0.01)
  end
  return asked.ok or nil, asked.err
end

---@class scope3.CollectorStatus
---@field held integer  members that wait, of this worker; the same of all workers in `all`
---@field refused integer  because too many waited
---@field rejected integer  because they were no members
---@field accepted integer  by the service
---@field quarantined integer  set aside, because the service refused them
---@field failed integer  of requests that the service refused for good
---@field adopted integer  from files of workers that were no more
---@field unkept integer  that could not be written to the spool
---@field lost integer  that a worker held when it ended, and no file; of damaged files, those that cannot be read
---@field error? string  why the last request was not accepted
---@field all? scope3.CollectorStatus  of all workers since nginx started, where there is a `shared` dict

--- What it has and what became of it.
---@return scope3.CollectorStatus
function Collector:status()
  door.self(getmetatable(self) == Collector, "collector:status", "scope3.collector", self)
  local own = own_of(self)
  count_held(own)
  local status = own.census:own()
  status.held, status.error = own.held, own.outbox.last_error and tostring(own.outbox.last_error) or nil
  status.all = own.census:all()
  if own.held > 0 then
    arm(self, own) -- where no timer could be made
  end
  return status
end

-- The last chance of a worker: nothing runs beside it any more, so it may block.
local function leave(own, seconds)
  if own.held > 0 then
    interrupted(own)
    flush(own, true, seconds)
  end
  own.census:leave(own.held, math.min(own.held, own.alone + own.outbox.alone))
  if own.spools then
    own.spools:close()
  end
end

--- Sends what all collectors of a worker still have. For exit_worker_by_lua.
function collector.exit()
  local used, ends = {}, core.now() + AT_ONCE
  for _, self in ipairs(all) do
    if self.own and self.own.pid == ngx.worker.pid() then
      used[#used + 1] = self
    end
  end
  for i, self in ipairs(used) do
    leave(self.own, math.max(0, ends - core.now()) / (#used - i + 1)) -- one that hangs leaves the others their share
  end
end

return collector
