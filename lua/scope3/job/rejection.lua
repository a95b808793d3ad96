--- Decides what becomes of a request that the service rejects: smaller ones where it is too large, or one without the
--- members that the service points at.
local quarantine = require "scope3.job.quarantine"
local rare = require "scope3.util.rare"
local reply = require "scope3.http.reply"
local splitter = require "scope3.job.splitter"

local rejection = {}

local SMALLEST = 1024 -- bytes: no request is made smaller than that
local LARGEST_PART = 0.75 -- of a request that was too large: more goes in smaller parts without being tried
local ROUNDS = 2 -- times that a request is sent again without what was rejected, before it is halved

---@class scope3.SplitDecision  its halves go instead
---@field kind "split"
---@field max_bytes integer  size of a body that may pass

---@class scope3.WithoutDecision  it goes again without these members
---@field kind "without"
---@field members scope3.RejectedMember[]

--- Whether a request may go in two halves.
---@param req scope3.JobRequest
---@return boolean
function rejection.divisible(req)
  return req.bytes > rare.number("smallest", SMALLEST) and not req.batch.delete_missing
    and splitter.halve(req.parts) ~= nil
end

--- The two halves of a request that may be divided.
---@param req scope3.JobRequest
---@return scope3.Part[][]
function rejection.halves(req)
  return { splitter.halve(req.parts) }
end

-- Bytes of a list of parts, without what a request says of callbacks.
local function bytes_of(parts)
  local _, _, bytes = splitter.measure(parts)
  return bytes
end

-- The size that may pass after a request was too large: its larger half. Both halves have a frame, so that is over half
-- of the whole. Halves of several audiences may be very different: one over three quarters is divided again.
local function size_that_may_pass(req)
  local first, second = splitter.halve(req.parts)
  local less = bytes_of(req.parts) - math.max(bytes_of(first), bytes_of(second))
  local larger_half = math.min(req.bytes - less, math.floor(req.bytes * LARGEST_PART))
  return math.max(rare.number("smallest", SMALLEST), larger_half)
end

--- What a request becomes instead; nil where nothing leads on.
---@param req scope3.JobRequest
---@param err scope3.Error  the service's
---@return scope3.SplitDecision|scope3.WithoutDecision|nil
function rejection.decide(req, err)
  if reply.speaks_of_size(err) and rejection.divisible(req) then
    return { kind = "split", max_bytes = size_that_may_pass(req) }
  elseif err.status ~= 400 and err.status ~= 422 or req.repairs.left < 1 then
    return nil
  end
  local members = quarantine.find(req.parts, err.issues)
  return #members > 0 and { kind = "without", members = members } or nil
end

--- The lists of parts that go again after rejected members were set aside. After a few rounds a request is halved: the
--- service's list of issues is cut short, and half as many members have half as many issues.
---@param req scope3.JobRequest
---@return scope3.Part[][] lists  empty when no member is left
---@return integer rounds  of the new requests
function rejection.remaining(req)
  local parts = splitter.living(req.parts)
  if #parts == 0 then
    return {}, 0
  end
  local halves = req.rounds > ROUNDS and { splitter.halve(parts) } or {}
  if #halves > 0 then
    return halves, 0
  end
  return { parts }, req.rounds
end

return rejection
