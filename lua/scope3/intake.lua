--- Fills payloads with members and sends each when it is full, while the next is being filled.
local core = require "scope3.core"
local identity = require "scope3.identity"
local options = require "scope3.options"
local request = require "scope3.request"
local result = require "scope3.result"

---@class scope3.Intake
local intake = {}
intake.__index = intake

--- Starts one for a job with one audience.
---@param job scope3.Job
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of the job
---@param shape? {targets: table?, conditions: table?, keys: table?, where: function?, member: function?, columns: table?}
---@return scope3.Intake
function intake.new(job, audience, opts, shape)
  shape = shape or {}
  local frame = request.frame(opts.push_notification_config) + request.overhead(audience)
  local max_bytes = opts.max_bytes - frame
  return setmetatable({
    job = job,
    audience = audience,
    opts = opts,
    columns = shape.columns or {},
    frame = frame,
    limits = { max_members = opts.max_members, max_bytes = max_bytes },
    builder = core.builder(options.merge(identity.reading(opts), {
      remove = opts.mode == "remove", max_member = max_bytes, refusals = opts.on_reject ~= nil,
      map = shape.targets, conditions = shape.conditions, columns = shape.keys, where = shape.where, member = shape.member,
    })),
    began = job:seconds(), -- filling the payload
    free = {}, -- payloads that no request reads; never more than two exist
    payload = core.payload { max_members = opts.max_members, max_bytes = max_bytes },
  }, intake)
end

--- Goes on with another source, whose columns may lie elsewhere.
---@param shape {targets: table?, conditions: table, columns: table}
---@param file string  its path, for refusals
function intake:turn_to(shape, file)
  self.builder:columns(shape.targets, shape.conditions)
  self.columns, self.file = shape.columns, file
end

--- Tells `on_reject` of every refusal since the last call.
function intake:report_refusals()
  local on_reject = self.opts.on_reject
  local refusals = on_reject and self.builder:refusals()
  for _, refusal in ipairs(refusals or {}) do
    if refusal.column then
      refusal.column = self.columns[refusal.column] or refusal.column
    else
      refusal.column = refusal.field
    end
    refusal.field = nil
    refusal.file = self.file
    on_reject(refusal)
  end
end

--- Sends what the payload holds, and goes on with an empty one.
---@return true?
---@return scope3.Error? err
function intake:cut()
  local payload = self.payload
  local adds, removes = payload:living()
  if adds + removes == 0 then
    return true
  end
  local part = { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes }
  local bytes = self.frame + payload:bytes()
  local ok, err = self.job:send({ part }, bytes, function()
    payload:reset()
    self.free[#self.free + 1] = payload
  end, self.began)
  self.began = self.job:seconds()
  self.payload = table.remove(self.free) or core.payload(self.limits)
  return ok, err
end

--- Sends full payloads until the builder's waiting members have room.
---@return true?
---@return scope3.Error? err
function intake:make_room()
  repeat
    local ok, err = self:cut()
    if not ok then
      return nil, err
    end
  until self.builder:flush(self.payload)
  return true
end

--- Members that were built and will not be sent count as failed. Called when a job ends early.
function intake:abandon()
  local adds, removes = self.payload:living()
  if adds + removes > 0 then
    self.job.result.failed = self.job.result.failed + adds + removes
    self.payload:reset()
  end
end

--- Puts the builder's counts into the job's result. Call once.
function intake:close()
  if not self.closed then
    self.closed = true
    self:report_refusals()
    result.add_counts(self.job.result, self.builder:counts())
    self.builder:close()
  end
end

return intake
