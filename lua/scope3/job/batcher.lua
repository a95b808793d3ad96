--- Fills payloads with members and sends each when it is full, while the next is being filled.
---
--- The service may process requests in any order (docs/contract.md section 5). A job that only adds, or only removes, sends each request after
--- the one before was accepted, and looks for no repeats further apart than a request. A job that does both, or has `unique`, runs in epochs: no
--- external id occurs in two requests of one, so that anything in it may overtake anything. A second member of an id that was sealed goes to the
--- payload of the next epoch, which is sent after every task of this one has ended.
local conditions = require "scope3.input.filter"
local core = require "scope3.core"
local identity = require "scope3.identity"
local options = require "scope3.util.options"
local request = require "scope3.api.request"
local result = require "scope3.result"

---@class scope3.Batcher
local batcher = {}
batcher.__index = batcher

--- Starts one for a job with one audience.
---@param job scope3.Job
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of the job
---@param shape? table  targets, conditions, keys, where, member, columns, plan
---@return scope3.Batcher
function batcher.new(job, audience, opts, shape)
  shape = shape or {}
  local frame = request.frame(opts.push_notification_config) + request.overhead(audience)
  local max_bytes = opts.max_bytes - frame
  local self = setmetatable({
    job = job,
    audience = audience,
    opts = opts,
    columns = shape.columns or {},
    conditions = shape.plan or {}, -- as the script has them
    where = shape.where,
    frame = frame,
    limits = { max_members = opts.max_members, max_bytes = max_bytes },
    builder = core.builder(options.merge(identity.reading(opts), {
      remove = opts.mode == "remove", max_member = max_bytes, rejections = opts.on_reject ~= nil,
      map = shape.targets, conditions = shape.conditions, columns = shape.keys, where = shape.where, member = shape.member,
    })),
    began = job:seconds(), -- filling the payload
    free = {}, -- payloads that no request reads
    cuts = 0, -- payloads that were sent
    operations = {}, -- of this epoch's payloads
    payload = core.payload { max_members = opts.max_members, max_bytes = max_bytes },
  }, batcher)
  if opts.unique or (opts.concurrency or 1) > 1 then
    self:enter_epoch()
  else
    job.result.repeats = "request" -- also where epochs begin later: the ids of before were not kept
  end
  return self
end

-- An empty payload: one that was used before, or a fresh one.
local function take_payload(self)
  return table.remove(self.free) or core.payload(self.limits)
end

--- From now on the job runs in epochs.
function batcher:enter_epoch()
  self.sealed = core.id_set()
  self.next = take_payload(self)
  self.builder:epoch(self.sealed, self.next)
end

-- Waits until all that was sent has taken effect.
local function end_epoch(self)
  local ok, err = self.job:turn()
  if ok then
    self.operations = {}
    if self.sealed then
      self.sealed:clear()
    end
  end
  return ok, err
end

