--- Fills payloads with members and sends each when it is full, while the next is being filled.
---
--- The service may process requests in any order (docs/contract.md section 5). A job that only adds, or only removes,
--- sends each request after the one before was accepted. It looks for repeats of an id inside each request only.
---
--- A job that does both, or has `unique`, runs in epochs. No external id occurs in two requests of one epoch, so their
--- order does not matter. A second member of an id that was sealed goes to the payload of the next epoch. That one is
--- sent after every task of this epoch has ended.
local core = require "scope3.core"
local filter = require "scope3.input.filter"
local identity = require "scope3.identity"
local options = require "scope3.util.options"
local payload_pool = require "scope3.job.payload_pool"
local plural = require "scope3.util.plural"
local request = require "scope3.api.request"
local result = require "scope3.result"

---@class scope3.BatchSink  what takes the batches: a job, or what looks at its input once more
---@field send fun(self, batch: scope3.Batch): true?, scope3.Error?
---@field turn fun(self): true?, scope3.Error?  waits until all that was sent has taken effect
---@field seconds fun(): number  since the job began

---@class scope3.Batcher
local Batcher = {}
Batcher.__index = Batcher

local batcher = {}

-- Whether a job runs in epochs from its beginning.
local function begins_in_epochs(opts)
  return opts.unique or (opts.concurrency or 1) > 1
end

--- Where a job looks for repeats of an id. A job whose epochs begin later did not keep the ids of before.
---@param opts table  checked options of the job
---@return "job"|"request"
function batcher.repeats(opts)
  return begins_in_epochs(opts) and "job" or "request"
end

--- The builder of a job's members.
---@param opts table  checked options of the job
---@param shape table  targets, conditions, keys, where, member
---@param max_member integer  bytes
---@return table
function batcher.builder(opts, shape, max_member)
  return core.builder(options.merge(identity.reading(opts), {
    remove = opts.mode == "remove", max_member = max_member, rejections = opts.on_reject ~= nil,
    map = shape.targets, conditions = shape.conditions, columns = shape.keys, where = shape.where,
    wheres = shape.wheres, member = shape.member, exclusions = opts.exclusions,
    prepared = shape.prepared,
  }))
end

--- Starts one for a job with one audience.
---@param sink scope3.BatchSink
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of the job
---@param shape? table  targets, conditions, keys, where, member, columns, plan
---@return scope3.Batcher
function batcher.new(sink, audience, opts, shape)
  shape = shape or {}
  local pool = payload_pool.new(opts,
    request.frame(opts.push_notification_config) + request.overhead(audience))
  local self = setmetatable({
    sink = sink,
    audience = audience,
    opts = opts,
    columns = shape.columns or {},
    conditions = shape.plan or {}, -- as the script has them
    where = shape.where,
    pool = pool,
    builder = batcher.builder(opts, shape, pool.size - pool.frame),
    began = sink.seconds(), -- filling the payload
    cuts = 0, -- payloads that were sent
    operations = {}, -- of payloads that were sent before epochs
  }, Batcher)
  self.payload = pool:take()
  if begins_in_epochs(opts) then
    self:enter_epoch()
  end
  return self
end

--- From now on the job runs in epochs.
function Batcher:enter_epoch()
  self.sealed = core.id_set()
  self.next = self.pool:take()
  self.builder:epoch(self.sealed, self.next)
end

--- Ends the epoch: what is left of it is sent, and when all its tasks have ended, what waited for that is next.
---@return true?
---@return scope3.Error? err
function Batcher:turn()
  local ok, err = self:cut()
  if ok then
    ok, err = self.sink:turn()
  end
  if not ok then
    return nil, err
  end
  self.sealed:clear()
  self.pool:give_back(self.payload) -- cut() left an empty one
  self.payload, self.next = self.next, self.pool:take()
  self.builder:epoch(self.sealed, self.next)
  return true
end

--- Goes on with another source, whose columns may lie elsewhere.
---@param shape {targets: table?, conditions: table, columns: table}
---@param file string  its path, for rejections
function Batcher:turn_to(shape, file)
  self.builder:columns(shape.targets, shape.conditions)
  self.columns, self.file = shape.columns, file
end

--- Fills the payload with members of a source's rows.
---@param handle table  the parser
---@param bytes number  after which it returns
---@param seconds number
---@return string state
---@return any ...  more of what happened, as builder:fill() says
function Batcher:step(handle, bytes, seconds)
  return self.builder:fill(self.payload, handle, bytes, seconds)
end

--- Tells `on_reject` of every rejection since the last call.
---@param self {opts: table, builder: table, columns: table, file: string?}
function batcher.report_rejections(self)
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
Batcher.report_rejections = batcher.report_rejections

