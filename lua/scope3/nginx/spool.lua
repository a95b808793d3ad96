--- The spool of a collector: its members in files, so that they outlive this worker.
---
--- A worker appends to one file until it has some MiB, then to another. A file of which all members were accepted is
--- used again, or removed. Each member has a stamp, which gives members of several files one order.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local plural = require "scope3.util.plural"
local spool_name = require "scope3.nginx.spool_name"
local spool_orphans = require "scope3.nginx.spool_orphans"
local spool_reader = require "scope3.nginx.spool_reader"

local ngx = ngx

---@class scope3.Spool
---@field bytes integer  in use, in all files of this worker
local Spool = {}
Spool.__index = Spool

local spool = {}

local RETRY = 1 -- seconds until it is tried again to make a file
local MAX_NAMES = 16 -- names to try for a new file: a worker that looks for orphans may remove an empty one
local ROLL = 4 * 2 ^ 20 -- bytes after which a worker goes on in another file, so that the disk is freed in such parts
local MAX_FREE = 2 -- empty files that are kept to be used again
local MAX_READING = 64 -- adopted files that are open at once

local number = 0 -- of files that this process has made: two collectors of one audience need different names

---@class scope3.SpoolFile
---@field spool table  of scope3.core
---@field path string
---@field number integer  of its last record
---@field used integer  bytes of it that Spool.bytes holds
---@field adopted? boolean

---@class scope3.SpoolMark  a batch has the records of a file up to this number
---@field file scope3.SpoolFile
---@field last integer

---@param opts {folder: string, name: string, grace: number}  `name` of the collector: other files are left alone;
---  `grace`: seconds for workers of an earlier configuration to send what they hold
---@return scope3.Spool
function spool.new(opts)
  return setmetatable({
    prefix = opts.folder .. "/" .. opts.name, folder = opts.folder,
    orphans = spool_orphans.new(opts),
    reader = spool_reader.new(), -- reads the files whose members are not in memory
    free = {}, -- empty files
    files = {}, -- path -> scope3.SpoolFile
    bytes = 0, stamp = 0, retry_at = 0,
  }, Spool)
end

--- Members in files that were not read yet.
---@return integer
function Spool:unread()
  return self.reader.unread
end

-- A stamp for the member that is taken now: later than all that this worker knows.
local function next_stamp(self)
  self.stamp = math.max(math.floor(core.time() * 1e6), self.stamp + 1)
  return self.stamp
end

local function measure(self, file)
  local used = file.spool:bytes()
  self.bytes = self.bytes + used - file.used
  file.used = used
end

-- A file of this worker; one that is adopted is read. First: else it would be read by nobody after an error.
local function own(self, opened, path, adopted)
  local file = { spool = opened, path = path, number = (opened:last()), used = 0, adopted = adopted }
  if adopted and opened:count() > 0 then
    self.reader:add(file)
  end
  self.files[path] = file
  measure(self, file)
  return file
end

-- A new file under a name that no other has, and its path; nil and a message.
local function make(self, kind)
  local opened, message, locked, path
  for _ = 1, MAX_NAMES do
    number = number + 1
    path = spool_name.path(self.prefix, next_stamp(self), ngx.worker.pid(), number, kind)
    opened, message, locked = core.spool(path)
    if not locked then
      break
    end
  end
  if not opened and not locked then
    os.remove(path) -- it may exist and be empty: the disk is full
  end
  return opened, opened and path or message
end

-- An empty file of this worker.
local function take(self)
  local file = table.remove(self.free)
  if file then
    return file
  elseif core.now() < self.retry_at then
    return nil, self.fault
  end
  local opened, path = make(self, spool_name.ACTIVE)
  if opened then
    return own(self, opened, path)
  end
  self.retry_at = core.now() + RETRY
  self.fault = errors.new("spool", ("no file can be made in %s: %s"):format(self.folder, tostring(path)))
  return nil, self.fault
end

-- Notes a record that was appended to a file, in the marks of its batch.
local function note_record(self, file, marks)
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
end

--- Writes member `i` of a payload to the file that is being filled, and notes that in the marks of its batch.
---@param payload table
---@param i integer
---@param marks scope3.SpoolMark[]
---@param label string  of its audience
---@return boolean? ok
---@return any why
function Spool:keep(payload, i, marks, label)
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
      note_record(self, file, marks)
      return true
    end
    why = message
    if file.spool:count() == 0 then
      break -- another empty file could not take it either
    end
    self.current = nil
  end
  return nil, why
end

--- Goes on in another file, so that this one can be freed when its members were accepted.
function Spool:turn()
  self.current = nil
end

