--- What a job knows of the sizes that the service takes. A size that was refused is kept for others in the store of the
--- limiter, for an hour. A small one is not: such a refusal is no limit of a host, and others would send tiny requests.
local body_size = require "scope3.api.body_size"
local rare = require "scope3.util.rare"

---@class scope3.BodySizes
---@field private taken integer  bytes that a request may have without being a trial
---@field private limit? integer  bytes: the service found larger requests too large
---@field private asked boolean  what others found out is known
local Sizes = {}
Sizes.__index = Sizes

local body_sizes = {}

local LEAST_KEPT = 32768 -- bytes
local MORE = 3 / 16 -- 9.5 MiB after 8, and 18.9 after 15.9: a little less than the 10 and 20 MB of many limits

---@param transport scope3.Transport
---@param waiter scope3.Waiter  of the job
---@return scope3.BodySizes
function body_sizes.new(transport, waiter)
  return setmetatable({ transport = transport, waiter = waiter, taken = body_size.first(), asked = false }, Sizes)
end

--- No larger request is to go.
---@param bytes? integer  nil for any
function Sizes:keep_to(bytes)
  self.limit = math.min(self.limit or bytes or math.huge, bytes or math.huge)
end

--- The size that no request is to exceed; nil where nothing is known.
---@return integer? bytes
function Sizes:most()
  if not self.asked then
    self.asked = true
    self:keep_to(self.transport:size_limit(self.waiter))
  end
  return self.limit ~= math.huge and self.limit or nil
end

--- The service took a request.
---@param bytes integer
function Sizes:took(bytes)
  self.taken = math.max(self.taken, bytes)
end

-- The size that may pass after a request was too large. What passed before passes again. A little more may, so that
-- 100,000 members with an email and a phone (18.1 MiB) become two requests, and not three.
local function size_that_may_pass(taken, bytes, half)
  if taken < half or taken >= bytes then
    return half
  end
  local more = math.floor(taken * (1 + MORE))
  return more < bytes and more or taken
end

--- The service found a request too large.
---@param bytes integer  of the request
---@param half integer  of its larger half
function Sizes:refused(bytes, half)
  self:keep_to(size_that_may_pass(self.taken, bytes, half))
  if self.limit >= rare.number("kept_size", LEAST_KEPT) then
    self.transport:learn_size(self.limit, self.waiter)
  end
end

--- Whether a request is larger than all that the service is known to take.
---@param bytes integer
---@return boolean
function Sizes:is_trial(bytes)
  return bytes > self.taken and bytes <= (self:most() or math.huge)
end

return body_sizes
