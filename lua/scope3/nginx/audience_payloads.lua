--- Members of several audiences on their way into one batch: a payload for each audience.
---
--- An id has one payload in a batch, whatever name and basis came with it: so the last operation on a member replaces
--- the ones before. Where these differ
--- the last ones that were given count.
local core = require "scope3.core"
local json = require "scope3.util.json"
local request = require "scope3.api.request"
local validate = require "scope3.api.validate"
local codec = require "scope3.api.codec"

---@class scope3.Lanes
---@field list scope3.Lane[]
---@field living integer  members that will go
---@field count integer  members that were added, those replaced since included
---@field bytes integer
local Lanes = {}
Lanes.__index = Lanes

local lanes = {}

---@class scope3.Lane
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload table
---@field size integer  of bytes that its payload may take
---@field living integer
---@field count integer
---@field bytes integer

---@class scope3.LanePool  payloads that nobody uses, and how many of them each audience has
---@field free table<integer, table[]>  by their size
---@field unused integer
---@field users table<string, integer>  id of an audience -> payloads in use
---@field audiences integer  that have some

local MOST_UNUSED = 16 -- payloads that are kept to be used again
local LEAST_ROOM = 1024 -- bytes that an audience has to leave for members, as for other jobs

---@param max_bytes integer  of a request's body
---@param push table?
---@return scope3.LanePool
function lanes.pool(max_bytes, push)
  return { room = max_bytes - request.frame(push), free = {}, unused = 0, users = {}, audiences = 0 }
end

---@param pool scope3.LanePool
---@param default {id: string, name: string?, consent_basis: string?}?  whose members have no label
---@return scope3.Lanes
function lanes.new(pool, default)
  return setmetatable({ pool = pool, default = default, by_id = {}, by_label = {}, list = {},
    living = 0, count = 0, bytes = 0 }, Lanes)
end

--- Bytes that a member of an audience may have.
---@param pool scope3.LanePool
---@param audience table
---@return integer
function lanes.room(pool, audience)
  return pool.room - request.overhead(audience)
end

--- What is wrong with an audience that came with a member.
---@param pool scope3.LanePool
---@param audience table
---@return table[] issues
function lanes.problems(pool, audience)
  local issues = {}
  validate.audience(issues, audience, "audience")
  if #issues == 0 and lanes.room(pool, audience) < LEAST_ROOM then
    issues[1] = { path = "max_bytes",
      message = "leaves no room for members beside the audience's name and the callback" }
  end
  return issues
end

--- The label of an audience, by which it is known again in a file.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return string
function lanes.label(audience)
  return codec.audience_head(audience) .. "}"
end

--- The audience that a label stands for.
---@param label string
---@return {id: string, name: string?, consent_basis: string?}?
function lanes.read_label(label)
  local value = json.decode(label)
  if type(value) ~= "table" or type(value.audienceId) ~= "string" then
    return nil
  end
  local audience = { id = value.audienceId, name = value.name, consent_basis = value.consentBasis }
  local issues = {}
  validate.audience(issues, audience, "audience")
  return #issues == 0 and audience or nil
end

local function take(pool, audience)
  local id, size = audience.id, lanes.room(pool, audience)
  local list = pool.free[size]
  local payload = list and table.remove(list)
  if payload then
    pool.unused = pool.unused - 1
  end
  if not pool.users[id] then
    pool.users[id], pool.audiences = 0, pool.audiences + 1
  end
  pool.users[id] = pool.users[id] + 1
  return payload or core.payload { max_members = validate.MAX_MEMBERS, max_bytes = math.max(1, size) }, size
end

--- The lane of an audience; nil where it has none yet.
---@param id string
---@return scope3.Lane?
function Lanes:find(id) -- pattern: none; it is a method
  return self.by_id[id]
end

--- The lane of an audience, which is made where there is none.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return scope3.Lane
function Lanes:of(audience)
  local lane = self.by_id[audience.id]
  if not lane then
    local payload, size = take(self.pool, audience)
    lane = { audience = { id = audience.id }, payload = payload, size = size, living = 0, count = 0, bytes = 0 }
    self.by_id[audience.id] = lane
    self.list[#self.list + 1] = lane
  end
  local of = lane.audience
  of.name, of.consent_basis = audience.name or of.name, audience.consent_basis or of.consent_basis
  return lane
end

--- The lane of members with a label. nil where nobody can tell whose they are.
---@param label string
---@return scope3.Lane?
function Lanes:labelled(label)
  local audience = self.by_label[label]
  if audience == nil then
    audience = label == "" and self.default or lanes.read_label(label) or false
    self.by_label[label] = audience
  end
  return audience and self:of(audience) or nil
end

--- Counts a lane anew, whose payload has changed.
---@param lane scope3.Lane
function Lanes:measure(lane)
  local adds, removes = lane.payload:living()
  local living, count, bytes = adds + removes, lane.payload:count(), lane.payload:bytes()
  self.living, self.count = self.living + living - lane.living, self.count + count - lane.count
  self.bytes = self.bytes + bytes - lane.bytes
  lane.living, lane.count, lane.bytes = living, count, bytes
end

--- Gives its payloads back: nobody may read them any more.
function Lanes:give_back()
  local pool = self.pool
  for _, lane in ipairs(self.list) do
    local id = lane.audience.id
    pool.users[id] = pool.users[id] - 1
    if pool.users[id] == 0 then
      pool.users[id], pool.audiences = nil, pool.audiences - 1
    end
    if pool.unused < MOST_UNUSED then
      lane.payload:reset()
      pool.free[lane.size] = pool.free[lane.size] or {}
      table.insert(pool.free[lane.size], lane.payload)
      pool.unused = pool.unused + 1
    else
      lane.payload:close()
    end
  end
  self.list, self.by_id, self.by_label, self.living, self.count, self.bytes = {}, {}, {}, 0, 0, 0
end

--- Frees its payloads, at once or when the request that reads them has ended.
function Lanes:close()
  for _, lane in ipairs(self.list) do
    lane.payload:close()
  end
end

--- Frees the payloads that nobody uses.
---@param pool scope3.LanePool
function lanes.close(pool)
  for _, list in pairs(pool.free) do
    for _, payload in ipairs(list) do
      payload:close()
    end
  end
  pool.free, pool.unused = {}, 0
end

return lanes
