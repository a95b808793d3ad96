--- Takes sealed spool files one by one, the oldest first, for a sink that appends whole files to something.
---
--- A file is taken, appended, accepted, and then lingers: a sink that answers before its disk has everything, as Redis
--- does, may lose what it has accepted. When its connection breaks, what was taken and what lingers is put back to the
--- front (recall). Only what has lingered long enough is freed. A file is appended under its identity, so that a file
--- which comes twice is in once.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.SpoolSink
---@field under_way integer  members of files that were taken and not accepted
local SpoolSink = {}
SpoolSink.__index = SpoolSink

local spool_sink = {}

---@param spool scope3.Spool
---@param linger number  seconds between accepting a file and freeing it
---@return scope3.SpoolSink
function spool_sink.new(spool, linger)
  return setmetatable({ spool = spool, linger = linger, taken = {}, under_way = 0, lingering = {} }, SpoolSink)
end

--- The oldest sealed file. It is this sink's until accept() or recall().
---@return scope3.SpoolFile? file  nil where none is sealed, or an older one cannot be opened yet
function SpoolSink:take()
  local file = self.spool:take()
  if file then
    local members = file.spool:count()
    self.taken[file], self.under_way = members, self.under_way + members
  end
  return file
end

--- Notes that a file was accepted. It is freed when it has lingered: see settle(). Until then it keeps its descriptor,
--- and with it the lock that tells other workers that it is nobody's to adopt.
---@param file scope3.SpoolFile
function SpoolSink:accept(file)
  table.insert(self.lingering, { file = file, due = core.now() + self.linger })
  self.under_way = self.under_way - self.taken[file]
  self.taken[file] = nil
  self.spool.pages:was_read(file)
end

-- The file that has lingered for the longest. Those that were left to other workers are theirs to append again.
local function first_of(self)
  local first = self.lingering[1]
  while first and not self.spool:has(first.file) do
    table.remove(self.lingering, 1)
    first = self.lingering[1]
  end
  return first
end

--- When the next file has lingered long enough; nil where nothing lingers.
---@return number?
function SpoolSink:due()
  local first = first_of(self)
  return first and first.due
end

--- Gives back a file that was taken and not accepted.
---@param file scope3.SpoolFile
function SpoolSink:put_back(file)
  self.spool:put_back { { file = file } }
  self.under_way = self.under_way - self.taken[file]
  self.taken[file] = nil
end

--- Frees the files that have lingered long enough.
---@param at number  at that time, by core.now()
---@param freed fun(file: scope3.SpoolFile)  is told each of them
function SpoolSink:settle(at, freed)
  local first = first_of(self)
  while first and at >= first.due do
    table.remove(self.lingering, 1)
    self.spool:release { { file = first.file, last = first.file.number } }
    freed(first.file)
    first = first_of(self)
  end
end

--- Puts what was taken and what lingers back to the front: the connection has broken.
---@return integer members
function SpoolSink:recall()
  local files, before = {}, self.spool:unread()
  for file in entries(self.taken) do
    files[#files + 1] = { file = file }
  end
  for _, one in ipairs(self.lingering) do
    files[#files + 1] = { file = one.file }
  end
  self.spool:put_back(files)
  self.taken, self.under_way, self.lingering = {}, 0, {}
  return self.spool:unread() - before
end

return spool_sink
