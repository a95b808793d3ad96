--- Requests over the engine: starts them, paces and repeats them, and waits for them through the loop.
local core = require "scope3.core"
local errors = require "scope3.error"
local guard_of = require "scope3.util.guard"
local limiter = require "scope3.http.limiter"
local loops = require "scope3.loop"
local reply = require "scope3.http.reply"
local retry = require "scope3.http.retry"
local version = require "scope3.version"
local waits = require "scope3.http.waits"

---@class scope3.Transport
local transport = {}
transport.__index = transport

-- Engines are shared by the clients of a Lua state: one for each loop and CA file. Each has the calls that fly on it.
local engines = {}

-- loop -> seconds that its clock is ahead of ours. It is looked at once, so that a loop whose clock runs faster takes the limiter along.
local skews = setmetatable({}, { __mode = "k" })

local function skew_of(loop)
  skews[loop] = skews[loop] or loop.now() - core.now()
  return skews[loop]
end

local SLICE = 0.25 -- seconds between two looks at whether to stop, where somebody may say so
local LONGEST = 3600 -- of one sleep where nobody may
local THROTTLED = 0.05 -- seconds more than was told before, for it to be told again
local HTTP1 = 600 -- seconds without HTTP/2 for a host to which it has failed: longer than libcurl keeps a connection that nobody uses
local TURN = 0.0002 -- seconds for answers that have come, before others have their turn

