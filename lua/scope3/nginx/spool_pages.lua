--- Which sealed files of a spool keep their pages: a few that are sent at once, and then emptied for the next members.
--- To fetch their pages anew for that would cost more than all else that is done with them. Others need no memory.
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.SpoolPages
---@field private list scope3.SpoolFile[]  the oldest first
---@field private sizes table<scope3.SpoolFile, integer>  bytes of each when it was sealed
---@field private bytes integer  of all
local SpoolPages = {}
SpoolPages.__index = SpoolPages

local spool_pages = {}

local MOST = 8 * 2 ^ 20 -- bytes

---@return scope3.SpoolPages
function spool_pages.new()
  return setmetatable({ list = {}, sizes = {}, bytes = 0 }, SpoolPages)
end

--- Forgets a file: it is emptied, removed, or closed.
---@param file scope3.SpoolFile
function SpoolPages:remove(file)
  local size = self.sizes[file]
  if not size then
    return
  end
  self.sizes[file], self.bytes = nil, self.bytes - size
  for i, one in ipairs(self.list) do
    if one == file then
      table.remove(self.list, i)
      return
    end
  end
end

local function unload(file)
  file.spool:trim()
  file.spool:unload()
end

--- Takes in a file that was sealed. Older ones are unloaded where that makes too many.
---@param file scope3.SpoolFile
---@param soon boolean?  it is about to be sent
function SpoolPages:sealed(file, soon)
  if not soon then
    unload(file)
    return
  end
  self.list[#self.list + 1] = file
  self.sizes[file], self.bytes = file.used, self.bytes + file.used
  while self.bytes > MOST do
    local first = self.list[1]
    self:remove(first)
    unload(first)
  end
end

--- Unloads a file that was read, unless it keeps its pages.
---@param file scope3.SpoolFile
function SpoolPages:was_read(file)
  if not self.sizes[file] then
    file.spool:unload()
  end
end

--- Forgets all files.
function SpoolPages:clear()
  self.list, self.sizes, self.bytes = {}, {}, 0
end

return spool_pages
