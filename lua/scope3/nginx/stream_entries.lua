--- Entries for a queue from the members of a spool file: the same ones each time, so that one which was appended before
--- is known by its key.
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.StreamEntries
---@field private label string
---@field private member_bytes integer
---@field private memory table[]  lines, which are used again
local StreamEntries = {}
StreamEntries.__index = StreamEntries

local stream_entries = {}

stream_entries.MOST_MEMBERS = 2000 -- of an entry: some 180 kB, which Redis and a drainer hold in one piece
local MOST_BYTES = 4 * 2 ^ 20 -- of its members as they lie in the file, but where one alone has more
-- Bytes after which no further entry goes along. With one more of the usual size that is less than a MiB, for which a
-- connection keeps its memory.
local LOAD = 3 * 2 ^ 18

--- Makes one.
---@param label string  of the collector's own audience, whose members have none in a file
---@param member_bytes integer  a member that has more is passed over
---@return scope3.StreamEntries
function stream_entries.new(label, member_bytes)
  return setmetatable({ label = label, member_bytes = member_bytes, memory = {} }, StreamEntries)
end

local function lines(self, i)
  self.memory[i] = self.memory[i] or core.lines()
  return self.memory[i]
end

--- Makes an iterator over the entries of a file, as many at once as may be under way together.
---@param file scope3.SpoolFile
---@return fun(): scope3.QueueBatch[]?, integer?  and how many members were passed over because they are too large. The
---  lines are good until the next call
function StreamEntries:of(file)
  local next_entry = file.spool:entries(self.label, stream_entries.MOST_MEMBERS, MOST_BYTES, self.member_bytes)
  return function()
    local list, bytes, unfit = {}, 0, 0
    repeat
      local text = lines(self, #list + 1)
      local after, members, passed = next_entry(text)
      if after and members > 0 then
        list[#list + 1] = { once = ("%s.%d"):format(file.identity, after), n = members, lines = text }
        bytes = bytes + text:size()
      end
      unfit = unfit + (passed or 0)
    until not after or bytes >= LOAD
    if #list > 0 or unfit > 0 then
      return list, unfit
    end
  end
end

--- Gives back memory that is more than usual.
function StreamEntries:rest()
  for _, text in ipairs(self.memory) do
    text:reset()
  end
end

--- Gives back all memory.
function StreamEntries:close()
  for _, text in ipairs(self.memory) do
    text:close()
  end
  self.memory = {}
end

return stream_entries
