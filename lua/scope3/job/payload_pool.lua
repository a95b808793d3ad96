--- The payloads of a job: each is filled, read by its requests, and filled again.
local body_size = require "scope3.api.body_size"
local core = require "scope3.core"

---@class scope3.JobPayloads
---@field size integer  bytes that the next request may have
---@field frame integer  of these, what a request has around its members
---@field most? integer  bytes that a request may have
---@field private opts table
---@field private free table[]  payloads that no request reads
---@field private sizes table<table, integer>  payload -> bytes of its request, at most
---@field private closed? boolean
local Pool = {}
Pool.__index = Pool

local payload_pool = {}

local FEW = 16 -- requests that as many members as are known to come are spread over at least, where these are large
local LEAST = 1048576 -- bytes of a request that are worth it
local MEMBER = 160 -- bytes of one with an email and a phone

--- Makes the pool of a job.
---@param opts table  checked options of the job
---@param frame integer  bytes of a request around its members
---@return scope3.JobPayloads
function payload_pool.new(opts, frame)
  return setmetatable({
    opts = opts, frame = frame, most = opts.max_bytes, size = body_size.first(opts.max_bytes), free = {}, sizes = {},
  }, Pool)
end

--- An empty payload for the next request: one that was used before, or a fresh one.
---@return table
function Pool:take()
  local payload = table.remove(self.free)
  while payload and self.sizes[payload] < self.size do
    self.sizes[payload] = nil
    payload:close()
    payload = table.remove(self.free)
  end
  payload = payload or core.payload { max_members = self.opts.max_members, max_bytes = self.size - self.frame }
  self.sizes[payload] = self.size
  return payload
end

--- Takes in how many members come at most. Two requests of all of them are what a job with few members has in memory,
--- and a few more requests cost less than that.
---@param members integer
function Pool:expect(members)
  local most = math.max(LEAST, math.floor(members * MEMBER / FEW))
  self.most = math.min(self.most or most, most)
  self.size = math.min(self.size, self.most)
end

--- A payload is sent: the next may be larger.
---@param payload table
---@param bytes? integer  of the members of its request, where these are not all its own
function Pool:sent(payload, bytes)
  self.size = math.max(self.size, body_size.after(self.sizes[payload], bytes or payload:bytes(), self.most))
end

--- Takes an empty payload back.
---@param payload table
function Pool:give_back(payload)
  self.free[#self.free + 1] = payload
end

--- What frees a payload that no request reads any longer.
---@param payload table
---@return fun()
function Pool:release_of(payload)
  return function()
    if self.closed then
      return payload:close()
    end
    payload:reset()
    self:give_back(payload)
  end
end

--- Frees the payloads. One that a request still reads goes with that request.
function Pool:close()
  self.closed = true
  for _, payload in ipairs(self.free) do
    payload:close()
  end
end

return payload_pool
