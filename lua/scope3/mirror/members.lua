--- The people of a state, as they stand with the chunks that are not folded yet. Nothing is written.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local protocol = require "scope3.mirror.protocol"

local members = {}

---@class scope3.StateMembers
---@field kept scope3.MirrorStore
---@field chunks scope3.StateChunk[]
---@field began table<integer, integer>  second at which each night began
---@field parts integer[]  those that are read
---@field at integer  the last of them that was begun
---@field only string?
---@field views table<boolean, table>  of partitions that have the chunks of a fold in them, and of the others
---@field reading table|false  the view whose partition is being read
local Members = {}
Members.__index = Members

local function failed(kept, message, code)
  return kept:fail { message = message, code = code }
end

-- What became of the operations of a chunk. Those behind its last request had none.
local function outcomes_of(chunk)
  local count = 0
  for _, try in ipairs(chunk.tries) do
    count = math.max(count, try.last)
  end
  return protocol.outcomes { count = count, tries = chunk.tries }
end

--- Gives chunks to what takes them: a view or a fold of the core.
---@param kept scope3.MirrorStore
---@param to table
---@param chunks scope3.StateChunk[]  all that are not folded
---@param first integer  number of a chunk
---@param last integer
---@return true?
---@return scope3.Error? err
function members.give(kept, to, chunks, first, last)
  for _, chunk in ipairs(chunks) do
    if chunk.n >= first and chunk.n <= last then
      local ok, message, code
      local shown, err = kept:show_chunk(chunk.n, function(blob)
        ok, message, code = to:chunk(blob, outcomes_of(chunk))
      end)
      if not shown then
        return nil, err
      elseif not ok then
        return failed(kept, message, code)
      end
    end
  end
  return true
end

--- The number of the partition of a hash.
---@param kept scope3.MirrorStore
---@param hash string  of core.mirror.key_hash()
---@return integer
function members.part_of(kept, hash)
  local low, high = hash:byte(7, 8)
  return math.floor((high * 256 + low) * kept.parts / 65536)
end

-- The partitions to read: all, or those of some hashes.
local function parts_of(kept, hashes)
  local list, seen = {}, {}
  for _, hash in ipairs(hashes or {}) do
    seen[members.part_of(kept, hash)] = true
  end
  for k = 0, kept.parts - 1 do
    list[#list + 1] = (not hashes or seen[k]) and k or nil
  end
  return list
end

--- The people of a state, or some of them.
---@param kept scope3.MirrorStore
---@param hashes? string[]  of core.mirror.key_hash(): only these
---@return scope3.StateMembers?
---@return scope3.Error? err
function members.open(kept, hashes)
  local runs, chunks, err
  runs, err = kept:runs()
  if runs then
    chunks, err = kept:open_chunks()
  end
  if not chunks then
    return nil, err
  end
  local began = {}
  for _, run in ipairs(runs) do
    began[run.n] = run.began
  end
  return setmetatable({ kept = kept, chunks = chunks, began = began, parts = parts_of(kept, hashes), at = 0,
    only = hashes and table.concat(hashes), views = {}, reading = false }, Members)
end

-- The view of partitions that have the chunks of a fold in them, or of the others.
local function view_of(self, is_folded)
  local kept = self.kept
  if self.views[is_folded] then
    return self.views[is_folded]
  end
  local view, message, code = core.mirror.view { parts = kept.parts, audiences = #kept.about.audiences,
    only = self.only }
  if not view then
    return failed(kept, message, code)
  end
  local ok, err = members.give(kept, view, self.chunks, is_folded and kept.folding.last + 1 or 0, kept.chunks)
  if not ok then
    view:close()
    return nil, err
  end
  self.views[is_folded] = view
  return view
end

-- Begins a partition.
local function read_part(self, k)
  local blob, folded = self.kept:look(k)
  if not blob then
    return nil, folded
  end
  local view, err = view_of(self, folded)
  if not view then
    return nil, err
  end
  local ok, message, code = view:part(k, blob)
  if not ok then
    return failed(self.kept, message, code)
  end
  self.reading = view
  return true
end

-- Begins the next partition: false after the last.
local function begin_part(self)
  local k = self.parts[self.at + 1]
  if not k then
    return false
  end
  local ok, err = read_part(self, k)
  if ok then
    self.at = self.at + 1
  end
  return ok, err
end

--- The next of them, in no order that means anything; nil after the last.
---@return string? id
---@return string|scope3.Error|nil standing  a letter for each audience, as of the core's view
---@return integer? at  second at which the night of the last acceptance began
---@return "rejected"|"refused"|nil mark
function Members:next()
  while true do
    if self.reading then
      local id, standing, run, mark = self.reading:next()
      if id then
        return id, standing, self.began[run], mark
      elseif standing then
        return failed(self.kept, standing, run)
      end
      self.reading = false
    end
    local more, err = begin_part(self)
    if not more then
      return nil, err
    end
  end
end

-- Adds the counts of a partition.
local function add(to, from)
  for key, value in entries(from) do
    if type(value) == "table" then
      to[key] = to[key] or {}
      add(to[key], value)
    else
      to[key] = (to[key] or 0) + value
    end
  end
end

--- How many they are: people, rejected, refused, and for each audience known, unsure and open.
---@return table?
---@return scope3.Error? err
function Members:count()
  local counts = {}
  local more, err = begin_part(self)
  while more do
    local part, message, code = self.reading:count()
    if not part then
      return failed(self.kept, message, code)
    end
    add(counts, part)
    more, err = begin_part(self)
  end
  return more == false and counts or nil, err
end

--- Gives back what the reading holds. Idempotent.
function Members:close()
  for _, view in entries(self.views) do
    view:close()
  end
  self.views, self.reading, self.parts = {}, false, {}
end

return members
