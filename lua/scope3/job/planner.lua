--- Cuts audiences into requests: as many members a request as the two limits allow, several small audiences together,
--- and never two parts of one audience in one request.
local body_size = require "scope3.api.body_size"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local request = require "scope3.api.request"

---@class scope3.Planner  what is left of audiences, for the next request
---@field private audiences scope3.Audience[]
---@field private limits {max_members: integer, max_bytes: integer, push: table?}
---@field private frame integer  bytes of a request round its audiences
---@field private size integer  bytes that the next request may have
---@field private index integer  of the next audience,
---@field private payload_index integer  of its payload,
---@field private first integer  and of the member in it

local planner = {}

local function new(audiences, limits)
  return { audiences = audiences, limits = limits, frame = request.frame(limits.push),
    size = body_size.first(limits.max_bytes), index = 1, payload_index = 1, first = 1 }
end

-- A range of members has gone into a request.
local function advance(self, audience, payload, last)
  self.first = last + 1
  if self.first > payload:count() then
    self.payload_index, self.first = self.payload_index + 1, 1
    if self.payload_index > #audience.payloads then
      self.index, self.payload_index = self.index + 1, 1
    end
  end
end

-- The next part that fits into what is left, or nil.
local function next_part(self, members_left, bytes_left)
  local audience = self.audiences[self.index]
  local overhead = request.overhead(audience)
  if overhead > bytes_left then
    return nil
  end
  if audience.deleted then
    self.index = self.index + 1
    return { audience = audience, delete = true, adds = 0, removes = 0 }, overhead
  end
  local payload, first = audience.payloads[self.payload_index], self.first
  local last, adds, removes, bytes = payload:cut(first, members_left, bytes_left - overhead)
  if bytes > bytes_left - overhead then
    return nil -- cut() always gives one member, which may be too much beside other audiences
  end
  advance(self, audience, payload, last)
  return { audience = audience, payload = payload, first = first, last = last, adds = adds, removes = removes },
    overhead + bytes
end

-- The parts of a request of at most so many members and bytes, and its size.
local function fill(self, most_members, most_bytes)
  local parts, members, bytes = {}, 0, self.frame
  while self.index <= #self.audiences and members < most_members do
    local before = self.audiences[self.index]
    if #parts > 0 and parts[#parts].audience == before then
      break
    end
    local part, more = next_part(self, most_members - members, most_bytes - bytes)
    if not part then
      break
    end
    if part.delete or part.adds + part.removes > 0 then -- else all of a payload were set aside
      parts[#parts + 1] = part
      members, bytes = members + part.adds + part.removes, bytes + more
    end
  end
  return parts, bytes
end

-- The parts of the next request. nil where all audiences are planned; and the number of an audience where one of its
-- members alone is over `max_bytes`.
local function next_request(self)
  local limits = self.limits
  local parts, bytes = fill(self, limits.max_members, self.size)
  if #parts == 0 and self.index <= #self.audiences then -- one member alone is larger than the first requests are
    parts, bytes = fill(self, 1, limits.max_bytes)
  end
  if #parts > 0 then
    self.size = body_size.after(self.size, bytes, limits.max_bytes)
    return parts
  end
  return nil, self.index <= #self.audiences and self.index or nil
end

--- Gives a function that says of each request in turn whether it has an id in common with a request since the last
--- time that it said so. Such a request has to wait until the tasks of those have ended. Requests of one payload have
--- no id in common, so ids are compared only where an audience has several payloads.
---@return fun(parts: scope3.Part[]): boolean
function planner.repeats()
  local sealed = {} -- audience -> ids of payloads before the last one
  local last = {} -- audience -> the payload that requests since the last turn were of
  return function(parts)
    local repeated = false
    for _, part in ipairs(parts) do
      local id = part.audience.id
      if part.payload and last[id] and last[id] ~= part.payload then
        sealed[id] = sealed[id] or core.id_set()
        sealed[id]:seal(last[id])
        repeated = repeated or sealed[id]:meets(part.payload)
      end
    end
    if repeated then
      for _, set in entries(sealed) do
        set:clear()
      end
      last = {}
    end
    for _, part in ipairs(parts) do
      if part.payload then
        last[part.audience.id] = part.payload
      end
    end
    return repeated
  end
end

--- The requests, each a list of parts. Each may be larger than the one before, up to `max_bytes` (api/body_size). They
--- are made at once, so that a member that fits into none is found before anything is sent.
---@param audiences scope3.Audience[]
---@param limits {max_members: integer, max_bytes: integer, push: table?}
---@return scope3.Part[][]?
---@return integer? misfit  the number of an audience with such a member
function planner.plan(audiences, limits)
  local self, list = new(audiences, limits), {}
  while true do
    local parts, misfit = next_request(self)
    if not parts and misfit then
      return nil, misfit
    elseif not parts then
      return list
    end
    list[#list + 1] = parts
  end
end

return planner
