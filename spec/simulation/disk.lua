-- A disk in memory, with what core.append_file gives: one owner at a time, and bytes that last once append() returned.
local doubts = require "spec.simulation.doubts"

local disk = {}

local Disk, Handle = {}, {}
Disk.__index, Handle.__index = Disk, Handle

function disk.new(world)
  return setmetatable({ world = world, files = {}, writes = 0 }, Disk)
end

function Disk:open(path, is_known)
  local file = self.files[path]
  if not file and is_known then
    return nil, "No such file or directory", "missing"
  end
  file = file or { text = "" }
  self.files[path] = file
  if file.owner then
    return nil, "Resource temporarily unavailable", "locked"
  end
  file.owner = { process = self.world:process() }
  return setmetatable({ disk = self, file = file, owner = file.owner, at = 1 }, Handle)
end

--- What a file holds; nil where there is none.
function Disk:text(path)
  return self.files[path] and self.files[path].text
end

--- A process has ended: what it had open is free. The line that it was writing may have got to the disk in part.
function Disk:forget(process)
  for _, file in pairs(self.files) do
    if file.owner and file.owner.process == process then
      file.owner = nil
    end
  end
end

-- A process that is killed while it writes leaves a part of the line, or all of it.
local function die_while_writing(self, text)
  local world = self.disk.world
  if world.network.dice:happens(world.profile.torn_writes or 0) then
    self.file.text = self.file.text .. text:sub(1, world.network.dice:whole(0, #text))
    world:log("disk: the process dies while it writes")
    doubts.arise(world:process())
    world:die()
  end
end

function Handle:append(text)
  die_while_writing(self, text)
  local world = self.disk.world
  self.disk.writes = self.disk.writes + 1
  if world.network.dice:happens(world.profile.full_disk or 0) and world:trouble "disk full" then
    doubts.arise(world:process()) -- what the journal does not say
    return nil, "No space left on device"
  end
  self.file.text = self.file.text .. text
  world:log("disk: %d bytes", #text)
  return true
end

function Handle:read()
  local part = self.file.text:sub(self.at, self.at + 4095)
  self.at = self.at + #part
  return part
end

function Handle:truncate(size)
  self.file.text = self.file.text:sub(1, size)
  return true
end

function Handle:state()
  return #self.file.text .. ":" .. self.file.text:sub(-32)
end

function Handle:close()
  if self.file.owner == self.owner then
    self.file.owner = nil
  end
end

return disk
