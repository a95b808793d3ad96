--- The spool of a collector: its members in files, so that they outlive this worker and need no memory while they wait.
---
--- A worker fills one file. A file that is sealed gets no more records: its records and its name stay as they are until
--- it is freed, when all of its members have left. Requests take members of all sealed files in one order (read);
--- scope3.nginx.spool_sink takes file by file. Each member has a stamp, which gives members of several files one order.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local interpreted = require "scope3.util.interpreted"
local plural = require "scope3.util.plural"
local spool_adoption = require "scope3.nginx.spool_adoption"
local spool_name = require "scope3.nginx.spool_name"
local spool_orphans = require "scope3.nginx.spool_orphans"
local spool_pages = require "scope3.nginx.spool_pages"
local spool_reader = require "scope3.nginx.spool_reader"

local ngx = ngx

---@class scope3.Spool
---@field bytes integer  in use, in all files of this worker
---@field pages scope3.SpoolPages
local Spool = {}
Spool.__index = Spool

local spool = {}

local RETRY = 1 -- seconds until it is tried again to make a file
local MAX_NAMES = 16 -- names to try for a new file: a worker that looks for orphans may remove an empty one
-- Bytes after which a file is sealed, so that the disk is freed in such parts: a part of all, so that files and
-- descriptors stay few.
local MAX_SPARE = 2 -- empty files that are kept for their pages: they become new ones, under other names
local LEAST_ROLL, MOST_ROLL, PARTS = 4 * 2 ^ 20, 64 * 2 ^ 20, 64
local ENOENT = 2

---@class scope3.SpoolFile
---@field spool table  of scope3.core
---@field path string
---@field made number  its place among the files
---@field identity string  no other file has it, on whatever machine
---@field number integer  of its last record
---@field used integer  bytes of it that Spool.bytes holds
---@field adopted boolean
---@field keys? string[]  that its members were appended to a queue under
---@field appended? boolean  all of them were, at least once
---@field counted? table<string, true|"unanswered">  those keys, as far as their members were counted

---@class scope3.SpoolMark  a batch has the records of a file up to this number
---@field file scope3.SpoolFile
---@field last integer

---@class scope3.SpoolPlace
---@field folder string
---@field name string  of the collector: other files are left alone
---@field grace number  seconds for workers of an earlier configuration to send what they hold
---@field most_bytes number  that files of a worker may take

---@param opts scope3.SpoolPlace
---@return scope3.Spool
function spool.new(opts)
  return setmetatable({
    prefix = opts.folder .. "/" .. opts.name, folder = opts.folder,
    orphans = spool_orphans.new(opts),
    reader = spool_reader.new(), -- reads the sealed files
    pages = spool_pages.new(),
    roll = math.max(LEAST_ROLL, math.min(MOST_ROLL, opts.most_bytes / PARTS)),
    filling = false, -- the file that members are appended to
    spare = {}, -- empty files
    files = {}, -- path -> scope3.SpoolFile
    adopted = 0, -- of these, files of other workers
    bytes = 0, stamp = 0, retry_at = 0,
  }, Spool)
end

--- Members in sealed files that were not read yet.
---@return integer
function Spool:unread()
  return self.reader.unread
end

--- Members in the file that is not sealed.
---@return integer
function Spool:unsealed()
  return self.filling and self.filling.number or 0
end

--- A stamp for what is taken now: later than all that this worker knows.
---@return number
function Spool:next_stamp()
  self.stamp = math.max(math.floor(core.time() * 1e6), self.stamp + 1)
  return self.stamp
end

local function measure(self, file)
  local used = file.spool:bytes()
  self.bytes = self.bytes + used - file.used
  file.used = used
end

--- Makes a file this worker's; one that is adopted is sealed. First: else it would be read by nobody after an error.
---@param opened table  of scope3.core
---@param path string
---@param adopted boolean
---@return scope3.SpoolFile
function Spool:own(opened, path, adopted)
  local _, made = spool_name.parse(path)
  local file = { spool = opened, path = path, made = made or 0, identity = spool_name.identity(path),
    number = (opened:last()), used = 0, adopted = adopted }
  if adopted and opened:count() > 0 then
    self.reader:add(file)
  end
  self.files[path], self.adopted = file, self.adopted + (adopted and 1 or 0)
  measure(self, file)
  return file