-- Puts a damaged file aside, for a person to look at.
local function set_damaged_aside(self, file)
  local aside = file.path:sub(1, -#spool_name.ACTIVE - 1) .. spool_name.DAMAGED
  local ok, message = os.rename(file.path, aside)
  if not ok then -- the worker that finds it next finds nothing in it to send
    self.orphans:report(aside, "could not be put aside: " .. tostring(message))
  end
  file.spool:close()
  self.files[file.path] = nil
  self.bytes = self.bytes - file.used
end

-- Keeps, removes or puts aside a file that has no members left.
local function recycle(self, file)
  self.reader:remove(file)
  if self.current == file then
    self.current = nil
  end
  if file.spool:damaged() > 0 then
    set_damaged_aside(self, file)
  elseif not file.adopted and #self.free < MAX_FREE and file.spool:reset() then
    file.number = 0 -- an adopted file is not kept: its name says that it is another worker's
    measure(self, file)
    self.free[#self.free + 1] = file
  else
    self.bytes = self.bytes - file.used
    self.files[file.path] = nil
    if not file.spool:remove() then
      file.spool:close()
    end
  end
end

-- Lets other workers adopt again, once no adopted member waits.
local function end_adoption(self)
  if self.reader:count() == 0 and not self.unopened then
    self.orphans:release_lock()
  end
end

--- Releases the members of a batch: the service has accepted them, or rejected them for good.
---@param marks scope3.SpoolMark[]
function Spool:done(marks)
  for _, mark in ipairs(marks) do
    local file = mark.file
    if self.files[file.path] == file then
      file.spool:release(mark.last)
      if file.spool:count() == 0 then
        recycle(self, file)
      end
    end
  end
  end_adoption(self)
end

--- Writes members that the service rejected for good to a file of its own, for a person to look at.
---@param parts scope3.Part[]
---@param label_of fun(audience: table): string
---@return boolean? ok
---@return string? why
function Spool:set_aside(parts, label_of)
  local opened, path = make(self, spool_name.REJECTED)
  if not opened then
    return nil, tostring(path)
  end
  for _, part in ipairs(parts) do
    local ok, why = opened:keep(part.payload, part.first, part.last, self.stamp, label_of(part.audience))
    if not ok then
      opened:remove()
      return nil, why
    end
  end
  opened:close()
  return true
end

-- --- reading ---

--- Has members that wait in memory read from their files instead, in one order with those of other files.
---@param batches scope3.OutboxBatch[]  all that wait and are in files
function Spool:take_back(batches)
  self.current = nil
  for _, batch in ipairs(batches) do
    for _, mark in ipairs(batch.marks) do
      if self.files[mark.file.path] == mark.file then
        self.reader:add(mark.file)
      end
    end
  end
end

--- Reads again what was read last and did not become a batch.
function Spool:rewind()
  self.reader:rewind()
end

--- Reads members from files, the oldest first.
---@param payload_for fun(label: string): table  the payload of members with a label
---@param marks scope3.SpoolMark[]  gets what was read
---@param most integer  members to read at once
---@return integer unfit  members that are larger than a request may be; they were passed over
---@return boolean more  there is room, and further members
function Spool:read(payload_for, marks, most)
  return self.reader:read { payload_for = payload_for, marks = marks, most = most, limit = self.unopened }
end

-- --- files of other workers ---

-- Takes over a file that was opened: how many members it has, and how many are lost.
local function adopt(self, opened, path)
  local lost, members = opened:lost(), opened:count()
  if opened:damaged() > 0 or lost > 0 then
    self.orphans:report(path, ("is damaged: %s of it cannot be read, and %s lost"):format(
      plural.of(opened:damaged(), "byte"), plural.of(lost, "member is", "members are")))
  end
  self.stamp = math.max(self.stamp, (select(2, opened:last())))
  local file = own(self, opened, path, true)
  if members == 0 then
    recycle(self, file)
  end
  return members, lost
end

-- Adopts those files that no worker holds: what they had, and why members have to wait for the others.
local function adopt_all(self, list, rest)
  local found, locked, open = { members = 0, lost = 0 }, {}, self.reader:count()
  for _, file in ipairs(list) do
    if open >= MAX_READING then
      self.unopened = file.made
      break
    end
    local opened, message, is_locked = core.spool(file.path)
    if opened then
      local members, lost = adopt(self, opened, file.path)
      found.members, found.lost = found.members + members, found.lost + lost
      open = open + 1
      if rest then
        rest()
      end
    elseif is_locked then
      locked[#locked + 1] = file
    else
      self.orphans:report(file.path, "cannot be adopted: " .. message)
    end
  end
  return found, self.orphans:must_wait(locked)
end

--- Adopts the files of workers that are no more.
---@param rest? fun()  lets others run between two files
---@return {members: integer, lost: integer}? found
---@return string? wait  why no member may be sent now: another worker is about to send older ones
---@return boolean? replaced  workers of a later configuration have members: all are theirs to send, in one order
function Spool:look(rest)
  local list = self.orphans:candidates(self.files)
  self.unopened = nil
  if #list == 0 then
    end_adoption(self)
    return nil
  elseif spool_orphans.is_replaced(list) then
    return nil, nil, true
  end
  local wait = self.orphans:take_lock()
  if wait then
    return nil, wait
  end
  local found
  found, wait = adopt_all(self, list, rest)
  end_adoption(self)
  return found, wait
end

--- Lets go of all files. Those with members are for other workers to adopt.
function Spool:close()
  for _, file in entries(self.files) do
    local is_empty = file.spool:count() == 0 and file.spool:damaged() == 0
    if not (is_empty and file.spool:remove()) then
      file.spool:close()
    end
  end
  self.free, self.files, self.bytes, self.current, self.unopened = {}, {}, 0, nil, nil
  self.reader:clear()
  end_adoption(self)
  spool_orphans.released()
end

return spool
