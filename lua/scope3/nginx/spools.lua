--- The files of a collector's folder: those of this worker, and those whose worker is no more.
---
--- A worker appends to one file until it has some MiB, and then to another. What the service has taken is released in its file, and a file of which
--- nothing is left is used again. Each member has a stamp, by which members of several files are put in the order in which they were taken.
local worker_stats = require "scope3.nginx.worker_stats"
local core = require "scope3.core"
local errors = require "scope3.error"
local log = require "scope3.nginx.log"

local ngx = ngx

---@class scope3.Spools
---@field bytes integer  in use, in all files of this worker
---@field unread integer  members of adopted files that were not read yet
local Spools = {}
Spools.__index = Spools

local spools = {}

local ENDING, REFUSED, DAMAGED, ADOPTING = ".spool", ".refused", ".damaged", ".lock"
local AGAIN = 1 -- seconds after which it is tried once more to make a file
local NAMES = 16 -- names that are tried for a new file: somebody who looks for orphans may take an empty one away
local ROLL = 4 * 2 ^ 20 -- bytes after which a worker goes on in another file: what was sent goes from the disk in such parts
local MOST_FREE = 2 -- empty files that are kept to be used again
local MOST_READ = 64 -- adopted files that are open at the same time
local EVERYTHING = 10 -- seconds between two looks at all files, those of workers that live too
local ALWAYS = 2 ^ 53

local BORN = math.floor(core.time() * 1e6) -- when nginx read this configuration: workers of an earlier one are known by theirs
local left = 0 -- times that a collector of this worker has let go of its files: others look at once
local number = 0 -- of files that this worker has made: two collectors of one audience need names that differ

---@class scope3.SpoolFile
---@field spool table
---@field path string
---@field number integer  of its last record
---@field used integer  bytes of it that Spools.bytes holds
---@field adopted? boolean
---@field reader? function  as spool:reader() gives it
---@field stamp? number  of the next member that `reader` gives
---@field label? string  whose that member is
---@field unread? integer  members that it has still to give

---@class scope3.SpoolMark  a batch has the records of a file up to this number
---@field file scope3.SpoolFile
---@field last integer

---@param opts {folder: string, name: string, grace: number}  `name` of the collector: files of others are left alone; `grace`: seconds for
---workers of an earlier configuration to send what they hold
---@return scope3.Spools
function spools.new(opts)
  return setmetatable({ folder = opts.folder, name = opts.name, born = BORN, grace = opts.grace,
    free = {}, -- empty files
    files = {}, -- path -> scope3.SpoolFile
    reading = {}, -- of them, those whose members are read from the file
    lock = nil, -- held while what was adopted waits: the order of several files is for one to keep
    bytes = 0, unread = 0, stamp = 0, again_at = 0, everything_at = 0,
    seen = {}, -- path of somebody else -> when it was seen first
    told = {}, -- paths of which the log knows that something is wrong with them
  }, Spools)
end

-- A stamp for the member that is taken now: later than all that this worker knows.
local function next_stamp(self)
  self.stamp = math.max(math.floor(core.time() * 1e6), self.stamp + 1)
  return self.stamp
end

local function tell(self, path, message)
  if not self.told[path] then
    self.told[path] = true
    log.say(ngx.ERR, ("scope3: the spool %s %s"):format(path, message))
  end
end

local function measure(self, file)
  local used = file.spool:bytes()
  self.bytes = self.bytes + used - file.used
  file.used = used
end

local function own(self, spool, path)
  local file = { spool = spool, path = path, number = (spool:last()), used = 0 }
  self.files[path] = file
  measure(self, file)
  return file
end

local function new_path(self, ending)
  number = number + 1
  -- The times have the same length, so that names are in the order of their files.
  return ("%s/%s-%016.0f-%016.0f-%d-%d%s"):format(self.folder, self.name, self.born, next_stamp(self), ngx.worker.pid(), number, ending)
end

-- What stands in a name: when the collector was made, when the file was, and by whom.
local function read_path(path)
  local born, made, pid = path:match("%-(%d+)%-(%d+)%-(%d+)%-%d+%.%a+$")
  return tonumber(born), tonumber(made), tonumber(pid)
end

-- A new file under a name that nobody has.
local function make(self, ending)
  local spool, message, locked, path
  for _ = 1, NAMES do
    path = new_path(self, ending)
    spool, message, locked = core.spool(path)
    if not locked then
      break
    end
  end
  if not spool and not locked then
    os.remove(path) -- it may be there and empty: the disk is full
  end
  return spool, spool and path or message
end

-- An empty file of this worker.
local function take(self)
  local file = table.remove(self.free)
  if file then
    return file
  elseif core.now() < self.again_at then
    return nil, self.fault
  end
  local spool, path = make(self, ENDING)
  if spool then
    return own(self, spool, path)
  end
  self.again_at = core.now() + AGAIN
  self.fault = errors.new("spool", ("no file can be made in %s: %s"):format(self.folder, tostring(path)))
  return nil, self.fault
end

