--- One request with its attempts: what became of each, and whether another follows.
---
--- Any caller may step the shared engine. So nothing here raises, and no listener is called here. Errors and events are
--- stored on the call and its waiter. They reach the caller that waits for it.
local base_url = require "scope3.http.base_url"
local core = require "scope3.core"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local reply = require "scope3.http.reply"
local retry = require "scope3.http.retry"
local retry_after = require "scope3.http.retry_after"

local call = {}

local TOLD = 0.05 -- seconds more than was told before, for a wait to be told again

---@class scope3.Request  what is asked of the service
---@field method "GET"|"POST"
---@field path string  after the base URL
---@field body? table  pieces of the body: texts, and { payload, operation, first, last }
---@field timeout? number  seconds for one attempt
---@field anonymous? boolean  goes without a key
---@field root? boolean  the path stands after the host, and not after the base URL
---@field poll? boolean  asks for a task
---@field repeatable? boolean  twice comes to the same as once
---@field large? boolean  an error about its size is final, because the caller splits it
---@field pace? scope3.Pace  of its job
---@field patience? number  seconds for which an outage is outlasted
---@field budget? {left: number}  retries that the requests of its job share
---@field ending? {limits: {deadline: number?, strict: boolean?}}  says the time by the loop's clock from which it is
---  not sent any more; `strict` where it must not be under way any more either
---@field on_event? fun(event: scope3.Event)
---@field before_attempt? fun(call: scope3.Call): scope3.Error?  asked before each attempt goes on the wire; what it
---  gives, or raises, ends the call

---@class scope3.Call
---@field request scope3.Request
---@field transport scope3.Transport
---@field waiter scope3.Waiter  who waits for it
---@field id integer?  of its transfer, while it is on the wire
---@field due number  when it may go, by the loop's clock
---@field done boolean?
---@field data any
---@field err scope3.Error?
---@field last scope3.Error?  of the last attempt
---@field denied scope3.Error?  of the 401 after which another key is asked for
---@field uncertain boolean?  an attempt may have been carried out without an answer
---@field lost integer  such attempts
---@field fresh boolean?  the next attempt takes a new connection, because the last one failed
---@field attempts integer
---@field history scope3.Attempt[]
---@field bytes_sent integer
---@field private failures table<string|integer, integer>  by the way in which it failed
---@field private outage_since number?
---@field private throttled_until number?  as an event last told
---@field private renewed boolean?  another key was asked for
---@field private key_name string?  of the key that went along
local Call = {}
Call.__index = Call

--- Makes a call, which is due at once.
---@param transport scope3.Transport
---@param request scope3.Request
---@param waiter scope3.Waiter
---@return scope3.Call
function call.new(transport, request, waiter)
  return setmetatable({ transport = transport, request = request, waiter = waiter, attempts = 0, failures = {},
    history = {}, bytes_sent = 0, due = 0, done = false, fresh = false, lost = 0 }, Call) -- room for what most have
end

