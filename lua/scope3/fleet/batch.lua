--- What is sent at a time: the members of some entries, a payload for each audience. The last operation on an external
--- id replaces those before it. So no request holds an id twice, and no request has to wait for another of its batch.
local core = require "scope3.core"
local entry = require "scope3.fleet.entry"
local request = require "scope3.api.request"

---@class scope3.Batched
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload table
---@field living integer  when it was counted last, as are its bytes
---@field bytes integer

---@class scope3.DrainBatch
---@field list scope3.Batched[]
---@field first? string  id of the first entry that any of it is of
---@field last? string  id of the last entry that is in it whole
---@field reads? string  id of the last entry that any of it is of
---@field entries integer  that are in it whole, in this batch or since the one before
---@field members integer  of these entries, those that were replaced included
---@field unreadable integer  of these entries: those that are none, lines that are none, and members that they lack
---@field too_large integer  members of these entries that are larger than a request may be
---@field private rest? string  id of the entry of which the reader has members for the next batch
local Batch = {}
Batch.__index = Batch

local batch = {}

local MOST_AUDIENCES = 1000
local MOST_KEPT = 16 -- payloads whose memory is kept for the next batch

local function new_payload(self, size)
  for i, one in ipairs(self.spare) do
    if one.size == size then
      table.remove(self.spare, i)
      return one.payload
    end
  end
  return core.payload { max_members = self.limits.max_members, max_bytes = math.max(1, size) }
end

-- Counts what the payload holds that was read into last. It is the only one that has changed.
local function measure(self)
  local one = self.current
  if one then
    local living, bytes = one.payload:measure()
    self.living, self.bytes = self.living + living - one.living, self.bytes + bytes - one.bytes
    one.living, one.bytes = living, bytes
  end
end

-- The payload of an audience. Of its names the last one counts.
local function payload_for(self, audience)
  local one = self.by_id[audience.id]
  if not one then
    if #self.list >= MOST_AUDIENCES then
      return nil
    end
    local size = self.room - request.overhead(audience)
    one = { audience = { id = audience.id }, payload = new_payload(self, size), size = size, living = 0, bytes = 0 }
    self.by_id[audience.id] = one
    self.list[#self.list + 1] = one
  end
  one.audience.name = audience.name or one.audience.name
  one.audience.consent_basis = audience.consent_basis or one.audience.consent_basis
  if one ~= self.current then
    measure(self)
    self.current = one
  end
  return one.payload
end

---@param limits {max_members: integer, max_bytes: integer, push: table?}
---@return scope3.DrainBatch
function batch.new(limits)
  local self = setmetatable({ limits = limits, room = limits.max_bytes - request.frame(limits.push), list = {},
    by_id = {}, spare = {}, entries = 0, members = 0, unreadable = 0, too_large = 0, bytes = 0, living = 0,
    reader = entry.reader(entry.labels()) }, Batch)
  self.payload_for = function(audience)
    return payload_for(self, audience)
  end
  return self
end

-- Reads on in an entry. Whether it is whole: what it holds counts from then on, because it may leave the queue.
local function read(self, id)
  local reader = self.reader
  local whole = reader:read(self.payload_for)
  self.first, self.reads, self.rest = self.first or id, id, not whole and id or nil
  if whole then
    self.last, self.entries, self.members = id, self.entries + 1, self.members + reader.members
    self.unreadable, self.too_large = self.unreadable + reader.bad, self.too_large + reader.unfit
  end
  measure(self)
  return whole
end

--- Takes an entry in, as far as there is room.
---@param found scope3.QueueEntry
---@return boolean more  there is room for another one
function Batch:take(found)
  if not found.lines then -- no entry at all
    self.first, self.last, self.reads = self.first or found.id, found.id, found.id
    self.entries, self.unreadable = self.entries + 1, self.unreadable + 1
    return true
  end
  self.reader:begin(found.lines, found.n)
  return read(self, found.id) and self.living < self.limits.max_members and self.bytes < self.room
end

--- Empties it for the next batch, which begins with what was left of an entry.
---@return boolean more  there is room for another entry
function Batch:advance()
  local rest = self.rest
  self:clear()
  return not rest or read(self, rest)
end

--- Empties it.
function Batch:clear()
  for _, one in ipairs(self.list) do
    if #self.spare < MOST_KEPT then
      one.payload:reset()
      self.spare[#self.spare + 1] = one
    else
      one.payload:close()
    end
  end
  self.reader:forget()
  self.list, self.by_id, self.rest, self.current = {}, {}, nil, nil
  self.first, self.last, self.reads = nil, nil, nil
  self.entries, self.members, self.unreadable, self.too_large, self.bytes, self.living = 0, 0, 0, 0, 0, 0
end

--- Frees its payloads.
function Batch:close()
  self:clear()
  for _, one in ipairs(self.spare) do
    one.payload:close()
  end
  self.spare = {}
end

return batch
