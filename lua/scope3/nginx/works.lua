--- What a collector does in a worker: members are put into payloads and files, sent, adopted from others, and given
--- up to others at its end.
---
--- Users have a handle of it (scope3.nginx.collector). Whoever drops that need not be waited for: what was taken is
--- delivered, and then everything is given
--- back. A collector that holds nothing and has no spool has no timer.
local batches = require "scope3.nginx.batches"
local worker_stats_of = require "scope3.nginx.worker_stats"
local core = require "scope3.core"
local ending = require "scope3.nginx.ending"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local lanes_of = require "scope3.nginx.lanes"
local log = require "scope3.nginx.log"
local options = require "scope3.util.options"
local outbox = require "scope3.nginx.outbox"
local rejections_of = require "scope3.nginx.rejections"
local rules = require "scope3.api.validate"
local schedule = require "scope3.nginx.schedule"
local spools_of = require "scope3.nginx.spools"

local ngx = ngx

---@class scope3.Closing
---@field seconds number  for sending
---@field asked? number  when a timer was asked for
---@field taken? boolean  it is at it
---@field done? boolean
---@field ok? boolean  these two as :close() gives them
---@field err? scope3.Error
---@field counts? table  for :status()

---@class scope3.Works: scope3.Scheduled
---@field config table
---@field audience {id: string, name: string?, consent_basis: string?}?
---@field client scope3.Client
---@field own table?  what it has in this worker
---@field closing scope3.Closing?  since it was told to close
---@field dropped boolean?  nobody has its handle any more
local Works = {}
Works.__index = Works

local works = {}

local SHORTEST = 0.02 -- seconds between two looks
local OVERDUE = 5 -- seconds after which a timer is taken for dropped, as nginx does above lua_max_running_timers
local LOOK_FOR_ORPHANS = 10 -- seconds between two looks for files that nobody owns, or flush_seconds where that is less
local MOST_BATCHES = 16 -- that wait; what comes then is gathered in larger ones
local LATER_STATES = 2 -- Lua states of this process since, of which nginx has one, and one more for streams

local active = ending.active
local some_dropped = false
local states = core.states()

---@param fields table  config, audience, client, dict, pool (a function that makes a scope3.LanePool), max_member, name
---@return scope3.Works
function works.new(fields)
  return setmetatable(fields, Works)
end

local function label_of(self, audience)
  local default = self.audience
  local same = default and audience.id == default.id and audience.name == default.name
    and audience.consent_basis == default.consent_basis
  return same and "" or lanes_of.label(audience)
end

-- What was refused for good goes to a file of its own.
local function set_aside(self, own, parts)
  local ok, why = true, nil
  if own.spools then
    ok, why = own.spools:set_aside(parts, function(audience)
      return label_of(self, audience)
    end)
  end
  if not ok then
    log.say(ngx.ERR, "scope3: members that the service refused could not be written to a file of their own: " .. why)
  end
end

-- What this worker has. Made at its first use there: nothing of the master's is carried over.
local function begin(self)
  if ngx.get_phase() == "init" then
    error("scope3.nginx: a collector is made in init_by_lua, and used in the workers: what the master had would be "
      .. "lost", 5)
  end
  local config, pool = self.config, self.pool()
  local own = {
    pid = ngx.worker.pid(), pool = pool, default = self.audience, held = 0, marks = {}, alone = 0,
    lanes = lanes_of.new(pool, self.audience),
    builder = core.builder(options.merge(identity.reading(config), { max_member = self.max_member })),
  }
  own.worker_stats = worker_stats_of.new(self.dict, self.name, own.pid, config.spool ~= nil)
  own.rejections = rejections_of.new(own.worker_stats)
  own.outbox = outbox.new(self.client, {
    max_members = rules.MAX_MEMBERS, max_bytes = config.max_bytes,
    push_notification_config = config.push_notification_config,
  }, config.exit_seconds, {
    next = function()
      return batches.next(self, own)
    end,
    done = function(batch)
      if own.spools then
        own.spools:done(batch.marks)
      end
      batch.lanes:give_back()
    end,
    refused = function(parts)
      set_aside(self, own, parts)
    end,
  })
  if config.spool then
    own.spools = spools_of.new { folder = config.spool, name = self.name, grace = config.exit_seconds + 1 }
    batches.look_for_orphans(own) -- now already: members that come from here on are later than those
  end
  self.own = own
  active[self] = true
  return own
end

--- What it has in this worker, which is made where there is nothing yet.
---@return table own
function Works:here()
  local own = self.own
  if not own or own.pid ~= ngx.worker.pid() then
    own = begin(self)
  end
  return own
end

-- --- turns ---

local function complain(own, now, why)
  if not ngx.worker.exiting() and now >= (own.no_timer_told or 0) then
    own.no_timer_told = now + OVERDUE
    log.say(ngx.ERR, ("scope3: no timer can be made (%s): members wait for the next call of add(), flush() or status()")
      :format(tostring(why)))
  end
end

local tick