--- Stores an event for the listener. The caller that waits calls the listener.
---@param event scope3.Event
function Call:tell(event)
  local news = self.waiter.news
  news[#news + 1] = { self.request.on_event or self.transport.on_event, event }
end

-- Wakes the waiter, which has to look at the call.
---@private
function Call:wake()
  local waiter, loop = self.waiter, self.transport.loop
  waiter.woken = true
  if loop.wake then
    loop.wake(waiter)
  end
end

-- What an error says of its request. For the error with which the call ends: attempts that follow would change it.
---@private
---@return scope3.ErrorRequest
function Call:about()
  return { method = self.request.method, path = self.request.path, attempts = self.attempts, history = self.history }
end

-- Ends the call without waking anybody.
---@private
function Call:settle(data, err)
  self.transport.counters:request_ended(err)
  self.done, self.data, self.err = true, data, err
end

---@private
function Call:finish(data, err)
  self:settle(data, err)
  self:wake()
end

-- Plans another attempt. The waiter starts it when it is due.
---@private
function Call:try_again(due, err)
  self.due, self.last = due, err
  table.insert(self.waiter.waiting, self)
end

-- --- attempts that begin ------------------------------------------------------------------------------------------

--- Notes the key that goes along with the next attempt.
---@param name string
---@return scope3.Error?  of the 401, where this is the key that was refused
function Call:takes_key(name)
  if self.denied and not self.renewed and self.key_name == name then
    return self.denied
  end
  self.key_name, self.renewed = name, self.denied ~= nil
end

--- Reports that the rate makes the call wait. A wait grows a little each time that another call was faster, which is
--- not reported.
---@param seconds number
---@param now number
function Call:tell_wait(seconds, now)
  if now + seconds > (self.throttled_until or now) + TOLD then
    self.transport.counters:throttle(now + seconds - math.max(self.throttled_until or now, now))
    self.throttled_until = now + seconds
    self:tell { event = "throttled", seconds = seconds }
  end
end

--- The call waits until later.
---@param due number
---@return number due
function Call:postpone(due)
  self.due = due
  return due
end

function Call:begin_attempt()
  self.attempts = self.attempts + 1
end

--- The call is on the wire.
---@param id integer  of its transfer
function Call:has_left(id)
  self.id = id
  self.transport:count_flying(self, 1)
end

-- --- attempts that failed ----------------------------------------------------------------------------------------

---@private
function Call:note_attempt(err, seconds, waited)
  self.history[#self.history + 1] = { kind = err.kind, status = err.status, code = err.code, seconds = seconds,
    waited = waited }
end

-- Whether another attempt is safe and may help.
---@private
function Call:may_repeat(err)
  local request = self.request
  if request.large and reply.speaks_of_size(err) then
    return false
  end
  return request.method == "GET" or request.repeatable or not err.uncertain
end

-- Since when the service is away, after a failure. An answer shows that it is there. A request that nobody answers does
-- not: patience that began anew with each would have no end that anybody named.
---@private
function Call:away_since(err, is_outage, now)
  if is_outage then
    return self.outage_since or now
  end
  return err.kind == "timeout" and self.outage_since or nil
end

-- Seconds until the next attempt, nil when this failure is the last; and the patience that is left in an outage.
---@private
function Call:next_attempt(err, now)
  if not self:may_repeat(err) then
    return nil
  end
  local request, is_outage = self.request, retry.is_outage(err)
  self.outage_since = self:away_since(err, is_outage, now)
  local left = is_outage and request.patience and request.patience - (now - self.outage_since) or nil
  return retry.delay(err, self.attempts, self.failures, {
    reached = self.transport.reached or request.budget ~= nil, budget = request.budget, left = left,
  }), left
end

-- The attempt may have been carried out, and nobody knows.
---@private
function Call:lose()
  self.uncertain, self.lost = true, self.lost + 1
end

--- An attempt failed: plans the next one, or ends the call.
---@param err scope3.Error
---@param seconds number  that the attempt took
---@param now number  by the loop's clock
function Call:fail(err, seconds, now)
  if self.request.method == "GET" then
    err = errors.with(err, { uncertain = errors.NOTHING }) -- reading changes nothing
  end
  if err.uncertain then
    self:lose()
  end
  local delay, left = self:next_attempt(err, now)
  self:note_attempt(err, seconds, delay)
  if delay then
    self:try_again(now + delay, err)
    self.transport.counters:retried()
    self:tell { event = "retry", seconds = delay, status = err.status, code = err.code, attempt = self.attempts,
      message = err.message, out = self.outage_since and now - self.outage_since, left = left }
    return self:wake()
  end
  self:finish(nil, errors.with(err, {
    request = self:about(), uncertain = self.uncertain or errors.NOTHING, outage = left and true or errors.NOTHING,
    message = err.message .. (self.attempts > 1 and (" (%d attempts)"):format(self.attempts) or ""),
  }))
end

--- Ends a call that cannot be sent.
---@param err scope3.Error
function Call:refuse(err)
  self:finish(nil, errors.with(err, {
    request = err.request or self:about(), uncertain = self.uncertain or errors.NOTHING,
  }))
end

-- --- attempts that ended -----------------------------------------------------------------------------------------

-- Calls the limiter, whose store may be the caller's. What it raises must not lose the reply that is there.
---@private
function Call:inform_limiter(method, ...)
  local limiter = self.transport.limiter
  local ok, answer = pcall(limiter[method], limiter, ...)
  if ok then
    return answer
  end
  self.waiter.fault = self.waiter.fault or guard.error("the limiter's store", answer, "limiter")
end

-- Gives the limiter what a reply announces.
---@private
function Call:learn_limits(result, now)
  local transport = self.transport
  local longer = self:inform_limiter("learn", transport.who, result.headers or {}, transport.flying,
    transport:limiter_time(now))
  if longer and transport:tells_of_long_reset() then
    self:tell { event = "cut_short", field = "RateLimit-Reset", said = longer, seconds = retry_after.LONGEST }
  end
end

-- Reads the reply. Gives also whether a key went along.
---@private
function Call:read(result)
  local transport, request = self.transport, self.request
  local has_key = transport.key.given() ~= nil and not request.anonymous
  result.secure, result.proxy = base_url.is_secure(transport.base), transport.proxy
  local data, err = reply.read(result, core.time(), {
    key = transport.key.given(), body = request.body, task = request.poll, strict = request.method == "GET",
    admitted = has_key and transport.admitted,
  })
  return data, err, has_key
end

-- Whether another key may help, which a function gives.
---@private
function Call:may_renew_key(err)
  return err.status == 401 and self.transport.key.changes and not self.denied and not self.request.anonymous
end

---@private
function Call:succeed(data, has_key)
  if has_key then
    self.transport:key_was_taken()
  end
  if self.request.budget then
    retry.earn(self.request.budget)
  end
  self:finish(data)
end

---@private
function Call:ended(result)
  local transport = self.transport
  local now = transport.loop.now()
  transport:has_landed(self, result)
  transport.counters:attempt_ended(result.seconds, result.uploaded)
  self.bytes_sent = self.bytes_sent + (result.uploaded or 0)
  if not result.code then
    self:learn_limits(result, now)
  end
  local data, err, has_key = self:read(result)
  self.fresh = result.code ~= nil or err ~= nil and err.code == "BAD_REPLY"
  if data ~= nil then
    return self:succeed(data, has_key)
  elseif self:may_renew_key(err) then
    self:note_attempt(err, result.seconds)
    self.denied = err
    self:try_again(now, err)
    return self:wake()
  end
  if err.status == 429 then
    self:inform_limiter("block", transport.who, err.retry_after or 1, transport:limiter_time(now))
  end
  if err.asked then
    self:tell { event = "cut_short", field = "Retry-After", said = err.asked, seconds = err.retry_after }
  end
  self:fail(err, result.seconds, now)
end

--- Takes the result of its transfer. What raises while it is read becomes the error of the call.
---@param result scope3.TransferResult
function Call:on_result(result)
  self.id = nil
  local ok, fault = pcall(self.ended, self, result)
  if not ok then
    local changes = self.request.method ~= "GET"
    if changes then
      self:lose()
    end
    self:finish(nil, errors.with(guard.error("what reads a reply", fault), {
      uncertain = changes or errors.NOTHING,
    }))
  end
end

-- --- calls that are given up ----------------------------------------------------------------------------------

-- Takes the call off the wire.
---@private
function Call:withdraw()
  local transport = self.transport
  transport.shared:cancel(self.id)
  transport:count_flying(self, -1)
  self.id, self.lost = nil, self.lost + 1
end

--- Cancels the call, whose waiter will never run again. Others may wait for the same call, and must not wait for ever.
function Call:abandon()
  self:withdraw()
  self:settle(nil, errors.new("cancelled", "the coroutine that waited for the request has ended",
    { uncertain = self.request.method ~= "GET" or nil, request = self:about() }))
end

-- What the call was doing.
---@private
function Call:state()
  if self.id then
    return "while a request was under way"
  elseif self.attempts == 0 and self.throttled_until then
    return "while a request waited for its turn under the rate"
  elseif self.attempts == 0 then
    return "before a request had begun"
  end
  return "while a request waited to be sent again; before, " .. self.last.message
end

---@private
function Call:leave_waiting()
  local waiting = self.waiter.waiting
  for i, other in ipairs(waiting) do
    if other == self then
      table.remove(waiting, i)
      return
    end
  end
end

--- Ends the call before its reply has come.
---@param kind "cancelled"|"timeout"
---@param what string  what happened, such as "the deadline passed"
function Call:give_up(kind, what)
  local uncertain = (self.id ~= nil or self.uncertain) and self.request.method ~= "GET" or nil
  local message = what .. " " .. self:state()
  self:leave_waiting()
  if self.id then
    self:withdraw()
  end
  self:settle(nil, errors.new(kind, message, { uncertain = uncertain, request = self:about() }))
end

return call
