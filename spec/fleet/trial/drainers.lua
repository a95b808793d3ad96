-- The drainers of a trial: real processes of `scope3 drain`, each with a key of its own, so that the service can tell
-- who sends. One that was killed, or found no Redis when it began, is started again after a while, as systemd does.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local process = require "spec.fleet.trial.process"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local drainers = {}

local Drainers = {}
Drainers.__index = Drainers

local RESTART, DAY = 1, 86400 -- seconds
local LUA = os.getenv "SCOPE3_LUA_BIN" or "luajit"

---@param folder string
---@param redis_url string
---@param base_url string
---@param opts scope3.TrialOptions
function drainers.new(folder, redis_url, base_url, opts)
  return setmetatable({ folder = folder, redis_url = redis_url, running = {}, due = {}, starts = 0, repeated = 0,
    words = { LUA, "bin/scope3.in", "drain", "--account", "25", "--base-url", base_url, "--queue", "trial", "--lease",
      opts.lease, "--every", opts.every, "--max-bytes", opts.max_bytes, "--rate", "100000", "--json" } }, Drainers)
end

--- Starts one. Its name is a part of its key.
---@return string name
function Drainers:start()
  self.starts = self.starts + 1
  local name = "d" .. self.starts
  local path = ("%s/%s"):format(self.folder, name)
  self.running[name] = process.start(path, process.line(self.words) .. (" --events '%s.events'"):format(path),
    ("SCOPE3_API_KEY=scope3_trial_%s SCOPE3_REDIS_URL=%s"):format(name, self.redis_url))
  return name
end

--- Kills one, stopped or not; another one comes after some seconds.
---@param name string
---@param seconds number
function Drainers:kill(name, seconds)
  process.kill(assert(self.running[name], name))
  self.running[name] = nil
  table.insert(self.due, core.now() + seconds)
end

---@param name string
---@param signal string
function Drainers:signal(name, signal)
  process.signal(assert(self.running[name], name), signal)
end

--- Sends all that run a signal.
---@param signal string
function Drainers:signal_all(signal)
  for _, pid in entries(self.running) do
    process.signal(pid, signal)
  end
end

--- When one handed its first request over for sending, after a time. Its head comes later where the service is busy.
---@param name string
---@param at number  seconds since 1970
---@return number? seconds  after that time
function Drainers:sent_after(name, at)
  for line in io.lines(("%s/%s.events"):format(self.folder, name)) do
    local hours, minutes, seconds = line:match '"time":"[^T"]*T(%d+):(%d+):([%d.]+)Z"'
    local after = hours and (hours * 3600 + minutes * 60 + seconds - at) % DAY
    if after and after < DAY / 2 and line:find('"event":"request"', 1, true) then
      return after
    end
  end
end

-- Has one that ended come again. One that had the lease ends only by a fault.
local function restart(self, name)
  local path = ("%s/%s"):format(self.folder, name)
  local said = world.read(path .. ".out")
  if not said:find '"retryable": true' or not said:find '"leases": 0' then
    error(("%s has ended: %s%s"):format(name, said, world.read(path .. ".err")))
  end
  self.running[name] = nil
  table.insert(self.due, core.now() + RESTART)
end

--- Starts those whose time it is.
function Drainers:tick()
  local ended = {}
  for name, pid in entries(self.running) do
    ended[#ended + 1] = not process.lives(pid) and name or nil
  end
  for _, name in ipairs(ended) do
    restart(self, name)
  end
  if self.due[1] and core.now() >= self.due[1] then
    table.remove(self.due, 1)
    self:start()
  end
end

--- Ends them, and adds up what those say that end by themselves: those that were killed say nothing.
---@return {repeated: integer, failed: integer, lost: integer}
function Drainers:finish()
  local sums = { repeated = 0, failed = 0, lost = 0 }
  for name, pid in entries(self.running) do
    process.signal(pid, "TERM")
    until_true(function()
      return not process.lives(pid)
    end, "the end of " .. name)
    local said = world.json.decode(world.read(("%s/%s.out"):format(self.folder, name)))
    sums.repeated, sums.lost = sums.repeated + said.repeated, sums.lost + said.lost
    sums.failed = sums.failed + said.failed + said.rejected_by_service + said.unreadable + said.too_large
  end
  self.running = {}
  return sums
end

function Drainers:close()
  for _, pid in entries(self.running) do
    process.kill(pid)
  end
  self.running = {}
end

return drainers
