--- Finds spool files whose worker is no more, and decides who may adopt them.
---
--- Several workers may look at once. One of them holds a lock while members of adopted files wait, because their order
--- is for one worker to keep.
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"
local nginx_log = require "scope3.util.nginx_log"
local process = require "scope3.nginx.process"
local spool_name = require "scope3.nginx.spool_name"
local spool_strangers = require "scope3.nginx.spool_strangers"

interpreted(true, true) -- nothing here runs for each member

local ngx = ngx

---@class scope3.SpoolCandidate  a file of another worker
---@field path string
---@field born number  when its worker's configuration was read, in microseconds
---@field made number  microseconds
---@field pid integer|false  of its worker
---@field alive boolean  its worker
---@field sibling boolean  its worker is alive, and of this configuration

---@class scope3.SpoolOrphans
---@field lock table|false  held while adopted members wait
local SpoolOrphans = {}
SpoolOrphans.__index = SpoolOrphans

local spool_orphans = {}

local PATIENCE = 60 -- seconds that newer members wait for a file that cannot be opened
local LOOK_AT_ALL = 10 -- seconds between two looks at all files, also those of living siblings

-- How often a collector of this worker has let go of its files. After that the others look at all files.
local releases = 0

---@param opts {folder: string, name: string, grace: number}  as for spool.new
---@return scope3.SpoolOrphans
function spool_orphans.new(opts)
  return setmetatable({
    folder = opts.folder, name = opts.name, grace = opts.grace,
    lock = false, -- a field from the start, so that a lock which was taken needs no memory to be kept
    all_at = 0, -- when to look at all files next
    known = {}, -- path of a file of another worker -> scope3.SpoolCandidate
    seen = {}, -- path of a file that is locked -> when it was seen first
    reported = {}, -- paths with a problem that the log has
    failed_at = {}, -- path of a file that cannot be opened -> since when
  }, SpoolOrphans)
end

--- Notes that files of this worker are free to be adopted.
function spool_orphans.released()
  releases = releases + 1
end

--- Logs a problem with a file, once.
---@param path string
---@param message string
function SpoolOrphans:report(path, message)
  if not self.reported[path] then
    self.reported[path] = true
    nginx_log.say(ngx.ERR, ("scope3: the spool %s %s"):format(path, message))
  end
end

local function read_name(path)
  local born, made, pid = spool_name.parse(path)
  return { path = path, born = born or 0, made = made or 0, pid = pid or false }
end

-- Files of other workers by their paths, those that were seen before among them: there may be hundreds, and to read a
-- name costs more than to find it. `alive` are workers that were asked for in this look.
local function candidate(self, path, alive)
  local file = self.known[path] or read_name(path)
  local pid = file.pid
  if alive[pid] == nil then
    alive[pid] = pid and process.is_alive(pid)
  end
  file.alive = alive[pid]
  file.sibling = file.alive and file.born == spool_name.CONFIGURATION
  return file
end

--- Files that may be orphans, the oldest first.
---
--- Files of living siblings, and those with problems, are looked at only now and then.
---@param own table<string, scope3.SpoolFile>  this worker's files by their paths; many may linger
---@return scope3.SpoolCandidate[]
---@return number newest  when the last of all files was made
function SpoolOrphans:candidates(own)
  local list, known, alive = {}, {}, {}
  local now, newest = core.now(), 0
  local all = now >= self.all_at or self.releases ~= releases
  if all then
    self.all_at, self.releases = now + LOOK_AT_ALL, releases
    spool_strangers.look(self.folder)
  end
  for _, path in ipairs(spool_name.list(self.folder, self.name)) do
    local file = own[path] or candidate(self, path, alive)
    newest = math.max(newest, file.made)
    known[path] = not own[path] and file or nil
    if known[path] and (all or not file.sibling and (not self.reported[path] or self.failed_at[path])) then
      list[#list + 1] = file
    end
  end
  self.known = known
  table.sort(list, function(a, b)
    return a.made < b.made or a.made == b.made and a.path < b.path
  end)
  return list, newest
end

--- Whether workers of a later configuration have files. Then all members are theirs to send, in one order.
---@param list scope3.SpoolCandidate[]
---@return boolean
function spool_orphans.is_replaced(list)
  for _, file in ipairs(list) do
    if file.alive and file.born > spool_name.CONFIGURATION then
      return true
    end
  end
  return false
end

--- Takes the lock. A lock that cannot be made is reported, and does not keep this worker from adopting. So is one of
--- another version, which a killed worker left: nobody would remove it.
---@return string? wait  why not: another worker holds it
function SpoolOrphans:take_lock()
  if self.lock then
    return nil
  end
  local path = ("%s/%s%s"):format(self.folder, self.name, spool_name.LOCK)
  local lock, message, word = core.spool(path, { capacity = 4096 })
  if word == "locked" then
    return "another worker sends what one that is no more left behind"
  elseif not lock then
    self:report(path, "cannot be made: " .. message)
  end
  self.lock = lock or false
end

--- Lets other workers adopt again.
function SpoolOrphans:release_lock()
  if self.lock then
    if not self.lock:remove() then
      self.lock:close()
    end
    self.lock = false
  end
end

--- Why newer members have to wait for a file that the system would not open. It is the system's fault, so it is tried
--- again; nil once that has taken too long, or where the file is none of ours.
---@param path string
---@param message string
---@param word string?  as core.spool gives it
---@return string? wait
function SpoolOrphans:cannot_open(path, message, word)
  local now = core.now()
  self:report(path, "cannot be adopted: " .. message)
  if word == "unreadable" then
    return nil
  end
  self.failed_at[path] = self.failed_at[path] or now
  return now - self.failed_at[path] < PATIENCE and "an older file cannot be opened: " .. message or nil
end

--- Why members have to wait for files that other workers hold: workers that end have older members. Nil once their
--- grace is over.
---@param locked scope3.SpoolCandidate[]
---@return string? wait
function SpoolOrphans:must_wait(locked)
  local seen, wait, now = {}, nil, core.now()
  for _, file in ipairs(locked) do
    if not file.sibling and (not file.alive or file.born < spool_name.CONFIGURATION) then
      seen[file.path] = self.seen[file.path] or now
      if now - seen[file.path] < self.grace then
        wait = "a worker that ends has members that are older"
      end
    end
  end
  self.seen = seen
  return wait
end

return spool_orphans