-- Has tick() run at once. At most one such timer is pending.
local function urge(self, own, now)
  if own.urgent and now < own.urgent + OVERDUE then
    return true
  end
  local able, made, why = pcall(ngx.timer.at, 0, tick, self, own) -- raises in exit_worker_by_lua
  own.urgent = able and made and now or nil
  if able and not made then
    complain(own, now, why)
  end
  return own.urgent ~= nil
end

-- Collectors that nobody has a handle of any more go when they hold nothing. Noted by Lua's collector, in which
-- nothing may be done.
local function sweep()
  some_dropped = false
  for self in pairs(active) do
    local own = self.own
    local idle = own and own.pid == ngx.worker.pid() and own.held == 0 and not own.outbox.sending
    if self.dropped and idle and not self.closing then
      ending.release(self, own, true)
    end
  end
end

-- Sees to it that tick() runs when it is time to.
local function arm(self, own)
  log.retry()
  if some_dropped then
    sweep()
  end
  if self.own ~= own then
    return
  end
  local now, flush_seconds = self.client.loop.now(), self.config.flush_seconds
  local time = (own.since or now) + flush_seconds
  if own.untold then
    time = math.min(time, own.untold + flush_seconds)
  end
  if own.spools then
    time = math.min(time, now + LOOK_FOR_ORPHANS)
  end
  if own.outbox.waiting > 0 and not own.outbox.sending then -- whoever sends sees to it afterwards
    time = math.min(time, now + own.outbox:pause())
  end
  local ok, why = schedule.at(self, math.max(time, now + SHORTEST))
  if not ok then
    complain(own, now, why)
  end
end

-- Whether others have taken this Lua state's place, as with `lua_code_cache off`. A timer would keep the state, and
-- all that it has.
local function is_outdated()
  return core.states() - states >= LATER_STATES
end

-- One turn of a collector that goes on.
local function take_turn(self, own, premature)
  local asked = own.asked and not own.asked.taken and own.asked or nil
  if asked then
    asked.taken = true -- who asks meanwhile is content with the same one
    while own.outbox.sending do -- by another timer: what it is about may fail, and what was asked for is more
      self.client.loop.sleep(SHORTEST)
    end
    own.asked = nil
  end
  local seconds = premature and self.config.exit_seconds or nil
  local fine, ok, err = pcall(ending.flush, own, premature or asked ~= nil, seconds)
  if asked then
    asked.done, asked.ok, asked.err = true, fine and ok, err
    if not fine then
      asked.err = errors.new("script", tostring(ok))
    end
  end
  if self.own == own and own.spools and ngx.worker.exiting() and not own.outbox.sending then
    batches.hand_over(own) -- it has tried; another worker need not wait for the last request of this one
  end
  if not fine then
    error(ok, 0)
  end
end

function tick(premature, self, own)
  if not own or self.own ~= own or own.pid ~= ngx.worker.pid() then
    return -- it was closed meanwhile
  end
  own.urgent = nil
  if self.closing then
    return ending.shut(self)
  end
  local fine, err = pcall(take_turn, self, own, premature)
  local idle = own.held == 0 and not own.untold and not own.outbox.sending and not own.asked
  if self.own ~= own or premature then
    own.urgent = nil
  elseif self.closing and not self.closing.taken then
    ending.shut(self)
  elseif idle and (self.dropped or is_outdated()) then
    ending.release(self, own, self.dropped)
  elseif own.held > 0 or own.spools or own.untold then
    arm(self, own)
  end
  if not fine then
    error(err, 0)
  end
end

--- Its time has come.
---@return boolean begun
function Works:turn()
  local own = self.own
  return not own or urge(self, own, self.client.loop.now())
end

--- The worker is ending.
function Works:last_turn()
  local ok, err = pcall(tick, true, self, self.own)
  if not ok then
    log.say(ngx.ERR, "scope3: " .. tostring(err))
  end
end

-- --- members ---

-- Writes the last member to a file. Where that fails (a full disk) the member is in memory alone: it is sent, but
-- would not survive this worker.
local function keep_in_spool(own, payload, label)
  local ok, why = own.spools:keep(payload, payload:count(), own.marks, label)
  if not ok then
    own.alone = own.alone + 1
    own.worker_stats:add("unkept", 1)
    if not own.complained then
      own.complained = true
      log.say(ngx.ERR, "scope3: members cannot be kept in the spool: " .. tostring(why))
    end
  end
end

-- Why nothing more is taken.
local function is_full(self, own, audience)
  local config, bytes = self.config, own.outbox.bytes + own.lanes.bytes
  if own.spools then
    bytes = math.max(bytes, own.spools.bytes)
  end
  if own.held >= config.max_members then
    return ("%d members wait already (max_members): is the service away?"):format(own.held)
  elseif bytes >= config.max_waiting_bytes then
    return ("%d members wait already and take %.0f bytes (max_waiting_bytes): is the service away?")
      :format(own.held, bytes)
  elseif own.pool.audiences >= config.max_audiences and not own.pool.users[audience.id] then
    return ("members of %d audiences wait already (max_audiences)"):format(own.pool.audiences)
  end