--- Ends the epoch: what is left of it is sent, and when all its tasks have ended, what waited for that is next.
---@return true?
---@return scope3.Error? err
function batcher:turn()
  local ok, err = self:cut()
  if ok then
    ok, err = end_epoch(self)
  end
  if not ok then
    return nil, err
  end
  self.free[#self.free + 1] = self.payload -- cut() left an empty one
  self.payload, self.next = self.next, take_payload(self)
  self.builder:epoch(self.sealed, self.next)
  return true
end

--- Goes on with another source, whose columns may lie elsewhere.
---@param shape {targets: table?, conditions: table, columns: table}
---@param file string  its path, for rejections
function batcher:turn_to(shape, file)
  self.builder:columns(shape.targets, shape.conditions)
  self.columns, self.file = shape.columns, file
end

--- Tells `on_reject` of every rejection since the last call.
function batcher:report_rejections()
  local on_reject = self.opts.on_reject
  local rejections = on_reject and self.builder:rejections()
  for _, rejection in ipairs(rejections or {}) do
    if rejection.column then
      rejection.column = self.columns[rejection.column] or rejection.column
    else
      rejection.column = rejection.field
    end
    rejection.field = nil
    rejection.file = self.file
    on_reject(rejection)
  end
end

--- Sends what the payload holds, and goes on with an empty one.
---@return true?
---@return scope3.Error? err
function batcher:cut()
  local payload = self.payload
  local adds, removes = payload:living()
  if adds + removes == 0 then
    return true
  end
  if not self.sealed and (adds > 0 and removes > 0 or adds > 0 and self.operations.remove or removes > 0 and self.operations.add) then
    -- From here on ids matter, and those of before were not kept.
    if next(self.operations) then
      local ok, err = end_epoch(self)
      if not ok then
        return nil, err
      end
    end
    self:enter_epoch()
  end
  if self.sealed then
    self.sealed:seal(payload)
  end
  self.operations.add = self.operations.add or adds > 0 or nil
  self.operations.remove = self.operations.remove or removes > 0 or nil
  self.cuts = self.cuts + 1
  local ok, err = self.job:send {
    number = self.cuts,
    in_epochs = self.sealed ~= nil,
    parts = { { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes } },
    began = self.began,
    release = function()
      if self.closed then
        return payload:close()
      end
      payload:reset()
      self.free[#self.free + 1] = payload
    end,
  }
  self.began = self.job:seconds()
  self.payload = take_payload(self)
  return ok, err
end

--- Sends full payloads until the builder's waiting members have room.
---@param full "full"|"turn"  what has none
---@return true?
---@return scope3.Error? err
function batcher:make_room(full)
  local done
  repeat
    local ok, err
    if full == "turn" then
      ok, err = self:turn()
    else
      ok, err = self:cut()
    end
    if not ok then
      return nil, err
    end
    done, full = self.builder:flush(self.payload)
  until done
  return true
end

--- Sends what is left, of this epoch and of the one after it.
---@return true?
---@return scope3.Error? err
function batcher:finish()
  local ok, err = self:cut()
  while ok and self.next and self.next:count() > 0 do
    ok, err = self:turn()
    if ok then
      ok, err = self:cut()
    end
  end
  return ok, err
end

-- Gives up what the payloads hold.
local function abandon(self)
  for _, payload in ipairs { self.payload, self.next } do
    local adds, removes = payload:living()
    if adds + removes > 0 then
      self.job:abandon { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes }
      payload:reset()
    end
  end
end

--- Members that were built and will not be sent count as failed, those too that waited for room. Called when a job ends early.
function batcher:abandon()
  repeat
    abandon(self)
  until self.builder:flush(self.payload)
  abandon(self)
end

--- Frees what builder and payloads hold. A payload that a request still reads goes with that request.
function batcher:free_all()
  self.closed = true
  self.builder:close()
  self.payload:close()
  if self.next then
    self.next:close()
  end
  for _, payload in ipairs(self.free) do
    payload:close()
  end
end

-- Ids that were refused because they are raw identities, where both ways out must be known; and an id that many rows
-- have without being one person.
local function warn_of_ids(res, counts)
  local emails, phones = counts.rejected.id_email or 0, counts.rejected.id_phone or 0
  if emails + phones > 0 then
    result.warn(res, "ids_are_contacts", ("%.0f rows were refused because an email or a phone is their external id. "
      .. 'Map another column, or say what becomes of them: ids = "hash" (--ids hash) sends the SHA-256 as the id, '
      .. 'ids = "as_is" (--ids as_is) the raw value.'):format(emails + phones), { emails = emails, phones = phones })
  end
  if counts.child_rows > 0 then
    result.warn(res, "child_rows", ("Rows with a __parentId were skipped (%.0f): Shopify writes so what belongs to "
      .. "another row, and an order of a customer is no member. A map or a condition that names __parentId takes them.")
      :format(counts.child_rows), { rows = counts.child_rows })
  end
  if counts.zero_ids > 1 then
    result.warn(res, "ids_are_zero", ("%.0f rows have the external id 0 and count as one member. Shops give that id to "
      .. "guests: leave such rows out, or map another column."):format(counts.zero_ids),
      { rows = counts.zero_ids })
  end
end

--- Puts the builder's counts into the job's result. Call once.
function batcher:close()
  if not self.closed then
    self:report_rejections()
    local counts = self.builder:counts()
    result.add_counts(self.job.result, counts)
    warn_of_ids(self.job.result, counts)
    result.warn_of_poorer(self.job.result)
    if counts.untold > 0 then
      result.warn(self.job.result, "rejections_untold", ("%.0f rejections are counted, and on_reject was not told of them: one "
        .. "row gave more than there is room for"):format(counts.untold), { rejections = counts.untold })
    end
    conditions.report(self.job.result, self.conditions, counts.conditions)
    if self.where and counts.rows > 0 and counts.skipped == counts.rows then
      result.warn(self.job.result, "no_row_taken", ("where(row) took none of the %.0f rows"):format(counts.rows),
        { rows = counts.rows })
    end
    self:free_all()
  end
end

return batcher