--- Writes member `i` of a payload to the file that is being filled, and notes that in the marks of its batch.
---@param payload table
---@param i integer
---@param marks scope3.SpoolMark[]
---@param label string  whose it is
---@return boolean? ok
---@return any why
function Spools:keep(payload, i, marks, label)
  local why
  for _ = 1, 2 do -- where a file cannot take it, another one may
    local file = self.current
    if not file then
      file, why = take(self)
      if not file then
        return nil, why
      end
      self.current = file
    end
    local ok, message = file.spool:keep(payload, i, i, next_stamp(self), label)
    measure(self, file)
    if ok then
      file.number = file.number + 1
      local mark = marks[#marks]
      if mark and mark.file == file then
        mark.last = file.number
      else
        marks[#marks + 1] = { file = file, last = file.number }
      end
      if file.used >= ROLL then
        self.current = nil
      end
      return true
    end
    why = message
    if file.spool:count() == 0 then
      break -- an empty one could not either
    end
    self.current = nil
  end
  return nil, why
end

--- Goes on in another file from here on, so that this one can go when its members have.
function Spools:turn()
  self.current = nil
end

local function drop(self, file)
  file.spool:close()
  self.files[file.path] = nil
  self.bytes = self.bytes - file.used
end

-- A file of which nothing is left.
local function recycle(self, file)
  local spool, path = file.spool, file.path
  self.reading[path] = nil
  self.unread = self.unread - (file.unread or 0)
  file.unread, file.reader, file.stamp, file.label = nil, nil, nil, nil
  if self.current == file then
    self.current = nil
  end
  if spool:damaged() > 0 then
    local aside = path:sub(1, -#ENDING - 1) .. DAMAGED
    local ok, message = os.rename(path, aside)
    if not ok then -- whoever finds it next finds nothing in it to send
      tell(self, aside, "could not be put aside: " .. tostring(message))
    end
    drop(self, file)
  elseif not file.adopted and #self.free < MOST_FREE and spool:reset() then -- by its name others know whose it is
    file.number = 0
    measure(self, file)
    self.free[#self.free + 1] = file
  else
    self.bytes = self.bytes - file.used
    self.files[path] = nil
    if not spool:remove() then
      spool:close()
    end
  end
end

-- Lets others adopt again, once nothing of what was adopted waits.
local function leave_adoption(self)
  if self.lock and not next(self.reading) and not self.unopened then
    if not self.lock:remove() then
      self.lock:close()
    end
    self.lock = nil
  end
end

--- The members of a batch have left: the service has them, or refused them for good.
---@param marks scope3.SpoolMark[]
function Spools:done(marks)
  for _, mark in ipairs(marks) do
    local file = mark.file
    if self.files[mark.file.path] == file then
      file.spool:release(mark.last)
      if file.spool:count() == 0 then
        recycle(self, file)
      end
    end
  end
  leave_adoption(self)
end

--- Writes what the service refused for good to a file of its own, for somebody to look at.
---@param parts scope3.Part[]
---@param label_of fun(audience: table): string
---@return boolean? ok
---@return string? why
function Spools:set_aside(parts, label_of)
  local spool, path = make(self, REFUSED)
  if not spool then
    return nil, tostring(path)
  end
  for _, part in ipairs(parts) do
    local ok, why = spool:keep(part.payload, part.first, part.last, self.stamp, label_of(part.audience))
    if not ok then
      spool:remove()
      return nil, why
    end
  end
  spool:close()
  return true
end

-- --- files of others ------------------------------------------------------------------------------------------------------------------------

-- Reads a file's members, from the first that was not released.
local function read(self, file)
  self.unread = self.unread - (file.unread or 0)
  file.reader, file.unread = file.spool:reader(), file.spool:count()
  local _
  _, _, file.stamp, _, _, file.label = file.reader()
  self.unread = self.unread + file.unread
  self.reading[file.path] = file
end

--- Has members that wait in memory read from their files instead, so that they come in one order with those of other files.
---@param batches scope3.OutboxBatch[]  no other ones wait that are in files
function Spools:take_back(batches)
  self.current = nil
  for _, batch in ipairs(batches) do
    for _, mark in ipairs(batch.marks) do
      if self.files[mark.file.path] == mark.file then
        read(self, mark.file)
      end
    end
  end
end

--- Begins anew with the files that are read: what was read last did not become a batch.
function Spools:rewind()
  for _, file in pairs(self.reading) do
    read(self, file)
  end
end

-- Takes over a file that was opened.
local function adopt(self, spool, path, found)
  local lost = spool:lost()
  if spool:damaged() > 0 or lost > 0 then
    tell(self, path, ("is damaged: %.0f bytes of it cannot be read, and %.0f members are lost"):format(spool:damaged(), lost))
  end
  local file = own(self, spool, path)
  file.adopted = true
  self.stamp = math.max(self.stamp, (select(2, spool:last())))
  found.members, found.lost = found.members + spool:count(), found.lost + lost
  if spool:count() == 0 then
    recycle(self, file)
  else
    read(self, file)
  end
end

-- Files that may be nobody's: the path and what stands in its name. Those of workers of this configuration that live are looked at now and then.
local function candidates(self)
  local list, now = {}, core.now()
  local all = now >= self.everything_at or self.left ~= left
  if all then
    self.everything_at, self.left = now + EVERYTHING, left
  end
  local folder = self.folder:gsub("[%*%?%[%]\\]", "\\%0")
  for _, path in ipairs(core.glob(("%s/%s-*%s"):format(folder, self.name, ENDING)) or {}) do
    local born, made, pid = read_path(path)
    local alive = pid and worker_stats.is_alive(pid) or false
    local sibling = alive and born == self.born
    if not self.files[path] and (all or not sibling and not self.told[path]) then
      list[#list + 1] = { path = path, born = born or 0, made = made or 0, alive = alive, sibling = sibling }
    end
  end
  table.sort(list, function(a, b)
    return a.made < b.made
  end)
  return list, now
end

--- Adopts the files that nobody owns.
---@param rest? fun()  lets others run between two files
---@return {members: integer, lost: integer}? found
---@return string? wait  why nothing may be sent now: what somebody else is about to send is older
---@return boolean? replaced  workers of a later configuration have members: all is theirs to send, so that it comes in one order
function Spools:look(rest)
  local list, now = candidates(self)
  self.unopened = nil
  if #list == 0 then
    leave_adoption(self)
    return
  end
  for _, file in ipairs(list) do
    if file.alive and file.born > self.born then
      return nil, nil, true
    end
  end
  if not self.lock then
    local path = ("%s/%s%s"):format(self.folder, self.name, ADOPTING)
    local lock, message, locked = core.spool(path, { capacity = 4096 })
    if locked then
      return nil, "another worker sends what one that is no more left behind"
    elseif not lock then
      tell(self, path, "cannot be made: " .. message) -- alone it adopts all the same
    end
    self.lock = lock
  end
  local found, seen, wait, open = { members = 0, lost = 0 }, {}, nil, 0
  for _ in pairs(self.reading) do
    open = open + 1
  end
  for _, file in ipairs(list) do
    if open >= MOST_READ then
      self.unopened = file.made
      break
    end
    local spool, message, locked = core.spool(file.path)
    if spool then
      adopt(self, spool, file.path, found)
      open = open + 1
      if rest then
        rest()
      end
    elseif not locked then
      tell(self, file.path, "cannot be adopted: " .. message)
    elseif not file.sibling and (not file.alive or file.born < self.born) then
      seen[file.path] = self.seen[file.path] or now
      wait = wait or now - seen[file.path] < self.grace and "a worker that ends has members that are older" or nil
    end
  end
  self.seen = seen
  leave_adoption(self)
  return found, wait
end

-- Of the files that are read, the one whose next member is the oldest, and the stamp up to which that holds.
local function oldest(self)
  local first, limit = nil, self.unopened or ALWAYS
  for _, file in pairs(self.reading) do
    if file.stamp and (not first or file.stamp < first.stamp) then
      first, limit = file, math.min(limit, first and first.stamp or ALWAYS)
    elseif file.stamp then
      limit = math.min(limit, file.stamp)
    end
  end
  if first and limit < first.stamp then
    limit = first.stamp -- too many files are as old as that: in the order of their names
  end
  return first, limit
end

-- Notes that a batch has the records of a file up to a number.
local function note(marks, file, last)
  for _, mark in ipairs(marks) do
    if mark.file == file then
      mark.last = last
      return
    end
  end
  marks[#marks + 1] = { file = file, last = last }
end

--- Reads members from files, the oldest first.
---@param payload_for fun(label: string): table  where members with that label go
---@param marks scope3.SpoolMark[]  what was read is noted here
---@param most integer  members to read at once
---@return integer taken
---@return integer unfit  that are larger than a request may be, and were passed over
---@return boolean more  there is room, and further members
function Spools:read(payload_for, marks, most)
  local taken, unfit = 0, 0
  while taken + unfit < most do
    local file, limit = oldest(self)
    if not file then
      return taken, unfit, false
    end
    local payload = payload_for(file.label)
    local n, last, stamp, full, passed, label = file.reader(payload, limit, most - taken - unfit, file.label)
    file.stamp, file.label = stamp, label
    file.unread, self.unread = file.unread - n - passed, self.unread - n - passed
    taken, unfit = taken + n, unfit + passed
    if n + passed > 0 then
      note(marks, file, last)
    end
    if full then
      return taken, unfit, false
    end
  end
  return taken, unfit, true
end

--- Lets go of all files. Those with members are for others to take.
function Spools:close()
  local files = {}
  for _, file in pairs(self.files) do
    files[#files + 1] = file
  end
  self.free = {}
  for _, file in ipairs(files) do
    if file.spool:count() == 0 and file.spool:damaged() == 0 and file.spool:remove() then
      self.files[file.path] = nil
    else
      file.spool:close()
    end
  end
  self.files, self.reading, self.bytes, self.unread, self.current, self.unopened = {}, {}, 0, 0, nil, nil
  leave_adoption(self)
  left = left + 1
end

return spools
