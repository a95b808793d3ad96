--- Payloads that are used again, and how many of them each audience has.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local request = require "scope3.api.request"
local validate = require "scope3.api.validate"

---@class scope3.PayloadPool
---@field audiences integer  that have payloads in use
local PayloadPool = {}
PayloadPool.__index = PayloadPool

local payload_pool = {}

local MAX_UNUSED = 16 -- payloads that are kept to be used again
local LEAST_ROOM = 1024 -- bytes that an audience has to leave for members, as for other jobs

---@param max_bytes integer  of a request's body
---@param push scope3.PushNotificationConfig?
---@return scope3.PayloadPool
function payload_pool.new(max_bytes, push)
  return setmetatable({
    available = max_bytes - request.frame(push), -- bytes of a request for its audiences
    free = {}, -- size -> payloads
    unused = 0, -- payloads in `free`
    users = {}, -- id of an audience -> payloads in use
    audiences = 0,
  }, PayloadPool)
end

--- Bytes of a request for the members of an audience.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return integer
function PayloadPool:room(audience)
  return self.available - request.overhead(audience)
end

--- What is wrong with an audience that came with a member.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return {path: string?, message: string}[] issues
function PayloadPool:problems(audience)
  local issues = {}
  validate.audience(issues, audience, "audience")
  if #issues == 0 and self:room(audience) < LEAST_ROOM then
    issues[1] = { path = "max_bytes",
      message = "leaves no room for members beside the audience's name and the callback" }
  end
  return issues
end

--- Whether an audience has payloads in use.
---@param id string
---@return boolean
function PayloadPool:has(id)
  return self.users[id] ~= nil
end

--- An empty payload for an audience.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return table payload
---@return integer size  bytes that it may take
function PayloadPool:take(audience)
  local id, size = audience.id, self:room(audience)
  local list = self.free[size]
  local payload = list and table.remove(list)
  if payload then
    self.unused = self.unused - 1
  end
  if not self.users[id] then
    self.users[id], self.audiences = 0, self.audiences + 1
  end
  self.users[id] = self.users[id] + 1
  return payload or core.payload { max_members = validate.MAX_MEMBERS, max_bytes = math.max(1, size) }, size
end

--- Takes back a payload that is not read any more.
---@param id string  of its audience
---@param payload table
---@param size integer  as take() gave it
function PayloadPool:give_back(id, payload, size)
  self.users[id] = self.users[id] - 1
  if self.users[id] == 0 then
    self.users[id], self.audiences = nil, self.audiences - 1
  end
  if self.unused >= MAX_UNUSED then
    payload:close()
    return
  end
  payload:reset()
  self.free[size] = self.free[size] or {}
  table.insert(self.free[size], payload)
  self.unused = self.unused + 1
end

--- Frees the payloads that are not in use.
function PayloadPool:close()
  for _, list in entries(self.free) do
    for _, payload in ipairs(list) do
      payload:close()
    end
  end
  self.free, self.unused = {}, 0
end

return payload_pool
