-- A fleet that is tried: three nodes of nginx, two drainers, one Redis whose disk another process keeps busy, the
-- service, and clients that nothing kills. Acts (spec.fleet.trial.acts) kill and stop what they like meanwhile.
local appends_of = require "spec.fleet.trial.appends"
local checks = require "spec.fleet.trial.checks"
local core = require "scope3.core"
local drainers = require "spec.fleet.trial.drainers"
local model = require "spec.support.model"
local nodes = require "spec.fleet.trial.nodes"
local process = require "spec.fleet.trial.process"
local quote = require "spec.support.quote"
local redis_server = require "spec.support.redis"
local world = require "spec.support.world"

local Trial = {}
Trial.__index = Trial

local trial = {}

local NODES, CLIENTS = 3, 2 -- and clients of each node
local PATIENCE, LONG_PATIENCE = 300, 1200 -- seconds for what has to come; for all that waits in the end
local LOOK = 0.02 -- seconds between two looks
local LUA = os.getenv "SCOPE3_LUA_BIN" or "luajit"

-- Debian's own settings but for `appendonly`. The log is never written anew: it tells in the end what was appended.
local REDIS = "appendonly yes\nappendfsync everysec\nauto-aof-rewrite-percentage 0\n"

---@class scope3.TrialOptions
---@field seed integer
---@field members integer  ids, each with some operations
---@field seconds number  in which they come
---@field lease number
---@field every number
---@field max_bytes integer  of a request
---@field window integer  ids of a client that are young
---@field batch integer  operations of a request of a client
---@field pad integer  bytes by which a member is larger
---@field busy_disk? boolean  another process has the disk of Redis write and wait
---@field maxmemory? string  of Redis, which then refuses what is more
---@field say? fun(line: string)

local function start_service(folder)
  local settings = world.json.encode { task_seconds = 0, audience_seconds = 0, min_size = 0 }
  local program = ("package.path, package.cpath = %q, %q "):format(package.path, package.cpath)
    .. ("require('spec.fleet.trial.service').serve(%q, %q)"):format(folder, settings)
  local pipe = assert(io.popen(("unset LD_PRELOAD; trap '' INT; exec %s -e %s </dev/null 2>&1"):format(LUA,
    quote(program)), "r"))
  local line = pipe:read "*l"
  assert(tonumber(line), line)
  return pipe, "http://127.0.0.1:" .. line
end

-- A process that has the disk of Redis write and wait, as long as the folder is there. Redis delays its writes then.
local function start_fsync(folder)
  os.execute(([[(while [ -d %s ]; do dd if=/dev/zero of=%s/busy bs=64k count=32 conv=fsync; sleep 0.05; done) \
    >/dev/null 2>&1 </dev/null &]]):format(quote(folder), quote(folder)))
end

-- Starts the clients, each with a file of what it is to do.
local function start_clients(self, opts)
  local all = NODES * CLIENTS
  for i = 1, all do
    local path, node = ("%s/c%d"):format(self.folder, i), self.nodes[(i - 1) % NODES + 1]
    world.write(path .. ".json", world.json.encode { number = i, seed = opts.seed * 31 + i, url = node.url,
      log = path .. ".log", alive = self.folder .. "/alive", enough = self.folder .. "/enough",
      made = path .. ".made", ids = math.ceil(opts.members / all), window = opts.window, batch = opts.batch,
      pace = opts.members / 0.7 / all / opts.seconds })
    self.clients[i] = { pid = process.start(path, process.line { LUA, "spec/fleet/trial/client.lua", path .. ".json" }),
      log = path .. ".log", err = path .. ".err", made = path .. ".made" }
  end
end

--- Starts all of it.
---@param opts scope3.TrialOptions
function trial.new(opts)
  local self = setmetatable({ opts = opts, folder = world.path ".trial", roll = model.dice(opts.seed + 1), nodes = {},
    clients = {}, counts = {}, takeovers = {}, heads = {}, bytes_cut = 0, lease = opts.lease }, Trial)
  os.execute(("mkdir -m 711 '%s'"):format(self.folder))
  world.write(self.folder .. "/alive", "")
  self.redis = redis_server.start { conf = REDIS .. (opts.maxmemory and
    ("maxmemory %s\nmaxmemory-policy noeviction\n"):format(opts.maxmemory) or "") }
  if opts.busy_disk then
    start_fsync(self.redis.folder)
  end
  self.appends = appends_of.new(self.redis)
  self.service, self.url = start_service(self.folder)
  for i = 1, NODES do
    self.nodes[i] = nodes.new(("%s/n%d"):format(self.folder, i), self.redis.url, opts.pad)
  end
  start_clients(self, opts)
  self.drainers = drainers.new(self.folder, self.redis.url, self.url, opts)
  self.drainers:start()
  self.drainers:start()
  return self
end