end

-- A member was not taken. The log is told later, of all of them in one line.
local function not_taken(self, own, err)
  own.untold = own.untold or self.client.loop.now()
  arm(self, own)
  return nil, err
end

local function reject(self, own, err)
  own.worker_stats:reject(err.code)
  return not_taken(self, own, err)
end

--- Takes a member in; misuse is blamed on whoever called the function that calls this.
---@param member table
---@param given {id: string, name: string?, consent_basis: string?}?  the audience that came with it
---@param remove boolean?
---@return true?
---@return scope3.Error? err
function Works:put(member, given, remove)
  local own = self:here()
  local audience = given or self.audience
  local issues = given and lanes_of.problems(own.pool, given) or {}
  if #issues > 0 then
    local message = errors.invalid("scope3.nginx.collector", issues).message
    return reject(self, own, errors.new("invalid", message, { code = "audience", issues = issues }))
  end
  local full = is_full(self, own, audience)
  if full then
    own.worker_stats:add("refused", 1)
    return not_taken(self, own, errors.new("full", full, { retryable = true }))
  end
  local lane = own.lanes:of(audience)
  local added, reason = own.builder:add(lane.payload, member, remove, 3)
  if added == false then -- no room in this request
    batches.seal(own)
    urge(self, own, self.client.loop.now())
    lane = own.lanes:of(audience)
    added, reason = own.builder:flush(lane.payload)
  end
  own.lanes:measure(lane)
  if not added then
    local message = "the member was rejected: " .. (core.reasons[reason] or tostring(reason))
    return reject(self, own, errors.new("invalid", message, { code = reason }))
  end
  if own.spools then
    keep_in_spool(own, lane.payload, given and lanes_of.label(given) or "")
  end
  own.since = own.since or self.client.loop.now()
  batches.count(own)
  arm(self, own)
  -- While the service is away members gather in one batch, and not in one for each flush_members.
  local away = own.outbox.failures > 0 or #own.outbox.batches >= MOST_BATCHES
  if own.lanes.count >= self.config.flush_members and not away then
    batches.seal(own)
    urge(self, own, self.client.loop.now())
  end
  return true
end

--- Begins in this worker.
function Works:start()
  local own = self:here()
  if not urge(self, own, self.client.loop.now()) then
    arm(self, own)
  end
end

--- Sends what waits, and waits for that.
---@return true?
---@return scope3.Error? err
function Works:flush()
  local own = self:here()
  local asked = own.asked or {}
  own.asked = asked
  while not asked.done do
    if self.own ~= own then
      local closing = self.closing or { ok = true } -- closed meanwhile, which has flushed it too
      return closing.ok, closing.err
    elseif not asked.taken and not urge(self, own, self.client.loop.now()) then -- ending, or with too many timers
      own.asked = nil
      local ok, err = ending.flush(own, true)
      return ok or nil, err
    end
    self.client.loop.sleep(0.01)
  end
  return asked.ok or nil, asked.err
end

--- The counts of this worker, and of all.
---@return table
function Works:status()
  local own = self:here()
  batches.count(own)
  local status = own.worker_stats:own()
  local err = own.outbox.last_error
  status.held, status.audiences, status.error = own.held, own.pool.audiences, err and tostring(err) or nil
  status.all = own.worker_stats:all()
  if own.held > 0 then
    arm(self, own) -- where no timer could be made
  end
  return status
end

--- Sees to it that it is closed, by a timer.
---@return boolean begun
function Works:close_soon()
  local own, now = self.own, self.client.loop.now()
  if not own or own.pid ~= ngx.worker.pid() then
    ending.shut(self)
    return true
  elseif self.closing.taken then
    return true
  end
  if not self.closing.asked or now > self.closing.asked + OVERDUE then
    self.closing.asked = now
    own.urgent = nil -- one that was made before may be at it already, with a turn of its own
    schedule.at(self, now + OVERDUE) -- where nginx drops that timer
    if not urge(self, own, now) then
      self.closing.asked = nil
    end
  end
  return self.closing.asked ~= nil
end

--- Nobody has its handle any more. Called by Lua's collector, which may run anywhere: nothing is done here.
function Works:drop()
  self.dropped, some_dropped = true, true
end

--- Sends what all collectors of this worker still have. Nothing runs beside it any more, so it may block.
---@param seconds number  for all of them
function works.exit(seconds)
  local list, ends = {}, core.now() + seconds
  for self in pairs(active) do
    list[#list + 1] = self.own and self.own.pid == ngx.worker.pid() and self or nil
  end
  for i, self in ipairs(list) do
    local own = self.own
    if own.held > 0 then
      ending.interrupted(own)
      -- One that hangs leaves the others their share.
      ending.flush(own, true, math.max(0, ends - core.now()) / (#list - i + 1))
    end
    ending.release(self, own, false)
  end
end

return works
