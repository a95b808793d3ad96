--- Requests to one host: starts them through a shared engine, and waits for them through the loop.
---
---     transport   the host, its key and its rate; waits for calls
---     call        one request with its attempts
---     dispatch    starts calls that are due
---     waiting     moves calls on until something is done, or the time is over
---     engines     libcurl, shared by the clients of a Lua state
local base_url = require "scope3.http.base_url"
local call_of = require "scope3.http.call"
local core = require "scope3.core"
local counters = require "scope3.http.counters"
local dispatch = require "scope3.http.dispatch"
local engines = require "scope3.http.engines"
local guard = require "scope3.util.guard"
local limiter = require "scope3.http.limiter"
local loops = require "scope3.loop"
local options = require "scope3.util.options"
local proxy = require "scope3.http.proxy"
local uninterrupted = require "scope3.http.uninterrupted"
local waiting = require "scope3.http.waiting"

local OVER = { cancelled = "stopped", timeout = "the deadline passed" }

---@class scope3.Pace  how fast the requests of a client or a job go, whatever the rate of others to the same host
---@field rate integer  requests a minute
---@field own scope3.Limiter

---@class scope3.TransportConfig
---@field base string  the base URL
---@field root string  the base URL without its path
---@field key scope3.Key
---@field counters? scope3.Counters  its own unless given
---@field ca_file? string
---@field loop scope3.Loop
---@field rate integer
---@field limiter? scope3.Limiter
---@field on_event? fun(event: scope3.Event)

---@class scope3.Transport
---@field shared scope3.SharedEngine
---@field loop scope3.Loop
---@field base string
---@field root string
---@field key scope3.Key
---@field pace scope3.Pace
---@field limiter scope3.Limiter
---@field who scope3.LimiterSubject
---@field counters scope3.Counters
---@field proxy string
---@field no_proxy string
---@field flying integer  calls on the wire
---@field reached boolean  the host has answered
---@field admitted boolean  the host has taken the key
---@field on_event fun(event: scope3.Event)
local transport = {}
transport.__index = transport

-- loop -> seconds that its clock is ahead of ours. It is measured once, so that the limiter follows a loop whose clock
-- runs faster.
local skews = setmetatable({}, { __mode = "k" })

local function skew_of(loop)
  skews[loop] = skews[loop] or loop.now() - core.now()
  return skews[loop]
end

--- Makes the transport of a client. No connection is made.
---@param config scope3.TransportConfig
---@return scope3.Transport
function transport.new(config)
  local settings = proxy()
  return setmetatable({
    shared = engines.get(config.loop, config.ca_file),
    loop = config.loop,
    try = loops.may_raise(config.loop) and guard.call or nil, -- calls functions of the loop
    base = config.base,
    root = config.root,
    key = config.key,
    pace = transport.pace_of(config.rate),
    skew = skew_of(config.loop),
    limiter = config.limiter or limiter.shared,
    counters = config.counters or counters.new(),
    who = { host = base_url.host(config.base), key = config.key.name() },
    proxy = base_url.is_secure(config.base) and settings.url or "",
    no_proxy = settings.none,
    flying = 0,
    reached = false,
    admitted = false,
    on_event = config.on_event or function() end,
  }, config.loop.hold and uninterrupted.of(transport) or transport)
end

--- The pace of a client, or of a job that has its own.
---@param rate integer  requests a minute
---@return scope3.Pace
function transport.pace_of(rate)
  return { rate = rate, own = limiter.new() }
end

-- --- for calls ---------------------------------------------------------------------------------------------------

--- The time by which the limiter counts. Other machines may share its store, so for it this is the time of day.
---@param now number  by the loop's clock
---@return number
function transport:limiter_time(now)
  return self.limiter.private and now or core.time() - core.now() + now - self.skew
end

--- Names the key that goes along now, for the limiter.
---@return string name
function transport:name_key()
  self.who.key = self.key.name()
  return self.who.key
end

--- Counts a call that goes on the wire, or leaves it.
---@param call scope3.Call
---@param by 1|-1
function transport:count_flying(call, by)
  self.flying, call.waiter.flying = self.flying + by, call.waiter.flying + by
end

--- A call has left the wire with a result.
---@param call scope3.Call
---@param result scope3.TransferResult
function transport:has_landed(call, result)
  self:count_flying(call, -1)
  self.reached = self.reached or result.begun and result.status ~= nil
end

--- The host has taken the key.
function transport:key_was_taken()
  self.admitted = true
end