end

-- A new file under a name that no other has, and its path; nil and a message.
local function make(self, kind)
  local opened, message, word, path
  for _ = 1, MAX_NAMES do
    path = spool_name.path(self.prefix, self:next_stamp(), ngx.worker.pid(), kind)
    opened, message, word = core.spool(path)
    if word ~= "locked" then
      break
    end
  end
  if not opened and word ~= "locked" then
    os.remove(path) -- it may exist and be empty: the disk is full
  end
  return opened, opened and path or message
end

-- Makes a new file of an empty one. Nil where there is none, or it cannot be: somebody has removed it.
local function renew(self)
  local file = table.remove(self.spare)
  if not file then
    return nil
  end
  local path = spool_name.path(self.prefix, self:next_stamp(), ngx.worker.pid(), spool_name.ACTIVE)
  if not file.spool:rename(path) then
    self:free(file)
    return nil
  end
  self.bytes, self.files[file.path] = self.bytes - file.used, nil
  return self:own(file.spool, path, false)
end

-- The file to append to. Nil and why where there is none.
local function begin(self)
  self.filling = self.filling or renew(self) or false
  if self.filling then
    return self.filling
  elseif core.now() < self.retry_at then
    return nil, self.fault
  end
  local opened, path = make(self, spool_name.ACTIVE)
  if opened then
    self.filling = self:own(opened, path, false)
    return self.filling
  end
  self.retry_at = core.now() + RETRY
  self.fault = errors.new("spool", ("no file can be made in %s: %s"):format(self.folder, tostring(path)))
  return nil, self.fault
end

--- Seals the file that is being filled, if it has members: they can be sent.
---@param soon boolean?  they are about to be sent
function Spool:seal(soon)
  local file = self.filling
  if file and file.number > 0 then
    self.reader:add(file)
    self.filling = false
    self.pages:sealed(file, soon)
  end
end

--- Appends members of a payload: all of them, or none.
---@param payload table
---@param first integer
---@param last integer
---@param label string  of their audience
---@return boolean? ok
---@return any why
function Spool:keep(payload, first, last, label)
  local why
  for _ = 1, 2 do -- where a file cannot take them, another one may
    local file, fault = begin(self)
    if not file then
      return nil, fault
    end
    local ok, message = file.spool:keep(payload, first, last, self:next_stamp(), label)
    if ok then
      file.number = first == last and file.number + 1 or (file.spool:last())
      measure(self, file)
      if file.used >= self.roll then
        self:seal()
      end
      return true
    end
    why = message
    if file.number == 0 then
      break -- another empty file could not take them either
    end
    self:seal()
  end
  return nil, why
end

