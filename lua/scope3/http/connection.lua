--- A connection that carries the bytes of a protocol other than HTTP, for every loop: libcurl connects, and brings TLS.
---
--- One caller at a time writes and reads. Another one could not tell which answer is its own.
local engines = require "scope3.http.engines"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local interpreted = require "scope3.util.interpreted"
local loops = require "scope3.loop"
local network_error = require "scope3.http.network_error"
local uninterrupted = require "scope3.http.uninterrupted"
local waiting = require "scope3.http.waiting"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.ConnectionOptions
---@field url string  http://host:port or https://host:port, where the latter means TLS
---@field loop scope3.Loop
---@field ca_file? string
---@field seconds number  until it is open

---@class scope3.Connection
---@field loop scope3.Loop
---@field shared scope3.SharedEngine
---@field waiter scope3.Waiter
---@field private socket table?  the engine's; nil once it is closed
---@field private left integer  bytes that have not left yet
local Connection = {}
Connection.__index = Connection
Connection.__name = "scope3.http.connection"

local connection = {}

local function failure(self)
  local found = self.socket and self.socket:failure()
  return found and network_error.connection(found)
    or errors.new("network", "the connection was closed before", { code = "CLOSED", retryable = true })
end

-- For waiting.drive(): nothing starts by itself.
function Connection.start_due() end

function Connection:advance()
  self.shared:advance()
end

function Connection:drive(done, limits, waiter, ...)
  local ok, why = waiting.drive(self, done, limits, waiter, ...)
  return ok, why
end

--- Wakes who waits for it.
function Connection:wake()
  self.waiter.woken = true
  if self.loop.wake then
    self.loop.wake(self.waiter)
  end
end

--- Whether something has happened that was waited for.
---@return boolean
function Connection:is_ready()
  return self.socket == nil or self.socket:is_ready()
end

local function timeout(limits)
  return nil, errors.new("timeout", limits.over or "the deadline passed")
end

-- Waits until is_ready(). What is ready again and again without a byte must not outlast the deadline.
local function await(self, limits)
  if limits.deadline and self.loop.now() >= limits.deadline then
    return timeout(limits)
  end
  self.shared.awaiting[self] = true
  local ok, why = self:drive(self.is_ready, limits, self.waiter, self)
  self.shared.awaiting[self] = nil
  if ok then
    return true
  end
  local fault = limits.guard and limits.guard.fault or self.waiter.fault
  if not fault and why == "timeout" then
    return timeout(limits)
  end
  return nil, fault or errors.new("cancelled", "stopped while waiting")
end

--- Opens a connection.
---@param options scope3.ConnectionOptions
---@param limits scope3.DriveLimits
---@return scope3.Connection?
---@return scope3.Error? err
function connection.open(options, limits)
  local shared = engines.get(options.loop, options.ca_file)
  local engine, why = shared:open()
  local socket
  if engine then
    socket, why = engine:connect { url = options.url, timeout = options.seconds }
  end
  if not socket then
    return nil, errors.new("network", "the connection could not be begun: " .. tostring(why),
      { code = "NOT_STARTED", retryable = true })
  end
  local self = setmetatable({ loop = options.loop, shared = shared, socket = socket, left = 0,
    try = loops.may_raise(options.loop) and guard.call or nil,
  }, options.loop.hold and uninterrupted.of(Connection) or Connection)
  self.waiter = setmetatable({ news = {}, waiting = {}, calls = {}, flying = 0, woken = false }, { __index = {
    step = shared.of_waiters.__index.step,
    abandon = function()
      self:close() -- who comes next could not tell which answer is its own
    end,
  } })
  local ok, err = await(self, limits)
  if ok and socket:state() ~= "open" then
    ok, err = nil, failure(self)
  end
  if not ok then
    self:close()
    return nil, err
  end
  return self
end

-- Sends what can leave now. A failure shows at the next read, after what came before it.
local function flush(self)
  if self.left > 0 then
    self.left = self.socket:send() or self.left
  end
end

--- Sends bytes. What cannot leave at once does while somebody reads. Who answered what it had not taken yet is none
--- that anything more is sent to.
---@param pieces (string|table)[]  texts, and lines of scope3.core
function Connection:write(pieces)
  if self.left > 0 then
    self:close()
  elseif self.socket then
    self.socket:put(pieces)
    self.left = self.socket:send() or 1
  end
end

--- Waits for bytes, and sends what has not left yet.
---@param limits scope3.DriveLimits
---@return string? bytes  some; nil where there will be none
---@return scope3.Error? err
function Connection:read(limits)
  while self.socket do
    flush(self)
    local bytes = self.socket:receive()
    if not bytes then
      break
    elseif bytes ~= "" then
      return bytes
    end
    self.socket:watch(self.left > 0)
    self.waiter.answers = self.left == 0
    local ok, err = await(self, limits)
    if not ok then
      return nil, err
    end
  end
  return nil, failure(self)
end

--- Whether the other side has neither ended it nor sent what nobody asked for. Not while somebody reads.
---@return boolean
function Connection:is_idle()
  return self.socket ~= nil and self.socket:receive() == ""
end

--- Whether it was closed: by its owner, or because a host dropped the coroutine that waited for it.
---@return boolean
function Connection:is_closed()
  return self.socket == nil
end

--- Closes it. Idempotent.
function Connection:close()
  local socket = self.socket
  self.socket, self.left = nil, 0
  self.shared.awaiting[self] = nil
  if socket then
    socket:close()
  end
end

Connection.__close = Connection.close

return connection
