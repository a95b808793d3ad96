--- Reads the members of several sealed spool files: all in the order in which they were taken, or file by file.
---
--- Each member has a stamp. The next one to read is the oldest of the files' next members.
local entries = require "scope3.util.entries"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.SpoolReader
---@field unread integer  members of its files that were not read yet
local SpoolReader = {}
SpoolReader.__index = SpoolReader

local spool_reader = {}

local ALWAYS = 2 ^ 53 -- later than every stamp

---@return scope3.SpoolReader
function spool_reader.new()
  return setmetatable({ sources = {}, unread = 0 }, SpoolReader)
end

--- Reads a file from its first member that was not released. A file that is read already begins anew.
---@param file scope3.SpoolFile
function SpoolReader:add(file)
  local source = { file = file, next = file.spool:reader(), unread = file.spool:count() }
  local _
  _, _, source.stamp, _, _, source.label = source.next()
  self:remove(file) -- last: where memory runs out before, it is read on
  self.sources[file.path] = source
  self.unread = self.unread + source.unread
end

--- Stops reading a file.
---@param file scope3.SpoolFile
function SpoolReader:remove(file)
  local source = self.sources[file.path]
  if source then
    self.sources[file.path] = nil
    self.unread = self.unread - source.unread
  end
end

--- Begins anew with all files.
function SpoolReader:rewind()
  local files = {}
  for _, source in entries(self.sources) do
    files[#files + 1] = source.file
  end
  for _, file in ipairs(files) do
    self:add(file)
  end
end

--- Whether a member is there whose stamp is below one. Any member where none is given.
---@param stamp number?
---@return boolean
function SpoolReader:has_before(stamp)
  for _, source in entries(self.sources) do
    if source.unread > 0 and (not stamp or source.stamp and source.stamp < stamp) then
      return true
    end
  end
  return false
end

--- The file that was made first, of those with members that were not read.
---@return scope3.SpoolFile?
function SpoolReader:oldest_file()
  local oldest
  for _, source in entries(self.sources) do
    local file = source.file
    if source.unread > 0 and (not oldest or file.made < oldest.made
      or file.made == oldest.made and file.path < oldest.path) then
      oldest = file
    end
  end
  return oldest
end

--- Forgets all files.
function SpoolReader:clear()
  self.sources, self.unread = {}, 0
end

-- The source whose next member is the oldest, and the stamp up to which that holds.
local function oldest(self, limit)
  local first
  for _, source in entries(self.sources) do
    if source.stamp and (not first or source.stamp < first.stamp) then
      first, limit = source, math.min(limit, first and first.stamp or ALWAYS)
    elseif source.stamp then
      limit = math.min(limit, source.stamp)
    end
  end
  if first and limit < first.stamp then
    limit = first.stamp -- more files are as old as this one: they go in the order of their names
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

---@class scope3.SpoolRead
---@field payload_for fun(label: string): table  the payload of members with a label
---@field marks scope3.SpoolMark[]  gets what was read
---@field most integer  members to read at once
---@field limit number?  no member with a later stamp is read: the stamp of a file that was not opened yet

--- Reads members, the oldest first.
---@param to scope3.SpoolRead
---@return integer unfit  members that are larger than a request may be; they were passed over
---@return boolean more  there is room, and further members
function SpoolReader:read(to)
  local taken, unfit = 0, 0
  while taken + unfit < to.most do
    local source, limit = oldest(self, to.limit or ALWAYS)
    if not source then
      return unfit, false
    end
    local n, last, stamp, full, passed, label = source.next(to.payload_for(source.label), limit,
      to.most - taken - unfit, source.label)
    source.stamp, source.label = stamp, label
    source.unread, self.unread = source.unread - n - passed, self.unread - n - passed
    taken, unfit = taken + n, unfit + passed
    if n + passed > 0 then
      note(to.marks, source.file, last)
    end
    if full then
      return unfit, false
    end
  end
  return unfit, true
end

return spool_reader