-- Puts a damaged file aside, for a person to look at.
local function set_damaged_aside(self, file)
  local aside = file.path:sub(1, -#spool_name.ACTIVE - 1) .. spool_name.DAMAGED
  local ok, message = os.rename(file.path, aside)
  if not ok then -- the worker that finds it next finds nothing in it to send
    self.orphans:report(aside, "could not be put aside: " .. tostring(message))
  end
  file.spool:close()
end

-- Keeps a file that has no members left, to be made a new one.
local function spare(self, file)
  if file.adopted or #self.spare >= MAX_SPARE or not file.spool:reset() then
    return false
  end
  file.number = 0
  measure(self, file)
  self.spare[#self.spare + 1] = file
  return true
end

--- Frees a file that has no members left: it is removed, or put aside.
---@param file scope3.SpoolFile
function Spool:free(file)
  self.reader:remove(file)
  self.pages:remove(file)
  if file.spool:damaged() == 0 and file.number > 0 and spare(self, file) then
    return
  end
  self.bytes, self.adopted = self.bytes - file.used, self.adopted - (file.adopted and 1 or 0)
  self.files[file.path] = nil
  if file.spool:damaged() > 0 then
    set_damaged_aside(self, file)
  elseif not file.spool:remove() then
    file.spool:close()
  end
end

--- Whether a file is this worker's still: not freed, and not left to others.
---@param file scope3.SpoolFile
---@return boolean
function Spool:has(file)
  return self.files[file.path] == file
end

--- Releases members that have left: accepted, or rejected for good. A file without others is freed. The header of one
--- of which something is left says how far it has gone: that is for the worker that adopts it.
---@param marks scope3.SpoolMark[]
function Spool:release(marks)
  for _, mark in ipairs(marks) do
    local file = mark.file
    if self:has(file) then
      local whole = mark.last >= file.number and file.spool:damaged() == 0 -- it need not be read again
      if not whole then
        file.spool:release(mark.last)
        self.pages:was_read(file)
      end
      if whole or file.spool:count() == 0 then
        self:free(file)
      end
    end
  end
  spool_adoption.end_if_done(self)
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

--- Has members that were read read again: they did not leave, and are in one order with those of other files.
---@param marks scope3.SpoolMark[]
function Spool:put_back(marks)
  for _, mark in ipairs(marks) do
    if self:has(mark.file) then
      self.reader:add(mark.file)
    end
  end
end

--- Reads again what was read last and did not become a batch.
function Spool:rewind()
  self.reader:rewind()
end

--- Whether there is a member whose stamp is below one. Any member where none is given.
---@param stamp number?
---@return boolean
function Spool:has_before(stamp)
  return self.reader:has_before(stamp)
end

---@class scope3.SpoolReading
---@field payload_for fun(label: string): table  the payload of members with a label
---@field marks scope3.SpoolMark[]  gets what was read
---@field most integer  members to read at once
---@field before? number  no member with a later stamp is read

--- Reads members from files, the oldest first.
---@param to scope3.SpoolReading
---@return integer unfit  members that are larger than a request may be; they were passed over
---@return boolean more  there is room, and further members
function Spool:read(to)
  local limit = self.unopened
  if to.before then
    limit = math.min(limit or to.before, to.before)
  end
  return self.reader:read { payload_for = to.payload_for, marks = to.marks, most = to.most, limit = limit }
end

--- Takes the oldest sealed file, whole: read() does not give its members then. put_back() gives it back.
---@return scope3.SpoolFile?
function Spool:take()
  local file = self.reader:oldest_file()
  if not file or self.unopened and file.made > self.unopened then
    return nil
  end
  self.reader:remove(file)
  return file
end

--- Adopts the files of workers that are no more.
---@param rest? fun()  lets others run between two files
---@return {members: integer, lost: integer}? found
---@return string? wait  why no member may be sent now: another worker is about to send older ones
---@return boolean? replaced  workers of a later configuration have members: all are theirs to send, in one order
function Spool:look(rest)
  return spool_adoption.look(self, rest)
end

-- Members of a file that somebody has removed, so that no other worker can find them. Those that were appended are in a
-- queue.
local function lost_of(self, file)
  local n = file.appended and 0 or file.spool:count()
  local found, _, errno = nil, nil, nil
  if n > 0 then
    found, _, errno = io.open(file.path, "rb")
  end
  if found then
    found:close()
  elseif errno == ENOENT then
    self.orphans:report(file.path, ("was removed by somebody while %s in it: %s lost"):format(
      plural.of(n, "member waited", "members waited"), plural.words(n, "it is", "they are")))
    return n
  end
  return 0
end

--- Lets go of all files. Those with members are for other workers to adopt.
---@return integer lost  members of files that somebody has removed meanwhile
function Spool:close()
  local lost = 0
  for _, file in entries(self.files) do
    lost = lost + lost_of(self, file)
    local is_empty = file.spool:count() == 0 and file.spool:damaged() == 0
    if not (is_empty and file.spool:remove()) then
      file.spool:close()
    end
  end
  self.files, self.spare, self.adopted, self.bytes, self.filling, self.unopened = {}, {}, 0, 0, false, nil
  self.reader:clear()
  self.pages:clear()
  spool_adoption.end_if_done(self)
  spool_orphans.released()
  return lost
end

for _, of_a_file in ipairs { renew, spare, Spool.own, Spool.seal, Spool.free, Spool.release, Spool.put_back, Spool.take,
  Spool.look } do
  interpreted(of_a_file)
end

return spool