-- Whether members that are added and members that are removed meet where nobody looks for repeats.
local function mixes(self, adds, removes)
  local before = self.operations
  return adds > 0 and (removes > 0 or before.remove) or removes > 0 and before.add
end

local function part_of(self, payload, adds, removes)
  return {
    audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds, removes = removes,
  }
end

-- Begins to keep ids: from here on they matter, and those of before were not kept.
local function begin_epochs(self)
  if next(self.operations) then
    local ok, err = self.sink:turn()
    if not ok then
      return nil, err
    end
  end
  self:enter_epoch()
  return true
end

local function note_operations(self, adds, removes)
  self.operations.add = self.operations.add or adds > 0 or nil
  self.operations.remove = self.operations.remove or removes > 0 or nil
end

--- Sends what the payload holds, and goes on with an empty one.
---@return true?
---@return scope3.Error? err
function Batcher:cut()
  local payload = self.payload
  local adds, removes = payload:living()
  if adds + removes == 0 then
    return true
  end
  if not self.sealed and mixes(self, adds, removes) then
    local ok, err = begin_epochs(self)
    if not ok then
      return nil, err
    end
  end
  if self.sealed then
    self.sealed:seal(payload)
  else
    note_operations(self, adds, removes)
  end
  self.cuts = self.cuts + 1
  self.pool:sent(payload)
  local ok, err = self.sink:send {
    number = self.cuts,
    in_epochs = self.sealed ~= nil,
    parts = { part_of(self, payload, adds, removes) },
    began = self.began,
    release = self.pool:release_of(payload),
  }
  self.began = self.sink.seconds()
  self.payload = self.pool:take()
  return ok, err
end

--- Sends full payloads until the builder's waiting members have room.
---@param full "full"|"turn"  what has none
---@return true?
---@return scope3.Error? err
function Batcher:make_room(full)
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
function Batcher:finish()
  local ok, err = self:cut()
  while ok and self.next and self.next:count() > 0 do
    ok, err = self:turn()
    if ok then
      ok, err = self:cut()
    end
  end
  return ok, err
end

local function abandon_payloads(self, give_up)
  for _, payload in ipairs { self.payload, self.next } do
    local adds, removes = payload:living()
    if adds + removes > 0 then
      give_up(part_of(self, payload, adds, removes))
      payload:reset()
    end
  end
end

--- Gives up the members that were built and will not be sent, also those that waited for room. Called when a job ends
--- early.
---@param give_up fun(part: scope3.Part)
function Batcher:abandon(give_up)
  repeat
    abandon_payloads(self, give_up)
  until self.builder:flush(self.payload)
  abandon_payloads(self, give_up)
end

--- Frees what builder and payloads hold. A payload that a request still reads goes with that request.
function Batcher:free_all()
  self.closed = true
  self.builder:close()
  self.payload:close()
  if self.next then
    self.next:close()
  end
  self.pool:close()
end

-- Warns of ids that were refused because they are raw identities, and of ids that are not those of one person.
local function warn_of_ids(res, counts)
  local emails, phones = counts.rejected.id_email or 0, counts.rejected.id_phone or 0
  if emails + phones > 0 then
    result.warn(res, "ids_are_contacts", ("%s because an email or a phone is the external id. "
      .. 'Map another column, or say what becomes of them: ids = "hash" (--ids hash) sends the SHA-256 as the id, '
      .. 'ids = "as_is" (--ids as_is) the raw value.'):format(
      plural.of(emails + phones, "row was refused", "rows were refused")), { emails = emails, phones = phones })
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

-- What else may be wrong: rejections that on_reject did not get, and a condition that took no row.
local function warn_of_rows(self, res, counts)
  if counts.untold > 0 then
    result.warn(res, "rejections_untold", ("%s counted, and on_reject was not told: one row gave more "
      .. "than there is room for"):format(plural.of(counts.untold, "rejection is", "rejections are")),
      { rejections = counts.untold })
  end
  filter.report(res, self.conditions, counts.conditions)
  if self.where and counts.rows > 0 and counts.skipped == counts.rows then
    result.warn(res, "no_row_taken", ("where(row) took none of %s"):format(plural.of(counts.rows, "row")),
      { rows = counts.rows })
  end
end

--- Adds counts of a builder to the result of its job, with the warnings that they give reason to.
---@param self {conditions: table, where: function?}
---@param res scope3.Result
---@param counts table  of its builder
function batcher.report(self, res, counts)
  result.add_counts(res, counts)
  warn_of_ids(res, counts)
  result.warn_of_poorer(res)
  warn_of_rows(self, res, counts)
end

--- Ends the batcher, and adds its counts and warnings to the result of its job. Call once.
---@param res scope3.Result
function Batcher:close(res)
  if not self.closed then
    self:report_rejections()
    batcher.report(self, res, self.builder:counts())
    self:free_all()
  end
end

return batcher
