--- A running sandbox: its clock, its connections, and how it reports errors of its own.
local cqueues = require "cqueues"
local callback = require "scope3.sandbox.callback"
local connection = require "scope3.sandbox.connection"
local instance = require "scope3.sandbox.instance"
local state = require "scope3.sandbox.state"

---@class scope3.sandbox.Server: scope3.sandbox.Instance
---@field errors integer  of its own
---@field running boolean
local Server = {}
Server.__index = Server

local server = {}

local TICK = 0.05 -- seconds between two looks at what is due
local NO_MORE = "sandbox: further errors are not printed\n"

-- The wall clock at the start of cqueues' monotonic clock: times have fractions, and never go back.
local epoch = os.time() - cqueues.monotime()

---@param opts {settings: table, tls: userdata?, error_bytes: integer?}
---@return scope3.sandbox.Server
function server.new(opts)
  local self = setmetatable({
    config = {}, initial = opts.settings, tls = opts.tls, error_bytes = opts.error_bytes,
    connections = 0, queue = cqueues.new(), errors = 0,
    peers = setmetatable({}, { __mode = "k" }), -- thread -> its connection
  }, Server)
  self.clock = function()
    return self:now()
  end
  self:reset()
  return self
end

--- The time. The clock "manual" moves only by advance().
---@return number seconds  since 1970
function Server:now()
  if self.config.clock == "manual" then
    self.stands_at = self.stands_at or epoch + cqueues.monotime()
    return self.stands_at
  end
  return epoch + cqueues.monotime()
end

--- Moves the manual clock.
---@param seconds number
function Server:advance(seconds)
  self.stands_at = self:now() + seconds
end

--- Forgets everything, and restores the settings that it was started with.
function Server:reset()
  self.stands_at = nil
  instance.reset(self, function(task)
    if task.push then
      self:call_back(task)
    end
  end)
end

--- Sends the completion callback of a task.
---@param task table
function Server:call_back(task)
  local built = callback.build(task, state, self.clock(), self.config.callback_key)
  local entry = { task_id = task.id, sent = built ~= nil }
  self.callbacks[#self.callbacks + 1] = entry
  if built then
    self.queue:wrap(function()
      entry.status = callback.send(built)
    end)
  end
end

-- The lines at the head of a text that so many bytes hold; of a first line that is longer its beginning.
local function head_of(text, bytes)
  local start = text:sub(1, bytes)
  return start:match "^.*\n" or bytes > 0 and start:sub(1, bytes - 1) .. "\n" or ""
end

-- Prints an error, as far as `error_bytes` leaves room. Of these the last words have theirs until they are printed.
local function print_error(self, text)
  if self.error_bytes then
    local room = self.error_bytes - #NO_MORE
    if room < 0 then
      return
    end
    local fits = #text <= room
    text = fits and text or head_of(text, room) .. NO_MORE
    self.error_bytes = fits and self.error_bytes - #text or 0
  end
  io.stderr:write(text)
end

-- Ends tasks and sends callbacks while no request comes.
local function tick(self, pause)
  self.ticker = coroutine.running()
  cqueues.sleep(pause)
  while self.running do
    self.state:settle()
    cqueues.sleep(TICK)
  end
end

-- Reports an error that no handler caught. It is a fault of the sandbox, so its request gets 500 and the process fails.
local function report_failure(self, message, thread)
  self.errors = self.errors + 1
  print_error(self, ("sandbox: an error of its own: %s\n"):format(
    thread and debug.traceback(thread, tostring(message)) or tostring(message)))
  local peer = thread and self.peers[thread]
  if peer then
    self.peers[thread] = nil
    self.queue:wrap(connection.fail, self, peer)
  elseif thread and thread == self.ticker then
    self.queue:wrap(tick, self, 1)
  end
end

local function serve_connection(self, socket)
  self.connections = self.connections + 1
  local thread, peer = coroutine.running(), { socket = socket, number = self.connections }
  self.peers[thread] = peer
  connection.serve(self, peer, self.tls)
  self.peers[thread] = nil
end

--- Accepts connections of a listener while it runs.
---@param listener userdata
function Server:accept(listener)
  self.queue:wrap(function()
    while self.running do
      local socket = listener:accept()
      if socket then
        self.queue:wrap(serve_connection, self, socket)
      end
    end
  end)
end

--- Stops once a function returns, which may wait.
---@param wait fun()
function Server:stop_after(wait)
  self.queue:wrap(function()
    wait()
    self.running = false
  end)
end

--- Runs until it is stopped.
function Server:run()
  self.queue:wrap(tick, self, TICK)
  while self.running do
    local stepped, message, _, thread = self.queue:step()
    if not stepped then
      report_failure(self, message, thread)
    end
  end
end

return server
