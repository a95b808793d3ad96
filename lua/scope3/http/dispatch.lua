--- Starts the calls of a waiter when they are due: asks the limits and the key, and puts the request on the wire.
local errors = require "scope3.error"
local guard = require "scope3.util.guard"

local dispatch = {}

-- A call whose time is over is not started: its caller gives it up, and its outcome would not be known.
local function is_over(call, now)
  local ending = call.request.ending
  local ends = ending and ending.limits.deadline
  return ends ~= nil and now >= ends
end

-- The key for a request. After a 401 the function that gives it is asked once more. Where it gives the same key,
-- nothing is sent again.
local function ask_key(transport, call)
  if call.request.anonymous then
    return nil
  end
  local key, err = transport.key.ask()
  local name = transport:name_key()
  if err then
    return nil, err
  end
  err = call:takes_key(name)
  return not err and key or nil, err
end

local function headers_of(request, key)
  local headers = { "Accept: application/json" }
  if key then
    headers[#headers + 1] = "Authorization: Bearer " .. key
  end
  if request.body then
    headers[#headers + 1] = "Content-Type: application/json"
  end
  return headers
end

-- Seconds that an attempt may take. A strict deadline is kept by libcurl itself: where this process is stopped and goes
-- on later, it gives up before it sends another byte.
local function timeout_of(transport, request)
  local limits = request.ending and request.ending.limits
  if not limits or not limits.strict then
    return request.timeout
  end
  return math.min(request.timeout or math.huge, math.max(0.001, limits.deadline - transport.loop.now()))
end

-- Puts a call on the wire. nil and what failed where that cannot be.
local function put_on_wire(transport, call, key)
  local request, shared = call.request, transport.shared
  local engine, why = shared:open()
  if not engine then
    return nil, "libcurl could not be started: " .. tostring(why)
  end
  local id
  id, why = shared:submit(call, {
    method = request.method,
    url = (request.root and transport.root or transport.base) .. request.path,
    headers = headers_of(request, key),
    body = request.body,
    timeout = timeout_of(transport, request),
    proxy = transport.proxy,
    no_proxy = transport.no_proxy,
    fresh = call.fresh,
  })
  if not id then
    return nil, "the request could not be started: " .. tostring(why)
  end
  return id
end

-- Why the owner of a request lets no attempt go; nil where one may. It may have to write down each before.
local function kept_back(call)
  local ask = call.request.before_attempt
  if not ask then
    return nil
  end
  local ok, err = guard.call(ask, call)
  return not ok and guard.error("what is asked before an attempt", err) or err
end

-- Sends a call. Gives when it would have gone, where its time is over by then.
local function send(transport, call)
  local key, err = ask_key(transport, call)
  if err then
    call:refuse(err)
    return nil
  elseif is_over(call, transport.loop.now()) then -- the function that gives the key took so long
    return math.huge
  end
  err = kept_back(call)
  if err then
    call:refuse(err)
    return nil
  end
  call:begin_attempt()
  local id, why = put_on_wire(transport, call, key)
  if id then
    call:has_left(id)
  else
    call:fail(errors.new("network", why, { code = "NOT_STARTED", retryable = true }), 0, transport.loop.now())
  end
end

-- Seconds until a call that is due may go. At 0 it is counted. nil and an error where the limiter fails, or there is no
-- key. Gives also how long it is likely to wait, where the limiter is asked again before.
local function held(transport, call, now)
  local request, client_pace, limiter = call.request, transport.pace, transport.limiter
  if not request.anonymous then
    local ready, err = transport.key.ready()
    if not ready then
      return nil, err
    end
    transport:name_key()
  end
  local pace, poll, who = request.pace or client_pace, request.poll, transport.who
  local wait = pace.own:room(who, pace.rate, poll, now)
  if wait > 0 then
    return wait
  end
  -- The rate of all together, so that a slow job does not slow the others down.
  local rate = math.max(pace.rate, client_pace.rate)
  local seconds, err, news, likely = limiter:pass(who, rate, poll, transport:limiter_time(now), transport.loop)
  if news then
    call:tell { event = "limiter", problem = news }
  end
  if seconds == 0 then
    pace.own:count(who, pace.rate, poll, now)
  end
  return seconds, err, likely
end

-- As held(), where the limiter's store may raise, and the function that gives the key may yield.
local function held_safely(transport, call, now)
  local ok, wait, err, likely = guard.call(held, transport, call, now)
  if not ok then
    return nil, guard.error("the limiter's store", wait, "limiter")
  end
  return wait, err, likely
end

-- Starts a call that is due. Gives when it will be due otherwise.
local function start(transport, call, now)
  if is_over(call, now) then
    return math.huge -- its caller gives it up
  end
  local wait = call.due - now
  if wait <= 0 then
    local err, likely
    wait, err, likely = held_safely(transport, call, now)
    if not wait then
      call:refuse(err)
      return nil
    end
    call:tell_wait(likely or wait, now)
  end
  if wait > 0 then
    return call:postpone(now + wait)
  end
  return send(transport, call)
end

--- Starts the waiter's calls that are due.
---@param transport scope3.Transport
---@param waiter scope3.Waiter
---@return number? soonest  when the next one is due, by the loop's clock
function dispatch.start_due(transport, waiter)
  local waiting = waiter.waiting
  if #waiting == 0 then
    return nil
  end
  local now, soonest = transport.loop.now(), nil
  waiter.waiting = {}
  for _, call in ipairs(waiting) do
    local due = start(transport, call, now)
    if due then
      soonest = math.min(soonest or due, due)
      table.insert(waiter.waiting, call)
    end
  end
  return soonest
end

return dispatch
