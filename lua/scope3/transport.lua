--- Requests over the engine: starts them, paces and repeats them, and waits for them through the loop.
local core = require "scope3.core"
local errors = require "scope3.error"
local pacing = require "scope3.pacing"
local reply = require "scope3.reply"
local retry = require "scope3.retry"
local version = require "scope3.version"

---@class scope3.Transport
local transport = {}
transport.__index = transport

-- Engines are shared by the clients of a Lua state: one for each loop and CA file. Each has the calls that fly on it.
local engines = {}

local SLICE = 0.25 -- the longest sleep, so that cancellation and Ctrl-C are seen

local function engine_for(loop, ca_file)
  local key = loop.name .. "\0" .. (ca_file or "")
  local shared = engines[key]
  if not shared then
    local engine, message = core.engine { ca_file = ca_file, user_agent = "scope3-lua/" .. version }
    if not engine then
      return nil, errors.new("network", "libcurl could not be started: " .. tostring(message))
    end
    shared = { engine = engine, calls = {} }
    engines[key] = shared
  end
  return shared
end

-- Hands ended transfers to their calls.
local function step(shared)
  shared.engine:step()
  for result in shared.engine.result, shared.engine do
    local call = shared.calls[result.id]
    shared.calls[result.id] = nil
    if call then
      call.id = nil
      call:ended(result)
    end
  end
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

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
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
  return (url:gsub("/+$", ""))
end

---@param config {base: string, root: string, api_key: string?, ca_file: string?, loop: scope3.Loop, rate: number, on_event: function?}
---@return scope3.Transport?
---@return scope3.Error?
function transport.new(config)
  local shared, err = engine_for(config.loop, config.ca_file)
  if not shared then
    return nil, err
  end
  local via = proxy()
  return setmetatable({
    shared = shared,
    loop = config.loop,
    base = config.base,
    root = config.root,
    api_key = config.api_key,
    pace = pacing.new(config.rate),
    proxy = config.base:find("^https:") and via.url or "",
    no_proxy = via.none,
    waiting = {}, -- calls whose time has not come
    on_event = config.on_event or function() end,
  }, transport)
end

--- Sets the requests a minute from now on.
---@param rate integer
function transport:set_rate(rate)
  if rate ~= self.pace.rate then
    self.pace = pacing.new(rate)
  end
end

local Call = {}
Call.__index = Call

function Call:tell(event)
  local on_event = self.request.on_event or self.transport.on_event
  on_event(event)
end

-- An attempt ended: the call is done, or waits for its next one.
function Call:ended(result)
  self.bytes_sent = self.bytes_sent + (result.uploaded or 0)
  local data, err = reply.read(result, core.time())
  if data == nil then
    err.request = { method = self.request.method, path = self.request.path, attempts = self.attempts }
    if self.request.method == "GET" then
      err.uncertain = nil -- asking changes nothing
    end
    local delay = retry.delay(err, self.attempts)
    if delay then
      self.due = self.transport.loop.now() + delay
      self.transport.waiting[self] = true
      self:tell { event = "retry", seconds = delay, status = err.status, attempt = self.attempts }
      return
    end
  end
  self.done, self.data, self.err = true, data, err
end