--- Counts something that was done.
---@param what string
---@param more? string  for whoever looks on
function Trial:note(what, more)
  self.counts[what] = (self.counts[what] or 0) + 1
  if self.opts.say then
    self.opts.say(("%s: %s%s"):format(os.date "%H:%M:%S", what, more and " (" .. more .. ")" or ""))
  end
end

--- Has everything due be done until a condition gives something, and gives it.
---@generic T
---@param what string  that comes
---@param condition fun(): T?
---@param seconds? number
---@return T
function Trial:await(what, condition, seconds)
  local deadline = core.now() + (seconds or PATIENCE)
  while true do
    self.appends:look()
    self.drainers:tick()
    local value = condition()
    if value then
      return value
    end
    assert(core.now() < deadline, "never: " .. what)
    core.sleep(LOOK)
  end
end

--- Lets it run.
---@param seconds number
function Trial:pass(seconds)
  local deadline = core.now() + seconds
  self:await("a pause", function()
    return core.now() >= deadline
  end)
end

--- Lines that the service has noted: what, at, by whom.
---@return {word: string, at: number, name: string}[]
function Trial:noted()
  self.noted_file = self.noted_file or assert(io.open(self.folder .. "/heads", "rb"))
  local file = self.noted_file
  while true do
    local at = file:seek()
    local line = file:read "*l"
    local word, time, name = (line or ""):match "^(%a+) ([%d.]+) (%S+)$"
    if not word then
      file:seek("set", at) -- a line that is not whole is read again
      return self.heads
    end
    table.insert(self.heads, { word = word, at = tonumber(time), name = name })
  end
end

--- Waits for a note of the service after those that are there.
---@param what string
---@param fits fun(head: {word: string, at: number, name: string}): boolean?
---@param times? integer  so many of them (1)
---@return {word: string, at: number, name: string}
function Trial:await_head(what, fits, times)
  local next_one, left = #self:noted() + 1, times or 1
  return self:await(what, function()
    local heads = self:noted()
    while heads[next_one] do
      left = left - (fits(heads[next_one]) and 1 or 0)
      next_one = next_one + 1
      if left == 0 then
        return heads[next_one - 1]
      end
    end
  end)
end

--- Has the service be late with the next request.
---@param what "body"|"work"  before it reads the body, or before it carries it out
---@param seconds number
function Trial:be_late(what, seconds)
  world.write(self.folder .. "/late.new", ("%s %.3f"):format(what, seconds))
  assert(os.rename(self.folder .. "/late.new", self.folder .. "/late"))
end

--- Whether all clients have made as many ids as they are to.
---@return boolean
function Trial:is_made()
  for _, client in ipairs(self.clients) do
    if not world.exists(client.made) then
      return false
    end
  end
  return true
end

-- Whether all clients have ended.
local function is_said(self)
  for _, client in ipairs(self.clients) do
    if process.lives(client.pid) then
      return false
    end
    assert(world.read(client.log):sub(-3) == "\n.\n", "a client has failed: " .. world.read(client.err))
  end
  return true
end

-- Whether nothing is on its way any more. Says how much is.
local function is_over(self)
  local held = 0
  for _, node in ipairs(self.nodes) do
    held = held + (node:held() or 1)
  end
  local connection = self.redis:open()
  local n = connection:call("XLEN", "{scope3:trial}:s")
  connection:close()
  if self.opts.say and core.now() >= (self.say_at or 0) then
    self.say_at = core.now() + 10
    self.opts.say(("%s: nodes hold %d, the queue has %d entries"):format(os.date "%H:%M:%S", held, n))
  end
  return held == 0 and n == 0
end

--- Waits until everything has arrived, ends it, and says what is wrong.
---@return table found  of spec.fleet.trial.checks
function Trial:finish()
  self:await("as many members as there are to be", function()
    return self:is_made()
  end)
  world.write(self.folder .. "/enough", "")
  self:await("the end of the clients", function()
    return is_said(self)
  end)
  self:await("the end of what waits", function()
    return is_over(self)
  end, LONG_PATIENCE)
  local sums = self.drainers:finish()
  local reply = world.http("POST", self.url .. "/sandbox/trial", "", { timeout = 300 })
  assert(reply.status == 200, reply.message)
  for _, node in ipairs(self.nodes) do
    node:close()
  end
  self.redis:stop "TERM"
  return checks.look(self, sums)
end

--- Ends what is left of it.
---@param keeps? boolean  its files, for a person to look at
function Trial:close(keeps)
  os.remove(self.folder .. "/alive")
  self.drainers:close()
  for _, client in ipairs(self.clients) do
    if process.lives(client.pid) then
      process.kill(client.pid)
    end
  end
  for _, node in ipairs(self.nodes) do
    node:close()
  end
  self.redis:close()
  self.service:close()
  if self.noted_file then
    self.noted_file:close()
  end
  if not keeps then
    os.execute(("rm -rf '%s'"):format(self.folder))
  end
end

return trial