-- Moves the engine on and hands ended transfers to their calls. True when anything moved. Whoever moves it on may belong to somebody else, so what
-- goes wrong there (a limiter's store that raises) is kept for the one who waits.
local function step(shared, gently)
  local engine = shared.engine
  if not engine then
    return false
  end
  local _, moved = engine:step(gently)
  local until_
  for result in engine.result, engine do
    local call = shared.calls[result.id]
    shared.calls[result.id] = nil
    if call then
      call.id = nil
      local ok, fault = pcall(call.ended, call, result)
      if not ok then
        call.done, call.err = true, errors.with(guard_of.error("what reads a reply", fault),
          { uncertain = call.request.method ~= "GET" or errors.NOTHING })
        call:wake()
      end
    end
    local now = core.now()
    until_ = until_ or now + TURN
    if now > until_ then
      engine:pollfd() -- there may be more of them: so it stays readable
      return true
    end
  end
  return moved
end

-- Takes a call off the wire.
local function ground(self, call)
  self.shared.calls[call.id] = nil
  self.shared.engine:cancel(call.id)
  self.flying, call.waiter.flying = self.flying - 1, call.waiter.flying - 1
  call.id = nil
end

-- What the clients of an engine have in common: the engine, the calls that fly on it, and what loops may do with it.
-- The engine is made when it is first needed, and tried again later where that fails: there may be descriptors and
-- memory then.
local function share(ca_file)
  local shared = { calls = {} }
  function shared.open()
    local message
    if not shared.engine then
      shared.engine, message = core.engine { ca_file = ca_file, user_agent = "scope3-lua/" .. version,
        http1_after_failure = HTTP1 }
    end
    return shared.engine, message
  end
  function shared.step(gently)
    return step(shared, gently)
  end
  function shared.abandon(waiter)
    for _, call in pairs(shared.calls) do
      if call.waiter == waiter then
        ground(call.transport, call)
        -- Somebody else may wait for it too, and must not wait for ever.
        call.done, call.err = true, errors.new("cancelled", "the coroutine that waited for the request has ended",
          { uncertain = call.request.method ~= "GET" or nil, request = call:about() })
      end
    end
  end
  return shared
end

local function engine_for(loop, ca_file)
  local key = loop.name .. "\0" .. (ca_file or "")
  engines[key] = engines[key] or share(ca_file)
  return engines[key]
end

-- Proxy variables are read once, because a host may rewrite its environment. Only the lowercase http_proxy counts
-- (a CGI request can set the other), and plain http goes to loopback alone, so only https is ever proxied.
local proxy_settings
local function proxy()
  if not proxy_settings then
    proxy_settings = {
      url = os.getenv("https_proxy") or os.getenv("HTTPS_PROXY") or os.getenv("all_proxy") or os.getenv("ALL_PROXY") or "",
      none = os.getenv("no_proxy") or os.getenv("NO_PROXY") or "",
    }
  end
  return proxy_settings
end

-- libcurl writes an IPv4 address out as four numbers, however it was given; what is none is a name, and may be
-- anybody's.
local function is_loopback(host)
  host = core.lower(host or "")
  local b, c, d = host:match("^127%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  return host == "localhost" or host == "::1" or b ~= nil and tonumber(b) < 256 and tonumber(c) < 256
    and tonumber(d) < 256
end

--- Looks at a base URL: https, or plain http to loopback; no user, query or fragment.
---@param url string
---@return string? base  without a slash at its end
---@return scope3.Error? err
function transport.check_base(url)
  local parts, why = core.parse_url(url)
  local problem
  if not parts then
    problem = "is not a URL: " .. why
  elseif parts.user then
    problem = "must not hold a user name or password"
  elseif parts.query or parts.fragment then
    problem = "must not have a query or fragment"
  elseif parts.scheme == "http" and not is_loopback(parts.host) then
    problem = "must be https: plain http is allowed to this machine only"
  elseif parts.scheme ~= "https" and parts.scheme ~= "http" then
    problem = "must begin with https://"
  end
  if problem then
    return nil, errors.invalid("base_url", { { message = problem } })
  end
  return url:match("^.*[^/]")
end

---@param config table  base, root, key, ca_file, loop, rate, limiter, on_event
---@return scope3.Transport
function transport.new(config)
  local shared = engine_for(config.loop, config.ca_file)
  local via = proxy()
  local host = core.lower(config.base:match("^[A-Za-z]+://([^/]+)"))
  return setmetatable({
    shared = shared,
    loop = config.loop,
    try = loops.is_foreign(config.loop) and guard_of.call or nil, -- how its functions are called, where they may raise
    base = config.base,
    root = config.root,
    key = config.key,
    pace = transport.pace_of(config.rate),
    skew = skew_of(config.loop),
    limiter = config.limiter or limiter.shared,
    who = { host = host, key = config.key.name() },
    proxy = config.base:find("^https:") and via.url or "",
    no_proxy = via.none,
    flying = 0, -- calls on the wire
    reached = false, -- the host has answered
    admitted = false, -- and has taken the key
    on_event = config.on_event or function() end,
  }, transport)
end

---@class scope3.Pace  how fast somebody's own requests go, whatever the rate of the others to the same host
---@field rate integer  requests a minute
---@field own scope3.Limiter

--- A pace: of a client, or of a job that has its own.
---@param rate integer
---@return scope3.Pace
function transport.pace_of(rate)
  return { rate = rate, own = limiter.new() }
end

-- The time by which the limiter counts. Others may have its store in common, on other machines and after the next boot: for them it is the time of
-- day, which their clocks have in common too.
local function limiter_time(self, now)
  return self.limiter.private and now or core.time() - core.now() + now - self.skew
end

local Call = {}
Call.__index = Call

-- Tells an event. Whoever moves the engine on may belong to somebody else, so listeners are called by the one who waits for the call.
function Call:tell(event)
  local news = self.waiter.news
  news[#news + 1] = { self.request.on_event or self.transport.on_event, event }
end

-- Something happened to the call that its waiter has to see.
function Call:wake()
  local waiter, loop = self.waiter, self.transport.loop
  waiter.woken = true
  if loop.wake then
    loop.wake(waiter)
  end
end

-- Tells what has happened to the calls of a waiter. Listeners of jobs and waits are guarded already, and never raise.
local function tell_news(waiter)
  while waiter.news[1] do
    local news = waiter.news
    waiter.news = {}
    for _, one in ipairs(news) do
      local ok, problem = guard_of.call(one[1], one[2])
      if not ok then
        waiter.fault = waiter.fault or guard_of.error("on_event", problem)
      end
    end
  end
end

-- What an error says of its request.
function Call:about()
  return { method = self.request.method, path = self.request.path, attempts = self.attempts, history = self.history }
end

-- Seconds until the next attempt, or nil when this failure is the last.
local function next_attempt(self, err, now)
  local owner, request = self.transport, self.request
  local repeatable = request.method == "GET" or request.repeatable or not err.uncertain
  if not repeatable or request.large and reply.speaks_of_size(err) then
    return nil
  end
  local outage = retry.is_outage(err)
  self.out_since = outage and (self.out_since or now) or nil
  local left = outage and request.patience and request.patience - (now - self.out_since) or nil
  return retry.delay(err, self.attempts, self.failures,
    { reached = owner.reached or request.budget ~= nil, budget = request.budget, left = left }), left
end

local function note_attempt(self, err, seconds)
  self.history[#self.history + 1] = { kind = err.kind, status = err.status, code = err.code, seconds = seconds }
end

-- An attempt failed: the call waits for its next one, or is done.
local function failed(self, err, seconds, now)
  note_attempt(self, err, seconds)
  if self.request.method == "GET" then
    err = errors.with(err, { uncertain = errors.NOTHING }) -- asking changes nothing
  end
  self.uncertain = self.uncertain or err.uncertain
  local delay, left = next_attempt(self, err, now)
  if delay then
    self.history[#self.history].waited = delay
    self.due, self.last = now + delay, errors.with(err, { request = self:about() })
    table.insert(self.waiter.waiting, self)
    self:tell { event = "retry", seconds = delay, status = err.status, code = err.code, attempt = self.attempts,
      message = err.message,
      out = self.out_since and now - self.out_since, left = left }
    return self:wake() -- whoever waits looks when it is due
  end
  self.done, self.err = true, errors.with(err, {
    request = self:about(), uncertain = self.uncertain or errors.NOTHING, outage = left and true or errors.NOTHING,
    message = err.message .. (self.attempts > 1 and (" (%d attempts)"):format(self.attempts) or ""),
  })
  self:wake()
end

-- Asks the limiter, whose store may be somebody else's. A reply that is there must not be lost where that raises.
local function of_limiter(self, method, ...)
  local limit = self.transport.limiter
  local ok, answer = pcall(limit[method], limit, ...)
  if ok then
    return answer
  end
  self.waiter.fault = self.waiter.fault or guard_of.error("the limiter's store", answer, "limiter")
end

-- An attempt ended: the call is done, or waits for its next one.
function Call:ended(result)
  local owner, request = self.transport, self.request
  local now = owner.loop.now()
  owner.flying, self.waiter.flying = owner.flying - 1, self.waiter.flying - 1
  owner.reached = owner.reached or result.begun and result.status ~= nil and result.status > 0
  self.bytes_sent = self.bytes_sent + (result.uploaded or 0)
  if not result.code then
    local longer = of_limiter(self, "learn", owner.who, result.headers or {}, owner.flying, limiter_time(owner, now),
      reply.time(result))
    if longer and not owner.cut_told then
      owner.cut_told = true
      self:tell { event = "cut_short", field = "RateLimit-Reset", said = longer, seconds = waits.LONGEST }
    end
  end
  result.secure, result.proxy = owner.base:find("^https:") ~= nil, owner.proxy
  local keyed = owner.key.given() ~= nil and not request.anonymous
  local data, err = reply.read(result, core.time(), { key = owner.key.given(), body = request.body, task = request.poll,
    strict = request.method == "GET", admitted = keyed and owner.admitted })
  self.fresh = result.code ~= nil or err ~= nil and err.code == "BAD_REPLY" -- a connection that has failed does not serve again
  if data ~= nil then
    owner.admitted = owner.admitted or keyed
    if request.budget then
      retry.earn(request.budget)
    end
    self.done, self.data = true, data
    return self:wake()
  end
  if err.status == 401 and owner.key.changes and not self.denied and not request.anonymous then
    note_attempt(self, err, result.seconds)
    self.denied, self.last, self.due = err, err, now -- whoever waits asks for another key
    table.insert(self.waiter.waiting, self)
    return self:wake()
  end
  if err.status == 429 then
    of_limiter(self, "block", owner.who, err.retry_after or 1, limiter_time(owner, now))
  end
  if err.asked then
    self:tell { event = "cut_short", field = "Retry-After", said = err.asked, seconds = err.retry_after }
  end
  failed(self, err, result.seconds, now)
end

-- Ends a call that cannot be sent.
local function refuse(call, err)
  call.done = true
  call.err = errors.with(err, { request = err.request or call:about(), uncertain = call.uncertain or errors.NOTHING })
  return call:wake()
end

-- The key for a request, which a function may have to be asked for. After a 401 it is asked once more; where it gives
-- the same, nothing is sent again.
local function ask_key(self, call)
  if call.request.anonymous then
    return nil
  end
  local key, err = self.key.ask()
  self.who.key = self.key.name()
  if err then
    return nil, err
  end
  if call.denied and not call.renewed and call.key_name == self.key.name() then
    return nil, call.denied
  end
  call.key_name, call.renewed = self.key.name(), call.denied ~= nil
  return key
end

-- Whether the time of whoever asks is over. What would be given up at once is not begun: nobody would know what came
-- of it.
local function is_over(call, now)
  local ends = call.request.ends and call.request.ends()
  return ends ~= nil and now >= ends
end

-- Sends a call. Gives when it would have gone where its time is over by then.
local function submit(self, call)
  local request = call.request
  local headers = { "Accept: application/json" }
  local key, err = ask_key(self, call)
  if err then
    return refuse(call, err)
  elseif is_over(call, self.loop.now()) then -- whoever gave the key took so long
    return math.huge
  elseif key then
    headers[#headers + 1] = "Authorization: Bearer " .. key
  end
  if request.body then
    headers[#headers + 1] = "Content-Type: application/json"
  end
  call.attempts = call.attempts + 1
  local engine, message = self.shared.open()
  local id
  if not engine then
    return failed(call, errors.new("network", "libcurl could not be started: " .. tostring(message),
      { code = "NOT_STARTED", retryable = true }), 0, self.loop.now())
  end
  id, message = engine:submit {
    method = request.method,
    url = (request.root and self.root or self.base) .. request.path,
    headers = headers,
    body = request.body,
    timeout = request.timeout,
    proxy = self.proxy,
    no_proxy = self.no_proxy,
    fresh = call.fresh,
  }
  if not id then
    return failed(call, errors.new("network", "the request could not be started: " .. tostring(message),
      { code = "NOT_STARTED", retryable = true }), 0, self.loop.now())
  end
  call.id = id
  self.flying, call.waiter.flying = self.flying + 1, call.waiter.flying + 1
  self.shared.calls[id] = call
end

--- Somebody who waits for calls: several of a job have one in common. Calls whose time has not come are kept by their waiter alone, so that one that
--- vanishes (nginx drops the threads of a request whose client has left) takes them along, and nobody sends them behind its back.
---@return scope3.Waiter
function transport:waiter()
  return { news = {}, waiting = {}, flying = 0, step = self.shared.step, abandon = self.shared.abandon }
end

-- Seconds until a call whose time has come may go after all; at 0 it is counted. nil and why where the limiter cannot
-- tell, or there is no key.
local function held(self, call, now)
  if not call.request.anonymous then
    local ready, err = self.key.ready()
    if not ready then
      return nil, err
    end
    self.who.key = self.key.name()
  end
  local pace, poll = call.request.pace or self.pace, call.request.poll
  local rate = math.max(pace.rate, self.pace.rate) -- of all together: a job that is slow does not make the others so
  local wait = pace.own:room(self.who, pace.rate, poll, now)
  if wait > 0 then
    return wait
  end
  local err, news
  wait, err, news = self.limiter:pass(self.who, rate, poll, limiter_time(self, now))
  if news then
    call:tell { event = "limiter", problem = news }
  end
  if wait == 0 then
    pace.own:count(self.who, pace.rate, poll, now)
  end
  return wait, err
end

-- Starts a call whose time has come; else gives when that will be.
local function launch_one(self, call, now)
  local wait, err = call.due - now, nil
  if is_over(call, now) then
    return math.huge -- it is given up
  elseif wait <= 0 then
    local ok
    ok, wait, err = guard_of.call(held, self, call, now) -- whoever gives the key may yield
    if not ok then
      wait, err = nil, guard_of.error("the limiter's store", wait, "limiter")
    end
    if wait and now + wait > (call.throttled or now) + THROTTLED then -- and not each time that another one was faster
      call.throttled = now + wait
      call:tell { event = "throttled", seconds = wait }
    end
  end
  if not wait then
    refuse(call, err)
  elseif wait > 0 then
    call.due = now + wait
    return call.due
  else
    return submit(self, call)
  end
end

-- Starts the waiter's calls whose time has come. Gives the time of the next one's start.
local function launch(self, waiter)
  local waiting = waiter.waiting
  if #waiting == 0 then
    return nil
  end
  local now = self.loop.now()
  local soonest
  waiter.waiting = {}
  for _, call in ipairs(waiting) do
    local due = launch_one(self, call, now)
    if due then
      soonest = math.min(soonest or due, due)
      table.insert(waiter.waiting, call)
    end
  end
  return soonest
end

--- Starts a request and returns at once. It is sent as soon as the rate allows, and repeated where that is safe.
---@param request table  method, path, body, timeout, anonymous, root, poll, pace, patience, budget, on_event, and
---  `ends`, a function that gives the time by the loop's clock from which it does not go any more;
---  `repeatable`: doing it twice comes to the same; `large`: a rejection for its size is final, for the caller cuts it
---@param waiter? scope3.Waiter  who will wait for it, from transport:waiter(); one of its own unless given
---@return table call  for transport:await(); `uncertain` when an attempt may have been carried out without an answer
function transport:start(request, waiter)
  waiter = waiter or self:waiter()
  local call = setmetatable({ transport = self, request = request, waiter = waiter, attempts = 0, failures = {}, history = {},
    bytes_sent = 0, due = 0 }, Call)
  table.insert(waiter.waiting, call)
  launch(self, waiter)
  return call
end

--- Moves a waiter's calls on without waiting, and tells its listeners what has happened.
---@param waiter scope3.Waiter
function transport:pump(waiter)
  step(self.shared)
  launch(self, waiter)
  tell_news(waiter)
end

local function abandon(self, call)
  local waiting = call.waiter.waiting
  for i, other in ipairs(waiting) do
    if other == call then
      table.remove(waiting, i)
      break
    end
  end
  if call.id then
    ground(self, call)
  end
end

local OVER = { cancelled = "stopped", timeout = "the deadline passed" }

-- What a call was doing when nobody waited any longer.
local function doing(call)
  if call.id then
    return "while a request was under way"
  elseif call.attempts == 0 and call.throttled then
    return "while a request waited for its turn under the rate"
  elseif call.attempts == 0 then
    return "before a request had begun"
  end
  return "while a request waited to be sent again; before, " .. call.last.message
end

--- Ends a call that is not waited for any longer.
---@param call table
---@param kind "cancelled"|"timeout"
---@param limits? {over: string?}  `over`: what to call the end of the time
function transport:give_up(call, kind, limits)
  if call.done then
    return
  end
  local uncertain = (call.id ~= nil or call.uncertain) and call.request.method ~= "GET" or nil
  local over = kind == "timeout" and limits and limits.over or OVER[kind]
  local message = over .. " " .. doing(call)
  abandon(self, call)
  call.done, call.err = true, errors.new(kind, message, {
    uncertain = uncertain,
    request = call:about(),
  })
end

-- Whether somebody says that all is to stop: `cancel`, or a callback that raised.
local function asks_to_stop(limits, waiter)
  return waiter and waiter.fault ~= nil or limits.guard and limits.guard.fault ~= nil
    or limits.cancel and limits.cancel() or limits.guard and limits.guard.fault ~= nil
end

-- Calls a function of the loop.
local function in_loop(self, name, seconds, waiter)
  local try, wait = self.try, self.loop[name]
  if name == "wait" then
    if try then
      return try(wait, self.shared.engine, seconds, waiter)
    end
    return true, wait(self.shared.engine, seconds, waiter)
  elseif try then
    return try(wait, seconds)
  end
  wait(seconds)
  return true
end

-- A loop of the host's own may raise, too.
local function loop_failed(limits, waiter, problem)
  local fault = guard_of.error("the loop", problem)
  if limits.guard then
    limits.guard.fault = limits.guard.fault or fault
  else
    waiter.fault = waiter.fault or fault
  end
end

--- Moves calls on until `done`. When `cancel` tells to stop, or a callback raised, what is under way has `grace`
--- seconds left.
---@param done fun(): boolean
---@param limits? {cancel: (fun(): boolean?)?, guard: scope3.Guard?, grace: number?, deadline: number?, alive: fun()?}
---  `deadline` in seconds of the
---  loop's clock; `alive` is called now and then, at least each second
---@param waiter scope3.Waiter  of the calls that `done` looks at
---@return true?
---@return "cancelled"|"timeout"|nil why  it is not done
function transport:drive(done, limits, waiter)
  limits = limits or {}
  local until_ = limits.deadline
  local cancelled = false
  local longest = limits.cancel and SLICE or limits.alive and 1 or LONGEST
  while true do
    waiter.woken = false
    local soonest = launch(self, waiter)
    tell_news(waiter)
    if done() then
      return true
    end
    local now = self.loop.now()
    if not cancelled and asks_to_stop(limits, waiter) then
      cancelled = true
      until_ = math.min(until_ or math.huge, now + (waiter.flying > 0 and limits.grace or 0))
    end
    if until_ and now >= until_ then
      return nil, cancelled and "cancelled" or "timeout"
    end
    if limits.alive then
      limits.alive()
    end
    local pause = math.max(0, math.min(longest, soonest and soonest - now or LONGEST,
      until_ and until_ - now or LONGEST))
    if waiter.woken then -- by a listener, or by others while one was suspended
      step(self.shared)
    else
      local ok, moved = in_loop(self, self.shared.engine and "wait" or "sleep", pause, waiter)
      if not ok then
        loop_failed(limits, waiter, moved)
        return nil, "cancelled"
      elseif not moved then
        step(self.shared)
      end
    end
  end
end

--- Waits until a call is done.
---@param call table
---@param limits? table  as for transport:drive()
---@return any data
---@return scope3.Error? err
function transport:await(call, limits)
  local ok, why = self:drive(function()
    return call.done
  end, limits, call.waiter)
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
---@param request table  as for transport:start()
---@param limits? table  as for transport:drive(); `pace` and `patience` too, where it belongs to a job that has them
---@return any data
---@return scope3.Error? err
function transport:request(request, limits)
  request.pace = request.pace or limits and limits.pace
  request.patience = request.patience or limits and limits.patience
  return self:await(self:start(request), limits)
end

--- Waits without a request, in slices that see cancellation.
---@param seconds number
---@param limits? table  as for transport:drive()
---@return true?
---@return scope3.Error? err
function transport:pause(seconds, limits)
  limits = limits or {}
  local until_ = self.loop.now() + seconds
  local longest = limits.cancel and SLICE or limits.alive and 1 or LONGEST
  while true do
    local now = self.loop.now()
    if asks_to_stop(limits) then
      return nil, limits.guard and limits.guard.fault or errors.new("cancelled", "stopped while waiting")
    elseif limits.deadline and now >= limits.deadline then
      return nil, errors.new("timeout", limits.over or "the time to wait is over")
    elseif now >= until_ then
      return true
    end
    if limits.alive then
      limits.alive()
    end
    local ok, problem = in_loop(self, "sleep",
      math.max(0, math.min(longest, until_ - now, limits.deadline and limits.deadline - now or LONGEST)))
    if not ok then
      return nil, guard_of.error("the loop", problem)
    end
  end
end

return transport
