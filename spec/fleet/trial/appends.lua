-- The log of a trial's Redis: how large it was a moment ago, so that a kill can take the last second of it as a loss of
-- power does, and what was appended to the queue by what is left of it in the end.
local core = require "scope3.core"

local appends = {}

local Appends = {}
Appends.__index = Appends

local KEPT = 200 -- looks

---@param redis table  of spec.support.redis
function appends.new(redis)
  return setmetatable({ redis = redis, path = redis.folder .. "/appendonlydir/appendonly.aof.1.incr.aof", looks = {} },
    Appends)
end

--- Looks how large it is.
function Appends:look()
  local file = io.open(self.path, "rb")
  if file then
    local looks = self.looks
    looks[#looks + 1] = { at = core.now(), size = file:seek "end" }
    file:close()
    if #looks > KEPT then
      table.remove(looks, 1)
    end
  end
end

--- Takes from it what was written in the last seconds before a time. Redis must not run.
---@param at number  by core.now()
---@param seconds number
---@return integer bytes  that are gone
function Appends:cut(at, seconds)
  self:look()
  local whole = self.looks[#self.looks].size
  for _, look in ipairs(self.looks) do
    if look.at >= at - seconds then
      os.execute(("truncate -s %d '%s'"):format(look.size, self.path))
      self.looks = {}
      return whole - look.size
    end
  end
end

-- The words of the next command; nil at the end.
local function next_command(file)
  local head = file:read "*l"
  local n = head and tonumber(head:match "^%*(%d+)\r$")
  local words = {}
  for i = 1, n or 0 do
    local size = assert(tonumber((file:read "*l"):match "^%$(%d+)\r$"))
    words[i] = file:read(size)
    file:read(2)
  end
  return n and words or nil
end

--- How often each operation that adds is in it.
---@return table<string, integer>
function Appends:count()
  local file, counts = assert(io.open(self.path, "rb")), {}
  for words in next_command, file do
    if words[1] == "XADD" then
      for name in words[#words]:gmatch '"value":"(c%d+%.%d+)%.' do
        counts[name] = (counts[name] or 0) + 1
      end
    end
  end
  file:close()
  return counts
end

return appends