local function submit(self, call)
  local request = call.request
  local headers = { "Accept: application/json" }
  if self.api_key and not request.anonymous then
    headers[#headers + 1] = "Authorization: Bearer " .. self.api_key
  end
  if request.body then
    headers[#headers + 1] = "Content-Type: application/json"
  end
  call.attempts = call.attempts + 1
  local id, message = self.shared.engine:submit {
    method = request.method,
    url = (request.root and self.root or self.base) .. request.path,
    headers = headers,
    body = request.body,
    timeout = request.timeout,
    proxy = self.proxy,
    no_proxy = self.no_proxy,
  }
  if not id then
    call.done, call.err = true, errors.new("network", "the request could not be started: " .. tostring(message))
    return
  end
  call.id = id
  self.shared.calls[id] = call
end

--- Starts a request and returns at once. It is sent as soon as the rate allows, and repeated where that is safe.
---@param request {method: string, path: string, body: table?, timeout: number, anonymous: boolean?, root: boolean?, on_event: function?}
---@return table call  for transport:await()
function transport:start(request)
  local call = setmetatable({ transport = self, request = request, attempts = 0, bytes_sent = 0, due = 0 }, Call)
  self.waiting[call] = true
  self:pump()
  return call
end

--- Moves everything on without waiting.
---@return number? due  when the next waiting call is to start
function transport:pump()
  step(self.shared)
  local now = self.loop.now()
  local ready, soonest = {}, nil
  for call in pairs(self.waiting) do
    if call.due <= now then
      ready[#ready + 1] = call
    else
      soonest = math.min(soonest or call.due, call.due)
    end
  end
  for _, call in ipairs(ready) do
    local delay = self.pace:delay(now)
    if delay > 0 then
      call.due = now + delay
      soonest = math.min(soonest or call.due, call.due)
      call:tell { event = "paced", seconds = delay }
    else
      self.waiting[call] = nil
      self.pace:take(now)
      submit(self, call)
    end
  end
  if #ready > 0 then
    step(self.shared)
  end
  return soonest
end

local function abandon(self, call)
  self.waiting[call] = nil
  if call.id then
    self.shared.calls[call.id] = nil
    self.shared.engine:cancel(call.id)
    call.id = nil
  end
end

-- The end of a wait that is over before its call.
local function give_up(self, call, kind, message)
  local flying = call.id ~= nil
  abandon(self, call)
  return nil, errors.new(kind, message, {
    uncertain = flying or nil,
    request = { method = call.request.method, path = call.request.path, attempts = call.attempts },
  })
end

--- Waits until a call is done. When `cancel` tells to stop, a call that is under way has `grace` seconds left.
---@param call table
---@param limits? {cancel: (fun(): boolean?)?, grace: number?, deadline: number?}  `deadline` in seconds of the loop's clock
---@return any data
---@return scope3.Error? err
function transport:await(call, limits)
  limits = limits or {}
  local until_ = limits.deadline
  local cancelled = false
  while not call.done do
    local soonest = self:pump()
    if call.done then
      break
    end
    local now = self.loop.now()
    if not cancelled and limits.cancel and limits.cancel() then
      cancelled = true
      until_ = math.min(until_ or math.huge, now + (call.id and limits.grace or 0))
    end
    if until_ and now >= until_ then
      if cancelled then
        return give_up(self, call, "cancelled", "stopped while a request was under way")
      end
      return give_up(self, call, "timeout", "the deadline passed while a request was under way")
    end
    local pause = math.min(SLICE, soonest and soonest - now or SLICE, until_ and until_ - now or SLICE)
    self.loop.wait(self.shared.engine, math.max(0, pause))
  end
  return call.data, call.err
end

--- One request from start to end.
---@param request table  as for transport:start()
---@param limits? table  as for transport:await()
---@return any data
---@return scope3.Error? err
function transport:request(request, limits)
  return self:await(self:start(request), limits)
end

--- Waits without a request, in slices that see cancellation.
---@param seconds number
---@param limits? table  as for transport:await()
---@return true?
---@return scope3.Error? err
function transport:pause(seconds, limits)
  limits = limits or {}
  local until_ = self.loop.now() + seconds
  while true do
    local now = self.loop.now()
    if limits.cancel and limits.cancel() then
      return nil, errors.new("cancelled", "stopped while waiting")
    elseif limits.deadline and now >= limits.deadline then
      return nil, errors.new("timeout", "the time to wait is over")
    elseif now >= until_ then
      return true
    end
    self.loop.sleep(math.max(0, math.min(SLICE, until_ - now, limits.deadline and limits.deadline - now or SLICE)))
  end
end

return transport