--- Whether an event is to tell of a reset that is too far ahead. It does so once.
---@return boolean
function transport:tells_of_long_reset()
  local is_first = not self.long_reset_told
  self.long_reset_told = true
  return is_first
end

-- --- sizes of bodies ---------------------------------------------------------------------------------------------

-- Calls the limiter, whose store may be the caller's.
local function ask_limiter(self, waiter, method, ...)
  local ok, answer = guard.call(self.limiter[method], self.limiter, self.who, ...)
  if ok then
    return answer
  end
  waiter.fault = waiter.fault or guard.error("the limiter's store", answer, "limiter")
end

--- The size that no body is to exceed, as requests of the last hour have found out.
---@param waiter scope3.Waiter  of who asks
---@return integer? bytes
function transport:size_limit(waiter)
  return ask_limiter(self, waiter, "size", self:limiter_time(self.loop.now()), self.loop)
end

--- The host takes no larger bodies.
---@param bytes integer
---@param waiter scope3.Waiter
function transport:learn_size(bytes, waiter)
  ask_limiter(self, waiter, "learn_size", bytes, self:limiter_time(self.loop.now()))
end

-- --- starting ----------------------------------------------------------------------------------------------------

--- A waiter, for one call or the calls of a job. It holds the calls that are not due. So one that vanishes takes them
--- along: nginx drops the threads of a request whose client has left.
---@return scope3.Waiter
function transport:waiter()
  return setmetatable({ news = {}, waiting = {}, calls = {}, flying = 0, woken = false }, self.shared.of_waiters)
end

---@private
--- Moves what is on the wire on.
function transport:advance()
  self.shared:advance()
end

---@private
--- Starts the calls of a waiter that are due. Gives when the next one will be.
transport.start_due = dispatch.start_due

--- Starts a request and returns at once. It is sent as soon as the rate allows, and repeated where that is safe.
---@param request scope3.Request
---@param waiter? scope3.Waiter  who will wait for it, from transport:waiter(); one of its own unless given
---@return scope3.Call call  for transport:await()
function transport:start(request, waiter)
  local call = call_of.new(self, request, waiter or self:waiter())
  table.insert(call.waiter.waiting, call)
  self:start_due(call.waiter)
  return call
end

--- Moves a waiter's calls on without waiting, and calls its listeners.
---@param waiter scope3.Waiter
function transport:pump(waiter)
  self:advance()
  self:start_due(waiter)
  waiting.tell_news(waiter)
end

-- --- waiting -----------------------------------------------------------------------------------------------------

--- Ends a call whose caller waits no longer.
---@param call scope3.Call
---@param kind "cancelled"|"timeout"
---@param limits? scope3.DriveLimits
function transport:give_up(call, kind, limits) -- luacheck: ignore self
  if not call.done then
    call:give_up(kind, kind == "timeout" and limits and limits.over or OVER[kind])
  end
end

local function is_done(call)
  return call.done
end

--- Waits until a call is done.
---@param call scope3.Call
---@param limits? scope3.DriveLimits
---@return any data
---@return scope3.Error? err
function transport:await(call, limits)
  local ok, why = self:drive(is_done, limits, call.waiter, call)
  if not ok then
    self:give_up(call, why, limits)
  end
  local fault = limits and limits.guard and limits.guard.fault or call.waiter.fault
  if fault then
    return nil, fault
  end
  return call.data, call.err
end

--- One request from start to end.
---@param request scope3.Request
---@param limits? scope3.DriveLimits  its pace and patience hold where the request has none
---@return any data
---@return scope3.Error? err
function transport:request(request, limits)
  local of_job = limits and { pace = limits.pace, patience = limits.patience } or {}
  return self:await(self:start(options.merge(of_job, request)), limits)
end

--- Moves calls on until `done(...)`. When `cancel` says to stop, or a callback raised, what is on the wire has `grace`
--- seconds left, and nothing is sent again.
---@param done fun(...): boolean
---@param limits? scope3.DriveLimits
---@param waiter scope3.Waiter  of the calls that `done` looks at
---@param ... any  for `done`
---@return true?
---@return "cancelled"|"timeout"|nil why  it is not done
function transport:drive(done, limits, waiter, ...)
  local ok, why = waiting.drive(self, done, limits or {}, waiter, ...)
  return ok, why
end

--- Waits without a request.
---@param seconds number
---@param limits? scope3.DriveLimits
---@return true?
---@return scope3.Error? err
function transport:pause(seconds, limits)
  local ok, err = waiting.pause(self, seconds, limits or {})
  return ok, err
end

return transport
