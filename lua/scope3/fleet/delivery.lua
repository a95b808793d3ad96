--- Sends a batch by jobs. What the service refuses for its content is given up by and by, so that nothing blocks the
--- queue for ever. What it did not take for another reason stays for the next try.
local audience_requests = require "scope3.job.audience_requests"
local errors = require "scope3.error"
local job = require "scope3.job"
local known_audiences = require "scope3.job.known_audiences"
local splitter = require "scope3.job.splitter"

---@class scope3.Delivery
---@field context scope3.Context
---@field opts table  checked options of its jobs
---@field counts scope3.Drained
---@field failed integer  members of requests that the service refused for good, since it was dropped last
---@field rejected_by_service integer  members that it set aside since then
---@field refusal? scope3.Error  why the service refused for good what was given up last
---@field waits boolean  what was to go first had no turn under the rate when this sent last
---@field private known scope3.KnownAudiences
---@field private lists scope3.Part[][]  what is left to send, a request each
local Delivery = {}
Delivery.__index = Delivery

local delivery = {}

---@param context scope3.Context
---@param opts table
---@param counts scope3.Drained
---@return scope3.Delivery
function delivery.new(context, opts, counts)
  opts.pace = opts.rate and context:transport().pace_of(opts.rate) or nil -- one for all of its jobs
  return setmetatable({ context = context, opts = opts, counts = counts, known = known_audiences.new(), lists = {},
    waits = false, failed = 0, rejected_by_service = 0 }, Delivery)
end

--- Takes a batch. Its payloads must stay until it is delivered or dropped.
---@param batch scope3.DrainBatch
function Delivery:take(batch)
  self.lists = audience_requests.plan(batch, self.known, self.opts)
end

--- Forgets what was not sent, and what was given up.
function Delivery:drop()
  self.lists, self.failed, self.rejected_by_service = {}, 0, 0
end

--- Whether all of the batch has left, or was given up.
---@return boolean
function Delivery:is_done()
  return self.lists[1] == nil
end

local function count(parts)
  local n = 0
  for _, part in ipairs(parts) do
    n = n + part.adds + part.removes
  end
  return n
end

-- Whether the audiences of a request may not exist: the service takes removals from any name.
local function is_unsure(self, parts)
  local unsure = false
  for _, part in ipairs(parts) do
    unsure = unsure or not self.known:has(part.audience.id)
    if part.adds > 0 then
      return false
    end
  end
  return unsure
end

-- What one job sends: all requests whose audiences are known or come about, else the first of the others.
local function choose(self)
  local chosen, rest = {}, {}
  for _, parts in ipairs(self.lists) do
    table.insert(is_unsure(self, parts) and rest or chosen, parts)
  end
  local looks = #chosen == 0
  if looks then
    chosen[1] = table.remove(rest, 1)
  end
  return chosen, rest, looks
end

local function audiences_of(lists)
  local list, seen = {}, {}
  for _, parts in ipairs(lists) do
    for _, part in ipairs(parts) do
      if not seen[part.audience.id] then
        list[#list + 1], seen[part.audience.id] = part.audience, true
      end
    end
  end
  return list
end

-- Decides about a request that was not taken: halves go in its place, it is given up, or it stays. Whether it moved.
local function sort_out(self, one, err, left)
  local parts, absent = one.parts, known_audiences.is_absent(err)
  if #parts > 1 and (one.rejected or absent) then
    for _, half in ipairs { splitter.halve(parts) } do
      left[#left + 1] = half
    end
    return true
  end
  local missing, is_new = false, false
  if absent then
    missing, is_new = self.known:note_missing(parts[1].audience.id, self.context.loop.now())
  end
  if one.rejected or missing then
    self.failed, self.refusal = self.failed + count(parts), err
    return true
  end
  left[#left + 1] = parts
  return is_new -- else each audience that is missing would have to wait for those before it
end

-- Whether the service may still carry out a copy of something.
local function is_in_doubt(res)
  for _, one in ipairs(res.requests) do
    if one.possibly_twice or one.state == "unknown" then
      return true
    end
  end
  return false
end

local function note(self, res, err)
  local counts = self.counts
  counts.accepted = counts.accepted + res.accepted
  self.rejected_by_service = self.rejected_by_service + res.rejected_by_service
  for _, one in ipairs(res.requests) do
    counts.requests = counts.requests + ((one.attempts or 0) > 0 and 1 or 0)
  end
  self.waits = err ~= nil and err.kind == "timeout" and err.request ~= nil and err.request.attempts == 0
end

--- Sends what one job can, within a time that is over for good: what is on the wire by then is aborted.
---@param seconds number
---@return boolean moved  something was sent, divided or given up
---@return scope3.Error? err
---@return boolean in_doubt  a copy of a request may still take effect
function Delivery:send(seconds)
  local chosen, left, looks = choose(self)
  local opts = setmetatable({ deadline = seconds, strict_deadline = true }, { __index = self.opts })
  local work = job.new(self.context, audiences_of(chosen), opts)
  if not looks then
    work:skip_target_check()
  end
  for _, parts in ipairs(chosen) do
    work:send { parts = parts, retained = true }
  end
  local res, err = work:finish()
  res = res or err.result
  note(self, res, err)
  local unsent, moved = work:unsent(), false
  for _, one in ipairs(unsent) do
    moved = sort_out(self, one, err, left) or moved
  end
  self.lists = left
  for _, audience in ipairs(err and {} or audiences_of(chosen)) do
    self.known:note_added(audience.id)
  end
  return moved or #unsent < #chosen, err and errors.with(err, { result = errors.NOTHING }), is_in_doubt(res)
end

return delivery
